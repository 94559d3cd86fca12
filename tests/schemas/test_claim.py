"""Records of `claims` as bytes: each comes back, and what says nothing known is refused."""

import pytest

from orderloom.claim import (
    BadClaimRecord,
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
    encode_claim_record,
    read_claim_record,
)

COMMAND = Command(
    id="c1", verb=Verb.PLACE, account="toy:main", strategy="maker", product="spot",
    symbol="BTCUSDT", seen=7, send_by_ns=12,
)  # fmt: skip
RECORDS: tuple[ClaimRecord, ...] = (
    ClaimOwner(life="a", version="1"),
    Claim(life="a", command=COMMAND, intent=3, expires_ns=None, request="{}", sha256="00"),
    Void(command_id="c1", why="late"),
    NotSent(life="a", command_id="c1", why="no connection"),
    Done(command_ids=("c1", "c2")),
    Kill(scope=KillScope(account="toy:main"), author="me", reason="why not"),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.type)
def test_each_record_comes_back(record: ClaimRecord) -> None:
    assert read_claim_record(encode_claim_record(record)) == record


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"[]", b"{}", b'{"type":"PARDON"}', b'{"type":"VOID","why":""}',
        b'{"type":"VOID","command_id":"","why":""}',
        encode_claim_record(RECORDS[1]).replace(b'"seen":7', b'"seen":-1'),
        encode_claim_record(RECORDS[1]).replace(b"PLACE", b"PRAY"),
    ],
)  # fmt: skip
def test_what_says_nothing_known_is_refused_in_one_line(value: bytes | None) -> None:
    with pytest.raises(BadClaimRecord) as refused:
        read_claim_record(value)
    assert "\n" not in str(refused.value)


def test_what_is_refused_is_not_quoted() -> None:
    value = encode_claim_record(RECORDS[1]).replace(b"PLACE", b"s3cret")
    with pytest.raises(BadClaimRecord) as refused:
        read_claim_record(value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("scope", "is_covered"),
    [
        (KillScope(), True),
        (KillScope(account="toy:main", symbol="BTCUSDT"), True),
        (KillScope(account="toy:other"), False),
        (KillScope(strategy="taker"), False),
        (KillScope(product="linear"), False),
        (KillScope(account="toy:main", symbol="ETHUSDT"), False),
    ],
)
def test_a_kill_covers_what_agrees_with_each_that_it_names(
    scope: KillScope, is_covered: bool
) -> None:
    assert scope.covers(COMMAND) is is_covered
    assert not scope.covers(COMMAND.model_copy(update={"verb": Verb.CANCEL}))
