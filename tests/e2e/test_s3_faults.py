"""S3 that stumbles: the right rows or the right error, never a wrong day, and nothing is left behind."""

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
from harness import SAMPLE_DAY
from small_day import EARLY, LATE, SmallDay

# With as few attempts as make a difference, so that giving up does not take minutes.
IMPATIENT = {"AWS_MAX_ATTEMPTS": "2"}
MANIFEST = "*/_manifest.json"
# Locks are the first objects that are written and the last that are removed: they have tests of their own.
LOCKS = "*/_locks/*"
RAW_OBJECT = "*web-2023-11-01-09-21-17*"
ITS_TABLE = ("--dataset", "s3-access")
WRITES = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject", "DeleteObject*")
BURSTS = {"SlowDown": 2, "InternalError": 1}


@dataclass(frozen=True)
class Trial:
    """A lake with the old day, to be brought up to date while S3 stumbles."""

    aws: Aws
    proxy: FaultProxy
    day: SmallDay
    lake: S3Lake

    def updates(self) -> None:
        """The run ends well, with the new day."""
        self.aws.run(self.lake, source=self.day.source)
        assert self.lake.readers() == self.day.new

    def succeeds(self) -> None:
        """The run ends well, with the new day and nothing else."""
        self.updates()
        self.lake.assert_clean()
        self.aws.logmill("verify", "--day", SAMPLE_DAY, "--output", self.lake.url)

    def fails(self, code: int, *options: str) -> str:
        """The run ends with an exit code and the old day, the next one makes it good; gives what was said."""
        said = self.aws.complaint(self.lake, *options, source=self.day.source, code=code, env=IMPATIENT)
        assert self.lake.readers() == self.day.old
        assert "hint:" in said
        self.recovers()
        return said

    def recovers(self) -> None:
        """Once S3 is well again, the next run makes the new day and leaves nothing behind."""
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
def test_a_burst_of_refusals_is_waited_out(trial: Trial, operation: str, refusal: Refuse) -> None:
    burst = BURSTS[refusal.code]
    rule = trial.proxy.rule(refusal, operation=operation, spare=LOCKS, times=burst)
    trial.succeeds()
    assert rule.struck == burst


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", *WRITES[:4]])
def test_a_refusal_without_end_is_temporary(trial: Trial, operation: str) -> None:
    rule = trial.proxy.rule(SLOW_DOWN, operation=operation, spare=LOCKS)
    said = trial.fails(75)
    assert rule.struck > 1
    bucket = trial.raw_bucket if operation in ("ListObjectsV2", "GetObject") else trial.lake.bucket
    assert bucket in said or trial.lake.bucket in said


@pytest.mark.parametrize(
    "fault", [Cut(0), Cut(1), Cut(5000), Cut(5000, reset=True), Lose(carried_out=False)], ids=str
)
def test_a_body_that_breaks_off_is_fetched_again(trial: Trial, fault: Fault) -> None:
    """Every object breaks off once: none of them may be taken for a damaged log."""
    for time in EARLY + LATE:
        trial.proxy.rule(fault, operation="GetObject", path=f"*{time}*", times=1)
    trial.succeeds()
    assert [rule.struck for rule in trial.proxy.rules] == [1] * len(EARLY + LATE)


@pytest.mark.parametrize("fault", [Cut(0), Cut(5000, reset=True)], ids=str)
def test_a_body_that_always_breaks_off_is_no_damaged_log(trial: Trial, fault: Fault) -> None:
    """A log that S3 will not hand out whole is not quarantined: the day waits."""
    trial.proxy.rule(fault, operation="GetObject", path=RAW_OBJECT)
    said = trial.fails(75, *ITS_TABLE)
    assert trial.raw_bucket in said
    assert "web-2023-11-01-09-21-17" in said


@pytest.mark.parametrize("fault", [Trickle(pieces=50, pause=0.002), Delay(0.02)], ids=str)
def test_a_slow_service_is_waited_for(trial: Trial, fault: Fault) -> None:
    rule = trial.proxy.rule(fault, operation="[GPUC]*")
    trial.succeeds()
    assert rule.struck > 10


def test_a_listing_that_breaks_off_is_asked_for_again(trial: Trial) -> None:
    """A part of a listing is never taken for the whole of it."""
    rule = trial.proxy.rule(Cut(300), operation="ListObjectsV2", times=2)
    trial.succeeds()
    assert rule.struck == 2


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("carried_out", [False, True])
def test_a_write_whose_answer_is_lost_is_found_out_about(
    trial: Trial, operation: str, carried_out: bool
) -> None:
    """Whether it was carried out or not; an upload that nobody knows of goes with the next run."""
    fault = Lose(carried_out=carried_out)
    rule = trial.proxy.rule(fault, operation=operation, spare=LOCKS, times=1)
    trial.updates()
    assert rule.struck == 1
    trial.recovers()


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_manifest_whose_answer_is_lost_is_found_out_about(trial: Trial, carried_out: bool) -> None:
    """Its second put meets the first one."""
    rule = trial.proxy.rule(Lose(carried_out=carried_out), operation="PutObject", path=MANIFEST, times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_while_nobody_knows_whether_a_manifest_was_taken_nothing_that_it_names_is_removed(
    trial: Trial,
) -> None:
    """Every answer to its put is lost, and it cannot be read back either: it was taken, as it turns out."""
    trial.proxy.rule(Lose(carried_out=True), operation="PutObject", path=MANIFEST)
    before_the_commit = 1
    rule = trial.proxy.rule(SLOW_DOWN, operation="GetObject", path=MANIFEST, skip=before_the_commit)
    options = (*ITS_TABLE, "--grace", "1h")
    trial.aws.complaint(trial.lake, *options, source=trial.day.source, code=75, env=IMPATIENT)
    assert rule.struck > 0
    assert trial.lake.readers()["s3_access"] == trial.day.new["s3_access"]
    verify = ("verify", "--day", SAMPLE_DAY, "--output", trial.lake.url, "--table", "s3_access")
    trial.proxy.forget()
    trial.aws.logmill(*verify)
    trial.recovers()


def test_an_upload_that_fails_under_a_good_status_is_completed_again(trial: Trial) -> None:
    rule = trial.proxy.rule(LATE_ERROR, operation="CompleteMultipartUpload", times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_a_manifest_that_somebody_else_put_is_a_lost_race(trial: Trial) -> None:
    rule = trial.proxy.rule(PRECONDITION_FAILED, operation="PutObject", path=MANIFEST)
    said = trial.fails(75)
    assert rule.struck > 0
    assert "cloudtrail/proc_ymd=20231101" in said


def test_a_manifest_put_that_conflicts_is_tried_again(trial: Trial) -> None:
    rule = trial.proxy.rule(CONFLICT, operation="PutObject", path=MANIFEST, times=1)
    trial.succeeds()
    assert rule.struck == 1


def test_of_two_runs_at_once_the_one_that_commits_first_stands(
    trial: Trial, aws: Aws, proxy: FaultProxy, tmp_path: Path
) -> None:
    """The other one, late by a moment, is told so and takes nothing of the winner away.

    The winner is on another machine, with a scratch folder of its own, and takes the day away once the other
    has made sure of its lock: what is left then is the condition of the put.
    """
    winner: list[str] = []

    def overtake() -> None:
        options = (*ITS_TABLE, "--scratch", tmp_path, "--steal")
        winner.append(aws.run(trial.lake, *options, source=trial.day.source)["run"])

    proxy.rule(Meanwhile(overtake), operation="PutObject", path=MANIFEST, times=1)
    said = aws.complaint(trial.lake, *ITS_TABLE, source=trial.day.source, code=75)
    assert "another run has published this day: this run stops" in said
    assert [trial.lake.manifest("s3_access")["run"]] == winner
    assert trial.lake.live("s3_access") == trial.day.new["s3_access"]
    trial.recovers()


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", *WRITES[:4]])
def test_credentials_that_have_run_out_are_named(trial: Trial, operation: str) -> None:
    """Trying again with the same ones is of no use."""
    trial.proxy.rule(EXPIRED_TOKEN, operation=operation)
    said = trial.fails(4)
    assert "ExpiredToken" in said or "expired" in said
    assert "credentials" in said


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject"])
def test_a_source_that_is_denied_is_named(trial: Trial, operation: str) -> None:
    """Bucket, object or prefix, what was refused and the permission that is missing."""
    trial.proxy.rule(ACCESS_DENIED, operation=operation, path=f"{trial.raw_bucket}*")
    said = trial.fails(4)
    assert trial.raw_bucket in said
    assert {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}[operation] in said


def test_an_object_that_is_denied_is_named_and_not_passed_over(trial: Trial) -> None:
    trial.proxy.rule(ACCESS_DENIED, operation="GetObject", path=RAW_OBJECT)
    said = trial.fails(4, *ITS_TABLE)
    assert "web-2023-11-01-09-21-17" in said


@pytest.mark.parametrize("operation", WRITES[:4])
def test_a_lake_that_is_denied_is_named(trial: Trial, operation: str) -> None:
    trial.proxy.rule(ACCESS_DENIED, operation=operation, path=f"{trial.lake.bucket}*")
    said = trial.fails(4)
    assert trial.lake.bucket in said
    assert "s3:PutObject" in said


DENIED_KEY = "<Error><Key>old</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.mark.parametrize(
    "fault",
    [ACCESS_DENIED, Reply(f"<DeleteResult>{DENIED_KEY}</DeleteResult>", "application/xml")],
    ids=["the_request", "each_key"],
)
def test_a_lake_whose_old_files_may_not_be_removed_is_published_all_the_same(
    trial: Trial, fault: Fault
) -> None:
    """The day is committed by then; what is superseded goes with a later run."""
    rule = trial.proxy.rule(fault, operation="DeleteObjects")
    done = trial.aws.logmill(
        "run", "--day", SAMPLE_DAY, "--input", trial.day.source, "--output", trial.lake.url
    )
    assert rule.struck > 0
    assert "s3:DeleteObject" in done.stderr
    assert trial.lake.readers() == trial.day.new
    trial.recovers()


@pytest.mark.parametrize("missing", ["source", "lake"])
def test_a_bucket_that_does_not_exist_is_named(aws: Aws, day: SmallDay, missing: str) -> None:
    lake, source = aws.lake(), day.source
    if missing == "source":
        source = "s3://nobody-has-this-bucket/logs/"
    else:
        lake = S3Lake(aws, "nobody-has-this-bucket", "lake")
    said = aws.complaint(lake, source=source, code=4)
    assert "nobody-has-this-bucket" in said
    assert "hint:" in said


def test_a_service_that_cannot_be_reached_is_temporary(aws: Aws, day: SmallDay) -> None:
    """A port where nobody listens, as of a network that is down."""
    env = aws.env("http://127.0.0.1:1") | IMPATIENT
    lake = aws.lake()
    said = aws.complaint(lake, source=day.source, code=75, env=env)
    assert lake.bucket in said or day.source.split("/")[2] in said


def test_missing_credentials_are_named(aws: Aws, day: SmallDay) -> None:
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    said = aws.complaint(aws.lake(), source=day.source, code=4, env=env)
    assert "credentials" in said
    assert "hint:" in said
