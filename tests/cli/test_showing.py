"""The tables of the command show what stands in the records."""

import io

import pytest
from rich.console import Console

from cli.showing import table_of
from cli.tables import ORDERS, Rows
from tests.sinks.records import a_record, an_order

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
