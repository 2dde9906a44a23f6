"""Maps each exit code of logmill to the outcome of a task, in one table. Independent of Airflow."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a task ends."""

    SUCCESS = "success"
    # Fails without a retry, because a retry would end in the same way.
    FAIL = "fail"
    # Fails, and is retried while retries are left.
    RETRY = "retry"
    SKIP = "skip"


@dataclass(frozen=True)
class ExitCode:
    """An exit code: its meaning, the outcome of the task, and the reason for that outcome."""

    meaning: str
    outcome: Outcome
    reason: str


NOT_REGISTERED = 6
SOME_FAILED = 5
INTERRUPTED = 130

EXIT_CODES = {
    0: ExitCode("done", Outcome.SUCCESS, "done"),
    1: ExitCode("a defect of logmill: please report it", Outcome.FAIL, "the same input triggers the same defect"),
    2: ExitCode("invalid command line, environment or config file", Outcome.FAIL, "needs a person"),
    3: ExitCode(
        "too many rejected rows, or no required proof: nothing was published",
        Outcome.FAIL,
        "the data is bad until a person has checked the quarantine",
    ),
    4: ExitCode(
        "input or output unusable, or a published day does not match its manifest or would lose rows",
        Outcome.FAIL,
        "a location is missing or inaccessible, or the day would lose rows; temporary failures end with 75",
    ),
    5: ExitCode(
        "some days or tables failed, while others were published or failed in another way",
        Outcome.FAIL,
        "retried only if at least one of the failures is retryable",
    ),
    6: ExitCode(
        "published, but not registered in the catalog",
        Outcome.RETRY,
        "the rows are safe and registration can be repeated; `logmill_daily` leaves it to its register task",
    ),
    75: ExitCode(
        "another run holds the day, or a service is unavailable: retry later", Outcome.RETRY, "the cause is temporary"
    ),
    99: ExitCode(
        "no rows, and --fail-on-empty was given; or 'logmill why' has not found the event in the lake",
        Outcome.SKIP,
        "downstream tasks have nothing to do",
    ),
    130: ExitCode(
        "interrupted by Ctrl-C or SIGTERM: only tables in the summary were published",
        Outcome.RETRY,
        "the machine or a person stopped the run; the data is fine",
    ),
}


def outcome_of(code: int, failures: Iterable[int] = ()) -> Outcome:
    """The outcome of a task for an exit code. `failures` are the exit codes of single failures, if known.

    An unknown code, including a signal, is retried: the process ran out of memory, or the machine was lost.
    """
    if code == SOME_FAILED and any(outcome_of(each) is Outcome.RETRY for each in failures):
        return Outcome.RETRY
    known = EXIT_CODES.get(code)
    return known.outcome if known else Outcome.RETRY


def meaning_of(code: int) -> str:
    """The meaning of an exit code, as text."""
    if code < 0:
        return f"ended by signal {-code}"
    known = EXIT_CODES.get(code)
    return known.meaning if known else "not an exit code of logmill"
