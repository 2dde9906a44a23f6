"""The views of `glue/sql` over the registered days, compared with counts of the raw logs in plain Python."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from audit_day import FEBRUARY, MARCH, UNREGISTERED, write_early, write_late
from aws import Aws
from catalog import Registered
from faults import running
from glue_sql import VIEWS, AthenaDatabase, Rows, Statement
from harness import SAMPLE_DATA, SAMPLE_DAY
from meanings import MEANINGS, RawDays, raw_days

# The columns of each view, on which other programs rely.
COLUMNS = {
    "access_denied_by_principal": "proc_ymd day_utc principal account_id event_source event_name "
    "error_code requests "
    "first_time last_time",
    "access_ips": "proc_ymd day_utc bucket remote_ip requests",
    "anonymous_requests": "log proc_ymd event_time event_time_kst request_id bucket operation object_key "
    "source_ip "
    "user_agent error_code",
    "cloudtrail_events": "proc_ymd event_time event_time_kst principal caller account_id event_source "
    "event_name aws_region source_ip user_agent bucket error_code is_denied is_root mfa_used",
    "console_logins": "proc_ymd event_time event_time_kst user_name requester account_id source_ip "
    "user_agent mfa_used "
    "result error_message",
    "daily_users_by_service": "proc_ymd day_utc event_source users events events_per_user",
    "denied_ips": "proc_ymd day_utc bucket remote_ip requests",
    "denied_keys": "proc_ymd day_utc bucket key requests",
    "monthly_users": "month users events",
    "object_access": "proc_ymd event_time event_time_kst access event_name bucket object_key requester "
    "source_ip "
    "user_agent error_code",
    "root_usage": "proc_ymd event_time event_time_kst account_id event_source event_name aws_region "
    "source_ip user_agent "
    "error_code",
    "s3_access_lines": "proc_ymd request_time request_time_kst bucket requester remote_ip operation kind key "
    "http_status error_code bytes_sent object_size turn_around_time total_time user_agent is_anonymous",
    "s3_requests_by_hour": "proc_ymd hour_utc hour_kst bucket all_requests get_requests put_requests "
    "delete_requests "
    "head_requests post_requests select_requests select_bytes_scanned select_bytes_returned list_requests "
    "bytes_downloaded bytes_uploaded errors_4xx errors_5xx first_byte_latency total_request_latency",
    "sigv2_callers": "log proc_ymd day_utc requester source_ip bucket operation user_agent requests",
    "sigv2_requests": "log proc_ymd event_time event_time_kst request_id bucket operation object_key "
    "requester source_ip "
    "user_agent",
    "status_codes": "proc_ymd day_utc bucket http_status requests",
    "top_objects": "proc_ymd day_utc bucket key requests bytes_sent",
}
NAMES = [view.name for view in VIEWS]


@dataclass(frozen=True)
class Lake:
    """Some days as the catalog shows them, and the raw rows of the same days."""

    registered: Registered
    athena: AthenaDatabase
    raw: RawDays


@pytest.fixture(scope="module")
def aws_of_module(aws_server: str) -> Iterator[Aws]:
    """AWS for the lakes of this file."""
    with running(aws_server) as proxy:
        yield Aws(aws_server, proxy)


@pytest.fixture(scope="module")
def sample_lake(aws_of_module: Aws, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample day, registered."""
    registered = Registered(aws_of_module, aws_of_module.lake(), aws_of_module.database())
    registered.run(source=SAMPLE_DATA)
    athena = AthenaDatabase(registered, tmp_path_factory.mktemp("athena"))
    return Lake(registered, athena, raw_days(SAMPLE_DATA, [SAMPLE_DAY]))


@pytest.fixture(scope="module")
def audit_lake(aws_of_module: Aws, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The audit days: one was replaced when late objects arrived, one is published but not registered."""
    source = tmp_path_factory.mktemp("audit")
    registered = Registered(aws_of_module, aws_of_module.lake(), aws_of_module.database())
    write_early(source)
    registered.run(source=source, day=FEBRUARY)
    registered.run(source=source, day=MARCH)
    write_late(source)
    registered.run("--grace", "1h", source=source, day=MARCH)
    aws_of_module.run(registered.lake, "--catalog", "none", source=source, day=UNREGISTERED)
    athena = AthenaDatabase(registered, tmp_path_factory.mktemp("athena"))
    return Lake(registered, athena, raw_days(source, [FEBRUARY, MARCH]))


@pytest.fixture(params=["sample", "audit"])
def lake(request: pytest.FixtureRequest) -> Lake:
    """Each lake in turn."""
    return request.getfixturevalue(f"{request.param}_lake")


def in_order(rows: Rows) -> Rows:
    """Rows in an order that is independent of their source, with means rounded to common digits."""
    plain = [tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row) for row in rows]
    return sorted(plain, key=lambda row: [(cell is None, str(cell)) for cell in row])


@pytest.mark.parametrize("name", NAMES)
def test_a_view_agrees_with_the_raw_logs(lake: Lake, name: str) -> None:
    found = in_order(lake.athena.query(f"SELECT * FROM {name}"))
    assert found == in_order(MEANINGS[name](lake.raw))


@pytest.mark.parametrize("name", NAMES)
def test_the_raw_logs_have_rows_for_every_view(audit_lake: Lake, name: str) -> None:
    """Otherwise the test above would prove nothing."""
    assert len(MEANINGS[name](audit_lake.raw)) > 1


def test_every_view_has_an_expected_result_and_its_columns() -> None:
    assert set(NAMES) == MEANINGS.keys() == COLUMNS.keys()


@pytest.mark.parametrize("view", VIEWS, ids=NAMES)
def test_a_view_is_one_statement_with_the_expected_columns(sample_lake: Lake, view: Statement) -> None:
    assert view.sql.startswith(f"CREATE OR REPLACE VIEW {view.name} AS\nSELECT\n")
    assert view.sql.endswith(";")
    assert view.sql.count(";") == 1
    assert "--" not in view.sql
    assert len(view.comment) > 60
    others = set(re.findall(r"(?:FROM|JOIN)\s+(\w+)", view.sql))
    assert others <= {"cloudtrail", "s3_access"}
    columns = sample_lake.athena.columns(f"SELECT * FROM {view.name}")
    assert list(columns) == COLUMNS[view.name].split()


def test_views_show_neither_superseded_runs_nor_unregistered_days(audit_lake: Lake) -> None:
    registered, athena = audit_lake.registered, audit_lake.athena
    for table in ("cloudtrail", "s3_access"):
        folders = {
            path.split("/")[2]
            for path in registered.lake.paths()
            if path.startswith(f"{table}/proc_ymd=20260302/2")
        }
        assert len(folders) == 2, "the replaced run should still exist"
        assert any(path.startswith(f"{table}/proc_ymd=20260303/2") for path in registered.lake.paths())
        days = dict(athena.query(f"SELECT proc_ymd, count(*) FROM {table} GROUP BY 1"))
        rows = audit_lake.raw.events if table == "cloudtrail" else audit_lake.raw.lines
        assert days.keys() == {"20260228", "20260302"}
        assert sum(days.values()) == len(rows)


def test_views_show_late_objects(audit_lake: Lake) -> None:
    late = "SELECT count(*) FROM sigv2_requests WHERE object_key = 'late.csv' GROUP BY log"
    assert audit_lake.athena.query(late) == [(1,), (1,)]


def test_a_user_is_defined_once() -> None:
    """The four views that count or name users define them with the same words."""
    bodies = [view.text for view in VIEWS if "on_behalf_of" in view.text]
    assert len(bodies) == 4
    found = {
        match
        for body in bodies
        for match in re.findall(r"    CASE\n      WHEN user_identity_type.*?\n    END", body, re.S)
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("name", "users"),
    [
        (
            "kms.amazonaws.com",
            4,
        ),  # a role of many sessions, two people behind one permission set, a session without a role
        ("sts.amazonaws.com", 3),  # a role of another account, a user of it, a web identity
    ],
)
def test_a_role_is_one_user_and_each_person_in_identity_center_is_one(
    audit_lake: Lake, name: str, users: int
) -> None:
    query = (
        f"SELECT users FROM daily_users_by_service WHERE event_source = '{name}' AND proc_ymd = '20260302'"
    )
    assert audit_lake.athena.query(query) == [(users,)]


def test_services_do_not_count_as_users(audit_lake: Lake) -> None:
    query = (
        "SELECT users, events_per_user FROM daily_users_by_service WHERE event_source = 'sqs.amazonaws.com'"
    )
    assert audit_lake.athena.query(query) == [(0, None)]


def test_metrics_of_an_hour_add_up(lake: Lake) -> None:
    """Each request has at most one kind."""
    sums: Any = lake.athena.query(
        "SELECT all_requests >= get_requests + put_requests + delete_requests + head_requests + "
        "post_requests "
        "+ select_requests + list_requests, errors_4xx + errors_5xx <= all_requests FROM s3_requests_by_hour"
    )
    assert len(sums) > 3
    assert set(sums) == {(True, True)}
