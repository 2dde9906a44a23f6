"""A day in shards that are staged in a bucket. Machines share only the bucket, and can be replaced."""

import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from aws import Aws, S3Lake
from faults import ACCESS_DENIED, FaultProxy, Rule, Strike
from harness import SAMPLE_DAY
from small_day import SmallDay
from test_s3_kills import signalled

SHARDS = 3
# Requests at which a command is killed: the first, the last, and some between them, in tenths.
POINTS = range(11)
# A removal leaves a receipt in place of the plan.
RECEIPT = {"_staging/d/plan.json"}


@dataclass(frozen=True)
class SharedDay:
    """A plan in a bucket, and its lake."""

    aws: Aws
    source: str
    lake: S3Lake

    @property
    def place(self) -> tuple[str, ...]:
        """The options for plan and shards."""
        return ("--plan", f"{self.lake.url}/_staging/d/plan.json", "--staging", f"{self.lake.url}/_staging/d")

    def plan(self) -> None:
        """Writes the plan."""
        options = ("--day", SAMPLE_DAY, "--input", self.source, "--shards", str(SHARDS))
        self.aws.logmill("plan", *options, *self.place[:2])

    def conversion(self, shard: int | str, scratch: Path) -> tuple[str, ...]:
        """The command line of a machine."""
        return ("convert", *self.place, "--shard", str(shard), "--scratch", str(scratch), "--quiet")

    def convert(self, shard: int, scratch: Path) -> None:
        """Converts a shard on a machine of an array."""
        env = {"AWS_BATCH_JOB_ARRAY_INDEX": str(shard)}
        self.aws.logmill(*self.conversion("auto", scratch), env=env)

    def publication(self, *options: str) -> tuple[str, ...]:
        """The command line that publishes the day."""
        return ("publish", *self.place, "--output", self.lake.url, "--grace", "0s", "--quiet", *options)

    def publish(self, *options: str, code: int = 0) -> str:
        """Publishes the day. Returns the messages."""
        return self.aws.logmill(*self.publication(*options), code=code).stderr

    def staged(self) -> set[str]:
        """The files in the staging folder."""
        return {path for path in self.lake.paths() if path.startswith("_staging/")}

    def convert_all(self, scratch: Path) -> None:
        """Converts all shards."""
        for shard in range(SHARDS):
            self.convert(shard, scratch)


@pytest.fixture
def shared(aws: Aws, day: SmallDay) -> SharedDay:
    """A planned day."""
    shared = SharedDay(aws, day.source, aws.lake())
    shared.plan()
    return shared


def test_machines_that_share_only_a_bucket_publish_the_day_of_one_run(
    shared: SharedDay, day: SmallDay, tmp_path: Path
) -> None:
    for shard in reversed(range(SHARDS)):
        scratch = tmp_path / str(shard)
        scratch.mkdir()
        shared.convert(shard, scratch)
        assert not list(scratch.iterdir()), "a machine should keep nothing"
    shared.convert(SHARDS, tmp_path / "spare")
    shared.publish("--scratch", str(tmp_path))
    assert shared.lake.readers() == day.new
    assert len(shared.staged()) > SHARDS
    shared.publish("--scratch", str(tmp_path), "--remove-staging")
    assert (shared.lake.readers(), shared.staged()) == (day.new, RECEIPT)
    shared.lake.assert_clean()


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
def test_a_machine_killed_at_any_request_can_be_replaced(
    shared: SharedDay, proxy: FaultProxy, day: SmallDay, tmp_path: Path, carried_out: bool
) -> None:
    for shard in range(1, SHARDS):
        shared.convert(shard, tmp_path)
    proxy.forget()
    clean = SharedDay(shared.aws, shared.source, shared.aws.lake())
    clean.plan()
    proxy.forget()
    clean.convert(0, tmp_path)
    # This request makes the attempt count. Later requests only check that the plan still exists.
    last = max(seen.number for seen in proxy.requests(path="*/s3_access/shard-00000/index.json"))
    for point in POINTS:
        proxy.forget()
        where = {"skip": point * (last - 1) // POINTS[-1]}
        strike = partial(Strike, carried_out=carried_out)
        command = shared.conversion(0, tmp_path)
        code, messages = signalled(shared.aws, proxy, signal.SIGKILL, strike, where, command)
        assert code == -signal.SIGKILL, messages
    proxy.forget()
    if not carried_out:
        # The other table is converted first, and is published.
        assert "has not been converted" in shared.publish(code=5)
    shared.convert(0, tmp_path)
    shared.publish("--remove-staging")
    assert (shared.lake.readers(), shared.staged()) == (day.new, RECEIPT)


def test_the_next_publish_completes_a_killed_removal(
    shared: SharedDay, proxy: FaultProxy, day: SmallDay, tmp_path: Path
) -> None:
    """Every other request is carried out before the kill."""
    shared.convert_all(tmp_path)
    shared.publish()
    staged = {shared.lake.below + path: shared.lake.get(path) for path in shared.staged()}
    proxy.forget()
    shared.publish("--remove-staging")
    plans = proxy.requests(operation="PutObject", path="*/_staging/d/plan.json")
    receipt = max(seen.number for seen in plans)
    last = len(proxy.requests())
    assert last > receipt + 2 * SHARDS, "the removal follows the receipt"
    for point in POINTS[::2]:
        shared.aws.put(shared.lake.bucket, staged)
        proxy.forget()
        where = {"skip": receipt - 1 + point * (last - receipt) // POINTS[-1]}
        strike = partial(Strike, carried_out=point % 4 == 2)
        command = shared.publication("--remove-staging")
        code, messages = signalled(shared.aws, proxy, signal.SIGKILL, strike, where, command)
        assert code == -signal.SIGKILL, messages
        proxy.forget()
        shared.publish("--remove-staging")
        assert (shared.lake.readers(), shared.staged()) == (day.new, RECEIPT)


def test_the_error_names_the_permission_that_the_bucket_denies(
    shared: SharedDay, proxy: FaultProxy, tmp_path: Path
) -> None:
    for operation, permission in (("GetObject", "s3:GetObject"), ("CreateMultipartUpload", "s3:PutObject")):
        rule: Rule = proxy.rule(ACCESS_DENIED, operation=operation, path="*/_staging/*")
        messages = shared.aws.logmill(*shared.conversion(0, tmp_path), code=4).stderr
        assert permission in messages
        assert rule.struck > 0
        proxy.forget()


def test_the_error_names_a_missing_staged_file(shared: SharedDay, tmp_path: Path) -> None:
    for shard in range(SHARDS):
        shared.convert(shard, tmp_path)
    lost = next(path for path in sorted(shared.staged()) if "/rows-" in path)
    shared.aws.s3.delete_object(Bucket=shared.lake.bucket, Key=shared.lake.below + lost)
    messages = shared.publish(code=5)
    assert lost in messages
    assert "convert the shard again" in messages
