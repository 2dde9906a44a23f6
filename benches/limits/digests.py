"""The cost of a proof: CloudTrail's digests name every log file, and a run hashes the texts of all of them."""

import subprocess
from pathlib import Path

from benches.limits.bench import CLOUDTRAIL, DAY, Bench, fastest, table

HEAD = ("`--threads 1`", "seconds", "CPU s", "CPU / without")


def section(bench: Bench, work: Path) -> str:
    """Publishes the benchmark day without its digests, and with a proof by them."""
    day = bench.make_day(CLOUDTRAIL, 1, work / "day")
    digests = work / "digests"
    subprocess.run([bench.signer, "--logs", day.folder, "--out", digests, "--day", DAY], check=True)
    proof = ("--input", digests, "--public-keys", digests / "keys.json", "--require-proof")

    def runner(*options: str | Path):
        return lambda: bench.run(day, work / "lake", "--threads", "1", *map(str, options))

    runs = bench.in_turn({"without digests": runner(), "with a proof": runner(*proof)}, fastest)
    without = runs["without digests"].cpu
    rows = [
        [name, f"{run.wall:.2f}", f"{run.cpu:.2f}", f"x {run.cpu / without:.3f}"] for name, run in runs.items()
    ]
    count = sum(1 for _ in digests.rglob("*Digest*.gz"))
    text = (
        "## Digests\n\n"
        f"The benchmark day of CloudTrail, minimum of {bench.runs} alternating runs. {count} digests name its log"
        " files. A run with a proof reads them, checks their signatures and hashes the text of every log file.\n\n"
    )
    return text + table(HEAD, rows)
