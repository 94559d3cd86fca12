"""Turns pydantic's findings into lines: the key, what was given, what to change.

Pure.
"""

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

SHOWN_CHARACTERS_MAX = 60
NEVER_SHOWN = frozenset({"security", "key", "secret", "passphrase", "api_key"})
"""What is given there may be a secret."""

Location = tuple[int | str, ...]


def problem_lines(
    error: ValidationError, source_of: Callable[[Location], str], known: Collection[str]
) -> list[str]:
    """One line for each finding.

    `source_of` names where a key was given; `known` are the keys to propose for an unknown one.
    """
    return [
        _line(finding, source_of(finding["loc"]), known)
        for finding in error.errors(include_url=False)
    ]


def dotted(location: Location) -> str:
    """`("venues", "binance", 0)` as it is written in a file: `venues.binance[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _line(finding: Mapping[str, Any], source: str, known: Collection[str]) -> str:
    key = dotted(finding["loc"])
    if finding["type"] == "extra_forbidden":
        return f"{key} in {source} is no setting{_proposal(str(finding['loc'][-1]), known)}"
    if finding["type"] == "missing":
        return f"{key} is missing in {source}: add it"
    given = "..." if _may_be_secret(finding) else _shown(finding["input"])
    remedy = str(finding["msg"]).removeprefix("Value error, ")
    return f"{key} = {given} in {source}: {remedy[:1].lower()}{remedy[1:]}"


def _may_be_secret(finding: Mapping[str, Any]) -> bool:
    """Whether it was given as a secret, may hold one, or stands where a whole table belongs."""
    holds_more = isinstance(finding["input"], dict | list | tuple)
    is_no_table = finding["type"] in ("model_type", "model_attributes_type")
    return bool(NEVER_SHOWN.intersection(finding["loc"])) or holds_more or is_no_table


def _shown(given: object) -> str:
    text = repr(given)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "..."


def _proposal(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f": did you mean {close[0]}?" if close else ": remove it"
