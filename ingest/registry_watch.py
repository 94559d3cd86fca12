"""`accounts.toml` and the keys behind it, read again while a worker runs.

What cannot be used stops nothing: the last good registry stays in force, and one line says why. A
new content is taken once two looks in a row found it the same: a file that is just being written is
not taken half. `env:` keys cannot change in a running process.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from ingest.registry import Change, Entries, Entry, Places, at_home, compared, in_force, served
from orderloom.account import AccountConfig, Home
from runtime.accounts import load_accounts, read_key
from runtime.files import read_plain
from runtime.metrics import REGISTRY_UNUSABLE
from runtime.secret import FILE, file_of
from runtime.settings import Settings
from runtime.trouble import SettingsError
from venues.request import Credentials

BYTES_MAX: Final = 4 * 1024 * 1024
"""So much of a file is compared."""

_log = logging.getLogger(__name__)


class Registry:
    """The accounts of one venue as they are in force; `entries` by account.

    `needs_passphrase`: as the venue says of its keys. Raises SettingsError where the first reading
    is no registry.
    """

    def __init__(self, settings: Settings, venue: str, *, needs_passphrase: bool = False) -> None:
        self._file = settings.accounts_file
        self._places = Places(settings.partitions)
        self._venue = venue
        self._needs_passphrase = needs_passphrase
        self._references: set[str] = set()
        self._taken = b""
        self._pending = b""
        self._trouble = ""
        self.entries: Entries = {}
        self.entries = self._read()
        for account, entry in self.entries.items():
            if entry.trouble:
                line, extra = "account %s is left out: %s", {"account": account}
                _log.error(line, account, entry.trouble, extra=extra)

    def settle(self, homes: Mapping[str, Home]) -> None:
        """Hold each account to its home in `control`: one that lies elsewhere is not served.

        To be called before any is served. The file is read anew at the next look.
        """
        self._places = Places(self._places.partitions, homes)
        settled = {name: at_home(entry, self._places) for name, entry in self.entries.items()}
        for account, entry in settled.items():
            if entry.trouble != self.entries[account].trouble:
                _log.error("%s; it is left out", entry.trouble, extra={"account": account})
        self.entries, self._taken = settled, b""

    def served(self) -> Iterable[Entry]:
        """The accounts to be served now."""
        return tuple(served(self.entries))

    def look(self, *, at_once: bool = False) -> list[Change]:
        """What changed since the last look, by now in force; `at_once` waits for no second look.

        Never raises for what a file holds.
        """
        contents = self._contents()
        if contents == self._taken:
            self._pending = b""
            return []
        if contents != self._pending and not at_once:
            self._pending = contents
            return []
        # Also where it cannot be used: it is tried again when it changes, not every second.
        self._taken, self._pending = contents, b""
        try:
            found = self._read()
        except SettingsError as error:
            self._log_trouble("; ".join(error.lines))
            return []
        self._log_trouble("")
        changes = compared(self.entries, found, self._places)
        self.entries = in_force(self.entries, found, changes)
        return [change for change in changes if change.line]

    def _log_trouble(self, trouble: str) -> None:
        REGISTRY_UNUSABLE.labels(self._venue).set(bool(trouble))
        if trouble and trouble != self._trouble:
            _log.error("the last good registry stays in force: %s", trouble)
        elif self._trouble and not trouble:
            _log.info("%s can be used again", self._file)
        self._trouble = trouble

    def _read(self) -> dict[str, Entry]:
        """The registry as it stands in the file. Raises SettingsError."""
        accounts = load_accounts(self._file, partitions=self._places.partitions)
        if not accounts and self.entries:  # cut off while it was written, rather than meant
            line = f"{self._file} names no account: to stop them, set enabled = false"
            raise SettingsError([line])
        mine = [account for account in accounts if account.venue == self._venue]
        self._references = {one.key for one in mine if one.key.startswith(FILE)}
        return {
            account.id: _entry_of(account, needs_passphrase=self._needs_passphrase)
            for account in mine
        }

    def _contents(self) -> bytes:
        """A digest of the file and of every key that it refers to."""
        digest = hashlib.sha256()
        for content in (_content_of(self._file), *map(_key_of, sorted(self._references))):
            # With lengths: what moves from the end of one file to the head of the next is a change.
            digest.update(b"%d\n" % len(content) + content)
        return digest.digest()


def _entry_of(account: AccountConfig, *, needs_passphrase: bool) -> Entry:
    if not account.enabled:  # its key is none of our business
        return Entry(account)
    try:
        held = read_key(account.key, needs_passphrase=needs_passphrase)
    except SettingsError as error:
        return Entry(account, trouble="; ".join(error.lines))
    secret, passphrase = held.secret.get_secret_value(), held.passphrase.get_secret_value()
    return Entry(account, Credentials(held.key, secret, passphrase))


def _key_of(reference: str) -> bytes:
    """What a `file:` reference leads to, as far as it is compared."""
    try:
        return _content_of(file_of(reference))
    except SettingsError:  # no path at all: `read_key` says so
        return b""


def _content_of(file: Path) -> bytes:
    try:
        return read_plain(file, BYTES_MAX)[0]
    except OSError as error:
        return f"unreadable: {error.strerror}".encode()
