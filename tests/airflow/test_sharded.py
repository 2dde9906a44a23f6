"""A day built in shards, one mapped task each, equals the bytes of a single run."""

from pathlib import Path
from typing import Any

from catalog import Registered
from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, binary, logmill, run_day

from conftest import settings_of
from dagruns import run_dag

STAGING = "_staging/airflow/"


def test_shards_staged_in_s3_give_the_bytes_of_a_single_run(
    registered: Registered, raw_logs: str, tmp_path: Path
) -> None:
    ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY, "shards": 3})
    assert ended.state == "success"
    assert ended.states("convert") == ["success"] * 3
    assert {entry["table"]: entry["rows"] for entry in ended.xcom("check")} == {"cloudtrail": 1430, "s3_access": 657}
    assert ended.xcom("staging").startswith(f"{registered.lake.url}/{STAGING}")
    plain = Registered(registered.aws, registered.aws.lake(), registered.database)
    ends = ("--input", raw_logs, "--output", plain.lake.url)
    logmill("run", "--day", SAMPLE_DAY, *ends, env=registered.aws.env(registered.aws.server))
    sharded = registered.lake.download(tmp_path / "sharded").digests()
    assert sharded == plain.lake.download(tmp_path / "plain").digests()
    assert len(sharded) == 2
    assert registered.location("cloudtrail").startswith(registered.lake.url)
    # Only a receipt remains of the staged files, and only in the bucket.
    left = [path for path in registered.lake.everything() if path.startswith("_staging")]
    assert [Path(path).name for path in left] == ["plan.json"]
    assert not Path("s3:").exists()


def test_shards_staged_in_a_folder_give_the_same_bytes(variable: Any, airflow_database: None, tmp_path: Path) -> None:
    logs, lake = REPOSITORY / SAMPLE_DATA, tmp_path / "lake"
    variable(binary=str(binary()), env={"LOGMILL_INPUT": str(logs), "LOGMILL_OUTPUT": str(lake)}, shards=2, retries=0)
    # The second round does what clearing the first run from `plan` on would do.
    for _ in range(2):
        ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY})
        assert (ended.state, ended.states("convert")) == ("success", ["success"] * 2)
        assert Lake(lake).digests() == run_day(tmp_path / "plain", source=logs).lake.digests()
        assert ended.xcom("staging").startswith(f"{lake}/{STAGING}")
        # The receipt, which a repeated publish needs.
        assert {path.name for path in (lake / STAGING).rglob("*") if path.is_file()} == {"plan.json"}


def test_staged_files_are_kept_if_a_shard_fails(registered: Registered, variable: Any, raw_logs: str) -> None:
    place = f"s3://{registered.aws.bucket('staging')}/here"
    settings = settings_of(registered, raw_logs, staging=place)
    settings["env"]["LOGMILL_MAX_REJECT_RATIO"] = "0"
    variable(**settings)
    ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY, "shards": 2})
    assert ended.state == "failed"
    assert ended.states("publish") == ["failed"]
    assert ended.states("check") == ["upstream_failed"]
    bucket, _, prefix = ended.xcom("staging").removeprefix("s3://").partition("/")
    staged = {key.removeprefix(f"{prefix}/") for key in registered.aws.keys(bucket)}
    assert {"plan.json", "cloudtrail/shard-00000/index.json", "s3_access/shard-00001/index.json"} <= staged


def test_a_run_without_a_staging_folder_fails_before_the_plan(variable: Any, airflow_database: None) -> None:
    variable(binary=str(binary()), retries=0)
    ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY})
    assert (ended.state, ended.states("staging"), ended.states("plan")) == ("failed", ["failed"], ["upstream_failed"])
