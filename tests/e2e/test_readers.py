"""Readers that get the folder of a table, and nothing else, find each live row once.

They know Hive partitions but no manifests, and some take every file of a folder as data. The lake has a day
that was built twice, an empty day, and a day of an earlier version that a run has moved over.
"""

import json
from collections.abc import Callable
from pathlib import Path

import awswrangler
import boto3
import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset
import pytest
from aws import CREDENTIALS, REGION, Aws
from harness import DATASETS, SAMPLE_DAY, Lake, manifest_path, partition, run_day

EMPTY_DAY = "2023-11-05"
DAY_BEFORE = "2023-10-31"
OF_EVENT = {"cloudtrail": "event_id", "s3_access": "request_id"}
# What a reader finds: an id and the day of each row.
Found = list[tuple[str | None, str]]


def of_polars(frame: pl.DataFrame, column: str) -> Found:
    return list(zip(frame[column].to_list(), map(str, frame["proc_ymd"].to_list()), strict=True))


def of_pandas(frame: pd.DataFrame, column: str) -> Found:
    ids = [None if pd.isna(value) else str(value) for value in frame[column]]
    return list(zip(ids, map(str, frame["proc_ymd"]), strict=True))


def by_pyarrow(folder: str, column: str) -> Found:
    table = pyarrow.dataset.dataset(folder, partitioning="hive").to_table([column, "proc_ymd"])
    return list(zip(table[column].to_pylist(), map(str, table["proc_ymd"].to_pylist()), strict=True))


def by_duckdb(folder: str, column: str) -> Found:
    with duckdb.connect() as connection:
        query = f"SELECT {column}, proc_ymd::VARCHAR FROM read_parquet(?, hive_partitioning = true)"
        return connection.execute(query, [f"{folder}/**/*.parquet"]).fetchall()


READERS: dict[str, Callable[[str, str], Found]] = {
    "polars": lambda folder, column: of_polars(pl.scan_parquet(folder).collect(), column),
    "polars at once": lambda folder, column: of_polars(pl.read_parquet(folder), column),
    "pandas": lambda folder, column: of_pandas(pd.read_parquet(folder), column),
    "pyarrow": by_pyarrow,
    "DuckDB": by_duckdb,
}


def to_earlier_layout(lake: Path, table: str, day: str) -> None:
    """Moves the manifest and the list of inputs into the partition, as earlier versions stored them."""
    folder, path = lake / table / partition(day), manifest_path(lake, table, day)
    manifest = json.loads(path.read_text("utf-8"))
    (folder / "_inputs").mkdir()
    listed = lake / manifest["inputs_file"]["path"]
    manifest["inputs_file"]["path"] = f"_inputs/{manifest['run']}.jsonl.gz"
    listed.rename(folder / manifest["inputs_file"]["path"])
    (folder / "_manifest.json").write_text(json.dumps(manifest), "utf-8")
    path.unlink()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in a folder."""
    root = tmp_path_factory.mktemp("readers") / "lake"
    for day in (SAMPLE_DAY, DAY_BEFORE, EMPTY_DAY):
        run_day(root, day=day)
    for table in DATASETS:
        to_earlier_layout(root, table, DAY_BEFORE)
    for day in (SAMPLE_DAY, DAY_BEFORE):
        run_day(root, day=day)
    return Lake(root)


def expected(lake: Lake, table: str) -> Found:
    """The rows of the part files that the manifests name, file by file."""
    found: Found = []
    for day in (SAMPLE_DAY, DAY_BEFORE, EMPTY_DAY):
        manifest = lake.manifest(table, day)
        parts = [lake.table(table) / partition(day) / part["path"] for part in manifest["parts"]]
        ids = [
            value for part in parts for value in pyarrow.parquet.read_table(part)[OF_EVENT[table]].to_pylist()
        ]
        assert len(ids) == manifest["ledger"]["written"]
        found += [(value, day.replace("-", "")) for value in ids]
    return ordered(found)


def ordered(found: Found) -> Found:
    return sorted(found, key=lambda row: (row[1], row[0] or ""))


@pytest.mark.parametrize("table", DATASETS)
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_of_the_folder_of_a_table_finds_each_live_row_once(
    lake: Lake, reader: str, table: str
) -> None:
    rows = expected(lake, table)
    assert len({day for _, day in rows}) == 2
    assert ordered(READERS[reader](str(lake.table(table)), OF_EVENT[table])) == rows


@pytest.mark.parametrize("table", DATASETS)
def test_a_reader_of_a_bucket_finds_each_live_row_once(lake: Lake, aws: Aws, table: str) -> None:
    """A copy of the folder, as `aws s3 sync` makes it: it is a lake too."""
    bucket = aws.bucket("copy")
    files = (file for file in lake.root.rglob("*") if file.is_file())
    aws.put(bucket, {str(file.relative_to(lake.root)): file.read_bytes() for file in files})
    for day in (SAMPLE_DAY, DAY_BEFORE, EMPTY_DAY):
        aws.logmill("verify", "--day", day, "--output", f"s3://{bucket}")
    rows, column = expected(lake, table), OF_EVENT[table]
    options = {
        "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "aws_region": REGION,
        "aws_endpoint_url": aws.server,
        "aws_allow_http": "true",
    }
    folder = f"s3://{bucket}/{table}/"
    assert ordered(of_polars(pl.scan_parquet(folder, storage_options=options).collect(), column)) == rows
    awswrangler.config.s3_endpoint_url = aws.server
    try:
        session = boto3.Session(
            region_name=REGION, **{name.lower(): value for name, value in CREDENTIALS.items()}
        )
        frame = awswrangler.s3.read_parquet(
            folder, dataset=True, columns=[column, "proc_ymd"], boto3_session=session
        )
    finally:
        awswrangler.config.reset()
    assert ordered(of_pandas(frame, column)) == rows
