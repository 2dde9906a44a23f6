"""The expected rows of each query in `glue/sql/waf/queries`, in plain Python from raw rows."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from alb_answers import Rows, kst, ranked
from meanings import moment
from waf_day import Record, waf_day


def requests() -> list[Record]:
    return list(waf_day().rows.values())


def blocked() -> list[Record]:
    return [row for row in requests() if row["action"] == "BLOCK"]


def with_values(rows: Iterable[Record], **values: Callable[[Record], Any]) -> list[Record]:
    """Rows with values computed from each of them."""
    return [row | {name: value(row) for name, value in values.items()} for row in rows]


def first(raw: str | None) -> dict[str, Any]:
    """The first element of a list in JSON, if any."""
    return (json.loads(raw or "[]") or [{}])[0]


def first_group(row: Record) -> dict[str, Any]:
    return first(row["rule_group_list"])


def excluded(row: Record) -> str | None:
    return ((first_group(row).get("excludedRules") or [{}])[0]).get("ruleId")


def counted_managed(row: Record) -> str | None:
    rule = (first_group(row).get("nonTerminatingMatchingRules") or [{}])[0]
    return rule.get("ruleId") if rule.get("action") == "COUNT" else None


def counted_custom(row: Record) -> str | None:
    rule = first(row["non_terminating_matching_rules"])
    return rule.get("ruleId") if rule.get("action") == "COUNT" else None


def forwarded(row: Record) -> str | None:
    headers = json.loads(row["http_request_headers"])
    return next((h["value"] for h in headers if h["name"].lower() == "x-forwarded-for"), None)


def present(rows: Iterable[Record], name: str) -> list[Record]:
    return [row for row in rows if row[name] is not None]


def between() -> list[Record]:
    begin, end = datetime(2023, 10, 31, 16), datetime(2023, 11, 1, 4)
    return [row for row in blocked() if begin <= moment(row["event_time"]) < end]


def of_an_address() -> Rows:
    found = [row for row in requests() if row["http_request_client_ip"] == "192.0.2.1"]
    found.sort(key=lambda row: (row["event_time"], row["source_object"], row["source_record"]))
    names = ("action", "http_request_http_method", "http_request_uri", "http_request_request_id")
    return [(kst(row), *(row[name] for name in names)) for row in found]


def by_hour() -> Rows:
    rows = with_values(requests(), hour=lambda row: kst(row).replace(minute=0, second=0, microsecond=0))
    counts = ranked(rows, "http_request_client_ip", "hour")
    return counts[:50]


ACL, RULE, IP, URI = "webacl_id", "terminating_rule_id", "http_request_client_ip", "http_request_uri"
ANSWERS: dict[str, Callable[[], Rows]] = {
    "waf_rate_limited_addresses": lambda: ranked(
        [row for row in blocked() if row["terminating_rule_type"] == "RATE_BASED"], IP, ACL, limit=100
    ),
    "waf_blocks_by_country": lambda: ranked(blocked(), "http_request_country", limit=100),
    "waf_blocks_by_rule": lambda: ranked(blocked(), ACL, RULE, IP, URI, limit=100),
    "waf_requests_of_a_rule": lambda: ranked(
        [row for row in requests() if row[RULE] == "challenge-login"], "action"
    ),
    "waf_blocked_addresses_between": lambda: ranked(between(), IP, limit=100),
    "waf_referers": lambda: ranked(
        [row for row in requests() if "minsu" in (row["header_referer"] or "")], "header_referer", limit=100
    ),
    "waf_excluded_rules": lambda: [
        ("20231101", *row) for row in ranked(present(with_values(requests(), rule=excluded), "rule"), "rule")
    ],
    "waf_counted_managed_rules": lambda: ranked(
        present(
            with_values(
                requests(), group=lambda row: first_group(row).get("ruleGroupId"), rule=counted_managed
            ),
            "rule",
        ),
        "group",
        "rule",
    ),
    "waf_counted_custom_rules": lambda: ranked(
        present(with_values(requests(), rule=counted_custom), "rule"), IP, "rule", limit=100
    ),
    "waf_requests_of_an_address": of_an_address,
    "waf_requests_by_hour": by_hour,
    "waf_forwarded_addresses": lambda: ranked(
        with_values(present(requests(), "http_request_headers"), forwarded=forwarded), "forwarded", limit=100
    ),
    "waf_labelled_requests": lambda: ranked(
        [row for row in requests() if "shop:bot" in (row["labels"] or [])], IP, "header_user_agent", limit=100
    ),
}
