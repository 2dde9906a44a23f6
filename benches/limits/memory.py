"""How much memory days take that are hard to keep in little of it, with few threads and with many."""

import shutil
from pathlib import Path

from benches.limits.bench import MIB, Bench, table, verdict
from benches.limits.heavy import DAYS, Heavy

MEMORIES = (256, 512)
THREADS = (2, 8, 32)
# What README says of memory beside `--memory`, in MiB: once, and a thread.
MARGIN = 64
MARGIN_A_THREAD = 3
# Of a day's plan and list of inputs, which are outside of it as well.
BYTES_AN_OBJECT = 1024
HEAD = ("day", "rows", "`--memory`", "`--threads`", "CPU s", "peak MiB", "peak, against `--memory`", "allowed MiB")


def section(bench: Bench, work: Path) -> str:
    """Publishes each heavy day once with each number of threads and each size of memory."""
    rows = [row for heavy in DAYS for row in of_day(bench, heavy, work)]
    text = (
        "## Days that are hard to keep in little memory\n\n"
        "One run each. Allowed is `--memory`, and on top 64 MiB, 3 MiB a thread and a kilobyte an object. The"
        " generator is `benches/limits/heavy.py`.\n\n"
    )
    return text + table(HEAD, rows)


def of_day(bench: Bench, heavy: Heavy, work: Path) -> list[list[str]]:
    """The rows of one kind of day."""
    folder = work / "day"
    folder.mkdir()
    day = heavy.make(folder)
    rows = []
    for memory in MEMORIES:
        for threads in THREADS:
            run = bench.run(day, work / "lake", "--memory", f"{memory}MiB", "--threads", str(threads))
            objects = min(heavy.objects, heavy.rows) * BYTES_AN_OBJECT / MIB
            peak, most = run.peak_bytes / MIB, memory + MARGIN + threads * MARGIN_A_THREAD + objects
            numbers = [f"{memory} MiB", str(threads), f"{run.cpu:.1f}", f"{peak:.0f}", f"x {peak / memory:.2f}"]
            rows.append([heavy.title, f"{heavy.rows:,}", *numbers, f"{most:.0f} ({verdict(peak <= most)})"])
    shutil.rmtree(folder)
    return rows
