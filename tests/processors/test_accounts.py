"""The accounts of a partition: what is said to one, or to nobody, costs the others nothing."""

from orderloom.raw import Liveness
from processors.account.owner import OWNER
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_frame, a_raw_record, live
from tests.processors.test_partition import SECOND, synced_run

OTHER = "binance:other"


def a_liveness(at_ns: int) -> Liveness:
    """Both connections of the account are heard."""
    entries = [
        {"account": ACCOUNT, "connection": f"c-{product}", "product": product, "last_number": 0}
        | {"heard_ns": at_ns}
        for product in ("spot", "linear")
    ]
    return Liveness(at_ns, entries)


def written(run: Run) -> set[bytes]:
    """The keys of the state records of a step."""
    return set(run.partition.changes().state)


def hear(run: Run, at_ns: int) -> set[bytes]:
    """The owner lists its connections; the state records that this wrote."""
    run.partition.fold(a_raw_record(a_liveness(at_ns), account="venue"), at_ns)
    run.partition.tick(at_ns)
    return written(run)


def test_an_account_on_which_nothing_happens_writes_no_state() -> None:
    run = synced_run()
    run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = NOW + 6 * SECOND
    hear(run, NOW + 7 * SECOND)  # its first record: instruments are asked for
    for seconds in range(8, 27):
        assert hear(run, NOW + seconds * SECOND) == {f"{OWNER}/owner".encode()}


def test_what_was_heard_last_is_known_after_a_restart() -> None:
    run = synced_run()
    run.partition.accounts[ACCOUNT].streams.owner.liveness_ns = NOW + 6 * SECOND
    run.step(a_raw_record(a_liveness(NOW + 9 * SECOND), account="venue"), NOW + 9 * SECOND)
    run.restart()
    run.step(None, NOW + 16 * SECOND)
    blind = run.partition.accounts[ACCOUNT].streams.blind
    assert {interval.start_ns for interval in blind} == {NOW + 9 * SECOND}


def test_what_is_said_to_one_account_writes_nothing_of_another() -> None:
    run = synced_run()
    run.step(a_raw_record(live(), account=OTHER))
    run.partition.fold(a_raw_record(a_frame(b"nonsense"), account=OTHER), NOW + 6 * SECOND)
    assert not [key for key in written(run) if ACCOUNT.encode() in key]
