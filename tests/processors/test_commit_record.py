"""The hash in a commit record tells records apart that differ only in where they are cut."""

from orderloom.topology import RAW
from processors.ledger.commit_record import bytes_hash
from processors.ledger.step import InputRecord


def hash_of(*pairs: tuple[bytes | None, bytes | None]) -> str:
    return bytes_hash(
        InputRecord(RAW, 0, offset, 0, key, value) for offset, (key, value) in enumerate(pairs)
    )


def test_the_same_bytes_have_the_same_hash() -> None:
    assert hash_of((b"a", b"b"), (b"c", b"d")) == hash_of((b"a", b"b"), (b"c", b"d"))


def test_other_bytes_other_cuts_and_absent_values_have_others() -> None:
    hashes = {
        hash_of((b"a", b"bc")),
        hash_of((b"ab", b"c")),
        hash_of((b"a", b"b"), (b"c", b"")),
        hash_of((b"abc", None)),
        hash_of((b"abc", b"")),
        hash_of(),
    }
    assert len(hashes) == 6
