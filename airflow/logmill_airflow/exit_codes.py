"""What each exit code of logmill becomes in Airflow: one table. Knows no Airflow."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a task ends."""

    SUCCESS = "success"
    # Fails, and no retry is made: it would end in the same way.
    FAIL = "fail"
    # Fails, and is tried again as long as retries are left.
    RETRY = "retry"
    SKIP = "skip"


@dataclass(frozen=True)
class ExitCode:
    """An exit code: what logmill says of it, and what is made of it."""

    meaning: str
    outcome: Outcome
    reason: str


NOT_REGISTERED = 6
SOME_FAILED = 5
INTERRUPTED = 130

EXIT_CODES = {
    0: ExitCode("done", Outcome.SUCCESS, "done"),
    1: ExitCode("a defect of logmill: please report it", Outcome.FAIL, "the same input meets the same defect"),
    2: ExitCode("invalid command line, environment or config file", Outcome.FAIL, "somebody must mend it"),
    3: ExitCode(
        "more rows were rejected than --max-reject-ratio allows: nothing was published",
        Outcome.FAIL,
        "the data is bad, and stays so until somebody has looked at the quarantine",
    ),
    4: ExitCode(
        "input or output unusable, or a published day does not match its manifest or would lose rows",
        Outcome.FAIL,
        "a place is missing or may not be used, or the day would lose its rows; what passes by itself ends with 75",
    ),
    5: ExitCode(
        "some days or tables failed, while others were published or failed in another way",
        Outcome.FAIL,
        "tried again if one of the failures is one that is tried again by itself",
    ),
    6: ExitCode(
        "published, but not registered in the catalog",
        Outcome.RETRY,
        "the rows are safe and the call can be repeated; `logmill_daily` leaves it to its register task",
    ),
    75: ExitCode(
        "another run holds the day, or a service is unavailable: retry later", Outcome.RETRY, "it passes by itself"
    ),
    99: ExitCode(
        "no rows, and --fail-on-empty was given; or 'logmill why' has not found the event in the lake",
        Outcome.SKIP,
        "nothing to do for what follows",
    ),
    130: ExitCode(
        "interrupted by Ctrl-C or SIGTERM: only tables in the summary were published",
        Outcome.RETRY,
        "the machine or somebody stopped it, not the data",
    ),
}


def outcome_of(code: int, failures: Iterable[int] = ()) -> Outcome:
    """What a task makes of an exit code; `failures` are the exit codes that single failures had, where known.

    A code that is not in the table, a signal among them, is tried again: memory ran out, or the machine went.
    """
    if code == SOME_FAILED and any(outcome_of(each) is Outcome.RETRY for each in failures):
        return Outcome.RETRY
    known = EXIT_CODES.get(code)
    return known.outcome if known else Outcome.RETRY


def meaning_of(code: int) -> str:
    """What an exit code means, for people."""
    if code < 0:
        return f"ended by signal {-code}"
    known = EXIT_CODES.get(code)
    return known.meaning if known else "not an exit code of logmill"
