"""What others wrote is shown as it is, and obeyed by nobody."""

import pytest

from cli.printable import printable


@pytest.mark.parametrize("text", ["", "BTC-USDT", "[/x]", "[bold]x", ":smile:", "数量 10"])
def test_what_can_be_seen_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nb\r", r"a\nb\r"),
        ("\u202eabc", r"\u202eabc"),
        ("\x9b31m", r"\x9b31m"),
        ("\ud800", r"\ud800"),
    ],
    ids=ascii,
)
def test_what_a_terminal_would_obey_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
