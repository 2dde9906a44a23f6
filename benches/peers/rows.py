"""Compares the rows of two engines for a day with DuckDB: their counts, and each column.

Duplicates are counted and then ignored, because not every contestant removes them. A CloudTrail record is a
duplicate by its event id, and a line by all its columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benches.measure import Run, median
from benches.peers.columns import OWN

# The source of a row has a different format in each engine.
PLACES = ("source_object", "source_record")
IDENTITY = {
    "cloudtrail": ("event_id",),
    "s3_access": ("request_id", "operation", "key", "host_id"),
    "alb_access": ("event_time", "client_ip", "client_port", "trace_id"),
    "waf": ("event_time", "webacl_id", "http_request_client_ip", "http_request_request_id"),
}
# The hash of the identity of a row, parts of which may be NULL.
KEY = "row_key"


@dataclass(frozen=True)
class Loaded:
    """The contents of an engine's output."""

    rows: int
    distinct: int
    size: int


@dataclass(frozen=True)
class Result:
    """A contestant's runs of a table, and their output compared with logmill's.

    `differing` counts by column the cells that differ from logmill's. `missing` lists missing columns.
    """

    runs: Sequence[Run]
    loaded: Loaded
    lost: int
    missing: list[str]
    differing: dict[str, int]

    @property
    def run(self) -> Run:
        """The median of the runs."""
        return median(self.runs)


class Reader:
    """Reads the outputs of all contestants."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.identity = ", ".join(IDENTITY[table])
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute("SET TimeZone = 'UTC'")

    def load(self, name: str, output: Path) -> Loaded:
        """Loads an output as the table `name` and counts its rows."""
        files = sorted(output.rglob("*.parquet"))
        listed = [file for file in files if f"/{self.table}/" in str(file)]
        source = f"read_parquet({[str(file) for file in listed]}, hive_partitioning = false)"
        columns = self.compared(source)
        cells = ", ".join(f"{plain(column, kind)} AS {column}" for column, kind in columns.items())
        distinct = (
            f"DISTINCT ON ({', '.join(IDENTITY[self.table])})" if self.table == "cloudtrail" else "DISTINCT"
        )
        loaded = f"SELECT {distinct} {cells} FROM {source}"
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT *, hash({self.identity}) AS {KEY} FROM ({loaded})"
        )
        rows = self.one(f"SELECT count(*) FROM {source}")
        size = sum(file.stat().st_size for file in listed)
        return Loaded(rows, self.one(f"SELECT count(*) FROM {name}"), size)

    def compared(self, source: str) -> dict[str, str]:
        """Returns the comparable columns with their types."""
        described = self.connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        return {row[0]: row[1] for row in described if row[0] not in (*OWN, *PLACES, "proc_ymd")}

    def lost(self, name: str, other: str) -> int:
        """Counts the rows of `name` that are missing from `other`."""
        return self.one(f"SELECT count(*) FROM {name} ANTI JOIN {other} USING ({KEY})")

    def missing(self, name: str, other: str) -> list[str]:
        """Returns the columns of `name` that are missing from `other`."""
        return [column for column in self.columns(name) if column not in self.columns(other)]

    def differing(self, name: str, other: str) -> dict[str, int]:
        """Counts, for each common column, the rows of `other` whose value differs, not counting lost rows."""
        columns = [column for column in self.columns(name) if column in self.columns(other)]
        sums, others = self.sums(name, other, columns), self.sums(other, name, columns)
        unlike = [column for column, one, two in zip(columns, sums, others, strict=True) if one != two]
        cells = f"SELECT {KEY}, {{0}} FROM"
        rows = f"SELECT count(*) FROM ({cells} {other} EXCEPT ALL {cells} {name})"
        counts = {column: self.one(rows.format(column)) for column in unlike}
        return {column: count for column, count in counts.items() if count}

    def sums(self, name: str, other: str, columns: list[str]) -> tuple[str, ...]:
        """Returns a checksum of each column over the common rows. Equal cells give equal sums."""
        cells = ", ".join(f"sum(hash({KEY}, {column}))::VARCHAR" for column in columns)
        shared = f"{name} SEMI JOIN {other} USING ({KEY})"
        return self.connection.execute(f"SELECT {cells} FROM {shared}").fetchone()

    def columns(self, name: str) -> list[str]:
        """Returns the columns of a loaded output."""
        described = self.connection.execute(f"DESCRIBE {name}").fetchall()
        return [row[0] for row in described if row[0] != KEY]

    def one(self, query: str) -> int:
        """Returns the number that is the result of a query."""
        return self.connection.execute(query).fetchone()[0]


def plain(column: str, kind: str) -> str:
    """Converts a cell to a common form: times as milliseconds, and missing lists as empty lists."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_ms({column})"
    return f"coalesce({column}::VARCHAR, '[]')" if kind.endswith("[]") else f"{column}::VARCHAR"
