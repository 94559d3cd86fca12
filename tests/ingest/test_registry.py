"""What each change of the registry asks of the edge, and what is in force afterwards."""

from typing import Any

import pytest

from ingest.registry import Act, Change, Entry, Places, at_home, compared, in_force, served
from orderloom.account import AccountConfig, Home
from venues.request import Credentials

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


class Watched:
    """Registries one after the other, as the watch reads them."""

    def __init__(self, *given: Entry, homes: dict[str, Home] | None = None) -> None:
        self.places = Places(PARTITIONS, homes or {})
        self.held = {name: at_home(one, self.places) for name, one in entries(*given).items()}

    def read(self, *given: Entry) -> list[Change]:
        found = entries(*given)
        changes = compared(self.held, found, self.places)
        self.held = in_force(self.held, found, changes)
        return [change for change in changes if change.line]

    def served(self) -> dict[str, Credentials | None]:
        return {entry.config.id: entry.credentials for entry in served(self.held)}


def acts(changes: list[Change]) -> list[tuple[str, Act]]:
    return [(change.account, change.act) for change in changes]


def test_the_same_registry_is_no_change() -> None:
    assert Watched(an_entry(), an_entry(B)).read(an_entry(), an_entry(B)) == []


def test_an_account_that_is_added_opens_and_touches_no_other() -> None:
    watched = Watched(an_entry())
    assert acts(watched.read(an_entry(), an_entry(B))) == [(B, Act.OPEN)]
    assert watched.served() == {A: OLD, B: OLD}


@pytest.mark.parametrize(
    ("after", "reason"),
    [((an_entry(enabled=False),), "disabled"), ((), "removed")],
    ids=["disabled", "removed"],
)
def test_an_account_that_is_disabled_or_removed_closes_with_its_reason(
    after: tuple[Entry, ...], reason: str
) -> None:
    watched = Watched(an_entry(), an_entry(B))
    [change] = watched.read(*after, an_entry(B))
    assert (change.account, change.act) == (A, Act.CLOSE)
    assert change.reason.startswith(f"{reason}: ")
    assert watched.served() == {B: OLD}
    assert watched.read(*after, an_entry(B)) == []


@pytest.mark.parametrize("between", [(an_entry(enabled=False),), ()], ids=["disabled", "removed"])
def test_an_account_that_comes_back_opens(between: tuple[Entry, ...]) -> None:
    watched = Watched(an_entry())
    watched.read(*between)
    assert acts(watched.read(an_entry(key=NEW))) == [(A, Act.OPEN)]
    assert watched.served() == {A: NEW}


def test_another_key_renews_and_no_line_shows_a_secret() -> None:
    watched = Watched(an_entry(), an_entry(B))
    [change] = watched.read(an_entry(key=NEW), an_entry(B))
    assert (change.account, change.act) == (A, Act.RENEW)
    assert watched.served() == {A: NEW, B: OLD}
    for secret in (OLD.secret, NEW.secret):
        assert secret not in repr(change)


def test_a_key_that_cannot_be_read_any_more_stops_nothing() -> None:
    watched = Watched(an_entry())
    [change] = watched.read(an_entry(key=None, trouble="k cannot be read"))
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert "last good key: k cannot be read" in change.line
    assert watched.served() == {A: OLD}
    assert watched.read(an_entry(key=None, trouble="k cannot be read"), an_entry(B))[0].account == B
    assert watched.served() == {A: OLD, B: OLD}
    assert acts(watched.read(an_entry(key=NEW), an_entry(B))) == [(A, Act.RENEW)]


def test_a_key_that_can_be_read_again_and_is_the_same_is_logged_and_changes_nothing() -> None:
    watched = Watched(an_entry())
    watched.read(an_entry(key=None, trouble="away"))
    [change] = watched.read(an_entry())
    assert (change.act, change.is_trouble) == (Act.NOTHING, False)
    assert watched.read(an_entry()) == []


def test_an_account_without_a_key_is_left_out_in_one_line_until_it_has_one() -> None:
    watched = Watched()
    [change] = watched.read(an_entry(key=None, trouble="no file"))
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert watched.read(an_entry(key=None, trouble="no file")) == []
    assert acts(watched.read(an_entry())) == [(A, Act.OPEN)]


@pytest.mark.parametrize(
    "moved", [{"partition": 2}, {"partition": 1, "environment": "demo"}], ids=["place", "venue"]
)
def test_a_moved_account_is_refused_and_goes_on_as_it_was(moved: dict[str, Any]) -> None:
    watched = Watched(an_entry(partition=1))
    [change] = watched.read(an_entry(key=NEW, **moved), an_entry(B))[:1]
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert "refused" in change.line
    assert watched.served() == {A: OLD, B: OLD}
    assert acts(watched.read(an_entry(partition=1, key=NEW), an_entry(B))) == [(A, Act.RENEW)]


def test_an_account_that_was_removed_does_not_come_back_elsewhere() -> None:
    watched = Watched(an_entry(partition=1))
    watched.read()
    [change] = watched.read(an_entry(partition=2))
    assert change.is_trouble
    assert watched.served() == {}


AT_HOME = {A: Home(1, "production")}


@pytest.mark.parametrize(
    "moved", [{"partition": 2}, {"partition": 1, "environment": "demo"}], ids=["place", "venue"]
)
def test_an_account_that_moved_before_the_start_is_not_served_until_it_is_back(
    moved: dict[str, Any],
) -> None:
    watched = Watched(an_entry(**moved), an_entry(B), homes=AT_HOME)
    assert watched.served() == {B: OLD}
    assert "refused" in watched.held[A].trouble
    assert watched.read(an_entry(key=NEW, **moved), an_entry(B)) == []
    assert watched.served() == {B: OLD}
    assert acts(watched.read(an_entry(partition=1, key=NEW), an_entry(B))) == [(A, Act.OPEN)]
    assert watched.served() == {A: NEW, B: OLD}


def test_an_account_that_control_names_is_not_added_elsewhere() -> None:
    watched = Watched(homes=AT_HOME)
    [change] = watched.read(an_entry(partition=2))
    assert (change.act, change.is_trouble) == (Act.NOTHING, True)
    assert "lies in partition 1" in change.line
    assert watched.served() == {}
    assert watched.read() != []
    assert acts(watched.read(an_entry(partition=1))) == [(A, Act.OPEN)]


def test_an_account_that_control_does_not_name_is_served_where_it_is_found() -> None:
    assert Watched(an_entry(B, partition=3), homes=AT_HOME).served() == {B: OLD}


@pytest.mark.parametrize("fields", [{"products": ("TOY", "TWO")}, {"ip_group": "second"}])
def test_other_products_or_another_way_out_begin_anew(fields: dict[str, Any]) -> None:
    watched = Watched(an_entry())
    assert acts(watched.read(an_entry(**fields))) == [(A, Act.REOPEN)]


def test_other_symbols_are_none_of_the_edges_business() -> None:
    watched = Watched(an_entry())
    assert watched.read(an_entry(symbols={"TOY": ("X",)})) == []
    assert watched.held[A].config.symbols == {"TOY": ("X",)}


def test_an_account_may_change_while_it_is_disabled() -> None:
    watched = Watched(an_entry(enabled=False))
    assert watched.read(an_entry(enabled=False, products=("TWO",))) == []
    assert acts(watched.read(an_entry(products=("TWO",)))) == [(A, Act.OPEN)]


def test_what_may_be_sent_changes_without_a_new_connection() -> None:
    watched = Watched(an_entry())
    [change] = watched.read(an_entry(orders="cancel"))
    assert (change.act, change.entry.config.orders) == (Act.ALLOW, "cancel")
    assert "orderloom topics" in change.line
    assert watched.read(an_entry(orders="cancel")) == []
    assert acts(watched.read(an_entry(key=NEW))) == [(A, Act.RENEW)]
