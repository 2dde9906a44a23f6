"""Every part file has the order that it declares, also if rules change the columns by which rows are sorted.

A reader that trusts the declaration skips rows or merges files by it. The check reads only the files.
"""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness import Published, run_day

# Masks of a column by which the rows of each log type of JSON records are sorted.
MASKED = {"unmasked": (), "masked": ("userIdentity.arn", "action", "rcode")}
TABLES = {
    "alb_access", "alb_connection", "clb_access", "cloudfront", "cloudtrail", "nlb_access", "resolver_query",
    "s3_access", "vpc_flow", "waf",
}  # fmt: skip
ROWS = 400


def declared(path: Path) -> list[str]:
    """The columns by which a file says that its rows are sorted."""
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    orders = {
        tuple((key.column_index, key.descending, key.nulls_first) for key in group.sorting_columns)
        for group in groups
    }
    (order,) = orders
    assert all((descending, nulls_first) == (False, True) for _, descending, nulls_first in order)
    return [metadata.schema.column(index).path for index, _, _ in order]


def rank(value: Any) -> tuple[bool, Any]:
    """The order of Parquet: nulls first, then values, texts by their bytes."""
    return (value is not None, value.encode() if isinstance(value, str) else value)


def assert_sorted(path: Path) -> None:
    """Asserts that the rows of a file are in the order that it declares."""
    by = declared(path)
    rows = pq.read_table(path, columns=by).to_pylist()
    keys = [tuple(rank(row[name]) for name in by) for row in rows]
    for number, (one, next_one) in enumerate(pairwise(keys)):
        assert one <= next_one, (path.name, by, number)


@pytest.mark.parametrize("rules", MASKED)
def test_every_log_type_has_the_order_that_its_files_declare(rules: str, tmp_path: Path) -> None:
    options = [option for rule in MASKED[rules] for option in ("--redact", rule)]
    made = run_day(tmp_path / "lake", "--dataset", "all", *options)
    parts = {table: made.lake.parts(table) for table in TABLES}
    assert all(parts.values()), parts
    for path in (path for paths in parts.values() for path in paths):
        assert_sorted(path)


def events() -> Iterator[dict[str, object]]:
    """Events whose principals are texts, empty, null and missing, in another order than their times."""
    begin = datetime(2023, 11, 1, tzinfo=UTC)
    for number in range(ROWS):
        identity = [{"arn": f"arn:{number % 7}"}, {"arn": ""}, {"arn": None}, {}][number % 4]
        time = begin - timedelta(seconds=97 * number % 3600)
        yield {
            "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            "eventID": f"{number:032x}",
            "eventSource": "s3.amazonaws.com",
            "eventName": ["Get", "", "Put"][number % 3],
            "userIdentity": identity,
        }


@pytest.mark.parametrize(
    "options", [(), ("--redact", "userIdentity.arn"), ("--drop-columns", "event_version")]
)
def test_empty_and_missing_values_are_in_the_declared_order(options: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "raw/AWSLogs/111122223333/CloudTrail/us-east-1/2023/10/31"
    folder.mkdir(parents=True)
    name = "111122223333_CloudTrail_us-east-1_20231031T2305Z_0000000000000000.json.gz"
    (folder / name).write_bytes(gzip.compress(json.dumps({"Records": list(events())}).encode()))
    made: Published = run_day(tmp_path / "lake", "--dataset", "cloudtrail", *options, source=tmp_path / "raw")
    (path,) = made.lake.parts("cloudtrail")
    assert pq.read_metadata(path).num_rows == ROWS
    assert declared(path)[-1] == "event_time"
    assert_sorted(path)
