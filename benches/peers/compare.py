"""Runs every contestant on the benchmark day, compares its rows with logmill's, and saves the table.

Started by `python -m benches.peers`. Each run is a child process, so the start of an engine counts. Fast
contestants run several times in turn, and the table shows the medians. All runs are measured before any
output is read.
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
from benches.peers.contestants import CONTESTANTS, DATASETS, FOLDERS, LOGMILL, PRESETS, Contestant, Day
from benches.peers.options import options
from benches.peers.questions import Answer
from benches.peers.rows import Reader, Result

# The working folder takes the files that engines spill, so modules are found through PYTHONPATH.
ENVIRONMENT = {
    "TZ": "UTC",
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "ignore",
    "SPARK_LOCAL_IP": "127.0.0.1",
}


def main() -> None:
    """Runs and checks the contestants, evaluates the questions, and prints and saves the report."""
    given = options(__doc__)
    with tempfile.TemporaryDirectory(prefix="logmill-peers-", dir=given.work) as folder:
        work = Path(folder).resolve()
        day = Day(given.data.resolve(), work, given.logmill.resolve(), given.day, given.threads)
        chosen = [one for one in CONTESTANTS if one is LOGMILL or one.name in (given.only or [one.name])]
        others = Others()
        runs = {table: run_all(day, table, chosen, given) for table in given.table or FOLDERS}
        introduction = head(given, others.cores())
        report = "\n".join([introduction, *compared(day, runs, chosen)])
    print(report)
    given.result.parent.mkdir(exist_ok=True)
    given.result.write_text(report, encoding="utf-8")


def compared(day: Day, runs: dict[str, dict[Contestant, list[Run]]], chosen: list[Contestant]) -> list[str]:
    """Builds the sections of the report after all runs, because reading takes time and memory."""
    expected = {}
    for folder in (day.data, *(day.data / FOLDERS[table] for table in PRESETS)):
        expected |= json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    found = {table: results(day, table, of_table) for table, of_table in runs.items()}
    answers = asked_questions(day, chosen, [table for table in QUESTIONED if table in runs])
    sections = [section(table, expected[table], of_table, chosen) for table, of_table in found.items()]
    return [*targets.table(found, answers), *sections, *(questions.table(answers) if answers else [])]


def output(day: Day, table: str, contestant: Contestant) -> Path:
    """Returns the folder of a contestant's last output for a table."""
    return day.work / f"{table}-{CONTESTANTS.index(contestant)}"


def run_all(
    day: Day, table: str, chosen: list[Contestant], given: argparse.Namespace
) -> dict[Contestant, list[Run]]:
    """Runs all contestants on a table, in turn."""
    described = [day.logmill, "schema", "--dataset", DATASETS[table], "--format", "json"]
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


def results(day: Day, table: str, runs: dict[Contestant, list[Run]]) -> dict[Contestant, Result]:
    """Compares the output of every contestant with logmill's rows."""
    reader = Reader(table)
    reader.load("ours", output(day, table, LOGMILL))
    found = {}
    for contestant, of_contestant in runs.items():
        loaded = reader.load("theirs", output(day, table, contestant))
        comparisons = (reader.lost, reader.missing, reader.differing)
        found[contestant] = Result(
            of_contestant, loaded, *(compare("ours", "theirs") for compare in comparisons)
        )
        print(f"{table}, {contestant.name}: compared", file=sys.stderr)
    return found


# The tables that the usual questions are about.
QUESTIONED = ("cloudtrail", "s3_access")


def asked_questions(day: Day, chosen: list[Contestant], tables: list[str]) -> list[Answer]:
    """Computes the bytes that the usual questions fetch from logmill's and ClickHouse's files."""
    asked = [one for one in chosen if one is LOGMILL or one.questioned]
    if len(asked) < 2:
        return []
    files = {
        table: {one.name: sorted(output(day, table, one).rglob("*.parquet")) for one in asked}
        for table in tables
    }
    usual = [question for table in tables for question in questions.usual(table, files[table][LOGMILL.name])]
    return questions.answers(usual, files)


def head(given: argparse.Namespace, others: float) -> str:
    """Formats the introduction of the report."""
    return f"""# logmill compared with ClickHouse, DuckDB, Polars and Spark

Written by `make bench-peers`. Numbers are medians of alternating runs, and the largest memory peak.
{given.threads} threads. Machine: {machine()}; other processes used {others:.1f} cores.

All engines read the same raw objects and write the rows of one KST day with logmill's columns at zstd level 3.
CPU seconds cover the whole process including its start. logmill removes duplicates, sorts, masks secrets and
balances a ledger. The other engines do none of this, which favours them, except in "same rows", where they
also remove duplicates and sort. The queries of ClickHouse and DuckDB were tuned for this day, except for "as
documented" and "one regular expression", which follow most published recipes. `lost` counts logmill's rows
that are missing from an output, not counting duplicates. DuckDB reads all outputs and compares them cell by
cell. Differing cells are listed below each table.
"""


def section(table: str, expected: dict, found: dict[Contestant, Result], chosen: list[Contestant]) -> str:
    """Formats the results of one table."""
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
        *(row(contestant.name, result, ours) for contestant, result in found.items()),
        "",
        *differences(found),
        *absences(table, chosen),
        "",
    ]
    return "\n".join(lines)


def row(name: str, result: Result, ours: Result) -> str:
    """Formats the row of one contestant."""
    run, loaded = result.run, result.loaded
    peak = run.peak_bytes / 2**30
    return (
        f"| {name} | {len(result.runs)} | {run.cpu:.2f} | {run.cpu / ours.run.cpu:.2f} "
        f"| {run.wall:.1f} | {peak:.2f} GiB "
        f"| {loaded.size:,} | {loaded.size / ours.loaded.size:.2f} | {loaded.rows:,} | {loaded.distinct:,} "
        f"| {result.lost:,} |"
    )


def differences(found: dict[Contestant, Result]) -> list[str]:
    """Lists differing cells and missing columns by contestant."""
    lines = []
    for contestant, result in found.items():
        cells = ", ".join(f"`{name}` in {count:,} rows" for name, count in result.differing.items())
        if cells:
            lines.append(f"* {contestant.name} has cells that differ from logmill's: {cells}.")
        if result.missing:
            missing = ", ".join(f"`{name}`" for name in result.missing)
            lines.append(f"* {contestant.name} does not write {missing}.")
    return lines or ["All outputs have the same cells."]


def absences(table: str, chosen: list[Contestant]) -> list[str]:
    """Lists the contestants that do not build the table, with the reasons."""
    absent = [one for one in chosen if table not in one.tables and one.why_absent and one.ready]
    missing = [one for one in chosen if not one.ready]
    return [
        *(f"* {contestant.name} is absent: {contestant.why_absent}." for contestant in absent),
        *(f"* {contestant.name} is absent: {contestant.needs} is not installed." for contestant in missing),
    ]


if __name__ == "__main__":
    main()
