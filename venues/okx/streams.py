"""OKX's private connections. Pure.

One socket (`private`) reports orders, executions, positions and balances of all products, another
(`business`) of conditional orders. Both sign in first, then subscribe, channel by channel, each
with its own ack. The client pings with a bare word; a socket that neither side uses for 30 s is
closed. There is no limit of life; a notice comes before a planned end. Manual: "WebSocket
Overview", "Connection count limit", "Notification". A subscription that is one too many of its
channel is first acknowledged and then dropped in silence, but for one event: that event is read.
"""

from typing import Final

from venues.document import Document, object_in, said_code
from venues.okx.reading import SPOT
from venues.okx.requests import PING, PONG, login, subscription, subscription_id
from venues.rates import Cost
from venues.request import Context
from venues.venue import DATA, SECOND_NS, Heard, Heartbeat, Stage, Stream, Turn, Verdict

PRIVATE: Final = "private"
BUSINESS: Final = "business"
CONNECT_BUCKET: Final = "connect"
PING_AFTER_NS: Final = 15 * SECOND_NS
SILENCE_NS_MAX: Final = 45 * SECOND_NS  # three pings without an answer
ENDING_CODE: Final = "64008"
# Time-stamp, overload, internal failure: nothing is wrong with the key.
PASSING_CODES: Final = frozenset({"50001", "50011", "60004", "60006", "60014", "63999", "64007"})
# Only events: the regular repetition of unchanged amounts is switched off.
EVENTS_ONLY: Final = '{"updateInterval":"0"}'
# ANY and a kind together would bring every push twice (docs/venues/okx.md 2.2).
ORDERS: Final = {"channel": "orders", "instType": "ANY"}
ACCOUNT: Final = {"channel": "account", "extraParams": EVENTS_ONLY}
POSITIONS: Final = {"channel": "positions", "instType": "SWAP", "extraParams": EVENTS_ONLY}
ALGO_ORDERS: Final = {"channel": "orders-algo", "instType": "ANY"}
TRAILING_ORDERS: Final = {"channel": "algo-advance", "instType": "ANY"}

Arguments = tuple[dict[str, str], ...]


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """The connections that an account with these products needs."""
    with_positions = any(product != SPOT for product in products)
    private = (ORDERS, ACCOUNT, POSITIONS) if with_positions else (ORDERS, ACCOUNT)
    return (
        _stream(products, PRIVATE, private),
        _stream(products, BUSINESS, (ALGO_ORDERS, TRAILING_ORDERS)),
    )


def _stream(products: tuple[str, ...], feed: str, arguments: Arguments) -> Stream:
    # A channel at a time: each is acknowledged by itself,
    # and LIVE means all (docs/venues/okx.md 2.2).
    stages = tuple(_stage(number, arguments) for number in range(1 + len(arguments)))
    return Stream(
        products=products,
        address=lambda context, _heard: f"{context.endpoints.stream[products[0]]}/ws/v5/{feed}",
        judge=lambda frame: _judge(frame, len(stages), arguments),
        heartbeat=Heartbeat(SILENCE_NS_MAX, lambda _context: PING, PING_AFTER_NS),
        stages=stages,
        connect_costs=(Cost(CONNECT_BUCKET),),
        feed=feed,
    )


def _stage(number: int, arguments: Arguments) -> Stage:
    """The sign-in, and then a subscription each."""

    def say(context: Context, _heard: Heard) -> tuple[bytes, ...]:
        return (subscription(number, arguments[number - 1]) if number else login(context),)

    return Stage(say, lambda frame: _judge(frame, number, arguments))


def _judge(frame: bytes, stage: int, arguments: Arguments) -> Verdict:
    if frame == PONG:
        return DATA
    # Nearly all frames end here: a push is read by the processors, and not twice.
    if b'"event"' not in frame:  # what is pushed has none
        return DATA
    # What cannot be read is data here; the processors keep it as a dead letter.
    event = object_in(frame)
    name = event.get("event")
    judge = _JUDGES.get(name) if isinstance(name, str) else None
    return DATA if judge is None else judge(event, stage, arguments)


def _signed_in(event: Document, stage: int, _arguments: Arguments) -> Verdict:
    if event.get("code") != "0":
        return _refusal(event)
    # Only the first stage waits for the sign-in: a second ack would pass for a subscription's.
    return DATA if stage else Verdict(Turn.ADVANCE)


def _subscribed(event: Document, stage: int, arguments: Arguments) -> Verdict:
    argument = event.get("arg")
    if not isinstance(argument, dict) or not 1 <= stage <= len(arguments):
        return DATA
    is_ours = argument.get("channel") == arguments[stage - 1]["channel"]
    return Verdict(Turn.ADVANCE) if is_ours else DATA


def _failed(event: Document, stage: int, arguments: Arguments) -> Verdict:
    """While we greet, an error without another's id is about the greeting; later about requests."""
    # Once all is subscribed the stage is beyond the arguments: then it ends nothing.
    is_ours = event.get("id") in (None, subscription_id(stage))
    return _refusal(event) if is_ours and stage <= len(arguments) else DATA


def _crowded_out(event: Document, _stage: int, arguments: Arguments) -> Verdict:
    # It follows a good ack, and no push follows it: LIVE, the account would be blind unseen.
    named = [one["channel"] for one in arguments if one["channel"] == event.get("channel")]
    return Verdict(Turn.REFUSED, f"too many connections to {named[0] if named else 'a channel'}")


def _noticed(event: Document, _stage: int, _arguments: Arguments) -> Verdict:
    if event.get("code") != ENDING_CODE:
        return DATA
    # It still delivers until then: a successor first, and no blind interval.
    return Verdict(Turn.ENDING, "the venue will close this for a service upgrade")


_JUDGES: Final = {
    "login": _signed_in,
    "subscribe": _subscribed,
    "error": _failed,
    "channel-conn-count-error": _crowded_out,
    "notice": _noticed,
}


def _refusal(event: Document) -> Verdict:
    code = event.get("code")
    # A refusal waits a minute and longer: too long where
    # nothing is wrong with the key (decision 0512).
    is_passing = isinstance(code, str) and code in PASSING_CODES
    turn = Turn.RECONNECT if is_passing else Turn.REFUSED
    return Verdict(turn, f"refused: {said_code(code)}")
