"""Compares the output of the binary with the expectation of the oracle, cell by cell."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset

from decoded import Decoded, Reject, Row
from harness import DATASETS, logmill
from oracle_cloudtrail import instant
from raw_json import members
from schema import columns

TYPE_OF_DAY = pa.schema([("proc_ymd", pa.string())])

PLACED_BY_RUN = {"source_object", "source_record"}

Cells = dict[str, Any]
Rows = dict[tuple[str, int], Cells]


def open_table(folder: Path) -> pyarrow.dataset.Dataset:
    """A published table, with its days taken from the folder names."""
    partitioning = pyarrow.dataset.partitioning(TYPE_OF_DAY, flavor="hive")
    return pyarrow.dataset.dataset(folder, format="parquet", partitioning=partitioning)


def read_rows(folder: Path) -> Rows:
    """The rows of a published table by object and record. Instants are milliseconds since 1970."""
    table = open_table(folder).to_table().drop_columns(["proc_ymd"])
    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            table = table.set_column(index, column.name, table[column.name].cast(pa.int64()))
    listed = table.to_pylist()
    rows = {(row["source_object"], row["source_record"]): comparable(row) for row in listed}
    assert len(rows) == len(listed), "two rows name the same record of a raw object"
    return rows


def comparable(row: Cells) -> Cells:
    """A row whose JSON object of extra fields does not depend on their order."""
    extra = row.get("extra")
    is_object = isinstance(extra, str) and extra.startswith("{")
    return row | {"extra": members(extra)} if is_object else row


def assert_same_rows(actual: Rows, expected: Rows) -> None:
    """Asserts that both have the same rows with the same cells, and reports the first differences."""
    assert actual.keys() == expected.keys(), (
        f"unexpected: {sorted(actual.keys() - expected.keys())[:3]}, "
        f"missing: {sorted(expected.keys() - actual.keys())[:3]}"
    )
    different = [
        f"{place} {difference}"
        for place, cells in expected.items()
        for difference in differences(actual[place], cells)
    ]
    assert not different, "\n".join([f"{len(different)} cells differ:", *different[:10]])


def differences(actual: Cells, expected: Cells) -> list[str]:
    """The cells of a row that differ, each with both values."""
    return [
        f"{name}: is {actual.get(name)!r}, should be {expected.get(name)!r}"
        for name in sorted(actual.keys() | expected.keys())
        if name not in actual or name not in expected or actual[name] != expected[name]
    ]


@cache
def inspected(table: str, path: Path) -> dict[int, Cells]:
    """How the binary reads each record of a file. No value is masked."""
    arguments = ("inspect", path, "--dataset", DATASETS[table], "--format", "json", "--redact", "none")
    lines = map(json.loads, logmill(*arguments).stdout.splitlines())
    return {line["record"]: line for line in lines}


def assert_same_judgement(table: str, shown: Cells, found: Decoded, at: str) -> None:
    """Asserts that binary and oracle agree on one record."""
    if isinstance(found, Reject):
        reject = shown.get("reject")
        assert reject, f"{at}: should be a reject"
        assert reject["reason"], at
        assert reject["raw"].encode() == found.raw, at
        return
    assert "row" in shown, f"{at}: should be a row, is {shown['reject']['reason']}"
    wrong = differences(shown_cells(table, shown["row"]), expected_cells(found))
    assert not wrong, "\n".join([at, *wrong])


def shown_cells(table: str, row: Cells) -> Cells:
    """A row as `inspect` prints it, completed with NULL columns, and with instants in milliseconds."""
    cells = {}
    for column in columns(DATASETS[table]):
        if column.name not in PLACED_BY_RUN and not column.name.endswith("_time_kst"):
            value = row.get(column.name)
            is_time = column.type == "timestamp" and value is not None
            cells[column.name] = instant(json.dumps(value)) if is_time else value
    return comparable(cells)


def expected_cells(found: Row) -> Cells:
    """A row of the oracle without the columns that `inspect` does not show."""
    return {
        name: value
        for name, value in found.columns.items()
        if name not in PLACED_BY_RUN and not name.endswith("_time_kst")
    }
