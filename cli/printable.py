"""Texts that others wrote, made fit for a terminal. Pure.

A symbol, a reason or a key is whatever an exchange, or a foreign record, says it is: it may hold
characters that a terminal obeys instead of showing them.
"""


def printable(text: str) -> str:
    r"""The text with each character that is not to be seen written out, as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
