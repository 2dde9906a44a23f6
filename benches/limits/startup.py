"""Start-up time of logmill."""

import shutil
import statistics
from pathlib import Path

from benches.limits.bench import DAY, Bench, table, verdict
from benches.measure import measured

RUNS = 50
TARGET_MS = 20


def section(bench: Bench, work: Path) -> str:
    """Starts logmill many times, in turn with a program that does nothing."""
    empty, lake = work / "empty", work / "lake"
    empty.mkdir()
    run = [bench.logmill, "run", "--day", DAY, "--input", empty, "--output", lake, "--quiet"]
    commands = {
        "`true`": ["true"],
        "`logmill --version`": [bench.logmill, "--version"],
        "`logmill run` over an empty folder": run,
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            shutil.rmtree(lake, ignore_errors=True)
            walls[name].append(1000 * measured(command, work).wall)
    text = (
        "## Start-up\n\n"
        f"Milliseconds from start to end, over {RUNS} alternating runs. `logmill run` publishes both tables as"
        f" empty. Target: a median below {TARGET_MS}.\n\n"
    )
    return text + table(("command", "median", "minimum", "maximum", "target"), map(line, walls, walls.values()))


def line(name: str, walls: list[float]) -> list[str]:
    """Formats a row of the table."""
    median = statistics.median(walls)
    holds = verdict(median < TARGET_MS) if "logmill" in name else ""
    return [name, f"{median:.1f}", f"{min(walls):.1f}", f"{max(walls):.1f}", holds]
