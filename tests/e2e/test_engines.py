"""DuckDB, pyarrow and Spark read the published tables, with the same result."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alb_day import SOURCE, TABLES
from engines import DuckDb, Engine, Pyarrow, Spark
from harness import DATASETS, Published, run_day
from schema import columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ENGINES = ("pyarrow", "duckdb", "spark")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, sample: Published, table: str) -> Engine:
    """Each engine over each table in turn."""
    if request.param == "spark":
        session: SparkSession = request.getfixturevalue("spark")
        return Spark(session, sample.lake, table)
    return {"pyarrow": Pyarrow, "duckdb": DuckDb}[request.param](sample.lake, table)


def test_an_engine_sees_the_columns_of_the_schema_and_the_day(engine: Engine, table: str) -> None:
    """Names, order and types match `logmill schema`. The day is the last column, a string."""
    promised = {column.name: column.type for column in columns(DATASETS[table])}
    assert list(engine.types().items()) == [*promised.items(), ("proc_ymd", "string")]


def test_an_engine_counts_the_written_rows(engine: Engine, sample: Published, table: str) -> None:
    assert engine.rows() == sample.ledger(table)["written"]


def test_an_engine_reads_only_part_files(engine: Engine, sample: Published, table: str) -> None:
    """The folder of a table holds nothing else."""
    files = {file for file in sample.lake.table(table).rglob("*") if file.is_file()}
    assert engine.files() == set(sample.lake.parts(table)) == files


def test_an_engine_finds_the_checksum_of_every_column(engine: Engine, sample: Published, table: str) -> None:
    """Every engine decodes every column to the same values as pyarrow does in plain Python."""
    reference = Pyarrow(sample.lake, table).checksums()
    assert engine.checksums() == reference
    assert reference["proc_ymd"][3:] == ("20231101", "20231101")
    assert sum(facts[0] > 0 for facts in reference.values()) > len(reference) * 3 // 4


def test_every_engine_reads_the_tables_of_load_balancers(tmp_path: Path, spark: "SparkSession") -> None:
    """The same for all of them at once, with columns of fractions."""
    options = ("--max-reject-ratio", "5%")
    for table, dataset in TABLES.items():
        lake = run_day(tmp_path, "--dataset", dataset, *options, source=SOURCE).lake
        promised = {column.name: column.type for column in columns(dataset)}
        reference = Pyarrow(lake, table).checksums()
        assert reference["client_ip"][0] > 200
        for engine in (Pyarrow(lake, table), DuckDb(lake, table), Spark(spark, lake, table)):
            assert list(engine.types().items()) == [*promised.items(), ("proc_ymd", "string")]
            assert engine.checksums() == reference
