"""The expected rows of the views that QuickSight loads for other log types, in plain Python from raw rows."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from math import floor
from statistics import fmean
from typing import Any

import alb_answers
import headed_answers
import waf_answers
from meanings import Record, Rows, day_of, kst, proc_ymd, utc

Group = tuple[Any, ...]
Measure = Callable[[list[Record]], Any]
HITS = ("Hit", "RefreshHit")


def hour_of(row: Record) -> Group:
    """The Korean day, and the hour in UTC and in Korea."""

    def begun(at: datetime) -> datetime:
        return at.replace(minute=0, second=0, microsecond=0)

    return proc_ymd(row), begun(utc(row)), begun(kst(row))


def grouped(
    rows: Iterable[Record], time: Callable[[Record], Group], names: str, *measures: Measure
) -> Rows:
    """Rows by time and some columns: their number, and what the measures find in them."""
    groups: dict[Group, list[Record]] = defaultdict(list)
    for row in rows:
        groups[*time(row), *(row[name] for name in names.split())].append(row)
    return [
        (*group, len(found), *(measure(found) for measure in measures)) for group, found in groups.items()
    ]


def number(name: str, *values: Any) -> Measure:
    """How many rows have one of some values."""
    return lambda rows: sum(row[name] in values for row in rows)


def errors(name: str, least: int = 400, most: int = 999) -> Measure:
    """How many rows have a status code in a range."""
    return lambda rows: sum(least <= (row[name] or 0) <= most for row in rows)


def total(name: str) -> Measure:
    """The sum of the known values, or None if all are unknown."""

    def measured(rows: list[Record]) -> int | None:
        known = [row[name] for row in rows if row[name] is not None]
        return sum(known) if known else None

    return measured


def milliseconds(name: str) -> Measure:
    """The mean of the known times in whole milliseconds. A target that did not respond has -1."""

    def measured(rows: list[Record]) -> float | None:
        known = [floor(row[name] * 1000 + 0.5) for row in rows if row[name] is not None and row[name] >= 0]
        return fmean(known) if known else None

    return measured


def balancers() -> dict[str, Rows]:
    """The views over the access logs of ALB."""
    rows, status = alb_answers.requests(), "elb_status_code"
    latency, sent = milliseconds("target_processing_time"), total("sent_bytes")
    by_hour = (errors(status, 400, 499), errors(status, 500), total("received_bytes"), sent, latency)
    reached = [row for row in rows if row["target_ip"] is not None]
    return {
        "alb_clients": grouped(rows, day_of, "elb client_ip", errors(status), sent),
        "alb_requests_by_hour": grouped(rows, hour_of, "elb", *by_hour),
        "alb_status_codes": grouped(rows, day_of, "elb elb_status_code"),
        "alb_targets": grouped(reached, day_of, "elb target_ip", errors(status, 500), latency),
    }


def distributions() -> dict[str, Rows]:
    """The views over the logs of CloudFront."""
    rows, hits = headed_answers.requests(), number("x_edge_result_type", *HITS)
    failed, sent = (errors("sc_status", 400, 499), errors("sc_status", 500)), total("sc_bytes")
    by_hour = (hits, *failed, total("cs_bytes"), sent, milliseconds("time_taken"))
    return {
        "cloudfront_clients": grouped(rows, day_of, "distribution_id c_ip", errors("sc_status"), sent),
        "cloudfront_requests_by_hour": grouped(rows, hour_of, "distribution_id", *by_hour),
        "cloudfront_results": grouped(rows, day_of, "distribution_id x_edge_result_type sc_status"),
        "cloudfront_uris": grouped(
            rows, day_of, "x_host_header cs_uri_stem", hits, errors("sc_status"), sent
        ),
    }


def web_acls() -> dict[str, Rows]:
    """The views over the logs of AWS WAF."""
    rows, blocked = waf_answers.requests(), number("action", "BLOCK")
    rule = "webacl_id terminating_rule_id terminating_rule_type action"
    return {
        "waf_actions_by_hour": grouped(rows, hour_of, "webacl_id action"),
        "waf_clients": grouped(rows, day_of, "http_request_client_ip http_request_country", blocked),
        "waf_rules": grouped(rows, day_of, rule),
        "waf_uris": grouped(rows, day_of, "header_host http_request_uri", blocked),
    }

