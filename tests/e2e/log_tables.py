"""Published tables in DuckDB, and queries over them in DuckDB and in logmill."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import duckdb

from dashboards import DataSet
from glue_sql import DIFFERENCES, Statement, translated
from harness import Lake, logmill
from trino_grammar import objections

# QuickSight's name for each type in a view. DuckDB sums whole numbers as HUGEINT, Athena as bigint.
QUICKSIGHT_TYPES = {
    "BIGINT": "INTEGER",
    "DOUBLE": "DECIMAL",
    "HUGEINT": "INTEGER",
    "INTEGER": "INTEGER",
    "TIMESTAMP": "DATETIME",
    "VARCHAR": "STRING",
}
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

    found = connection.execute(translated(query.sql)).fetchall()
    assert rounded(found, digits) == rounded(expected, digits)
    printed = queried(lake, query.sql.removesuffix(";"))
    assert rounded(printed, digits) == rounded((map(shown, row) for row in expected), digits)


def rounded(rows: Iterable[Iterable[Any]], digits: int = DIGITS) -> list[tuple[Any, ...]]:
    """Rows with fractions of some digits."""
    return [tuple(round(cell, digits) if isinstance(cell, float) else cell for cell in row) for row in rows]


def assert_data_set(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    name: str,
    loaded: DataSet,
    expected: list[tuple[Any, ...]],
) -> None:
    """Compares a view with what QuickSight loads from it: columns, types, and rows in both engines."""
    sql = f"SELECT * FROM {name}"
    found = connection.sql(sql)
    types = [QUICKSIGHT_TYPES[str(type_)] for type_ in found.types]
    assert list(zip(found.columns, types, strict=True)) == list(loaded.types().items())
    assert expected
    assert Counter(rounded(found.fetchall())) == Counter(rounded(expected))
    assert Counter(rounded(queried(lake, sql))) == Counter(rounded(map(shown, row) for row in expected))


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
