"""The jars of Apache Kafka, from a Maven repository once, then from a cache of ours.

Whoever gave them, they are what `kafka-jars.sha256` says, byte for byte, or they are not run.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runtime.files import open_own, own_directory
from runtime.trouble import SetupError

KAFKA_VERSION = "4.3.1"
LOG4J_VERSION = "2.25.3"
# "!" takes each version as its own artifact names it. Without, jgo lets the versions that log4j's
# parent manages win for the whole set, which brings kafka-clients 3.9.1 beside a 4.3.1 broker.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}!",
    # The logging binding is not among Kafka's own dependencies.
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}!",
    f"org.apache.logging.log4j:log4j-core:{LOG4J_VERSION}!",
)


HASHES = Path(__file__).with_name("kafka-jars.sha256")
"""Lines as `sha256sum` writes them. With other versions above, they are made anew by it."""


class ForeignJarsError(SetupError):
    """The jars are not those that this version was built for."""


class JarsUnavailableError(SetupError):
    """The jars are not in the cache, and the repository did not give them."""


def cache_directory() -> Path:
    """Where downloads are kept: `ORDERLOOM_CACHE`, else `orderloom` in the user's cache."""
    if given := os.environ.get("ORDERLOOM_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "orderloom"


def kafka_classpath(
    cache: Path, report: Callable[[str], None], known: Mapping[str, str] | None = None
) -> list[Path]:
    """The paths of Kafka's jars; only the first call on a machine asks the repository.

    `report` is called for the download (44 MB). `known` are the hashes by name, else those of
    `HASHES`. Raises JarsUnavailableError, ForeignJarsError.
    """
    # Also those of the cache: whoever may write there could have changed them (decision 0107).
    jars = _found(cache, report)
    _check(jars, known_hashes() if known is None else known, cache)
    return jars


def known_hashes() -> dict[str, str]:
    """The sha256 of each jar, by its name."""
    rows = (line.split() for line in HASHES.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in rows}


def _check(jars: list[Path], known: Mapping[str, str], cache: Path) -> None:
    found = {jar.name: jar for jar in jars}
    wrong = [name for name in known if name not in found] + [
        name for name, jar in found.items() if _sha256(jar) != known.get(name)
    ]
    if wrong:
        raise ForeignJarsError(
            f"{len(wrong)} of Kafka's jars are not what this version was built for: {wrong[0]}",
            f"remove {cache}, so that they are fetched again; if it stays so, ask who changed them",
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _found(cache: Path, report: Callable[[str], None]) -> list[Path]:
    written = cache / f"kafka-{KAFKA_VERSION}.classpath"
    if jars := _read(written):
        return jars
    _make_own(cache)
    with _locked(cache / "lock"):
        if jars := _read(written):  # another process was faster
            return jars
        report(f"fetching Apache Kafka {KAFKA_VERSION} (46 jars, 44 MB, once)")
        jars = _resolve(cache)
        _write(written, jars)
    return jars


def _resolve(cache: Path) -> list[Path]:
    import jgo  # noqa: PLC0415  a quarter of a second that later starts need not pay

    try:
        environment = jgo.build("+".join(COORDINATES), update=True, cache_dir=cache / "jgo")
    except (OSError, RuntimeError, ValueError) as error:
        raise JarsUnavailableError(
            f"could not fetch the jars of Kafka {KAFKA_VERSION} ({_first_line(error)})",
            "check the network or the proxy settings and try again, copy a filled "
            f"{cache} from another machine, or set kafka.bootstrap to a running cluster",
        ) from error
    return sorted(environment.all_jars)


def _make_own(cache: Path) -> None:
    try:
        own_directory(cache)
    except OSError as error:
        raise JarsUnavailableError(
            f"the jars of Kafka cannot be kept in {cache} ({error.strerror or error})",
            "set ORDERLOOM_CACHE to a directory of your own",
        ) from None


def _first_line(error: Exception) -> str:
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0][:200] if words else 'no further words'}"


def _read(written: Path) -> list[Path]:
    """The noted jars, or nothing if one of them has gone since."""
    if not written.exists():
        return []
    jars = [Path(line) for line in written.read_text(encoding="utf-8").splitlines()]
    return jars if all(jar.exists() for jar in jars) else []


def _write(written: Path, jars: list[Path]) -> None:
    fresh = written.with_suffix(".new")
    fresh.write_text("\n".join(str(jar) for jar in jars) + "\n", encoding="utf-8")
    # Last, and at once: whoever finds the list finds every jar.
    fresh.replace(written)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with os.fdopen(open_own(path), "rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
