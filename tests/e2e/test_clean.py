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
from harness import SAMPLE_DAY, Lake, logmill, manifest_key, partition
from small_day import SmallDay

TABLE = "s3_access"
PARTITION = f"{TABLE}/{partition(SAMPLE_DAY)}"
ITS_TABLE = ("--dataset", "s3-access")
MANIFEST = f"*/{manifest_key(TABLE, SAMPLE_DAY)}"
RAW_OBJECT = "*web-2023-11-01-09-21-17*"
DEAD_RUN = "20231102T000000Z-00000000"
OF_DEAD_RUN = f"{PARTITION}/{DEAD_RUN}/part-00000.zstd.parquet"
NO_SUCH_UPLOAD = Refuse(404, "NoSuchUpload", "The specified multipart upload does not exist.")
AT_ONCE = ("--older-than", "0s")
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Scene:
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
        place = {"Bucket": self.lake.bucket, "Key": self.lake.below + manifest_key(TABLE, SAMPLE_DAY)}
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
def scene(aws: Aws, proxy: FaultProxy, day: SmallDay, tmp_path: Path) -> Scene:
    """A lake with the old day."""
    return made(aws, proxy, day, day.published(aws), tmp_path)


@pytest.fixture
def new_scene(aws: Aws, proxy: FaultProxy, day: SmallDay, tmp_path: Path) -> Scene:
    """A lake without any published day."""
    return made(aws, proxy, day, aws.lake(), tmp_path)


def made(aws: Aws, proxy: FaultProxy, day: SmallDay, lake: S3Lake, folder: Path) -> Scene:
    for machine in ("here", "there"):
        (folder / machine).mkdir()
    return Scene(aws, proxy, day, lake, folder)


def test_a_run_paused_before_its_commit_cannot_commit_removed_files(scene: Scene) -> None:
    messages: list[str] = []
    pause = Meanwhile(lambda: messages.append(scene.clean_while_paused()))
    scene.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    assert "this run stops" in scene.run(code=75)
    assert "run not in the manifest" in messages[0]
    assert scene.touched() == 1
    scene.assert_old()
    scene.run()
    assert scene.touched() == 0
    scene.assert_new()


def test_a_run_paused_between_two_files_stops(scene: Scene) -> None:
    """Its list of inputs is stored. Cleaning aborts the upload of the part; S3 then refuses it, moto would not."""
    messages: list[str] = []

    def pause(exchange: Exchange) -> None:
        messages.append(scene.clean_while_paused())
        NO_SUCH_UPLOAD(exchange)

    files = f"{scene.lake.bucket}/{scene.lake.below}{PARTITION}/*"
    scene.proxy.rule(pause, operation="CompleteMultipartUpload", path=files, times=1)
    assert "this run stops" in scene.run(code=75)
    assert "run not in the manifest" in messages[0]
    assert "unfinished upload" in messages[0]
    scene.assert_old()


def test_files_that_a_first_run_may_still_commit_are_kept(new_scene: Scene) -> None:
    """Without a manifest, nothing can be touched. The next run removes the remains of a killed run."""
    messages: list[str] = []
    pause = Meanwhile(lambda: messages.append(new_scene.clean_while_paused()))
    new_scene.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    new_scene.run()
    assert f"{PARTITION}: kept 2 files" in messages[0]
    assert "removed 0 files" in messages[0]
    new_scene.assert_new()


def test_the_next_run_removes_the_files_of_a_killed_first_run(new_scene: Scene) -> None:
    new_scene.leave_files()
    kept = f"{PARTITION}: kept 1 file (4 B) until the next run: the day was never published"
    assert kept in new_scene.clean(*AT_ONCE)
    assert OF_DEAD_RUN in new_scene.lake.paths()
    new_scene.run()
    new_scene.assert_new()


def test_rejected_rows_of_earlier_runs_are_removed_and_those_of_a_refused_run_are_kept(scene: Scene) -> None:
    """The run was refused after the day was published, and a person must find out why."""
    refused = "20231103T000000Z-00000001"
    earlier, since = (f"_quarantine/{PARTITION}/{run}.jsonl" for run in (DEAD_RUN, refused))
    scene.aws.put(scene.lake.bucket, {scene.lake.below + path: b"{}" for path in (earlier, since)})
    scene.age(earlier, HOUR)
    assert f"removed {earlier} (2 B): rejected rows of an earlier run\n" in scene.clean()
    assert scene.lake.strays() == {since}
    assert scene.touched() == 0
    scene.run()
    scene.assert_new()


def test_a_run_that_began_between_two_cleanings_notices_the_second(scene: Scene) -> None:
    """The manifest never returns to the state that a run has seen."""
    scene.leave_files()
    scene.clean(*AT_ONCE)
    pause = Meanwhile(lambda: scene.clean_while_paused())
    scene.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    scene.run(code=75)
    assert scene.touched() == 2
    scene.assert_old()


def test_cleaning_skips_a_day_that_a_run_publishes_at_the_same_time(scene: Scene) -> None:
    scene.leave_files()
    stealing_run = Meanwhile(lambda: scene.run("--steal"))
    scene.proxy.rule(stealing_run, operation="PutObject", path=MANIFEST, times=1)
    messages = scene.clean(*AT_ONCE)
    assert f"{PARTITION}: skipped, a run has just published it" in messages
    assert "skipped 1 day in use by other runs" in messages
    assert scene.touched() == 0
    scene.assert_new()


@pytest.mark.parametrize("carried_out", [False, True])
def test_cleaning_recovers_from_a_lost_answer_to_its_touch(scene: Scene, carried_out: bool) -> None:
    scene.leave_files()
    scene.proxy.rule(Lose(carried_out=carried_out), operation="PutObject", path=MANIFEST, times=1)
    assert "removed 1 file, 4 B\n" in scene.clean(*AT_ONCE)
    assert scene.touched() == 1
    scene.assert_old()


def test_cleaning_removes_nothing_if_it_cannot_touch_the_manifest(scene: Scene) -> None:
    scene.leave_files()
    scene.proxy.rule(ACCESS_DENIED, operation="PutObject", path=MANIFEST)
    scene.clean(*AT_ONCE, code=4)
    assert OF_DEAD_RUN in scene.lake.paths()


def test_cleaning_keeps_the_encryption_and_tags_of_the_manifest(scene: Scene) -> None:
    """The run set them by flags that cleaning does not have."""
    tags = {"team": "sec", "why": "a b/c+d"}
    given = (word for tag in tags.items() for word in ("--tag", "=".join(tag)))
    scene.run("--sse", "kms", "--kms-key", "alias/mine", *given)
    made = scene.attributes()
    assert (made[0], made[3]) == ("aws:kms", tags)
    assert made[1].endswith("alias/mine")
    others: tuple[dict[str, str], ...] = ({}, {"LOGMILL_SSE": "s3", "LOGMILL_TAG": "team=other"})
    for cleaned, env in enumerate(others, start=1):
        scene.leave_files()
        assert "removed 1 file" in scene.clean(*AT_ONCE, env=env)
        assert scene.touched() == cleaned
        assert scene.attributes() == made


def test_cleaning_keeps_the_storage_class_of_the_manifest_and_adds_no_tags(scene: Scene) -> None:
    """A lifecycle rule of the bucket may have moved the manifest to another class."""
    place = {"Bucket": scene.lake.bucket, "Key": scene.lake.below + manifest_key(TABLE, SAMPLE_DAY)}
    scene.aws.s3.copy_object(**place, CopySource=place, StorageClass="STANDARD_IA")
    scene.leave_files()
    scene.clean(*AT_ONCE, env={"LOGMILL_TAG": "team=other"})
    assert scene.touched() == 1
    assert scene.attributes()[2:] == ("STANDARD_IA", {})


def test_cleaning_without_permission_to_read_tags_writes_the_configured_ones(scene: Scene) -> None:
    scene.leave_files()
    rule = scene.proxy.rule(ACCESS_DENIED, operation="GetObjectTagging", path=MANIFEST)
    assert "removed 1 file" in scene.clean(*AT_ONCE, env={"LOGMILL_TAG": "team=sec"})
    assert rule.struck == 1
    assert scene.attributes()[3] == {"team": "sec"}


def test_a_dry_run_touches_nothing(scene: Scene) -> None:
    scene.leave_files()
    assert "would remove 1 file, 4 B\n" in scene.clean(*AT_ONCE, "--dry-run")
    assert scene.touched() == 0
    assert OF_DEAD_RUN in scene.lake.paths()


def test_a_run_recognises_its_manifest_after_cleaning_touched_it(scene: Scene) -> None:
    """The answer to its commit is lost. Cleaning runs before the run asks again."""

    def clean() -> None:
        scene.leave_files()
        scene.clean_while_paused()

    lost = Strike(clean, carried_out=True)
    scene.proxy.rule(lost, operation="PutObject", path=MANIFEST, times=1)
    scene.run()
    assert scene.touched() == 1
    scene.assert_new()


def test_nothing_is_removed_while_the_result_of_the_commit_is_unknown(scene: Scene) -> None:
    """S3 has the manifest, but the answer is lost, the retry is refused, and the manifest is unreadable."""
    scene.proxy.rule(Lose(carried_out=True), operation="PutObject", path=MANIFEST, times=1)
    scene.proxy.rule(ACCESS_DENIED, operation="GetObject", path=MANIFEST, skip=1)
    scene.run(code=75)
    scene.proxy.forget()
    assert scene.lake.live(TABLE) == scene.day.new[TABLE]
    scene.run()
    scene.assert_new()


def test_ages_come_from_the_clock_of_s3(scene: Scene) -> None:
    """The machine's clock is 23 hours ahead. An object of two hours by S3's clock is not a day old."""
    scene.leave_files()
    scene.age(OF_DEAD_RUN, HOUR * 25)
    rule = scene.proxy.rule(Dated(-HOUR * 23))
    assert "removed 0 files" in scene.clean()
    assert rule.struck
    assert OF_DEAD_RUN in scene.lake.paths()
    scene.proxy.forget()
    assert "removed 1 file, 4 B\n" in scene.clean()
    scene.assert_old()


@pytest.mark.parametrize(("run_at", "clean_at", "stays"), [(0, 3, False), (3, 3, True), (-3, 0, True)])
def test_the_grace_of_a_superseded_run_comes_from_the_clock_of_s3(
    scene: Scene, run_at: int, clean_at: int, stays: bool
) -> None:
    """The hours by which S3 is ahead of the machines. No grace begins before S3 has stored the manifest."""
    old = scene.lake.manifest(TABLE)["run"]
    scene.proxy.rule(Dated(HOUR * run_at))
    scene.run("--grace", "2h")
    scene.proxy.forget()
    [superseded] = scene.lake.manifest(TABLE)["superseded"]
    assert superseded["run"] == old
    scene.proxy.rule(Dated(HOUR * clean_at))
    scene.clean("--grace", "2h")
    scene.proxy.forget()
    assert any(path.startswith(f"{PARTITION}/{old}/") for path in scene.lake.paths()) == stays


def test_a_run_whose_lock_was_stolen_cannot_commit_removed_files_in_a_folder(
    scene: Scene, tmp_path: Path
) -> None:
    """It is paused while it reads. After the stealing run has ended, cleaning removes its files."""
    lake = tmp_path / "lake"
    run = ("run", "--day", SAMPLE_DAY, "--input", scene.day.source, "--output", lake, *ITS_TABLE)
    messages: list[str] = []

    def steal_lock() -> None:
        scene.aws.logmill(*run, "--steal")
        messages.append(Lake(lake).manifest(TABLE, SAMPLE_DAY)["run"])
        scene.aws.logmill("clean", "--output", lake, *AT_ONCE)
        assert not (lake / "_staging").exists()

    scene.proxy.rule(Meanwhile(steal_lock), operation="GetObject", path=RAW_OBJECT, times=1)
    # Its rows are still in its folder; only its lock is lost.
    scene.aws.logmill(*run, code=75)
    assert Lake(lake).manifest(TABLE, SAMPLE_DAY)["run"] == messages[0]
    assert DuckDb(Lake(lake), TABLE).rows() == scene.day.rows[TABLE][1]
    logmill("verify", "--day", SAMPLE_DAY, "--output", lake)
    assert not (lake / "_staging").exists()


def verify(scene: Scene, code: int = 0) -> str:
    """Checks the day against its manifest. Returns the output."""
    return scene.aws.logmill("verify", "--day", SAMPLE_DAY, "--output", scene.lake.url, code=code).stdout


def test_a_day_of_an_earlier_version_is_read_and_the_next_run_moves_it_over(scene: Scene) -> None:
    """Its manifest is inside the partition."""
    scene.lake.to_earlier_layout(TABLE)
    inside = {path for path in scene.lake.paths() if path.startswith(f"{PARTITION}/_")}
    assert len(inside) == 2
    assert "as listed in the manifest" in verify(scene)
    assert "removed 0 files" in scene.clean(*AT_ONCE)
    scene.run()
    scene.assert_new()
    assert not inside & scene.lake.paths()


def test_a_run_over_an_earlier_version_that_is_paused_cannot_commit_removed_files(scene: Scene) -> None:
    """Cleaning moves the manifest to the key that the run puts."""
    scene.lake.to_earlier_layout(TABLE)
    messages: list[str] = []
    pause = Meanwhile(lambda: messages.append(scene.clean_while_paused()))
    scene.proxy.rule(pause, operation="PutObject", path=MANIFEST, times=1)
    assert "this run stops" in scene.run(code=75)
    assert "run not in the manifest" in messages[0]
    assert scene.touched() == 1
    scene.assert_old()
    assert "as listed in the manifest" in verify(scene)
    scene.run()
    assert scene.touched() == 0
    scene.assert_new()


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_to_the_move_of_a_manifest_does_not_matter(scene: Scene, carried_out: bool) -> None:
    scene.lake.to_earlier_layout(TABLE)
    scene.leave_files()
    scene.proxy.rule(Lose(carried_out=carried_out), operation="PutObject", path=MANIFEST, times=1)
    assert "removed 1 file, 4 B\n" in scene.clean(*AT_ONCE)
    assert scene.touched() == 1
    scene.assert_old()


def test_two_runs_over_an_earlier_version_do_not_both_commit(scene: Scene) -> None:
    """The second one takes the lock over while the first one is paused before its commit."""
    scene.lake.to_earlier_layout(TABLE)
    meanwhile = Meanwhile(lambda: scene.run("--steal", machine="there"))
    scene.proxy.rule(meanwhile, operation="PutObject", path=MANIFEST, times=1)
    assert "this run stops" in scene.run(code=75)
    scene.proxy.forget()
    scene.run()
    scene.assert_new()


def test_a_manifest_that_a_killed_run_left_inside_is_found_and_removed(scene: Scene) -> None:
    """The run was killed after its commit."""
    inside = f"{PARTITION}/_manifest.json"
    for clean in (lambda: scene.clean(*AT_ONCE), scene.run):
        scene.aws.put(scene.lake.bucket, {scene.lake.below + inside: b"{}"})
        assert f"{inside}: not listed in the manifest" in verify(scene, code=4)
        clean()
        assert inside not in scene.lake.paths()
        assert "as listed in the manifest" in verify(scene)
    scene.assert_new()
