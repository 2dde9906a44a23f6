"""Where the limits lie: large days, memory, many small objects, start-up, threads, sizes.

Run from the root of the repository: `make bench-limits`. It builds logmill and the sample generator, and
writes benches/results/limits.md; sections that are not chosen stay there as they are. Each section makes its
raw logs in a temporary folder and removes them. With `--only profiles`, variants of the release profile are
built from nothing.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from benches.limits import days, memory, objects, profiles, sizes, startup, threads
from benches.limits.bench import Bench
from benches.measure import ROOT, machine
from benches.others import Others

RESULT = ROOT / "benches" / "results" / "limits.md"
TITLE = "# Limits"
SECTIONS = {
    "cloudtrail-day": days.cloudtrail,
    "access-day": days.access,
    "memory": memory.section,
    "objects": objects.section,
    "startup": startup.section,
    "threads": threads.section,
    "sizes": sizes.section,
    "profiles": profiles.section,
}
# Half an hour of building: only when it is asked for.
LONG = {"profiles"}


def main() -> None:
    """Measures the chosen sections, one after the other; each is written as soon as it is known."""
    given = arguments()
    chosen = given.only or [name for name in SECTIONS if name not in LONG]
    bench = Bench(
        logmill=(given.logmill or built("--bin", "logmill")).resolve(),
        generator=(given.generator or built("--example", "generate")).resolve(),
        work=given.work.resolve(),
        times=given.times,
        objects=given.objects,
        runs=given.runs,
    )
    for name in chosen:
        others = Others()
        with tempfile.TemporaryDirectory(prefix="logmill-bench-", dir=bench.work) as folder:
            text = SECTIONS[name](bench, Path(folder))
        text = f"{text}\n\nMachine: {machine()}; other work took {others.cores():.1f} cores meanwhile."
        keep(name, text)
        print(f"{text}\n", flush=True)


def arguments() -> argparse.Namespace:
    """What is measured, and how often."""
    parser = argparse.ArgumentParser(prog="python -m benches.limits", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=list(SECTIONS), help="a section; may be given again"
    )
    parser.add_argument("--times", type=int, default=10, help="how large the large day is, in benchmark days")
    parser.add_argument("--objects", type=int, default=200_000, help="how many small objects there are")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median is taken")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()), help="where raw logs are made"
    )
    parser.add_argument("--logmill", type=Path, help="a binary that is built already")
    parser.add_argument("--generator", type=Path, help="a generator that is built already")
    return parser.parse_args()


def built(kind: str, name: str) -> Path:
    """Builds a target for release."""
    subprocess.run(["cargo", "build", "--release", "--locked", kind, name], cwd=ROOT, check=True)
    release = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return release / "examples" / name if kind == "--example" else release / name


def keep(name: str, text: str) -> None:
    """Puts a section into the result, in the place of the one that was there."""
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
