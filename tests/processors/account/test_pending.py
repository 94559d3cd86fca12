"""The earliest of many questions is known without a walk, and is what a walk would find."""

from random import Random

from orderloom.question import About, Question
from processors.account.pending import Pending, QuestionTimers
from processors.account.targets import DOUBT, GAP, Targets


def a_pending(number: int, due_ns: int, *, has_failed: bool = False) -> Pending:
    question = Question(id=f"q{number}", account="a:b", about=About.TRADES, product="spot")
    return Pending(question, due_ns, has_failed=has_failed)


def test_what_failed_is_due_at_its_time_and_what_did_not_only_after_patience() -> None:
    timers = QuestionTimers()
    timers.set(a_pending(1, 100))
    assert (timers.due_ns(0), timers.due_ns(150)) == (100, 150)
    timers.set(a_pending(2, 130, has_failed=True))
    assert (timers.due_ns(0), timers.due_ns(150)) == (100, 130)
    timers.set(a_pending(1, 160, has_failed=True))
    assert timers.due_ns(0) == 130
    timers.drop("q2")
    assert timers.due_ns(0) == 160


def test_the_earliest_question_is_that_of_a_walk() -> None:
    dice = Random(5)
    timers, pending = QuestionTimers(), dict[str, Pending]()
    for _ in range(2_000):
        one = a_pending(dice.randrange(40), dice.randrange(500), has_failed=dice.random() < 0.3)
        name = one.question.id
        if name in pending and dice.random() < 0.4:
            del pending[name]
            timers.drop(name)
        else:
            pending[name] = one
            timers.set(one)
        if pending:
            patient_ns = dice.randrange(500)
            due = [
                one.due_ns if one.has_failed else max(one.due_ns, patient_ns)
                for one in pending.values()
            ]
            assert timers.due_ns(patient_ns) == min(due)


def test_the_earliest_doubt_is_that_of_a_walk() -> None:
    dice, targets = Random(6), Targets()
    for number in range(2_000):
        key, why = f"o{dice.randrange(50)}", dice.choice((DOUBT, GAP))
        target = targets.by_name.get(f"{why} {key}")
        if target is None:
            targets.raise_doubt(key, why, dice.randrange(500))
        elif dice.random() < 0.4:
            targets.settle(key, why)
        elif dice.random() < 0.5:
            targets.asked(target, f"q{number}", dice.randrange(500))
        else:
            targets.put_off(target, dice.randrange(500))
        due = [one.due_ns for one in targets.by_name.values()]
        assert targets.due_ns() == min(due, default=None)
