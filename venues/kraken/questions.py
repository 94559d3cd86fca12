"""What we ask Kraken: each question goes to the system of its product. Pure.

A request says itself which system it is for: Spot's paths begin with `/0/`.
"""

from typing import Final
from urllib.parse import urlsplit

from orderloom.question import Question
from venues.document import fields_of, parse
from venues.kraken import futures_questions, spot_questions
from venues.kraken.words import FUTURES, SPOT
from venues.request import Context, HttpRequest
from venues.venue import Page

SPOT_PATHS: Final = "/0/"


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this venue has no such question, or it needs an order's id or a start.
    """
    if question.product == SPOT:
        return spot_questions.ask(question, context)
    if question.product not in FUTURES:
        raise ValueError(f"no {question.about} of {question.product!r}")
    return futures_questions.ask(question, context)


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one.

    Raises:
        ValueError: the venue goes round in circles.
    """
    if question.product == SPOT:
        return spot_questions.next_page(question, page, context)
    return futures_questions.next_page(question, page, context)


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for, and may be read as all there is."""
    if page.status != 200:
        return False
    if urlsplit(page.request.url).path.startswith(SPOT_PATHS):
        return spot_questions.is_complete_answer(page)
    return futures_questions.is_complete_answer(page)


def server_time(body: bytes) -> int:
    """The venue's clock in ns.

    Raises:
        BadFrame: the answer does not hold it.
    """
    answer = fields_of(parse(body), "answer")
    if type(answer.get("result")) is str:
        return futures_questions.server_time(answer)
    return spot_questions.server_time(answer)
