"""Cleaning a bucket while a run is paused.

Removed files can no longer be committed, and ages come from the clock of S3. A run is paused while the proxy
delays one of its requests. Its lock has expired by then, so that cleaning may take over the day.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from moto.s3.models import s3_backends

from aws import ACCOUNT, Aws, S3Lake, run_arguments
from engines import DuckDb, Pyarrow
from faults import ACCESS_DENIED, Dated, Exchange, FaultProxy, Lose, Meanwhile, Refuse, Strike
from harness import SAMPLE_DAY, Lake, logmill, partition
from small_day import SmallDay

TABLE = "s3_access"
PARTITION = f"{TABLE}/{partition(SAMPLE_DAY)}"
ITS_TABLE = ("--dataset", "s3-access")
MANIFEST = f"*/{PARTITION}/_manifest.json"
RAW_OBJECT = "*web-2023-11-01-09-21-17*"
DEAD_RUN = "20231102T000000Z-00000000"
OF_DEAD_RUN = f"{PARTITION}/{DEAD_RUN}/part-00000.zstd.parquet"
NO_SUCH_UPLOAD = Refuse(404, "NoSuchUpload", "The specified multipart upload does not exist.")
AT_ONCE = ("--older-than", "0s")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Yard:
    """A lake, a machine on which a run works, and a machine on which cleaning runs."""

    aws: Aws
    proxy: FaultProxy
    day: SmallDay
    lake: S3Lake
    folder: Path

    def arguments(self, *options: str, machine: str = "here") -> tuple[str | Path, ...]:
        """The command line of a run that prints its messages."""
        given = (*ITS_TABLE, "--scratch", self.folder / machine, *options)
        arguments = run_arguments(self.lake, *given, source=self.day.source)
        return tuple(word for word in arguments if word != "--quiet")

    def run(self, *options: str, machine: str = "here", code: int = 0) -> str:
        """Runs to the end with an exit code. Returns the standard error."""
        return self.aws.logmill(*self.arguments(*options, machine=machine), code=code).stderr

    def clean(self, *options: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        """Cleans the lake from another machine. Returns the output."""
        arguments = ("clean", "--output", self.lake.url, "--scratch", self.folder / "there", *options)
        return self.aws.logmill(*arguments, code=code, env=env).stdout

    def clean_while_paused(self) -> str:
        """Cleans while a run has been paused for longer than its lock is valid."""
        self.age(f"_locks/{PARTITION}.json", timedelta(minutes=2))
        return self.clean(*AT_ONCE)

    def age(self, path: str, age: timedelta) -> None:
        """Makes an object older."""
        stored = s3_backends[ACCOUNT]["aws"].get_object(self.lake.bucket, self.lake.below + path)
        stored.last_modified -= age

    def leave_files(self) -> None:
        """Adds a file of a killed run."""
        self.aws.put(self.lake.bucket, {self.lake.below + OF_DEAD_RUN: b"left"})

    def touched(self) -> int:
        """How often cleaning has touched the manifest."""
        return self.lake.manifest(TABLE).get("cleaned", 0)

    def attributes(self) -> tuple[str, str, str, dict[str, str]]:
        """Encryption, key, storage class and tags of the manifest."""
        place = {"Bucket": self.lake.bucket, "Key": f"{self.lake.below}{PARTITION}/_manifest.json"}
        head = self.aws.s3.head_object(**place)
        tags = self.aws.s3.get_object_tagging(**place)["TagSet"]
        named = (head.get(name, "") for name in ("ServerSideEncryption", "SSEKMSKeyId", "StorageClass"))
        return (*named, {tag["Key"]: tag["Value"] for tag in tags})

    def assert_whole(self, expected: list[str], rows: int) -> None:
        """Asserts that engines read the complete day and that nothing else is left."""
        assert self.lake.live(TABLE) == expected
        copy = self.lake.download(Path(mkdtemp(dir=self.folder)))
        assert DuckDb(copy, TABLE).rows() == Pyarrow(copy, TABLE).rows() == rows
        self.lake.assert_clean()

    def assert_old(self) -> None:
        """Asserts that the old day is published."""
        self.assert_whole(self.day.old[TABLE], self.day.rows[TABLE][0])

    def assert_new(self) -> None:
        """Asserts that the new day is published."""
        self.assert_whole(self.day.new[TABLE], self.day.rows[TABLE][1])


@pytest.fixture
def yard(aws: Aws, proxy: FaultProxy, day: SmallDay, tmp_path: Path) -> Yard:
    """A lake with the old day."""
    return made(aws, proxy, day, day.published(aws), tmp_path)


@pytest.fixture
def new_yard(aws: Aws, proxy: FaultProxy, day: SmallDay, tmp_path: Path) -> Yard:
    """A lake without any published day."""
    return made(aws, proxy, day, aws.lake(), tmp_path)


def made(aws: Aws, proxy: FaultProxy, day: SmallDay, lake: S3Lake, folder: Path) -> Yard:
    for machine in ("here", "there"):
        (folder / machine).mkdir()
    return Yard(aws, proxy, day, lake, folder)


def test_a_run_paused_before_its_commit_cannot_commit_removed_files(yard: Yard) -> None:
    said: list[str] = []
    pause = Meanwhile(lambda: said.append(yard.clean_while_paused()))
    yard.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    assert "this run stops" in yard.run(code=75)
    assert "run not in the manifest" in said[0]
    assert yard.touched() == 1
    yard.assert_old()
    yard.run()
    assert yard.touched() == 0
    yard.assert_new()


def test_a_run_paused_between_two_files_stops(yard: Yard) -> None:
    """One of its uploads is completed. Cleaning aborts the other, and S3 then refuses it; moto would not."""
    said: list[str] = []

    def pause(exchange: Exchange) -> None:
        said.append(yard.clean_while_paused())
        NO_SUCH_UPLOAD(exchange)

    files = f"{yard.lake.bucket}/{yard.lake.below}{PARTITION}/*"
    yard.proxy.rule(pause, operation="CompleteMultipartUpload", path=files, skip=1, times=1)
    assert "this run stops" in yard.run(code=75)
    assert "run not in the manifest" in said[0]
    assert "unfinished upload" in said[0]
    yard.assert_old()


def test_files_that_a_first_run_may_still_commit_are_kept(new_yard: Yard) -> None:
    """Without a manifest, nothing can be touched. The next run removes the remains of a killed run."""
    said: list[str] = []
    pause = Meanwhile(lambda: said.append(new_yard.clean_while_paused()))
    new_yard.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    new_yard.run()
    assert f"{PARTITION}: kept 2 files" in said[0]
    assert "removed 0 files" in said[0]
    new_yard.assert_new()


def test_the_next_run_removes_the_files_of_a_killed_first_run(new_yard: Yard) -> None:
    new_yard.leave_files()
    kept = f"{PARTITION}: kept 1 file (4 B) until the next run: the day was never published"
    assert kept in new_yard.clean(*AT_ONCE)
    assert OF_DEAD_RUN in new_yard.lake.paths()
    new_yard.run()
    new_yard.assert_new()


def test_rejected_rows_of_earlier_runs_are_removed_and_those_of_a_refused_run_are_kept(yard: Yard) -> None:
    """The run was refused after the day was published, and a person must find out why."""
    refused = "20231103T000000Z-00000001"
    earlier, since = (f"_quarantine/{PARTITION}/{run}.jsonl" for run in (DEAD_RUN, refused))
    yard.aws.put(yard.lake.bucket, {yard.lake.below + path: b"{}" for path in (earlier, since)})
    yard.age(earlier, HOUR)
    assert f"removed {earlier} (2 B): rejected rows of an earlier run\n" in yard.clean()
    assert yard.lake.strays() == {since}
    assert yard.touched() == 0
    yard.run()
    yard.assert_new()


def test_a_run_that_began_between_two_cleanings_notices_the_second(yard: Yard) -> None:
    """The manifest never returns to the state that a run has seen."""
    yard.leave_files()
    yard.clean(*AT_ONCE)
    pause = Meanwhile(lambda: yard.clean_while_paused())
    yard.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    yard.run(code=75)
    assert yard.touched() == 2
    yard.assert_old()


def test_cleaning_skips_a_day_that_a_run_publishes_at_the_same_time(yard: Yard) -> None:
    yard.leave_files()
    stealing_run = Meanwhile(lambda: yard.run("--steal"))
    yard.proxy.rule(stealing_run, operation="PutObject", path=MANIFEST, times=1)
    said = yard.clean(*AT_ONCE)
    assert f"{PARTITION}: skipped, a run has just published it" in said
    assert "skipped 1 day in use by other runs" in said
    assert yard.touched() == 0
    yard.assert_new()


@pytest.mark.parametrize("carried_out", [False, True])
def test_cleaning_recovers_from_a_lost_answer_to_its_touch(yard: Yard, carried_out: bool) -> None:
    yard.leave_files()
    yard.proxy.rule(Lose(carried_out=carried_out), operation="PutObject", path=MANIFEST, times=1)
    assert "removed 1 file, 4 B\n" in yard.clean(*AT_ONCE)
    assert yard.touched() == 1
    yard.assert_old()


def test_cleaning_removes_nothing_if_it_cannot_touch_the_manifest(yard: Yard) -> None:
    yard.leave_files()
    yard.proxy.rule(ACCESS_DENIED, operation="PutObject", path=MANIFEST)
    yard.clean(*AT_ONCE, code=4)
    assert OF_DEAD_RUN in yard.lake.paths()


def test_cleaning_keeps_the_encryption_and_tags_of_the_manifest(yard: Yard) -> None:
    """The run set them by flags that cleaning does not have."""
    tags = {"team": "sec", "why": "a b/c+d"}
    given = (word for tag in tags.items() for word in ("--tag", "=".join(tag)))
    yard.run("--sse", "kms", "--kms-key", "alias/mine", *given)
    made = yard.attributes()
    assert (made[0], made[3]) == ("aws:kms", tags)
    assert made[1].endswith("alias/mine")
    others: tuple[dict[str, str], ...] = ({}, {"LOGMILL_SSE": "s3", "LOGMILL_TAG": "team=other"})
    for cleaned, env in enumerate(others, start=1):
        yard.leave_files()
        assert "removed 1 file" in yard.clean(*AT_ONCE, env=env)
        assert yard.touched() == cleaned
        assert yard.attributes() == made


def test_cleaning_keeps_the_storage_class_of_the_manifest_and_adds_no_tags(yard: Yard) -> None:
    """A lifecycle rule of the bucket may have moved the manifest to another class."""
    place = {"Bucket": yard.lake.bucket, "Key": f"{yard.lake.below}{PARTITION}/_manifest.json"}
    yard.aws.s3.copy_object(**place, CopySource=place, StorageClass="STANDARD_IA")
    yard.leave_files()
    yard.clean(*AT_ONCE, env={"LOGMILL_TAG": "team=other"})
    assert yard.touched() == 1
    assert yard.attributes()[2:] == ("STANDARD_IA", {})


def test_cleaning_without_permission_to_read_tags_writes_the_configured_ones(yard: Yard) -> None:
    yard.leave_files()
    rule = yard.proxy.rule(ACCESS_DENIED, operation="GetObjectTagging", path=MANIFEST)
    assert "removed 1 file" in yard.clean(*AT_ONCE, env={"LOGMILL_TAG": "team=sec"})
    assert rule.struck == 1
    assert yard.attributes()[3] == {"team": "sec"}


def test_a_dry_run_touches_nothing(yard: Yard) -> None:
    yard.leave_files()
    assert "would remove 1 file, 4 B\n" in yard.clean(*AT_ONCE, "--dry-run")
    assert yard.touched() == 0
    assert OF_DEAD_RUN in yard.lake.paths()


def test_a_run_recognises_its_manifest_after_cleaning_touched_it(yard: Yard) -> None:
    """The answer to its commit is lost. Cleaning runs before the run asks again."""

    def clean() -> None:
        yard.leave_files()
        yard.clean_while_paused()

    lost = Strike(clean, carried_out=True)
    yard.proxy.rule(lost, operation="PutObject", path=MANIFEST, times=1)
    yard.run()
    assert yard.touched() == 1
    yard.assert_new()


def test_nothing_is_removed_while_the_result_of_the_commit_is_unknown(yard: Yard) -> None:
    """S3 has the manifest, but the answer is lost, the retry is refused, and the manifest is unreadable."""
    yard.proxy.rule(Lose(carried_out=True), operation="PutObject", path=MANIFEST, times=1)
    yard.proxy.rule(ACCESS_DENIED, operation="GetObject", path=MANIFEST, skip=1)
    yard.run(code=75)
    yard.proxy.forget()
    assert yard.lake.live(TABLE) == yard.day.new[TABLE]
    yard.run()
    yard.assert_new()


def test_ages_come_from_the_clock_of_s3(yard: Yard) -> None:
    """The machine's clock is 23 hours ahead. An object of two hours by S3's clock is not a day old."""
    yard.leave_files()
    yard.age(OF_DEAD_RUN, HOUR * 25)
    rule = yard.proxy.rule(Dated(-HOUR * 23))
    assert "removed 0 files" in yard.clean()
    assert rule.struck
    assert OF_DEAD_RUN in yard.lake.paths()
    yard.proxy.forget()
    assert "removed 1 file, 4 B\n" in yard.clean()
    yard.assert_old()


@pytest.mark.parametrize(("ahead", "stays"), [(-HOUR * 3, False), (HOUR * 3, True)])
def test_the_grace_of_a_superseded_run_comes_from_the_clock_of_s3(
    yard: Yard, ahead: timedelta, stays: bool
) -> None:
    """The run sees another clock than the cleaning machine."""
    old = yard.lake.manifest(TABLE)["run"]
    yard.proxy.rule(Dated(ahead))
    yard.run("--grace", "2h")
    yard.proxy.forget()
    [superseded] = yard.lake.manifest(TABLE)["superseded"]
    assert superseded["run"] == old
    yard.clean("--grace", "2h")
    assert any(path.startswith(f"{PARTITION}/{old}/") for path in yard.lake.paths()) == stays


def test_a_run_whose_lock_was_stolen_cannot_commit_removed_files_in_a_folder(
    yard: Yard, tmp_path: Path
) -> None:
    """It is paused while it reads. After the stealing run has ended, cleaning removes its files."""
    lake = tmp_path / "lake"
    run = ("run", "--day", SAMPLE_DAY, "--input", yard.day.source, "--output", lake, *ITS_TABLE)
    said: list[str] = []

    def steal_lock() -> None:
        yard.aws.logmill(*run, "--steal")
        said.append(Lake(lake).manifest(TABLE, SAMPLE_DAY)["run"])
        yard.aws.logmill("clean", "--output", lake, *AT_ONCE)
        assert not (lake / "_staging").exists()

    yard.proxy.rule(Meanwhile(steal_lock), operation="GetObject", path=RAW_OBJECT, times=1)
    # Its rows are still in its folder; only its lock is lost.
    yard.aws.logmill(*run, code=75)
    assert Lake(lake).manifest(TABLE, SAMPLE_DAY)["run"] == said[0]
    assert DuckDb(Lake(lake), TABLE).rows() == yard.day.rows[TABLE][1]
    logmill("verify", "--day", SAMPLE_DAY, "--output", lake)
    assert not (lake / "_staging").exists()
