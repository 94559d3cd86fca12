"""A third venue through the whole product, with its folder and a line in the register, no more.

Its workers are the product's own commands as processes; its books are what must come out.
"""

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from orderloom import topology
from orderloom.identity import adopted_order_key
from runtime.kafka import reader
from runtime.leash import leashed
from tests.conftest import RunningBroker
from tests.source_tree import ROOT
from tests.third_venue.server import MARKETS, DuskServer, running
from tests.waits import until

PARTITIONS = 2
WAIT_SECONDS = 90.0
KEYS = {"day": "secret-of-day", "night": "secret-of-night"}
STATES = {10: "ACTIVE", 20: "FILLED", 30: "CANCELED", 40: "EXPIRED"}
PRODUCTS = {"coins": "spot", "futures": "linear"}
SETTINGS = """
namespace = "{namespace}"
partitions = {partitions}
data_dir = "{directory}"
accounts_file = "{directory}/accounts.toml"
[kafka]
bootstrap = "{bootstrap}"
[venues.dusk]
rest = {{ spot = "http://{address}", linear = "http://{address}" }}
stream = {{ spot = "ws://{address}", linear = "ws://{address}" }}
reconcile_seconds = 2
"""
ACCOUNT = """
[[accounts]]
id = "dusk:{name}"
products = ["spot", "linear"]
key = "file:{key}"
partition = {partition}
"""
Contents = dict[str, dict[str, Any]]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


class Workers:
    """The product's processes, told by one settings file where the venue is."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def write_settings(self, bootstrap: str, namespace: str, address: str) -> None:
        accounts = []
        for number, (name, secret) in enumerate(KEYS.items()):
            key = self._directory / f"{name}.json"
            key.write_text(json.dumps({"key": name, "secret": secret}))
            key.chmod(0o600)
            accounts.append(ACCOUNT.format(name=name, key=key, partition=number % PARTITIONS))
        (self._directory / "accounts.toml").write_text("".join(accounts))
        settings = SETTINGS.format(
            namespace=namespace,
            partitions=PARTITIONS,
            directory=self._directory,
            bootstrap=bootstrap,
            address=address,
        )
        (self._directory / "orderloom.toml").write_text(settings)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """`orderloom ARGUMENTS`, where the venue is registered."""
        command = leashed([sys.executable, "-m", "tests.third_venue", *arguments])
        environment = os.environ | {"ORDERLOOM_CONFIG": str(self._directory / "orderloom.toml")}
        with (self._directory / f"{arguments[0]}.log").open("ab") as log:
            child = subprocess.Popen(command, cwd=ROOT, stderr=log, env=environment)
        self._running[arguments[0]] = child
        return child

    def run(self, *arguments: str) -> None:
        """`orderloom ARGUMENTS` to its end."""
        assert self.start(*arguments).wait(WAIT_SECONDS) == 0
        del self._running[arguments[0]]

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self._running[name].kill()
        self._running[name].wait()

    def check(self) -> None:
        """None of them fell."""
        assert not self.fallen(), self.fallen()

    def fallen(self) -> list[str]:
        """Those that ended by themselves."""
        return [name for name, child in self._running.items() if child.poll() is not None]

    def stop(self) -> None:
        for child in self._running.values():
            child.kill()
            child.wait()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    started = Workers(tmp_path)
    yield started
    started.stop()


def books_of(server: DuskServer) -> Contents:
    """What the venue's books say, in the form of `published`."""
    said: Contents = {"orders": {}, "fills": {}, "positions": {}}
    for name, books in server.books.items():
        account = f"dusk:{name}"
        for order in books.orders.values():
            product, filled = PRODUCTS[MARKETS[order.market][0]], Decimal(order.done)
            key = adopted_order_key(account, product, order.market, str(order.number))
            is_part = order.code == 10 and filled
            state = "PARTIALLY_FILLED" if is_part else STATES[order.code]
            said["orders"][key] = (state, filled, order.own or None)
        for _, number, order_number, _, market, side, price, lots, fee, *_ in books.deals:
            amounts = (Decimal(price), Decimal(lots), Decimal(fee), ("BUY", "SELL")[side - 1])
            said["fills"][f"{account}/{market}/{number}/{order_number}"] = amounts
        for market, lots in books.stakes.items():
            said["positions"][f"{account}/{market}"] = lots
    return without_flat(said)


def without_flat(said: Contents) -> Contents:
    """An order alone makes a position of ours, of nothing; the books begin one with a deal."""
    return said | {"positions": {key: lots for key, lots in said["positions"].items() if lots}}


def published(file: Path) -> Contents:
    """What the sink holds."""
    if not file.exists():
        return {}
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
        orders = db.execute("SELECT key, status, filled_quantity, client_order_id FROM orders")
        fills = db.execute(
            "SELECT account, symbol, exec_id, venue_order_id, price, quantity, fee, side FROM fills"
        )
        positions = db.execute("SELECT account, symbol, net FROM positions")
        said: Contents = {
            "orders": {key: (state, Decimal(done), own) for key, state, done, own in orders},
            "fills": {
                "/".join(row[:4]): (*map(Decimal, row[4:7]), row[7]) for row in fills.fetchall()
            },
            "positions": {f"{row[0]}/{row[1]}": Decimal(row[2]) for row in positions},
        }
        return without_flat(said)


def told_fills(bootstrap: str, namespace: str) -> Iterator[str]:
    """Each execution that `fills` tells as new, as often as it does."""
    name = topology.FILLS.name("dusk", namespace)
    with closing(reader(bootstrap, committed=True)) as consumer:
        consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
        ended = 0
        while ended < PARTITIONS:
            for message in consumer.consume(500, 1.0):
                ended += message.error() is not None
                fill = json.loads(message.value() or b"") if message.error() is None else {}
                if fill.get("kind") == "REAL":
                    yield f"{fill['account']}/{fill['execution_key']}"


async def test_its_orders_fills_and_positions_are_those_of_its_books(
    broker: RunningBroker, namespace: str, workers: Workers, tmp_path: Path, seed: int
) -> None:
    server, sink = DuskServer(KEYS, random.Random(seed)), tmp_path / "orderloom.sqlite"

    def is_told() -> bool:
        try:
            return published(sink) == books_of(server)
        except sqlite3.OperationalError:
            return False  # its tables are not made yet

    async with running(server):
        await server.trade(20)  # before anybody listened: only history tells of it
        workers.write_settings(broker.bootstrap, namespace, server.address)
        workers.run("topics")
        workers.start("ingest", "dusk", "--once")
        workers.start("process", "dusk", "--once")
        workers.start("sink", "sqlite", "--venue", "dusk")
        await until(is_told, WAIT_SECONDS, check=workers.check)
        server.lost_share, server.refuse_each = 0.15, 9
        for turn in range(6):
            await server.trade(15)
            if turn == 2:
                server.sockets.cut()
            if turn == 4:
                workers.kill("process")
                workers.start("process", "dusk", "--once")
            await asyncio.sleep(0.5)
        server.lost_share = 0.0
        await until(is_told, WAIT_SECONDS, check=workers.check)
        assert published(sink) == books_of(server)
    assert server.seen["lost deal"] > 5
    assert server.seen["cut"] == 4
    assert server.seen["lifeless"] == 0
    assert server.seen["beats"] > 5
    assert server.seen["pings"] > 5
    assert server.seen["429"] > 0
    assert server.seen["packed"] > 20
    told = Counter(told_fills(broker.bootstrap, namespace))
    assert len(told) == len(books_of(server)["fills"]) > 100
    assert set(told.values()) == {1}, "an execution was told twice"
