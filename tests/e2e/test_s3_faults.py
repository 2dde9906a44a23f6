"""Faults of S3 give the right rows or the right error, never a wrong day, and leave nothing behind."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from aws import Aws, S3Lake
from faults import (
    ACCESS_DENIED,
    CONFLICT,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    LATE_ERROR,
    PRECONDITION_FAILED,
    SLOW_DOWN,
    Cut,
    Delay,
    Fault,
    FaultProxy,
    Lose,
    Meanwhile,
    Refuse,
    Reply,
    Trickle,
)
from harness import MANIFESTS, SAMPLE_DAY
from small_day import EARLY, LATE, SmallDay

# The fewest attempts that matter, so that giving up does not take minutes.
IMPATIENT = {"AWS_MAX_ATTEMPTS": "2"}
# Locks are the first objects written and the last removed. They have their own tests.
LOCKS = "*/_locks/*"
RAW_OBJECT = "*web-2023-11-01-09-21-17*"
ITS_TABLE = ("--dataset", "s3-access")
WRITES = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject", "DeleteObject*")
BURSTS = {"SlowDown": 2, "InternalError": 1}


@dataclass(frozen=True)
class Trial:
    """A lake with the old day, which a run updates while S3 fails."""

    aws: Aws
    proxy: FaultProxy
    day: SmallDay
    lake: S3Lake

    def updates(self) -> None:
        """Asserts that the run succeeds with the new day."""
        self.aws.run(self.lake, source=self.day.source)
        assert self.lake.readers() == self.day.new

    def succeeds(self) -> None:
        """Asserts that the run succeeds with the new day and leaves nothing behind."""
        self.updates()
        self.lake.assert_clean()
        self.aws.logmill("verify", "--day", SAMPLE_DAY, "--output", self.lake.url)

    def fails(self, code: int, *options: str) -> str:
        """Asserts that the run fails and keeps the old day, and the next run recovers. Returns the error."""
        messages = self.aws.failing_run(self.lake, *options, source=self.day.source, code=code, env=IMPATIENT)
        assert self.lake.readers() == self.day.old
        assert "hint:" in messages
        self.recovers()
        return messages

    def recovers(self) -> None:
        """Asserts that the next run, without faults, publishes the new day and leaves nothing behind."""
        self.proxy.forget()
        self.day.assert_converges(self.aws, self.lake)

    @property
    def raw_bucket(self) -> str:
        """The bucket of the raw logs."""
        return self.day.source.split("/")[2]


@pytest.fixture
def trial(aws: Aws, proxy: FaultProxy, day: SmallDay) -> Trial:
    """A trial on a copy of the old day."""
    return Trial(aws, proxy, day, day.published(aws))


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", *WRITES])
@pytest.mark.parametrize("refusal", [SLOW_DOWN, INTERNAL_ERROR], ids=lambda refusal: refusal.code)
def test_a_burst_of_refusals_is_retried(trial: Trial, operation: str, refusal: Refuse) -> None:
    burst = BURSTS[refusal.code]
    rule = trial.proxy.rule(refusal, operation=operation, spare=LOCKS, times=burst)
    trial.succeeds()
    assert rule.struck == burst


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", *WRITES[:4]])
def test_an_endless_refusal_is_a_temporary_failure(trial: Trial, operation: str) -> None:
    rule = trial.proxy.rule(SLOW_DOWN, operation=operation, spare=LOCKS)
    messages = trial.fails(75)
    assert rule.struck > 1
    bucket = trial.raw_bucket if operation in ("ListObjectsV2", "GetObject") else trial.lake.bucket
    assert bucket in messages or trial.lake.bucket in messages


@pytest.mark.parametrize(
    "fault", [Cut(0), Cut(1), Cut(5000), Cut(5000, reset=True), Lose(carried_out=False)], ids=str
)
def test_a_truncated_body_is_fetched_again(trial: Trial, fault: Fault) -> None:
    """Every object is truncated once, and none must be treated as a damaged log."""
    for time in EARLY + LATE:
        trial.proxy.rule(fault, operation="GetObject", path=f"*{time}*", times=1)
    trial.succeeds()
    assert [rule.struck for rule in trial.proxy.rules] == [1] * len(EARLY + LATE)


@pytest.mark.parametrize("fault", [Cut(0), Cut(5000, reset=True)], ids=str)
def test_an_always_truncated_body_is_not_a_damaged_log(trial: Trial, fault: Fault) -> None:
    """A log that S3 never sends completely is not quarantined: the day has to wait."""
    trial.proxy.rule(fault, operation="GetObject", path=RAW_OBJECT)
    messages = trial.fails(75, *ITS_TABLE)
    assert trial.raw_bucket in messages
    assert "web-2023-11-01-09-21-17" in messages


@pytest.mark.parametrize("fault", [Trickle(pieces=50, pause=0.002), Delay(0.02)], ids=str)
def test_a_slow_service_is_waited_for(trial: Trial, fault: Fault) -> None:
    rule = trial.proxy.rule(fault, operation="[GPUC]*")
    trial.succeeds()
    assert rule.struck > 10


def test_a_truncated_listing_is_requested_again(trial: Trial) -> None:
    """A part of a listing never counts as the whole."""
    rule = trial.proxy.rule(Cut(300), operation="ListObjectsV2", times=2)
    trial.succeeds()
    assert rule.struck == 2


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("carried_out", [False, True])
def test_a_run_recovers_from_a_lost_answer_to_a_write(
    trial: Trial, operation: str, carried_out: bool
) -> None:
    """Whether or not the write was carried out. The next run removes an upload that no run knows."""
    fault = Lose(carried_out=carried_out)
    rule = trial.proxy.rule(fault, operation=operation, spare=LOCKS, times=1)
    trial.updates()
    assert rule.struck == 1
    trial.recovers()


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_run_recovers_from_a_lost_answer_to_its_manifest(trial: Trial, carried_out: bool) -> None:
    """Its second put finds the first one."""
    rule = trial.proxy.rule(Lose(carried_out=carried_out), operation="PutObject", path=MANIFESTS, times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_files_of_a_manifest_with_an_unknown_result_are_not_removed(
    trial: Trial,
) -> None:
    """Every answer to its put is lost, and the manifest cannot be read back. In fact it was written."""
    trial.proxy.rule(Lose(carried_out=True), operation="PutObject", path=MANIFESTS)
    before_the_commit = 1
    rule = trial.proxy.rule(SLOW_DOWN, operation="GetObject", path=MANIFESTS, skip=before_the_commit)
    options = (*ITS_TABLE, "--grace", "1h")
    trial.aws.failing_run(trial.lake, *options, source=trial.day.source, code=75, env=IMPATIENT)
    assert rule.struck > 0
    assert trial.lake.readers()["s3_access"] == trial.day.new["s3_access"]
    verify = ("verify", "--day", SAMPLE_DAY, "--output", trial.lake.url, "--table", "s3_access")
    trial.proxy.forget()
    trial.aws.logmill(*verify)
    trial.recovers()


def test_an_upload_that_fails_with_a_success_status_is_completed_again(trial: Trial) -> None:
    rule = trial.proxy.rule(LATE_ERROR, operation="CompleteMultipartUpload", times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_a_manifest_of_another_run_is_a_lost_race(trial: Trial) -> None:
    rule = trial.proxy.rule(PRECONDITION_FAILED, operation="PutObject", path=MANIFESTS)
    messages = trial.fails(75)
    assert rule.struck > 0
    assert "cloudtrail/proc_ymd=20231101" in messages


def test_a_conflicting_put_of_a_manifest_is_retried(trial: Trial) -> None:
    rule = trial.proxy.rule(CONFLICT, operation="PutObject", path=MANIFESTS, times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_of_two_concurrent_runs_the_first_to_commit_wins(
    trial: Trial, aws: Aws, proxy: FaultProxy, tmp_path: Path
) -> None:
    """The other run, late by a moment, reports that and removes nothing of the winner.

    The winner is on another machine with its own scratch folder. It steals the day after the last check of
    the other run's lock, so that only the condition of the put is left.
    """
    winner: list[str] = []

    def overtake() -> None:
        options = (*ITS_TABLE, "--scratch", tmp_path, "--steal")
        winner.append(aws.run(trial.lake, *options, source=trial.day.source)["run"])

    proxy.rule(Meanwhile(overtake), operation="PutObject", path=MANIFESTS, times=1)
    messages = aws.failing_run(trial.lake, *ITS_TABLE, source=trial.day.source, code=75)
    assert "another run has published this day: this run stops" in messages
    assert [trial.lake.manifest("s3_access")["run"]] == winner
    assert trial.lake.live("s3_access") == trial.day.new["s3_access"]
    trial.recovers()


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", *WRITES[:4]])
def test_the_error_names_expired_credentials(trial: Trial, operation: str) -> None:
    """A retry with the same credentials would not help."""
    trial.proxy.rule(EXPIRED_TOKEN, operation=operation)
    messages = trial.fails(4)
    assert "ExpiredToken" in messages or "expired" in messages
    assert "credentials" in messages


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject"])
def test_the_error_names_a_denied_source(trial: Trial, operation: str) -> None:
    """It names the bucket, object or prefix, the refused operation and the missing permission."""
    trial.proxy.rule(ACCESS_DENIED, operation=operation, path=f"{trial.raw_bucket}*")
    messages = trial.fails(4)
    assert trial.raw_bucket in messages
    assert {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}[operation] in messages


def test_the_error_names_the_permission_of_a_key(trial: Trial) -> None:
    """The object may be read, but not decrypted."""
    message = "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt on resource: key"
    trial.proxy.rule(Refuse(403, "AccessDenied", message), operation="GetObject", path=f"{trial.raw_bucket}*")
    messages = trial.fails(4)
    assert "allow kms:Decrypt in the policy of the role and that of the key" in messages


def test_the_error_names_the_region_of_a_bucket(trial: Trial) -> None:
    message = "The bucket must be addressed using the specified endpoint."
    region = (("x-amz-bucket-region", "us-west-2"),)
    refused = Refuse(301, "PermanentRedirect", message, region)
    trial.proxy.rule(refused, operation="ListObjectsV2", path=f"{trial.raw_bucket}*")
    assert "set AWS_REGION=us-west-2, the region of the bucket" in trial.fails(4)


def test_a_denied_object_is_an_error_and_not_skipped(trial: Trial) -> None:
    trial.proxy.rule(ACCESS_DENIED, operation="GetObject", path=RAW_OBJECT)
    messages = trial.fails(4, *ITS_TABLE)
    assert "web-2023-11-01-09-21-17" in messages


@pytest.mark.parametrize("operation", WRITES[:4])
def test_the_error_names_a_denied_lake(trial: Trial, operation: str) -> None:
    trial.proxy.rule(ACCESS_DENIED, operation=operation, path=f"{trial.lake.bucket}*")
    messages = trial.fails(4)
    assert trial.lake.bucket in messages
    assert "s3:PutObject" in messages


DENIED_KEY = "<Error><Key>old</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.mark.parametrize(
    "fault",
    [ACCESS_DENIED, Reply(f"<DeleteResult>{DENIED_KEY}</DeleteResult>", "application/xml")],
    ids=["the_request", "each_key"],
)
def test_a_day_is_published_even_if_old_files_cannot_be_removed(trial: Trial, fault: Fault) -> None:
    """The day is committed by then. A later run removes the superseded run."""
    rule = trial.proxy.rule(fault, operation="DeleteObjects")
    done = trial.aws.logmill(
        "run", "--day", SAMPLE_DAY, "--input", trial.day.source, "--output", trial.lake.url
    )
    assert rule.struck > 0
    assert "s3:DeleteObject" in done.stderr
    assert trial.lake.readers() == trial.day.new
    trial.recovers()


@pytest.mark.parametrize("missing", ["source", "lake"])
def test_the_error_names_a_missing_bucket(aws: Aws, day: SmallDay, missing: str) -> None:
    lake, source = aws.lake(), day.source
    if missing == "source":
        source = "s3://nobody-has-this-bucket/logs/"
    else:
        lake = S3Lake(aws, "nobody-has-this-bucket", "lake")
    messages = aws.failing_run(lake, source=source, code=4)
    assert "nobody-has-this-bucket" in messages
    assert "hint: check the name of the bucket" in messages
    assert messages.count("hint:") == 1, "one message for all tables"


def test_an_unreachable_service_is_a_temporary_failure(aws: Aws, day: SmallDay) -> None:
    """A port without a listener, as if the network were down."""
    env = aws.env("http://127.0.0.1:1") | IMPATIENT
    lake = aws.lake()
    messages = aws.failing_run(lake, source=day.source, code=75, env=env)
    assert lake.bucket in messages or day.source.split("/")[2] in messages


def test_the_error_names_missing_credentials(aws: Aws, day: SmallDay) -> None:
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    messages = aws.failing_run(aws.lake(), source=day.source, code=4, env=env)
    assert "no credentials found" in messages
    assert "hint: provide credentials: set AWS_PROFILE" in messages
    assert "IMDS" not in messages
