"""Which SPICE data sets of QuickSight are refreshed after a run, and how. Knows no Airflow."""

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
    """One refresh for each data set that shows a table which was published, however many of them it shows.

    An incremental refresh loads so many days, counted back from now in UTC: what is older takes a full one. So do data
    sets without a column of time, whose ids are in `whole`, with `*` for any part.
    """
    oldest = now.astimezone(UTC).date() - timedelta(days=lookback_days)
    found: dict[str, dict[str, str]] = {}
    for entry in published:
        # The first hours of a Korean day are on the day before in UTC.
        begins = date.fromisoformat(entry["day"]) - timedelta(days=1)
        for data_set in data_sets.get(entry["table"], []):
            full = begins <= oldest or any(fnmatchcase(data_set, pattern) for pattern in whole)
            new = {"data_set_id": data_set, "ingestion_type": INCREMENTAL, "run": entry["run"]}
            refresh = found.setdefault(data_set, new)
            if full:
                refresh["ingestion_type"] = FULL
    return list(found.values())
