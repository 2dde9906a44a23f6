"""The DAGs as Airflow reads them."""

import ast
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers_manager import ProvidersManager
from airflow.sdk import CronPartitionTimetable
from airflow.serialization.serialized_objects import DagSerialization

from dagruns import load
from surroundings import DAGS, REPOSITORY

SETTINGS: dict[str, Any] = {
    "database": "logs",
    "env": {"LOGMILL_OUTPUT": "s3://lake/logs"},
    "quicksight_data_sets": {"cloudtrail": ["events"]},
    "pool": "logs",
    "retries": 7,
}
DAG_IDS = {"logmill_daily", "logmill_backfill", "logmill_watch", "logmill_sharded"}
# Each task, with the tasks that it waits for.
DAILY = {
    "day": set(),
    "wait_for_logs": {"day"},
    "tables": {"wait_for_logs"},
    "source.run": {"tables", "wait_for_logs"},
    "source.register": {"source.run", "tables"},
    "source.check": {"source.run", "source.register"},
    "announce_cloudtrail": {"source.check"},
    "announce_s3_access": {"source.check"},
    "announce_others": {"source.check"},
    "spice_refreshes": {"source.check"},
    "refresh_spice": {"spice_refreshes"},
    "done": {"source.check", "announce_cloudtrail", "announce_s3_access", "announce_others", "refresh_spice"},
}
SHARDED = {
    "day": set(),
    "staging": set(),
    "plan": {"day", "staging"},
    "shards": {"plan", "staging"},
    "convert": {"shards"},
    "publish": {"convert"},
    "check": {"publish"},
    "announce_cloudtrail": {"check"},
    "announce_s3_access": {"check"},
    "announce_others": {"check"},
    "done": {"check", "announce_cloudtrail", "announce_s3_access", "announce_others"},
}
WATCH = {
    "status": set(),
    "tables": set(),
    "behind": {"status", "tables"},
    "rebuild": {"behind"},
    "published": {"rebuild"},
    "announce_cloudtrail": {"published"},
    "announce_s3_access": {"published"},
    "announce_others": {"published"},
    "done": {"rebuild", "announce_cloudtrail", "announce_s3_access", "announce_others"},
}
BACKFILL = {
    "tables": set(),
    "backfill": {"tables"},
    "published": {"backfill"},
    "announce_cloudtrail": {"published"},
    "announce_s3_access": {"published"},
    "announce_others": {"published"},
    "done": {"backfill", "announce_cloudtrail", "announce_s3_access", "announce_others"},
}


@pytest.fixture(autouse=True)
def settings(variable: Any) -> None:
    """Settings that use every feature."""
    variable(**SETTINGS)


def test_all_dags_load_without_errors() -> None:
    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    assert set(bag.dags) == DAG_IDS


def test_all_dags_load_without_settings(monkeypatch: pytest.MonkeyPatch, airflow_database: None) -> None:
    monkeypatch.delenv("AIRFLOW_VAR_LOGMILL")
    assert DagBag(str(DAGS)).import_errors == {}


def test_an_import_error_names_a_mistake_in_the_settings(variable: Any) -> None:
    variable(databse="logs")
    errors = DagBag(str(DAGS)).import_errors
    assert len(errors) == len(DAG_IDS)
    assert all("unknown keys: 'databse': did you mean 'database'?" in error for error in errors.values())


@pytest.mark.parametrize(
    ("dag_id", "waits_for"),
    [
        ("logmill_daily", DAILY),
        ("logmill_sharded", SHARDED),
        ("logmill_watch", WATCH),
        ("logmill_backfill", BACKFILL),
    ],
)
def test_structure(dag_id: str, waits_for: dict[str, set[str]]) -> None:
    dag = load(dag_id)
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == waits_for


def test_sources_of_the_variable_need_no_listing(variable: Any) -> None:
    variable(sources=[{"dataset": "waf", "table": "edge"}])
    for dag_id in DAG_IDS:
        tasks = {task.task_id for task in load(dag_id).tasks}
        assert not tasks & {"tables", "announce_others"}
        assert "announce_edge" in tasks


def test_parsing_starts_no_program(variable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: Any, **_: Any) -> None:
        raise AssertionError(words)

    monkeypatch.setattr(subprocess, "Popen", refuse)
    variable(binary="/no/such/logmill")
    assert DagBag(str(DAGS)).import_errors == {}


def test_without_a_database_nothing_is_registered(variable: Any) -> None:
    variable(env={"LOGMILL_OUTPUT": "/lake"})
    assert not [task for id_ in DAG_IDS for task in load(id_).tasks if "register" in task.task_id]


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_every_dag_can_run_unattended(dag_id: str) -> None:
    dag = load(dag_id)
    assert dag.catchup is False
    assert dag.max_active_runs in {1, 2, 4}
    DagSerialization.serialize_dag(dag)
    for task in dag.tasks:
        assert task.pool == "logs"
        assert task.retries == 7
        assert task.retry_exponential_backoff
        assert task.max_retry_delay == timedelta(hours=1)
        if task.task_id != "wait_for_logs":
            assert task.execution_timeout == timedelta(hours=6), task.task_id


def test_the_daily_run_starts_at_the_midnight_that_ends_its_day() -> None:
    timetable = load("logmill_daily").timetable
    assert isinstance(timetable, CronPartitionTimetable)
    assert (timetable.expression, str(timetable.timezone), timetable.run_offset, timetable.key_format) == (
        "0 0 * * *", "Asia/Seoul", -1, "%Y-%m-%d",
    )  # fmt: skip


@pytest.mark.parametrize("dag_id", sorted(DAG_IDS))
def test_each_table_is_an_asset(dag_id: str) -> None:
    outlets = {
        task.task_id: [getattr(asset, "uri", asset.name) for asset in task.outlets]
        for task in load(dag_id).tasks
        if task.outlets
    }
    assert outlets == {
        "announce_others": ["logmill"],
        "announce_cloudtrail": ["s3://lake/logs/cloudtrail"],
        "announce_s3_access": ["s3://lake/logs/s3_access"],
    }


def test_no_template_uses_the_logical_date() -> None:
    for file in [*DAGS.glob("*.py"), *(REPOSITORY / "airflow" / "logmill_airflow").glob("*.py")]:
        texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
        rendered = [text for text in texts if isinstance(text, str) and "{{" in text and "`{{ ds }}`" not in text]
        assert not [text for text in rendered if " ds" in text or "logical_date" in text], file


def test_airflow_lists_the_package_as_a_provider() -> None:
    provider = ProvidersManager().providers["logmill-airflow"]
    assert provider.version == "0.2.0"
    modules = provider.data["operators"][0]["python-modules"]
    assert all((REPOSITORY / "airflow" / Path(*module.split("."))).with_suffix(".py").is_file() for module in modules)
