"""Runs over many days, and the contents of their lakes without the differences between any two runs."""

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness import DATASETS, is_manifest, logmill, partition
from month import FIRST, LAST, SHARE_OF_REJECTS

RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
# Files about runs that a lake keeps in addition to its days.
OF_RUNS = ("_runs/", "_locks/")
OF_ONE_RUN = ("published_at", "planned_at")
Days = set[tuple[str, str]]


def span(first: str = FIRST.isoformat(), last: str = LAST.isoformat()) -> tuple[str, ...]:
    """The options that select the days."""
    return ("--from", first, "--to", last)


def places(source: Path | str, lake: Path | str) -> tuple[Path | str, ...]:
    """The options for the source of the logs and for the lake."""
    return ("--input", source, "--output", lake)


def backfill(
    source: Path | str,
    lake: Path | str,
    *options: str | Path,
    days: tuple[str, ...] | None = None,
    code: int = 0,
    env: dict[str, str] | None = None,
    before: tuple[str, ...] = (),
) -> "Backfilled":
    """Builds the month, or some of its days."""
    arguments = backfill_arguments(source, lake, *options, days=days)
    return Backfilled(logmill(*arguments, code=code, env=env, before=before))


def backfill_arguments(
    source: Path | str, lake: Path | str, *options: str | Path, days: tuple[str, ...] | None = None
) -> tuple[str | Path, ...]:
    """The command line of a backfill whose summary goes to standard output."""
    rejects = () if "--max-reject-ratio" in options else SHARE_OF_REJECTS
    given = ("backfill", *(days or span()), *places(source, lake), *rejects, *options)
    return (*given, "--quiet", "--summary-json", "-")


class Backfilled:
    """The output of a backfill."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        self.messages = result.stderr
        self.summary: dict[str, Any] = json.loads(result.stdout)
        for day in self.summary["days"]:
            for table in day["tables"]:
                kept = sum(table[name] for name in ("written", "other_day", "duplicate", "quarantined"))
                assert table["read"] == kept, f"ledger does not balance: {table}"

    @property
    def made(self) -> Days:
        """Tables and days that were published."""
        return {(table["table"], day["day"]) for day in self.summary["days"] for table in day["tables"]}

    @property
    def failed(self) -> dict[tuple[str, str], str]:
        """Tables and days that failed, with the reason."""
        return {
            (table["table"], day["day"]): table["error"]
            for day in self.summary["days"]
            for table in day["failed"]
        }


def status(
    source: Path | str,
    lake: Path | str,
    *options: str | Path,
    days: tuple[str, ...] | None = None,
    env: dict[str, str] | None = None,
) -> dict[tuple[str, str], dict[str, Any]]:
    """The state of each day of each table."""
    arguments = ("status", *(days or span()), *places(source, lake), "--format", "json", *options)
    lines = [json.loads(line) for line in logmill(*arguments, env=env).stdout.splitlines()]
    found = {(line["table"], line["day"]): line for line in lines}
    assert len(found) == len(lines)
    return found


def in_state(lines: dict[tuple[str, str], dict[str, Any]], state: str) -> Days:
    """The days in a state."""
    return {place for place, line in lines.items() if line["state"] == state}


def every(days: Iterable[str]) -> Days:
    """The given days of every table."""
    return {(table, day) for day in days for table in DATASETS}


def files(root: Path) -> dict[str, bytes]:
    """Every file of a lake, including hidden ones."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def contents(found: dict[str, bytes]) -> dict[str, Any]:
    """The content of a lake by path, independent of the run and its time."""
    kept = {path: body for path, body in found.items() if not path.startswith(OF_RUNS)}
    held = {RUN.sub("RUN", path): content(path, body) for path, body in kept.items()}
    assert len(held) == len(kept), "two runs left the same file"
    return held


def unlisted(found: dict[str, Any]) -> dict[str, Any]:
    """Contents without the ledger of objects, which also counts files that are not logs."""
    return {
        path: {name: value for name, value in held.items() if name != "listed"} if isinstance(held, dict) else held
        for path, held in found.items()
    }


def live(found: dict[str, bytes]) -> dict[str, bytes]:
    """The files of a lake without those of runs that its manifests do not name."""
    live = {f"{table}/{partition(day)}": run for (table, day), run in runs(found).items()}
    place = re.compile(r"\w+/proc_ymd=\d{8}(?=/)")
    kept = {}
    for path, body in found.items():
        run, day = RUN.search(path), place.search(path.removeprefix("_quarantine/"))
        if run is None or (day and live.get(day[0]) == run[0]):
            kept[path] = body
    return kept


def content(path: str, body: bytes) -> Any:
    """A manifest without its run and times; for every other file, the SHA-256."""
    if not is_manifest(path):
        return hashlib.sha256(body).hexdigest()
    manifest = json.loads(RUN.sub("RUN", body.decode()))
    return {name: value for name, value in manifest.items() if name not in OF_ONE_RUN}


def manifests(found: dict[str, bytes]) -> dict[tuple[str, str], dict[str, Any]]:
    """The manifest of each published day."""
    read = [json.loads(body) for path, body in found.items() if is_manifest(path)]
    return {(manifest["table"], manifest["day"]): manifest for manifest in read}


def runs(found: dict[str, bytes]) -> dict[tuple[str, str], str]:
    """The run that built each day."""
    return {place: manifest["run"] for place, manifest in manifests(found).items()}


def of_days(contents: dict[str, Any], wanted: Days) -> dict[str, Any]:
    """The files of a lake that belong to some days."""
    names = tuple(f"{table}/{partition(day)}{end}" for table, day in wanted for end in ("/", ".json"))
    return {path: found for path, found in contents.items() if any(name in path for name in names)}


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The paths at which two lakes differ."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def work_folder(root: Path) -> Path:
    """The folder in which the runs of a local lake work."""
    return root.with_name(f".{root.name}.logmill")


def assert_tidy(root: Path) -> None:
    """Asserts that no run has left anything behind in a folder."""
    for place in (root / "_staging", work_folder(root)):
        assert not place.exists(), sorted(map(str, place.rglob("*")))[:5]
