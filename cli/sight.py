"""What `accounts` says of each enabled account, and whether anybody can look at it at all."""

from collections.abc import Iterable, Iterator
from typing import Final

from cli.findings import SECOND_NS, Finding, Mark, since
from cli.showing import read_to_end
from cli.tables import ACCOUNTS, Rows, sync_of
from orderloom.account import AccountConfig, AccountState
from runtime.accounts import read_key
from runtime.clock import wall_ns
from runtime.settings import Settings
from runtime.trouble import SettingsError, SetupError
from sinks.follower import Follower
from venues import VENUES

LIVE: Final = "LIVE"
LATE_PERIODS: Final = 4
LATE_NS_MIN: Final = 60 * SECOND_NS
"""An account that nobody could look at for so long, and for so many periods, is not well."""
PART: Final = "account"


def check_keys(accounts: Iterable[AccountConfig]) -> Iterator[Finding]:
    """Keys of enabled accounts that cannot be read here; ingest may run elsewhere, and can."""
    for account in accounts:
        if not account.enabled:
            continue
        try:
            read_key(account.key, needs_passphrase=VENUES[account.venue].needs_passphrase)
        except SettingsError as error:
            line = f"{account.id}: no key here ({'; '.join(error.lines)}); ingest needs it"
            yield Finding(Mark.NOTE, "key", line)


def check_sight(
    settings: Settings, venue: str, accounts: Iterable[AccountConfig]
) -> Iterator[Finding]:
    """The last record of each enabled account of `venue`. Raises KafkaException."""
    name = ACCOUNTS.topic.name(venue, settings.namespace)
    rows = Rows(ACCOUNTS)
    try:
        with Follower(settings.kafka, {name: ACCOUNTS.topic}) as follower:
            read_to_end(follower, rows)
    except SetupError as error:
        yield Finding(Mark.WRONG, PART, str(error))
        return
    states = {state.account: state for state in rows.messages()}
    late_ns = round(settings.venue(venue).reconcile_seconds * LATE_PERIODS * SECOND_NS)
    for account in accounts:
        if account.enabled and account.venue == venue:
            yield from sight_of(
                account, states.get(account.id), wall_ns(), max(late_ns, LATE_NS_MIN)
            )


def sight_of(
    account: AccountConfig, state: AccountState | None, now_ns: int, late_ns: int
) -> Iterator[Finding]:
    """One line for each thing that keeps `account` from being seen; one that says so if none does.

    `late_ns`: who was not looked at for longer is not well.
    """
    if state is None:
        line = f"nobody has folded it yet: is an `orderloom process {account.venue}` running?"
        yield Finding(Mark.NOTE, PART, f"{account.id}: {line}")
        return
    wrong = list(_wrong_with(account, state, now_ns, late_ns))
    yield from (Finding(Mark.WRONG, PART, f"{account.id}: {line}") for line in wrong)
    if wrong:
        return
    if not state.enabled:
        line = "the processors have it as disabled still"
        yield Finding(Mark.NOTE, PART, f"{account.id}: {line}")
    elif state.sync == "SYNCED":
        reached = since(min(state.covered_ns.values(), default=0), now_ns)
        yield Finding(Mark.WELL, PART, f"{account.id}: SYNCED, covered until {reached}")
    else:
        line = f"{sync_of(state)}: not everything was asked about yet"
        yield Finding(Mark.NOTE, PART, f"{account.id}: {line}")


def _wrong_with(
    account: AccountConfig, state: AccountState, now_ns: int, late_ns: int
) -> Iterator[str]:
    venue = account.venue
    if state.quarantined:
        line = "quarantined, a record of it could not be folded"
        yield f"{line}: see the log of `orderloom process {venue}`"
    if not state.enabled:
        return
    for product, status in sorted(state.streams.items()):
        if status != LIVE:
            line = f"the stream of {product} is {status}"
            yield f"{line}: see the log of `orderloom ingest {venue}`"
    for product, covered_ns in sorted(state.covered_ns.items()):
        if covered_ns and now_ns - covered_ns > late_ns:
            reached = since(covered_ns, now_ns)
            yield (
                f"nobody could look at {product} since {reached}: see the logs of `orderloom "
                f"ingest {venue}` and `orderloom process {venue}`"
            )
    for one in state.refused:
        if one.may_lack:
            yield (
                f"{venue} refuses {one.symbol} on {one.product} (code {one.code}) since "
                f"{since(one.since_ns, now_ns)}: delisted, or mistyped in the registry?"
            )
    for interval in state.blind:
        is_long = interval.start_ns and now_ns - interval.start_ns > late_ns
        if interval.closed_ns is None and is_long:
            began = since(interval.start_ns, now_ns)
            yield f"blind on {interval.product} since {began}: {interval.reason}"
