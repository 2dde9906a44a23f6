"""The expected rows of the queries in `glue/sql/across`, over several log types, in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache

import alb_answers
import nlb_clb_answers
from harness import SAMPLE_DATA, SAMPLE_DAY
from meanings import RawDays, Record, Rows, kst, raw_days

CLIENT = "192.0.2.1"


@cache
def raw() -> RawDays:
    return raw_days(SAMPLE_DATA, [SAMPLE_DAY])


def errors_by_service_and_hour() -> Rows:
    def failed(rows: list[Record], status: str) -> list[Record]:
        return [row for row in rows if (row[status] or 0) >= 400]

    found = [(row, row["event_source"]) for row in raw().events if row["error_code"] is not None]
    found += [(row, "S3 requests") for row in failed(raw().lines, "http_status")]
    found += [(row, "ALB requests") for row in failed(alb_answers.requests(), "elb_status_code")]
    classic = failed(nlb_clb_answers.requests(), "elb_status_code")
    found += [(row, "Classic Load Balancer requests") for row in classic]
    hours = Counter((kst(row).replace(minute=0, second=0, microsecond=0), service) for row, service in found)
    return sorted((*key, number) for key, number in hours.items())


def bytes_out_by_service() -> Rows:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for service, rows, name, sent in (
        ("S3", raw().lines, "bucket", "bytes_sent"),
        ("ALB", alb_answers.requests(), "elb", "sent_bytes"),
        ("NLB", nlb_clb_answers.connections(), "elb", "sent_bytes"),
        ("Classic Load Balancer", nlb_clb_answers.requests(), "elb", "sent_bytes"),
    ):
        for row in rows:
            sums[service, row[name]][0] += row[sent] or 0
            sums[service, row[name]][1] += 1
    return sorted(((*key, *both) for key, both in sums.items()), key=lambda row: (-row[2], row[0], row[1]))


def requests_of_a_client() -> Rows:
    found = [
        (kst(row), "ALB", row["request"], row["elb_status_code"], row["sent_bytes"])
        for row in alb_answers.requests()
        if row["client_ip"] == CLIENT
    ]
    found += [
        (kst(row), "S3", row["request_uri"], row["http_status"], row["bytes_sent"])
        for row in raw().lines
        if row["remote_ip"] == CLIENT
    ]
    return sorted(found, key=lambda row: (row[0], row[1], row[2] or ""))[:200]


ANSWERS: dict[str, Callable[[], Rows]] = {
    "bytes_out_by_service": bytes_out_by_service,
    "errors_by_service_and_hour": errors_by_service_and_hour,
    "requests_of_a_client": requests_of_a_client,
}
