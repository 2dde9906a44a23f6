"""`logmill diff`: added, removed and changed rows, counted again by pyarrow."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from aws import Aws, S3Lake
from harness import DATASETS, SAMPLE_DAY
from small_day import EARLY, few_objects

Row = dict[str, Any]
Rows = dict[tuple[str, int], Row]
KEEPS = ("--grace", "1h")


def diff(aws: Aws, lake: S3Lake, *arguments: str) -> dict[str, dict[str, Any]]:
    """The output of the command, by table."""
    arguments = ("diff", "--day", SAMPLE_DAY, "--output", lake.url, *arguments, "--format", "json")
    lines = aws.logmill(*arguments).stdout.splitlines()
    return {line["table"]: line for line in map(json.loads, lines)}


def rows_of(lake: S3Lake, run: str, table: str, folder: Path) -> Rows:
    """The rows of a run by raw object and record."""
    parts = lake.download(folder / run).parts(table)
    own = [part for part in parts if run in part.parts[-2]]
    rows = [row for part in own for row in pyarrow.parquet.ParquetFile(part).read().to_pylist()]
    return {(row["source_object"], row["source_record"]): row for row in rows}


def expected(a: Rows, b: Rows) -> dict[str, set[tuple[str, int]]]:
    """The places of the rows that differ, in the columns that both runs have."""
    both = a.keys() & b.keys()
    columns = set(next(iter(a.values()))) & set(next(iter(b.values())))
    changed = {place for place in both if any(a[place][name] != b[place][name] for name in columns)}
    return {"added": b.keys() - a.keys(), "removed": a.keys() - b.keys(), "changed": changed}


def assert_rows(found: dict[str, Any], places: dict[str, set[tuple[str, int]]]) -> None:
    """Asserts that the counts, in total and by object, and the examples match those of pyarrow."""
    assert found["rows_counted_in"] == "files"
    rows = found["rows"]
    assert rows["total"] == {change: len(wanted) for change, wanted in places.items()}
    by_object: dict[str, dict[str, int]] = {}
    for change, wanted in places.items():
        for name, _ in wanted:
            counts = by_object.setdefault(name, {"added": 0, "removed": 0, "changed": 0})
            counts[change] += 1
    assert rows["objects"] == by_object
    shown = {(row["change"], row["source_object"], row["source_record"]) for row in rows["examples"]}
    all_of_them = {(change, *place) for change, wanted in places.items() for place in wanted}
    assert shown <= all_of_them
    assert len(shown) == min(10, len(all_of_them))


@pytest.fixture
def rebuilt(aws: Aws) -> tuple[S3Lake, str, str]:
    """A lake with two runs of a day. Between them, one object of each log was added, removed and changed."""
    lake, source = aws.lake(), aws.source(few_objects(EARLY))
    first = aws.run(lake, *KEEPS, source=source)["run"]
    bucket = source.split("/")[2]
    for key in aws.keys(bucket):
        if "20231101T0317Z" in key:
            records = json.loads(gzip.decompress(aws.get(bucket, key)))
            records["Records"][0]["userAgent"] = "another"
            aws.put(bucket, {key: gzip.compress(json.dumps(records).encode())})
        elif "2023-11-01-09-21-17" in key:
            aws.put(bucket, {key: aws.get(bucket, key).replace(b"HTTP/1.1", b"HTTP/1.0", 1)})
        elif "20231101T0840Z" in key or "2023-10-31-16-43-49" in key:
            aws.s3.delete_object(Bucket=bucket, Key=key)
    late = {key: body for key, body in few_objects().items() if key not in few_objects(EARLY)}
    aws.put(bucket, {f"logs/{key}": body for key, body in late.items()})
    return lake, first, aws.run(lake, *KEEPS, source=source)["run"]


def test_rows_are_counted_in_the_files_of_both_runs(
    aws: Aws, rebuilt: tuple[S3Lake, str, str], tmp_path: Path
) -> None:
    lake, first, second = rebuilt
    found = diff(aws, lake)
    assert found.keys() == DATASETS.keys()
    for table, of_table in found.items():
        assert (of_table["a"]["run"], of_table["b"]["run"]) == (first, second)
        changes = [change["change"] for change in of_table["objects"]]
        assert {"only_a", "only_b", "changed"} <= set(changes)
        places = expected(*(rows_of(lake, run, table, tmp_path) for run in (first, second)))
        assert all(places.values()), "the day should have rows of each kind"
        assert_rows(of_table, places)
        back = diff(aws, lake, "live", "previous", "--table", table)[table]
        assert_rows(
            back, {"added": places["removed"], "removed": places["added"], "changed": places["changed"]}
        )


def test_the_same_rows_under_other_object_names_are_equal(aws: Aws) -> None:
    lake, source = aws.lake(), aws.source(few_objects())
    aws.run(lake, *KEEPS, source=source)
    aws.run(lake, *KEEPS, "--naming", "compact", source=source)
    for of_table in diff(aws, lake).values():
        assert [setting["name"] for setting in of_table["settings"]] == ["naming", "event_time_column"]
        assert of_table["rows"]["total"] == {"added": 0, "removed": 0, "changed": 0}
        assert (of_table["rows_counted_in"], of_table["objects"]) == ("files", [])


def test_without_the_files_the_ledgers_are_compared(aws: Aws, rebuilt: tuple[S3Lake, str, str]) -> None:
    lake, first, second = rebuilt
    before = diff(aws, lake)
    aws.logmill("clean", "--output", lake.url, "--grace", "0s", "--quiet")
    after = diff(aws, lake, first, second)
    for table, of_table in after.items():
        assert (of_table["rows"], of_table["rows_counted_in"]) == (None, "ledgers")
        assert of_table["objects"] == before[table]["objects"]
