"""The KST day of a run: by partition key, by data interval, by hand; at the edges of the day."""

from datetime import UTC, date, datetime, time
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.timetables.base import TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from airflow.timetables.trigger import CronPartitionTimetable, CronTriggerTimetable
from logmill_airflow.compat import MIDNIGHT, ZONE, daily_timetable
from logmill_airflow.day import day_of, last_ended_day, parse_day, partition_value, ready_at
from logmill_airflow.tasks import logs_have_arrived
from pendulum import instance


def at(text: str) -> Any:
    """An instant in the type that timetables expect."""
    return instance(datetime.fromisoformat(text))


def run(**fields: Any) -> SimpleNamespace:
    """A DAG run. Fields that are not given are None."""
    names = ("conf", "partition_key", "partition_date", "data_interval_end", "run_after")
    return SimpleNamespace(**dict.fromkeys(names) | fields)


def of_partition(tick_after: str) -> date:
    """The day of the run that Airflow creates at the first tick after an instant."""
    ours = daily_timetable()
    timetable = CronPartitionTimetable(
        ours.expression, timezone=ours.timezone, run_offset=ours.run_offset, key_format=ours.key_format
    )
    restriction = TimeRestriction(earliest=at(tick_after), latest=None, catchup=True)
    info = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)
    dag_run = run(partition_key=info.partition_key, partition_date=info.partition_date, run_after=info.run_after)
    return day_of({"dag_run": dag_run})


def of_interval(tick_after: str, cron: str = MIDNIGHT, zone: str = ZONE) -> date:
    """The same with data intervals, as in versions without partition keys."""
    restriction = TimeRestriction(earliest=at(tick_after), latest=None, catchup=True)
    timetable = CronDataIntervalTimetable(cron, timezone=zone)
    info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert (info.data_interval.end - info.data_interval.start).total_seconds() == 86400
    return day_of({"data_interval_end": info.data_interval.end, "dag_run": run(run_after=info.run_after)})


@pytest.mark.parametrize(
    ("earliest", "day"),
    [
        # The midnight tick of November 2 in Seoul is 15:00 UTC on November 1: it builds November 1.
        ("2023-11-01T14:59:59Z", date(2023, 11, 1)),
        ("2023-11-01T15:00:00Z", date(2023, 11, 1)),
        ("2023-11-01T15:00:01Z", date(2023, 11, 2)),
        ("2023-12-31T15:00:00Z", date(2023, 12, 31)),
        ("2024-02-29T15:00:00Z", date(2024, 2, 29)),
    ],
)
def test_by_partition_key(earliest: str, day: date) -> None:
    assert of_partition(earliest) == day


@pytest.mark.parametrize(
    ("earliest", "day"),
    [
        # An interval that starts with November 1 in Seoul, at 15:00 UTC on October 31, means November 1.
        ("2023-10-31T14:59:59Z", date(2023, 11, 1)),
        ("2023-10-31T15:00:00Z", date(2023, 11, 1)),
        ("2023-10-31T15:00:01Z", date(2023, 11, 2)),
        ("2024-02-28T15:00:00Z", date(2024, 2, 29)),
    ],
)
def test_by_data_interval(earliest: str, day: date) -> None:
    assert of_interval(earliest) == day


@pytest.mark.parametrize(
    ("cron", "zone", "day"),
    [
        # From 04:00 on November 2 in Seoul to 04:00 on November 3.
        ("0 4 * * *", "Asia/Seoul", date(2023, 11, 2)),
        ("59 23 * * *", "Asia/Seoul", date(2023, 11, 1)),
        # November 1 in UTC ends at 09:00 on November 2 in Seoul.
        ("0 0 * * *", "UTC", date(2023, 11, 1)),
    ],
)
def test_other_daily_intervals_mean_the_last_day_that_had_ended(cron: str, zone: str, day: date) -> None:
    assert of_interval("2023-11-01T00:00:00Z", cron, zone) == day


@pytest.mark.parametrize(
    ("now", "day"),
    [("2023-11-01T14:59:59Z", date(2023, 10, 31)), ("2023-11-01T15:00:00Z", date(2023, 11, 1))],
)
def test_a_manual_run_without_a_day_means_yesterday_in_seoul(now: str, day: date) -> None:
    assert day_of({"dag_run": run(run_after=at(now)), "params": {"proc_ymd": None}}) == day
    assert last_ended_day(at(now)) == day
    interval = CronTriggerTimetable(MIDNIGHT, timezone=ZONE).infer_manual_data_interval(run_after=at(now))
    assert day_of({"dag_run": run(), "data_interval_end": interval.end}) == day


@pytest.mark.parametrize("typed", ["2023-11-01", "20231101", 20231101])
def test_a_day_set_by_hand_overrides_all_others(typed: Any) -> None:
    others = run(partition_key="2024-01-01", run_after=at("2025-01-01T00:00Z"))
    assert day_of({"dag_run": others, "params": {"proc_ymd": typed}}) == date(2023, 11, 1)
    others.conf = {"proc_ymd": typed}
    assert day_of({"dag_run": others}) == date(2023, 11, 1)


def test_a_key_in_another_form_means_its_partition_date() -> None:
    key = {"partition_key": "2023-11-01T00:00:00", "partition_date": at("2023-10-31T15:00:00Z")}
    assert day_of({"dag_run": run(**key)}) == date(2023, 11, 1)
    assert day_of({"dag_run": run(partition_key="20231101")}) == date(2023, 11, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-1",
        "2023-13-01",
        "20230229",
        "yesterday",
        "2023-11-01; rm",
        "2023-11-01\n",
        "\uff11\uff12\uff13\uff14\uff10\uff11\uff10\uff11",
    ],
)
def test_invalid_days_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|isoformat"):
        parse_day(text)


def test_a_run_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="proc_ymd"):
        day_of({"dag_run": run()})
    with pytest.raises(ValueError, match="does not name a day"):
        day_of({"dag_run": run(partition_key="eu-west-1")})
    with pytest.raises(ValueError, match="time zone"):
        last_ended_day(datetime(2023, 11, 1))


def test_a_day_is_ready_at_four_the_next_morning_in_seoul() -> None:
    assert ready_at(date(2023, 11, 1), time(4)) == datetime(2023, 11, 1, 19, tzinfo=UTC)
    assert partition_value(date(2023, 11, 1)) == "20231101"


@pytest.mark.parametrize(
    ("run_type", "now", "arrived"),
    [
        ("scheduled", "2023-11-01T18:59:59Z", False),
        ("scheduled", "2023-11-01T19:00:00Z", True),
        ("backfill", "2024-11-01T00:00:00Z", True),
        ("manual", "2023-11-01T15:00:00Z", True),
    ],
)
def test_scheduled_runs_wait_for_their_logs(run_type: str, now: str, arrived: bool) -> None:
    assert logs_have_arrived("2023-11-01", run_type, time(4), at(now)) is arrived


def test_a_backfill_of_three_days_has_three_partition_keys() -> None:
    ours = daily_timetable()
    timetable = CronPartitionTimetable(
        ours.expression, timezone=ours.timezone, run_offset=ours.run_offset, key_format=ours.key_format
    )
    infos = timetable.iter_partition_dagrun_infos(earliest=at("2026-01-01T00:00Z"), latest=at("2026-01-03T00:00Z"))
    assert [info.partition_key for info in infos] == ["2026-01-01", "2026-01-02", "2026-01-03"]
