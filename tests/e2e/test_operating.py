"""Properties that nightly operation relies on: failures are reported, and no day is lost or forgotten."""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import month
from harness import DATASETS, PATIENCE, REPOSITORY, Lake, logmill, manifest_path, partition, run_day, started
from many_days import (
    backfill,
    backfill_arguments,
    contents,
    every,
    files,
    in_state,
    places,
    runs,
    span,
    status,
    unlisted,
)
from month import BY_DELIVERY, FLAT, REGIONS, Month, access_line, packed, record
from opened import gate
from oracle import kst_window

DAYS = month.days()[2:5]
STRETCH = span(DAYS[0], DAYS[-1])
LONG_BEFORE = span("2023-09-01", DAYS[-1])
ACCESS = ("--dataset", "s3-access")
TRAIL = ("--dataset", "cloudtrail")
PROSE = "Enable AccessLog for ELB: 123456789012 at 2023-10-04T03:00:00Z\nThis is not a log.\n"
STRAYS = ("flat/ELBAccessLogTestFile", "README.txt", "AWSLogs/README.txt")


def noon(day: str) -> Any:
    """Noon of a KST day in UTC."""
    return kst_window(day)[0] + timedelta(hours=12)


def few_logs(seed: int = 3) -> Month:
    """Two objects per table and day, each with events from the hour before its delivery."""
    made = Month(Random(seed))
    for day in DAYS:
        for hours in (0, 2):
            at = noon(day) + timedelta(hours=hours)
            events = [at - timedelta(minutes=minutes) for minutes in (5, 20, 40)]
            made.access(BY_DELIVERY, at, [access_line(made, event) for event in events])
            made.trail(REGIONS[0], at, packed([record(made, event) for event in events]))
    return made


def keys_of(made: Month, table: str, day: str) -> list[str]:
    """The objects that were delivered on a day."""
    mark = f"{noon(day):%Y-%m-%d}" if table == "s3_access" else f"_{noon(day):%Y%m%d}T"
    trails = table == "cloudtrail"
    found = sorted(key for key in made.objects if mark in key and key.startswith("AWSLogs") == trails)
    assert len(found) == 2
    return found


def metrics(file: Path) -> dict[tuple[str, str | None], float]:
    """The numbers of a metrics file by family and table."""
    families = text_string_to_metric_families(file.read_text("utf-8"))
    return {
        (sample.name, sample.labels.get("table")): sample.value
        for family in families
        for sample in family.samples
    }


def events(messages: str, name: str) -> list[dict[str, Any]]:
    """The events with a name."""
    found = [json.loads(line) for line in messages.splitlines()]
    return [event for event in found if event["event"] == name]


def without_quiet(*arguments: str | Path) -> str:
    """The standard error without --quiet."""
    return logmill(*(word for word in arguments if word != "--quiet")).stderr


@contextmanager
def held(lake: Path, *held: tuple[str, str]) -> Iterator[None]:
    """Locks these days as another run would."""
    locks = []
    for table, day in held:
        lock = lake / "_staging" / table / f"{partition(day)}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
        file.write("run X, process 1")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locks.append(file)
    try:
        yield
    finally:
        for file in locks:
            Path(file.name).unlink()
            file.close()


@contextmanager
def killed_at_the_end(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the test."""
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def made() -> Month:
    """Logs of three days."""
    return few_logs()


@pytest.fixture
def raw(made: Month, tmp_path: Path) -> Path:
    """The same logs in a folder."""
    return month.write(tmp_path / "raw", made.objects)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """The location of the lake."""
    return tmp_path / "lake"


@pytest.mark.parametrize("lookback", [(), ("--lookback", "7d")], ids=["day", "lookback"])
def test_a_missing_input_is_reported_with_a_hint(
    tmp_path: Path, lake: Path, lookback: tuple[str, ...]
) -> None:
    file, missing = tmp_path / "metrics.prom", tmp_path / "nowhere"
    arguments = ("run", "--day", DAYS[0], *lookback, *places(missing, lake), *ACCESS, "--metrics-file", file)
    messages = logmill(*arguments, code=4).stderr
    assert "cannot read the input" in messages
    assert str(missing) in messages
    assert "hint: " in messages
    file.unlink()
    messages = logmill(*arguments, "--log-format", "json", "--quiet", code=4).stderr
    [failed] = events(messages, "failed")
    assert (failed["table"], failed["kind"], failed["exit_code"]) == ("s3_access", "unusable", 4)
    assert str(missing) in failed["error"]
    assert failed["hint"]
    [finished] = events(messages, "finished")
    assert (finished["exit_code"], finished["failed"], finished["published"]) == (4, 1, 0)
    numbers = metrics(file)
    assert numbers["logmill_exit_code", None] == 4
    assert numbers["logmill_last_run_exit_code", "s3_access"] == 4
    assert ("logmill_last_success_timestamp_seconds", "s3_access") not in numbers


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("days", [STRETCH, LONG_BEFORE], ids=["its_days", "long_before"])
def test_every_command_leaves_out_a_stray_file_in_any_range(
    raw: Path, lake: Path, tmp_path: Path, table: str, days: tuple[str, ...], order: str
) -> None:
    """The lake equals that of a folder without the file, and a warning is printed."""
    clean, options = tmp_path / "clean", ("--dataset", DATASETS[table])
    backfill(raw, clean, *options, days=days)
    unstrayed = status(raw, clean, *options, days=days)
    month.write(raw, dict.fromkeys(STRAYS, PROSE.encode()))
    for place, line in status(raw, clean, *options, days=days).items():
        stray = line["objects_left"] - unstrayed[place]["objects_left"]
        assert stray == line["objects_listed"] - unstrayed[place]["objects_listed"] == len(STRAYS)
        assert line | unstrayed[place] | {"listed_at": None} == unstrayed[place] | {"listed_at": None}
    messages = without_quiet(*backfill_arguments(raw, lake, *options, "--order", order, days=days))
    assert messages.count("skipped objects that do not match the log type") == 1, messages
    assert unlisted(contents(files(lake))) == unlisted(contents(files(clean)))
    for wanted in (days, STRETCH):
        lines = status(raw, lake, *options, days=wanted)
        assert in_state(lines, "published") == {(table, day) for day in DAYS}
        assert not in_state(lines, "stale")


def test_a_single_run_leaves_out_a_stray_file_too(raw: Path, lake: Path, tmp_path: Path, table: str) -> None:
    """Also on a day without logs, and in an input without logs."""
    options = ("--dataset", DATASETS[table])
    days = [*DAYS, "2023-09-10"]
    for day in days:
        run_day(tmp_path / "clean", *options, day=day, source=raw)
    strays = dict.fromkeys(STRAYS, PROSE.encode())
    month.write(raw, strays)
    for day in days:
        messages = without_quiet("run", "--day", day, *places(raw, lake), *options)
        assert messages.count("skipped objects that do not match the log type") == 1, messages
    assert unlisted(contents(files(lake))) == unlisted(contents(files(tmp_path / "clean")))
    lines = status(raw, lake, *options, days=LONG_BEFORE)
    assert in_state(lines, "published") == {(table, day) for day in DAYS}
    alone = month.write(tmp_path / "alone", strays)
    [ledger] = run_day(tmp_path / "other", *options, day=DAYS[0], source=alone).summary["tables"]
    assert (ledger["objects"], ledger["read"]) == (0, 0)


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_every_command_reads_a_log_without_a_time_in_its_key(
    made: Month, raw: Path, lake: Path, tmp_path: Path, order: str
) -> None:
    """However far its day is from the start of a range."""
    line = access_line(made, noon(DAYS[1]) + timedelta(hours=5))
    month.write(raw, {"flat/found-again": f"{line}\n".encode()})
    for day in DAYS:
        run_day(tmp_path / "singles", day=day, source=raw)
    backfill(raw, lake, "--order", order, days=LONG_BEFORE)
    assert Lake(lake).manifest("s3_access", DAYS[1])["ledger"]["written"] == 7
    assert Lake(tmp_path / "singles").digests().items() <= Lake(lake).digests().items()
    for days in (STRETCH, LONG_BEFORE):
        for root in (lake, tmp_path / "singles"):
            lines = status(raw, root, days=days)
            assert in_state(lines, "published") == every(DAYS)
            assert not in_state(lines, "stale")


def test_a_file_given_as_the_input_is_read_whatever_its_name(made: Month, tmp_path: Path) -> None:
    """Even if its beginning does not show that it is a log."""
    lines = [access_line(made, noon(DAYS[1])) for _ in range(3)]
    file = tmp_path / "what.txt"
    file.write_text("".join(f"{line}\n" for line in ["Not a line of a log.", *lines]))
    summary = run_day(
        tmp_path / "run", *ACCESS, "--max-reject-ratio", "0.5", day=DAYS[1], source=file
    ).summary
    [table] = summary["tables"]
    assert (table["written"], table["quarantined"]) == (3, 1)
    backfill(file, tmp_path / "backfill", *ACCESS, days=LONG_BEFORE)
    assert Lake(tmp_path / "backfill").manifest("s3_access", DAYS[1])["ledger"]["written"] == 3
    assert not in_state(status(file, tmp_path / "backfill", *ACCESS, days=LONG_BEFORE), "stale")
    assert in_state(status(file, tmp_path / "run", *ACCESS, days=STRETCH), "stale") == set()


def test_a_waiting_run_lists_after_its_wait_and_an_earlier_backfill_skips_the_day(
    made: Month, raw: Path, lake: Path
) -> None:
    """An object that arrived during the wait is in the day."""
    place = ("s3_access", DAYS[2])
    arguments = ("run", "--day", place[1], *ACCESS, *places(raw, lake), "--wait", "1h")
    first = raw / keys_of(made, place[0], DAYS[0])[0]
    late = Month(Random(4))
    late.access(FLAT, noon(place[1]), [access_line(late, noon(place[1]))])
    with gate(first) as closed, ExitStack() as stack:
        with held(lake, place):
            waiting = stack.enter_context(killed_at_the_end(started(*arguments)))
            assert waiting.stderr
            assert "waiting for another run" in waiting.stderr.readline()
            earlier = backfill_arguments(raw, lake, *ACCESS, days=STRETCH)
            backfilling = stack.enter_context(killed_at_the_end(started(*earlier)))
            closed.wait(backfilling)
            month.write(raw, late.objects)
        _, messages = waiting.communicate(timeout=PATIENCE)
        assert waiting.returncode == 0, messages
        nightly = runs(files(lake))
        assert nightly.keys() == {place}
        closed.lift()
        _, messages = backfilling.communicate(timeout=PATIENCE)
    assert backfilling.returncode == 5, messages
    assert "another run has published the day in the meantime" in messages
    assert runs(files(lake))[place] == nightly[place]
    assert Lake(lake).manifest(*place)["ledger"]["written"] == 7


def test_a_run_lists_a_folder_again_for_the_second_table(raw: Path, lake: Path) -> None:
    run_day(lake, day=DAYS[0], source=raw)
    first, second = (Lake(lake).manifest(table, DAYS[0]) for table in DATASETS)
    # Without the Z, texts of different precision sort by time.
    times = [day[at].rstrip("Z") for day in (first, second) for at in ("planned_at", "published_at")]
    assert times == sorted(times)
    assert times[0] < times[2]


def test_a_day_with_an_unreadable_manifest_counts_as_failed(raw: Path, lake: Path, tmp_path: Path) -> None:
    """The metric of the last success does not change."""
    file = tmp_path / "metrics.prom"
    arguments = ("--metrics-file", file, "--log-format", "json")
    backfill(raw, lake, *arguments, days=STRETCH)
    before = metrics(file)
    manifest = manifest_path(lake, "s3_access", DAYS[1])
    manifest.write_bytes(manifest.read_bytes()[:100])
    # All other days are up to date.
    made = backfill(raw, lake, *arguments, days=STRETCH, code=5)
    assert made.failed.keys() == {("s3_access", DAYS[1])}
    [finished] = events(made.messages, "finished")
    assert (finished["exit_code"], finished["published"], finished["failed"]) == (5, 0, 1)
    [failed] = events(made.messages, "failed")
    assert (failed["table"], failed["day"], failed["exit_code"]) == ("s3_access", DAYS[1], 4)
    after = metrics(file)
    assert after["logmill_exit_code", None] == 5
    assert after["logmill_last_run_exit_code", "s3_access"] == 4
    success = ("logmill_last_success_timestamp_seconds", "s3_access")
    assert after[success] == before[success]


def test_a_smaller_lateness_reports_no_object_as_deleted(raw: Path, lake: Path) -> None:
    """An object outside the lateness does not count as deleted."""
    late = Month(Random(8))
    late.access(FLAT, noon(DAYS[1]) + timedelta(hours=20), [access_line(late, noon(DAYS[1]))])
    month.write(raw, late.objects)
    backfill(raw, lake, days=STRETCH)
    assert Lake(lake).manifest("s3_access", DAYS[1])["ledger"]["written"] == 7
    lines = status(raw, lake, "--lateness", "1h", days=STRETCH)
    wide = status(raw, lake, days=STRETCH)
    assert lines["s3_access", DAYS[1]]["objects"] < wide["s3_access", DAYS[1]]["objects"]
    assert all(line["objects_gone"] == 0 for line in lines.values())
    (raw / next(iter(late.objects))).unlink()
    gone = {place: line["objects_gone"] for place, line in status(raw, lake, days=STRETCH).items()}
    assert {place for place, count in gone.items() if count} == {("s3_access", DAYS[1])}


def test_a_day_that_would_lose_rows_is_not_rebuilt_but_reported(raw: Path, lake: Path, made: Month) -> None:
    """A day loses nothing with an object that has no rows of it."""
    backfill(raw, lake, days=STRETCH)
    before = runs(files(lake))
    gone = keys_of(made, "s3_access", DAYS[1])[0]
    (raw / gone).unlink()
    late = Month(Random(9))
    for day in DAYS[:2]:
        late.access(FLAT, noon(day), [access_line(late, noon(day))])
    month.write(raw, late.objects)
    lines = status(raw, lake, days=STRETCH)
    assert in_state(lines, "stale") == {("s3_access", day) for day in DAYS[:2]}
    assert lines["s3_access", DAYS[0]]["objects_gone"] == 0
    assert lines["s3_access", DAYS[1]]["objects_gone"] == 1
    rebuilt = backfill(raw, lake, days=STRETCH)
    assert rebuilt.made == {("s3_access", DAYS[0])}
    kept = {"table": "s3_access", "day": DAYS[1], "state": "stale", "objects_gone": 1}
    assert rebuilt.summary["kept"] == [kept]
    assert runs(files(lake))["s3_access", DAYS[1]] == before["s3_access", DAYS[1]]
    assert "--only all" in without_quiet(*backfill_arguments(raw, lake, days=STRETCH))
    all_days = backfill(raw, lake, "--only", "all", days=STRETCH)
    assert (all_days.made, all_days.summary["kept"]) == (every(DAYS), [])


def test_an_input_is_recognised_in_any_spelling(raw: Path, lake: Path) -> None:
    relative = os.path.relpath(raw, REPOSITORY)
    backfill(relative, lake, days=STRETCH)
    for other in (raw, f"{raw}/", f"{relative}/", relative):
        lines = status(other, lake, days=STRETCH)
        assert in_state(lines, "published") == every(DAYS), other
        assert all(line["objects_gone"] == 0 for line in lines.values())
        assert not backfill(other, lake, days=STRETCH).made, other


def test_fail_on_empty_applies_to_a_backfill(raw: Path, lake: Path) -> None:
    empty = span("2023-09-01", "2023-09-01")
    assert backfill(raw, lake, "--fail-on-empty", days=STRETCH).made == every(DAYS)
    # Days before the first log are not missing; such a day is built only on request.
    assert not backfill(raw, lake, "--fail-on-empty", days=empty).made
    made = backfill(raw, lake, "--fail-on-empty", "--only", "all", days=empty, code=99)
    assert (made.made, made.summary["exit_code"]) == (every(["2023-09-01"]), 99)
    assert not backfill(raw, lake, "--fail-on-empty", days=empty).made
    backfill(raw, lake, "--only", "all", days=empty)


@pytest.mark.parametrize("command", ["backfill", "status"])
def test_future_days_are_refused(raw: Path, lake: Path, command: str) -> None:
    messages = logmill(command, *span("2999-01-01", "2999-01-02"), *places(raw, lake), code=2).stderr
    assert "has not begun" in messages
    assert "hint: " in messages
    assert not lake.exists()


def test_status_check_fails_unless_every_day_is_up_to_date(raw: Path, lake: Path, made: Month) -> None:
    arguments = ("status", *STRETCH, *places(raw, lake))
    backfill(raw, lake, days=span(DAYS[0], DAYS[1]))
    logmill(*arguments)
    logmill(*arguments, "--check", code=4)
    backfill(raw, lake, days=STRETCH)
    logmill(*arguments, "--check")
    path = raw / keys_of(made, "cloudtrail", DAYS[1])[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    logmill(*arguments, "--check", code=4)
    logmill(*arguments, "--check", *ACCESS)
    backfill(raw, lake, "--max-reject-ratio", "0", days=STRETCH, code=5)
    logmill(*arguments, "--check", "--format", "json", code=4)
    logmill(*arguments)
    path.write_bytes(whole)
    backfill(raw, lake, days=STRETCH)
    logmill(*arguments, "--check")


def test_status_continues_after_a_table_with_a_missing_input(raw: Path, lake: Path, tmp_path: Path) -> None:
    backfill(raw, lake, days=STRETCH)
    config = tmp_path / "logmill.toml"
    sources = {"cloudtrail": tmp_path / "nowhere", "s3-access": raw}
    config.write_text(
        "".join(f'[[source]]\ndataset = "{name}"\ninput = "{root}"\n' for name, root in sources.items())
    )
    arguments = ("--config", config, "status", *STRETCH, "--output", lake, "--format", "json")
    result = logmill(*arguments, code=4)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["table"], line["day"], line["state"]) for line in found] == [
        ("s3_access", day, "published") for day in DAYS
    ]
    assert str(tmp_path / "nowhere") in result.stderr


def test_the_exit_code_is_temporary_if_every_failure_is(raw: Path, lake: Path) -> None:
    """Even if other days were up to date."""
    backfill(raw, lake, days=span(DAYS[0], DAYS[0]))
    others = every(DAYS[1:])
    with held(lake, *others):
        made = backfill(raw, lake, days=STRETCH, code=75)
        assert (made.made, made.failed.keys(), made.summary["exit_code"]) == (set(), others, 75)
    assert backfill(raw, lake, days=STRETCH).made == others


def test_the_record_of_the_live_run_outlives_failed_runs(raw: Path, lake: Path, made: Month) -> None:
    """With its list of inputs. Only some of the failed runs are kept."""
    place = ("cloudtrail", DAYS[1])
    good = run_day(lake, *TRAIL, day=DAYS[1], source=raw).summary["run"]
    history = lake / "_runs" / place[0] / partition(place[1])
    recorded = {f"{good}.json", f"{good}.inputs.jsonl.gz"}
    assert {path.name for path in history.iterdir()} == recorded
    (raw / keys_of(made, *place)[0]).write_bytes(b"{")
    # The names of two runs in the same second do not show which began last.
    time.sleep(1.1)
    for _ in range(12):
        logmill("run", "--day", DAYS[1], *TRAIL, *places(raw, lake), "--quiet", code=3)
    found = {path.name for path in history.iterdir()}
    assert recorded <= found
    assert len(found - recorded) == 10
    line = status(raw, lake, *TRAIL, days=span(DAYS[1], DAYS[1]))[place]
    assert (line["state"], line["run"]) == ("failed", good)


@pytest.mark.parametrize(
    ("swapped", "spelled"),
    [
        pytest.param(False, (0,), id="first"),
        pytest.param(False, (1,), id="second"),
        pytest.param(False, (0, 1), id="both"),
        pytest.param(True, (), id="swapped"),
        pytest.param(True, (1,), id="swapped-second"),
    ],
)
def test_several_inputs_are_recognised_in_any_order_and_spelling(
    tmp_path: Path, lake: Path, swapped: bool, spelled: tuple[int, ...]
) -> None:
    """Even if one name is a prefix of the other."""
    seeds = {"raw": 3, "raw2": 77}
    roots = [month.write(tmp_path / name, few_logs(seed).objects) for name, seed in seeds.items()]

    def messages(command: str, inputs: list[Path | str], *options: str) -> str:
        given = [word for root in inputs for word in ("--input", root)]
        return logmill(command, *STRETCH, *given, "--output", lake, *options).stdout

    messages("backfill", roots, "--quiet")
    now = [os.path.relpath(root, REPOSITORY) if at in spelled else root for at, root in enumerate(roots)]
    inputs = now[::-1] if swapped else now
    lines = [json.loads(line) for line in messages("status", inputs, "--format", "json").splitlines()]
    changes = {(line["state"], line["objects_new"], line["objects_gone"]) for line in lines}
    assert changes == {("published", 0, 0)}
    summary = json.loads(messages("backfill", inputs, "--quiet", "--summary-json", "-"))
    assert (summary["days"], summary["kept"]) == ([], [])


def test_a_backfill_reports_a_missing_input_once_for_all_tables(lake: Path, tmp_path: Path) -> None:
    """In JSON, each table has its event."""
    arguments = ("backfill", *STRETCH, *places(tmp_path / "nowhere", lake))
    messages = logmill(*arguments, "--log-format", "json", code=4).stderr
    failed = [event["table"] for event in events(messages, "failed")]
    assert failed[: len(DATASETS)] == list(DATASETS)
    [finished] = events(messages, "finished")
    assert (finished["exit_code"], finished["failed"]) == (4, len(failed))
    assert logmill(*arguments, code=4).stderr.count("cannot read the input") == 1


def test_days_published_with_other_settings_are_outdated(lake: Path, tmp_path: Path) -> None:
    """They are not stale, and are rebuilt only on request."""
    raw = month.write(tmp_path / "raw", few_logs(3).objects)
    logmill("backfill", *STRETCH, *places(raw, lake), "--quiet")
    options = ("--dataset", "cloudtrail", "--redact", "requestParameters.userName", "--naming", "compact")

    def messages() -> list[dict[str, Any]]:
        lines = logmill(
            "status", *STRETCH, *places(raw, lake), *options, "--format", "json"
        ).stdout.splitlines()
        return [json.loads(line) for line in lines]

    before = messages()
    assert before
    assert all(line["other_settings"] == ["naming", "redact"] for line in before)
    assert all(line["state"] in ("published", "empty") for line in before)
    arguments = ("backfill", *STRETCH, *places(raw, lake), *options, "--summary-json", "-")
    assert json.loads(logmill(*arguments).stdout)["days"] == []
    made = json.loads(logmill(*arguments, "--only", "outdated").stdout)["days"]
    assert len(made) == len(before)
    assert all(line["other_settings"] == [] for line in messages())
