"""A month built by one backfill equals the lake of single runs, even after kills, locks and failures."""

import fcntl
import json
import re
import signal
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

import month
from harness import DATASETS, PATIENCE, is_manifest, logmill, manifest_path, partition, started
from many_days import (
    assert_tidy,
    backfill,
    backfill_arguments,
    contents,
    differing,
    every,
    files,
    in_state,
    live,
    manifests,
    of_days,
    places,
    runs,
    span,
    status,
    unlisted,
    work_folder,
)
from month import REGIONS, SHARE_OF_REJECTS, UNDATED, Month, packed, record
from opened import gate, opened
from oracle import kst_window

COUNTS = ("read", "written", "other_day", "duplicate", "quarantined")
MONTH = month.days()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw logs of the month. Tests do not change them."""
    return month.write(tmp_path_factory.mktemp("raw"), month.month())


@pytest.fixture(scope="module")
def singles(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake that single runs build."""
    lake = tmp_path_factory.mktemp("singles") / "lake"
    for day in MONTH:
        run(raw, lake, day)
    assert_tidy(lake)
    return lake


@pytest.fixture(scope="module")
def expected(singles: Path) -> dict[str, object]:
    """The expected content of the lake."""
    found = contents(files(singles))
    assert len([path for path in found if is_manifest(path)]) == len(every(MONTH))
    return found


def run(source: Path, lake: Path, day: str, *options: str, code: int = 0) -> str:
    """Builds a single day. Returns the standard error."""
    arguments = ("run", "--day", day, *places(source, lake), *SHARE_OF_REJECTS, *options, "--quiet")
    return logmill(*arguments, code=code).stderr


def assert_complete(lake: Path, expected: dict[str, object]) -> None:
    """Asserts that the lake equals that of single runs and contains nothing more."""
    found = contents(files(lake))
    assert found == expected, differing(found, expected)[:5]
    assert_tidy(lake)


def assert_complete_days(lake: Path, expected: dict[str, object]) -> None:
    """Asserts that every published day equals that of a single run. Other files are allowed."""
    found = contents(live(files(lake)))
    published = of_days(expected, set(runs(files(lake))))
    assert {path: found.get(path) for path in published} == published, "a published day is incomplete"


@pytest.mark.parametrize(
    ("order", "options"),
    [
        pytest.param("oldest", (), id="oldest"),
        pytest.param("newest", ("--threads", "3"), id="newest-on_three_threads"),
        pytest.param(
            "oldest", ("--threads", "1", "--memory", "64MiB"), id="oldest-on_one_thread-in_little_memory"
        ),
        pytest.param("newest", ("--threads", "3", "--memory", "64MiB"), id="newest-in_little_memory"),
    ],
)
def test_a_backfill_builds_the_lake_of_single_runs(
    raw: Path, expected: dict[str, object], tmp_path: Path, order: str, options: tuple[str, ...]
) -> None:
    made = backfill(raw, tmp_path / "lake", "--order", order, *options)
    assert made.made == every(MONTH)
    assert made.summary["left"] == 0
    assert_complete(tmp_path / "lake", expected)


def test_the_counts_match_a_plain_reading(singles: Path) -> None:
    """The month contains what it should: late and damaged objects, repeated rows, and days without rows."""
    found, total = manifests(files(singles)), dict.fromkeys(COUNTS, 0)
    for (table, day), manifest in found.items():
        counts = month.expected_ledger(month.month(), day, table)
        assert manifest["ledger"] == {"filtered": 0} | {name: counts[name] for name in COUNTS}, (table, day)
        assert manifest["inputs_file"]["objects"] == counts["objects"], (table, day)
        assert (counts["written"] == 0) == (
            day in month.QUIET or (table == "s3_access" and day == month.CLOUDTRAIL_ONLY)
        )
        total = {name: total[name] + counts[name] for name in COUNTS}
    assert len(found) == len(every(MONTH))
    assert total["quarantined"] > 10
    assert total["duplicate"] > 200
    assert total["other_day"] > total["written"] > 1000


def test_each_object_is_opened_once(raw: Path, tmp_path: Path) -> None:
    """Except the object without a time in its key, which is first inspected, once for all tables."""
    with opened(raw) as watch:
        made = backfill(raw, tmp_path / "lake")
        once = dict(watch.so_far())
    objects = {path for path in month.month() if path != UNDATED}
    assert once.pop(UNDATED) == 2
    assert set(once.values()) == {1}
    assert once.keys() <= objects
    fed = sum(table["objects"] for day in made.summary["days"] for table in day["tables"])
    assert fed - len(MONTH) > 1.2 * len(once) > 1000


def test_only_missing_days_are_built(raw: Path, expected: dict[str, object], tmp_path: Path) -> None:
    lake, before = tmp_path / "lake", ["2023-10-03", "2023-10-04", "2023-10-17", "2023-10-31"]
    for day in before:
        run(raw, lake, day)
    first = runs(files(lake))
    made = backfill(raw, lake, "--only", "missing")
    assert made.made == every(MONTH) - every(before)
    assert made.summary["left"] == len(first) == len(every(before))
    assert first.items() <= runs(files(lake)).items()
    assert_complete(lake, expected)


def test_a_range_of_days_equals_that_of_single_runs(
    raw: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    """Days before and after the range are not changed."""
    made = backfill(raw, tmp_path / "lake", days=span("2023-10-11", "2023-10-15"))
    wanted = every(MONTH[10:15])
    assert made.made == wanted
    assert_complete(tmp_path / "lake", of_days(expected, wanted))


# A backfill is stopped before it opens an object of a table that was delivered on this date.
STOPS = [
    (table, date)
    for table in DATASETS
    for date in ("2023/10/01", "2023/10/06", "2023/10/16", "2023/10/25", "2023/10/30")
]


def stop(raw: Path, table: str, date: str) -> Path:
    """The last object of a table on a date."""
    folder = "AWSLogs" if table == "cloudtrail" else "by-delivery"
    return raw / [key for key in month.month() if key.startswith(folder) and f"/{date}/" in key][-1]


def stops(order: str) -> list[tuple[str, str]]:
    """The stops in the order in which the backfill reaches them."""
    newest = order == "newest"
    return [
        place for table in DATASETS for place in sorted((s for s in STOPS if s[0] == table), reverse=newest)
    ]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_backfill_that_is_killed_ten_times_resumes_where_it_stopped(
    raw: Path, expected: dict[str, object], tmp_path: Path, order: str
) -> None:
    """Published days are not built again, and the remains of a kill are removed in the end."""
    lake, published, counts = tmp_path / "lake", {}, [0]
    for table, date in stops(order):
        _, now = signalled(raw, lake, stop(raw, table, date), signal.SIGKILL, "--order", order)
        assert published.items() <= now.items(), "a day was built again"
        assert_complete_days(lake, expected)
        published = now
        counts.append(len(now))
    assert len(counts) == 11
    assert len(set(counts)) >= 9, f"most kills came before a day was published: {counts}"
    last = backfill(raw, lake, "--order", order)
    assert last.made == every(MONTH) - published.keys()
    assert published.items() <= runs(files(lake)).items()
    assert_complete(lake, expected)


def signalled(
    raw: Path, lake: Path, before: Path, number: signal.Signals, *options: str
) -> tuple[str, dict[tuple[str, str], str]]:
    """Signals a backfill as it opens an object. Returns its standard error and the days that it built."""
    with gate(before) as closed, started(*backfill_arguments(raw, lake, *options)) as process:
        closed.wait(process)
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait()
        closed.lift()
        _, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == (130 if number == signal.SIGINT else -number), messages
    return messages, runs(files(lake))


@pytest.mark.parametrize(("table", "order"), [("cloudtrail", "newest"), ("s3_access", "oldest")])
def test_an_interrupted_backfill_leaves_only_complete_days(
    raw: Path, expected: dict[str, object], tmp_path: Path, table: str, order: str
) -> None:
    lake = tmp_path / "lake"
    messages, published = signalled(raw, lake, stop(raw, table, "2023/10/16"), signal.SIGINT, "--order", order)
    assert "interrupted" in messages
    assert 10 < len(published) < len(every(MONTH)) - 10
    assert_complete(lake, of_days(expected, set(published)))
    again = backfill(raw, lake, "--order", order)
    assert again.made == every(MONTH) - published.keys()
    assert published.items() <= runs(files(lake)).items()
    assert_complete(lake, expected)


HEAVY_DAYS = MONTH[2:5]


def heavy() -> dict[str, bytes]:
    """Days with such long records that the rows of a few objects exceed the memory limit."""
    made = Month(Random(11))
    for day in HEAVY_DAYS:
        start = kst_window(day)[0]
        for hour in range(0, 24, 3):
            at = start + timedelta(hours=hour)
            records = [record(made, at - timedelta(hours=n % 4)) for n in range(200)]
            for entry in records:
                entry["requestParameters"]["note"] = f"{made.random.getrandbits(256):x}" * 600
            made.trail(REGIONS[0], at + timedelta(minutes=5), packed(records))
    return made.objects


def test_a_backfill_killed_with_spilled_rows_leaves_none_on_the_disk(tmp_path: Path) -> None:
    raw, lake, other = month.write(tmp_path / "raw", heavy()), tmp_path / "lake", tmp_path / "other"
    options = ("--dataset", "cloudtrail", "--memory", "64MiB")
    for day in HEAVY_DAYS:
        run(raw, other, day, *options)
    last = raw / max(heavy(), key=lambda key: key.rsplit("_", 2)[1])
    days = span(HEAVY_DAYS[0], HEAVY_DAYS[-1])
    arguments = backfill_arguments(raw, lake, *options, "--threads", "1", days=days)
    with gate(last) as closed, started(*arguments) as process:
        closed.wait(process)
        spilled = [
            path for path in work_folder(lake).rglob("*") if path.is_file() and path.stat().st_size > 10_000
        ]
        process.kill()
        process.wait()
    assert spilled, "nothing was spilled"
    assert backfill(raw, lake, *options, days=days).made
    assert_complete(lake, contents(files(other)))


BROKEN_DAY = "2023-10-09"


def test_a_day_with_too_many_rejects_does_not_stop_the_others_and_is_built_once_repaired(
    tmp_path: Path,
) -> None:
    raw, lake = month.write(tmp_path / "raw", month.month()), tmp_path / "lake"
    key = next(key for key in month.month() if re.search("_20231009T0[2-9]", key))
    (raw / key).write_bytes(b"{" * 200_000)
    failed = {("cloudtrail", BROKEN_DAY)}
    first = backfill(raw, lake, code=5)
    assert (first.made, first.failed.keys()) == (every(MONTH) - failed, failed)
    assert first.summary["exit_code"] == 5
    assert any("rejected" in line and BROKEN_DAY in line for line in first.messages.splitlines()), first.messages
    lines = status(raw, lake)
    assert in_state(lines, "failed") == failed
    line = lines["cloudtrail", BROKEN_DAY]
    assert "rejected" in line["error"]
    assert line["run"] is None
    assert line["failed_run"] == first.summary["run"]
    assert_tidy(lake)
    (raw / key).write_bytes(month.month()[key])
    before = runs(files(lake))
    again = backfill(raw, lake, "--only", "failed")
    assert again.made == failed
    assert before.items() <= runs(files(lake)).items()
    for day in MONTH:
        run(raw, tmp_path / "other", day)
    # Objects of the other log type arrived after some of the days were built.
    assert unlisted(contents(files(lake))) == unlisted(contents(files(tmp_path / "other")))
    assert not in_state(status(raw, lake), "failed")


def test_a_day_whose_manifest_cannot_be_read_fails_alone(
    raw: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    """The backfill does not replace it, because its content is unknown."""
    lake, broken = tmp_path / "lake", ("s3_access", "2023-10-07")
    days = span("2023-10-06", "2023-10-08")
    run(raw, lake, broken[1])
    manifest = manifest_path(lake, *broken)
    content = manifest.read_bytes()
    manifest.write_bytes(content[: len(content) // 2])
    made = backfill(raw, lake, days=days, code=5)
    assert made.made == every(["2023-10-06", "2023-10-08"])
    assert made.failed.keys() == {broken}
    assert str(manifest) in made.messages
    assert "hint: " in made.messages
    line = status(raw, lake, days=days)[broken]
    assert line["state"] == "failed"
    assert "manifest" in line["error"]
    manifest.write_bytes(content)
    assert backfill(raw, lake, days=days).made == set()
    assert_complete(lake, of_days(expected, every(MONTH[5:8])))


def test_a_day_that_another_run_holds_is_built_later(
    raw: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    lake, held = tmp_path / "lake", ("cloudtrail", "2023-10-02")
    days = span("2023-10-01", "2023-10-04")
    lock = lake / "_staging" / held[0] / f"{partition(held[1])}.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as file:
        file.write("run X, process 1")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made = backfill(raw, lake, days=days, code=5)
        assert made.made == every(MONTH[:4]) - {held}
        assert "run X, process 1" in made.failed[held]
        backfill(raw, lake, "--dataset", "cloudtrail", days=span(held[1], held[1]), code=75)
        assert lock.exists()
    lock.unlink()
    assert backfill(raw, lake, days=days).made == {held}
    assert_complete(lake, of_days(expected, every(MONTH[:4])))


# If root runs the tests, it must not bypass file permissions.
NO_OVERRIDE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def test_an_unlistable_folder_stops_the_backfill_before_the_days_that_need_it(
    expected: dict[str, object], tmp_path: Path
) -> None:
    """Days with fully listed objects are built. For the others, only the error about the folder is kept."""
    raw, lake = month.write(tmp_path / "raw", month.month()), tmp_path / "lake"
    days = MONTH[:12]
    folder = next(raw.glob("AWSLogs/*/CloudTrail/*/2023/10/05"))
    folder.chmod(0)
    made = backfill(raw, lake, days=span(days[0], days[-1]), code=5, before=NO_OVERRIDE)
    folder.chmod(0o755)
    assert made.made == {("cloudtrail", day) for day in days[:2]}
    assert {failed["table"] for failed in made.summary["failed"]} == set(DATASETS)
    assert made.failed.keys() >= {("cloudtrail", days[2])}
    assert all(str(folder) in error for error in made.failed.values())
    assert all(
        f"(table: {table}): cannot list the folder (folder: {folder})" in made.messages for table in DATASETS
    )
    assert_tidy(lake)
    before = runs(files(lake))
    assert backfill(raw, lake, days=span(days[0], days[-1])).made == every(days) - made.made
    assert before.items() <= runs(files(lake)).items()
    assert manifests(files(lake)).keys() == every(days)
    assert_tidy(lake)


def test_a_nightly_run_during_a_backfill_does_not_wait(
    raw: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    """It builds a day that the backfill has not reached and then skips. Every day is complete."""
    lake = tmp_path / "lake"
    with (
        gate(stop(raw, "cloudtrail", "2023/10/16")) as closed,
        started(*backfill_arguments(raw, lake)) as process,
    ):
        closed.wait(process)
        run(raw, lake, "2023-10-28")
        held = run(raw, lake, "2023-10-17", code=5)
        assert "another run is publishing this day" in held
        nightly = runs(files(lake))
        closed.lift()
        summary, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 5), messages
    made = json.loads(summary)
    found = runs(files(lake))
    assert found["cloudtrail", "2023-10-28"] == nightly["cloudtrail", "2023-10-28"]
    assert found["s3_access", "2023-10-17"] == nightly["s3_access", "2023-10-17"]
    assert {run for place, run in found.items() if nightly.get(place) != run} == {made["run"]}
    backfill(raw, lake)
    assert_complete(lake, expected)


def test_two_concurrent_backfills_of_overlapping_days_build_every_day_completely(
    raw: Path, expected: dict[str, object], tmp_path: Path
) -> None:
    """Each one skips the days that the other one holds. The next call builds the rest."""
    lake = tmp_path / "lake"
    first = backfill_arguments(raw, lake, "--order", "newest", days=span("2023-10-01", "2023-10-24"))
    with gate(stop(raw, "cloudtrail", "2023/10/16")) as closed, started(*first) as process:
        closed.wait(process)
        other = backfill_arguments(raw, lake, "--order", "oldest", days=span("2023-10-08", "2023-10-31"))
        with started(*other) as second:
            while not manifest_path(lake, "cloudtrail", "2023-10-11").exists():
                assert second.poll() is None
            closed.lift()
            messages = [running.communicate(timeout=PATIENCE) for running in (second, process)]
    assert {second.returncode, process.returncode} <= {0, 5}, messages
    left = every(MONTH) - runs(files(lake)).keys()
    assert_complete_days(lake, expected)
    assert backfill(raw, lake).made >= left
    assert_complete(lake, expected)
