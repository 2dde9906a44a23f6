"""Runs the real binary, isolated from the settings of this machine."""

import gzip
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE_DATA = "sample-data"
SAMPLE_DAY = "2023-11-01"
DATASETS = {"cloudtrail": "cloudtrail", "s3_access": "s3-access"}
# Options that name the log types of DATASETS, so that a command does not look for others.
NAMED = ("--config", str(REPOSITORY / "glue" / "tables.toml"))
# Seconds after which a run counts as hanging.
PATIENCE = 300
EVENT_TIME = {"cloudtrail": "event_time", "s3_access": "request_time"}
# Read once: the binary refuses variables that it does not know, so its environment must not have the first one. The
# tests of Airflow give their workers only the second.
NAMES = ("LOGMILL_BIN", "TESTED_BINARY")
GIVEN = (os.environ[name] for name in NAMES if name in os.environ)
BINARY = Path(next(GIVEN, REPOSITORY / "target" / "debug" / "logmill"))


def binary() -> Path:
    """The binary under test: LOGMILL_BIN, or the debug build of this repository."""
    assert BINARY.is_file(), f"{BINARY} is missing: run `cargo build --locked`, or set LOGMILL_BIN"
    return BINARY.resolve()


def logmill(
    *arguments: str | Path, code: int = 0, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs the binary in the repository, optionally through `before`, and asserts its exit code."""
    with started(*arguments, env=env, before=before) as process:
        try:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    result = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    assert result.returncode == code, (
        f"{' '.join(process.args)}\nexit code {result.returncode}, expected {code}\n"
        f"stdout: {result.stdout[-2000:]}\nstderr: {result.stderr[-2000:]}"
    )
    return result


def started(
    *arguments: str | Path, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    """Starts the binary in the repository."""
    return subprocess.Popen(
        [*before, str(binary()), *map(str, arguments)],
        cwd=REPOSITORY,
        env=environment() | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def environment() -> dict[str, str]:
    """The environment without variables that affect the binary: its own, those of AWS, proxies, and the width."""
    steers = re.compile(r"LOGMILL_|AWS_|.*_PROXY$|COLUMNS$", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not steers.match(name)}


def manifest_key(table: str, day: str) -> str:
    """Path of the manifest of a day below its lake."""
    return f"_manifests/{table}/{partition(day)}.json"


def manifest_path(lake: Path, table: str, day: str) -> Path:
    """The manifest of a day in a folder."""
    return lake / manifest_key(table, day)


def is_manifest(path: str) -> bool:
    """Whether a path, or a key of a bucket, is that of a manifest."""
    return "/_manifests/" in f"/{path}" and path.endswith(".json")


# The manifests in a pattern of keys: of all days, and of a day.
MANIFESTS = "*/_manifests/*.json"


@dataclass(frozen=True)
class Lake:
    """A folder with published tables."""

    root: Path

    def table(self, name: str) -> Path:
        """The folder of a table."""
        return self.root / name

    def parts(self, table: str) -> list[Path]:
        """Every Parquet file of a table, visible or not."""
        return sorted(self.table(table).rglob("*.parquet"))

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each part file by table, day and name, without the run folder."""
        return {
            f"{part.parts[-4]}/{part.parts[-3]}/{part.name}": sha256(part)
            for part in sorted(self.root.glob("[!_]*/*/*/*.parquet"))
        }

    def manifest(self, table: str, day: str) -> dict[str, Any]:
        """The manifest of a day."""
        return json.loads(manifest_path(self.root, table, day).read_text("utf-8"))

    def inputs(self, table: str, day: str) -> list[dict[str, Any]]:
        """The ledger of each raw object of a day."""
        name = self.manifest(table, day)["inputs_file"]["path"]
        with gzip.open(self.root / name, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Published:
    """A lake and the summary of the run that filled it."""

    lake: Lake
    summary: dict[str, Any]

    def ledger(self, table: str) -> dict[str, Any]:
        """The counts of a table."""
        return next(entry for entry in self.summary["tables"] if entry["table"] == table)


def named(source: str | Path, options: Iterable[str | Path]) -> tuple[str, ...]:
    """The options that limit a run of the whole sample to the log types of DATASETS."""
    return NAMED if source == SAMPLE_DATA and not {"--config", "--dataset"} & set(options) else ()


def run_day(
    output: Path,
    *options: str | Path,
    day: str = SAMPLE_DAY,
    source: str | Path = SAMPLE_DATA,
    env: dict[str, str] | None = None,
) -> Published:
    """Runs one day into a lake. The ledger must balance."""
    arguments = ["run", "--day", day, "--input", source, "--output", output, *options, *named(source, options)]
    result = logmill(*arguments, "--quiet", "--summary-json", "-", env=env)
    return published(output, result.stdout)


def published(output: Path, summary: str) -> Published:
    """A lake and its summary."""
    return Published(Lake(output), balanced(summary))


def balanced(summary: str) -> dict[str, Any]:
    """Parses a summary and checks that the ledger of each table balances."""
    result = json.loads(summary)
    for table in result["tables"]:
        kept = sum(table[name] for name in ("written", "other_day", "duplicate", "quarantined"))
        assert table["read"] == kept + table["filtered"], f"ledger does not balance: {table}"
    return result


def partition(day: str) -> str:
    """The folder name of a day."""
    return f"proc_ymd={day.replace('-', '')}"


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
