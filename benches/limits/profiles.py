"""Build cost and speed of other release profile settings."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benches.limits.bench import DATASETS, MIB, Bench, Day, table
from benches.measure import ROOT, Run, measured

# The release profile with one setting changed each. The last one has those of the profile for images and packages.
VARIANTS: dict[str, Mapping[str, str]] = {
    "unchanged": {},
    '`lto = "thin"`': {"CARGO_PROFILE_RELEASE_LTO": "thin"},
    "`codegen-units = 4`": {"CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "4"},
    "`opt-level = 3`": {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "3"},
    '`strip = "symbols"`': {"CARGO_PROFILE_RELEASE_STRIP": "symbols"},
    "profile `dist`": {
        "CARGO_PROFILE_RELEASE_LTO": "fat",
        "CARGO_PROFILE_RELEASE_OPT_LEVEL": "z",
        "CARGO_PROFILE_RELEASE_STRIP": "symbols",
    },
}


@dataclass(frozen=True)
class Build:
    """A binary, and the cost of building it from scratch."""

    logmill: Path
    run: Run


def section(bench: Bench, work: Path) -> str:
    """Builds all variants one after another, then runs them in turn."""
    builds = {name: build(changes, work, place) for place, (name, changes) in enumerate(VARIANTS.items())}
    speeds = [
        run_all(bench, bench.make_day(dataset, 1, work / dataset.name), builds, work) for dataset in DATASETS
    ]
    rows = []
    for name, built in builds.items():
        size, cost = built.logmill.stat().st_size / MIB, [f"{built.run.wall:.0f}", f"{built.run.cpu:.0f}"]
        rows.append([name, *cost, f"{size:.1f}", *(f"{runs[name].cpu:.2f}" for runs in speeds)])
    titles = (f"CPU s, one day of {dataset.title}" for dataset in DATASETS)
    text = (
        "## Release profiles\n\n"
        "One cold build each without S3 and Glue, with downloaded crates. Then the benchmark day with one thread,"
        f" medians of {bench.runs} alternating runs.\n\n"
    )
    return text + table(("release profile", "build: seconds", "CPU s", "binary MiB", *titles), rows)


def build(changes: Mapping[str, str], work: Path, place: int) -> Build:
    """Builds from scratch and keeps only the binary."""
    target, kept = work / "target", work / f"logmill-{place}"
    features = ("--bin", "logmill", "--no-default-features")
    command = ["cargo", "build", "--release", "--locked", "--quiet", *features]
    run = measured(command, ROOT, {**changes, "CARGO_TARGET_DIR": str(target)})
    shutil.copy(target / "release" / "logmill", kept)
    shutil.rmtree(target)
    return Build(kept, run)


def run_all(bench: Bench, day: Day, builds: Mapping[str, Build], work: Path) -> dict[str, Run]:
    """Runs all binaries over a day."""

    def runner(built: Build) -> Callable[[], Run]:
        return lambda: bench.run(day, work / "lake", "--threads", "1", logmill=built.logmill)

    return bench.in_turn({name: runner(built) for name, built in builds.items()})
