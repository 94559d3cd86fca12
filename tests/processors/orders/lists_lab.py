"""Two partitions fed the same: one knows rows again, one joins every row. And what a venue does.

Each step is folded by both, and what they publish must be the same, to the last byte.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from bench.plain_account import BALANCES, NOW_NS, PlainAccount, a_word_of_the_edge
from orderloom import topology
from orderloom.question import About
from orderloom.raw import Answer, ClockSample, Failure, Item, RawRecord, encode
from processors.account.account import AccountFold
from processors.answers import Answers, OpenPage
from processors.ledger.step import InputRecord
from processors.partition import PartitionFold
from venues import VENUES

SECOND_NS = 1_000_000_000
SYMBOL = "BTCUSDT"


class JoiningAnswers(Answers):
    """Takes every page whole."""

    def open_page(self, state: AccountFold, item: Answer, asked_ns: int | None) -> OpenPage | None:
        del state, item, asked_ns
        return None


class JoiningFold(PartitionFold):
    """The same partition without decision 0016."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.answers = JoiningAnswers(VENUES[self.venue], self.instruments, self._count)


class Kept:
    """One of the partitions, with its state records."""

    def __init__(self, fold: type[PartitionFold]) -> None:
        self.fold = fold
        self.partition = fold(VENUES["binance"], 0)
        self.state: dict[bytes, bytes] = {}
        self.rows_again = 0

    def step(self, record: InputRecord | None, now_ns: int) -> list[tuple[Any, ...]]:
        """One step; what it published, and what the orders mean now."""
        if record is not None:
            self.partition.fold(record, now_ns)
        self.partition.tick(now_ns)
        changes = self.partition.changes()
        changes.bring_up_to_date(self.state)
        outputs = [(one.topic.kind, one.key, one.value, one.headers) for one in changes.outputs]
        return [*outputs, ("content", changes.content_digest)]

    def restart(self) -> None:
        """Throw the memory away, and restore it from the state records."""
        before = self.partition.exact_digest
        self.partition = self.fold(VENUES["binance"], 0)
        for key, value in self.state.items():
            self.partition.restore(key, value)
        assert self.partition.exact_digest == before
        self.partition.due_ns()  # what is put together from several records is put together now

    def evidence(self, account: str) -> dict[str, Any]:
        """The complete state of all orders, once what lists said of them is joined."""
        orders = self.partition.account(account).orders
        for order in list(orders.all()):
            orders.spoken_of(order.key)
        found: dict[str, Any] = {key: orders.dump_order(key) for key in orders.state_keys()}
        return found


class ListsLab:
    """One account at a venue that does what it is told."""

    def __init__(self) -> None:
        self.account = PlainAccount()
        self.now_ns = NOW_NS
        self.knows, self.joins = Kept(PartitionFold), Kept(JoiningFold)
        self.asked: list[dict[str, Any]] = []
        self.reports: dict[int, dict[str, Any]] = {}
        """The last report of each order: what its rows say."""
        self.trades: list[dict[str, Any]] = []
        self.has_clock = True
        self.feed(self.account.greeting())
        self.say_alive()

    def feed(self, record: InputRecord | None) -> None:
        """Fold one record into both; the questions that came of it are asked."""
        known, joined = (one.step(record, self.now_ns) for one in (self.knows, self.joins))
        assert known == joined
        for kind, _, value, _ in known[:-1]:
            if kind == topology.DISPATCHES.kind:
                self.asked.append(orjson.loads(value)["question"])

    def say_alive(self) -> None:
        """The edge hears its connections, and knows the venue's clock, or not."""
        if self.has_clock:
            self.feed(a_word_of_the_edge(self.now_ns))
        else:
            wrong = ClockSample("spot", self.now_ns * 2, self.now_ns, self.now_ns)
            key = topology.PARTITION_KEY
            value = encode(RawRecord(key.decode(), 1, "bench", (wrong,)))
            self.feed(InputRecord(topology.RAW, 0, 0, self.now_ns, key, value))

    def restart(self) -> None:
        for one in (self.knows, self.joins):
            one.restart()

    # ---- what happens at the venue

    def happen(self, report: dict[str, Any], order: int, *, is_heard: bool) -> None:
        """Something happens to an order; the stream says it, or loses it."""
        at_ms = self.now_ns // 1_000_000
        report |= {"T": at_ms, "E": at_ms}
        former = self.reports.get(order)
        if former is not None and report["x"] == "CANCELED":
            report |= {name: former[name] for name in ("z", "Z", "p")}
        elif former is not None:
            report["p"] = report["p"] if report["x"] == "REPLACED" else former["p"]
            if report["x"] == "REPLACED":
                report |= {"z": former["z"], "Z": former["Z"], "X": former["X"], "C": report["c"]}
        self.reports[order] = report
        if report["x"] == "TRADE":
            self.trades.append(report)
        if is_heard:
            self.feed(self.account.pushed([report]))

    def place(self, order: int, *, is_heard: bool = True) -> None:
        if order not in self.reports:
            self.happen(self.account.placed(order), order, is_heard=is_heard)

    def execute(self, order: int, *, is_heard: bool = True) -> None:
        if self.is_open(order):
            self.happen(self.account.executed(order), order, is_heard=is_heard)

    def cancel(self, order: int, *, is_heard: bool = True) -> None:
        if self.is_open(order):
            self.happen(self.account.canceled(order), order, is_heard=is_heard)

    def amend(self, order: int, price: int, *, is_heard: bool = True) -> None:
        if self.is_open(order):
            report = self.account.placed(order) | {"x": "REPLACED", "p": f"{price}.00000000"}
            self.happen(report, order, is_heard=is_heard)

    def is_open(self, order: int) -> bool:
        return order in self.reports and self.reports[order]["X"] != "CANCELED"

    # ---- what it answers

    def rows(self, *, is_open: bool) -> list[dict[str, Any]]:
        """The list as it is now."""
        orders = [one for one in self.reports if not is_open or self.is_open(one)]
        return [row_of(self.reports[order]) for order in orders]

    def page(
        self, question: dict[str, Any], rows: list[Any], place: tuple[int, bool], asked_ns: int
    ) -> None:
        number, is_last = place
        times = (asked_ns, self.now_ns, self.now_ns)
        body = orjson.dumps(rows)
        item = Answer(question, "rest", number, is_last, 200, *times, body)
        self.feed(self.account.record(item))

    def fail(self, question: dict[str, Any], *, status: int | None = None) -> None:
        """The venue does not answer, or does not know the order."""
        item: Item = Failure(question, "timeout", self.now_ns, self.now_ns)
        if status is not None:
            body = b'{"code":-2013,"msg":"Order does not exist."}'
            times = (self.now_ns, self.now_ns, self.now_ns)
            item = Answer(question, "rest", 1, True, status, *times, body)
        self.feed(self.account.record(item))

    def answer_others(self) -> None:
        """All questions but for lists of open orders, each on one page."""
        for question in self.take_asked(lambda one: one["about"] != About.OPEN_ORDERS):
            about = question["about"]
            if about == About.ORDER:
                mine = [row for row in self.rows(is_open=False) if is_about(row, question)]
                if not mine:
                    self.fail(question, status=400)
                    continue
                self.page(question, mine[:1], (1, True), self.now_ns)
            elif about == About.BALANCES:
                times = (self.now_ns, self.now_ns, self.now_ns)
                body = orjson.dumps(BALANCES)
                item = Answer(question, "rest", 1, True, 200, *times, body)
                self.feed(self.account.record(item))
            else:
                is_trades = about == About.TRADES
                found = map(trade_of, self.trades) if is_trades else self.rows(is_open=False)
                rows = [row for row in found if is_about(row, question)]
                self.page(question, rows, (1, True), self.now_ns)

    def take_asked(self, condition: Any) -> list[dict[str, Any]]:
        found = [one for one in self.asked if condition(one)]
        self.asked = [one for one in self.asked if not condition(one)]
        return found

    def lists_asked(self) -> Iterator[dict[str, Any]]:
        yield from self.take_asked(lambda one: one["about"] == About.OPEN_ORDERS)

    def wait(self, seconds: float) -> None:
        """Time passes; what is due is asked."""
        self.now_ns += int(seconds * SECOND_NS)
        self.say_alive()
        self.feed(None)

    def cycle(self, page_rows: int = 1_000) -> None:
        """A whole cycle, at once."""
        self.wait(31)
        for question in list(self.lists_asked()):
            for rows, place in paged(self.rows(is_open=True), page_rows):
                self.page(question, rows, place, self.now_ns)
        self.answer_others()

    def kept(self) -> int:
        """How many rows are known again."""
        lists = self.knows.partition.account(self.account.name).orders.lists
        return len(lists.listed_since(0))


def paged(rows: list[Any], page_rows: int) -> Iterator[tuple[list[Any], tuple[int, bool]]]:
    """A list on pages; number, and whether it is the last."""
    pages = [rows[at : at + page_rows] for at in range(0, len(rows), page_rows)] or [[]]
    for number, page in enumerate(pages, 1):
        yield page, (number, number == len(pages))


def row_of(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": report["s"], "orderId": report["i"], "orderListId": -1,
        "clientOrderId": report["C"] or report["c"], "price": report["p"], "origQty": report["q"],
        "executedQty": report["z"], "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": report["Z"], "status": report["X"], "timeInForce": "GTC",
        "type": "LIMIT", "side": "BUY", "stopPrice": "0.00000000", "icebergQty": "0.00000000",
        "time": report["O"], "updateTime": report["T"], "isWorking": True,
        "workingTime": report["O"], "selfTradePreventionMode": "NONE",
    }  # fmt: skip


def trade_of(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "symbol": report["s"], "id": report["t"], "orderId": report["i"], "orderListId": -1,
        "price": report["L"], "qty": report["l"], "quoteQty": report["Y"],
        "commission": report["n"], "commissionAsset": report["N"], "time": report["T"],
        "isBuyer": True, "isMaker": True, "isBestMatch": True,
    }  # fmt: skip


def is_about(row: dict[str, Any], question: dict[str, Any]) -> bool:
    """Whether a row is within what was asked for."""
    wanted = question.get("venue_order_id")
    if wanted is not None and str(row["orderId"]) != wanted:
        return False
    at_ns = row.get("updateTime", row["time"]) * 1_000_000
    since_ns, until_ns = question.get("since_ns") or 0, question.get("until_ns")
    return since_ns <= at_ns and (until_ns is None or at_ns <= until_ns)
