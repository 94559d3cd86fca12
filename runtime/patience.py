"""Work that may never come back, as a read from a network's disk: waited for only so long.

It runs in a thread that ends with the process, whatever it does, so it keeps neither its caller nor
the end of the process. What hangs is not begun a second time while it does.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

SECONDS_WHILE_OTHERS_HANG: Final = 0.1
"""Many files of one disk hang together: whoever reads them all is not kept by each."""
Result = TypeVar("Result")
_hanging: Final[dict[Hashable, Future[Any]]] = {}
_lock: Final = threading.Lock()


def within(seconds: float, name: Hashable, work: Callable[[], Result]) -> Result:
    """What `work` gives or raises. Raises TimeoutError where it takes longer, or hangs already."""
    with _lock:
        for over in [one for one, future in _hanging.items() if future.done()]:
            del _hanging[over]
        if name in _hanging:
            raise TimeoutError(_line(seconds))
        patience = SECONDS_WHILE_OTHERS_HANG if _hanging else seconds
    future = Future[Result]()
    threading.Thread(target=_run, args=(work, future), name="patience", daemon=True).start()
    try:
        return future.result(min(seconds, patience))
    except TimeoutError:
        if future.done():  # its own, and no word of ours
            raise
    with _lock:
        _hanging[name] = future
    raise TimeoutError(_line(seconds))


def _run(work: Callable[[], Any], future: "Future[Any]") -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  whatever it is, it is the caller's to meet
        future.set_exception(error)


def _line(seconds: float) -> str:
    return f"no answer within {seconds:g} s"
