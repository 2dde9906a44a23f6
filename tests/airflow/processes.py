"""Finds processes that tests start, and waits for their end."""

import json
import time
from pathlib import Path

PATIENCE_S = 60


def pids_in(file: Path) -> list[int]:
    """The process ids in a file, once the file exists."""
    until(file.exists)
    return json.loads(file.read_text())


def until_gone(pids: list[int]) -> None:
    """Returns when all processes have ended."""
    until(lambda: not any(runs(pid) for pid in pids))


def runs(pid: int) -> bool:
    """Whether a process runs. A zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def until(happened) -> None:
    """Returns when a condition holds. Fails if it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.01)
