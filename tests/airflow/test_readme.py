"""The tables of the README match the code."""

import re
from dataclasses import fields

from logmill_airflow.config import Config
from logmill_airflow.exit_codes import EXIT_CODES, Outcome

from surroundings import REPOSITORY

README = (REPOSITORY / "airflow" / "README.md").read_text("utf-8")
OUTCOMES = {
    Outcome.SUCCESS: "succeeds",
    Outcome.FAIL: "fails, no retry",
    Outcome.RETRY: "is retried",
    Outcome.SKIP: "is skipped",
}


def test_exit_codes() -> None:
    found = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", README, re.MULTILINE)
    assert found == [(str(code), OUTCOMES[entry.outcome], entry.reason) for code, entry in EXIT_CODES.items()]


def test_keys_of_the_variable() -> None:
    section = README.partition("## The variable `logmill`")[2].partition("\n## ")[0]
    keys = [
        key for cells in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE) for key in re.findall("`(.+?)`", cells)
    ]
    assert sorted(keys) == sorted(field.name for field in fields(Config))


def test_dags() -> None:
    named = set(re.findall(r"^\| `(logmill_\w+)` \|", README, re.MULTILINE))
    assert named == {path.stem for path in (REPOSITORY / "airflow" / "dags").glob("*.py")}
