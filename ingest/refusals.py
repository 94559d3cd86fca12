"""What a venue's refusal says, as far as it may be shown: its status, and its code. Pure.

Its words go nowhere: what stands before a venue (a firewall, a debug page) may echo the request,
and with it the key, the passphrase or the signed query.
"""

from typing import Final

from venues.document import parse, said_code
from venues.venue import BadFrame

CODES: Final = ("code", "retCode")
"""What venues call it."""


def shown_refusal(status: int, body: bytes) -> str:
    """For the log, and for reasons that consumers read: "401, code -2015"."""
    return f"{status}, {code_of(body)}"


def code_of(body: bytes) -> str:
    """The code in what a venue answers: "code -2015", or "no code"."""
    try:
        document = parse(body)
    except BadFrame:
        return said_code(None)
    if not isinstance(document, dict):
        return said_code(None)
    return said_code(next((document[name] for name in CODES if name in document), None))
