"""The tables of the command show what stands in the records."""

import io
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from cli.showing import table_of
from cli.tables import ORDERS, Rows
from orderloom.topology import FILLS
from runtime.kafka import connected_admin
from tests.cli.test_on_a_broker import ACCOUNT, VENUE, House
from tests.conftest import RunningBroker
from tests.sinks.records import a_fill, a_record, an_order, content_of

WORDS = {
    "[/x]": "[/x]",
    "[bold]x": "[bold]x",
    ":smile:": ":smile:",
    "[link=https://a.b]c[/link]": "[link=https://a.b]c[/link]",
    "\x1b]0;owned\x07": r"\x1b]0;owned\x07",
}


@pytest.mark.parametrize("word", WORDS, ids=ascii)
def test_a_symbol_is_shown_as_it_stands_whatever_it_looks_like(word: str) -> None:
    rows = Rows(ORDERS)
    rows.take(a_record(an_order(symbol=word)))
    shown = io.StringIO()
    Console(file=shown, width=220).print(table_of(rows, None))
    assert WORDS[word] in shown.getvalue()
    assert "\x1b" not in shown.getvalue()


@pytest.mark.broker
def test_a_view_that_follows_ends_with_one_line_where_its_topic_is_gone(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """What is frozen would look as if nothing happened any more."""
    house = House(tmp_path, broker.bootstrap, namespace)
    house.set_up(0, 1)
    house.make_topics()
    house.publish(content_of(a_fill("spot/SOL/e1/1", account=ACCOUNT)))
    command = [sys.executable, "-m", "cli.main", "fills", "--json", "--follow"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=house.directory
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert orjson.loads(child.stdout.readline())["exec_id"] == "e1"
        admin, name = connected_admin(house.bootstrap), FILLS.name(VENUE, house.namespace)
        admin.delete_topics([name])[name].result(20)
        assert child.wait(60) == 78
        assert b"not all of these topics exist" in child.stderr.read()
