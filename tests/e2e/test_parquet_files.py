"""The Parquet files have what Athena, Spark and others need, and let them skip most of the bytes."""

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from harness import Published

CLUSTERED_BY = {
    "cloudtrail": ("event_source", "event_name", "user_identity_arn", "event_time"),
    "s3_access": ("bucket", "operation", "http_status", "signature_version", "request_time"),
}
BLOOM_FILTERS = {
    "cloudtrail": {"event_id", "request_id", "source_ip_address", "user_identity_access_key_id"},
    "s3_access": {"request_id", "host_id", "remote_ip", "requester"},
}
LOOKED_FOR = {"cloudtrail": "event_id", "s3_access": "request_id"}
PHYSICAL_TYPES = {"BYTE_ARRAY", "INT64", "INT32", "BOOLEAN"}


@pytest.fixture
def part(sample: Published, table: str) -> Path:
    """The only part file of each table in turn."""
    (only,) = sample.lake.parts(table)
    return only


def column_chunks(part: Path) -> list[pq.ColumnChunkMetaData]:
    """Every column chunk of a file."""
    metadata = pq.read_metadata(part)
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return [group.column(index) for group in groups for index in range(group.num_columns)]


def test_every_column_is_compressed_with_zstd(part: Path) -> None:
    assert {chunk.compression for chunk in column_chunks(part)} == {"ZSTD"}


def test_every_column_has_statistics_and_a_page_index(part: Path) -> None:
    for chunk in column_chunks(part):
        assert chunk.is_stats_set, chunk.path_in_schema
        assert chunk.has_column_index, chunk.path_in_schema
        assert chunk.has_offset_index, chunk.path_in_schema


def test_types_are_those_that_every_engine_reads(part: Path) -> None:
    """No INT96, no unsigned numbers, no byte arrays without a character set."""
    schema = pq.read_metadata(part).schema
    for column in map(schema.column, range(len(schema))):
        logical = column.logical_type
        assert column.physical_type in PHYSICAL_TYPES, column.path
        assert (column.physical_type == "BYTE_ARRAY") == (logical.type == "STRING"), column.path
        assert logical.type != "INT", column.path


def test_instants_are_milliseconds_without_a_zone(part: Path) -> None:
    schema = pq.read_metadata(part).schema
    leaves = map(schema.column, range(len(schema)))
    times = [leaf for leaf in leaves if leaf.logical_type.type == "TIMESTAMP"]
    assert len(times) >= 2
    for time in times:
        assert time.physical_type == "INT64"
        logical = json.loads(time.logical_type.to_json())
        assert (logical["isAdjustedToUTC"], logical["timeUnit"]) == (False, "milliseconds")


def test_lists_have_three_levels_and_name_their_items_element(part: Path, table: str) -> None:
    lists = [chunk.path_in_schema for chunk in column_chunks(part) if "." in chunk.path_in_schema]
    assert all(path.endswith(".list.element") for path in lists)
    assert len(lists) == {"cloudtrail": 4, "s3_access": 0}[table]


def test_rows_are_clustered_and_the_file_declares_it(part: Path, table: str) -> None:
    by = CLUSTERED_BY[table]
    cells = pq.read_table(part, columns=list(by)).to_pylist()
    keys = [tuple((row[name] is not None, row[name]) for name in by) for row in cells]
    assert keys == sorted(keys)
    assert len(set(keys)) > len(keys) // 2
    metadata = pq.read_metadata(part)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        sorting = group.sorting_columns
        named = tuple(metadata.schema.column(key.column_index).name for key in sorting)
        assert named == by
        assert not any(key.descending for key in sorting)
        assert all(key.nulls_first for key in sorting)


def test_columns_used_for_lookups_have_bloom_filters(part: Path, table: str) -> None:
    found = duckdb.execute(
        "SELECT path_in_schema FROM parquet_metadata(?) WHERE bloom_filter_offset IS NOT NULL",
        [str(part)],
    ).fetchall()
    assert {name for (name,) in found} >= BLOOM_FILTERS[table]


def test_a_bloom_filter_passes_every_value_and_excludes_most_others(part: Path, table: str) -> None:
    column = LOOKED_FOR[table]
    present = pq.read_table(part, columns=[column])[column].drop_null().unique().to_pylist()
    assert not any(excluded(part, column, value) for value in present[::20])
    absent = [f"absent id {number}" for number in range(50)]
    assert sum(excluded(part, column, value) for value in absent) > 40


def excluded(part: Path, column: str, value: str) -> bool:
    """Whether the bloom filters of a file exclude a value."""
    probe = "SELECT bool_and(bloom_filter_excludes) FROM parquet_bloom_probe(?, ?, ?)"
    return duckdb.execute(probe, [str(part), column, value]).fetchall()[0][0]
