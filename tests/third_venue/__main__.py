"""The product's command where a third venue is registered: `python -m tests.third_venue ...`.

One line in the register, and then the same `orderloom ingest|process|sink|topics` as any user's.
"""

from typing import Any, cast

from cli.main import main
from tests.third_venue.dusk import DUSK
from venues import VENUES

if __name__ == "__main__":
    cast("dict[str, Any]", VENUES)[DUSK.name] = DUSK
    main()
