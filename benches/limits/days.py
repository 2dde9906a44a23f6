"""A day many times as large: time grows as the day does, memory stays."""

import shutil
from collections.abc import Callable
from pathlib import Path

from benches.limits.bench import DATASETS, MIB, Bench, Dataset, Day, table
from benches.measure import Run

MEMORIES = ("1GiB", "256MiB")
# Raw logs, rows that are spilled, and what is published: a benchmark day of access logs takes the most.
DISK_BYTES_A_DAY = 2_200_000_000
HEAD = (
    "log type",
    "day",
    "rows",
    "`--memory`",
    "seconds",
    "CPU s",
    "peak MiB",
    "CPU, against one day",
    "peak",
)


def section(bench: Bench, work: Path) -> str:
    """Publishes one benchmark day, and many in one, with much and with little memory."""
    refuse_without_room(bench.times, work)
    rows = [row for dataset in DATASETS for row in of_dataset(bench, dataset, work)]
    text = (
        f"## A day {bench.times} times as large\n\n"
        f"The benchmark day, and one of {bench.times} times its objects and rows, all different: medians of"
        f" {bench.runs} runs, and a single run of the large one. Ratios are against the one day with the same"
        " memory.\n\n"
    )
    return text + table(HEAD, rows)


def refuse_without_room(times: int, work: Path) -> None:
    """Fails before anything is made when the disk would not hold it."""
    needed, free = times * DISK_BYTES_A_DAY, shutil.disk_usage(work).free
    if free < needed:
        raise SystemExit(
            f"{work} has {free / 1e9:.0f} GB free and {needed / 1e9:.0f} GB are needed: see --times"
        )


def of_dataset(bench: Bench, dataset: Dataset, work: Path) -> list[list[str]]:
    """The rows of one log type; its raw logs go before those of the next are made."""
    one = bench.make_day(dataset, 1, work / "one")
    small = bench.in_turn({memory: runner(bench, one, memory, work) for memory in MEMORIES})
    shutil.rmtree(work / "one")
    many = bench.make_day(dataset, bench.times, work / "many")
    large = {memory: runner(bench, many, memory, work)() for memory in MEMORIES}
    shutil.rmtree(work / "many")
    rows = []
    for memory in MEMORIES:
        rows.append(line(one, "1", memory, small[memory], small[memory]))
        rows.append(line(many, str(bench.times), memory, large[memory], small[memory]))
    return rows


def runner(bench: Bench, day: Day, memory: str, work: Path) -> Callable[[], Run]:
    """A run with so much memory."""
    return lambda: bench.run(day, work / "lake", "--memory", memory)


def line(day: Day, times: str, memory: str, run: Run, one: Run) -> list[str]:
    """A row of the table."""
    numbers = [f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak_bytes / MIB:.0f}"]
    ratios = [f"x {run.cpu / one.cpu:.2f}", f"x {run.peak_bytes / one.peak_bytes:.2f}"]
    return [day.dataset.title, times, f"{day.rows:,}", memory, *numbers, *ratios]
