"""The daily DAG, from raw logs in S3 to a partition counted in Athena."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.amazon.aws.hooks.quicksight import QuickSightHook
from aws import ACCOUNT
from catalog import Registered
from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, binary, partition, run_day

from answers import Athena, Rows
from conftest import settings_of
from dagruns import asset_events, run_dag

ROWS = {"cloudtrail": 1430, "s3_access": 657}
YMD = SAMPLE_DAY.replace("-", "")


def test_a_day_is_registered_counted_and_announced(
    registered: Registered, athena: Athena, variable: Any, raw_logs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = registered.aws.client("quicksight").create_data_set(
        AwsAccountId=ACCOUNT, DataSetId=f"ds-{registered.database}", Name="n", PhysicalTableMap={}, ImportMode="SPICE"
    )
    refreshed: list[dict[str, Any]] = []
    ask = QuickSightHook.create_ingestion

    def create_ingestion(hook: QuickSightHook, **asked: Any) -> Any:
        refreshed.append(asked)
        return ask(hook, **asked)

    monkeypatch.setattr(QuickSightHook, "create_ingestion", create_ingestion)
    # A data set that shows both tables is refreshed once.
    data_sets = {table: [made["DataSetId"]] for table in ROWS}
    variable(**settings_of(registered, raw_logs, quicksight_data_sets=data_sets, quicksight_wait=False))
    ended = run_dag("logmill_daily", {"proc_ymd": YMD})
    assert ended.state == "success"
    assert ended.states("announce_others") == ["skipped"]
    assert sorted(set(ended.all_states())) == ["skipped", "success"]
    assert ended.all_states().count("skipped") == 1

    assert ended.labels("source.run") == ["cloudtrail", "s3_access"]
    published = [ended.xcom("source.check", index) for index in range(2)]
    assert {entry["table"]: entry["rows"] for entry in published} == ROWS
    for entry in published:
        assert entry["day"] == SAMPLE_DAY
        assert registered.location(entry["table"]).rstrip("/").endswith(f"/{partition(SAMPLE_DAY)}/{entry['run']}")
        assert registered.lake.manifest(entry["table"])["run"] == entry["run"]
    assert sorted(athena.asked) == [
        f'SELECT count(*) FROM "{registered.database}"."{table}" WHERE proc_ymd = \'{YMD}\'' for table in ROWS
    ]
    (asked,) = refreshed
    # The sample day is older than an incremental refresh reaches.
    assert asked["ingestion_type"] == "FULL_REFRESH"
    assert ended.xcom("refresh_spice", 0)["IngestionId"] == published[0]["run"] == asked["ingestion_id"]
    assert ended.labels("refresh_spice") == [made["DataSetId"]]
    assert asset_events(ended) == {
        (f"{registered.lake.url}/{entry['table']}", SAMPLE_DAY, entry["run"]) for entry in published
    }


def one_row_less(query: str, rows: Rows) -> Rows:
    """Miscounts one table."""
    return [[str(int(rows[0][0]) - 1)]] if "s3_access" in query else rows


def test_a_wrong_count_fails_the_run_but_not_the_other_table(registered: Registered, athena: Athena) -> None:
    athena.twist = one_row_less
    ended = run_dag("logmill_daily", {"proc_ymd": SAMPLE_DAY})
    assert ended.state == "failed"
    assert ended.states("source.check") == ["success", "failed"]
    assert ended.states("announce_cloudtrail") == ["success"]
    assert ended.states("announce_s3_access") == ["skipped"]
    assert ended.states("done") == ["upstream_failed"]


def test_a_missing_partition_fails_the_run(registered: Registered, athena: Athena) -> None:
    def unregister(query: str, rows: Rows) -> Rows:
        for table in ROWS:
            if f'"{table}"' in query:
                where = {"DatabaseName": registered.database, "TableName": table}
                registered.aws.glue.delete_partition(**where, PartitionValues=[YMD])
        return athena.answer(query)

    athena.twist = unregister
    ended = run_dag("logmill_daily", {"proc_ymd": SAMPLE_DAY})
    assert (ended.state, ended.states("source.check")) == ("failed", ["failed", "failed"])


def test_a_failing_source_does_not_block_the_other(
    registered: Registered, variable: Any, raw_logs: str, tmp_path: Path
) -> None:
    file = tmp_path / "logmill.toml"
    file.write_text(
        f"""
        [lake]
        output = "{registered.lake.url}"
        [catalog]
        database = "{registered.database}"
        create_database = true
        [[source]]
        dataset = "cloudtrail"
        input = "s3://no-such-bucket-{registered.database.replace("_", "-")}/"
        [[source]]
        dataset = "s3-access"
        table = "web"
        input = "{raw_logs}"
        """
    )
    variable(**settings_of(registered, raw_logs, env={}, config_file=str(file)))
    ended = run_dag("logmill_daily", {"proc_ymd": YMD})
    assert ended.state == "failed"
    assert ended.states("source.run") == ["failed", "success"]
    assert ended.states("source.check") == ["upstream_failed", "success"]
    assert ended.states("announce_cloudtrail") == ["skipped"]
    assert ended.states("announce_web") == ["success"]
    assert registered.partition("web")["Values"] == [YMD]


def test_fail_on_empty_skips_a_day_without_rows(registered: Registered, variable: Any, raw_logs: str) -> None:
    settings = settings_of(registered, raw_logs)
    settings["env"]["LOGMILL_FAIL_ON_EMPTY"] = "true"
    variable(**settings)
    ended = run_dag("logmill_daily", {"proc_ymd": "2020-01-01"})
    assert ended.state == "success"
    assert ended.states("source.run") == ["skipped", "skipped"]
    assert ended.states("announce_cloudtrail") == ["skipped"]


def test_a_lake_in_a_folder_needs_no_aws(variable: Any, airflow_database: None, tmp_path: Path) -> None:
    """Also with a single source."""
    env = {"LOGMILL_INPUT": str(REPOSITORY / SAMPLE_DATA), "LOGMILL_OUTPUT": str(tmp_path / "lake")}
    variable(binary=str(binary()), env=env, sources=[{"dataset": "cloudtrail"}])
    ended = run_dag("logmill_daily", {"proc_ymd": YMD})
    assert (ended.state, ended.states("announce_cloudtrail")) == ("success", ["success"])
    plain = run_day(tmp_path / "plain", "--dataset", "cloudtrail", source=REPOSITORY / SAMPLE_DATA)
    assert Lake(tmp_path / "lake").digests() == plain.lake.digests()


def test_a_day_has_tasks_for_the_tables_that_its_inputs_hold(
    variable: Any, airflow_database: None, tmp_path: Path
) -> None:
    """Without sources and config file, and with log types that the package does not know."""
    logs, lake = tmp_path / "logs", tmp_path / "lake"
    for name in ("cloudtrail", "resolver-query"):
        shutil.copytree(REPOSITORY / SAMPLE_DATA / name, logs / name)
    env = {"LOGMILL_INPUT": str(logs), "LOGMILL_OUTPUT": str(lake)}
    variable(binary=str(binary()), env=env, retries=0)
    ended = run_dag("logmill_daily", {"proc_ymd": YMD})
    assert ended.state == "success"
    assert ended.labels("source.run") == ["cloudtrail", "resolver_query"]
    states = {f"announce_{name}": ended.states(f"announce_{name}") for name in ("cloudtrail", "s3_access", "others")}
    assert states == {
        "announce_cloudtrail": ["success"],
        "announce_s3_access": ["skipped"],
        "announce_others": ["success"],
    }
    tables = {uri.removeprefix(f"file://{lake}/") for uri, _, _ in asset_events(ended)}
    assert tables == {"cloudtrail", "resolver_query"}
    assert Lake(lake).digests() == run_day(tmp_path / "plain", source=logs).lake.digests()
