"""The KST day that a DAG run is about. Independent of Airflow: a context is a mapping.

Sources, in this order:

1. the parameter `proc_ymd`, set by hand;
2. the partition key of the run: Airflow 3.2 and later with a `CronPartitionTimetable`;
3. the end of the data interval: the last day that had ended by then;
4. the time at which the run was triggered: likewise.

`{{ ds }}` is never used: it is the UTC date of the logical date, and is undefined in runs with a partition key.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

KST = timezone(timedelta(hours=9), "KST")
PARAM = "proc_ymd"
# 2023-11-01 or 20231101.
DAY_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"


def day_of(context: Mapping[str, Any]) -> date:
    """The KST day that a run is about."""
    run = context.get("dag_run")
    typed = (context.get("params") or {}).get(PARAM) or (getattr(run, "conf", None) or {}).get(PARAM)
    if typed:
        return parse_day(str(typed))
    key = getattr(run, "partition_key", None) or context.get("partition_key")
    if key:
        return day_of_partition(str(key), getattr(run, "partition_date", None) or context.get("partition_date"))
    instant = context.get("data_interval_end") or getattr(run, "data_interval_end", None)
    instant = instant or getattr(run, "run_after", None) or context.get("logical_date")
    if not isinstance(instant, datetime):
        raise ValueError(f"cannot determine the day of the run: set the parameter {PARAM}")
    return last_ended_day(instant)


def parse_day(text: str) -> date:
    """Parses a day, for example 2023-11-01 or 20231101."""
    if not re.fullmatch(DAY_PATTERN, text):
        raise ValueError(f"invalid day '{text}': expected YYYY-MM-DD or YYYYMMDD")
    return date.fromisoformat(text)


def day_of_partition(key: str, partition_date: datetime | None) -> date:
    """The day that a partition key names. For other keys, the day of the partition date."""
    if re.fullmatch(DAY_PATTERN, key):
        return parse_day(key)
    if partition_date is None:
        raise ValueError(f"the partition key '{key}' does not name a day, and the run has no partition date")
    return date_in_kst(partition_date)


def last_ended_day(instant: datetime) -> date:
    """The last KST day that had ended at an instant. At midnight this is the day that has just ended."""
    return date_in_kst(instant) - timedelta(days=1)


def ready_at(day: date, at: time) -> datetime:
    """When the logs of a day may be read: this time on the following day."""
    return datetime.combine(day + timedelta(days=1), at, tzinfo=KST).astimezone(UTC)


def date_in_kst(instant: datetime) -> date:
    """The date of an instant in Korea."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    local = instant.astimezone(KST)
    # Airflow's instants return their own date class.
    return date(local.year, local.month, local.day)


def partition_value(day: date) -> str:
    """A day in the format of the partition column `proc_ymd`."""
    return day.strftime("%Y%m%d")
