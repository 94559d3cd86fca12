"""`python -m simulator [CONFIG.toml|CONFIG.json] [--port N] [--seed N] [--rate N]`."""

import argparse
import sys
from pathlib import Path

from simulator.config import SimulatorConfig, sample_accounts
from simulator.server import load_config, main


def run(arguments: list[str]) -> int:
    """Read the arguments, run the simulator, return the exit status."""
    parser = argparse.ArgumentParser(prog="simulator", description="A venue in a box.")
    parser.add_argument("config", nargs="?", type=Path, help="TOML or JSON file")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rate", type=float, help="private messages a second")
    options = parser.parse_args(arguments)
    try:
        config = _configured(options)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    main(config)
    return 0


def _configured(options: argparse.Namespace) -> SimulatorConfig:
    config = load_config(options.config) if options.config else SimulatorConfig()
    update: dict[str, object] = {
        name: value
        for name, value in (("port", options.port), ("seed", options.seed))
        if value is not None
    }
    if options.rate is not None:
        traffic = {"rate": options.rate, "running": options.rate > 0}
        update["traffic"] = config.traffic.model_dump() | traffic
    if not config.accounts:
        update["accounts"] = sample_accounts(8, options.seed or config.seed)
    return SimulatorConfig.model_validate(config.model_dump() | update)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
