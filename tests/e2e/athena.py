"""Imitates Athena over tables of Parquet files: the Glue catalog decides what is read, and DuckDB reads it.

The imitated rules are those that would expose a mistake of the publisher. Athena reads only registered
partitions, each at its registered location and everything below it. It skips files and folders whose names
begin with `_` or `.`. It finds columns by name, ignoring case, and gives them the types of the catalog. A
column that a file lacks is NULL; a column that a file has with another type is an error. With partition
projection, the partitions of the catalog are ignored.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import duckdb

from aws import Aws
from engines import DuckDb

HIVE_TO_DUCKDB = {hive: duck for duck, hive in DuckDb.TYPES.items()}
# The types that a file may have for a declared type, besides that type.
WIDENINGS = {("INTEGER", "BIGINT")}


class QueryFailed(Exception):
    """Raised where Athena would return an error instead of rows."""


@dataclass(frozen=True)
class File:
    """A file of a partition, as it was when the query was planned."""

    bucket: str
    key: str
    etag: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A planned query: what Athena knows before it opens the first file."""

    aws: Aws
    columns: dict[str, str]
    partition_keys: dict[str, str]
    files: tuple[File, ...]
    locations: dict[tuple[str, ...], str]

    def read(self, folder: Path) -> "AthenaTable":
        """Opens the files. They must still be the planned ones."""
        return AthenaTable(self, [(file, self.fetch(file, folder)) for file in self.files])

    def on(self, *values: str) -> "Query":
        """The same query over one partition."""
        return replace(self, files=tuple(file for file in self.files if file.values == values))

    def fetch(self, file: File, folder: Path) -> Path:
        """Downloads a file and returns its local path."""
        local = folder / file.bucket / file.key
        local.parent.mkdir(parents=True, exist_ok=True)
        try:
            found = self.aws.s3.get_object(Bucket=file.bucket, Key=file.key, IfMatch=file.etag)
        except self.aws.s3.exceptions.ClientError as error:
            raise QueryFailed(f"HIVE_CANNOT_OPEN_SPLIT: {file.key}: {error}") from error
        local.write_bytes(found["Body"].read())
        return local


def plan(aws: Aws, database: str, table: str, days: Iterable[str] = ()) -> Query:
    """Plans a query. `days` are the days in its filter, which projection needs."""
    found = aws.glue.get_table(DatabaseName=database, Name=table)["Table"]
    locations = projected(found, days) if is_projected(found) else registered(aws, database, table)
    files = [file for values, location in locations.items() for file in listed(aws, location, values)]
    columns = {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
    partition_keys = {column["Name"]: column["Type"] for column in found["PartitionKeys"]}
    assert not columns.keys() & partition_keys.keys(), "HIVE_INVALID_METADATA: duplicate columns"
    assert all(len(values) == len(partition_keys) for values in locations), "values do not fit the keys"
    return Query(aws, columns, partition_keys, tuple(files), locations)


def is_projected(table: dict[str, Any]) -> bool:
    """Whether Athena computes the partitions instead of reading them from the catalog."""
    return table["Parameters"].get("projection.enabled", "").lower() == "true"


def registered(aws: Aws, database: str, table: str) -> dict[tuple[str, ...], str]:
    """The location of each registered partition, by its values."""
    pages = aws.glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    return {
        tuple(entry["Values"]): entry["StorageDescriptor"]["Location"]
        for page in pages
        for entry in page["Partitions"]
    }


def projected(table: dict[str, Any], days: Iterable[str]) -> dict[tuple[str, ...], str]:
    """The location of each requested day that is within the projected range, from the template."""
    parameters = table["Parameters"]
    first, _, last = parameters["projection.proc_ymd.range"].partition(",")
    assert re.fullmatch(r"\d{8}", first), first
    assert re.fullmatch(r"NOW\+\d+(DAY|HOUR)S?", last), last
    template = parameters["storage.location.template"]
    return {(day,): template.replace("${proc_ymd}", day) for day in days if day >= first}


def listed(aws: Aws, location: str, values: tuple[str, ...]) -> list[File]:
    """The visible files below a location."""
    place = urlsplit(location)
    assert place.scheme == "s3", location
    folder = place.path.strip("/") + "/"
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=folder)
    found = [entry for page in pages for entry in page.get("Contents", [])]
    return [
        File(place.netloc, entry["Key"], entry["ETag"], values)
        for entry in found
        if not any(name.startswith(("_", ".")) for name in entry["Key"].removeprefix(folder).split("/"))
    ]


class AthenaTable(DuckDb):
    """A table as an Athena query sees it. Answers the questions that every engine answers."""

    OPTIONS: ClassVar = "hive_partitioning = false"

    def __init__(self, query: Query, files: list[tuple[File, Path]]) -> None:
        self.query = query
        self.connection = duckdb.connect()
        selects = [self.select(file, local) for file, local in files] or [self.no_rows()]
        self.connection.execute(f"CREATE VIEW lake AS {' UNION ALL '.join(selects)}")

    def select(self, file: File, local: Path) -> str:
        """A SELECT of the rows of a file with the columns of the catalog."""
        path = literal(str(local))
        described = f"DESCRIBE SELECT * FROM read_parquet({path}, {self.OPTIONS})"
        try:
            held = {row[0].lower(): row[:2] for row in self.connection.execute(described).fetchall()}
        except duckdb.Error as error:
            raise QueryFailed(f"HIVE_CURSOR_ERROR: {file.key}: {error}") from error
        cells = [self.cell(file, held, name, hive) for name, hive in self.query.columns.items()]
        keys = zip(self.query.partition_keys.items(), file.values, strict=True)
        cells += [
            f'CAST({literal(value)} AS {HIVE_TO_DUCKDB[hive]}) AS "{name}"' for (name, hive), value in keys
        ]
        return f"SELECT {', '.join(cells)} FROM read_parquet({path}, {self.OPTIONS})"

    def cell(self, file: File, held: dict[str, tuple[str, str]], name: str, hive: str) -> str:
        """One column of a file with its type in the catalog."""
        declared = HIVE_TO_DUCKDB[hive]
        if name.lower() not in held:
            return f'CAST(NULL AS {declared}) AS "{name}"'
        found, type_ = held[name.lower()]
        if type_ != declared and (type_, declared) not in WIDENINGS:
            raise QueryFailed(f"HIVE_BAD_DATA: {file.key}: {name} is {type_} and declared {hive}")
        return f'CAST("{found}" AS {declared}) AS "{name}"'

    def no_rows(self) -> str:
        """The columns without a row."""
        columns = (self.query.columns | self.query.partition_keys).items()
        cells = (f'CAST(NULL AS {HIVE_TO_DUCKDB[hive]}) AS "{name}"' for name, hive in columns)
        return f"SELECT {', '.join(cells)} WHERE false"

    def files(self) -> set[Path]:
        """The files that are read, as bucket and key."""
        return {Path(file.bucket, file.key) for file in self.query.files}


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
