"""Loads `accounts.toml`, the registry of accounts, and the keys that it refers to.

A key's secret part is a pydantic SecretStr: its repr, its str and its JSON hide it.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Final
from unicodedata import category

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from orderloom.account import AccountConfig
from runtime.files import read_plain
from runtime.problems import Location, problem_lines
from runtime.secret import NO_REFERENCE, is_reference, secret_text
from runtime.trouble import SettingsError

BYTES_MAX: Final = 64 * 1024 * 1024
UNSENDABLE: Final = ("Cc", "Cs")
"""Unicode's categories of control characters, and of halves of a character (lone surrogates)."""
SHAPE: Final = '{"key": "...", "secret": "..."}'
LONG_SHAPE: Final = '{"key": "...", "secret": "...", "passphrase": "..."}'


class AccountKey(BaseModel):
    """What an account signs its requests with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    secret: SecretStr
    passphrase: SecretStr = SecretStr("")


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: tuple[AccountConfig, ...] = ()


def load_accounts(
    file: Path, *, partitions: int, venues: Collection[str] = ()
) -> tuple[AccountConfig, ...]:
    """The registered accounts, each under `[[accounts]]`.

    `venues` are the known ones (none given: not checked). Raises SettingsError with a line for each
    finding: unreadable file, wrong entry, an id twice, a key that is no reference, a partition that
    does not exist, an unknown venue, environments mixed.
    """
    document = _document(file)
    try:
        accounts = _Registry.model_validate(document).accounts
    except ValidationError as error:
        known = set(AccountConfig.model_fields) | {"accounts"}
        raise SettingsError(problem_lines(error, _named(file), known)) from None
    if lines := list(_findings(accounts, partitions, venues)):
        raise SettingsError([f"{file}: {line}" for line in lines])
    return accounts


def read_key(reference: str, *, needs_passphrase: bool = False) -> AccountKey:
    """The key behind `env:NAME` or `file:PATH`: JSON with key, secret and, if any, passphrase.

    `needs_passphrase`: the venue gives one with each key, so a key without is refused. Raises
    SettingsError, which never shows what was read.
    """
    text = secret_text(reference)
    shape = LONG_SHAPE if needs_passphrase else SHAPE
    try:
        key = AccountKey.model_validate(json.loads(text))
    except (ValueError, RecursionError):  # also ValidationError, and a number of too many digits
        raise SettingsError([f"{reference} holds no key: write it as {shape}"]) from None
    if needs_passphrase and not key.passphrase.get_secret_value():
        line = f"{reference} holds no passphrase, and the venue wants one: write the key as {shape}"
        raise SettingsError([line])
    if lines := [f"{reference}: {line}" for line in _unsendable(key)]:
        raise SettingsError(lines)
    return key


def _unsendable(key: AccountKey) -> Iterator[str]:
    """What no header and no signature can carry: a line's end would begin another header."""
    secret, passphrase = key.secret.get_secret_value(), key.passphrase.get_secret_value()
    for name, text in (("key", key.key), ("secret", secret), ("passphrase", passphrase)):
        if any(category(character) in UNSENDABLE for character in text):
            yield (
                f"{name} holds a line's end, another control character, or half a character: "
                "write it without"
            )


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_plain(file, BYTES_MAX)[0].decode())
    except OSError as error:
        line = f"{file} cannot be read ({error.strerror}): create it or set accounts_file"
        raise SettingsError([line]) from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, too long, too deep
        raise SettingsError([f"{file} is not TOML: {error}"]) from None


def _named(file: Path) -> Callable[[Location], str]:
    def source(_location: Location) -> str:
        return str(file)

    return source


def _findings(
    accounts: tuple[AccountConfig, ...], partitions: int, venues: Collection[str]
) -> Iterator[str]:
    for name, times in Counter(account.id for account in accounts).items():
        if times > 1:
            yield f"account {name} stands there {times} times: keep one"
    for account in accounts:
        if not is_reference(account.key):  # the entry goes into `control`, which is kept for ever
            yield f"account {account.id}: {NO_REFERENCE}"
        if account.partition_of(partitions) >= partitions:
            yield (
                f"account {account.id} has partition {account.partition}: "
                f"choose one from 0 to {partitions - 1}"
            )
        if venues and account.venue not in venues:
            yield f"account {account.id}: choose a venue from {', '.join(sorted(venues))}"
    environments = sorted({account.environment for account in accounts if account.enabled})
    if len(environments) > 1:
        yield (
            f"environments {' and '.join(environments)} are mixed: give each a file and a "
            "namespace of its own, so that they never share a topic"
        )
