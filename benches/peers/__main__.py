"""Compares logmill with ClickHouse, DuckDB, Polars and Spark.

Run `make bench-peers` in the root of the repository. It installs the other engines below target/tools,
generates the benchmark day, builds logmill, and starts `compare.py` with the installed engines.
"""

import os
import subprocess
import sys
from pathlib import Path

from benches.measure import ROOT
from benches.peers.contestants import FOLDERS, PRESETS
from benches.peers.options import options

TOOLS = ROOT / "target" / "tools" / "peers-venv"
CARGO = ("--release", "--locked", "--no-default-features")


def main() -> None:
    """Prepares and runs the comparison."""
    given = options(__doc__)
    python = install()
    make_day(given.data)
    compare = [python, "-m", "benches.peers.compare", *sys.argv[1:]]
    sys.exit(subprocess.run([*compare, "--logmill", given.logmill or build()]).returncode)


def install() -> Path:
    """Installs the other engines and returns their Python."""
    required = ROOT / "benches" / "peers" / "requirements.txt"
    pins = required.read_text(encoding="utf-8")
    ready, python = TOOLS / "ready", TOOLS / "bin" / "python"
    if not ready.exists() or ready.read_text(encoding="utf-8") != pins:
        subprocess.run([sys.executable, "-m", "venv", "--clear", TOOLS], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", required], check=True)
        ready.write_text(pins, encoding="utf-8")
    return python


def make_day(data: Path) -> None:
    """Generates the raw days: 617,000 records and 1.87 million lines, and the days of other tables."""
    others = {data / FOLDERS[table]: preset for table, preset in PRESETS.items()}
    for out, preset in ({data: "bench"} | others).items():
        if not (out / "expected.json").exists():
            generator = ("cargo", "run", *CARGO, "--example", "generate", "--")
            subprocess.run([*generator, "--out", out.resolve(), "--preset", preset], cwd=ROOT, check=True)


def build() -> Path:
    """Builds logmill without S3 and Glue, which no other engine uses here."""
    subprocess.run(["cargo", "build", *CARGO], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "logmill"


if __name__ == "__main__":
    main()
