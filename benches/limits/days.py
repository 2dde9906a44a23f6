"""A much larger day: time grows in proportion, and memory remains constant."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from benches.limits.bench import ACCESS, CLOUDTRAIL, MIB, Bench, Dataset, Day, table
from benches.limits.watch import FolderWatch
from benches.measure import Run, median

MEMORIES = ("1GiB", "256MiB")
# Raw logs, spilled rows and their merged copy, and published files, with some reserve.
DISK_BYTES_PER_DAY = {CLOUDTRAIL: 2_000_000_000, ACCESS: 3_500_000_000}
HEAD = (
    "day",
    "rows",
    "`--memory`",
    "seconds",
    "CPU s",
    "peak MiB",
    "disk MiB",
    "CPU / one day",
    "peak / one day",
)


def cloudtrail(bench: Bench, work: Path) -> str:
    """Measures a large day of CloudTrail."""
    return section(bench, CLOUDTRAIL, work)


def access(bench: Bench, work: Path) -> str:
    """Measures a large day of access logs."""
    return section(bench, ACCESS, work)


def section(bench: Bench, dataset: Dataset, work: Path) -> str:
    """Publishes the benchmark day and a much larger day, with much and with little memory."""
    refuse_without_room(bench.times * DISK_BYTES_PER_DAY[dataset], work)
    one = bench.make_day(dataset, 1, work / "one")
    small = {memory: spilling(bench, one, memory, work, bench.runs) for memory in MEMORIES}
    shutil.rmtree(work / "one")
    many = bench.make_day(dataset, bench.times, work / "many")
    large = {memory: spilling(bench, many, memory, work, 1) for memory in MEMORIES}
    rows = []
    for memory in MEMORIES:
        rows.append(line(one, "1", memory, small[memory], small[memory]))
        rows.append(line(many, str(bench.times), memory, large[memory], small[memory]))
    text = (
        f"## A day of {dataset.title}, {bench.times} times as large\n\n"
        f"The benchmark day, and a day with {bench.times} times its objects and rows, all different. Numbers are"
        f" medians of {bench.runs} runs, and a single run of the large day. Disk is the peak size of the lake"
        " including spilled rows, sampled every second. Ratios compare with the benchmark day at the same memory"
        " limit.\n\n"
    )
    return text + table(HEAD, rows)


def refuse_without_room(needed: int, work: Path) -> None:
    """Fails before anything is generated if the disk may be too small."""
    free = shutil.disk_usage(work).free
    if free < needed:
        raise SystemExit(
            f"not enough space in {work}: {free / 1e9:.0f} GB free, {needed / 1e9:.0f} GB needed: see --times"
        )


@dataclass(frozen=True)
class Spilling:
    """A run, and its peak disk use."""

    run: Run
    disk_bytes: int


def spilling(bench: Bench, day: Day, memory: str, work: Path, runs: int) -> Spilling:
    """Publishes a day `runs` times with a memory limit."""
    with FolderWatch(work / "lake") as watch:
        run = median([bench.run(day, work / "lake", "--memory", memory) for _ in range(runs)])
    return Spilling(run, watch.most_bytes)


def line(day: Day, times: str, memory: str, spilled: Spilling, one: Spilling) -> list[str]:
    """Formats a row of the table."""
    run, disk = spilled.run, spilled.disk_bytes / MIB
    numbers = [f"{run.wall:.1f}", f"{run.cpu:.1f}", f"{run.peak_bytes / MIB:.0f}", f"{disk:,.0f}"]
    ratios = [f"x {run.cpu / one.run.cpu:.2f}", f"x {run.peak_bytes / one.run.peak_bytes:.2f}"]
    return [times, f"{day.rows:,}", memory, *numbers, *ratios]
