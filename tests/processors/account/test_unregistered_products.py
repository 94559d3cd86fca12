"""A product that the registry does not name is looked at, and blind, from its first fact on."""

from typing import Any

import orjson
import pytest

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.raw import ConnectionChange
from tests.processors.account.test_reconciled_venue import rest
from tests.processors.okx_lab import OkxLab
from tests.processors.partition_lab import a_record


class PartlyRegisteredLab(OkxLab):
    """The registry names `registered`; the account's connections carry those by their own word."""

    registered: tuple[str, ...] = ("linear",)

    def connections(self, change: str) -> list[ConnectionChange]:
        first, *others = self.registered
        return [
            ConnectionChange(feed, first, change, self.now_ns, others=list(others), feed=feed)
            for feed in self.feeds
        ]

    def register(self, *products: str) -> None:
        self.registered = products
        self.feeds = dict.fromkeys(self.feeds, products[0])  # type: ignore[misc]  # of this lab
        entry = AccountConfig(id=self.name, products=products, key="env:KEY", partition=0)
        document = {"type": "account", "config": entry.model_dump(mode="json")}
        record = a_record(orjson.dumps(document), topic=topology.CONTROL, key=self.name)
        self.answer(self.run.step(record, self.now_ns))

    def connect(self) -> None:
        self.register(*self.registered)
        self.sample()
        self.reconnect()

    def shown(self) -> Any:
        """The account's last record."""
        return list(self.run.messages(topology.ACCOUNTS))[-1]

    def unbounded(self) -> dict[str, bool]:
        """Of each position's last record, by product."""
        return {one.product: one.unbounded for one in self.run.messages(topology.POSITIONS)}


def lived(lab: PartlyRegisteredLab, *registered: str, steps: int = 60) -> PartlyRegisteredLab:
    """An outage in which all products are traded."""
    lab.registered = registered
    lab.connect()
    lab.trade(steps // 2)
    lab.disconnect()
    lab.trade(steps)
    lab.reconnect()
    rest(lab, steps)
    return lab


@pytest.mark.parametrize("registered", [("linear",), ("linear", "inverse")])
def test_a_product_that_no_connection_promises_is_asked_about_and_never_bounded(
    registered: tuple[str, ...],
) -> None:
    lab = lived(PartlyRegisteredLab(3), *registered)
    assert not lab.wrong()
    assert not lab.is_synced()
    assert lab.shown().sync == "CATCHING_UP"
    assert lab.unbounded() == {
        product: product not in registered for product in ("spot", "linear", "inverse")
    }
    shown = [one for one in lab.run.messages(topology.ORDERS) if one.product not in registered]
    assert {one.stale for one in shown} == {True}


def test_once_the_registry_names_it_and_its_stream_lives_the_account_is_in_sync() -> None:
    lab = lived(PartlyRegisteredLab(3), "linear")
    lab.register(*lab.products)
    lab.disconnect()
    lab.reconnect()
    lab.wait_until(lab.is_synced)
    lab.trade(40)
    rest(lab)
    assert not lab.wrong()
    assert not any(lab.unbounded().values())
    assert lab.shown().sync == "SYNCED"


def test_restarts_change_nothing_of_a_product_that_the_registry_does_not_name() -> None:
    calm = lived(PartlyRegisteredLab(2), "linear", steps=30)
    assert {one.product for one in calm.run.messages(topology.FILLS)} == set(calm.products)
    restarted = PartlyRegisteredLab(2, before_each=lambda lab: lab.restart())
    killed = lived(restarted, "linear", steps=30)
    assert killed.run.digests == calm.run.digests
    assert [one.value for one in killed.run.outputs] == [one.value for one in calm.run.outputs]
