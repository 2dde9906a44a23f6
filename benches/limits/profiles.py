"""What other settings of the release profile cost to build, and what they bring."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benches.limits.bench import DATASETS, MIB, Bench, Day, table
from benches.measure import ROOT, Run, measured

# Each is the release profile with one setting changed; the last is that for images.
VARIANTS: dict[str, Mapping[str, str]] = {
    "as it is": {},
    '`lto = "thin"`': {"CARGO_PROFILE_RELEASE_LTO": "thin"},
    "`codegen-units = 1`": {"CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "1"},
    '`opt-level = "s"`': {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "s"},
    '`strip = "symbols"`': {"CARGO_PROFILE_RELEASE_STRIP": "symbols"},
    '`panic = "abort"`': {"CARGO_PROFILE_RELEASE_PANIC": "abort"},
    "profile `dist`": {
        "CARGO_PROFILE_RELEASE_LTO": "thin",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "1",
        "CARGO_PROFILE_RELEASE_STRIP": "symbols",
    },
}


@dataclass(frozen=True)
class Build:
    """A binary, and what it took to build it from nothing."""

    logmill: Path
    run: Run


def section(bench: Bench, work: Path) -> str:
    """Builds all variants, one after the other, then runs them in turn."""
    builds = {name: build(changes, work, place) for place, (name, changes) in enumerate(VARIANTS.items())}
    speeds = [
        of_day(bench, bench.make_day(dataset, 1, work / dataset.name), builds, work) for dataset in DATASETS
    ]
    rows = []
    for name, made in builds.items():
        size, cost = made.logmill.stat().st_size / MIB, [f"{made.run.wall:.0f}", f"{made.run.cpu:.0f}"]
        rows.append([name, *cost, f"{size:.1f}", *(f"{runs[name].cpu:.2f}" for runs in speeds)])
    titles = (f"CPU s, a day of {dataset.title}" for dataset in DATASETS)
    text = (
        "## Release profiles\n\n"
        "Cold builds without S3 and Glue, once each, crates downloaded before; then the benchmark day with"
        f' one thread, medians of {bench.runs} runs in turn. With `panic = "abort"` a defect ends the process'
        " at once: nothing of the run is cleaned up, and exit code 1 is lost.\n\n"
    )
    return text + table(("release profile", "build: seconds", "CPU s", "binary MiB", *titles), rows)


def build(changes: Mapping[str, str], work: Path, place: int) -> Build:
    """Builds from nothing and keeps the binary alone."""
    target, kept = work / "target", work / f"logmill-{place}"
    features = ("--bin", "logmill", "--no-default-features")
    command = ["cargo", "build", "--release", "--locked", "--quiet", *features]
    run = measured(command, ROOT, {**changes, "CARGO_TARGET_DIR": str(target)})
    shutil.copy(target / "release" / "logmill", kept)
    shutil.rmtree(target)
    return Build(kept, run)


def of_day(bench: Bench, day: Day, builds: Mapping[str, Build], work: Path) -> dict[str, Run]:
    """The runs of all binaries over a day."""

    def runner(made: Build) -> Callable[[], Run]:
        return lambda: bench.run(day, work / "lake", "--threads", "1", logmill=made.logmill)

    return bench.in_turn({name: runner(made) for name, made in builds.items()})
