"""Whether two engines have made the same rows of a day: counted, and compared column by column, by DuckDB.

Duplicates are counted and then left aside, since not every contestant removes them: a CloudTrail record is
one by its event id, a line by all its columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benches.measure import Run, median
from benches.peers.columns import OWN

# Where a row comes from is written in each engine's own way.
PLACES = ("source_object", "source_record")
IDENTITY = {"cloudtrail": ("event_id",), "s3_access": ("request_id", "operation", "key", "host_id")}
# Stands for the identity of a row, which may have parts that are NULL.
KEY = "row_key"


@dataclass(frozen=True)
class Made:
    """What lies in an engine's output."""

    rows: int
    distinct: int
    size: int


@dataclass(frozen=True)
class Standing:
    """A contestant's runs of a table and what they made, beside what logmill made.

    `differing` counts, by column, cells that are not logmill's; `lacking` are columns that are not there.
    """

    runs: Sequence[Run]
    made: Made
    lost: int
    lacking: list[str]
    differing: dict[str, int]

    @property
    def run(self) -> Run:
        """The run that counts."""
        return median(self.runs)


class Reader:
    """Reads the outputs of all contestants."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.identity = ", ".join(IDENTITY[table])
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute("SET TimeZone = 'UTC'")

    def made(self, name: str, output: Path) -> Made:
        """Loads an output as the table `name` and counts it."""
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
        return Made(rows, self.one(f"SELECT count(*) FROM {name}"), size)

    def compared(self, source: str) -> dict[str, str]:
        """The columns that can be held against each other, with their types."""
        described = self.connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        return {row[0]: row[1] for row in described if row[0] not in (*OWN, *PLACES, "proc_ymd")}

    def lost(self, name: str, other: str) -> int:
        """Rows of `name` that `other` does not have."""
        return self.one(f"SELECT count(*) FROM {name} ANTI JOIN {other} USING ({KEY})")

    def lacking(self, name: str, other: str) -> list[str]:
        """Columns of `name` that `other` does not have."""
        return [column for column in self.columns(name) if column not in self.columns(other)]

    def differing(self, name: str, other: str) -> dict[str, int]:
        """For each column of both the rows of `other` whose value `name` does not have, lost rows aside."""
        columns = [column for column in self.columns(name) if column in self.columns(other)]
        sums, others = self.sums(name, other, columns), self.sums(other, name, columns)
        unlike = [column for column, one, two in zip(columns, sums, others, strict=True) if one != two]
        cells = f"SELECT {KEY}, {{0}} FROM"
        rows = f"SELECT count(*) FROM ({cells} {other} EXCEPT ALL {cells} {name})"
        counts = {column: self.one(rows.format(column)) for column in unlike}
        return {column: count for column, count in counts.items() if count}

    def sums(self, name: str, other: str, columns: list[str]) -> tuple[str, ...]:
        """For each column a sum over the rows that `other` has, too: equal where all cells are."""
        cells = ", ".join(f"sum(hash({KEY}, {column}))::VARCHAR" for column in columns)
        shared = f"{name} SEMI JOIN {other} USING ({KEY})"
        return self.connection.execute(f"SELECT {cells} FROM {shared}").fetchone()

    def columns(self, name: str) -> list[str]:
        """The columns of an output that is loaded."""
        described = self.connection.execute(f"DESCRIBE {name}").fetchall()
        return [row[0] for row in described if row[0] != KEY]

    def one(self, query: str) -> int:
        """The number that a query gives."""
        return self.connection.execute(query).fetchone()[0]


def plain(column: str, kind: str) -> str:
    """A cell in a form that all engines share: times as milliseconds, missing lists as empty ones."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_ms({column})"
    return f"coalesce({column}::VARCHAR, '[]')" if kind.endswith("[]") else f"{column}::VARCHAR"
