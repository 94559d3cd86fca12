"""The contract of Orderloom's topics: what a consumer installs.

Names listed here are public; everything else may change without notice.
"""

from orderloom.account import AccountConfig, AccountState, Balance, BlindInterval
from orderloom.answer import IntentAnswer
from orderloom.codec import UnreadableMessage, read
from orderloom.event import Cause
from orderloom.fill import Fill
from orderloom.instrument import Instrument
from orderloom.intent import Cancel, CancelAll, Submit
from orderloom.order import OrderState
from orderloom.position import Position
from orderloom.topology import TOPICS, Topic
from orderloom.trouble import DeadLetter, Difference

__all__ = [
    "TOPICS",
    "AccountConfig",
    "AccountState",
    "Balance",
    "BlindInterval",
    "Cancel",
    "CancelAll",
    "Cause",
    "DeadLetter",
    "Difference",
    "Fill",
    "Instrument",
    "IntentAnswer",
    "OrderState",
    "Position",
    "Submit",
    "Topic",
    "UnreadableMessage",
    "read",
]
