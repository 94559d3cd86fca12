"""Trouble that a person must mend: one line that says what is wrong, and what to do."""


class SetupError(Exception):
    """Something outside the program is not as it must be.

    `str()` is one line: the cause, then what to do about it. `exit_status` is what a process that
    ends with it says: one that is worth another try, or not (sysexits.h).
    """

    exit_status = 78  # EX_CONFIG: nothing changes until a person changes it

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}: {remedy}")
        self.cause = cause
        self.remedy = remedy


class SettingsError(SetupError):
    """Settings that cannot be used; `lines` says each: key, what was given, what to change."""

    def __init__(self, lines: list[str]) -> None:
        cause = f"{len(lines)} wrong settings" if len(lines) > 1 else "wrong setting"
        super().__init__(cause, "; ".join(lines))
        self.lines = tuple(lines)


class PassingTrouble(SetupError):
    """May mend itself: whoever supervises tries again."""

    exit_status = 75  # EX_TEMPFAIL
