"""Speed-up from a second thread."""

import os
import shutil
from pathlib import Path

from benches.limits.bench import DATASETS, Bench, Dataset, fastest, table, verdict

TARGET = 1.8
HEAD = ("log type", "`--threads`", "seconds", "CPU s", "speed", "CPU / one thread", "target")


def section(bench: Bench, work: Path) -> str:
    """Publishes the benchmark day with one thread and with two."""
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("this machine has only one core: nothing to compare")
    rows = [row for dataset in DATASETS for row in measure_dataset(bench, dataset, work)]
    text = (
        "## Two threads\n\n"
        f"The benchmark day, minimum of {bench.runs} alternating runs, because on two cores other processes slow"
        f" down two threads more than one. Target: two threads are {TARGET} times as fast as one.\n\n"
    )
    return text + table(HEAD, rows)


def measure_dataset(bench: Bench, dataset: Dataset, work: Path) -> list[list[str]]:
    """Measures one log type, and returns its rows of the table."""
    day = bench.make_day(dataset, 1, work / "day")
    programs = {n: lambda n=n: bench.run(day, work / "lake", "--threads", n) for n in ("1", "2")}
    runs = bench.in_turn(programs, fastest)
    shutil.rmtree(work / "day")
    one, two = runs["1"], runs["2"]
    speed = one.wall / two.wall
    return [
        [dataset.title, "1", f"{one.wall:.2f}", f"{one.cpu:.2f}", "", "", ""],
        [
            *(dataset.title, "2", f"{two.wall:.2f}", f"{two.cpu:.2f}"),
            *(f"{speed:.2f} times as fast", f"x {two.cpu / one.cpu:.2f}", verdict(speed >= TARGET)),
        ],
    ]
