"""Which data sets are refreshed after a run, and how."""

from datetime import datetime
from typing import Any

import pytest
from logmill_airflow.config import Config
from logmill_airflow.spice import FULL, INCREMENTAL, refreshes

BOTH = "logmill-sigv2-callers"
DATA_SETS = {"cloudtrail": ["logmill-monthly-users", "logmill-daily-users", BOTH], "s3_access": ["logmill-ips", BOTH]}
# 04:00 in Seoul on November 2.
NIGHT = datetime.fromisoformat("2023-11-01T19:00Z")


def entry(table: str, day: str = "2023-11-01") -> dict[str, str]:
    """What a run has published."""
    return {"table": table, "day": day, "run": f"run-{table}"}


def kinds(*published: dict[str, str], now: datetime = NIGHT, **settings: Any) -> dict[str, str]:
    """Data sets that are refreshed, and how; each of them once."""
    config = Config.of({"quicksight_data_sets": DATA_SETS} | settings)
    ways = (config.quicksight_full_refresh, config.quicksight_lookback_days)
    found = refreshes(published, config.quicksight_data_sets, *ways, now)
    assert len({one["data_set_id"] for one in found}) == len(found)
    return {one["data_set_id"]: one["ingestion_type"] for one in found}


def test_the_day_that_has_just_ended_is_added_and_what_knows_no_day_is_loaded_whole() -> None:
    assert kinds(entry("cloudtrail"), entry("s3_access")) == {
        "logmill-monthly-users": FULL,
        "logmill-daily-users": INCREMENTAL,
        BOTH: INCREMENTAL,
        "logmill-ips": INCREMENTAL,
    }


def test_only_data_sets_of_tables_that_were_published_are_refreshed() -> None:
    assert kinds(entry("s3_access")) == {"logmill-ips": INCREMENTAL, BOTH: INCREMENTAL}
    assert kinds(entry("other")) == {}


def test_which_are_loaded_whole_is_a_setting() -> None:
    assert kinds(entry("s3_access"), quicksight_full_refresh=["*"]) == {"logmill-ips": FULL, BOTH: FULL}
    assert kinds(entry("s3_access"), quicksight_full_refresh=["logmill-ips"])["logmill-ips"] == FULL


@pytest.mark.parametrize(("day", "kind"), [("2023-10-27", INCREMENTAL), ("2023-10-26", FULL), ("2020-01-01", FULL)])
def test_a_day_that_an_incremental_refresh_would_not_reach_is_loaded_in_full(day: str, kind: str) -> None:
    # October 26 in Seoul begins on the 25th in UTC, of which seven days back from now are only the evening.
    assert kinds(entry("s3_access", day))["logmill-ips"] == kind


@pytest.mark.parametrize("days", [("2023-11-01", "2020-01-01"), ("2020-01-01", "2023-11-01")])
def test_one_day_out_of_reach_is_enough_for_a_full_refresh(days: tuple[str, str]) -> None:
    assert kinds(*(entry("s3_access", day) for day in days))["logmill-ips"] == FULL
