"""A day in shards: one mapped task each, and the bytes of a plain run."""

from pathlib import Path
from typing import Any

from catalog import Registered
from harness import SAMPLE_DAY, logmill

from conftest import settings_of
from dagruns import run_dag


def test_shards_give_the_bytes_of_a_plain_run(
    registered: Registered, variable: Any, raw_logs: str, tmp_path: Path
) -> None:
    staging = tmp_path / "staging"
    variable(**settings_of(registered, raw_logs, staging=str(staging)))
    ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY, "shards": 3})
    assert ended.state == "success"
    assert ended.states("convert") == ["success"] * 3
    assert {entry["table"]: entry["rows"] for entry in ended.xcom("check")} == {"cloudtrail": 1430, "s3_access": 657}
    plain = Registered(registered.aws, registered.aws.lake(), registered.database)
    ends = ("--input", raw_logs, "--output", plain.lake.url)
    logmill("run", "--day", SAMPLE_DAY, *ends, env=registered.aws.env(registered.aws.server))
    sharded = registered.lake.download(tmp_path / "sharded").digests()
    assert sharded == plain.lake.download(tmp_path / "plain").digests()
    assert len(sharded) == 2
    assert registered.location("cloudtrail").startswith(registered.lake.url)
    assert list(staging.iterdir()) == []


def test_what_is_staged_stays_where_a_shard_fails(
    registered: Registered, variable: Any, raw_logs: str, tmp_path: Path
) -> None:
    settings = settings_of(registered, raw_logs, staging=str(tmp_path / "staging"))
    settings["env"]["LOGMILL_MAX_REJECT_RATIO"] = "0"
    variable(**settings)
    ended = run_dag("logmill_sharded", {"proc_ymd": SAMPLE_DAY, "shards": 2})
    assert ended.state == "failed"
    assert ended.states("publish") == ["failed"]
    assert ended.states("clean") == ["upstream_failed"]
    (folder,) = (tmp_path / "staging").iterdir()
    assert (folder / "plan.json").is_file()
