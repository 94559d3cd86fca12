"""Imports when used: `orderloom --help` shall not wait for Faust, Kafka and the exchanges.

if TYPE_CHECKING:
    from cli import showing
else:
    showing = Later("cli.showing")
"""

import importlib
from typing import Any


class Later:
    """Stands for the module `name`, which is imported at the first use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
