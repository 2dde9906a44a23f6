"""Processes that tests start, and whether they still run."""

import json
import time
from pathlib import Path

PATIENCE_S = 60


def pids_in(file: Path) -> list[int]:
    """The process ids that a file gets, once it is there."""
    until(file.exists)
    return json.loads(file.read_text())


def until_gone(pids: list[int]) -> None:
    """Returns when none of the processes runs any more."""
    until(lambda: not any(runs(pid) for pid in pids))


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def until(happened) -> None:
    """Returns when something has happened, and fails where it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
