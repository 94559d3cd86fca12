"""A leash: a child process that dies with its parent, even when the parent is killed with SIGKILL.

`python -m runtime.leash PARENT_PID COMMAND...` asks the kernel for SIGKILL at its parent's death
and becomes COMMAND. SIGKILL and not SIGTERM: a child that a chaos test has stopped would sleep
through the latter. A program of its own and not a `preexec_fn`, which may deadlock in a parent
that runs threads.

The kernel watches the *thread* that started the child (prctl(2), PR_SET_PDEATHSIG): start leashed
children from a thread that lives as long as they shall. Elsewhere than on Linux there is no leash,
and only the parent's own stop ends the child.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line of a module of ours, under this interpreter.

    `-P`: Python looks for it where packages are installed, and not first in the working directory,
    where a `cli.py` or a folder `runtime` may lie that is somebody else's.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def leashed(command: list[str]) -> list[str]:
    """The command line that runs `command` on a leash held by the calling thread."""
    return module_command("runtime.leash", str(os.getpid()), *command)


def _hold(parent: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Take the leash, then become the command; never returns."""
    parent, *command = arguments
    if sys.platform == "linux":
        _hold(int(parent))
    os.execvp(command[0], command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
