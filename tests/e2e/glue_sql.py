"""The statements of `glue/sql`, and a database of Athena in which they can be run.

The Glue catalog decides which files the tables read (`athena.py`); DuckDB runs the statements, translated by
sqlglot. Where the engines differ is said at `DIFFERENCES`, `java_patterns` and in `glue/sql/README.md`.
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
# Functions of Trino that DuckDB lacks, or that answer otherwise there.
DIFFERENCES = (
    # A list of NULL is NULL in Trino, and empty in DuckDB.
    "CREATE MACRO zip(a, b, c) AS CASE WHEN a IS NULL THEN NULL ELSE list_zip(a, b, c) END",
)
# Parts of Java's patterns for times, as DuckDB has them.
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
    """A file with one statement, which is called as the file."""

    path: Path

    @property
    def name(self) -> str:
        """What the statement makes or answers."""
        return self.path.name.partition(".")[0]

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text("utf-8")

    @property
    def comment(self) -> str:
        """The lines of comment above the statement, as one text."""
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
    """The tables of a database of the catalog, with every view over them."""

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
        """The rows of a query, asked at a moment of UTC where it asks for the time."""
        return self.connection.execute(translated(sql, now)).fetchall()

    def columns(self, sql: str) -> dict[str, str]:
        """Types of DuckDB by the columns of a query."""
        described = self.connection.execute(f"DESCRIBE {translated(sql)}").fetchall()
        return {name: type_ for name, type_, *_ in described}


def translated(sql: str, now: datetime | None = None) -> str:
    """A statement of Athena in the words of DuckDB; what sqlglot cannot translate is an error."""
    (statement,) = sqlglot.parse(sql, read="athena")
    statement = statement.transform(clock(now)).transform(java_patterns)
    return statement.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def clock(now: datetime | None) -> Callable[[exp.Expression], exp.Expression]:
    """Puts a moment where the time is asked for; without one, a statement must not ask."""

    def stopped(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.CurrentTimestamp):
            return node
        assert now is not None, "the statement asks for the time"
        return exp.cast(exp.Literal.string(now.isoformat(" ")), "TIMESTAMP")

    return stopped


def java_patterns(node: exp.Expression) -> exp.Expression:
    """Keeps sqlglot from handing a pattern of Java to DuckDB."""
    if isinstance(node, exp.ParseDatetime):
        return exp.func("java_datetime", node.this, node.args["format"])
    return node


def java_datetime(text: str, pattern: str) -> datetime:
    """What Trino's parse_datetime does, whose patterns are Java's."""
    for java, python in JAVA_TIMES.items():
        pattern = pattern.replace(java, python)
    return datetime.strptime(text, pattern).replace(tzinfo=None)
