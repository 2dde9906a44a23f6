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
    """A table that a run published."""
    return {"table": table, "day": day, "run": f"run-{table}"}


def kinds(*published: dict[str, str], now: datetime = NIGHT, **settings: Any) -> dict[str, str]:
    """The refresh type of each data set; asserts that each is refreshed once."""
    config = Config.of({"quicksight_data_sets": DATA_SETS} | settings)
    ways = (config.quicksight_full_refresh, config.quicksight_lookback_days)
    found = refreshes(published, config.quicksight_data_sets, *ways, now)
    assert len({one["data_set_id"] for one in found}) == len(found)
    return {one["data_set_id"]: one["ingestion_type"] for one in found}


def test_the_latest_day_is_loaded_incrementally_except_in_data_sets_without_a_time_column() -> None:
    assert kinds(entry("cloudtrail"), entry("s3_access")) == {
        "logmill-monthly-users": FULL,
        "logmill-daily-users": INCREMENTAL,
        BOTH: INCREMENTAL,
        "logmill-ips": INCREMENTAL,
    }


def test_only_data_sets_of_tables_that_were_published_are_refreshed() -> None:
    assert kinds(entry("s3_access")) == {"logmill-ips": INCREMENTAL, BOTH: INCREMENTAL}
    assert kinds(entry("other")) == {}


def test_a_setting_names_the_data_sets_that_are_fully_refreshed() -> None:
    assert kinds(entry("s3_access"), quicksight_full_refresh=["*"]) == {"logmill-ips": FULL, BOTH: FULL}
    assert kinds(entry("s3_access"), quicksight_full_refresh=["logmill-ips"])["logmill-ips"] == FULL


@pytest.mark.parametrize(("day", "kind"), [("2023-10-27", INCREMENTAL), ("2023-10-26", FULL), ("2020-01-01", FULL)])
def test_a_day_out_of_reach_of_an_incremental_refresh_needs_a_full_one(day: str, kind: str) -> None:
    # October 26 in Seoul starts on October 25 in UTC; seven days back from now cover only the evening of that date.
    assert kinds(entry("s3_access", day))["logmill-ips"] == kind


@pytest.mark.parametrize("days", [("2023-11-01", "2020-01-01"), ("2020-01-01", "2023-11-01")])
def test_one_day_out_of_reach_causes_a_full_refresh(days: tuple[str, str]) -> None:
    assert kinds(*(entry("s3_access", day) for day in days))["logmill-ips"] == FULL
