"""`python -m simulator [VENUE] [CONFIG.toml|CONFIG.json] [--faults FILE] [--port N] ...`.

The venue may also stand in the file; where both say one, they must agree.
"""

import argparse
import sys
from pathlib import Path

from simulator.config import SimulatorConfig, sample_accounts
from simulator.refusal import Refused
from simulator.server import BOXES, main, read_document


def run(arguments: list[str]) -> int:
    """Read the arguments, run the simulator, return the exit status."""
    parser = argparse.ArgumentParser(prog="simulator", description="A venue in a box.")
    parser.add_argument("words", nargs="*", metavar="[VENUE] [CONFIG]", help="TOML or JSON file")
    parser.add_argument("--faults", type=Path, help="TOML or JSON file with faults alone")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rate", type=float, help="private messages a second")
    options = parser.parse_args(arguments)
    try:
        config = _configured(options)
        BOXES[config.venue](config)  # made once to hear what is wrong with it: fault, symbol
    except (OSError, ValueError, Refused) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    main(config)
    return 0


def _configured(options: argparse.Namespace) -> SimulatorConfig:
    venue, path = _words(options.words)
    given = read_document(path) if path else {}
    if venue and given.setdefault("venue", venue) != venue:
        raise ValueError(f"{path} is for {given['venue']}, not for {venue}")
    for name in ("port", "seed"):
        if getattr(options, name) is not None:
            given[name] = getattr(options, name)
    if options.faults:
        given["faults"] = read_document(options.faults)
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
