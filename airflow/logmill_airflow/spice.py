"""Decides which SPICE data sets of QuickSight to refresh after a run, and how. Independent of Airflow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

INCREMENTAL, FULL = "INCREMENTAL_REFRESH", "FULL_REFRESH"


def refreshes(
    published: Iterable[Mapping[str, Any]],
    data_sets: Mapping[str, Sequence[str]],
    whole: Sequence[str],
    lookback_days: int,
    now: datetime,
) -> list[dict[str, str]]:
    """One refresh for each data set that shows a published table, even if it shows several of them.

    An incremental refresh loads the last `lookback_days` days, counted back from now in UTC. Older days need a full
    refresh. So do data sets without a time column, whose ids match a pattern in `whole` (`*` matches any text).
    """
    oldest = now.astimezone(UTC).date() - timedelta(days=lookback_days)
    found: dict[str, dict[str, str]] = {}
    for entry in published:
        # The first hours of a Korean day fall on the previous day in UTC.
        begins = date.fromisoformat(entry["day"]) - timedelta(days=1)
        for data_set in data_sets.get(entry["table"], []):
            full = begins <= oldest or any(fnmatchcase(data_set, pattern) for pattern in whole)
            new = {"data_set_id": data_set, "ingestion_type": INCREMENTAL, "run": entry["run"]}
            refresh = found.setdefault(data_set, new)
            if full:
                refresh["ingestion_type"] = FULL
    return list(found.values())
