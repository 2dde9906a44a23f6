"""The summary of a run for XCom: small, with the same shape for one day and for many. Independent of Airflow."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class BrokenSummary(Exception):
    """A summary that cannot be read. Only the exit code then shows the result of the run."""


def read_summary(file: Path) -> dict[str, Any] | None:
    """The summary of a run. None if the run did not start or was killed before its end."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    if not content.strip():
        return None
    try:
        return xcom_of(json.loads(content))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BrokenSummary(f"{type(error).__name__}: {error}") from error


def xcom_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of `--summary-json` that downstream tasks need."""
    return {
        "run": summary["run"],
        "exit_code": summary["exit_code"],
        "tables": [table_of(summary["run"], day["day"], table) for day in days_of(summary) for table in day["tables"]],
        "failed": [
            {"day": day.get("day"), "table": table["table"], "published": table["published"]}
            for day in [*days_of(summary), *whole_range(summary)]
            for table in day["failed"]
        ],
    }


def days_of(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The days of a summary: the day of `run` and the days it rebuilt, or the days of `backfill`."""
    return summary["days"] if "days" in summary else [summary, *summary.get("rebuilt", [])]


def whole_range(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The part of a backfill's summary outside its days: tables whose days could not be listed."""
    return [{"failed": summary["failed"]}] if "days" in summary else []


def table_of(run: str, day: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one table on one day."""
    return {
        "table": table["table"],
        "day": day,
        "run": run,
        "rows": table["written"],
        "quarantined": table["quarantined"],
        "files": table["files"],
        "file_bytes": table["file_bytes"],
        "state": state_of(table),
        "location": (table.get("catalog") or {}).get("location"),
    } | ({"proof": proof_of(table["proof"])} if table.get("proof") else {})


def state_of(table: Mapping[str, Any]) -> str:
    """Whether digests prove the day, or else whether late objects may still arrive."""
    if (table.get("proof") or {}).get("verdict") == "proved":
        return "proved"
    return "provisional" if table["provisional"] else "final"


def proof_of(proof: Mapping[str, Any]) -> dict[str, Any]:
    """What digests prove: the verdict and the file ledger."""
    return {name: proof[name] for name in ("verdict", "named", "right", "altered", "missing", "unnamed")}
