"""`python -m simulator [VENUE] [CONFIG.toml|CONFIG.json] [--faults FILE] [--port N] ...`.

The venue may also stand in the file; where both say one, they must agree.
"""

import argparse
import sys
from collections.abc import Callable
from errno import EADDRINUSE
from pathlib import Path

from pydantic import ValidationError

from runtime.problems import Location, problem_lines
from runtime.trouble import SettingsError
from simulator.config import KEYS, SimulatorConfig, sample_accounts
from simulator.faces import FACES, USUAL
from simulator.refusal import Refused
from simulator.server import BOXES, HOST, main, read_document


def run(arguments: list[str]) -> int:
    """Read the arguments, run the simulator, return the exit status."""
    parser = argparse.ArgumentParser(prog="simulator", description="A simulated venue.")
    parser.add_argument("words", nargs="*", metavar="[VENUE] [CONFIG]", help="TOML or JSON file")
    parser.add_argument("--faults", type=Path, help="TOML or JSON file with faults alone")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rate", type=float, help="private messages a second")
    options = parser.parse_args(arguments)
    try:
        config = _configured(options)
        BOXES[config.venue](config)  # made once to hear what is wrong with it: fault, symbol
    except (OSError, ValueError, SettingsError, Refused) as error:
        return _refused(str(error))
    try:
        main(config)
    except OSError as error:
        if error.errno != EADDRINUSE:
            raise
        remedy = "stop what listens there, or choose another with --port (0 takes a free one)"
        return _refused(f"port {config.port} on {HOST} is in use: {remedy}")
    return 0


def _refused(words: str) -> int:
    sys.stderr.write(f"simulator: {words}\n")
    return 2


def _configured(options: argparse.Namespace) -> SimulatorConfig:
    """Raises SettingsError with a line for each finding, ValueError, OSError."""
    venue, path = _words(options.words)
    try:
        return _checked(options, venue, path)
    except ValidationError as error:
        raise SettingsError(problem_lines(error, _source_of(options, path), KEYS)) from None


def _source_of(options: argparse.Namespace, path: Path | None) -> Callable[[Location], str]:
    def source(location: Location) -> str:
        if location[:1] == ("faults",) and options.faults:
            return str(options.faults)
        is_argument = location[:1] in (("port",), ("seed",)) or location == ("traffic", "rate")
        given = getattr(options, str(location[-1]), None) if is_argument else None
        return str(path) if path and given is None else "the arguments"

    return source


def _checked(options: argparse.Namespace, venue: str, path: Path | None) -> SimulatorConfig:
    given = read_document(path) if path else {}
    if venue and given.setdefault("venue", venue) != venue:
        raise ValueError(f"{path} is for {given['venue']}, not for {venue}")
    for name in ("port", "seed"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    if options.faults:
        given["faults"] = read_document(options.faults)
    face = FACES.get(str(given.get("venue", USUAL)))
    if face is not None:  # checked alone first: its mistakes are then named one by one
        face.settings.model_validate(given.get("face", {}))
    config = SimulatorConfig.model_validate(given)
    update: dict[str, object] = {}
    if options.rate is not None:
        traffic = {"rate": options.rate, "running": options.rate > 0}
        update["traffic"] = config.traffic.model_dump() | traffic
    if not config.accounts:
        update["accounts"] = sample_accounts(8, config.seed, config.venue)
    return SimulatorConfig.model_validate(config.model_dump() | update)


def _words(words: list[str]) -> tuple[str, Path | None]:
    """The venue and the file among the words without a name; each may be missing."""
    venues = [word for word in words if word in BOXES]
    files = [word for word in words if word not in BOXES]
    if len(venues) > 1 or len(files) > 1:
        raise ValueError(f"one venue ({', '.join(BOXES)}) and one file, please")
    return venues[0] if venues else "", Path(files[0]) if files else None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
