"""`orderloom demo`, as a person types it and breaks it off."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waits import wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
INTERRUPTED = 130


def processes_of(directory: Path) -> list[str]:
    """The command lines of running processes that name the demo's directory or its settings."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:  # it has ended, or is not ours to look at
            continue
        if str(directory).encode() in words and entry.name != str(os.getpid()):
            found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks into Linux's /proc")
def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "cli.main", "demo", "--minutes", "5", "--rate", "20",
        "--venue", "binance", "--directory", str(tmp_path),
    ]  # fmt: skip
    demo = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    assert demo.stderr is not None
    for line in demo.stderr:
        if b"trading at" in line:
            break
    assert len(processes_of(tmp_path)) > 5
    demo.send_signal(signal.SIGINT)
    said = demo.stderr.read().decode()
    assert demo.wait(60) == INTERRUPTED, said
    wait_for(lambda: not processes_of(tmp_path), what=lambda: f"{processes_of(tmp_path)} end")
