"""Every venue that can be simulated: what can be set of it does something."""

import re

import pytest

from simulator.faces import FACES
from tests.source_tree import ROOT

FOLDER = ROOT / "simulator"


@pytest.mark.parametrize("venue", FACES)
def test_each_setting_of_a_venue_is_read_by_its_code(venue: str) -> None:
    paths = [*FOLDER.glob("*.py"), *(FOLDER / venue).glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    fields = FACES[venue].settings.model_fields
    # As an attribute, or by its name as text.
    unread = [name for name in fields if not re.search(rf'(\.|"){name}\b', text)]
    assert fields
    assert not unread
