"""Signatures: the vectors of the manual, and some of our own (docs/venues/kraken.md 2)."""

import pytest

from simulator.accounts import Fill
from simulator.kraken import words
from simulator.kraken.signing import challenge_signature, futures_signature, spot_signature

SPOT = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
FUTURES = "7zxMEF5p/Z8l2p2U7Ghv6x14Af+Fx+92tPgUdVQ748FOIrEoT9bgT+bTRfXc5pz8na+hL/QdrCVG7bh9KpT0eMTm"
FORM = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
JSON = (
    '{"nonce":1793000000000001,"ordertype":"limit","type":"sell","pair":"XBTUSD","volume":"0.5",'
    '"price":"91000.1","cl_ord_id":"os-20261101-0001"}'
)
QUERY = "orderType=lmt&symbol=PF_XBTUSD&side=buy&size=0.01&limitPrice=90000&cliOrdId=os-1"


@pytest.mark.parametrize(
    ("nonce", "body", "wanted"),
    [
        (
            "1616492376594",
            FORM,
            "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
        ),
        (
            "1793000000000001",
            JSON,
            "HOzGxnwD/ppB3jKl1aWtggWc+ksgj5Ax2ibj4iyKgF5wnTnaGHZZ2DpA88rsP2AyMiHH8rmIjDFN6bOsZknwLw==",
        ),
    ],
)
def test_spot_signs_path_nonce_and_body(nonce: str, body: str, wanted: str) -> None:
    assert spot_signature(SPOT, "/0/private/AddOrder", nonce, body) == wanted


@pytest.mark.parametrize(
    ("nonce", "wanted"),
    [
        (
            "1793000000000",
            "e7r1nqRiqR4bDmQtvj90fIc/FsRJcJJtFA/3D453Pns0S+6kurHc4N6yKAn2KUZq+MJwH18JkX80ZL9lPNl7cA==",
        ),
        (
            "",
            "Gi3iWw2/n7k4SBiNKAa64XrXZGrg4lk9N4thMnsPNi3DjZp3zsYSTnUA+608CtV88VSgodHKIki4ci7apmRjNQ==",
        ),
    ],
)
def test_futures_signs_parameters_nonce_and_the_path_without_its_prefix(
    nonce: str, wanted: str
) -> None:
    path = "/derivatives/api/v3/sendorder"
    assert futures_signature(FUTURES, path, nonce, QUERY) == wanted


def test_a_challenge_is_hashed_and_signed() -> None:
    challenge = "c100b894-1729-464d-ace1-52dbce11db42"
    wanted = (
        "4JEpF3ix66GA2B+ooK128Ift4XQVtc137N9yeg4Kqsn9PI0Kpzbysl9M1IeCEdjg0zl00wkVqcsnG4bmnlMb3A=="
    )
    assert challenge_signature(FUTURES, challenge) == wanted


def test_ids_have_the_venues_form_lead_back_and_never_meet() -> None:
    names = {words.txid("O", number) for number in range(1, 3000)}
    assert len(names) == 2999
    assert all([len(part) for part in name.split("-")] == [6, 5, 6] for name in names)
    assert words.number_of_txid(words.txid("O", 7_700_001)) == 7_700_001
    assert words.number_of_uuid(words.uuid(7_700_001)) == 7_700_001
    assert [len(part) for part in words.uuid(1).split("-")] == [8, 4, 4, 4, 12]
    for wrong in ("", "O", "OQ7K2A-4ZC3X-77PLM", "OQ7K2A-4ZC3X-77PLM1", "no id at all"):
        assert words.number_of_txid(wrong) == 0
        assert words.number_of_uuid(wrong) == 0


def test_an_execution_of_futures_and_an_order_of_the_same_number_have_two_ids() -> None:
    fill = Fill.__new__(Fill)
    fill.product, fill.number = "linear", 5
    assert words.execution_id(fill) != words.order_id("linear", 5)
