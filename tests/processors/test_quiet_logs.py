"""Log lines of noisy libraries come once a minute; ours always."""

import logging

from processors.quiet_logs import OncePerMinute


def line(name: str, text: str) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "", 0, text, (), None)


def test_a_noisy_line_passes_once_a_minute_and_ours_always() -> None:
    now = 0.0
    once = OncePerMinute(lambda: now)
    passed = [once.filter(line("aiokafka.conn", "no broker %s")) for _ in range(3)]
    assert passed == [True, False, False]
    assert once.filter(line("aiokafka.conn", "another line"))
    assert all(once.filter(line("processors.ledger.runner", "no broker %s")) for _ in range(3))
    now = 61.0
    assert once.filter(line("aiokafka.conn", "no broker %s"))
