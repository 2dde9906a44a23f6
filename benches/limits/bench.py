"""Shared parts of the sections: the programs, days of raw logs, and checked runs of logmill over them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.measure import Run, measured, median

DAY = "2023-11-01"
MIB = 2**20

# Combines several runs into one.
OneOf = Callable[[Sequence[Run]], Run]


@dataclass(frozen=True)
class Dataset:
    """A log type and its names."""

    name: str
    title: str
    table: str
    # Generator options that exclude the other log type.
    alone: tuple[str, ...]


CLOUDTRAIL = Dataset("cloudtrail", "CloudTrail", "cloudtrail", ("--lines", "0", "--line-objects", "0"))
ACCESS = Dataset("s3-access", "access logs", "s3_access", ("--records", "0", "--record-objects", "0"))
DATASETS = (CLOUDTRAIL, ACCESS)


@dataclass(frozen=True)
class Day:
    """A day of raw logs of one type, and the expected number of rows."""

    dataset: Dataset
    folder: Path
    rows: int


def published_rows(lake: Path, table: str) -> int:
    """Returns the rows of the day, by its manifest."""
    manifest = lake / "_manifests" / table / f"proc_ymd={DAY.replace('-', '')}.json"
    return json.loads(manifest.read_bytes())["ledger"]["written"]


def fastest(runs: Sequence[Run]) -> Run:
    """Returns the minimum of each number, as on an idle machine, and the largest peak."""
    return Run(
        min(run.wall for run in runs),
        min(run.cpu for run in runs),
        max(run.peak_bytes for run in runs),
    )


@dataclass(frozen=True)
class Bench:
    """The programs, and the size of the measurements."""

    logmill: Path
    generator: Path
    signer: Path
    work: Path
    times: int
    objects: int
    runs: int

    def make_day(self, dataset: Dataset, times: int, folder: Path) -> Day:
        """Generates a day of one log type, `times` as large as the benchmark day, in an empty folder."""
        preset = ("--preset", "bench", "--day", DAY, "--multiply", str(times))
        subprocess.run([self.generator, "--out", folder, *preset, *dataset.alone], check=True)
        expected = json.loads((folder / "expected.json").read_bytes())
        return Day(dataset, folder / dataset.name, expected[dataset.table]["written"])

    def run(self, day: Day, lake: Path, *options: str, logmill: Path | None = None) -> Run:
        """Publishes a day into an empty lake and removes the lake. Fails if rows are missing."""
        source = ("--dataset", day.dataset.name, "--input", day.folder)
        command = [
            logmill or self.logmill,
            "run",
            "--day",
            DAY,
            *source,
            "--output",
            lake,
            "--quiet",
            *options,
        ]
        try:
            run = measured(command, day.folder)
            written = published_rows(lake, day.dataset.table)
        finally:
            shutil.rmtree(lake, ignore_errors=True)
        if written != day.rows:
            raise RuntimeError(f"published {written} of {day.rows} rows")
        return run

    def in_turn(self, programs: Mapping[str, Callable[[], Run]], one_of: OneOf = median) -> dict[str, Run]:
        """Runs all programs in turn, several times, so that a slow minute affects all. Combines the runs of each."""
        runs: dict[str, list[Run]] = {name: [] for name in programs}
        for _ in range(self.runs):
            for name, program in programs.items():
                runs[name].append(program())
        return {name: one_of(each) for name, each in runs.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Formats a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def verdict(holds: bool) -> str:
    """Describes whether a target is met."""
    return "met" if holds else "missed"
