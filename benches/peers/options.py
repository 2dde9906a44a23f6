"""The command line of `python -m benches.peers`. Needs no installed packages."""

import argparse
from pathlib import Path

from benches.measure import ROOT
from benches.peers.contestants import CONTESTANTS, FOLDERS

NAMES = [contestant.name for contestant in CONTESTANTS]


def options(description: str | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=description)
    add = parser.add_argument
    add("--data", type=Path, default=ROOT / "target" / "bench-day", help="raw logs, generated if missing")
    add("--logmill", type=Path, help="measure this binary instead of building one")
    add("--work", type=Path, default=ROOT / "target", help="folder for outputs, about 3 GB during the runs")
    add("--result", type=Path, default=ROOT / "benches" / "results" / "peers.md")
    add("--day", default="2023-11-01")
    add("--threads", type=int, default=2)
    add("--runs", type=int, default=3, help="runs of fast contestants")
    add("--slow-runs", type=int, default=1, help="runs of slow contestants")
    add("--table", action="append", choices=list(FOLDERS), help="measure only this table (repeatable)")
    add("--only", action="append", choices=NAMES, help="compare only with this contestant (repeatable)")
    return parser.parse_args()
