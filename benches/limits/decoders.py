"""The throughput of each log type: a large day on one thread, from raw objects to part files."""

import gzip
import json
import subprocess
from pathlib import Path

from benches.limits.bench import DAY, MIB, Bench, fastest, published_rows
from benches.measure import measured

# The presets of the generator, each with its log type and table.
DAYS = {
    "elb-bench": ("alb-access", "alb_access"),
    "alb-connection-bench": ("alb-connection", "alb_connection"),
    "nlb-bench": ("nlb-access", "nlb_access"),
    "clb-bench": ("clb-access", "clb_access"),
    "cloudfront-bench": ("cloudfront", "cloudfront"),
    "vpc-flow-bench": ("vpc-flow", "vpc_flow"),
    "waf-bench": ("waf", "waf"),
    "access-json-bench": ("s3-access", "s3_access"),
}


def section(bench: Bench, work: Path) -> str:
    """Formats the throughput of each log type."""
    lines = [
        "## Log types",
        "",
        "A large day of one log type (`--preset ...-bench` of the generator of sample data) on one thread:",
        "unpack, decode, sort, encode and write. MiB of raw text and rows are those of one CPU second of the",
        "fastest run. `s3-access` is the JSON form.",
        "",
        "| log type | rows | raw text MiB | bytes a row | CPU s | MiB / CPU s | rows / CPU s |",
        "|---|---|---|---|---|---|---|",
        *(measured_day(bench, work / preset, preset) for preset in DAYS),
    ]
    return "\n".join(lines)


def measured_day(bench: Bench, work: Path, preset: str) -> str:
    """Formats the row of one log type. Fails if rows are missing."""
    dataset, table = DAYS[preset]
    raw, lake = work / "raw", work / "lake"
    options = ("--day", DAY, "--preset", preset, "--lines", "617000", "--line-objects", "500")
    subprocess.run([bench.generator, "--out", raw, *options], check=True)
    tally = json.loads((raw / "expected.json").read_bytes())[table]
    (raw / "expected.json").unlink()
    size = sum(len(content(path)) for path in raw.rglob("*") if path.is_file()) / MIB
    chosen = ("--day", DAY, "--dataset", dataset, "--threads", "1")
    command = [bench.logmill, "run", *chosen, "--quiet", "--input", raw]
    runs = []
    for number in range(bench.runs):
        runs.append(measured([*command, "--output", lake / str(number)], work))
        if (written := published_rows(lake / str(number), table)) != tally["written"]:
            raise ValueError(f"{dataset}: {written} rows, expected {tally['written']}")
    cpu = fastest(runs).cpu
    rows = tally["read"]
    return (
        f"| {dataset} | {rows:,} | {size:.0f} | {size * MIB / rows:.0f} | {cpu:.2f} "
        f"| {size / cpu:.0f} | {rows / cpu:,.0f} |"
    )


def content(path: Path) -> bytes:
    """The bytes of an object, unpacked."""
    packed = path.read_bytes()
    return gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
