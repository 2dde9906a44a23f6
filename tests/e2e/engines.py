"""Asks pyarrow, DuckDB and Spark the same questions about a published table.

Each engine takes the day from the folder name and reports Hive types. The checksum of a column is exact in
every engine: it counts text in bytes, and adds up the first 32 bits of the MD5 of each value.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import duckdb

from compare import open_table
from harness import Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Checksums = dict[str, tuple[Any, ...]]
Facts = dict[str, tuple[str, ...]]


class Engine(Protocol):
    """The questions that every engine answers about a table."""

    def types(self) -> dict[str, str]:
        """Hive types by column, in the order of the table."""

    def rows(self) -> int:
        """Number of rows."""

    def files(self) -> set[Path]:
        """The files that are read."""

    def checksums(self) -> Checksums:
        """Facts about the values of each column."""


class Pyarrow:
    """pyarrow's dataset. Its checksums in plain Python are the reference for the SQL of the others."""

    TYPES: ClassVar = {
        "bool": "boolean",
        "double": "double",
        "int32": "int",
        "int64": "bigint",
        "list<element: string>": "array<string>",
        "string": "string",
        "timestamp[ms]": "timestamp",
    }

    def __init__(self, lake: Lake, table: str) -> None:
        self.dataset = open_table(lake.table(table))

    def types(self) -> dict[str, str]:
        return {column.name: self.TYPES[str(column.type)] for column in self.dataset.schema}

    def rows(self) -> int:
        return self.dataset.count_rows()

    def files(self) -> set[Path]:
        return set(map(Path, self.dataset.files))

    def checksums(self) -> Checksums:
        table = self.dataset.to_table()
        return {name: checksum(type_, table[name]) for name, type_ in self.types().items()}


def checksum(hive_type: str, column: Any) -> tuple[Any, ...]:
    """The number of values, followed by the sums and extremes that their type allows."""
    if hive_type == "timestamp":
        column = column.cast("int64")
    if hive_type == "double":
        return fractions(column.to_pylist())
    values = [value for value in column.to_pylist() if value is not None]
    if hive_type == "boolean":
        return len(values), sum(values)
    if hive_type == "array<string>":
        texts = [text for value in values for text in value if text is not None]
        return len(values), sum(map(len, values)), len(texts), *text_sums(texts)
    sums = text_sums(values) if hive_type == "string" else (sum(values),)
    return len(values), *sums, min(values, default=None), max(values, default=None)


def fractions(values: list[float | None]) -> tuple[Any, ...]:
    """The number of values, their sum in millionths, which does not depend on their order, and extremes."""
    numbers = [value for value in values if value is not None]
    millionths = sum(round(number * 1_000_000) for number in numbers)
    return len(numbers), millionths, min(numbers, default=None), max(numbers, default=None)


def text_sums(values: list[str]) -> tuple[int, int]:
    """The bytes of all texts, and the sum of the first 32 bits of their MD5."""
    packed = [value.encode() for value in values]
    hashes = (int(hashlib.md5(text).hexdigest()[:8], 16) for text in packed)
    return sum(map(len, packed)), sum(hashes)


def sql_facts(size: str, bytes_: str, hash_: str, millis: str, each: str) -> Facts:
    """The facts as SQL, given the expressions that differ between dialects.

    `{c}` stands for the column, `{x}` for a text. `each` adds up `{fact}` of every text `x` of a list.
    """

    def total(fact: str) -> str:
        return f"ifnull(sum({fact}), 0)"

    def numbers(value: str) -> tuple[str, ...]:
        return "count({c})", total(value), f"min({value})", f"max({value})"

    def text(fact: str) -> str:
        return total(fact.replace("{x}", "{c}"))

    def listed(fact: str) -> str:
        return total(each.replace("{fact}", fact.replace("{x}", "x")))

    return {
        "array<string>": (
            "count({c})",
            total(size),
            *map(listed, ("if({x} IS NULL, 0, 1)", bytes_, hash_)),
        ),
        "bigint": numbers("{c}"),
        "boolean": ("count({c})", "count(*) FILTER (WHERE {c})"),
        "double": ("count({c})", total("cast(round({c} * 1000000) AS bigint)"), "min({c})", "max({c})"),
        "int": numbers("{c}"),
        "string": ("count({c})", text(bytes_), text(hash_), "min({c})", "max({c})"),
        "timestamp": numbers(millis),
    }


def expressions(facts: Facts, types: dict[str, str], quote: str) -> list[str]:
    """One expression for each fact of each column."""
    return [
        fact.replace("{c}", f"{quote}{name}{quote}")
        for name, hive_type in types.items()
        for fact in facts[hive_type]
    ]


def grouped(facts: Facts, types: dict[str, str], row: Iterable[Any]) -> Checksums:
    """Splits the single result row of an engine into the facts of each column."""
    values = iter(row)
    return {name: tuple(next(values) for _ in facts[type_]) for name, type_ in types.items()}


class DuckDb:
    """DuckDB over a glob."""

    TYPES: ClassVar = {
        "BIGINT": "bigint",
        "BOOLEAN": "boolean",
        "DOUBLE": "double",
        "INTEGER": "int",
        "TIMESTAMP": "timestamp",
        "VARCHAR": "string",
        "VARCHAR[]": "array<string>",
    }
    FACTS = sql_facts(
        size="len({c})",
        bytes_="strlen({x})",
        hash_="('0x' || md5({x})[:8])::BIGINT",
        millis="epoch_ms({c})",
        each="list_sum(list_transform({c}, lambda x: {fact}))",
    )

    def __init__(self, lake: Lake, table: str) -> None:
        self.glob = str(lake.table(table) / "**" / "*.parquet")
        self.connection = duckdb.connect()
        self.connection.execute(
            "CREATE VIEW lake AS FROM read_parquet("
            f"'{self.glob}', hive_partitioning = true, hive_types = {{'proc_ymd': VARCHAR}})"
        )

    def types(self) -> dict[str, str]:
        lake = self.connection.table("lake")
        return {n: self.TYPES[str(t)] for n, t in zip(lake.columns, lake.types, strict=True)}

    def rows(self) -> int:
        return self.connection.sql("SELECT count(*) FROM lake").fetchall()[0][0]

    def files(self) -> set[Path]:
        found = self.connection.execute("SELECT file FROM glob(?)", [self.glob]).fetchall()
        return {Path(file) for (file,) in found}

    def checksums(self) -> Checksums:
        asked = ", ".join(expressions(self.FACTS, self.types(), '"'))
        row = self.connection.sql(f"SELECT {asked} FROM lake").fetchall()[0]
        return grouped(self.FACTS, self.types(), row)


class Spark:
    """Spark over the folder of the table."""

    TYPES: ClassVar = {"timestamp_ntz": "timestamp"}
    FACTS = sql_facts(
        size="size({c})",
        bytes_="octet_length({x})",
        hash_="cast(conv(substring(md5({x}), 1, 8), 16, 10) AS bigint)",
        millis="unix_millis(cast({c} AS timestamp))",
        each="aggregate({c}, 0L, (total, x) -> total + ifnull({fact}, 0L))",
    )

    def __init__(self, session: "SparkSession", lake: Lake, table: str) -> None:
        self.frame = session.read.parquet(str(lake.table(table)))

    def types(self) -> dict[str, str]:
        return {name: self.TYPES.get(type_, type_) for name, type_ in self.frame.dtypes}

    def rows(self) -> int:
        return self.frame.count()

    def files(self) -> set[Path]:
        return {Path(file.removeprefix("file://")) for file in self.frame.inputFiles()}

    def checksums(self) -> Checksums:
        asked = expressions(self.FACTS, self.types(), "`")
        named = [f"{expression} AS fact_{number}" for number, expression in enumerate(asked)]
        return grouped(self.FACTS, self.types(), self.frame.selectExpr(*named).collect()[0])
