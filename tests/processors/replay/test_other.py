"""Another checkout's fold runs by its own code, and whose records differ is said."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orderloom.topology import ORDERS
from processors.fold_version import fold_version
from processors.ledger.step import Output, StepChanges
from processors.replay.audit import Audit
from processors.replay.child import outputs_as_sent, outputs_of
from processors.replay.comparison import Comparison
from processors.replay.other import OtherFold
from processors.replay.refold import CannotReplay
from tests.processors.partition_lab import ACCOUNT
from tests.processors.replay.recording import KEPT, a_life, maker
from tests.source_tree import ROOT

ROOMS = ("processors", "venues", "runtime", "schemas")
VIEW = Path("processors/orders/view.py")
SHOWING = Path("processors/account/showing.py")
ADOPTED = 'document["adopted"] = True'
PRODUCT = "linear"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout, with the same code."""
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / room, tmp_path / "next" / room, ignore=ignored)
    return tmp_path / "next"


def change(checkout: Path, file: Path, old: str, new: str) -> None:
    text = (checkout / file).read_text()
    assert old in text
    (checkout / file).write_text(text.replace(old, new))


def compared(checkout: Path) -> tuple[Comparison, str]:
    """What its fold publishes otherwise over a recorded life, and its version."""
    audit = Audit(maker(), "v1")
    with closing(OtherFold(checkout, "binance", 0, KEPT)) as other:
        for step, records in a_life().steps:
            assert audit.take(step, records) is None
            other.take(step, records, audit.changes)
        return other.comparison, other.version


def orders() -> Iterator[tuple[str, str]]:
    """The key and product of each order that the life publishes."""
    recorder = a_life()
    for account in recorder.state.accounts.values():  # type: ignore[attr-defined]  # the product's
        for order in account.orders.all():
            yield order.key, order.product


def test_the_same_code_elsewhere_publishes_the_same(checkout: Path) -> None:
    comparison, version = compared(checkout)
    assert comparison.changed == {}
    assert version == fold_version(), "the version is of the code, not of where it lies"


def test_orders_that_a_changed_rule_shows_otherwise_are_listed(checkout: Path) -> None:
    change(checkout, VIEW, ADOPTED, f'document["adopted"] = order.product != "{PRODUCT}"')
    comparison, version = compared(checkout)
    expected = {key for key, product in orders() if product == PRODUCT}
    others = {key for key, product in orders() if product != PRODUCT}
    assert comparison.changed.keys() == expected
    assert expected
    assert others
    assert {one.account for one in comparison.changed.values()} == {ACCOUNT}
    assert {topic for one in comparison.changed.values() for topic in one.topics} == {"orders"}
    assert version != fold_version()


def test_a_record_less_does_not_make_all_that_follow_differ(checkout: Path) -> None:
    """All later sequences of `orders` are lower by one then."""
    key = next(key for key, _ in orders())
    change(checkout, SHOWING, "if (order := ", f"if key != {key!r} and (order := ")
    comparison, _ = compared(checkout)
    assert comparison.changed.keys() == {key}


def test_what_is_published_arrives_with_its_headers() -> None:
    headers = (("version", b"3"), ("epoch", b"0"))
    ended = Output(ORDERS, b"k1", None, headers)
    shown = Output(ORDERS, b"k2", b"{}")
    sent = outputs_as_sent(StepChanges(outputs=[ended, shown]))
    assert list(outputs_of(*sent)) == [
        ("orders", b"k1", None, headers),
        ("orders", b"k2", b"{}", ()),
    ]


def test_a_fold_that_raises_there_ends_it_at_its_step(checkout: Path) -> None:
    change(checkout, VIEW, ADOPTED, 'document["adopted"] = 1 // 0')
    with pytest.raises(CannotReplay, match=r"ended at step \d+, with status 1"):
        compared(checkout)


def test_what_is_no_checkout_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotReplay, match="it is no checkout with replay"):
        OtherFold(tmp_path, "binance", 0, KEPT)
