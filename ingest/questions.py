"""Asks one question to its end: page after page, each an `Answer`; what fails is a `Failure`.

Never silent: a question that is not asked, because it is too old, unknown, or the venue throttles
us for too long, leaves a Failure with the reason. A venue's refusal is an answer: its words count.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingest.actions import HttpAnswer, HttpFailure
from ingest.instant import MINUTE_NS
from ingest.limits import Rank
from ingest.refusals import shown_refusal
from ingest.requester import HttpResult, Requester, mistake, words_of
from orderloom.event import Reply
from orderloom.question import Question
from orderloom.raw import Answer, Failure
from orderloom.words import Reason, Source
from runtime.metrics import QUESTIONS
from venues.document import read, said_code
from venues.request import Context, HttpRequest
from venues.venue import UNREADABLE, Inbound, Page

PAGES_MAX = 1_000
BYTES_MAX = 512 * 1024 * 1024
"""A list that has no end within these is none: what came of it is written, and proves nothing."""
TRIES_MAX = 3
AGAIN_SECONDS = 0.5
PAGE_SECONDS_MAX = 60.0
AGE_NS_MAX = 10 * MINUTE_NS
HEAD_BYTES = 2_000
REASON_CHARACTERS_MAX = 300

NextRequest = Callable[[Context], HttpRequest | None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Log:
    """Where answers go; `room` returns when the next page may be asked for."""

    write: Callable[[Answer | Failure], None]
    room: Callable[[], Awaitable[None]]


class _Ended(Exception):
    """The question ends without a usable answer: `args[0]` says why."""

    def __init__(self, reason: str, answer: HttpAnswer | None = None) -> None:
        super().__init__(reason)
        self.answer = answer


async def ask(question: Question, requester: Requester, log: Log) -> None:
    """Ask `question`, and write what comes of it; returns once all of it is written."""
    began_ns = requester.now().wall_ns
    try:
        outcome = await _ask_guarded(question, requester, log)
    except _Ended as ended:
        outcome = "failed"
        log.write(failure(question, str(ended), began_ns, requester.now().wall_ns, ended.answer))
        _log.warning(
            "question %s about %s of %s has no answer: %s",
            *(question.id, question.about, question.account, ended),
            extra={"account": question.account, "venue": requester.venue.name},
        )
    QUESTIONS.labels(requester.venue.name, question.about, outcome).inc()


def failure(
    question: Question, reason: str, asked_ns: int, at_ns: int, answer: HttpAnswer | None = None
) -> Failure:
    """What is written of a question without a usable answer."""
    status, body = (None, b"") if answer is None else (answer.status, answer.body[:HEAD_BYTES])
    return Failure(
        question.document(), reason[:REASON_CHARACTERS_MAX], asked_ns, at_ns, status, body
    )


async def _ask_guarded(question: Question, requester: Requester, log: Log) -> str:
    """One account's answer is one account's trouble, whatever it does to those who read it."""
    try:
        return await _ask_pages(question, requester, log)
    except UNREADABLE as error:
        raise _Ended(f"its answer cannot be read: {mistake(error)}") from None


async def _ask_pages(question: Question, requester: Requester, log: Log) -> str:
    """Every page, in order; returns "answered" or "refused"."""
    page, asked_ns, size = None, None, 0
    for number in range(1, PAGES_MAX + 1):
        await log.room()
        reply, answer = await _ask_page(question, requester, _next_of(question, requester, page))
        # The first page's: what the whole list proves, it
        # proves as of then (docs/state-model.md INV-3).
        asked_ns = answer.sent_ns if asked_ns is None else asked_ns
        page = Page(number, reply.request, answer.status, answer.body)
        is_last, trouble = _judged(question, requester, page)
        # Written before anything is concluded from it:
        # evidence, even where the list proves nothing.
        log.write(_item(question, page, answer, is_last, asked_ns))
        if trouble:
            _note_refusal(question, requester, answer)
            raise _Ended(trouble, answer)
        if is_last:
            return _outcome(question, requester, answer)
        size += len(answer.body)
        if size > BYTES_MAX:
            raise _Ended(f"no end within {number} pages of {size} bytes", answer)
    raise _Ended(f"no end within {PAGES_MAX} pages")


def _next_of(question: Question, requester: Requester, page: Page | None) -> NextRequest:
    if page is None:
        return lambda context: requester.venue.ask(question, context)
    return lambda context: requester.venue.next_page(question, page, context)


def _judged(question: Question, requester: Requester, page: Page) -> tuple[bool, str]:
    """Whether `page` is the last one; and why nothing can be made of it, or ""."""
    # A refusal by its status is an answer of one page;
    # a 200 that is none is a failure (decision 0804).
    if not requester.venue.is_complete_answer(page):
        is_refusal = page.status != 200  # which has one page
        return is_refusal, "" if is_refusal else f"page {page.number} is no complete answer"
    context = requester.context(question.product, requester.now())
    try:
        return requester.venue.next_page(question, page, context) is None, ""
    except UNREADABLE as error:
        return False, f"nothing can follow page {page.number}: {words_of(error)}"


async def _ask_page(
    question: Question, requester: Requester, build: NextRequest
) -> tuple[HttpResult, HttpAnswer]:
    """One page's answer, after a few tries; an answer that reports trouble is none."""
    trouble, answer = "", None
    for attempt in range(TRIES_MAX):
        if attempt:
            await asyncio.sleep(AGAIN_SECONDS * 2**attempt)
        reply = await _try(question, requester, build)
        if isinstance(reply.outcome, HttpFailure):
            trouble, answer = reply.outcome.reason, None
        # Looked at first: at OKX a throttled request has status 200 (docs/venues/okx.md 9).
        elif reply.backoff is not None:
            trouble, answer = "the venue throttles us", reply.outcome
        elif reply.outcome.status >= 500:
            trouble, answer = f"the venue answers {reply.outcome.status}", reply.outcome
        else:
            return reply, reply.outcome
    raise _Ended(f"{trouble} ({TRIES_MAX} tries)", answer)


async def _try(question: Question, requester: Requester, build: NextRequest) -> HttpResult:
    def built(context: Context) -> HttpRequest:
        request = build(context)
        if request is None:
            raise ValueError("the next page is gone")
        return request

    rank = Rank.URGENT if question.urgent else Rank.PERIODIC
    try:
        # Mostly for the line before the limit: the request
        # itself has ten seconds (`ingest/http.py`).
        async with asyncio.timeout(PAGE_SECONDS_MAX):
            return await requester.ask(question.product, built, rank)
    except TimeoutError:
        raise _Ended(
            f"no turn within {PAGE_SECONDS_MAX:.0f} s: the rate limit is used up"
        ) from None
    except UNREADABLE as error:
        raise _Ended(f"cannot be asked of {requester.venue.name}: {words_of(error)}") from None


def _item(
    question: Question, page: Page, answer: HttpAnswer, is_last: bool, asked_ns: int
) -> Answer:
    return Answer(
        question=question.document(),
        channel=page.request.channel,
        page=page.number,
        is_last=is_last,
        status=answer.status,
        asked_ns=asked_ns,
        sent_ns=answer.sent_ns,
        received_ns=answer.received_ns,
        body=answer.body,
    )


def _outcome(question: Question, requester: Requester, answer: HttpAnswer) -> str:
    """What came of a question that has its last page."""
    if answer.status == 200:
        requester.refused.discard(question.product)
        requester.refused_symbols.discard(_named(question))
        return "answered"
    # Once: a refused key is refused at every question.
    if answer.status in (401, 403) and question.product not in requester.refused:
        requester.refused.add(question.product)
        _log.error(
            "%s refuses to answer about %s of %s (%s): check the key's permissions, its "
            "allowed addresses and its environment",
            *(requester.venue.name, question.about, question.account),
            shown_refusal(answer.status, answer.body),
            extra={"account": question.account, "venue": requester.venue.name},
        )
    elif answer.status not in (401, 403):
        _note_refusal(question, requester, answer)
    return "refused"


def _named(question: Question) -> tuple[str, str]:
    return question.product, question.symbol or question.about


def _note_refusal(question: Question, requester: Requester, answer: HttpAnswer) -> None:
    """Log a refusal once until the venue answers: its code alone, as its words may hold a key.

    That an order is not found is everyday.
    """
    name = _named(question)
    if name in requester.refused_symbols:
        return
    reply = _reply_in(question, requester, answer)
    if reply is None or reply.reason is Reason.NOT_FOUND:
        return
    requester.refused_symbols.add(name)
    _log.warning(
        "%s refuses questions about %s of %s, %s: %s",
        *(requester.venue.name, name[1], question.account, question.product),
        said_code(reply.code),
        extra={"account": question.account, "venue": requester.venue.name},
    )


def _reply_in(question: Question, requester: Requester, answer: HttpAnswer) -> Reply | None:
    try:
        document = read(answer.body, requester.venue.bare_words)
        said = requester.venue.translate(Inbound(document, Source.QUERY, question.product))
    except UNREADABLE:
        return None
    replies = (one for one in said.events if isinstance(one, Reply) and not one.accepted)
    return next(replies, None)
