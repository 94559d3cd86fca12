"""Exact decimals: what is taken, what is refused, and the one text of a number."""

from contextlib import suppress
from decimal import Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.quantities import DIGITS_MAX, EXACT, EXPONENT_MAX, decimal_of, text_of

exact = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=DIGITS_MAX),
    st.integers(-EXPONENT_MAX, EXPONENT_MAX),
)


@given(exact)
def test_a_number_and_its_text_are_one(number: Decimal) -> None:
    text = text_of(number)
    assert Decimal(text) == number
    assert text_of(Decimal(text)) == text


@given(exact, st.integers(0, 5))
def test_equal_numbers_have_equal_texts(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    longer = Decimal((sign, (*digits, *[0] * zeros), int(exponent) - zeros))
    assert text_of(longer) == text_of(number)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("0", "0"), ("-0", "0"), ("0.000", "0"), ("-0.00", "0"), ("1", "1"), ("1.50", "1.5"),
        ("100", "100"), ("1E+3", "1000"), ("1e-8", "0.00000001"), ("-2.10", "-2.1"), (7, "7"),
        (" 1.5 ", "1.5"),
    ],
)  # fmt: skip
def test_texts_have_no_exponent_no_trailing_zero_no_minus_zero(given: object, text: str) -> None:
    assert text_of(decimal_of(given)) == text


@pytest.mark.parametrize(
    "given",
    [
        "", "abc", "1,5", "1_000", "0x10", "--1", "NaN", "Infinity", "-inf", "sNaN", 1.5, True,
        None, [], b"1", "9" * (DIGITS_MAX + 1), "1e31", "1e-31", "1" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_exact_number_in_range_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="decimal"):
        decimal_of(given)


def test_a_refusal_shows_no_more_than_a_little_of_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="decimal") as refusal:
        decimal_of("9" * 100_000)
    assert len(str(refusal.value)) < 200


@given(st.text(max_size=100) | st.integers() | st.floats() | st.none())
def test_anything_gives_a_number_or_a_value_error(given: object) -> None:
    with suppress(ValueError):
        decimal_of(given)


def test_a_sum_that_would_round_raises() -> None:
    with localcontext(EXACT), pytest.raises(Inexact):
        Decimal(1) / Decimal(3)
