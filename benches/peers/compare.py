"""Runs every contestant on the benchmark day, checks its rows against logmill's, and keeps the table.

Called by `bench.py`. Each run is a child process: what it takes to start an engine counts. The fast ones
run in turn, several times; the medians are printed. Everything is measured before the first output is read.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benches.measure import ROOT, Run, machine, measured
from benches.others import Others
from benches.peers import questions, targets
from benches.peers.contestants import CONTESTANTS, FOLDERS, LOGMILL, Contestant, Day
from benches.peers.options import options
from benches.peers.questions import Answer
from benches.peers.rows import Reader, Standing

# Modules are found from the working folder, where engines may leave what they spill.
ENVIRONMENT = {
    "TZ": "UTC",
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "ignore",
    "SPARK_LOCAL_IP": "127.0.0.1",
}


def main() -> None:
    """Runs, checks, asks, prints and keeps."""
    given = options(__doc__)
    with tempfile.TemporaryDirectory(prefix="logmill-peers-", dir=given.work) as folder:
        work = Path(folder).resolve()
        day = Day(given.data.resolve(), work, given.logmill.resolve(), given.day, given.threads)
        chosen = [one for one in CONTESTANTS if one is LOGMILL or one.name in (given.only or [one.name])]
        others = Others()
        runs = {table: run_all(day, table, chosen, given) for table in FOLDERS}
        introduction = head(given, others.cores())
        report = "\n".join([introduction, *compared(day, runs, chosen)])
    print(report)
    given.result.parent.mkdir(exist_ok=True)
    given.result.write_text(report, encoding="utf-8")


def compared(day: Day, runs: dict[str, dict[Contestant, list[Run]]], chosen: list[Contestant]) -> list[str]:
    """The sections of the report; read after all runs, since reading takes time and memory."""
    expected = json.loads((day.data / "expected.json").read_text(encoding="utf-8"))
    found = {table: standings(day, table, of_table) for table, of_table in runs.items()}
    answers = asking(day, chosen)
    sections = [section(table, expected[table], of_table, chosen) for table, of_table in found.items()]
    return [*targets.table(found, answers), *sections, *(questions.table(answers) if answers else [])]


def output(day: Day, table: str, contestant: Contestant) -> Path:
    """Where a contestant's last output of a table lies."""
    return day.work / f"{table}-{CONTESTANTS.index(contestant)}"


def run_all(
    day: Day, table: str, chosen: list[Contestant], given: argparse.Namespace
) -> dict[Contestant, list[Run]]:
    """Everyone's runs of a table, in turn."""
    described = [day.logmill, "schema", "--dataset", FOLDERS[table], "--format", "json"]
    day.schema(table).write_bytes(subprocess.run(described, check=True, stdout=subprocess.PIPE).stdout)
    runs: dict[Contestant, list[Run]] = {}
    for turn in range(max(given.runs, given.slow_runs)):
        for contestant in chosen:
            times = given.slow_runs if contestant.slow else given.runs
            if turn < times and contestant.ready and table in contestant.tables:
                place = output(day, table, contestant)
                shutil.rmtree(place, ignore_errors=True)
                run = measured(contestant.command(day, table, place), day.work, ENVIRONMENT)
                runs.setdefault(contestant, []).append(run)
                print(f"{table}, {contestant.name}: {run.cpu:.1f} CPU s, {run.wall:.1f} s", file=sys.stderr)
    return runs


def standings(day: Day, table: str, runs: dict[Contestant, list[Run]]) -> dict[Contestant, Standing]:
    """What everyone made, held against logmill's rows."""
    reader = Reader(table)
    reader.made("ours", output(day, table, LOGMILL))
    found = {}
    for contestant, of_contestant in runs.items():
        made = reader.made("theirs", output(day, table, contestant))
        beside = (reader.lost, reader.lacking, reader.differing)
        found[contestant] = Standing(of_contestant, made, *(compare("ours", "theirs") for compare in beside))
        print(f"{table}, {contestant.name}: compared", file=sys.stderr)
    return found


def asking(day: Day, chosen: list[Contestant]) -> list[Answer]:
    """What the usual questions fetch from logmill's files and from ClickHouse's."""
    asked = [one for one in chosen if one is LOGMILL or one.questioned]
    if len(asked) < 2:
        return []
    files = {
        table: {one.name: sorted(output(day, table, one).rglob("*.parquet")) for one in asked}
        for table in FOLDERS
    }
    usual = [question for table in FOLDERS for question in questions.usual(table, files[table][LOGMILL.name])]
    return questions.answers(usual, files)


def head(given: argparse.Namespace, others: float) -> str:
    """What was done."""
    return f"""# logmill beside ClickHouse, DuckDB, Polars and Spark

Made by `make bench-peers`. Of several runs, made in turn, the medians and the largest peak are told.
{given.threads} threads. Machine: {machine()}; other work took {others:.1f} cores meanwhile.

All read the same raw objects and write the rows of one Korean day with logmill's columns, zstd level 3.
CPU seconds are those of the whole process, its start included. logmill removes duplicates, sorts, masks
secrets and closes a ledger; the others do none of it, in their favour, but for "same rows": there they
remove duplicates and sort, too. The queries of ClickHouse and DuckDB were tuned for this day, but for "as
documented" and "one regular expression", which are as most published recipes have it. `lost` are logmill's
rows that an output does not have, duplicates aside. DuckDB reads all outputs and compares them cell by cell;
cells that differ are told below each table.
"""


def section(table: str, expected: dict, found: dict[Contestant, Standing], chosen: list[Contestant]) -> str:
    """One table's result."""
    ours = found[LOGMILL]
    counts = (expected["read"], expected["objects"], expected["duplicate"])
    lines = [
        f"## {table}",
        "",
        "{:,} rows in {:,} objects; {:,} rows are copies of others.".format(*counts),
        "",
        "| engine | runs | CPU s | / logmill | seconds | peak memory | bytes | / logmill "
        "| rows | distinct | lost |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(row(contestant.name, standing, ours) for contestant, standing in found.items()),
        "",
        *differences(found),
        *absences(table, chosen),
        "",
    ]
    return "\n".join(lines)


def row(name: str, standing: Standing, ours: Standing) -> str:
    """One contestant."""
    run, made = standing.run, standing.made
    peak = run.peak_bytes / 2**30
    return (
        f"| {name} | {len(standing.runs)} | {run.cpu:.2f} | {run.cpu / ours.run.cpu:.2f} "
        f"| {run.wall:.1f} | {peak:.2f} GiB "
        f"| {made.size:,} | {made.size / ours.made.size:.2f} | {made.rows:,} | {made.distinct:,} "
        f"| {standing.lost:,} |"
    )


def differences(found: dict[Contestant, Standing]) -> list[str]:
    """Cells that are not logmill's, and columns that are not there, by contestant."""
    lines = []
    for contestant, standing in found.items():
        cells = ", ".join(f"`{name}` in {count:,} rows" for name, count in standing.differing.items())
        if cells:
            lines.append(f"* {contestant.name}: other cells than logmill's: {cells}.")
        if standing.lacking:
            lacking = ", ".join(f"`{name}`" for name in standing.lacking)
            lines.append(f"* {contestant.name} does not make {lacking}.")
    return lines or ["All cells are the same in all outputs."]


def absences(table: str, chosen: list[Contestant]) -> list[str]:
    """Who does not make the table, and why."""
    absent = [one for one in chosen if table not in one.tables and one.why_absent and one.ready]
    missing = [one for one in chosen if not one.ready]
    return [
        *(f"* {contestant.name} is absent: {contestant.why_absent}." for contestant in absent),
        *(f"* {contestant.name} is absent: {contestant.needs} is not installed." for contestant in missing),
    ]


if __name__ == "__main__":
    main()
