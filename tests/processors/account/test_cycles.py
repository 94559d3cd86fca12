"""The pages of one question: what they leave behind is saved, whatever turn they come in."""

from orderloom.question import About, Question
from processors.account.cycles import Cycles


def restarted(cycles: Cycles, saved: dict[str, object]) -> Cycles:
    """The cycles after a restart; of the questions, only what changed was written to `saved`."""
    product = cycles.product
    saved |= {name: cycles.pending[name].document(product) for name in cycles.changed}
    cycles.changed.clear()
    again = Cycles.load(cycles.document())
    for document in saved.values():
        assert isinstance(document, dict)
        again.load_question(document)
    return again


def test_what_a_page_out_of_turn_does_to_its_question_is_saved() -> None:
    calm, saved = Cycles("spot", 0), dict[str, object]()
    calm.ask(Question(id="q1", account="a:b", about=About.TRADES, product="spot"), 100)
    for asked_ns, page in ((2, 1), (1, 1), (2, 2)):  # the third is of another run than the second
        calm.take_page("q1", asked_ns, page, is_last=False)
        killed = restarted(calm, saved)
        assert killed.pending == calm.pending
    for cycles in (calm, killed):
        assert not cycles.take_page("q1", 1, 2, is_last=True)
        assert "q1" in cycles.pending
