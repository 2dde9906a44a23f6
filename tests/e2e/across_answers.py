"""The expected rows of the queries in `glue/sql/across`, over several log types, in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from functools import cache

import alb_answers
import headed_answers
import nlb_clb_answers
import waf_answers
from harness import SAMPLE_DATA, SAMPLE_DAY
from meanings import RawDays, Record, Rows, kst, raw_days

CLIENT = "198.51.100.1"
# The tables and the services that their rows belong to.
SERVICES = {
    "alb_access": "ALB",
    "clb_access": "Classic Load Balancer",
    "cloudfront": "CloudFront",
    "nlb_access": "NLB",
    "s3_access": "S3",
    "vpc_flow": "VPC",
    "waf": "WAF",
}
# The client, status, result and bytes of each table's requests; a request is one column, or method and path.
REQUESTS: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "alb_access": ("client_ip", ("request",), "elb_status_code", "actions_executed", "sent_bytes"),
    "clb_access": ("client_ip", ("request",), "elb_status_code", "", "sent_bytes"),
    "cloudfront": ("c_ip", ("cs_method", "cs_uri_stem"), "sc_status", "x_edge_result_type", "sc_bytes"),
    "s3_access": ("remote_ip", ("request_uri",), "http_status", "error_code", "bytes_sent"),
    "waf": (
        "http_request_client_ip",
        ("http_request_http_method", "http_request_uri"),
        "response_code_sent",
        "action",
        "",
    ),
}
RESOURCES = {
    "alb_access": "elb",
    "clb_access": "elb",
    "cloudfront": "distribution_id",
    "nlb_access": "elb",
    "s3_access": "bucket",
    "vpc_flow": "interface_id",
    "waf": "webacl_id",
}
BYTES = {
    "alb_access": "sent_bytes",
    "clb_access": "sent_bytes",
    "cloudfront": "sc_bytes",
    "nlb_access": "sent_bytes",
    "s3_access": "bytes_sent",
    "vpc_flow": "bytes",
}


@cache
def raw() -> RawDays:
    return raw_days(SAMPLE_DATA, [SAMPLE_DAY])


def rows_of(table: str) -> list[Record]:
    """The rows of a table for the sample day."""
    readers: dict[str, Callable[[], list[Record]]] = {
        "alb_access": alb_answers.requests,
        "clb_access": nlb_clb_answers.requests,
        "cloudfront": headed_answers.requests,
        "cloudtrail": lambda: raw().events,
        "nlb_access": nlb_clb_answers.connections,
        "s3_access": lambda: raw().lines,
        "vpc_flow": headed_answers.flows,
        "waf": waf_answers.requests,
    }
    return readers[table]()


def failures(table: str) -> list[tuple[Record, str]]:
    """The failed rows of a table, each with the name of its service."""
    rows = rows_of(table)
    if table == "cloudtrail":
        return [(row, row["event_source"]) for row in rows if row["error_code"] is not None]
    if table == "waf":
        return [(row, "requests blocked by WAF") for row in rows if row["action"] == "BLOCK"]
    status, service = REQUESTS[table][2], f"{SERVICES[table]} requests"
    return [(row, service) for row in rows if (row[status] or 0) >= 400]


def errors_by_service_and_hour(tables: Collection[str]) -> Rows:
    read = [table for table in (*REQUESTS, "cloudtrail") if table in tables]
    found = [failure for table in read for failure in failures(table)]
    hours = Counter((kst(row).replace(minute=0, second=0, microsecond=0), service) for row, service in found)
    return sorted((*key, number) for key, number in hours.items())


def bytes_out_by_service(tables: Collection[str]) -> Rows:
    sums: dict[tuple[str, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for table in BYTES.keys() & set(tables):
        for row in rows_of(table):
            if table == "vpc_flow" and row["flow_direction"] != "egress":
                continue
            both = sums[SERVICES[table], row[RESOURCES[table]]]
            both[0] += row[BYTES[table]] or 0
            both[1] += 1
    found = [(*key, *both) for key, both in sums.items()]
    return sorted(found, key=lambda row: (-row[2], row[0], row[1] is None, row[1] or ""))


def requests_of_a_client(tables: Collection[str]) -> Rows:
    found = []
    for table in REQUESTS.keys() & set(tables):
        client, request, status, result, sent = REQUESTS[table]
        for row in rows_of(table):
            if row[client] != CLIENT:
                continue
            asked = [row[name] for name in request]
            cells = (
                None if None in asked else " ".join(asked),
                row[status],
                joined(row[result]) if result else None,
                row[sent] if sent else None,
            )
            found.append((kst(row), SERVICES[table], row[RESOURCES[table]], *cells))
    return sorted(found, key=lambda row: [(cell is None, 0 if cell is None else cell) for cell in row])[:200]


def joined(cell: str | list[str] | None) -> str | None:
    """A list as one text."""
    return ",".join(cell) if isinstance(cell, list) else cell


ANSWERS: dict[str, Callable[[Collection[str]], Rows]] = {
    "bytes_out_by_service": bytes_out_by_service,
    "errors_by_service_and_hour": errors_by_service_and_hour,
    "requests_of_a_client": requests_of_a_client,
}
