"""Names for life: the client order ids of our own orders."""

import re
from base64 import b32decode
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.identity import own_client_order_id

PARTS = ("prod.orderloom", "binance:main", "maker-1", "2026-12-01/17")
WORDS = st.text(min_size=1, max_size=12)


def test_an_id_is_its_tag_and_a_hash_of_what_it_is_of() -> None:
    said = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in PARTS)
    found = own_client_order_id(*PARTS)
    assert found[:2] == "ol"
    assert b32decode(found[2:].upper()) == blake2b(said, digest_size=10).digest()


def test_an_id_stays_what_it_was_in_former_versions() -> None:
    assert own_client_order_id(*PARTS) == "olb4wb7rec3n5sm2q5"


@given(st.tuples(WORDS, WORDS, WORDS, WORDS))
def test_an_id_is_18_small_letters_and_digits(
    parts: tuple[str, str, str, str],
) -> None:
    found = own_client_order_id(*parts)
    assert re.fullmatch(r"ol[a-z2-7]{16}", found)
    assert found == own_client_order_id(*parts)


@given(st.tuples(WORDS, WORDS, WORDS, WORDS), st.tuples(WORDS, WORDS, WORDS, WORDS))
def test_other_parts_make_another_id(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (one == other) == (own_client_order_id(*one) == own_client_order_id(*other))


def test_a_letter_that_moves_from_one_part_to_the_next_makes_another_id() -> None:
    ids = {
        own_client_order_id("ab", "c", "d", "e"),
        own_client_order_id("a", "bc", "d", "e"),
        own_client_order_id("a", "b", "cd", "e"),
        own_client_order_id("a", "b", "c", "de"),
    }
    assert len(ids) == 4


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("wrong", ["", "\ud800"])
def test_an_id_is_made_of_all_its_parts(at: int, wrong: str) -> None:
    parts = list(PARTS)
    parts[at] = wrong
    with pytest.raises(ValueError, match=r"client order id|surrogates"):
        own_client_order_id(*parts)
