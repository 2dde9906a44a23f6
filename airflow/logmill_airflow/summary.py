"""The summary of a run as XCom gets it: small, and of one shape for a day and for many. Knows no Airflow."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class BrokenSummary(Exception):
    """A summary that cannot be read. What a run has done is told by its exit code alone."""


def read_summary(file: Path) -> dict[str, Any] | None:
    """The summary of a run; none if it has not begun, or was killed before its end."""
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
    """What the tasks that follow have to know of a run, from `--summary-json`."""
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
    """The days of a summary: one of `run`, those that it rebuilt, or those of `backfill`."""
    return summary["days"] if "days" in summary else [summary, *summary.get("rebuilt", [])]


def whole_range(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a backfill says beside its days: tables whose days could not be looked at."""
    return [{"failed": summary["failed"]}] if "days" in summary else []


def table_of(run: str, day: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a table on a day."""
    return {
        "table": table["table"],
        "day": day,
        "run": run,
        "rows": table["written"],
        "quarantined": table["quarantined"],
        "files": table["files"],
        "file_bytes": table["file_bytes"],
        "state": "provisional" if table["provisional"] else "final",
        "location": (table.get("catalog") or {}).get("location"),
    }
