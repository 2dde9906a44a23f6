"""Memory use stays within --memory plus a margin, on memory-hungry days and with any number of threads."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benches.limits.heavy import DISTINCT_LINES, LARGE_RECORDS, NAMED_RECORDS, Heavy
from harness import logmill

MIB = 2**20
# The margins that README promises: memory in addition to --memory, per run and per thread.
MARGIN = 64 * MIB
MARGIN_A_THREAD = 3 * MIB
MEMORY = 64 * MIB
# Large enough that the rows of each kind need several times the memory.
DAYS = {
    "large-records": replace(LARGE_RECORDS, rows=10_000, objects=40),
    "distinct-names": replace(NAMED_RECORDS, rows=240_000, objects=40),
    "distinct-lines": replace(DISTINCT_LINES, rows=240_000, objects=40),
}
# A small intermediate process, because the peak of a child includes the memory of its parent.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(code)
"""


@pytest.fixture(scope="module", params=DAYS)
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Heavy, Path]:
    """Each heavy day, generated once."""
    heavy, folder = DAYS[request.param], tmp_path_factory.mktemp(request.param)
    heavy.make(folder)
    return heavy, folder


@pytest.mark.parametrize("threads", [2, 8, 32])
def test_a_day_without_repetition_stays_within_the_memory_limit(
    day: tuple[Heavy, Path], threads: int, tmp_path: Path
) -> None:
    """An empty day shows the memory of the binary itself, which is large for a debug build."""
    heavy, folder = day
    empty = tmp_path / "empty"
    empty.mkdir()
    own = peak_of_run(heavy, empty, tmp_path / "empty-lake", threads)
    peak = peak_of_run(heavy, folder, tmp_path / "lake", threads)
    manifest = next((tmp_path / "lake").rglob("_manifest.json"))
    assert json.loads(manifest.read_bytes())["ledger"]["written"] == heavy.rows
    taken = (peak - own) / MIB
    assert taken <= (MEMORY + MARGIN + threads * MARGIN_A_THREAD) / MIB, f"{own / MIB:.0f} MiB at the start"


def peak_of_run(heavy: Heavy, folder: Path, lake: Path, threads: int) -> int:
    """Publishes a day. Returns the peak memory of the process in bytes."""
    peak = lake.with_name(f"{lake.name}.peak")
    logmill(
        *("run", "--day", "2023-11-01", "--dataset", heavy.dataset.name, "--input", folder, "--output", lake),
        *("--memory", f"{MEMORY // MIB}MiB", "--threads", str(threads), "--quiet"),
        before=(sys.executable, "-S", "-E", "-c", MEASURED, str(peak)),
    )
    return int(peak.read_text())
