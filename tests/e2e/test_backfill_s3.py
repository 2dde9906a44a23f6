"""Many days from S3 to S3: the lake of single runs, each object fetched once, and kills repaired."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import month
from aws import Aws, S3Lake
from catalog import Registered
from faults import ACCESS_DENIED, FaultProxy, Refuse, running
from harness import DATASETS, NAMED, partition
from many_days import (
    backfill,
    backfill_arguments,
    contents,
    differing,
    every,
    in_state,
    live,
    of_days,
    places,
    runs,
    span,
    status,
    unlisted,
)
from month import BY_DELIVERY, FOLDERS, REGIONS, SHARE_OF_REJECTS, UNDATED, Month, access_line, packed, record
from oracle import chosen, kst_window
from test_s3_kills import kill_at

# With damage, quiet days, repeated rows and objects without a time. The whole month is built in a folder.
DAYS = month.days()[3:13]
STRETCH = span(DAYS[0], DAYS[-1])
FEW = month.days()[15:18]
# The folder of a date.
DATED = re.compile(r".*/\d{4}/\d\d/\d\d/")
GRACE = ("--grace", "0s")
POINTS = 12


def objects_near(days: list[str], each: int = 1) -> dict[str, bytes]:
    """The objects that can feed some days, with a few objects of the days next to them."""
    keys = list(month.month())
    near = {key for table in DATASETS for day in days for key in chosen(keys, table, kst_window(day))}
    return {key: month.month()[key] for key in [*sorted(near)[::each], UNDATED]}


@dataclass(frozen=True)
class Bucket:
    """Raw logs in S3, and the content of lakes that single runs build from them."""

    source: str
    objects: dict[str, bytes]
    expected: dict[str, object]
    fetches: int
    listings: int

    def put(self, aws: Aws, objects: dict[str, bytes]) -> None:
        """Adds raw objects."""
        bucket, _, prefix = self.source.removeprefix("s3://").partition("/")
        aws.put(bucket, {prefix + key: body for key, body in objects.items()})


@pytest.fixture(scope="module")
def stretch(aws_server: str) -> Iterator[Bucket]:
    """Some days of the month, built by single runs. Tests do not change it."""
    with running(aws_server) as proxy:
        yield built_singly(Aws(aws_server, proxy), objects_near(DAYS), DAYS)


def built_singly(aws: Aws, objects: dict[str, bytes], days: list[str]) -> Bucket:
    """Builds days one by one."""
    source, lake = aws.source(objects), aws.lake()
    aws.proxy.forget()
    for day in days:
        aws.logmill("run", "--day", day, *places(source, lake.url), *SHARE_OF_REJECTS, *GRACE, "--quiet")
    assert not lake.uploads()
    fetches, listings = fetched(aws, source).total(), len(listed(aws, source))
    return Bucket(source, objects, contents(read(lake)), fetches, listings)


def read(lake: S3Lake) -> dict[str, bytes]:
    """Every object of a lake."""
    return {path: lake.get(path) for path in lake.everything()}


def assert_complete(lake: S3Lake, expected: dict[str, object]) -> None:
    """Asserts that the lake equals that of single runs and contains nothing more."""
    found = contents(read(lake))
    assert found == expected, differing(found, expected)[:5]
    assert not lake.uploads()


def fetched(aws: Aws, source: str) -> Counter[str]:
    """The number of requests for each raw object."""
    prefix = source.removeprefix("s3://")
    return Counter(seen.path.removeprefix(prefix) for seen in aws.proxy.requests("GetObject", f"{prefix}*"))


def listed(aws: Aws, source: str) -> list[str]:
    """The listed folders of raw logs, with repetitions."""
    return [seen.query["prefix"] for seen in aws.proxy.requests("ListObjectsV2", f"{source.split('/')[2]}*")]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_backfill_builds_the_lake_of_single_runs_with_one_request_per_object(
    aws: Aws, stretch: Bucket, order: str, tmp_path: Path
) -> None:
    """Each table lists the folder of a date once. Only the folders above it are listed more often."""
    lake = aws.lake()
    # For log types that are named one by one, the input is not inspected in advance.
    settings = tmp_path / "logmill.toml"
    settings.write_text("\n".join(f'[[source]]\ndataset = "{name}"' for name in DATASETS.values()))
    options = ("--config", settings, "--order", order, *GRACE)
    made = backfill(stretch.source, lake.url, *options, days=STRETCH, env=aws.env())
    once, folders = fetched(aws, stretch.source), Counter(listed(aws, stretch.source))
    assert made.made == every(DAYS)
    assert_complete(lake, stretch.expected)
    assert once.pop(UNDATED) == 1 + 1
    assert set(once.values()) == {1}
    assert len(once) > 8 * len(DAYS)
    assert stretch.fetches > 1.4 * once.total()
    dated = {folder: count for folder, count in folders.items() if DATED.fullmatch(folder)}
    assert dated.keys() == {f"logs/{found[0]}" for key in stretch.objects if (found := DATED.match(key))}
    assert max(dated.values()) <= len(DATASETS)
    assert folders.total() < stretch.listings / 2


# For named log types, the input is not inspected in advance. The number of those requests depends on timing.
FEW_OPTIONS = (*NAMED, *GRACE, "--threads", "1")


@dataclass(frozen=True)
class StaleLake:
    """A lake that needs a backfill, and the requests of the backfill at which to kill it."""

    bucket: Bucket
    lake: S3Lake
    strikes: list[int]

    def copy(self, aws: Aws) -> S3Lake:
        """The lake in its own bucket."""
        return S3Lake(aws, self.lake.copy().bucket, self.lake.prefix)

    def arguments(self, lake: S3Lake) -> tuple[str, ...]:
        """The command line of the backfill."""
        return backfill_arguments(self.bucket.source, lake.url, *FEW_OPTIONS, days=span(FEW[0], FEW[-1]))


@pytest.fixture(scope="module")
def behind(aws_server: str) -> Iterator[StaleLake]:
    """Three days of few objects: the first was built before late objects arrived, the last never."""
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        early = objects_near(FEW, each=4)
        made, noon = Month(Random(5)), kst_window(FEW[0])[0] + timedelta(hours=12)
        made.trail(REGIONS[0], noon, packed([record(made, noon)]))
        made.access(BY_DELIVERY, noon, [access_line(made, noon)])
        late = {key: body for key, body in made.objects.items() if key.startswith(("AWSLogs", "by-delivery"))}
        bucket, lake = built_singly(aws, early | late, FEW), aws.lake()
        bucket_name, _, _ = bucket.source.removeprefix("s3://").partition("/")
        for key in late:
            aws.s3.delete_object(Bucket=bucket_name, Key=f"logs/{key}")
        for day in FEW[:2]:
            aws.logmill(
                "run", "--day", day, *places(bucket.source, lake.url), *SHARE_OF_REJECTS, *GRACE, "--quiet"
            )
        bucket.put(aws, late)
        behind = StaleLake(bucket, lake, [])
        proxy.forget()
        aws.logmill(*behind.arguments(behind.copy(aws)))
        raw = {seen.number for seen in proxy.requests(path=f"{bucket_name}*")}
        writing = [seen.number for seen in proxy.requests() if seen.number not in raw]
        behind.strikes.extend(writing[place * (len(writing) - 1) // (POINTS - 1)] for place in range(POINTS))
        yield behind


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_backfill_leaves_complete_days_and_the_next_one_builds_the_rest(
    aws: Aws, proxy: FaultProxy, behind: StaleLake, point: int
) -> None:
    """Every other request is carried out before the kill."""
    lake = behind.copy(aws)
    before = runs(read(lake))
    kill_at(aws, proxy, behind.strikes[point], point % 2 == 1, behind.arguments(lake))
    proxy.forget()
    published = runs(read(lake))
    stale = {place for place in before if place[1] != FEW[1] and published[place] == before[place]}
    fresh = published.keys() - stale
    # Objects of other log types arrived after some of the days were built.
    found = of_days(unlisted(contents(live(read(lake)))), fresh)
    wanted = of_days(unlisted(behind.bucket.expected), fresh)
    assert {path: found.get(path) for path in wanted} == wanted, "a published day is incomplete"
    made = json.loads(aws.logmill(*behind.arguments(lake)).stdout)
    made = {(table["table"], day["day"]) for day in made["days"] for table in day["tables"]}
    assert made == every(FEW) - fresh
    assert {place: run for place, run in runs(read(lake)).items() if place in fresh} == {
        place: published[place] for place in fresh
    }
    superseded = {
        (table, day)
        for (table, day), run in before.items()
        if day == FEW[0] and lake.aws.keys(lake.bucket, f"{lake.below}{table}/{partition(day)}/{run}/")
    }
    assert len(superseded) <= 1, superseded
    # A run killed after its commit leaves the superseded run to the next run of the day, or to this command.
    aws.logmill("clean", "--output", lake.url, "--older-than", "0s", *GRACE)
    assert unlisted(contents(read(lake))) == unlisted(behind.bucket.expected)
    assert not lake.uploads()


@pytest.mark.parametrize("place", [0, 4])
def test_an_unreadable_object_fails_only_the_days_near_it(
    aws: Aws, proxy: FaultProxy, stretch: Bucket, place: int
) -> None:
    """Even though an object without a time in its key feeds every day."""
    lake = aws.lake()
    noon = kst_window(DAYS[place])[0] + timedelta(hours=12)
    keys = [
        key for key in stretch.objects if key.startswith(FOLDERS[BY_DELIVERY]) and f"/{noon:%Y/%m/%d}/" in key
    ]
    rule = proxy.rule(ACCESS_DENIED, operation="GetObject", path=f"*{keys[0]}")
    made = backfill(stretch.source, lake.url, *GRACE, days=STRETCH, code=5, env=aws.env())
    assert rule.struck
    feeding = {("s3_access", day) for day in DAYS if keys[0] in chosen(keys, "s3_access", kst_window(day))}
    near = {("s3_access", near) for near in DAYS[max(0, place - 2) : place + 3]}
    assert feeding <= made.failed.keys() <= near
    assert all(keys[0] in error for error in made.failed.values())
    assert made.made == every(DAYS) - made.failed.keys()
    proxy.forget()
    again = backfill(stretch.source, lake.url, *GRACE, days=STRETCH, env=aws.env())
    assert again.made == made.failed.keys()
    assert_complete(lake, stretch.expected)


def test_status_finds_stale_days_by_etag_and_fetches_no_log(aws: Aws) -> None:
    objects = objects_near(FEW, each=3)
    source, lake = aws.source(objects), aws.lake()
    days = span(FEW[0], FEW[-1])
    backfill(source, lake.url, *GRACE, days=days, env=aws.env())
    window = kst_window(FEW[1])
    noon = f"{window[0] + timedelta(hours=9):%Y-%m-%d}"
    key = next(
        key for key in objects if key.startswith("by-delivery") and noon in key and "-00-" not in key[-25:]
    )
    feeding = {
        ("s3_access", day) for day in FEW if key in chosen(list(objects), "s3_access", kst_window(day))
    }
    assert feeding
    changed = objects[key].replace(b"img/", b"pic/")
    assert changed != objects[key]
    aws.put(source.split("/")[2], {f"logs/{key}": changed})
    aws.proxy.forget()
    lines = status(source, lake.url, days=days, env=aws.env())
    assert in_state(lines, "stale") == feeding
    assert all(lines[place]["objects_changed"] == 1 for place in feeding)
    assert all(lines[place]["example"] == source + key for place in feeding)
    assert fetched(aws, source).keys() == {UNDATED}
    aws.proxy.forget()
    made = backfill(source, lake.url, "--only", "stale", *GRACE, days=days, env=aws.env())
    assert made.made == feeding
    needed = {key for _, day in feeding for key in chosen(list(objects), "s3_access", kst_window(day))}
    assert fetched(aws, source).keys() == needed | {UNDATED}
    assert not in_state(status(source, lake.url, days=days, env=aws.env()), "stale")


NO_SUCH_KEY = Refuse(404, "NoSuchKey", "The specified key does not exist.")
PLAIN_DAYS = month.days()[2:5]
PLAIN_STRETCH = span(PLAIN_DAYS[0], PLAIN_DAYS[-1])


def plain_logs() -> dict[str, bytes]:
    """One object per table and day. The CloudTrail objects cannot feed any other day."""
    made = Month(Random(3))
    for day in PLAIN_DAYS:
        noon = kst_window(day)[0] + timedelta(hours=12)
        events = [noon - timedelta(minutes=minutes) for minutes in (5, 20, 40)]
        made.access(BY_DELIVERY, noon, [access_line(made, event) for event in events])
        made.trail(REGIONS[0], noon, packed([record(made, event) for event in events]))
    return made.objects


def trail_of(objects: dict[str, bytes], day: str) -> str:
    """The CloudTrail object of a day."""
    [found] = chosen([key for key in objects if key.startswith("AWSLogs")], "cloudtrail", kst_window(day))
    return found


def test_a_day_with_an_unopened_object_is_stale_until_the_object_is_read(aws: Aws) -> None:
    """Although its listing has not changed."""
    objects, place = plain_logs(), ("cloudtrail", PLAIN_DAYS[1])
    source, lake = aws.source(objects), aws.lake()
    key = trail_of(objects, place[1])
    rule = aws.proxy.rule(NO_SUCH_KEY, operation="GetObject", path=f"*{key}", times=1)
    rejects = ("--max-reject-ratio", "1")
    first = backfill(source, lake.url, *rejects, *GRACE, days=PLAIN_STRETCH, env=aws.env())
    assert (rule.struck, first.made) == (1, every(PLAIN_DAYS))
    ledger = lake.manifest(*place)["ledger"]
    assert (ledger["written"], ledger["quarantined"]) == (0, 1)
    lines = status(source, lake.url, days=PLAIN_STRETCH, env=aws.env())
    assert in_state(lines, "stale") == {place}
    assert (lines[place]["objects_changed"], lines[place]["example"]) == (1, source + key)
    again = backfill(source, lake.url, *GRACE, days=PLAIN_STRETCH, env=aws.env())
    assert again.made == {place}
    assert lake.manifest(*place)["ledger"]["written"] == 3
    lines = status(source, lake.url, days=PLAIN_STRETCH, env=aws.env())
    assert in_state(lines, "published") == every(PLAIN_DAYS)
    assert not backfill(source, lake.url, *GRACE, days=PLAIN_STRETCH, env=aws.env()).made


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_an_unreadable_object_fails_its_day_and_not_the_days_next_to_it(aws: Aws, order: str) -> None:
    """Although objects for several of these days are read at the same time."""
    objects, place = plain_logs(), ("cloudtrail", PLAIN_DAYS[1])
    key = trail_of(objects, place[1])
    for day in PLAIN_DAYS:
        made, midnight = Month(Random(5)), kst_window(day)[0]
        events = [midnight + timedelta(minutes=minutes) for minutes in (-30, 30)]
        made.trail(REGIONS[0], midnight + timedelta(hours=1), packed([record(made, at) for at in events]))
        objects |= made.objects
    source, lake, clean = aws.source(objects), aws.lake(), aws.lake()
    options = ("--order", order, *GRACE)
    backfill(source, clean.url, *options, days=PLAIN_STRETCH, env=aws.env())
    rule = aws.proxy.rule(ACCESS_DENIED, operation="GetObject", path=f"*{key}")
    made = backfill(source, lake.url, *options, days=PLAIN_STRETCH, code=5, env=aws.env())
    assert rule.struck
    assert (made.made, made.failed.keys()) == (every(PLAIN_DAYS) - {place}, {place})
    assert key in made.failed[place]
    lines = status(source, lake.url, days=PLAIN_STRETCH, env=aws.env())
    assert in_state(lines, "failed") == {place}
    aws.proxy.forget()
    assert backfill(source, lake.url, *options, days=PLAIN_STRETCH, env=aws.env()).made == {place}
    trails = [key for key in objects if key.startswith("AWSLogs")]
    feeding = chosen(trails, place[0], kst_window(place[1]))
    assert fetched(aws, source) == Counter(feeding)
    assert_complete(lake, contents(read(clean)))


@pytest.mark.parametrize("refused", ["all", "one"])
def test_the_next_backfill_registers_unregistered_days_without_reading_logs(
    aws: Aws, catalog: Registered, refused: str
) -> None:
    source, days = aws.source(plain_logs()), PLAIN_STRETCH
    where = {"all": {}, "one": {"times": 1, "skip": 2}}[refused]
    rule = aws.proxy.rule(ACCESS_DENIED, operation="*CreatePartition", **where)
    options = (*catalog.options, "--create-database")
    made = backfill(source, catalog.lake.url, *options, days=days, code=6, env=aws.env())
    assert rule.struck
    assert made.made == every(PLAIN_DAYS)
    lacking = set(made.failed)
    assert len(lacking) == (1 if refused == "one" else len(every(PLAIN_DAYS)))
    before = runs(read(catalog.lake))
    lines = status(source, catalog.lake.url, days=days, env=aws.env())
    assert in_state(lines, "published") == every(PLAIN_DAYS)
    assert {place for place, line in lines.items() if line["not_registered"]} == lacking
    aws.proxy.forget()
    again = backfill(source, catalog.lake.url, *options, days=days, env=aws.env())
    assert (again.made, again.failed) == (set(), {})
    assert not fetched(aws, source)
    assert runs(read(catalog.lake)) == before
    for (table, day), run in before.items():
        assert f"/{run}/" in catalog.location(table, day.replace("-", ""))
    lines = status(source, catalog.lake.url, days=days, env=aws.env())
    assert not any(line["not_registered"] for line in lines.values())
    aws.proxy.forget()
    backfill(source, catalog.lake.url, *options, days=days, env=aws.env())
    assert not aws.proxy.requests("*CreatePartition")


@pytest.fixture
def unregistered(aws: Aws, catalog: Registered) -> str:
    """Days that are published but not in the catalog. Returns the address of their logs."""
    source = aws.source(plain_logs())
    aws.proxy.rule(ACCESS_DENIED, operation="*CreatePartition")
    options = (*catalog.options, "--create-database")
    backfill(source, catalog.lake.url, *options, days=PLAIN_STRETCH, code=6, env=aws.env())
    aws.proxy.forget()
    return source


def test_register_registers_a_day_that_a_backfill_could_not(
    aws: Aws, catalog: Registered, unregistered: str
) -> None:
    """As the error of the backfill suggests."""
    for day in PLAIN_DAYS:
        catalog.register(day=day)
    lines = status(unregistered, catalog.lake.url, days=PLAIN_STRETCH, env=aws.env())
    assert not {place for place, line in lines.items() if line["not_registered"]}


def test_days_that_the_catalog_refuses_again_count_as_failed(
    aws: Aws, catalog: Registered, unregistered: str, tmp_path: Path
) -> None:
    """They are published nevertheless."""
    file = tmp_path / "metrics.prom"
    rule = aws.proxy.rule(ACCESS_DENIED, operation="*CreatePartition")
    options = (*catalog.options, "--metrics-file", file, "--log-format", "json")
    made = backfill(unregistered, catalog.lake.url, *options, days=PLAIN_STRETCH, code=6, env=aws.env())
    assert rule.struck
    assert all(table["published"] for day in made.summary["days"] for table in day["failed"])
    *failed, finished = [json.loads(line) for line in made.messages.splitlines()]
    assert {(event["table"], event["day"]) for event in failed} == every(PLAIN_DAYS)
    assert all(event["dataset"] for event in failed)
    assert finished["failed"] == len(every(PLAIN_DAYS))
    assert last_exit_codes(file) == ["6", "6"]
    aws.proxy.forget()
    backfill(unregistered, catalog.lake.url, *options, days=PLAIN_STRETCH, env=aws.env())
    assert last_exit_codes(file) == ["0", "0"]


def last_exit_codes(file: Path) -> list[str]:
    """The last exit code of each table, from a metrics file."""
    lines = file.read_text("utf-8").splitlines()
    return [line.split()[-1] for line in lines if line.startswith("logmill_last_run_exit_code")]
