"""Measures limits: large days, digests, memory, many small objects, start-up, threads, sizes.

Run `make bench-limits` in the root of the repository. It builds logmill and the sample generator, and writes
benches/results/limits.md. Sections that were not chosen are kept. Each section generates its raw logs in a
temporary folder and removes them. `--only profiles` builds variants of the release profile from scratch.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from benches.limits import days, decoders, digests, memory, objects, profiles, sizes, startup, threads
from benches.limits.bench import Bench
from benches.measure import ROOT, machine
from benches.others import Others

RESULT = ROOT / "benches" / "results" / "limits.md"
TITLE = "# Limits"
SECTIONS = {
    "cloudtrail-day": days.cloudtrail,
    "access-day": days.access,
    "digests": digests.section,
    "log-types": decoders.section,
    "memory": memory.section,
    "objects": objects.section,
    "startup": startup.section,
    "threads": threads.section,
    "sizes": sizes.section,
    "profiles": profiles.section,
}
# Takes half an hour of building, so it runs only on request.
LONG = {"profiles"}


def main() -> None:
    """Measures the chosen sections in turn, and writes each one as soon as it is complete."""
    given = arguments()
    chosen = given.only or [name for name in SECTIONS if name not in LONG]
    bench = Bench(
        logmill=(given.logmill or built("--bin", "logmill")).resolve(),
        generator=(given.generator or built("--example", "generate")).resolve(),
        signer=(given.signer or built("--example", "trail")).resolve(),
        work=given.work.resolve(),
        times=given.times,
        objects=given.objects,
        runs=given.runs,
    )
    for name in chosen:
        others = Others()
        with tempfile.TemporaryDirectory(prefix="logmill-bench-", dir=bench.work) as folder:
            text = SECTIONS[name](bench, Path(folder))
        text = f"{text}\n\nMachine: {machine()}; other processes used {others.cores():.1f} cores."
        keep(name, text)
        print(f"{text}\n", flush=True)


def arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m benches.limits", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(SECTIONS), help="measure only this section (repeatable)"
    )
    parser.add_argument("--times", type=int, default=10, help="size of the large day, in benchmark days")
    parser.add_argument("--objects", type=int, default=200_000, help="number of small objects")
    parser.add_argument("--runs", type=int, default=3, help="runs per median")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()), help="folder for raw logs"
    )
    parser.add_argument("--logmill", type=Path, help="use this binary instead of building one")
    parser.add_argument("--generator", type=Path, help="use this generator instead of building one")
    parser.add_argument("--signer", type=Path, help="use this generator of digests instead of building one")
    return parser.parse_args()


def built(kind: str, name: str) -> Path:
    """Builds a release target and returns its path."""
    subprocess.run(["cargo", "build", "--release", "--locked", kind, name], cwd=ROOT, check=True)
    release = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return release / "examples" / name if kind == "--example" else release / name


def keep(name: str, text: str) -> None:
    """Replaces a section of the results."""
    marks = {known: f"<!-- {known} -->" for known in SECTIONS}
    found = {}
    if RESULT.exists():
        parts = RESULT.read_text(encoding="utf-8").split("<!-- ")[1:]
        found = {part.partition(" -->")[0]: part.partition(" -->")[2].strip() for part in parts}
    found[name] = text
    body = [f"{mark}\n{found[known]}" for known, mark in marks.items() if known in found]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n\n".join([TITLE, *body]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
