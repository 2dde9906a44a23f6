"""Measures a run of a program and describes the machine, for all benchmarks.

Benchmarks are modules below `benches`. Run them from the root of the repository, for example
`python -m benches.s3.small_objects`.
"""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """The cost of one run of a program: seconds, CPU seconds, and peak memory in bytes."""

    wall: float
    cpu: float
    peak_bytes: int


def measured(command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a program once and discards its standard output. Raises an error if it fails.

    CPU time includes the program and the child processes that it waited for. The peak is that of the largest
    process. Linux never reports less than the peak of this Python process, so keep it small.
    """
    began = time.monotonic()
    given = os.environ | dict(environment or {})
    process = subprocess.Popen(command, cwd=cwd, env=given, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def median(runs: Sequence[Run]) -> Run:
    """Returns the median of each number, and the largest peak."""
    return Run(
        statistics.median(run.wall for run in runs),
        statistics.median(run.cpu for run in runs),
        max(run.peak_bytes for run in runs),
    )


def machine() -> str:
    """Describes processor, cores, memory and kernel."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"
