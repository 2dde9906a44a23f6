"""Published tables in DuckDB, and queries over them in DuckDB and in logmill."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import duckdb

from glue_sql import DIFFERENCES, Statement, translated
from harness import Lake, logmill
from trino_grammar import objections

# How many digits after the point must agree in sums of fractions.
DIGITS = 9


def in_duckdb(lake: Lake, tables: Iterable[str], views: Iterable[Statement]) -> duckdb.DuckDBPyConnection:
    """The tables of a lake and views over them."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for difference in DIFFERENCES:
        connection.execute(difference)
    for table in tables:
        parts = [str(part) for part in lake.parts(table)]
        read = f"read_parquet({parts}, hive_partitioning = true, hive_types_autocast = false)"
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM {read}")
    for view in views:
        connection.execute(translated(view.text))
    return connection


def assert_agrees(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    query: Statement,
    expected: list[tuple[Any, ...]],
    digits: int = DIGITS,
) -> None:
    """Compares the rows of a query with the expected ones, in both engines."""

    def rounded(rows: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
        return [tuple(round(cell, digits) if isinstance(cell, float) else cell for cell in row) for row in rows]

    assert rounded(connection.execute(translated(query.sql)).fetchall()) == rounded(expected)
    assert rounded(queried(lake, query.sql.removesuffix(";"))) == rounded(map(shown, row) for row in expected)


def queried(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query in logmill."""
    printed = logmill("query", "--output", lake.root, "--format", "json", sql).stdout
    return [tuple(json.loads(line).values()) for line in printed.splitlines()]


def shown(cell: Any) -> Any:
    """A cell as `logmill query` prints it."""
    if isinstance(cell, datetime):
        return cell.isoformat(" ", timespec="milliseconds")
    return cell.isoformat() if isinstance(cell, date) else cell


def assert_statements(statements: list[Statement]) -> None:
    """Athena accepts the statements. They fit the width of the files, and each has a comment."""
    assert objections("trino", [statement.text for statement in statements]) == [[]] * len(statements)
    for statement in statements:
        assert max(map(len, statement.text.splitlines())) <= 140, statement.name
        assert statement.comment.endswith("."), statement.name
