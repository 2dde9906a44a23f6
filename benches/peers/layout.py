"""Writes the rows of a published benchmark day in other layouts, and counts the bytes of the usual questions.

    target/tools/peers-venv/bin/python -m benches.peers.layout LAKE

LAKE has the benchmark day of both tables. pyarrow writes the variants with logmill's codecs, dictionaries
and bloom filters, so its file sizes are close to logmill's, but not the same. `host_id` of access logs is
left out: it is random text, no question reads it, and its size is the same in every variant. `make
bench-peers` installs the Python of the command. Needs 6 GB of memory.
"""

import argparse
import multiprocessing
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benches.peers import questions

PLACE = ("source_object", "source_record")
# Numbers with more distinct values in a row group have no dictionary.
MOST_NUMBERS = 8192


@dataclass(frozen=True)
class Table:
    """What a layout depends on: the ids, searched columns and time of a table, and two orders of its rows."""

    ids: tuple[str, ...]
    searched: tuple[str, ...]
    time: str
    short_order: tuple[str, ...]
    long_order: tuple[str, ...]

    def order(self, is_long: bool) -> str:
        """Returns the columns by which rows are sorted."""
        return ", ".join((*(self.long_order if is_long else self.short_order), self.time, *PLACE))


TABLES = {
    "cloudtrail": Table(
        ("event_id", "request_id"),
        (
            "source_ip_address", "user_identity_access_key_id", "user_identity_arn",
            "user_identity_session_context_session_issuer_arn",
        ),
        "event_time",
        ("event_source", "event_name"),
        ("event_source", "event_name", "user_identity_arn"),
    ),
    "s3_access": Table(
        ("request_id",),
        ("remote_ip", "requester", "key"),
        "request_time",
        ("bucket", "operation"),
        ("bucket", "operation", "http_status", "signature_version"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A layout: rows of a group and of a page, and whether rows are sorted by the longer list of columns."""

    group_rows: int
    page_rows: int
    is_long: bool
    dictionary_bytes: int
    plain_numbers: bool

    @property
    def cells(self) -> str:
        """The first cells of its line."""
        order = "long" if self.is_long else "short"
        numbers = "by their values" if self.plain_numbers else "always"
        rows = f"{self.group_rows:,} | {self.page_rows:,}"
        return f"{rows} | {order} | {self.dictionary_bytes >> 20} MiB | {numbers}"


VARIANTS = (
    Variant(131072, 8192, is_long=False, dictionary_bytes=1 << 20, plain_numbers=False),
    Variant(65536, 4096, is_long=False, dictionary_bytes=2 << 20, plain_numbers=True),
    Variant(131072, 8192, is_long=True, dictionary_bytes=2 << 20, plain_numbers=True),
    Variant(65536, 8192, is_long=True, dictionary_bytes=2 << 20, plain_numbers=True),
    Variant(65536, 4096, is_long=True, dictionary_bytes=2 << 20, plain_numbers=True),
    Variant(65536, 1024, is_long=True, dictionary_bytes=2 << 20, plain_numbers=True),
    Variant(32768, 4096, is_long=True, dictionary_bytes=2 << 20, plain_numbers=True),
)


def main() -> None:
    """Writes and measures every variant, and prints a table for each log type."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers.layout", description=__doc__)
    parser.add_argument("lake", type=Path, help="a lake with the benchmark day")
    parser.add_argument("--table", choices=list(TABLES), action="append", help="measure only this table")
    given = parser.parse_args()
    for name in given.table or TABLES:
        for line in measured(name, sorted((given.lake / name).rglob("*.parquet"))):
            print(line, flush=True)


def measured(name: str, files: list[Path]) -> Iterator[str]:
    """Yields the lines of the table of a log type."""
    duckdb.execute("SET enable_progress_bar = false")
    asked = questions.usual(name, files)
    heads = " | ".join(question.text for question in asked)
    yield f"## {name}"
    yield ""
    yield f"| group rows | page rows | order | dictionary | of numbers | file | footer | {heads} |"
    yield "|---|---|---|---|---|---|---|" + "---|" * len(asked)
    with tempfile.TemporaryDirectory(prefix="logmill-layout-") as folder:
        for variant in VARIANTS:
            out = Path(folder) / "variant.parquet"
            # A process of its own returns its memory.
            arguments = (name, variant, out, files)
            write = multiprocessing.get_context("spawn").Process(target=rewrite, args=arguments)
            write.start()
            write.join()
            if write.exitcode != 0:
                raise RuntimeError(f"cannot write the variant: exit code {write.exitcode}")
            costs = [questions.question_cost(question, [out]) for question in asked]
            totals = " | ".join(f"{cost.total:,}" for cost in costs)
            size = out.stat().st_size
            yield f"| {variant.cells} | {size:,} | {costs[0].footer:,} | {totals} |"
    yield ""


def rewrite(name: str, variant: Variant, out: Path, files: list[Path]) -> None:
    """Writes the rows of some files in a layout."""
    table, rows = TABLES[name], sorted_rows(TABLES[name], variant, files)
    leaves = [leaf(field) for field in rows.schema]
    times = (table.time, f"{table.time}_kst")
    without = {*table.ids, *times, *(many_numbers(rows, variant) if variant.plain_numbers else ())}
    pq.write_table(
        rows,
        out,
        row_group_size=variant.group_rows,
        max_rows_per_page=variant.page_rows,
        use_dictionary=[leaf for leaf in leaves if leaf not in without],
        dictionary_pagesize_limit=variant.dictionary_bytes,
        compression="zstd",
        compression_level={leaf: 1 if leaf in table.ids else 3 for leaf in leaves},
        write_page_index=True,
        store_schema=False,
        bloom_filter_options={
            column: {"ndv": variant.group_rows, "fpp": 0.05} for column in (*table.ids, *table.searched)
        },
    )


def sorted_rows(table: Table, variant: Variant, files: list[Path]) -> pa.Table:
    """Reads all columns but `host_id` in the order of a variant."""
    duckdb.execute("SET enable_progress_bar = false")
    schema = pq.read_schema(files[0])
    names = [name for name in schema.names if name != "host_id"]
    order = table.order(variant.is_long)
    read = f"read_parquet({[str(file) for file in files]}, hive_partitioning = false)"
    rows = duckdb.sql(f"SELECT {', '.join(names)} FROM {read} ORDER BY {order}")
    return rows.to_arrow_table().cast(pa.schema([schema.field(name) for name in names]))


def many_numbers(rows: pa.Table, variant: Variant) -> list[str]:
    """Returns the columns of numbers with many distinct values in the first row group."""
    group = rows.slice(0, variant.group_rows)
    numbers = [field.name for field in rows.schema if pa.types.is_integer(field.type)]
    return [name for name in numbers if len(group[name].unique()) > MOST_NUMBERS]


def leaf(field: pa.Field) -> str:
    """Returns the path of a column's values."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name


if __name__ == "__main__":
    main()
