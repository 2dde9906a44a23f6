"""`logmill why`: readers that share no code with it confirm the places that it reports."""

import base64
import gzip
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from aws import Aws, S3Lake
from decoded import Reject
from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, Published, logmill
from oracle import chosen, decode, from_ms, keys, kst_window
from small_day import SmallDay

NOT_IN_LAKE = 99
Place = tuple[str, int]
# Lines of a day with several files and row groups, and the size of the incompressible part of each line.
LINES, NOISE_BYTES = 20_000, 3_300
SMALL_GROUPS = ("--memory", "64MiB", "--target-file-size", "40MiB", "--dataset", "s3-access")


def why(*arguments: str | Path, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The document that the command prints."""
    result = logmill("why", "--day", SAMPLE_DAY, *arguments, "--format", "json", code=code, env=env)
    return json.loads(result.stdout)


def found(document: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The findings in a table."""
    return next(entry["found"] for entry in document["tables"] if entry["table"] == table)


def place_of(trace: dict[str, Any]) -> Place:
    """Raw object and record."""
    return trace["source_object"], trace["source_record"]


def row_at(lake: Path, trace: dict[str, Any]) -> dict[str, Any]:
    """The row at a reported place, as pyarrow reads that row group of that file."""
    file = pyarrow.parquet.ParquetFile(lake / trace["file"])
    return file.read_row_group(trace["row_group"]).slice(trace["row"], 1).to_pylist()[0]


def all_rows(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Every row of a table."""
    return [row for part in lake.parts(table) for row in pyarrow.parquet.ParquetFile(part).read().to_pylist()]


def raw_rows(table: str) -> dict[str, list[tuple[Place, str]]]:
    """Place and KST day of each raw row that a run of the sample day reads, by its event id or line."""
    rows = defaultdict(list)
    for key in sorted(chosen(keys(SAMPLE_DATA), table, kst_window(SAMPLE_DAY))):
        for row in decode(table, REPOSITORY / key):
            if not isinstance(row, Reject):
                day = from_ms(row.event_ms + 9 * 3_600_000).date().isoformat()
                rows[row.columns.get("event_id") or row.identity].append(((key, row.record), day))
    return rows


@pytest.mark.parametrize("number", [0, 333, 656])
def test_a_published_row_is_at_the_reported_place(sample: Published, table: str, number: int) -> None:
    """In the reported row of the reported row group, and in the reported record of the raw object."""
    rows = all_rows(sample.lake, table)
    wanted = rows[number]["request_id"]
    document = why("--request-id", wanted, "--output", sample.lake.root)
    traces = found(document, table)
    assert document["in_lake"]
    for trace in traces:
        row = row_at(sample.lake.root, trace)
        assert (row["request_id"], row["source_object"], row["source_record"]) == (wanted, *place_of(trace))
        raw = decode(table, REPOSITORY / trace["source_object"])
        assert [row.columns["request_id"] for row in raw if row.record == trace["source_record"]] == [wanted]
    same = [(row["source_object"], row["source_record"]) for row in rows if row["request_id"] == wanted]
    assert [place_of(trace) for trace in traces] == same


def test_both_places_of_a_repeated_event_are_reported(sample: Published) -> None:
    """The first one is published."""
    of_day = {
        event_id: [place for place, day in rows if day == SAMPLE_DAY]
        for event_id, rows in raw_rows("cloudtrail").items()
    }
    twins = {event_id: places for event_id, places in of_day.items() if len(places) > 1}
    assert len(twins) > 3
    for event_id, places in list(twins.items())[:3]:
        document = why("--event-id", event_id, "--output", sample.lake.root, "--input", SAMPLE_DATA, "--deep")
        traces = found(document, "cloudtrail")
        assert [place_of(trace) for trace in traces] == places
        assert [trace["fate"] for trace in traces] == ["in_lake"] + ["duplicate"] * (len(places) - 1)
        assert all(place_of(trace["repeats"]) == places[0] for trace in traces[1:])


def test_events_of_adjacent_days_are_reported_with_their_day(sample: Published) -> None:
    adjacent = {
        rows[0][1]: (event_id, [place for place, _ in rows])
        for event_id, rows in raw_rows("cloudtrail").items()
        if all(day != SAMPLE_DAY for _, day in rows)
    }
    assert adjacent.keys() == {"2023-10-31", "2023-11-02"}
    for day, (event_id, places) in adjacent.items():
        arguments = ("--event-id", event_id, "--output", sample.lake.root, "--input", SAMPLE_DATA)
        traces = found(why(*arguments, code=NOT_IN_LAKE), "cloudtrail")
        assert [(trace["fate"], trace["day"], place_of(trace)) for trace in traces] == [
            ("other_day", day, place) for place in places
        ]


def test_a_rejected_record_is_found_in_quarantine_and_in_the_raw_logs(
    sample: Published, tmp_path: Path
) -> None:
    lines = Path(sample.ledger("s3_access")["quarantine"]).read_text("utf-8").splitlines()
    rejected = next(line for line in map(json.loads, lines) if "LQAN0DFM91JSGPSL" in line["raw"])
    for lake, more in [(sample.lake.root, ()), (tmp_path, ("--input", SAMPLE_DATA))]:
        document = why("--request-id", "LQAN0DFM91JSGPSL", "--output", lake, *more, code=NOT_IN_LAKE)
        (trace,) = (trace for trace in found(document, "s3_access") if trace["fate"] == "quarantined")
        assert (*place_of(trace), trace["reason"]) == (
            rejected["object"],
            rejected["record"],
            rejected["reason"],
        )


def test_a_late_object_in_s3_makes_the_day_stale(aws: Aws, day: SmallDay) -> None:
    """The lake is from before the late objects arrived, the raw logs from after."""
    lake, bucket = day.published(aws), day.source.split("/")[2]
    late = next(key for key in aws.keys(bucket) if "20231101T0959Z" in key)
    records = json.loads(gzip.decompress(aws.get(bucket, late)))["Records"]
    of_day = (
        pair for pair in enumerate(records, 1) if "2023-10-31T15" <= pair[1]["eventTime"] < "2023-11-01T15"
    )
    number, record = next(of_day)
    arguments = ("--event-id", record["eventID"], "--output", lake.url, "--input", day.source)
    for fate, code in [("late", NOT_IN_LAKE), ("in_lake", 0)]:
        (trace,) = found(why(*arguments, code=code, env=aws.env()), "cloudtrail")
        assert (trace["fate"], *place_of(trace)) == (fate, f"s3://{bucket}/{late}", number)
        aws.run(lake, source=day.source)


def access_line(noise: random.Random) -> str:
    """A line of the day with its own request id and much incompressible text."""
    request_id = noise.randbytes(8).hex().upper()
    agent = base64.b64encode(noise.randbytes(NOISE_BYTES)).decode()
    return (
        f"79a59df9 results [01/Nov/2023:03:00:00 +0000] 192.0.2.3 - {request_id} REST.GET.OBJECT k"
        f' "GET /k HTTP/1.1" 200 - 1 1 7 6 "-" "{agent}" - s9lz/+1='
        " SigV4 TLS_AES_128_GCM_SHA256 AuthHeader results.s3.ap-northeast-2.amazonaws.com TLSv1.3 - -"
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A day of two files. The first file has two row groups."""
    folder = tmp_path_factory.mktemp("large")
    noise = random.Random(7)
    lines = [access_line(noise) for _ in range(LINES)]
    (folder / "raw").mkdir()
    (folder / "raw" / "2023-11-01-03-10-00-A").write_text("\n".join(lines) + "\n")
    arguments = ("--input", folder / "raw", "--output", folder / "lake", *SMALL_GROUPS)
    logmill("run", "-q", "--day", SAMPLE_DAY, *arguments)
    return Lake(folder / "lake")


def test_each_row_is_found_in_its_row_group(large: Lake) -> None:
    parts = large.parts("s3_access")
    groups = [pyarrow.parquet.ParquetFile(part).num_row_groups for part in parts]
    assert len(parts) > 1
    assert max(groups) > 1
    for part, count in zip(parts, groups, strict=True):
        for group in range(count):
            ids = pyarrow.parquet.ParquetFile(part).read_row_group(group, columns=["request_id"]).column(0)
            for row in (0, len(ids) // 2, len(ids) - 1):
                document = why("--request-id", ids[row].as_py(), "--output", large.root)
                (trace,) = found(document, "s3_access")
                assert (trace["file"], trace["row_group"]) == (str(part.relative_to(large.root)), group)
                assert (trace["row"], row_at(large.root, trace)["request_id"]) == (row, ids[row].as_py())


def test_only_the_pages_that_the_indexes_name_are_fetched_from_s3(aws: Aws, large: Lake) -> None:
    """For an id that no row has, and for an id in a single row group."""
    lake = aws.lake()
    files = {path: path.read_bytes() for path in large.root.rglob("*") if path.is_file()}
    aws.put(
        lake.bucket, {f"{lake.below}{path.relative_to(large.root)}": body for path, body in files.items()}
    )
    part = large.parts("s3_access")[0]
    present = pyarrow.parquet.ParquetFile(part).read_row_group(1, columns=["request_id"])[0][17].as_py()
    total = sum(len(files[part]) for part in large.parts("s3_access"))
    for wanted, code, touched in [("0123456789ABCDEF", NOT_IN_LAKE, set()), (present, 0, {(part.name, 1)})]:
        aws.proxy.forget()
        why("--request-id", wanted, "--output", lake.url, code=code, env=aws.env())
        fetched = fetched_ranges(aws, lake)
        assert {
            group for name, start, end in fetched for group in groups_at(large, name, start, end)
        } == touched
        assert 0 < sum(end - start for _, start, end in fetched) < total * 0.03


def fetched_ranges(aws: Aws, lake: S3Lake) -> list[tuple[str, int, int]]:
    """Part file name, start and end of each requested range."""
    asked = aws.proxy.requests("GetObject", f"{lake.bucket}/*.parquet")
    bounds = [(request, request.headers["range"].removeprefix("bytes=").split("-")) for request in asked]
    return [(request.path.rpartition("/")[2], int(start), int(last) + 1) for request, (start, last) in bounds]


def groups_at(lake: Lake, name: str, start: int, end: int) -> set[tuple[str, int]]:
    """The row groups with pages between two offsets. Footers, indexes and filters do not count as pages."""
    (part,) = (part for part in lake.parts("s3_access") if part.name == name)
    footer = pyarrow.parquet.ParquetFile(part).metadata
    groups = ((number, footer.row_group(number)) for number in range(footer.num_row_groups))
    columns = (
        (number, group.column(place)) for number, group in groups for place in range(footer.num_columns)
    )
    places = (
        (number, column.dictionary_page_offset or column.data_page_offset, column)
        for number, column in columns
    )
    return {
        (name, number)
        for number, first, column in places
        if start < first + column.total_compressed_size and first < end
    }
