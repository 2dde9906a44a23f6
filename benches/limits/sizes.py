"""Size of the release binary."""

import os
from pathlib import Path

from benches.limits.bench import MIB, Bench, table
from benches.measure import ROOT, measured

BUILDS = {
    "without S3 and Glue (`--no-default-features`)": ("--no-default-features",),
    "with S3 and Glue": (),
}


def section(_: Bench, work: Path) -> str:
    """Builds both variants in the build folder of the repository, so that only changed code is compiled."""
    rows = []
    for name, features in BUILDS.items():
        measured(["cargo", "build", "--release", "--locked", "--quiet", "--bin", "logmill", *features], ROOT)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        size = (target / "release" / "logmill").stat().st_size
        rows.append([name, f"{size / MIB:.1f}"])
    return "## Size of the release binary\n\n" + table(("build", "MiB"), rows)
