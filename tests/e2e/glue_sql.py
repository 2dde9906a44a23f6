"""The statements of `glue/sql`, and an Athena database in which they run.

The Glue catalog decides which files the tables read (`athena.py`). DuckDB runs the statements, translated by
sqlglot. `DIFFERENCES`, `java_patterns` and `glue/sql/README.md` list the differences between the engines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from catalog import Registered
from harness import DATASETS, REPOSITORY

FOLDER = REPOSITORY / "glue" / "sql"
# Trino functions that DuckDB lacks or that return something else there.
DIFFERENCES = (
    # A list of NULL is NULL in Trino, and empty in DuckDB.
    "CREATE MACRO zip(a, b, c) AS CASE WHEN a IS NULL THEN NULL ELSE list_zip(a, b, c) END",
)
# Elements of Java's time patterns, with their DuckDB equivalents.
JAVA_TIMES = {
    "dd": "%d",
    "MMM": "%b",
    "MM": "%m",
    "yyyy": "%Y",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "Z": "%z",
}

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Statement:
    """A file with one statement. The statement is named after the file."""

    path: Path

    @property
    def name(self) -> str:
        """The name of the statement."""
        return self.path.name.partition(".")[0]

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text("utf-8")

    @property
    def comment(self) -> str:
        """The comment lines above the statement, as one text."""
        lines = (line for line in self.text.splitlines() if line.startswith("--"))
        return " ".join(line.removeprefix("--").strip() for line in lines)

    @property
    def sql(self) -> str:
        """The statement without the comment above it."""
        lines = self.text.splitlines()
        first = next(number for number, line in enumerate(lines) if not line.startswith("--"))
        return "\n".join(lines[first:]).strip()


def statements(folder: str) -> list[Statement]:
    """The statements of a folder, by name."""
    return [Statement(path) for path in sorted((FOLDER / folder).glob("*.sql"))]


VIEWS = statements("views")
COMPATIBILITY = statements("compatibility")
QUERIES = statements("queries")
TABLES = statements("tables")


class AthenaDatabase:
    """The tables of a catalog database, with every view over them."""

    def __init__(self, registered: Registered, folder: Path) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for name in DATASETS:
            rows = registered.query(name).read(folder).connection.sql("SELECT * FROM lake").to_arrow_table()
            self.connection.register("rows", rows)
            self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
            self.connection.unregister("rows")
        for difference in DIFFERENCES:
            self.connection.execute(difference)
        self.connection.create_function("java_datetime", java_datetime, ["VARCHAR", "VARCHAR"], "TIMESTAMP")
        for view in VIEWS + COMPATIBILITY:
            self.connection.execute(translated(view.text))

    def query(self, sql: str, now: datetime | None = None) -> Rows:
        """The rows of a query. `now` is the current time in UTC, for queries that use it."""
        return self.connection.execute(translated(sql, now)).fetchall()

    def columns(self, sql: str) -> dict[str, str]:
        """DuckDB types by the columns of a query."""
        described = self.connection.execute(f"DESCRIBE {translated(sql)}").fetchall()
        return {name: type_ for name, type_, *_ in described}


def translated(sql: str, now: datetime | None = None) -> str:
    """An Athena statement in DuckDB's dialect. It is an error if sqlglot cannot translate it."""
    (statement,) = sqlglot.parse(sql, read="athena")
    statement = statement.transform(clock(now)).transform(java_patterns)
    return statement.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def clock(now: datetime | None) -> Callable[[exp.Expression], exp.Expression]:
    """Fixes the current time to an instant. Without one, a statement must not use the current time."""

    def fixed(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.CurrentTimestamp):
            return node
        assert now is not None, "the statement uses the current time"
        return exp.cast(exp.Literal.string(now.isoformat(" ")), "TIMESTAMP")

    return fixed


def java_patterns(node: exp.Expression) -> exp.Expression:
    """Keeps sqlglot from passing a Java pattern to DuckDB."""
    if isinstance(node, exp.ParseDatetime):
        return exp.func("java_datetime", node.this, node.args["format"])
    return node


def java_datetime(text: str, pattern: str) -> datetime:
    """Trino's parse_datetime, whose patterns are Java's."""
    for java, python in JAVA_TIMES.items():
        pattern = pattern.replace(java, python)
    return datetime.strptime(text, pattern).replace(tzinfo=None)
