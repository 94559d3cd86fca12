"""What never comes back keeps nobody: neither its caller nor the end of the process."""

import subprocess
import sys
import threading
import time

import pytest

from runtime.patience import within

HANGS = """
import threading
from runtime.patience import within
try:
    within(0.2, "disk", threading.Event().wait)
except TimeoutError as error:
    print(error)
"""


def test_what_comes_in_time_is_given_and_what_it_raises_is_raised() -> None:
    assert within(5, "one", lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, "one", lambda: 1 // 0)
    with pytest.raises(TimeoutError, match="its own"):
        within(5, "one", _raises_its_own)


def _raises_its_own() -> None:
    raise TimeoutError("its own")


def test_what_hangs_is_given_up_not_begun_again_and_shortens_the_wait_for_others() -> None:
    goes_on, begun = threading.Event(), []

    def hang() -> str:
        begun.append(1)
        goes_on.wait()
        return "at last"

    with pytest.raises(TimeoutError, match=r"no answer within 0.3 s"):
        within(0.3, "hangs", hang)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        within(30, "hangs", hang)
    with pytest.raises(TimeoutError):
        within(30, "another that hangs", goes_on.wait)
    assert time.monotonic() - began < 10
    assert len(begun) == 1
    assert within(30, "one that answers", lambda: 7) == 7
    goes_on.set()
    _until_over(hang)


def _until_over(hang: object) -> None:
    """Once it is over it is begun anew."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        try:
            assert within(5, "hangs", hang) == "at last"  # type: ignore[arg-type]  # as above
        except TimeoutError:
            continue
        return
    raise AssertionError("it still counts as hanging")


def test_a_process_ends_whatever_hangs_in_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, check=True, text=True, timeout=30
    )
    assert ended.stdout == "no answer within 0.2 s\n"
