"""The lifecycle's table as people read it: a diagram in Mermaid and a table in Markdown. Pure.

docs/state-model.md holds both between markers, and a test compares them with what is drawn here:
the page cannot say other than the code. Each target of a row of `LIFECYCLE` is an arrow, named by
the kinds of evidence that lead there. A step that stays where it is gives no arrow: most pairs
have one, and all of them stand in the table.
"""

from collections.abc import Collection
from typing import Final

from orderloom.words import Lifecycle
from processors.orders.tracks.lifecycle import CLOSED, LIFECYCLE, Kind

SAME: Final = "="
"""How the table shows that a state stays what it is."""


def diagram(sources: Collection[Lifecycle]) -> str:
    """Mermaid's state diagram of every step that leaves one of `sources`."""
    lines = ["stateDiagram-v2"]
    if Lifecycle.NONE in sources:
        lines.append(f"    [*] --> {Lifecycle.NONE}")
    reached = set(sources)
    for source in Lifecycle:
        for target in Lifecycle:
            kinds = kinds_between(source, target)
            if source in sources and source is not target and kinds:
                lines.append(f"    {source} --> {target}: {', '.join(kinds)}")
                reached.add(target)
    closed = [state for state in Lifecycle if state in CLOSED and state in reached]
    lines.append("    classDef closed stroke-width:3px")
    lines.append(f"    class {','.join(closed)} closed")
    return "\n".join(lines)


def kinds_between(source: Lifecycle, target: Lifecycle) -> list[Kind]:
    """The kinds of evidence that may lead from one state to another, in the table's order."""
    return [kind for kind in Kind if target in LIFECYCLE[source, kind]]


def table() -> str:
    """The whole table in Markdown: a row for each kind of evidence, a column for each state."""
    rows = [["evidence", *Lifecycle], ["---"] * (1 + len(Lifecycle))]
    rows += [[kind, *(_cell(state, kind) for state in Lifecycle)] for kind in Kind]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(state: Lifecycle, kind: Kind) -> str:
    targets = LIFECYCLE[state, kind]
    moved = [target.value for target in Lifecycle if target in targets and target is not state]
    return ", ".join([SAME, *moved] if state in targets else moved)
