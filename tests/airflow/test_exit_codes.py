"""The table of exit codes matches the binary and gives each code an outcome."""

import re

import pytest
from harness import logmill
from logmill_airflow.exit_codes import EXIT_CODES, Outcome, meaning_of, outcome_of


def test_codes_and_meanings_match_the_binary() -> None:
    printed = logmill("--help").stdout.partition("Exit codes:\n")[2]
    codes = {int(code): meaning for code, meaning in re.findall(r"^ *(\d+)  (.+)$", printed, re.MULTILINE)}
    assert codes == {code: entry.meaning for code, entry in EXIT_CODES.items()}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.SUCCESS),
        (1, Outcome.FAIL),
        (2, Outcome.FAIL),
        (3, Outcome.FAIL),
        (4, Outcome.FAIL),
        (5, Outcome.FAIL),
        (6, Outcome.RETRY),
        (75, Outcome.RETRY),
        (99, Outcome.SKIP),
        (130, Outcome.RETRY),
        (-9, Outcome.RETRY),
        (137, Outcome.RETRY),
    ],
)
def test_each_code_has_an_outcome(code: int, outcome: Outcome) -> None:
    assert outcome_of(code) is outcome


@pytest.mark.parametrize(
    ("failures", "outcome"),
    [([3], Outcome.FAIL), ([3, 75], Outcome.RETRY), ([4, 6], Outcome.RETRY), ([], Outcome.FAIL)],
)
def test_mixed_failures_are_retried_if_one_is_retryable(failures: list[int], outcome: Outcome) -> None:
    assert outcome_of(5, failures) is outcome
    assert outcome_of(4, failures) is Outcome.FAIL


def test_unknown_codes_have_a_meaning() -> None:
    assert meaning_of(-9) == "ended by signal 9"
    assert meaning_of(17) == "not an exit code of logmill"
