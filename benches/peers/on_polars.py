"""A day of access lines on Polars, as its users would write it.

CloudTrail is left out, because a number like 1e400 in one record makes `scan_ndjson` and `json_decode` refuse
the whole object. `key_decoded` is left out, because Polars has no percent-decoding.
"""

import os

from benches.peers.lines import NUMBERS, SIX_GROUPS, TAIL
from benches.peers.task import Task, from_command_line


def main() -> None:
    """Writes the part file. Polars reads its number of threads when it is imported."""
    task = from_command_line()
    os.environ["POLARS_MAX_THREADS"] = str(task.threads)
    lines(task)


def lines(task: Task) -> None:
    """Writes the rows of the access log."""
    import polars as pl

    cut, found = pl.col("line").str.split('"'), pl.col("line").str.extract_groups(SIX_GROUPS)
    empty = pl.lit("")
    groups = [found.struct.field(str(group)).fill_null(empty) for group in range(1, 7)]
    parts = pl.when(cut.list.len() == 7).then(cut).otherwise(pl.concat_list(*groups[:4], empty, *groups[4:]))
    head, number, tail = (pl.col(name) for name in ("head", "number", "tail"))

    def known(cell: pl.Expr) -> pl.Expr:
        return pl.when(~cell.is_in(["-", ""])).then(cell)

    def part(at: int) -> pl.Expr:
        return pl.col("part").list.get(at, null_on_oob=True)

    def word(words: pl.Expr, at: int) -> pl.Expr:
        return words.list.get(at, null_on_oob=True)

    moment = word(head, 2).str.slice(1).str.to_datetime("%d/%b/%Y:%H:%M:%S", time_unit="ms")
    spaced = head.list.slice(5, head.list.len() - 8).list.join(" ")
    cells = {
        "bucket_owner": known(word(head, 0)),
        "bucket": known(word(head, 1)),
        "request_time": moment,
        "request_time_kst": moment + pl.duration(hours=9),
        "remote_ip": known(word(head, 4)),
        "requester": known(pl.when(head.list.len() == 9).then(word(head, 5)).otherwise(spaced)),
        "request_id": known(word(head, -3)),
        "operation": known(word(head, -2)),
        "key": known(word(head, -1)),
        "request_uri": known(part(1)),
        "http_status": word(number, 0).cast(pl.Int32, strict=False),
        "error_code": known(word(number, 1)),
        **{name: word(number, at).cast(pl.Int64, strict=False) for at, name in enumerate(NUMBERS, 2)},
        "referer": known(part(3)),
        "user_agent": known(part(5)),
        **{name: known(word(tail, at)) for at, name in enumerate(TAIL)},
        "acl_required": pl.when(word(tail, 8) == "Yes").then(True),
        "source_region": known(word(tail, 9)),
        "source_object": pl.col("source_object"),
    }
    begin, end = (pl.lit(moment).str.to_datetime(time_unit="ms") for moment in task.window)
    rows = (
        pl.scan_lines(f"{task.input}/**/*", name="line", include_file_paths="source_object")
        .select("source_object", parts.alias("part"))
        .filter(part(0) != "")
        .with_columns(
            part(0).str.strip_chars_end(" ").str.split(" ").alias("head"),
            part(2).str.strip_chars_start(" ").str.split(" ").alias("number"),
            part(6).str.strip_chars_start(" ").str.split(" ").alias("tail"),
        )
        .select(**cells)
        .filter(pl.col("request_time") >= begin, pl.col("request_time") < end)
    )
    rows.sink_parquet(task.part, compression="zstd", compression_level=3)


if __name__ == "__main__":
    main()
