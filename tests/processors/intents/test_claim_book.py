"""What the fold keeps of the claim log says what the log's own rule does, also after a restart."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.claim import (
    Claim,
    ClaimOwner,
    ClaimRecord,
    Command,
    Done,
    Kill,
    KillScope,
    NotSent,
    Verb,
    Void,
)
from orderloom.claim_log import ClaimLog
from processors.intents.claim_book import ClaimBook

ACCOUNTS = ("binance:a", "binance:b")
IDS = tuple(f"c{n}" for n in range(4))
LIVES = ("one", "two")


def a_command(name: str, seen: int = 0) -> Command:
    """The command of this id, which never says another thing."""
    return Command(
        id=name, verb=Verb.PLACE, account=ACCOUNTS[int(name[1:]) % 2], strategy="s",
        product="spot", symbol="S", seen=seen, send_by_ns=0,
    )  # fmt: skip


SEENS = {name: number * 2 for number, name in enumerate(IDS)}
COMMANDS = {name: a_command(name, SEENS[name]) for name in IDS}
ids, lives = st.sampled_from(IDS), st.sampled_from(LIVES)
scopes = st.sampled_from(
    (KillScope(), KillScope(account=ACCOUNTS[0]), KillScope(account=ACCOUNTS[1], product="x"))
)
records: st.SearchStrategy[ClaimRecord] = st.one_of(
    st.builds(
        lambda name, life: Claim(
            life=life, command=COMMANDS[name], intent=0, expires_ns=1, request="r", sha256="h"
        ),
        ids,
        lives,
    ),
    st.builds(lambda name: Void(command_id=name, why="w"), ids),
    st.builds(lambda name, life: NotSent(life=life, command_id=name, why="w"), ids, lives),
    st.builds(lambda scope: Kill(scope=scope, author="a"), scopes),
    st.just(Done(command_ids=IDS[:1])),
    st.just(ClaimOwner(life="one", version="1")),
)


def restarted(book: ClaimBook, saved: dict[str, Any]) -> ClaimBook:
    for key, document in book.state():
        if document is None:
            saved.pop(key, None)
        else:
            saved[key] = orjson.loads(orjson.dumps(document))
    again = ClaimBook()
    for document in saved.values():
        again.restore("C", document)
    return again


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(records, st.booleans()), max_size=30))
def test_it_is_the_rule_of_the_log(steps: list[tuple[ClaimRecord, bool]]) -> None:
    log, book, saved = ClaimLog(), ClaimBook(), dict[str, Any]()
    for offset, (drawn, is_restart) in enumerate(steps):
        is_of_later = isinstance(drawn, Claim) and drawn.command.seen > offset
        # By a fold that had read more than there is: no log of ours holds that.
        record = Done(command_ids=()) if is_of_later else drawn
        log.apply(offset, record)
        book.take(offset, record)
        if is_restart:
            book = restarted(book, saved)
        assert book.known == log.known
        for name, command in COMMANDS.items():
            if command.seen > log.known:
                continue
            assert book.is_unsent(command) == log.is_unsent(command), (offset, name)
            fate, named = book.fate(name), log.named(name)
            assert (fate is None) == (named is None)
            if fate is not None and named is not None:
                assert (fate.offset, fate.counts) == (named.offset, named.counts)


def test_what_a_cancel_claims_is_not_kept() -> None:
    book = ClaimBook()
    cancel = a_command("c0").model_copy(update={"verb": Verb.CANCEL})
    claim = Claim(life="one", command=cancel, intent=0, expires_ns=None, request="r", sha256="h")
    assert book.take(0, claim) is None
    assert book.fate("c0") is None


def test_a_kill_is_in_force_until_it_is_lifted_and_for_ever_over_what_was_decided_before() -> None:
    book = ClaimBook()
    book.take(0, Kill(scope=KillScope(account=ACCOUNTS[0]), author="ada", reason="drill"))
    book.take(1, Kill(scope=KillScope(), author="bob"))
    assert [kill.is_lifted for kill in book.kills] == [False, False]
    assert [kill.offset for kill in book.lift([0, 7])] == [0]
    assert book.lift([0]) == []
    again = restarted(book, {})
    assert [(kill.offset, kill.is_lifted) for kill in again.kills] == [(0, True), (1, False)]
    assert again.is_unsent(a_command("c0"))


@pytest.mark.parametrize("names", [["c0"], ["c0", "c9"]])
def test_what_is_over_is_forgotten(names: list[str]) -> None:
    book, saved = ClaimBook(), dict[str, Any]()
    book.take(0, Void(command_id="c0", why="late"))
    assert restarted(book, saved).fate("c0") is not None
    book.forget(names)
    assert restarted(book, saved).fate("c0") is None
