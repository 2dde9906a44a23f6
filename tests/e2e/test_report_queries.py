"""The queries on the page of `logmill report` in DuckDB and in Trino's grammar; findings over four weeks."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from glue_sql import FOLDER, Statement, translated
from harness import Lake, Published, logmill, run_day
from headed_day import headed_day
from log_tables import in_duckdb
from meanings import moment
from test_report import NOTHING, Page
from trino_grammar import objections
from waf_day import waf_day

FIRST, LAST = date(2023, 10, 4), date(2023, 11, 2)
# The days of the report are the last two.
DAYS = ("--from", "2023-11-01", "--to", "2023-11-02")
ACCOUNT = "111122223333"
TABLES = ["cloudtrail", "s3_access", "alb_access", "cloudfront", "waf"]
VIEWS = [
    Statement(path)
    for path in sorted(FOLDER.glob("**/views/*.sql"))
    if "across" not in path.parts
    and not path.name.startswith(("nlb", "clb", "vpc", "resolver", "alb_connection"))
]


def event(at: datetime, source: str, name: str, user: str, ip: str, **more: Any) -> dict[str, Any]:
    """An event of an IAM user, at a time in Korea."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    utc = at - timedelta(hours=9)
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": user},
        "eventTime": utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "ap-northeast-2",
        "sourceIPAddress": ip,
        "eventID": f"{utc.timestamp():.0f}-{user}-{name}",
        "recipientAccountId": ACCOUNT,
    } | more


def login(at: datetime, user: str, result: str) -> dict[str, Any]:
    """A sign-in to the console."""
    facts = {"responseElements": {"ConsoleLogin": result}, "additionalEventData": {"MFAUsed": "Yes"}}
    return event(at, "signin", "ConsoleLogin", user, "203.0.113.7", **facts)


def events() -> Iterator[dict[str, Any]]:
    """Four quiet weeks with the same calls each day, then two days with something of everything."""
    for number in range((LAST - FIRST).days + 1):
        start = datetime.combine(FIRST + timedelta(days=number), datetime.min.time())
        for minute in range(10):
            yield event(start + timedelta(hours=9, minutes=minute), "kms", "Decrypt", "kim", "203.0.113.7")
        yield login(start + timedelta(hours=8), "kim", "Success")
        refused = {"errorCode": "AccessDenied"}
        yield event(start + timedelta(hours=10), "kms", "CreateKey", "kim", "203.0.113.8", **refused)
    day = datetime(2023, 11, 1)
    # The second of the two days is Thursday, with 11 + 90 events after weeks with 12.
    for minute in range(90):
        yield event(
            datetime(2023, 11, 2, 13, minute % 60, minute // 60), "kms", "Encrypt", "kim", "203.0.113.9"
        )
    yield event(day + timedelta(hours=11), "bedrock", "InvokeModel", "lee", "198.51.100.20")
    yield event(
        day + timedelta(hours=11), "iam", "CreateUser", "lee", "198.51.100.21", errorCode="AccessDenied"
    )
    root = {"userIdentity": {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}}
    yield event(day + timedelta(hours=12), "iam", "CreateAccessKey", "root", "198.51.100.22", **root)
    for minute, result in enumerate(("Failure", "Failure", "Success")):
        yield login(day + timedelta(hours=14, minutes=minute), "park", result)
    # More than an hour apart, and in the other order.
    yield login(day + timedelta(hours=16), "choi", "Failure")
    yield login(day + timedelta(hours=17, minutes=1), "choi", "Success")


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the four weeks."""
    source, lake = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("lake")
    by_hour: dict[str, list[dict[str, Any]]] = {}
    for one in events():
        by_hour.setdefault(one["eventTime"][:13], []).append(one)
    for hour, of_hour in by_hour.items():
        day, _, time = hour.partition("T")
        folder = source / f"AWSLogs/{ACCOUNT}/CloudTrail/ap-northeast-2" / day.replace("-", "/")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{ACCOUNT}_CloudTrail_ap-northeast-2_{day.replace('-', '')}T{time}59Z_{'0' * 16}.json.gz"
        (folder / name).write_bytes(gzip.compress(json.dumps({"Records": of_hour}).encode()))
    days = ("--from", str(FIRST), "--to", str(LAST))
    logmill("backfill", *days, "--input", source, "--output", lake)
    return lake


@pytest.fixture(scope="module")
def page(weeks: Path) -> Page:
    """The report of the last two days."""
    return Page(logmill("report", *DAYS, "--output", weeks, "--to-file", "-").stdout)


def user(name: str) -> str:
    """The ARN of a user."""
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def test_findings_are_what_happened_in_the_two_days(page: Page) -> None:
    at = "2023-11-01 11:00:00"
    root = f"arn:aws:iam::{ACCOUNT}:root"
    expected = {
        "root-without-mfa": [
            [ACCOUNT, "198.51.100.22", "iam.amazonaws.com", "CreateAccessKey", "2023-11-01 12:00:00", "1"]
        ],
        "guessed-logins": [["park", ACCOUNT, "2023-11-01 14:02:00", "203.0.113.7", "Yes", "2"]],
        "first-denials": [[user("lee"), "iam.amazonaws.com", "CreateUser", at, "1"]],
        "new-services": [
            ["iam.amazonaws.com", at, "2", "2"],
            ["bedrock.amazonaws.com", at, "1", "1"],
        ],
        "new-networks": [["198.51.100.0/24", at, "3", "3"]],
        "event-spikes": [["2023-11-02", "12.0", "102"]],
    }
    for name, rows in expected.items():
        assert page.rows(name) == rows, name
    new = {user("park"), user("choi"), user("lee"), root}
    assert {row[0] for row in page.rows("new-principals")} == new
    # S3 has no published day, so nothing about it was asked.
    assert not page.tables.keys() & {"public-reads", "s3-spikes"}


def test_filters_restrict_findings_and_figures(weeks: Path) -> None:
    filters = ("--principal", user("kim"), "--account", ACCOUNT)
    page = Page(logmill("report", *DAYS, *filters, "--output", weeks, "--to-file", "-").stdout)
    assert {row[0] for row in page.rows("denied-principals")} == {user("kim")}
    assert not page.tables.keys() & {"new-principals", "root-without-mfa", "guessed-logins"}
    assert page.rows("event-spikes") == [["2023-11-02", "12.0", "102"]]


@pytest.fixture(scope="module")
def all_logs(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day of every log."""
    return run_day(tmp_path_factory.mktemp("lake"), "--max-reject-ratio", "5%", "--dataset", "all")


@pytest.fixture(scope="module")
def day(all_logs: Published) -> Page:
    """The report of the sample day."""
    root = all_logs.lake.root
    return Page(logmill("report", "--day", "2023-11-01", "--output", root, "--to-file", "-").stdout)


def test_cloudfront_matches_the_raw_lines(day: Page) -> None:
    rows = list(headed_day("cloudfront").rows.values())
    hours = Counter(moment(row["event_time_kst"]).strftime("%Y-%m-%d %H:00") for row in rows)
    assert {row[0]: int(row[1]) for row in day.rows("cloudfront-over-time")} == hours
    errors = Counter(
        (str(row["sc_status"]), row["x_edge_detailed_result_type"] or NOTHING)
        for row in rows
        if (row["sc_status"] or 0) >= 400
    )
    assert errors
    assert {(row[0], row[1]): int(row[2]) for row in day.rows("cloudfront-errors")} == errors
    bytes_of_edges: Counter[str] = Counter()
    for row in rows:
        bytes_of_edges[(row["x_edge_location"] or NOTHING)[:3]] += row["sc_bytes"] or 0
    edges = {row[0]: int(row[2].replace(NOTHING, "0")) for row in day.rows("edges")}
    assert edges.items() <= bytes_of_edges.items()


def test_waf_matches_the_raw_records(day: Page) -> None:
    rows = list(waf_day().rows.values())
    stopped = Counter((row["terminating_rule_id"], row["action"]) for row in rows if row["action"] != "ALLOW")
    shown: Counter[tuple[str, str]] = Counter()
    for row in day.rows("waf-rules"):
        shown[row[1], row[2]] += int(row[4])
    assert shown.items() <= stopped.items()
    assert len(shown) > 1
    clients = Counter(
        (row["http_request_client_ip"], (row["http_request_country"] or "-").replace("-", NOTHING))
        for row in rows
        if row["action"] == "BLOCK"
    )
    assert {(row[0], row[1]): int(row[3]) for row in day.rows("waf-clients")}.items() <= clients.items()
    hours = Counter(moment(row["event_time_kst"]).strftime("%Y-%m-%d %H:00") for row in rows)
    assert {row[0]: int(row[1]) for row in day.rows("waf-over-time")} == hours


def test_every_query_on_the_page_gives_its_rows_in_duckdb_too(
    all_logs: Published, day: Page, weeks: Path, page: Page
) -> None:
    compared = [
        *compare(day, in_duckdb(all_logs.lake, TABLES, VIEWS)),
        *compare(page, in_duckdb(Lake(weeks), ["cloudtrail"], of_cloudtrail())),
    ]
    assert len(compared) > 30
    sql = [*day.queries.values(), *page.queries.values()]
    assert objections("trino", sql) == [[]] * len(sql)


def of_cloudtrail() -> list[Statement]:
    """The views that need only CloudTrail."""
    return [view for view in VIEWS if view.name in ("cloudtrail_events", "console_logins")]


def compare(page: Page, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Compares the tables of a page with the answers of another engine to their queries."""
    for name, sql in page.queries.items():
        if "sigv2_callers" in sql and name.startswith("sigv2") and "s3_access" not in tables(connection):
            continue
        found = connection.execute(translated(sql)).fetchall()
        # A heat map has another form than its rows, and a figure without rows has no table.
        if not name.startswith("service-") and name in page.tables:
            assert [list(map(written, row)) for row in found] == [
                list(map(read, row)) for row in page.rows(name)
            ], name
            yield name


def tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of the tables."""
    return {row[0] for row in connection.execute("SHOW TABLES").fetchall()}


def written(cell: Any) -> Any:
    """A value as the page writes it."""
    match cell:
        case None:
            return NOTHING
        case datetime():
            return cell.replace(tzinfo=None).isoformat(" ", "seconds")
        case str():
            return read(cell)
        case date():
            return cell.isoformat()
        case _:
            return round(float(cell), 1)


def read(cell: str) -> Any:
    """A cell of the page, as a number if it is one."""
    try:
        return round(float(cell.replace(",", "")), 1)
    except ValueError:
        return cell
