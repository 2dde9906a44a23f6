"""CPU time of a run by step: `make bench-profile`. Needs Linux `perf`.

Run from the root of the repository. Builds logmill with line tables (profile `profiling`), runs the benchmark day of each
log type under `perf record` with one thread, and assigns the sampled stacks to steps. A stack belongs to the first step
below that matches one of its functions, called or inlined. Writes the tables to `benches/results/profile.md`.
"""

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benches.measure import ROOT, machine

DAY = "2023-11-01"
STEPS = [
    ("read files (kernel)", r"vfs_read|vp_notify|filemap_read"),
    ("write files (kernel)", r"vfs_write|ext4_|unlink"),
    ("unpack (gzip)", r"deflate_decompress|WholeGunzip|MultiGzDecoder"),
    ("compress (zstd)", r"ZSTD_|HUF_|FSE_|HIST_"),
    ("bloom filters", r"bloom_filter"),
    ("checksum of files", r"sha256"),
    ("find duplicates", r"Duplicates|IdentityRun|dedupe"),
    ("mask secrets", r"redact|aho_corasick"),
    ("read spilled rows", r"RunReader|StreamReader"),
    ("sort and spill", r"hand_over|Work::keep|Block::write|SpillFile|Run::sort|quicksort"),
    ("gather rows in order", r"Chunk::|Merge::|interleave"),
    ("encode columns", r"ArrowColumnWriter|GenericColumnWriter|compute_leaves|SerializedFileWriter"),
    ("fill columns", r"cells::write|Cells::"),
    ("start rows, hash them", r"begin_row"),
    ("walk JSON", r"Walker|Shape::walk|walk_object"),
    ("cut lines", r"fields::parse|LineDecoder"),
]


def main() -> None:
    """Builds and profiles logmill, then prints and saves the tables."""
    arguments = parsed_arguments()
    logmill = arguments.logmill or build()
    with tempfile.TemporaryDirectory(prefix="logmill-profile-") as folder:
        work = Path(folder)
        data = arguments.data or make_day(work / "day")
        tables = [section(logmill, data, dataset, work) for dataset in ("cloudtrail", "s3-access")]
    report = f"# CPU time by step\n\nShares of samples with one thread. Machine: {machine()}.\n\n" + "\n".join(tables)
    print(report)
    (ROOT / "benches" / "results" / "profile.md").write_text(report, encoding="utf-8")


def parsed_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logmill", type=Path, help="use this binary with line tables instead of building one")
    parser.add_argument("--data", type=Path, help="use this benchmark day instead of generating one")
    return parser.parse_args()


def build() -> Path:
    """Builds the binary with the symbols that perf needs to name functions."""
    command = ["cargo", "build", "--profile", "profiling", "--locked", "--no-default-features"]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / "target" / "profiling" / "logmill"


def make_day(folder: Path) -> Path:
    """Generates the benchmark day."""
    command = ["cargo", "run", "--release", "--locked", "--no-default-features", "--example", "generate", "--"]
    subprocess.run([*command, "--out", folder, "--preset", "bench"], cwd=ROOT, check=True)
    return folder


def section(logmill: Path, data: Path, dataset: str, work: Path) -> str:
    """Profiles one log type and formats its table."""
    record = ["perf", "record", "--quiet", "-F", "499", "--call-graph", "dwarf,16384", "-o", work / "perf.data"]
    options = ["--day", DAY, "--dataset", dataset, "--input", data / dataset, "--output", work / "lake", "--threads", "1"]
    subprocess.run([*record, "--", logmill, "run", *options], check=True, stdout=subprocess.DEVNULL)
    shares: Counter[str] = Counter(step_of(stack) for stack in stacks(work / "perf.data"))
    total = shares.total()
    rows = "".join(f"| {step} | {100 * count / total:.1f} % |\n" for step, count in shares.most_common())
    return f"## {dataset}\n\n{total:,} samples.\n\n| step | share |\n|---|---|\n{rows}"


def stacks(data: Path) -> Iterator[list[str]]:
    """Yields the functions on each sampled stack, innermost first."""
    command = ["perf", "script", "-i", data, "-F", "ip,sym"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for block in output.split("\n\n"):
        if block.strip():
            yield block.splitlines()


def step_of(stack: list[str]) -> str:
    """Returns the first step that matches a function on the stack."""
    text = "\n".join(stack)
    return next((step for step, functions in STEPS if re.search(functions, text)), "other")


if __name__ == "__main__":
    main()
