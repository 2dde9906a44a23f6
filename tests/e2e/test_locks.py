"""One lock for each table and day: which run holds it, waits for it, takes it over, or stops.

Two machines are two scratch folders; they share only the bucket.
"""

import json
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.s3.models import s3_backends

from aws import ACCOUNT, Aws, S3Lake, run_arguments
from faults import (
    ACCESS_DENIED,
    CONFLICT,
    PRECONDITION_FAILED,
    SLOW_DOWN,
    FaultProxy,
    Lose,
    Meanwhile,
    Refuse,
)
from harness import MANIFESTS, PATIENCE, SAMPLE_DAY, logmill, started
from small_day import SmallDay, few_objects

ITS_TABLE = ("--dataset", "s3-access")
LOCK = f"_locks/s3_access/proc_ymd={SAMPLE_DAY.replace('-', '')}.json"
LOCKS = "*/_locks/*"
RAW_OBJECT = "*web-2023-11-01-09-21-17*"
DEAD = "run 20231102T000000Z-00000000 on elsewhere, process 7, since 2023-11-02T00:00:00Z"
LIFE = timedelta(seconds=60)


@dataclass(frozen=True)
class Machines:
    """A lake with the old day, and two machines that can update it."""

    aws: Aws
    proxy: FaultProxy
    day: SmallDay
    lake: S3Lake
    here: Path
    there: Path

    def arguments(self, machine: Path, *options: str) -> tuple[str | Path, ...]:
        """The command line of a run on a machine that prints its messages."""
        given = (*ITS_TABLE, "--scratch", machine, *options)
        arguments = run_arguments(self.lake, *given, source=self.day.source)
        return tuple(word for word in arguments if word != "--quiet")

    def runs(self, machine: Path, *options: str, code: int = 0) -> str:
        """Runs to the end with an exit code. Returns the standard error."""
        return self.aws.logmill(*self.arguments(machine, *options), code=code).stderr

    def meanwhile(self, action: Callable[[], object], **where: Any) -> None:
        """Runs an action while a run works, when one of its requests arrives."""
        self.proxy.rule(Meanwhile(action), times=1, **where)

    def lock(self) -> dict[str, Any] | None:
        """The content of the lock object, if it exists."""
        return json.loads(self.lake.get(LOCK)) if LOCK in self.lake.paths() else None

    def put_lock(self, age: timedelta, holder: str = DEAD) -> None:
        """Adds the lock of a run on another machine, with an age by the server's clock."""
        text = {"version": 1, "run": holder.split()[1], "holder": holder, "life_seconds": 60, "renewals": 0}
        self.aws.put(self.lake.bucket, {self.lake.below + LOCK: json.dumps(text).encode()})
        stored = s3_backends[ACCOUNT]["aws"].get_object(self.lake.bucket, self.lake.below + LOCK)
        stored.last_modified -= age

    def assert_new(self) -> None:
        """Asserts that the new day of the table is published and nothing else remains, not even a lock."""
        assert self.lake.live("s3_access") == self.day.new["s3_access"]
        self.lake.assert_clean()

    def assert_old(self) -> None:
        """Asserts that the old day of the table is published and nothing else remains, not even a lock."""
        assert self.lake.live("s3_access") == self.day.old["s3_access"]
        self.lake.assert_clean()


@pytest.fixture
def machines(aws: Aws, proxy: FaultProxy, day: SmallDay, tmp_path: Path) -> Machines:
    """Two machines with a copy of the old day."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    return Machines(aws, proxy, day, day.published(aws), here, there)


def test_a_run_holds_the_day_from_before_it_lists_until_it_has_cleaned(machines: Machines) -> None:
    machines.runs(machines.here)
    about_lock = ["/_locks/" in request.path for request in machines.proxy.requests()]
    operations = [request.operation for request in machines.proxy.requests()]
    freed = max(place for place, is_about_lock in enumerate(about_lock) if is_about_lock)
    assert about_lock[0]
    assert operations[0] == "PutObject"
    assert operations[freed] == "DeleteObject"
    # The run record is written after the lock is released.
    later = machines.proxy.requests()[freed + 1 :]
    assert later
    history = ("/_inputs/", "/_runs/")
    for request in later:
        assert any(folder in f"{request.path} {request.query}" for folder in history), request
    assert machines.proxy.requests("PutObject", LOCKS)[0].headers["if-none-match"] == "*"
    machines.assert_new()


def test_a_second_machine_reports_which_run_holds_the_day(machines: Machines) -> None:
    messages: list[str] = []
    texts: list[dict[str, Any] | None] = []

    def second() -> None:
        texts.append(machines.lock())
        messages.append(machines.runs(machines.there, code=75))

    machines.meanwhile(second, operation="GetObject", path=RAW_OBJECT)
    machines.runs(machines.here)
    (text,) = texts
    assert text is not None
    assert text["run"] == machines.lake.manifest("s3_access")["run"]
    for word in ("s3_access", SAMPLE_DAY, text["holder"], "until: 20", "--wait", "--steal"):
        assert word in messages[0], word
    assert f"run {text['run']} on " in text["holder"]
    assert "process " in text["holder"]
    machines.assert_new()


def test_a_waiting_run_publishes_after_the_first_has_ended(machines: Machines) -> None:
    """It reports once what it waits for."""
    waiting: Future[str] = Future()
    met = threading.Event()

    def wait() -> None:
        waiting.set_result(machines.runs(machines.there, "--wait", "5m"))

    def second() -> None:
        machines.proxy.rule(Meanwhile(met.set), operation="GetObject", path=LOCKS, times=1)
        threading.Thread(target=wait, daemon=True).start()
        assert met.wait(PATIENCE)

    machines.meanwhile(second, operation="GetObject", path=RAW_OBJECT)
    machines.runs(machines.here)
    first = machines.lake.manifest("s3_access")["run"]
    messages = waiting.result(PATIENCE)
    assert messages.count("waiting for another run to end") == 1
    assert first in messages
    assert machines.lake.manifest("s3_access")["run"] != first
    machines.assert_new()


def test_a_run_gives_up_when_its_wait_is_over(machines: Machines) -> None:
    machines.put_lock(timedelta())
    messages = machines.runs(machines.here, "--wait", "1s", code=75)
    assert DEAD in messages
    assert machines.lock() is not None


def test_waiting_ends_at_once_with_a_signal(machines: Machines) -> None:
    """The lock of the holder is not changed."""
    machines.put_lock(timedelta())
    read = threading.Event()
    machines.meanwhile(read.set, operation="GetObject", path=LOCKS)
    with started(*machines.arguments(machines.here, "--wait"), env=machines.aws.env()) as process:
        assert read.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, messages
    assert machines.lock() is not None
    assert len(machines.proxy.requests("PutObject", LOCKS)) == 1


@pytest.mark.parametrize(("age", "code"), [(LIFE * 2, 0), (LIFE / 2, 75)])
def test_a_lock_is_taken_over_only_after_it_has_expired(
    machines: Machines, age: timedelta, code: int
) -> None:
    machines.put_lock(age)
    machines.runs(machines.here, code=code)
    if code == 0:
        machines.assert_new()
    else:
        text = machines.lock()
        assert text is not None
        assert text["holder"] == DEAD


def test_only_one_of_two_runs_takes_over_an_expired_lock(machines: Machines) -> None:
    """Both have read the same lock. The first put of this run is refused; its second put would take over."""
    machines.put_lock(LIFE * 2)
    faster = DEAD.replace("elsewhere", "faster")
    machines.meanwhile(
        lambda: machines.put_lock(timedelta(), holder=faster), operation="PutObject", path=LOCKS, skip=1
    )
    assert faster in machines.runs(machines.here, code=75)
    text = machines.lock()
    assert text is not None
    assert text["holder"] == faster


def test_a_lock_is_renewed_while_its_run_works(machines: Machines) -> None:
    """The test delays an object until it has seen the renewal, however long that takes."""
    renewed = threading.Event()
    machines.meanwhile(lambda: renewed.wait(PATIENCE), operation="GetObject", path=RAW_OBJECT)
    machines.meanwhile(renewed.set, operation="PutObject", path=LOCKS, skip=1)
    machines.runs(machines.here)
    first, *others = machines.proxy.requests("PutObject", LOCKS)
    assert len(others) == 2, "one during the work, one before the commit"
    assert all("if-match" in request.headers for request in others)
    texts = [json.loads(request.body) for request in (first, *others)]
    assert [text["renewals"] for text in texts] == [0, 1, 2]
    machines.assert_new()


def test_a_lock_with_unknown_content_is_valid_until_it_expires(machines: Machines) -> None:
    machines.aws.put(machines.lake.bucket, {machines.lake.below + LOCK: b"hands off"})
    assert "holder: unknown" in machines.runs(machines.here, code=75)


@pytest.mark.parametrize("path", [RAW_OBJECT, "*.parquet"])
def test_a_run_whose_lock_was_taken_over_stops_without_committing(machines: Machines, path: str) -> None:
    """It neither puts a manifest nor removes the other run's lock."""
    machines.meanwhile(lambda: machines.put_lock(timedelta()), path=path)
    messages = machines.runs(machines.here, code=75)
    assert "the lock of the day was taken over" in messages
    assert DEAD in messages
    assert "hint:" in messages
    assert not machines.proxy.requests("PutObject", MANIFESTS)
    text = machines.lock()
    assert text is not None
    assert text["holder"] == DEAD
    machines.aws.s3.delete_object(Bucket=machines.lake.bucket, Key=machines.lake.below + LOCK)
    machines.assert_old()


def test_a_run_whose_lock_was_removed_stops(machines: Machines) -> None:
    """Another run may have held the day and ended since."""

    def remove() -> None:
        machines.aws.s3.delete_object(Bucket=machines.lake.bucket, Key=machines.lake.below + LOCK)

    machines.meanwhile(remove, operation="GetObject", path=RAW_OBJECT)
    assert "was taken over" in machines.runs(machines.here, code=75)
    machines.assert_old()


def test_a_lock_replaced_at_the_last_moment_is_left_to_its_new_holder(machines: Machines) -> None:
    """The lock is replaced after the last check. The day is committed, because no other run has done so."""
    machines.meanwhile(lambda: machines.put_lock(timedelta()), operation="PutObject", path=MANIFESTS)
    machines.runs(machines.here)
    assert machines.lake.live("s3_access") == machines.day.new["s3_access"]
    text = machines.lock()
    assert text is not None
    assert text["holder"] == DEAD


def test_a_lock_is_not_read_as_a_raw_log(aws: Aws) -> None:
    """Raw logs and lake share a bucket."""
    source = aws.source(few_objects(), prefix="").rstrip("/")
    lake = S3Lake(aws, source.split("/")[2], "lake")
    arguments = ("--day", SAMPLE_DAY, "--input", source, "--output", lake.url)
    messages = aws.logmill("run", *arguments, *ITS_TABLE).stderr
    assert "skipped objects" not in messages, messages


@pytest.mark.parametrize("machine", ["here", "there"])
def test_a_stealing_run_publishes_and_the_other_loses_its_work(machines: Machines, machine: str) -> None:
    """On the same machine and on another one."""
    thief: list[str] = []

    def steal() -> None:
        machines.runs(getattr(machines, machine), "--steal")
        thief.append(machines.lake.manifest("s3_access")["run"])
        machines.assert_new()

    machines.meanwhile(steal, operation="GetObject", path=RAW_OBJECT)
    machines.runs(machines.here, code=75)
    assert machines.lake.manifest("s3_access")["run"] == thief[0]
    machines.assert_new()


def test_two_runs_on_one_machine_leave_nothing_there_after_a_steal(machines: Machines) -> None:
    machines.meanwhile(
        lambda: machines.runs(machines.here, "--steal"), operation="GetObject", path=RAW_OBJECT
    )
    machines.runs(machines.here, code=75)
    assert [path for path in machines.here.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", [RAW_OBJECT, "*.parquet"])
def test_ctrl_c_releases_the_lock(machines: Machines, path: str) -> None:
    process_id: Future[Any] = Future()
    machines.meanwhile(lambda: process_id.result(PATIENCE).send_signal(signal.SIGINT), path=path)
    with started(*machines.arguments(machines.here), env=machines.aws.env()) as process:
        process_id.set_result(process)
        _, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, messages
    machines.assert_old()


def test_a_failing_run_releases_the_lock(machines: Machines) -> None:
    machines.proxy.rule(ACCESS_DENIED, operation="GetObject", path=RAW_OBJECT)
    machines.runs(machines.here, code=4)
    machines.assert_old()


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("number", range(2))
def test_a_run_recovers_from_a_lost_answer_to_a_put_of_its_lock(
    machines: Machines, carried_out: bool, number: int
) -> None:
    """For the put that takes the lock and for the one that renews it: the retry finds its own lock."""
    lost = Lose(carried_out=carried_out)
    rule = machines.proxy.rule(lost, operation="PutObject", path=LOCKS, skip=number, times=1)
    machines.runs(machines.here)
    assert rule.struck == 1
    machines.assert_new()


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_release_with_a_lost_answer_is_retried(machines: Machines, carried_out: bool) -> None:
    rule = machines.proxy.rule(Lose(carried_out=carried_out), operation="DeleteObject", path=LOCKS, times=1)
    machines.runs(machines.here)
    assert rule.struck == 1
    machines.assert_new()


@pytest.mark.parametrize(
    "refusal", [SLOW_DOWN, CONFLICT, PRECONDITION_FAILED], ids=lambda refusal: refusal.code
)
@pytest.mark.parametrize("number", range(2))
def test_a_temporarily_refused_put_of_a_lock_is_retried(
    machines: Machines, refusal: Refuse, number: int
) -> None:
    rule = machines.proxy.rule(refusal, operation="PutObject", path=LOCKS, skip=number, times=1)
    machines.runs(machines.here)
    assert rule.struck == 1
    machines.assert_new()


def test_cleaning_skips_a_day_that_another_run_holds_and_removes_expired_locks(
    machines: Machines,
) -> None:
    clean = ("clean", "--output", machines.lake.url, "--scratch", machines.there)
    machines.put_lock(timedelta())
    messages = machines.aws.logmill(*clean).stdout
    assert f"s3_access/proc_ymd={SAMPLE_DAY.replace('-', '')}: skipped, a run holds it" in messages
    assert machines.lock() is not None
    alone = machines.lake.below + "_locks/web/proc_ymd=20231102.json"
    machines.aws.put(machines.lake.bucket, {alone: b"{}"})
    machines.put_lock(LIFE * 2)
    s3_backends[ACCOUNT]["aws"].get_object(machines.lake.bucket, alone).last_modified -= LIFE * 2
    machines.aws.logmill(*clean, "--dry-run")
    assert machines.lock() is not None
    machines.aws.logmill(*clean)
    machines.assert_old()


def test_a_lock_in_a_folder_can_be_stolen_too(machines: Machines, tmp_path: Path) -> None:
    """The raw logs come from S3, so that the test can pause the first run."""
    folder = tmp_path / "lake"
    run = ("run", "--day", SAMPLE_DAY, "--input", machines.day.source, "--output", folder, *ITS_TABLE)
    messages: list[str] = []

    def others() -> None:
        messages.append(machines.aws.logmill(*run, code=75).stderr)
        machines.aws.logmill(*run, "--steal")

    machines.meanwhile(others, operation="GetObject", path=RAW_OBJECT)
    robbed = machines.aws.logmill(*run, code=75).stderr
    assert "--steal" in messages[0]
    assert "the lock of the day was taken over" in robbed
    logmill("verify", "--day", SAMPLE_DAY, "--output", folder)
    assert not (folder / "_staging").exists()
