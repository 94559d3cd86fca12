"""The most frequent frames of Binance as typed structs, as its manuals have them. Pure.

No other field may be in them: what is not here is not usual (`usual`).
"""

from typing import Literal

import msgspec


# gc=False: numbers and texts make no cycle, so the collector need not look at these.
class SpotReport(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`executionReport` of Spot, as the manual has it for a plain order."""

    e: Literal["executionReport"]
    E: int
    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    P: str
    F: str
    g: int
    C: str
    x: str
    X: str
    # Refused orders go the general way, which knows the reasons.
    r: Literal["NONE"]
    i: int
    l: str  # noqa: E741 - the venue's name
    z: str
    L: str
    n: str
    N: str | None
    T: int
    t: int
    I: int  # noqa: E741 - the venue's name
    w: bool
    m: bool
    M: bool
    O: int  # noqa: E741 - the venue's name
    Z: str
    Y: str
    Q: str
    W: int = 0
    V: str = ""


class SpotEnvelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What a subscription of the WebSocket API puts around an event of Spot."""

    event: SpotReport
    subscriptionId: int = 0  # noqa: N815 - the venue's name


class LinearReport(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Field `o` of `ORDER_TRADE_UPDATE`, as the manual has it for a plain order."""

    s: str
    c: str
    S: str
    o: str
    f: str
    q: str
    p: str
    ap: str
    sp: str
    x: str
    X: str
    i: int
    l: str  # noqa: E741 - the venue's name
    z: str
    T: int
    t: int
    m: bool
    R: bool
    wt: str
    ot: str
    ps: str
    cp: bool
    L: str | None = None
    n: str | None = None
    N: str | None = None
    b: str = "0"
    a: str = "0"
    rp: str = "0"
    pP: bool = False  # noqa: N815 - the venue's name
    si: int = 0
    ss: int = 0
    V: str = ""
    pm: str = ""
    gtd: int = 0
    er: str = ""


class LinearUpdate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`ORDER_TRADE_UPDATE` of USD-M."""

    e: Literal["ORDER_TRADE_UPDATE"]
    E: int
    T: int
    o: LinearReport


class LinearFill(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`TRADE_LITE` of USD-M: an execution, earlier than its report and without its fee."""

    e: Literal["TRADE_LITE"]
    E: int
    T: int
    s: str
    q: str
    p: str
    m: bool
    c: str
    S: str
    L: str
    l: str  # noqa: E741 - the venue's name
    t: int
    i: int


class SpotBalance(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One asset of `outboundAccountPosition`."""

    a: str
    f: str
    l: str  # noqa: E741 - the venue's name


class SpotBalances(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`outboundAccountPosition` of Spot."""

    e: Literal["outboundAccountPosition"]
    E: int
    u: int
    B: list[SpotBalance]


class BalancesEnvelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The same as a subscription of the WebSocket API sends it."""

    event: SpotBalances
    subscriptionId: int = 0  # noqa: N815 - the venue's name
