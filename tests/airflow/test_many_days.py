"""The DAGs for many days, and for days that need a rebuild."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from harness import DATASETS, NAMED, REPOSITORY, SAMPLE_DATA, Lake, binary, run_day

from dagruns import run_dag

LATE = "s3-access/simple/web-2023-10-31-21-40-00-28325E2FEC1ECAB"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Raw logs that a test may change."""
    for name in DATASETS.values():
        shutil.copytree(REPOSITORY / SAMPLE_DATA / name, tmp_path / "logs" / name)
    return tmp_path / "logs"


@pytest.fixture
def lake(tmp_path: Path, logs: Path, variable: Any, airflow_database: None) -> Lake:
    """A lake that the DAGs fill."""
    env = {"LOGMILL_INPUT": str(logs), "LOGMILL_OUTPUT": str(tmp_path / "lake")}
    variable(binary=str(binary()), env=env, retries=0)
    return Lake(tmp_path / "lake")


def built(ended: Any) -> set[tuple[str, str]]:
    """Tables and days that a run built."""
    return {(entry["table"], entry["day"]) for entry in ended.xcom("published")}


def test_a_backfill_builds_the_days_of_its_params(lake: Lake, logs: Path, tmp_path: Path) -> None:
    ended = run_dag("logmill_backfill", {"from": "20231031", "to": "2023-11-02"})
    assert ended.state == "success"
    days = ("2023-10-31", "2023-11-01", "2023-11-02")
    assert built(ended) == {(table, day) for table in ("cloudtrail", "s3_access") for day in days}
    for day in days:
        run_day(tmp_path / "plain", *NAMED, day=day, source=logs)
    assert lake.digests() == Lake(tmp_path / "plain").digests()
    again = run_dag("logmill_backfill", {"from": "20231031", "to": "2023-11-02"})
    assert (again.state, built(again), again.states("announce_cloudtrail")) == ("success", set(), ["skipped"])
    every = run_dag("logmill_backfill", {"from": "20231101", "to": "2023-11-01", "only": ["all"]})
    assert built(every) == {("cloudtrail", "2023-11-01"), ("s3_access", "2023-11-01")}


def test_nothing_runs_without_settings(
    airflow_database: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in `airflow dags test`, which parses a DAG without the variables of the database."""
    monkeypatch.delenv("AIRFLOW_VAR_LOGMILL", raising=False)
    monkeypatch.chdir(tmp_path)
    ended = run_dag("logmill_backfill", {"from": "2023-11-01", "to": "2023-11-01"})
    assert (ended.state, ended.states("tables")) == ("failed", ["failed"])
    captured = capfd.readouterr()
    assert "no settings found" in captured.out + captured.err


def test_a_backfill_without_a_first_day_is_refused(lake: Lake) -> None:
    ended = run_dag("logmill_backfill")
    assert (ended.state, ended.states("tables")) == ("failed", ["failed"])


def test_the_watch_builds_only_missing_and_stale_days(lake: Lake, logs: Path) -> None:
    first = run_dag("logmill_watch", {"days": 2, "to": "2023-11-02"})
    assert first.state == "success"
    assert built(first) == {
        (table, day) for table in ("cloudtrail", "s3_access") for day in ("2023-11-01", "2023-11-02")
    }
    assert first.labels("rebuild")[0] == "cloudtrail 2023-11-01"
    unchanged = run_dag("logmill_watch", {"days": 2, "to": "2023-11-02"})
    assert (unchanged.state, unchanged.states("rebuild")) == ("success", ["skipped"])
    shutil.copy(logs / f"{LATE}E", logs / f"{LATE}F")
    missing = run_dag("logmill_watch", {"days": 2, "to": "2023-11-02", "only": ["missing"]})
    assert missing.states("rebuild") == ["skipped"]
    late = run_dag("logmill_watch", {"days": 2, "to": "2023-11-02"})
    assert (late.state, built(late)) == ("success", {("s3_access", "2023-11-01")})
    assert late.states("announce_s3_access") == ["success"]
    assert late.states("announce_cloudtrail") == ["skipped"]


def test_the_watch_builds_no_day_before_the_first_log(lake: Lake) -> None:
    """Days before the first rows of a table are not missing. Otherwise each round would build more of them."""
    ended = run_dag("logmill_watch", {"days": 8, "to": "2023-11-02"})
    assert ended.state == "success"
    first = {"cloudtrail": "2023-10-31", "s3_access": "2023-10-29"}
    days = ("2023-10-28", "2023-10-29", "2023-10-30", "2023-10-31", "2023-11-01", "2023-11-02")
    assert built(ended) == {(table, day) for table in first for day in days if day >= first[table]}
    unchanged = run_dag("logmill_watch", {"days": 8, "to": "2023-11-02"})
    assert (unchanged.state, unchanged.states("rebuild")) == ("success", ["skipped"])
