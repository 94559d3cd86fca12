"""What stands in `raw` of a command: that it is about to be sent, and what became of it here."""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from ingest.actions import HttpAnswer
from ingest.outbox import Address, Outbox
from orderloom.claim import Claim
from orderloom.command import DecidedCommand
from orderloom.raw import Attempt, AttemptOutcome
from runtime.metrics import COMMANDS
from venues.order_entry import SignedRequest

BODY_BYTES_MAX: Final = 64 * 1024
REST: Final = "rest"

_log = logging.getLogger(__name__)


class Unsent(Exception):
    """Surely no byte left: `args[0]` says why."""


class Outcomes:
    """Writes them. `wall_ns` is our clock, UTC."""

    def __init__(self, venue: str, outbox: Outbox, wall_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._outbox = outbox
        self._wall_ns = wall_ns

    def attempt(self, command: DecidedCommand, address: Address, signed: SignedRequest) -> None:
        """It is about to be handed to its transport."""
        said = signed.canonical
        item = Attempt(
            command_id=command.id,
            command=command.document(),
            transport=REST,
            request=said,
            sha256=_hash_of(said),
            at_ns=self._wall_ns(),
        )
        self._outbox.put(address, item)

    def answered(self, command: DecidedCommand, address: Address, answer: HttpAnswer) -> None:
        """What came back."""
        COMMANDS.labels(self._venue, "answered").inc()
        item = AttemptOutcome(
            command_id=command.id,
            verb=command.command.verb,
            product=command.command.product,
            sent_ns=answer.sent_ns,
            received_ns=answer.received_ns,
            is_unsent=False,
            status=answer.status,
            body=answer.body[:BODY_BYTES_MAX],
        )
        self._outbox.put(address, item)

    def unanswered(
        self, command: DecidedCommand, address: Address, sent_ns: int, reason: str
    ) -> None:
        """Why nothing came back of a request that may have arrived."""
        self._without(command, address, sent_ns, reason, is_unsent=False)

    def unsent(self, command: DecidedCommand, address: Address, why: str) -> None:
        """Surely no byte of it left from here."""
        self._without(command, address, self._wall_ns(), why, is_unsent=True)

    def claimed_before(self, command: DecidedCommand, why: str) -> None:
        """Whether it was sent the claim log says, and nothing that could be written here."""
        COMMANDS.labels(self._venue, "claimed before").inc()
        account = command.account
        _log.info("command %s is not ours: %s", command.id, why, extra={"account": account})

    def _without(
        self, command: DecidedCommand, address: Address, sent_ns: int, why: str, *, is_unsent: bool
    ) -> None:
        """No answer."""
        COMMANDS.labels(self._venue, "unsent" if is_unsent else "unanswered").inc()
        said = "is not sent" if is_unsent else "has no answer"
        account = command.account
        _log.warning("command %s %s: %s", command.id, said, why, extra={"account": account})
        item = AttemptOutcome(
            command_id=command.id,
            verb=command.command.verb,
            product=command.command.product,
            sent_ns=sent_ns,
            received_ns=self._wall_ns(),
            is_unsent=is_unsent,
            reason=why,
        )
        self._outbox.put(address, item)


def claim_of(command: DecidedCommand, signed: SignedRequest, life: str) -> Claim:
    """The claim of a command by `life`, with the request that is to be sent."""
    return Claim(
        life=life,
        command=command.command,
        intent=command.intent,
        expires_ns=signed.expires_ns,
        request=signed.canonical,
        sha256=_hash_of(signed.canonical),
    )


def _hash_of(request: str) -> str:
    return sha256(request.encode()).hexdigest()
