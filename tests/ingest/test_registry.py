"""What each change of the registry asks of the edge, and what is in force afterwards."""

from typing import Any

import pytest

from ingest.registry import Act, Change, Entry, compared, in_force, served
from orderloom.account import AccountConfig
from venues.venue import Credentials

PARTITIONS = 4
A, B = "toy:a", "toy:b"
OLD, NEW = Credentials("k1", "the first secret"), Credentials("k2", "the second secret")


def an_entry(
    account: str = A, key: Credentials | None = OLD, trouble: str = "", **fields: Any
) -> Entry:
    config = AccountConfig(id=account, **{"products": ("TOY",), "key": "file:k"} | fields)
    return Entry(config, key if config.enabled else None, trouble)


def entries(*given: Entry) -> dict[str, Entry]:
    return {entry.config.id: entry for entry in given}


class Told:
    """Registries one after the other, as the watch reads them."""

    def __init__(self, *given: Entry) -> None:
        self.held = entries(*given)

    def read(self, *given: Entry) -> list[Change]:
        found = entries(*given)
        changes = compared(self.held, found, PARTITIONS)
        self.held = in_force(self.held, found, changes)
        return [change for change in changes if change.line]

    def served(self) -> dict[str, Credentials | None]:
        return {entry.config.id: entry.credentials for entry in served(self.held)}


def acts(changes: list[Change]) -> list[tuple[str, Act]]:
    return [(change.account, change.act) for change in changes]


def test_the_same_registry_is_no_change() -> None:
    assert Told(an_entry(), an_entry(B)).read(an_entry(), an_entry(B)) == []


def test_an_account_that_is_added_opens_and_touches_no_other() -> None:
    told = Told(an_entry())
    assert acts(told.read(an_entry(), an_entry(B))) == [(B, Act.OPEN)]
    assert told.served() == {A: OLD, B: OLD}


@pytest.mark.parametrize(
    ("after", "reason"),
    [((an_entry(enabled=False),), "disabled"), ((), "removed")],
    ids=["disabled", "removed"],
)
def test_an_account_that_is_disabled_or_removed_closes_with_its_reason(
    after: tuple[Entry, ...], reason: str
) -> None:
    told = Told(an_entry(), an_entry(B))
    [change] = told.read(*after, an_entry(B))
    assert (change.account, change.act) == (A, Act.CLOSE)
    assert change.reason.startswith(f"{reason}: ")
    assert told.served() == {B: OLD}
    assert told.read(*after, an_entry(B)) == []


@pytest.mark.parametrize("between", [(an_entry(enabled=False),), ()], ids=["disabled", "removed"])
def test_an_account_that_comes_back_opens(between: tuple[Entry, ...]) -> None:
    told = Told(an_entry())
    told.read(*between)
    assert acts(told.read(an_entry(key=NEW))) == [(A, Act.OPEN)]
    assert told.served() == {A: NEW}


def test_another_key_renews_and_no_line_shows_a_secret() -> None:
    told = Told(an_entry(), an_entry(B))
    [change] = told.read(an_entry(key=NEW), an_entry(B))
    assert (change.account, change.act) == (A, Act.RENEW)
    assert told.served() == {A: NEW, B: OLD}
    for secret in (OLD.secret, NEW.secret):
        assert secret not in repr(change)


def test_a_key_that_cannot_be_read_any_more_stops_nothing() -> None:
    told = Told(an_entry())
    [change] = told.read(an_entry(key=None, trouble="k cannot be read"))
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert "last good key: k cannot be read" in change.line
    assert told.served() == {A: OLD}
    assert told.read(an_entry(key=None, trouble="k cannot be read"), an_entry(B))[0].account == B
    assert told.served() == {A: OLD, B: OLD}
    assert acts(told.read(an_entry(key=NEW), an_entry(B))) == [(A, Act.RENEW)]


def test_a_key_that_can_be_read_again_and_is_the_same_is_told_and_changes_nothing() -> None:
    told = Told(an_entry())
    told.read(an_entry(key=None, trouble="away"))
    [change] = told.read(an_entry())
    assert (change.act, change.is_trouble) == (Act.NOTHING, False)
    assert told.read(an_entry()) == []


def test_an_account_without_a_key_is_left_out_in_one_line_until_it_has_one() -> None:
    told = Told()
    [change] = told.read(an_entry(key=None, trouble="no file"))
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert told.read(an_entry(key=None, trouble="no file")) == []
    assert acts(told.read(an_entry())) == [(A, Act.OPEN)]


@pytest.mark.parametrize(
    "moved", [{"partition": 2}, {"partition": 1, "environment": "demo"}], ids=["place", "venue"]
)
def test_a_moved_account_is_refused_and_goes_on_as_it_was(moved: dict[str, Any]) -> None:
    told = Told(an_entry(partition=1))
    [change] = told.read(an_entry(key=NEW, **moved), an_entry(B))[:1]
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert "refused" in change.line
    assert told.served() == {A: OLD, B: OLD}
    assert acts(told.read(an_entry(partition=1, key=NEW), an_entry(B))) == [(A, Act.RENEW)]


def test_an_account_that_was_removed_does_not_come_back_elsewhere() -> None:
    told = Told(an_entry(partition=1))
    told.read()
    [change] = told.read(an_entry(partition=2))
    assert change.is_trouble
    assert told.served() == {}


@pytest.mark.parametrize("fields", [{"products": ("TOY", "TWO")}, {"ip_group": "second"}])
def test_other_products_or_another_way_out_begin_anew(fields: dict[str, Any]) -> None:
    told = Told(an_entry())
    assert acts(told.read(an_entry(**fields))) == [(A, Act.REOPEN)]


def test_other_symbols_are_none_of_the_edges_business() -> None:
    told = Told(an_entry())
    assert told.read(an_entry(symbols={"TOY": ("X",)})) == []
    assert told.held[A].config.symbols == {"TOY": ("X",)}


def test_an_account_may_change_while_it_is_disabled() -> None:
    told = Told(an_entry(enabled=False))
    assert told.read(an_entry(enabled=False, products=("TWO",))) == []
    assert acts(told.read(an_entry(products=("TWO",)))) == [(A, Act.OPEN)]
