"""What a second thread brings."""

import os
import shutil
from pathlib import Path

from benches.limits.bench import DATASETS, Bench, Dataset, fastest, table, verdict

TARGET = 1.8
HEAD = ("log type", "`--threads`", "seconds", "CPU s", "seconds, against one thread", "CPU", "target")


def section(bench: Bench, work: Path) -> str:
    """Publishes the benchmark day with one thread and with two."""
    if (os.cpu_count() or 1) < 2:
        raise SystemExit("this machine has one core: there is nothing to compare")
    rows = [row for dataset in DATASETS for row in of_dataset(bench, dataset, work)]
    text = (
        "## Two threads\n\n"
        f"The benchmark day; the least of {bench.runs} runs in turn, since on two cores whatever else runs"
        f" takes more from two threads than from one. Target: two are {TARGET} times as fast as one.\n\n"
    )
    return text + table(HEAD, rows)


def of_dataset(bench: Bench, dataset: Dataset, work: Path) -> list[list[str]]:
    """The rows of one log type."""
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
