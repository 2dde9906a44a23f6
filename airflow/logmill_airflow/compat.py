"""Differences between Airflow 2.11 and 3 that the common-compat provider does not cover."""

from typing import Any

from airflow import __version__
from airflow.providers.common.compat.sdk import Variable

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:
    CronPartitionTimetable = None

AIRFLOW_3 = not __version__.startswith("2.")
# Whether runs can have partition keys: Airflow 3.2 and later.
HAS_PARTITIONS = CronPartitionTimetable is not None
MIDNIGHT, ZONE = "0 0 * * *", "Asia/Seoul"


def variable(name: str) -> str | None:
    """The text of an Airflow Variable, or None.

    Reads the text because Airflow 3, asked for JSON, treats a variable with broken JSON as unset.
    """
    missing = {"default": None} if AIRFLOW_3 else {"default_var": None}
    return Variable.get(name, **missing)


def daily_timetable() -> Any:
    """One run per KST day, at the midnight that ends it.

    With partition keys, the tick must be midnight for a second reason: `airflow backfill create` treats its bounds as
    midnights, and a later tick would silently drop the last day.
    """
    if HAS_PARTITIONS:
        return CronPartitionTimetable(MIDNIGHT, timezone=ZONE, run_offset=-1, key_format="%Y-%m-%d")
    from airflow.timetables.interval import CronDataIntervalTimetable

    return CronDataIntervalTimetable(MIDNIGHT, timezone=ZONE)


def three_hourly_timetable() -> Any:
    """A tick every three hours in Korean time, away from the start of the daily run."""
    if AIRFLOW_3:
        from airflow.sdk import CronTriggerTimetable
    else:
        from airflow.timetables.trigger import CronTriggerTimetable
    return CronTriggerTimetable("30 */3 * * *", timezone=ZONE)


def add_partition(event: Any, key: str) -> None:
    """Adds a partition to an asset event, if this Airflow version supports it."""
    if hasattr(event, "add_partitions"):
        event.add_partitions(key)
