"""Column statistics in the catalog: exact values equal those of DuckDB, and estimates are within bounds."""

import json
from pathlib import Path
from typing import Any

import duckdb

from catalog import Registered
from faults import FaultProxy, Refuse, Reply
from harness import DATASETS, SAMPLE_DATA, SAMPLE_DAY, Published, partition
from schema import columns
from small_day import SmallDay

DAY_BEFORE = "2023-10-31"
SENT = "UpdateColumnStatistics*"
DENIED = Refuse(400, "AccessDeniedException", "not authorized to perform: glue:UpdateTable")


def statistics(proxy: FaultProxy, table: str) -> dict[str, dict[str, Any]]:
    """The statistics of each column of a table that were sent to the catalog."""
    asked = [json.loads(request.body) for request in proxy.requests(SENT)]
    lists = [body["ColumnStatisticsList"] for body in asked if body["TableName"] == table]
    assert all(0 < len(listed) <= 25 for listed in lists), "the limit of one call"
    return {entry["ColumnName"]: entry for listed in lists for entry in listed}


def test_the_catalog_gets_statistics_of_the_files(
    catalog: Registered, proxy: FaultProxy, sample: Published, table: str
) -> None:
    proxy.rule(Reply("{}"), operation=SENT)
    catalog.run("--column-statistics", source=SAMPLE_DATA)
    sent = statistics(proxy, table)
    types = {column.name: column.type for column in columns(DATASETS[table])}
    assert len(sent) > len(types) // 2
    for name, entry in sent.items():
        assert entry["ColumnType"] == types[name]
        assert_is_of(entry["StatisticsData"], types[name], facts(sample, table, name))


def facts(sample: Published, table: str, column: str) -> tuple[int, int, int, Any, Any]:
    """Rows, nulls, distinct values, and the minimum and maximum of a column or of its text lengths."""
    files = sample.lake.table(table) / partition(SAMPLE_DAY) / "*" / "*.parquet"
    value = f'try_cast(strlen("{column}"::VARCHAR) AS BIGINT)' if is_text(table, column) else f'"{column}"'
    asked = f'count(*), count(*) - count("{column}"), count(DISTINCT "{column}"), min({value}), max({value})'
    found = duckdb.sql(f"SELECT {asked} FROM read_parquet('{files}')").fetchall()
    return found[0]


def is_text(table: str, column: str) -> bool:
    """Whether a column holds text."""
    return any(known.name == column and known.type == "string" for known in columns(DATASETS[table]))


def assert_is_of(sent: dict[str, Any], hive_type: str, found: tuple[int, int, int, Any, Any]) -> None:
    """Asserts that statistics match a column. Distinct values and lengths are upper estimates."""
    rows, nulls, distinct, least, greatest = found
    kind = {"string": "String", "boolean": "Boolean"}.get(hive_type, "Long")
    assert sent["Type"] == kind.upper()
    data = sent[f"{kind}ColumnStatisticsData"]
    assert data["NumberOfNulls"] == nulls
    if kind == "Boolean":
        assert data["NumberOfTrues"] + data["NumberOfFalses"] == rows - nulls
        return
    assert distinct <= data["NumberOfDistinctValues"] <= rows - nulls
    if hive_type in ("int", "bigint"):
        # The AWS SDK omits a bound of 0.
        assert (data.get("MinimumValue", 0), data.get("MaximumValue", 0)) == (least, greatest)
    elif kind == "String":
        assert least <= data["AverageLength"] <= data["MaximumLength"] <= greatest


def test_a_day_is_registered_even_if_its_statistics_are_refused(
    catalog: Registered, proxy: FaultProxy, day: SmallDay, table: str, tmp_path: Path
) -> None:
    proxy.rule(DENIED, operation=SENT)
    catalog.run("--column-statistics", source=day.source)
    assert catalog.query(table).read(tmp_path).rows() == day.rows[table][1]


def test_an_earlier_day_keeps_the_statistics_of_the_newest(
    catalog: Registered, proxy: FaultProxy, day: SmallDay
) -> None:
    """The catalog keeps one set for the whole table."""
    proxy.rule(Reply("{}"), operation=SENT)
    catalog.run("--column-statistics", source=day.source)
    sent = len(proxy.requests(SENT))
    assert sent > 0
    catalog.run("--column-statistics", source=day.source, day=DAY_BEFORE)
    assert len(proxy.requests(SENT)) == sent
    catalog.run("--column-statistics", source=day.source)
    assert len(proxy.requests(SENT)) == 2 * sent
