"""The summary of a run as XCom gets it: small, and of one shape for a day and for many. Knows no Airflow."""

from collections.abc import Mapping
from typing import Any


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
