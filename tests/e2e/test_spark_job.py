"""The Spark job: a day on two executors that die on the way, and the handling of failures.

The executors are processes on this machine (`local-cluster`). A script in place of the binary decides what
happens to a shard, so that it happens at the same point in every run.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aws import Aws, S3Lake
from harness import DATASETS, PATIENCE, REPOSITORY, SAMPLE_DAY, binary, environment

JOB = REPOSITORY / "glue" / "jobs" / "logmill_spark.py"
SHARDS = 4
# The arguments that Glue adds to every job.
OF_GLUE = ("--JOB_NAME", "logmill", "--job-bookmark-option", "job-bookmark-disable", "--TempDir", "s3://tmp/")
SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
# Stands in for the binary. Follows the cases for attempts at a shard, and otherwise runs the binary.
SCRIPT = """#!/usr/bin/env bash
set -u
logmill={binary}
marks={marks}
shard=
if [ "$1" = convert ]; then
    for ((i = 1; i <= $#; i++)); do [ "${{!i}}" = --shard ] && j=$((i + 1)) && shard=${{!j}}; done
    echo "$shard" >> "$marks/attempts"
fi
executor() {{
    local pid=$PPID
    while [ "$(cat /proc/$pid/comm)" != java ]; do pid=$(awk '/^PPid/ {{print $2}}' /proc/$pid/status); done
    echo "$pid"
}}
first() {{ mkdir "$marks/first-$shard" 2> /dev/null; }}
case "$shard" in
{cases}
esac
exec "$logmill" "$@"
"""
DYING = """
0) if first; then kill -KILL "$(executor)"; exit 1; fi ;;
1) if first; then "$logmill" "$@" && kill -KILL "$(executor)"; exit 1; fi ;;
2) if first; then echo 'error: a service is away' >&2; exit 75; fi ;;
"""
FAILING = """
0) until [ -e "$marks/first-1" ]; do sleep 0.1; done; echo 'error: what a mess' >&2; exit 4 ;;
1) trap 'kill $!; touch "$marks/ended"; exit 130' TERM; first; sleep 1000 & wait ;;
"""


@pytest.fixture
def spark_home(tmp_path: Path) -> Path:
    """The Spark of the wheel, in a folder that workers can write to."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing = "Spark needs Java 17 or later: apt-get install openjdk-17-jre-headless"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    import pyspark

    home = tmp_path / "spark"
    home.mkdir()
    for entry in Path(pyspark.__file__).parent.iterdir():
        if entry.name != "work":
            (home / entry.name).symlink_to(entry)
    return home


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """The folder in which the script notes its actions."""
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder for the files of machines."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def script(folder: Path, marks: Path, cases: str) -> Path:
    """The script, as a file that was shipped without execute permission."""
    path = folder / "logmill"
    path.write_text(SCRIPT.format(binary=binary(), marks=marks, cases=cases))
    path.chmod(0o644)
    return path


def submit(
    home: Path, work: Path, master: str, *arguments: str | Path, env: dict[str, str], code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs the job as a user would, and asserts its exit code."""
    settings = SETTINGS | {"spark.local.dir": str(work / "local")}
    conf = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    result = subprocess.run(
        [home / "bin" / "spark-submit", "--master", master, *conf, JOB, *map(str, arguments)],
        cwd=work,
        env=environment() | env | {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert result.returncode == code, (
        f"exit code {result.returncode}\n{result.stdout}\n{result.stderr[-8000:]}"
    )
    return result


def attempts(marks: Path) -> dict[str, int]:
    """The number of attempts at each shard."""
    tried = (marks / "attempts").read_text().split()
    return {shard: tried.count(shard) for shard in tried}


def counts(lake: S3Lake, table: str) -> dict[str, Any]:
    """The ledger of a published day."""
    return lake.manifest(table)["ledger"]


def test_a_day_on_two_executors_that_die_equals_that_of_one_run(
    aws: Aws, raw_sample: str, spark_home: Path, work: Path, marks: Path, tmp_path: Path
) -> None:
    whole, sharded = aws.lake(), aws.lake()
    aws.run(whole, source=raw_sample)
    logmill = script(tmp_path, marks, DYING)
    arguments = ("--binary", logmill, "--day", SAMPLE_DAY, "--input", raw_sample, "--shards", SHARDS)
    place = ("--output", sharded.url, "--database", aws.database(), "--publish-options", "--create-database")
    env = aws.env(aws.server) | {"LOGMILL_SCRATCH": str(work)}
    done = submit(spark_home, work, "local-cluster[2,1,1024]", *arguments, *place, *OF_GLUE, env=env)
    summary = json.loads(done.stdout.splitlines()[-1])
    assert {entry["table"] for entry in summary["tables"]} == set(DATASETS)
    tried = attempts(marks)
    assert set(tried) == {str(shard) for shard in range(SHARDS)}
    assert all(tried[shard] > 1 for shard in ("0", "1", "2")), tried
    assert sharded.download(tmp_path / "a").digests() == whole.download(tmp_path / "b").digests()
    for table in DATASETS:
        assert counts(sharded, table) == counts(whole, table)
    left = [path for path in sharded.paths() if path.startswith("_staging/")]
    assert [path.rsplit("/", 1)[-1] for path in left] == ["plan.json"], "only a receipt should remain"
    sharded.assert_clean()


def test_a_permanently_failing_shard_ends_the_others_and_is_not_retried(
    spark_home: Path, work: Path, marks: Path, tmp_path: Path
) -> None:
    logmill = script(tmp_path, marks, FAILING)
    arguments = ("--binary", logmill, "--day", SAMPLE_DAY, "--input", REPOSITORY / "sample-data")
    place = ("--shards", "2", "--output", work / "lake")
    failed = submit(spark_home, work, "local[2,4]", *arguments, *place, env={}, code=4)
    assert "error: what a mess" in failed.stderr
    assert attempts(marks) == {"0": 1, "1": 1}
    until = time.monotonic() + PATIENCE
    while not (marks / "ended").exists():
        assert time.monotonic() < until, "the other shard was not stopped"
        time.sleep(0.1)
    assert not list((work / "lake").glob("[!_]*")), "nothing should be published"
