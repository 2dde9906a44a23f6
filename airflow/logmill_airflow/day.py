"""Which KST day a run of a DAG is about. Knows no Airflow: a context is a mapping.

Asked in this order:

1. the parameter `proc_ymd`: what somebody typed who triggers by hand;
2. the partition key of the run: Airflow 3.2 and later with a `CronPartitionTimetable`;
3. the end of the data interval: the last day that was over by then;
4. the time at which the run was triggered: likewise.

`{{ ds }}` is never looked at: it is the UTC date of the logical date, and in runs with a partition key it is undefined.
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
        raise ValueError(f"nothing tells which day is meant: give the parameter {PARAM}")
    return last_day_over(instant)


def parse_day(text: str) -> date:
    """A day as people write it."""
    if not re.fullmatch(DAY_PATTERN, text):
        raise ValueError(f"'{text}' is no day: 2023-11-01 or 20231101 is wanted")
    return date.fromisoformat(text)


def day_of_partition(key: str, partition_date: datetime | None) -> date:
    """The day that a partition key names; where it is no day, that of the partition's date."""
    if re.fullmatch(DAY_PATTERN, key):
        return parse_day(key)
    if partition_date is None:
        raise ValueError(f"the partition key '{key}' is no day, and the run has no partition date")
    return date_in_kst(partition_date)


def last_day_over(instant: datetime) -> date:
    """The last KST day that was over at an instant; at midnight that is the day that has just ended."""
    return date_in_kst(instant) - timedelta(days=1)


def ready_at(day: date, at: time) -> datetime:
    """The instant on the day after at which the logs of a day may be read."""
    return datetime.combine(day + timedelta(days=1), at, tzinfo=KST).astimezone(UTC)


def date_in_kst(instant: datetime) -> date:
    """The date on the Korean clock."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    there = instant.astimezone(KST)
    # Airflow's instants have dates of a class of their own.
    return date(there.year, there.month, there.day)


def partition_value(day: date) -> str:
    """A day as the partition column `proc_ymd` has it."""
    return day.strftime("%Y%m%d")
