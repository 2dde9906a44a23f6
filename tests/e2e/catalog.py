"""A lake registered in a database of the Glue catalog, and its state there."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import athena
from aws import Aws, S3Lake
from harness import SAMPLE_DAY

DAY = SAMPLE_DAY.replace("-", "")


@dataclass(frozen=True)
class Registered:
    """A lake registered in a database of the catalog."""

    aws: Aws
    lake: S3Lake
    database: str

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which a run registers its day here."""
        return ("--catalog", "glue", "--database", self.database)

    def run(self, *options: str | Path, source: str | Path, **how: Any) -> dict[str, Any]:
        """Runs a day and registers it."""
        given = (*self.options, "--create-database", *options)
        return self.aws.run(self.lake, *given, source=source, **how)

    def register(self, *options: str, code: int = 0, day: str = SAMPLE_DAY) -> str:
        """Registers a published day. Returns the output."""
        arguments = ("--day", day, "--output", self.lake.url, "--database", self.database, *options)
        return self.aws.logmill("register", *arguments, code=code).stderr

    def table(self, name: str) -> dict[str, Any]:
        """A table as the catalog has it."""
        return self.aws.glue.get_table(DatabaseName=self.database, Name=name)["Table"]

    def partition(self, table: str, day: str = DAY) -> dict[str, Any]:
        """A partition as the catalog has it."""
        found = self.aws.glue.get_partition(
            DatabaseName=self.database, TableName=table, PartitionValues=[day]
        )
        return found["Partition"]

    def location(self, table: str, day: str = DAY) -> str:
        """The location of a day in the catalog."""
        return self.partition(table, day)["StorageDescriptor"]["Location"]

    def query(self, table: str, days: tuple[str, ...] = (DAY,)) -> athena.Query:
        """An Athena query over a table."""
        return athena.plan(self.aws, self.database, table, days)

    def rewrite(self, name: str, new_columns: list[dict[str, str]]) -> None:
        """Replaces the columns of a table."""
        table = self.table(name)
        entry = {
            "Name": name,
            "TableType": table["TableType"],
            "Parameters": table["Parameters"],
            "PartitionKeys": table["PartitionKeys"],
            "StorageDescriptor": table["StorageDescriptor"] | {"Columns": new_columns},
        }
        self.aws.glue.update_table(DatabaseName=self.database, TableInput=entry)

    def state(self) -> dict[str, Any]:
        """Everything that the catalog holds in the database, except times."""
        state = {}
        for table in self.aws.glue.get_tables(DatabaseName=self.database)["TableList"]:
            name = table["Name"]
            found = self.aws.glue.get_partitions(DatabaseName=self.database, TableName=name)
            state[name] = (timeless(table), [timeless(entry) for entry in found["Partitions"]])
        return state


def timeless(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the catalog without its times."""
    return {name: value for name, value in entry.items() if not isinstance(value, datetime.datetime)}
