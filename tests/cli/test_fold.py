"""`fold`: the lines that it writes, dead letters, and states that are saved and loaded."""

import io
import resource
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.fold import run
from cli.instruments import Instruments
from orderloom.event import Event, Execution, InstrumentReport, OrderReport
from orderloom.quantities import Unit
from venues import VENUES
from venues.venue import Inbound, Translation, Venue

BINANCE = VENUES["binance"]
KEY = "binance:main/spot/SOLUSDT/7700123"
REPORT: dict[str, Any] = {
    "e": "executionReport", "E": 1793000001005, "s": "SOLUSDT", "c": "osp-000017", "S": "BUY",
    "o": "LIMIT", "f": "GTC", "q": "4.000", "p": "150.00", "P": "0.00", "F": "0.000", "g": -1,
    "C": "", "x": "NEW", "X": "NEW", "r": "NONE", "i": 7700123, "l": "0.000", "z": "0.000",
    "L": "0.00", "n": "0", "N": None, "T": 1793000001004, "t": -1, "I": 15501001, "w": True,
    "m": False, "M": False, "O": 1793000001004, "Z": "0.00", "Y": "0.00", "Q": "0.00",
    "V": "EXPIRE_MAKER",
}  # fmt: skip
TRADE: dict[str, Any] = REPORT | {
    "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "1.500", "z": "1.500", "L": "150.00",
    "n": "0.00150000", "N": "SOL", "T": 1793000002204, "t": 88120045, "I": 15501077, "m": True,
    "Z": "225.00", "Y": "225.00",
}  # fmt: skip


def a_line(raw: Any, **fields: Any) -> dict[str, Any]:
    return {"ref": 1, "product": "spot", "source": "stream", "raw": raw, **fields}


def fold(
    *lines: dict[str, Any] | bytes, venue: Venue = BINANCE, **states: Path
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The output lines and the dead letters."""
    texts = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    stdout, stderr = io.BytesIO(), io.BytesIO()
    stdin = io.BytesIO(b"".join(text + b"\n" for text in texts))
    assert run(venue, stdin, stdout, stderr, **states) == 0
    return (
        [orjson.loads(line) for line in stdout.getvalue().splitlines()],
        [orjson.loads(line) for line in stderr.getvalue().splitlines()],
    )


def test_an_order_with_its_execution_is_one_line_and_the_digest_another() -> None:
    (order, digest), dead = fold(a_line(REPORT), a_line(TRADE))
    fill = {
        "exec_id": "88120045", "last_price": "150", "last_quantity": "1.5", "fee": "0.0015",
        "fee_currency": "SOL", "liquidity": "MAKER", "venue_ns": 1793000002204000000,
    }  # fmt: skip
    assert order == {
        "order_key": KEY, "product": "spot", "symbol": "SOLUSDT", "venue_order_id": "7700123",
        "client_order_id": "osp-000017", "side": "BUY", "status": "PARTIALLY_FILLED",
        "reason": None, "disputed": False, "quantity": "4", "filled_quantity": "1.5",
        "provisional_quantity": "0", "average_price": "150", "fills": [fill],
    }  # fmt: skip
    assert list(digest) == ["digest"]
    assert dead == []


def test_orders_are_sorted_by_their_key_as_text() -> None:
    lines = [a_line(REPORT | {"i": number}) for number in (9, 10, 200)]
    *orders, _ = fold(*lines)[0]
    assert [order["order_key"].split("/")[-1] for order in orders] == ["10", "200", "9"]


def test_the_digest_knows_nothing_of_arrival_repetition_or_ref() -> None:
    report, trade = a_line(REPORT, ref="a"), a_line(TRADE, ref=[2])
    assert fold(report, trade) == fold(trade, report, trade, a_line(REPORT, ref={"x": 1}))


def test_the_digest_changes_with_what_is_on_the_lines() -> None:
    assert fold(a_line(REPORT))[0][-1] != fold(a_line(TRADE))[0][-1]


def test_what_has_no_execution_yet_is_provisional_at_once() -> None:
    claimed = a_line(TRADE | {"t": -1})
    assert fold(claimed)[0][0]["provisional_quantity"] == "1.5"


KRAKEN = VENUES["kraken"]
KRAKEN_ID = "OQ7K2A-4ZC3X-77PLMN"
PAIRS = a_line(
    {
        "error": [],
        "result": {"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1}},
    },
    source="rest",
)


def a_kraken_row(pair: str) -> dict[str, Any]:
    row = {
        "status": "closed", "descr": {"pair": pair, "type": "sell", "ordertype": "limit"},
        "vol": "0.5", "vol_exec": "0.5", "opentm": 1793000001.0001, "closetm": 1793000006.0001,
    }  # fmt: skip
    return a_line({"error": [], "result": {KRAKEN_ID: row}}, source="rest")


def a_kraken_fill(pair: str) -> dict[str, Any]:
    trade = {
        "ordertxid": KRAKEN_ID, "pair": pair, "time": 1793000006.0001, "type": "sell",
        "price": "60000.0", "vol": "0.5", "fee": "9.0", "cost": "30000.0", "ordertype": "limit",
        "maker": True, "trade_id": 77,
    }  # fmt: skip
    result = {"trades": {"TQ7K2A-4ZC3X-77PLMN": trade}, "count": 1}
    return a_line({"error": [], "result": result}, source="rest")


def test_answers_name_a_market_otherwise_and_mean_the_order_that_the_stream_names(
    tmp_path: Path,
) -> None:
    lines = [PAIRS, a_kraken_row("XBTUSD"), a_kraken_fill("XXBTZUSD")]
    (shown, digest), dead = fold(*lines, venue=KRAKEN)
    assert (shown["symbol"], shown["status"], dead) == ("BTC/USD", "FILLED", [])
    assert [fill["last_quantity"] for fill in shown["fills"]] == ["0.5"]
    for arrived in permutations(lines):  # names may come last, and in another run
        assert fold(*arrived, *arrived[:2], venue=KRAKEN)[0] == [shown, digest]
        for at in (1, 2):
            fold(*arrived[:at], venue=KRAKEN, state_out=tmp_path / "state")
            again = fold(*arrived[at:], venue=KRAKEN, state_in=tmp_path / "state")
            assert again[0] == [shown, digest]


def test_of_names_that_no_list_explains_the_least_is_shown_whatever_came_first() -> None:
    lines = [a_kraken_row("XXBTZUSD"), a_kraken_fill("XBTUSD")]
    (shown, digest), _ = fold(*lines, venue=KRAKEN)
    assert shown["symbol"] == "XBTUSD"
    assert fold(*reversed(lines), venue=KRAKEN)[0] == [shown, digest]


def test_a_name_that_lists_give_to_two_markets_is_of_one_whatever_came_first() -> None:
    other = deepcopy(PAIRS)
    other["raw"]["result"]["XXBTZUSD"]["wsname"] = "XBT/EUR"
    lines = [PAIRS, other, a_kraken_row("XBTUSD")]
    assert len({str(fold(*arrived, venue=KRAKEN)) for arrived in permutations(lines)}) == 1


def test_what_is_held_for_its_name_is_saved_once_whatever_came_first(tmp_path: Path) -> None:
    lines = [a_kraken_row("XBTUSD"), a_kraken_fill("XXBTZUSD")]
    one, other = tmp_path / "one", tmp_path / "other"
    fold(*lines, venue=KRAKEN, state_out=one)
    fold(*reversed(lines), *lines, venue=KRAKEN, state_out=other)
    assert one.read_bytes() == other.read_bytes()


def test_lines_without_account_belong_to_the_venues_main_account() -> None:
    *orders, _ = fold(a_line(REPORT), a_line(REPORT, account="binance:other"))[0]
    keys = [order["order_key"] for order in orders]
    assert keys == [KEY, KEY.replace("main", "other")]


def test_dead_letters_go_to_stderr_and_the_rest_is_folded() -> None:
    orders, dead = fold(b"{oops", b"\xff", a_line({"e": "whatever"}, ref=7), a_line(REPORT))
    assert [letter["ref"] for letter in dead] == [None, None, 7]
    assert all(letter["dead_letter"] for letter in dead)
    assert orders[0]["order_key"] == KEY


def test_a_refusal_makes_no_order() -> None:
    refusal = {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    lines, dead = fold(a_line(refusal, source="rest", channel="POST order"))
    assert (len(lines), dead) == (1, [])


def test_no_input_gives_the_digest_of_nothing() -> None:
    assert [list(line) for line in fold()[0]] == [["digest"]]


def test_a_history_cut_into_two_runs_gives_the_same(tmp_path: Path) -> None:
    state = tmp_path / "state"
    fold(a_line(TRADE), state_out=state)
    assert fold(a_line(REPORT), state_in=state) == fold(a_line(REPORT), a_line(TRADE))


HEAD = b'{"format":1,"venue":"binance"'


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{}", b'{"format":9,"venue":"binance"}', b'{"format":1,"venue":"okx"}',
        HEAD + b',"accounts":[],"instruments":[]}',
        HEAD + b',"accounts":{"binance:main":[7]},"instruments":[]}',
        HEAD + b',"accounts":{"binance:main":[{"key":7}]},"instruments":[]}',
        HEAD + b',"accounts":{"binance:main":[{"key":"a#b"}]},"instruments":[]}',
        HEAD + b',"accounts":{},"instruments":[["spot","X",1,false,"ten"]]}',
        HEAD + b',"accounts":{},"instruments":[],"held":[{"account":"binance:main"}]}',
        HEAD + b',"accounts":{},"instruments":[],"held":[{"account":"a","source":"query",'
        b'"received_ns":null,"asked_ns":null}]}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_used_is_named_and_nothing_is_folded(
    tmp_path: Path, text: bytes
) -> None:
    state = tmp_path / "state"
    state.write_bytes(text)
    stdout, stderr = io.BytesIO(), io.BytesIO()
    status = run(BINANCE, io.BytesIO(), stdout, stderr, state_in=state)
    assert (status, stdout.getvalue()) == (2, b"")
    assert stderr.getvalue().startswith(b"--state-in")


def test_a_state_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    stderr, state = io.BytesIO(), tmp_path / "nope.state"
    assert run(BINANCE, io.BytesIO(), io.BytesIO(), stderr, state_in=state) == 2
    assert stderr.getvalue().decode() == f"--state-in {state}: No such file or directory\n"


def test_a_state_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    stderr = io.BytesIO()
    missing = tmp_path / "nowhere" / "state"
    assert run(BINANCE, io.BytesIO(), io.BytesIO(), stderr, state_out=missing) == 2
    assert stderr.getvalue().startswith(b"--state-out")


class Gone(io.BytesIO):
    """A reader of the output who has seen enough."""

    def write(self, _data: object) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_the_state_is_written_though_nobody_reads_the_output(tmp_path: Path) -> None:
    stdin, state = io.BytesIO(orjson.dumps(a_line(REPORT))), tmp_path / "state"
    with pytest.raises(BrokenPipeError):
        run(BINANCE, stdin, Gone(), io.BytesIO(), state_out=state)
    assert fold(state_in=state) == fold(a_line(REPORT))


def test_a_state_that_cannot_be_written_whole_leaves_the_former_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    fold(a_line(REPORT), state_out=state)
    before, (soft, hard) = state.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    stderr = io.BytesIO()
    lines = io.BytesIO(orjson.dumps(a_line(TRADE)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))  # as a disk that is full
    try:
        status = run(BINANCE, lines, io.BytesIO(), stderr, state_in=state, state_out=state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status == 2
    assert stderr.getvalue().startswith(b"--state-out")
    assert state.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_state_may_go_to_what_is_no_plain_file() -> None:
    assert fold(a_line(REPORT), state_out=Path("/dev/null")) == fold(a_line(REPORT))


CONTRACT = InstrumentReport(
    product="linear", symbol="BTC-USDT", contract_size=Decimal("0.01"), venue_ns=1
)


def in_contracts(inbound: Inbound) -> Translation:
    """A venue that counts contracts: Binance's words, and one instrument."""
    if inbound.document == {}:
        return Translation((replace(CONTRACT, product="spot", symbol="SOLUSDT"),))
    return Translation(tuple(map(counted, BINANCE.translate(inbound).events)))


def counted(event: Event) -> Event:
    """An event whose quantities are contracts."""
    assert isinstance(event, OrderReport | Execution)
    return replace(event, quantity_unit=Unit.CONTRACTS)


def test_contracts_become_base_units_where_the_instrument_is_known() -> None:
    venue = replace(BINANCE, translate=in_contracts)
    (unknown, _), _ = fold(a_line(TRADE), venue=venue)
    assert (unknown["quantity"], unknown["quantity_unit"]) == ("4", "contracts")
    (known, _), _ = fold(a_line(TRADE), a_line({}), venue=venue)
    assert (known["quantity"], known["filled_quantity"]) == ("0.04", "0.015")
    assert known["fills"][0]["last_quantity"] == "0.015"
    assert "quantity_unit" not in known


def test_of_several_reports_about_an_instrument_the_latest_by_venue_time_counts() -> None:
    newer = replace(CONTRACT, contract_size=Decimal(1), venue_ns=2)
    for reports in ((CONTRACT, newer), (newer, CONTRACT)):
        instruments = Instruments()
        for report in reports:
            instruments.take(report)
        assert instruments.to_base("linear", "BTC-USDT", Unit.CONTRACTS) == (Decimal(1), Unit.BASE)


def test_inverse_contracts_stay_contracts_also_after_a_restart() -> None:
    instruments, again = Instruments(), Instruments()
    instruments.take(replace(CONTRACT, is_inverse=True))
    again.load(orjson.loads(orjson.dumps(instruments.dump())))
    assert again.to_base("linear", "BTC-USDT", Unit.CONTRACTS) == (Decimal(1), Unit.CONTRACTS)


def test_numbers_keep_all_their_digits() -> None:
    many = "123456789." + "3" * 30
    ((order, _), _) = fold(a_line(TRADE | {"q": many, "z": many, "l": many}))
    assert order["quantity"] == order["fills"][0]["last_quantity"] == many
    assert order["status"] == "FILLED"
