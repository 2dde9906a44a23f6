"""A published day keeps its rows, in folders and in buckets: no day is emptied or shrunk by accident."""

import gzip
import json
import subprocess
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

import month
from aws import Aws
from harness import DATASETS, SAMPLE_DAY, logmill
from many_days import files
from month import ACCOUNT, REGIONS
from small_day import few_objects

TRAIL = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGIONS[0]}"
SPAN = ("--from", "2023-10-01", "--to", "2023-10-08", "--lateness", "6h")


@dataclass(frozen=True)
class Place:
    """The location of raw logs and a lake: folders, or buckets."""

    folder: Path
    aws: Aws | None

    @property
    def lake(self) -> str:
        """The value of `--output`."""
        return str(self.folder / "lake") if self.aws is None else f"s3://{self.bucket('lake')}/lake"

    def bucket(self, name: str) -> str:
        """The bucket for a name, created on first use."""
        assert self.aws is not None
        mark = self.folder / f"{name}.bucket"
        if not mark.exists():
            mark.write_text(self.aws.bucket(name))
        return mark.read_text()

    def source(self, objects: dict[str, bytes], name: str = "raw") -> str:
        """Adds raw objects. Returns the value of `--input`."""
        if self.aws is None:
            return str(month.write(self.folder / name, objects))
        self.aws.put(self.bucket(name), {f"logs/{key}": body for key, body in objects.items()})
        return f"s3://{self.bucket(name)}/logs"

    def remove(self, key: str, name: str = "raw") -> None:
        """Removes a raw object."""
        if self.aws is None:
            (self.folder / name / key).unlink()
        else:
            self.aws.s3.delete_object(Bucket=self.bucket(name), Key=f"logs/{key}")

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs the binary over this lake."""
        env = None if self.aws is None else self.aws.env()
        return logmill(*arguments, "--output", self.lake, code=code, env=env)

    def published(self) -> dict[str, bytes]:
        """Every file of the lake except run records and locks."""
        if self.aws is None:
            found = files(self.folder / "lake")
        else:
            found = {
                key.removeprefix("lake/"): body
                for key, body in self.aws.contents(self.bucket("lake"), "lake/").items()
            }
        return {path: body for path, body in found.items() if not path.startswith(("_runs/", "_locks/"))}

    def of_table(self, table: str) -> dict[str, bytes]:
        """The files of a table."""
        return {path: body for path, body in self.published().items() if path.startswith(f"{table}/")}

    def rows(self, table: str) -> dict[str, int]:
        """The rows of each published day of a table."""
        found = self.published().items()
        manifests = [json.loads(body) for path, body in found if path.startswith(f"_manifests/{table}/")]
        return {manifest["day"]: manifest["ledger"]["written"] for manifest in manifests}

    def assert_tidy(self) -> None:
        """Asserts that a refused run has left nothing behind."""
        assert not [path for path in self.published() if path.startswith("_staging")]
        if self.aws is not None:
            assert not self.aws.uploads(self.bucket("lake"))


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each kind of location in turn."""
    return Place(tmp_path, request.getfixturevalue("aws") if request.param == "bucket" else None)


def trail(name: str, count: int, day: str = SAMPLE_DAY) -> dict[str, bytes]:
    """A CloudTrail object from noon in Korea, with the given number of events."""
    events = [
        {
            "eventID": f"{day} {name}{number}",
            "eventTime": f"{day}T03:00:00Z",
            "eventName": "GetObject",
            "eventVersion": "1.08",
        }
        for number in range(count)
    ]
    file = f"{ACCOUNT}_CloudTrail_{REGIONS[0]}_{day.replace('-', '')}T0310Z_{name}.json.gz"
    body = gzip.compress(json.dumps({"Records": events}).encode(), mtime=0)
    return {f"{TRAIL}/{day.replace('-', '/')}/{file}": body}


def a_day(place: Place, *objects: dict[str, bytes]) -> str:
    """Publishes the day of some CloudTrail objects. Returns their address."""
    address = place.source({key: body for found in objects for key, body in found.items()})
    place.run("run", "--day", SAMPLE_DAY, "--input", address)
    return address


def test_a_run_over_the_trail_alone_does_not_touch_the_access_logs(place: Place) -> None:
    """As in the second example of the README, after both tables were built from both inputs."""
    objects = few_objects()
    trails = {key: body for key, body in objects.items() if key.startswith("cloudtrail/")}
    access = {key: body for key, body in objects.items() if key not in trails}
    inputs = [place.source(trails, "trail"), place.source(access, "access")]
    place.run("run", "--day", SAMPLE_DAY, "--input", inputs[0], "--input", inputs[1])
    before = {table: place.rows(table) for table in DATASETS}
    assert all(rows[SAMPLE_DAY] > 0 for rows in before.values())
    untouched = {"cloudtrail": place.of_table("cloudtrail"), "s3_access": place.of_table("s3_access")}
    for address, (made, left) in zip(inputs, permutations(DATASETS), strict=True):
        for command in (
            ("run", "--day", SAMPLE_DAY),
            ("run", "--day", SAMPLE_DAY, "--lookback", "2d"),
            ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY, "--only", "all"),
            ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY, "--only", "all", "--dry-run"),
        ):
            reported = place.run(*command, "--input", address)
            assert f"not built: the inputs hold no {DATASETS[left]}, " in reported.stderr
            assert made in reported.stdout
            assert left not in reported.stdout
            assert place.of_table(left) == untouched[left], command
        status = place.run("status", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY, "--check", "--input", address)
        assert DATASETS[left] not in status.stderr
        assert all(f"{table}: KST days" in status.stdout for table in DATASETS)
        assert place.rows(made) == before[made]
        untouched[made] = place.of_table(made)


def test_an_input_without_logs_is_refused_and_changes_nothing(place: Place) -> None:
    a_day(place, trail("a", 3))
    before = place.published()
    wrong = place.source({"photo.jpg": b"not a log"}, "wrong")
    if place.aws is None:
        (place.folder / "wrong" / "photo.jpg").unlink()
    for command in (("run", "--day", SAMPLE_DAY), ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY)):
        messages = place.run(*command, "--input", wrong, code=4).stderr
        assert messages.count("hint:") == 1
        assert wrong in messages
    for options in ((), ("--max-shrink", "1")):
        named = ("--dataset", "cloudtrail", *options)
        messages = place.run("run", "--day", SAMPLE_DAY, "--input", wrong, *named, code=4).stderr
        assert "rows_published: 3, rows_now: 0" in messages
        assert "--allow-empty" in messages
    kept = {path: body for path, body in before.items() if path.startswith("cloudtrail/")}
    assert place.of_table("cloudtrail") == kept
    place.assert_tidy()
    place.run("run", "--day", SAMPLE_DAY, "--input", wrong, "--dataset", "cloudtrail", "--allow-empty")
    assert place.rows("cloudtrail") == {SAMPLE_DAY: 0}


def test_a_day_keeps_most_of_its_rows_unless_their_objects_were_deleted(place: Place) -> None:
    address = a_day(place, trail("a", 6), trail("b", 3), trail("c", 2))
    before = place.published()
    place.source(trail("a", 1) | trail("b", 1))
    run = ("run", "--day", SAMPLE_DAY, "--input", address)
    backfill = ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY, "--input", address)
    for command in (run, (*run, "--lookback", "1d"), backfill):
        messages = place.run(*command, code=4).stderr
        assert "rows_published: 11, rows_now: 4" in messages
        assert "--max-shrink" in messages
        assert place.published() == before
        place.assert_tidy()
    [line] = place.run("status", *backfill[1:], "--format", "json").stdout.splitlines()
    assert (json.loads(line)["state"], json.loads(line)["ledger"]["written"]) == ("failed", 11)
    # Without the object of six rows, five rows are expected.
    [gone] = trail("a", 1)
    place.remove(gone)
    place.run(*run)
    assert place.rows("cloudtrail") == {SAMPLE_DAY: 3}
    place.source(trail("c", 1))
    place.remove(*trail("b", 1))
    place.run(*run, "--max-shrink", "0.3", code=4)
    place.run(*run, "--max-shrink", "34%")
    assert place.rows("cloudtrail") == {SAMPLE_DAY: 1}


def test_shards_keep_the_rows_of_a_day_too(place: Place) -> None:
    address = a_day(place, trail("a", 6))
    before = place.published()
    place.source(trail("a", 1))
    plan, staging = place.folder / "plan.json", place.folder / "staging"
    env = None if place.aws is None else place.aws.env()
    logmill("plan", "--day", SAMPLE_DAY, "--input", address, "--plan", plan, env=env)
    logmill("convert", "--plan", plan, "--shard", "0", "--staging", staging, env=env)
    publish = ("publish", "--plan", str(plan), "--staging", str(staging))
    assert "rows_published: 6, rows_now: 1" in place.run(*publish, code=4).stderr
    assert place.published() == before
    place.assert_tidy()
    place.run(*publish, "--max-shrink", "100%")
    assert place.rows("cloudtrail") == {SAMPLE_DAY: 1}


def test_an_input_of_one_date_causes_a_warning_that_names_the_other_date(place: Place) -> None:
    address = place.source(trail("a", 2) | trail("b", 2, "2023-10-31"))
    own, other = (f"{address}/{TRAIL}/{date}" for date in ("2023/11/01", "2023/10/31"))
    for command in (
        ("run", "--day", SAMPLE_DAY),
        ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY),
        ("status", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY),
    ):
        messages = place.run(*command, "--input", own).stderr
        assert f"also_needed={other}\n" in messages
        assert "needs two" not in place.run(*command, "--input", own, "--input", other).stderr
    env = None if place.aws is None else place.aws.env()
    assert f"also_needed={other}\n" in logmill("plan", "--day", SAMPLE_DAY, "--input", own, env=env).stderr


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_days_before_the_first_log_are_not_built_and_gaps_are(place: Place, order: str) -> None:
    address = place.source(trail("a", 2, "2023-10-03") | trail("b", 2, "2023-10-06"))
    status = ("status", *SPAN, "--input", address, "--format", "json")

    def states() -> list[str]:
        return [json.loads(line)["state"] for line in place.run(*status).stdout.splitlines()]

    assert states() == ["no_logs"] * 2 + ["missing"] * 6
    place.run(*status, "--check", code=4)
    backfill = ("backfill", *SPAN, "--input", address, "--order", order)
    assert "cloudtrail: 6 of 8 days to build, 4 of them without objects\n" in place.run(*backfill, "--dry-run").stdout
    assert "6 table-days published (4 empty), 2 already up to date" in place.run(*backfill).stdout
    days = {f"2023-10-0{day}": 2 if day in (3, 6) else 0 for day in range(3, 9)}
    assert place.rows("cloudtrail") == days
    assert states() == ["no_logs"] * 2 + [("published" if rows else "empty") for rows in days.values()]
    place.run(*status, "--check")
    assert "0 table-days published, 8 already up to date" in place.run(*backfill, "--only", "missing").stdout
    place.run("run", "--day", "2023-10-01", "--dataset", "cloudtrail", "--input", address)
    assert place.rows("cloudtrail") == days | {"2023-10-01": 0}
