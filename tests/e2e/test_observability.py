"""What a run says of itself is what docs/observability.md defines, and the numbers agree with each other."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws import Aws
from catalog import Registered
from harness import DATASETS, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, logmill, partition
from small_day import few_objects

PAGE = REPOSITORY / "docs" / "observability.md"
OF_A_RUN = {"every one", "of a day"}
OF_A_TABLE = OF_A_RUN | {"of a table"}
WHAT_EVENTS_SAY = {
    "planned": OF_A_TABLE,
    "read": OF_A_TABLE,
    "written": OF_A_TABLE,
    "published": OF_A_TABLE,
    "registered": OF_A_TABLE,
    "cleaned": OF_A_TABLE,
    "failed": OF_A_TABLE,
    "left out": OF_A_TABLE,
    "finished": OF_A_RUN,
}
STEPS = ["planned", "read", "written", "published"]
COUNTS = ("read", "written", "other_day", "duplicate", "quarantined", "filtered")
Event = dict[str, Any]


def section(title: str) -> list[list[str]]:
    """The cells of the tables of a section of the page, without their heads."""
    text = PAGE.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    heads = {place - 1 for place, row in enumerate(rows) if set("".join(row)) <= set("-| ")}
    cells = [row for place, row in enumerate(rows) if not {place, place - 1} & heads]
    assert cells, f"the section {title} has a table"
    return [[cell.strip() for cell in row] for row in cells]


def names(cell: str) -> list[str]:
    """The names that stand as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def documented_events() -> dict[str, set[str]]:
    """Fields by event, or by group of events, as the page has them."""
    fields: dict[str, set[str]] = {}
    for event, field, _ in section("Events"):
        fields.setdefault(event.strip("`"), set()).update(names(field))
    return fields


def run_json(*arguments: str | Path, **how: Any) -> list[Event]:
    """The events of a run."""
    result = logmill(*arguments, "--log-format", "json", **how)
    return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The events of a run whose tables are refused."""
    lake = tmp_path_factory.mktemp("refused")
    arguments = ("run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, "--output", lake)
    return run_json(*arguments, "--max-reject-ratio", "0", code=3)


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The events of a run that cannot be remembered, of one over damage, and of one that empties the day."""
    raw, lake = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("lake")
    (raw / "x_CloudTrail_r_20231101T0310Z_x.json.gz").write_bytes(gzip.compress(b'{"Records":[{'))
    (raw / "notes").write_text("no log")
    event = '{"eventTime":"2023-11-01T00:00:00Z","eventID":"a"}'
    good = raw / "x_CloudTrail_r_20231101T0310Z_y.json.gz"
    good.write_bytes(gzip.compress(f'{{"Records":[{event}]}}'.encode()))
    (lake / "_runs").write_text("no folder")
    arguments = ("run", "--day", SAMPLE_DAY, "--dataset", "cloudtrail", "--input", raw, "--output", lake)
    events = run_json(*arguments, "--max-reject-ratio", "1")
    good.unlink()
    return events + run_json(*arguments, "--max-reject-ratio", "1")


@pytest.fixture
def registered(catalog: Registered) -> Iterator[tuple[Registered, list[Event], dict[str, Any]]]:
    """A day that is published and registered, its events and its summary."""
    source = catalog.aws.source(few_objects())
    arguments = ("run", "--day", SAMPLE_DAY, "--input", source, "--output", catalog.lake.url, "-vv")
    given = (*arguments, *catalog.options, "--create-database", "--summary-json", "-")
    result = catalog.aws.logmill(*given, "--log-format", "json")
    yield catalog, [json.loads(line) for line in result.stderr.splitlines()], json.loads(result.stdout)


def test_every_event_and_field_is_defined_and_every_defined_one_is_said(
    registered: tuple[Registered, list[Event], dict[str, Any]], failed: list[Event], warned: list[Event]
) -> None:
    defined, said = documented_events(), {}
    assert defined.keys() == WHAT_EVENTS_SAY.keys() | OF_A_TABLE | {"warnings"}
    shared = set().union(*(defined[group] for group in OF_A_TABLE))
    for event in [*registered[1], *failed, *warned]:
        name = "warnings" if event["level"] == "warn" else event["event"]
        assert name in defined, f"an event that nobody has defined: {event}"
        expected = defined[name].union(*(defined[group] for group in WHAT_EVENTS_SAY.get(name, OF_A_TABLE)))
        if name == "warnings":
            assert event.keys() <= expected
        else:
            assert event.keys() == expected, event
        said.setdefault(name, set()).update(event.keys() - shared)
    assert said == {name: fields for name, fields in defined.items() if name not in OF_A_TABLE}


def test_a_table_goes_through_its_steps_and_the_last_event_is_the_end(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    _, events, summary = registered
    for table in DATASETS:
        steps = [event["event"] for event in events if event.get("table") == table]
        steps = [step for step in steps if step in WHAT_EVENTS_SAY and step != "left out"]
        assert steps == [*STEPS, "registered", "cleaned"]
    assert [event["event"] for event in events].count("finished") == 1
    finished = events[-1]
    assert (finished["event"], finished["exit_code"], finished["level"]) == ("finished", 0, "info")
    assert {event["run"] for event in events} == {summary["run"]}
    assert {event["day"] for event in events} == {SAMPLE_DAY}


def test_events_say_what_the_summary_says(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    _, events, summary = registered
    total = dict.fromkeys((*COUNTS, "objects", "bytes", "files", "file_bytes"), 0)
    for table in summary["tables"]:
        planned, read, written, published = (
            next(event for event in events if (event["event"], event.get("table")) == (step, table["table"]))
            for step in STEPS
        )
        assert planned["dataset"] == table["dataset"] == DATASETS[table["table"]]
        assert planned["objects"] == read["objects"] == table["objects"]
        assert (planned["bytes"], planned["left"]) == (table["bytes"], table["objects_left"])
        assert planned["requests"] > 0
        assert read["rows"] == table["read"]
        assert (written["files"], written["bytes"]) == (table["files"], table["file_bytes"])
        assert written["rows"] == table["written"]
        assert published["ledger"] == {name: table[name] for name in COUNTS}
        assert published["provisional"] == table["provisional"]
        total = {name: total[name] + table[name] for name in total}
    finished = events[-1]
    assert finished["ledger"] == {name: total[name] for name in COUNTS}
    assert (finished["objects"], finished["input_bytes"]) == (total["objects"], total["bytes"])
    assert (finished["files"], finished["file_bytes"]) == (total["files"], total["file_bytes"])
    assert (finished["published"], finished["failed"]) == (len(DATASETS), 0)


def test_a_failure_is_said_once_with_its_kind_and_ends_the_run(failed: list[Event]) -> None:
    failures = [event for event in failed if event["event"] == "failed"]
    assert [event["table"] for event in failures] == sorted(DATASETS)
    assert {(event["level"], event["kind"], event["exit_code"]) for event in failures} == {
        ("error", "too_many_rejects", 3)
    }
    finished = failed[-1]
    assert (finished["level"], finished["exit_code"]) == ("error", 3)
    assert (finished["published"], finished["failed"], finished["objects"]) == (0, len(DATASETS), 0)


def test_a_run_in_s3_is_remembered_with_the_etags_of_what_it_read(
    aws: Aws, registered: tuple[Registered, list[Event], dict[str, Any]]
) -> None:
    lake, summary = registered[0].lake, registered[2]
    run = summary["run"]
    for table in DATASETS:
        folder = f"_runs/{table}/{partition(SAMPLE_DAY)}"
        report = json.loads(lake.get(f"{folder}/{run}.json"))
        assert report["manifest"] == lake.manifest(table)
        assert report["outcome"] == "published"
        assert report["seconds"].keys() == {"plan", "read", "write", "publish", "register", "clean"}
        copy = lake.get(f"{folder}/{run}.inputs.jsonl.gz")
        assert copy == lake.get(f"{table}/{partition(SAMPLE_DAY)}/_inputs/{run}.jsonl.gz")
        inputs = [json.loads(line) for line in gzip.decompress(copy).splitlines()]
        assert inputs
        for line in inputs:
            bucket, key = line["object"].removeprefix("s3://").split("/", 1)
            assert aws.s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"') == line["etag"]
    lake.assert_clean()


def test_the_fields_of_a_report_are_those_that_are_defined(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    lake, run = registered[0].lake, registered[2]["run"]
    defined = [name for fields, _ in section("Reports in the lake") for name in names(fields)]
    report = json.loads(lake.get(f"_runs/cloudtrail/{partition(SAMPLE_DAY)}/{run}.json"))
    assert list(report) == defined


def test_a_report_is_written_like_every_other_object(catalog: Registered) -> None:
    """With the encryption, tags and grants that were asked for."""
    aws, lake = catalog.aws, catalog.lake
    aws.run(lake, "--sse", "s3", "--tag", "team=data", source=aws.source(few_objects()))
    assert lake.history()
    for path in lake.history():
        key = {"Bucket": lake.bucket, "Key": lake.below + path}
        assert aws.s3.head_object(**key)["ServerSideEncryption"] == "AES256"
        assert aws.s3.get_object_tagging(**key)["TagSet"] == [{"Key": "team", "Value": "data"}]
