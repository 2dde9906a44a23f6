"""Peak memory of days that need much memory, with few and with many threads."""

import shutil
from pathlib import Path

from benches.limits.bench import MIB, Bench, table, verdict
from benches.limits.heavy import DAYS, Heavy

MEMORIES = (256, 512)
THREADS = (2, 8, 32)
# Documented memory beyond `--memory`, in MiB: in total, and per thread.
MARGIN = 64
MARGIN_PER_THREAD = 3
# The plan and the list of inputs of a day, also beyond `--memory`.
BYTES_PER_OBJECT = 1024
HEAD = ("day", "rows", "`--memory`", "`--threads`", "CPU s", "peak MiB", "peak / `--memory`", "allowed MiB")


def section(bench: Bench, work: Path) -> str:
    """Publishes each heavy day once with each number of threads and each memory limit."""
    rows = [row for heavy in DAYS for row in measure_day(bench, heavy, work)]
    text = (
        "## Days that need much memory\n\n"
        "One run each. The allowed peak is `--memory` plus 64 MiB, 3 MiB per thread and 1 KiB per object. The"
        " generator is `benches/limits/heavy.py`.\n\n"
    )
    return text + table(HEAD, rows)


def measure_day(bench: Bench, heavy: Heavy, work: Path) -> list[list[str]]:
    """Measures one heavy day, and returns its rows of the table."""
    folder = work / "day"
    folder.mkdir()
    day = heavy.make(folder)
    rows = []
    for memory in MEMORIES:
        for threads in THREADS:
            run = bench.run(day, work / "lake", "--memory", f"{memory}MiB", "--threads", str(threads))
            objects = min(heavy.objects, heavy.rows) * BYTES_PER_OBJECT / MIB
            peak, most = run.peak_bytes / MIB, memory + MARGIN + threads * MARGIN_PER_THREAD + objects
            numbers = [f"{memory} MiB", str(threads), f"{run.cpu:.1f}", f"{peak:.0f}", f"x {peak / memory:.2f}"]
            rows.append([heavy.title, f"{heavy.rows:,}", *numbers, f"{most:.0f} ({verdict(peak <= most)})"])
    shutil.rmtree(folder)
    return rows
