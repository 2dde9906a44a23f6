"""What can be asked of `python -m benches.peers`; needs nothing that has to be installed."""

import argparse
from pathlib import Path

from benches.measure import ROOT
from benches.peers.contestants import CONTESTANTS

NAMES = [contestant.name for contestant in CONTESTANTS]


def options(description: str | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=description)
    add = parser.add_argument
    add("--data", type=Path, default=ROOT / "target" / "bench-day", help="raw logs; made if missing")
    add("--logmill", type=Path, help="a binary to measure, in place of one built here")
    add("--work", type=Path, default=ROOT / "target", help="for outputs, about 3 GB while it runs")
    add("--result", type=Path, default=ROOT / "benches" / "results" / "peers.md")
    add("--day", default="2023-11-01")
    add("--threads", type=int, default=2)
    add("--runs", type=int, default=3, help="of those that are fast")
    add("--slow-runs", type=int, default=1, help="of the others")
    add("--only", action="append", choices=NAMES, help="one beside logmill; may be given again")
    return parser.parse_args()
