"""`status` finds the state of days from listings alone, and a backfill rebuilds only days that need it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import month
from harness import DATASETS, logmill, manifest_path, partition
from many_days import (
    Backfilled,
    assert_tidy,
    backfill,
    backfill_arguments,
    contents,
    every,
    files,
    in_state,
    manifests,
    of_days,
    places,
    runs,
    span,
    status,
)
from month import REGIONS, SHARE_OF_REJECTS, UNDATED, Month
from opened import opened
from oracle import chosen, kst_window

MONTH = month.days()
EMPTY = every(month.QUIET) | {("s3_access", month.CLOUDTRAIL_ONLY)}
STALE_DAYS = ("2023-10-03", "2023-10-17", "2023-10-18")


@dataclass(frozen=True)
class Scene:
    """Raw logs, and the lake that was built from them."""

    raw: Path
    lake: Path

    def status(self, *options: str, days: tuple[str, ...] | None = None) -> dict[tuple[str, str], dict]:
        """The state of the days."""
        return status(self.raw, self.lake, *options, days=days)

    def backfill(self, *options: str, days: tuple[str, ...] | None = None, code: int = 0) -> Backfilled:
        """Builds days."""
        return backfill(self.raw, self.lake, *options, days=days, code=code)

    def runs(self) -> dict[tuple[str, str], str]:
        """The run that built each day."""
        return runs(files(self.lake))

    def dry_run(self, *options: str) -> str:
        """The output of a dry run of the backfill."""
        given = backfill_arguments(self.raw, self.lake, *options, "--dry-run")
        return logmill(
            *(option for option in given if option not in ("--quiet", "--summary-json", "-"))
        ).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The month, built once."""
    root = tmp_path_factory.mktemp("month")
    scene = Scene(month.write(root / "raw", month.month()), root / "lake")
    scene.backfill()
    return scene


@pytest.fixture
def scene(made: Scene) -> Iterator[Scene]:
    """The month, restored after the test to its original files, so that raw logs keep their addresses."""
    root = made.raw.parent
    kept = files(root)
    yield made
    found = files(root)
    for path in found.keys() - kept.keys():
        (root / path).unlink()
    month.write(root, {path: body for path, body in kept.items() if found.get(path) != body})
    for folder, _, _ in os.walk(root, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)


def add_late_objects(scene: Scene) -> dict[str, bytes]:
    """Adds objects that feed days 3, 17 and 18 of CloudTrail: two new ones, and one that has grown."""
    made = Month(Random(7))
    noon = kst_window("2023-10-03")[0] + timedelta(hours=12)
    made.trail(REGIONS[1], noon, month.packed([month.record(made, noon)]))
    after = kst_window("2023-10-18")[0] + timedelta(hours=2)
    both = [after - timedelta(hours=hours) for hours in (1, 4)]
    made.trail(REGIONS[0], after, month.packed([month.record(made, at) for at in both]))
    late = dict(made.objects)
    grown = next(key for key in month.month() if "_20231017T0" in key)
    late[grown] = month.packed([month.record(made, kst_window("2023-10-17")[0]) for _ in range(3)])
    month.write(scene.raw, late)
    return late


def test_status_shows_the_published_days_and_opens_no_log(made: Scene) -> None:
    with opened(made.raw) as watch:
        lines = made.status()
        looked_into = dict(watch.so_far())
    assert looked_into.keys() == {UNDATED}, "except the object without a time in its key"
    assert lines.keys() == every(MONTH)
    assert in_state(lines, "empty") == EMPTY
    assert in_state(lines, "published") == every(MONTH) - EMPTY
    for place, manifest in manifests(files(made.lake)).items():
        line = lines[place]
        assert {name: line[name] for name in ("run", "ledger", "published_at", "provisional")} == {
            name: manifest[name] for name in ("run", "ledger", "published_at", "provisional")
        }
        assert (line["objects"], line["bytes"]) == (
            manifest["inputs_file"]["objects"],
            manifest["input_bytes"],
        )
        assert (line["objects_new"], line["objects_changed"], line["objects_gone"]) == (0, 0, 0)
        assert line["error"] is line["failed_run"] is line["example"] is None


def test_the_printed_table_shows_the_same_states(scene: Scene) -> None:
    """One letter per day, one line for each day with details, and the counts."""
    add_late_objects(scene)
    shutil.rmtree(scene.lake / "cloudtrail" / partition("2023-10-29"))
    shutil.rmtree(scene.lake / "_runs" / "cloudtrail" / partition("2023-10-29"))
    messages = logmill("status", *span(), *places(scene.raw, scene.lake)).stdout
    cloudtrail, access = messages.split("s3_access: ")
    assert "2023-10  ##S########oo###SS##########.##\n" in cloudtrail
    assert "2023-10  ###########oo#########o########\n" in access
    assert "25 published, 2 empty, 0 no logs, 1 missing, 3 stale, 0 failed\n" in cloudtrail
    assert "28 published, 3 empty, 0 no logs, 0 missing, 0 stale, 0 failed\n" in access
    assert all(f"\n{day}  " in part for day in MONTH for part in (cloudtrail, access))


def test_only_the_days_that_late_objects_feed_are_stale_and_rebuilt(scene: Scene, tmp_path: Path) -> None:
    """The backfill reads only objects that can feed them."""
    late, stale = add_late_objects(scene), {("cloudtrail", day) for day in STALE_DAYS}
    lines = scene.status()
    assert in_state(lines, "stale") == stale
    changes = {day: lines["cloudtrail", day] for day in STALE_DAYS}
    assert [changes[day]["objects_new"] for day in STALE_DAYS] == [1, 1, 1]
    assert [changes[day]["objects_changed"] for day in STALE_DAYS] == [0, 1, 0]
    assert all(str(changes[day]["example"]).removeprefix(f"{scene.raw}/") in late for day in STALE_DAYS)
    before = scene.runs()
    with opened(scene.raw) as watch:
        made = scene.backfill("--only", "stale")
        read = dict(watch.so_far())
    assert made.made == stale
    assert made.summary["left"] == len(every(MONTH) - stale)
    objects = month.month() | late
    feeding = {key for day in STALE_DAYS for key in chosen(list(objects), "cloudtrail", kst_window(day))}
    read.pop(UNDATED)
    assert read == dict.fromkeys(feeding, 1)
    after = scene.runs()
    assert {place for place in before if before[place] != after[place]} == stale
    for day in STALE_DAYS:
        counts = month.expected_ledger(objects, day, "cloudtrail")
        ledger = manifests(files(scene.lake))["cloudtrail", day]["ledger"]
        assert ledger.items() <= (counts | {"filtered": 0}).items()
    assert not in_state(scene.status(), "stale")
    assert scene.backfill().made == set()
    assert_tidy(scene.lake)
    for day in STALE_DAYS:
        single = ("run", "--day", day, *places(scene.raw, tmp_path / "lake"), "--dataset", "cloudtrail")
        logmill(*single, *SHARE_OF_REJECTS, "--quiet")
    assert of_days(contents(files(scene.lake)), stale) == contents(files(tmp_path / "lake"))


def test_a_run_with_lookback_builds_its_day_and_rebuilds_earlier_stale_days(scene: Scene) -> None:
    """Not day 3, which is further back."""
    add_late_objects(scene)
    before = scene.runs()
    arguments = ("run", "--day", "2023-10-19", "--lookback", "7d", *places(scene.raw, scene.lake))
    logmill(*arguments, *SHARE_OF_REJECTS, "--quiet")
    after = scene.runs()
    made = {("cloudtrail", "2023-10-17"), ("cloudtrail", "2023-10-18")} | every(["2023-10-19"])
    assert {place for place in before if before[place] != after[place]} == made
    assert len({after[place] for place in made}) == 1
    assert in_state(scene.status(), "stale") == {("cloudtrail", "2023-10-03")}


def test_lookback_is_limited_to_the_given_number_of_days(scene: Scene) -> None:
    add_late_objects(scene)
    arguments = ("run", "--day", "2023-10-19", "--lookback", "1d", *places(scene.raw, scene.lake))
    logmill(*arguments, *SHARE_OF_REJECTS, "--quiet")
    assert in_state(scene.status(), "stale") == {("cloudtrail", "2023-10-03"), ("cloudtrail", "2023-10-17")}


def test_deleted_objects_do_not_make_a_day_stale_but_prevent_a_rebuild(scene: Scene) -> None:
    """The rows of the objects would be lost. Only a request for all days rebuilds such a day."""
    add_late_objects(scene)
    removed = [key for key in month.month() if "_20231003T0" in key or "_20231008T0" in key]
    assert len({key[:40] for key in removed}) >= 2
    for key in removed:
        (scene.raw / key).unlink()
    lines, gone = scene.status(), ("cloudtrail", "2023-10-08")
    assert lines[gone]["state"] == "published"
    assert lines[gone]["objects_gone"] > 0
    assert in_state(lines, "stale") == {("cloudtrail", day) for day in STALE_DAYS}
    before = scene.runs()
    assert "have been deleted: 1" in scene.dry_run()
    messages = logmill("backfill", *span(), *places(scene.raw, scene.lake), *SHARE_OF_REJECTS).stderr
    made = {place for place, run in scene.runs().items() if run != before[place]}
    assert made == {("cloudtrail", "2023-10-17"), ("cloudtrail", "2023-10-18")}
    warnings = [line for line in messages.splitlines() if "have been deleted" in line]
    assert len(warnings) == 1
    assert "2023-10-03" in warnings[0]
    days = span("2023-10-03", "2023-10-03")
    assert scene.backfill("--only", "all", days=days).made == every(["2023-10-03"])
    assert scene.status(days=days)["cloudtrail", "2023-10-03"]["objects_gone"] == 0


def rows_of(text: str) -> dict[tuple[str, str], tuple[str, int]]:
    """Table and day with state and objects, as a dry run prints them."""
    found, table = {}, ""
    for line in text.splitlines():
        if ": " in line and line.split(":")[0] in DATASETS:
            table = line.split(":")[0]
        if line.startswith("2023-"):
            day, state, objects = line.split()[:3]
            found[table, day] = (state, int(objects.replace(",", "")))
    return found


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="behind"),
        pytest.param(("--only", "all", "--order", "newest"), id="all"),
    ],
)
def test_a_dry_run_lists_what_a_backfill_reads_and_changes_nothing(
    scene: Scene, options: tuple[str, ...]
) -> None:
    add_late_objects(scene)
    shutil.rmtree(scene.lake / "s3_access" / partition("2023-10-30"))
    unchanged = files(scene.lake)
    with opened(scene.raw) as watch:
        text = scene.dry_run(*options)
        assert watch.so_far().keys() == {UNDATED}
    assert files(scene.lake) == unchanged
    with opened(scene.raw) as watch:
        made = scene.backfill(*options)
        read = dict(watch.so_far())
    named = rows_of(text)
    assert named.keys() == made.made
    objects = {
        (table["table"], day["day"]): table["objects"]
        for day in made.summary["days"]
        for table in day["tables"]
    }
    assert {place: count for place, (_, count) in named.items()} == objects
    assert named["s3_access", "2023-10-30"][0] == "missing"
    # The object without a time is inspected once for all tables, and one of the tables reads it.
    read[UNDATED] -= 1
    size = sum((scene.raw / key).stat().st_size for key in read)
    totals = [line.split() for line in text.splitlines() if line.startswith("to read (each once): ")]
    assert len(totals) == len(DATASETS)
    assert sum(int(words[4].replace(",", "")) for words in totals) == len(read)
    assert set(read.values()) == {1}
    reported = sum(float(words[6]) * {"B,": 1, "KiB,": 1024, "MiB,": 1 << 20}[words[7]] for words in totals)
    assert reported == pytest.approx(size, rel=0.01)


def test_a_dry_run_continues_after_a_day_with_an_unreadable_manifest(scene: Scene, tmp_path: Path) -> None:
    """As a real backfill does. It does not replace the summary of an earlier one."""
    shutil.rmtree(scene.lake / "s3_access" / partition("2023-10-30"))
    manifest = manifest_path(scene.lake, "s3_access", "2023-10-07")
    manifest.write_text("{")
    summary = tmp_path / "summary.json"
    summary.write_text("that of an earlier run")
    arguments = ("backfill", *span(), *places(scene.raw, scene.lake), "--dry-run", "--summary-json", summary)
    result = logmill(*arguments, code=5)
    assert rows_of(result.stdout).keys() == {("s3_access", "2023-10-30")}
    assert str(manifest) in result.stderr
    assert "days not built, because their state cannot be determined: 1" in result.stdout
    assert summary.read_text() == "that of an earlier run"
    made = scene.backfill(code=5)
    assert (made.made, made.failed.keys()) == ({("s3_access", "2023-10-30")}, {("s3_access", "2023-10-07")})


def test_days_published_since_an_instant_are_skipped(scene: Scene) -> None:
    """This way an interrupted backfill of all days can be resumed."""
    published = scene.status()["cloudtrail", "2023-10-01"]["published_at"]
    days = span("2023-10-01", "2023-10-04")
    assert scene.backfill("--only", "all", "--published-before", published, days=days).made == set()
    half = scene.backfill("--only", "all", days=span("2023-10-01", "2023-10-02"))
    since = scene.status()["cloudtrail", "2023-10-01"]["published_at"]
    rest = scene.backfill("--only", "all", "--published-before", since, days=days)
    assert half.made == every(["2023-10-01", "2023-10-02"])
    assert rest.made == every(["2023-10-03", "2023-10-04"])


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="no_days"),
        pytest.param(("--from", "2023-10-02", "--to", "2023-10-01"), id="backwards"),
        pytest.param(("--last", "0d", "--to", "2023-10-01"), id="no_day_at_all"),
        pytest.param(("--last", "soon"), id="no_number"),
        pytest.param(("--from", "2023-10-32"), id="no_such_day"),
        pytest.param((*span(), "--published-before", "noon"), id="no_instant"),
    ],
)
def test_invalid_days_are_refused_with_a_hint(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "raw").mkdir()
    messages = logmill("backfill", *words, *places(tmp_path / "raw", tmp_path / "lake"), code=2).stderr
    assert "hint: " in messages
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("words", [("--from", "2023-10-01", "--last", "3d"), (*span(), "--only", "some")])
def test_conflicting_options_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    messages = logmill("backfill", *words, *places(tmp_path, tmp_path / "lake"), code=2).stderr
    assert "error: " in messages
