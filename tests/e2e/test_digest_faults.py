"""Kills and faults while digests are on: the day is proved in the end, or the run says why it is not."""

import json
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aws import Aws, S3Lake, run_arguments
from digest_chains import DAY, Chain, Objects, Signer, write
from faults import ACCESS_DENIED, INTERNAL_ERROR, SLOW_DOWN, Cut, Fault, FaultProxy, Lose, Strike
from harness import MANIFESTS, Lake, logmill, started
from test_digests import put
from test_s3_kills import signalled

DIGEST = "*CloudTrail-Digest*.json.gz"


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The key that takes the place of AWS."""
    return Signer()


@pytest.fixture
def keys(signer: Signer, tmp_path: Path) -> Path:
    """The file of public keys."""
    return signer.write(tmp_path / "keys.json")


@pytest.fixture
def trail(aws: Aws, signer: Signer) -> str:
    """A bucket with a whole trail."""
    bucket = aws.bucket("trail")
    put(bucket, Chain(signer, bucket=bucket).make())
    return f"s3://{bucket}"


def proof(aws: Aws, lake: S3Lake, trail: str, keys: Path, *options: str) -> dict[str, Any]:
    """Runs the day; returns the proof in its summary."""
    options = ("--dataset", "cloudtrail", "--public-keys", str(keys), *options)
    [table] = aws.run(lake, *options, source=trail, day=DAY)["tables"]
    return table["proof"]


@pytest.mark.parametrize(
    "fault", [INTERNAL_ERROR, SLOW_DOWN, Lose(carried_out=False)], ids=["500", "503", "lost"]
)
def test_digests_that_fail_for_a_while_are_read_again(
    aws: Aws, proxy: FaultProxy, trail: str, keys: Path, fault: Fault
) -> None:
    """Errors of S3 and answers that break off do not change the verdict."""
    rules = [
        proxy.rule(fault, operation="GetObject", path=DIGEST, times=3),
        proxy.rule(Cut(100), operation="GetObject", path=DIGEST, skip=5, times=2),
    ]
    found = proof(aws, aws.lake(), trail, keys)
    assert [rule.struck for rule in rules] == [3, 2]
    assert (found["verdict"], found["named"], found["right"]) == ("proved", 60, 60)


def test_digests_that_may_not_be_read_leave_the_day_unproved(
    aws: Aws, proxy: FaultProxy, trail: str, keys: Path
) -> None:
    """A job without the permission publishes as before, unless digests are required."""
    proxy.rule(ACCESS_DENIED, operation="GetObject", path=DIGEST)
    lake = aws.lake()
    assert proof(aws, lake, trail, keys)["verdict"] == "unproved"
    command = ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", trail, "--output", lake.url)
    refused = aws.logmill(*command, "--public-keys", keys, "--digests", "require", code=4)
    assert "s3:GetObject" in refused.stderr
    refused = aws.logmill(*command, "--public-keys", keys, "--require-proof", code=3)
    assert "digests do not prove the day" in refused.stderr


def test_digests_that_fail_for_long_end_the_run_until_the_next_attempt(
    aws: Aws, proxy: FaultProxy, trail: str, keys: Path
) -> None:
    """An outage says nothing about the day, so that it is neither published nor called unproved."""
    proxy.rule(SLOW_DOWN, operation="GetObject", path=DIGEST)
    lake, command = aws.lake(), ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", trail)
    few = {"AWS_MAX_ATTEMPTS": "2"}
    failed = aws.logmill(*command, "--output", lake.url, "--public-keys", keys, env=few, code=75)
    assert "SlowDown" in failed.stderr
    assert lake.tables() == set()


# Where a run is killed: at a request, before or after it is carried out.
KILLS = {
    "first digest": {"operation": "GetObject", "path": DIGEST},
    "last digest": {"operation": "GetObject", "path": DIGEST, "skip": 32},
    "first log": {"operation": "GetObject", "path": "*/CloudTrail/*"},
    "upload": {"operation": "CompleteMultipartUpload"},
    "commit": {"operation": "PutObject", "path": MANIFESTS},
}


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", KILLS)
def test_a_run_over_s3_that_is_killed_leaves_the_next_one_a_day_to_prove(
    aws: Aws, proxy: FaultProxy, trail: str, keys: Path, where: str, carried_out: bool
) -> None:
    """Between its digests and its commit, no run leaves a day without the whole proof."""
    lake = aws.lake()
    options = ("--dataset", "cloudtrail", "--public-keys", str(keys))
    arguments = run_arguments(lake, *options, source=trail, day=DAY)
    strike = partial(Strike, carried_out=carried_out)
    code, messages = signalled(aws, proxy, signal.SIGKILL, strike, KILLS[where], arguments)
    assert code == -signal.SIGKILL, messages
    proxy.forget()
    is_committed = where == "commit" and carried_out
    assert lake.tables() == ({"cloudtrail"} if is_committed else set())
    found = proof(aws, lake, trail, keys, "--require-proof")
    assert (found["verdict"], found["named"], found["right"]) == ("proved", 60, 60)
    lake.assert_clean()


def test_a_killed_run_leaves_the_next_one_a_day_to_prove(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """Whenever the kill comes, the next run publishes the whole day."""
    objects: Objects = Chain(signer, logs_an_hour=12).make()
    raw, folder = write(objects, tmp_path / "raw"), tmp_path / "lake"
    command = (
        "run",
        "--day",
        DAY,
        "--dataset",
        "cloudtrail",
        "--input",
        raw,
        "--output",
        folder,
        "--public-keys",
        keys,
    )
    for milliseconds in (20, 60, 120, 240, 480):
        with started(*command) as process:
            time.sleep(milliseconds / 1000)
            process.kill()
            process.communicate(timeout=60)
        assert process.returncode in (0, -9)
    logmill(*command, "--require-proof")
    manifest = Lake(folder).manifest("cloudtrail", DAY)
    assert (manifest["proof"]["verdict"], manifest["proof"]["right"]) == ("proved", 360)
    assert manifest["ledger"]["written"] == 288
    logmill("verify", "--day", DAY, "--output", folder)
    status = logmill(
        *("status", "--day", DAY, "--input", raw, "--output", folder, "--dataset", "cloudtrail"),
        *("--public-keys", keys, "--format", "json"),
    )
    assert json.loads(status.stdout)["state"] == "proved"
    assert not (tmp_path / ".lake.logmill").exists()
