"""The expected rows of each query in `glue/sql/alb/queries`, in plain Python from raw rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from alb_day import Record, alb_day
from meanings import NINE_HOURS, moment

Rows = list[tuple[Any, ...]]
SHOP, BACK = "app/shop/50dc6c495c0c9188", "app/back-office/9b1c6d2e8f7a0345"
MODERN = ("TLSv1.2", "TLSv1.3")


def requests() -> list[Record]:
    return list(alb_day("alb_access").rows.values())


def connections() -> list[Record]:
    return list(alb_day("alb_connection").rows.values())


def kst(row: Record) -> datetime:
    return moment(row["event_time"]) + NINE_HOURS


def ranked(rows: Iterable[Record], *names: str, limit: int | None = None) -> Rows:
    """The values of some columns with their numbers of rows, the most frequent first, then by value."""
    counts = Counter(tuple(row[name] for name in names) for row in rows)
    found = [(*key, number) for key, number in counts.items()]
    return sorted(found, key=lambda row: (-row[-1], [(cell is None, cell or "") for cell in row[:-1]]))[
        :limit
    ]


def has_failed(row: Record) -> bool:
    return (row["tls_verify_status"] or "").startswith("Failed")


def urls_of_a_browser() -> Rows:
    found = [row for row in requests() if "Firefox" in (row["user_agent"] or "")]
    found.sort(key=lambda row: row["request_url"] or "")
    found.sort(key=lambda row: -row["event_time"])
    return [(kst(row), row["request_url"], row["user_agent"]) for row in found[:100]]


def bytes_by_client() -> Rows:
    begin, end = datetime(2023, 10, 31, 16), datetime(2023, 11, 1, 4)
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in requests():
        if begin <= moment(row["event_time"]) < end:
            sums[row["client_ip"]][0] += row["received_bytes"]
            sums[row["client_ip"]][1] += row["sent_bytes"]
    return sorted(((ip, *both) for ip, both in sums.items()), key=lambda row: (-row[2], row[0]))[:100]


def requests_of_a_day() -> Rows:
    found = [row for row in requests() if row["elb"] == BACK]
    found.sort(key=lambda row: (row["event_time"], row["source_object"], row["source_record"]))
    return [(kst(row), row["client_ip"], row["elb_status_code"], row["request"]) for row in found]


def slow_requests() -> Rows:
    names = [f"{part}_processing_time" for part in ("request", "target", "response")]
    found = [
        (sum(max(row[name], 0) for name in names), row["request_url"], row["trace_id"]) for row in requests()
    ]
    return sorted((row for row in found if row[0] > 1), key=lambda row: (-row[0], row[2]))[:100]


def failing_targets() -> Rows:
    found = []
    for ip in sorted({row["target_ip"] for row in requests()} - {None}):
        rows = [row for row in requests() if row["target_ip"] == ip]
        errors = sum((row["target_status_code"] or 0) >= 500 for row in rows)
        silent = sum(row["elb_status_code"] == 502 and row["target_status_code"] is None for row in rows)
        found.append((ip, len(rows), errors, silent))
    return sorted(found, key=lambda row: -row[3])


def slow_handshakes() -> Rows:
    found = [row for row in connections() if (row["tls_handshake_latency"] or 0) >= 2]
    found.sort(key=lambda row: (-row["tls_handshake_latency"], row["conn_trace_id"]))
    names = ("client_ip", "tls_handshake_latency", "conn_trace_id")
    return [(kst(row), *(row[name] for name in names)) for row in found[:100]]


def failures_by_hour() -> Rows:
    hours: dict[datetime, list[bool]] = defaultdict(list)
    for row in connections():
        if row["tls_verify_status"] is not None:
            hours[kst(row).replace(minute=0, second=0, microsecond=0)].append(has_failed(row))
    return [(hour, sum(all_), len(all_), sum(all_) / len(all_)) for hour, all_ in sorted(hours.items())]


def requests_by_connection() -> Rows:
    numbers = Counter(row["conn_trace_id"] for row in requests())
    found = [(row["conn_trace_id"], row["client_ip"], numbers[row["conn_trace_id"]]) for row in connections()]
    return sorted(set(found), key=lambda row: (-row[2], row[0]))[:100]


def expiring_certificates() -> Rows:
    of_serial: dict[str, list[Record]] = defaultdict(list)
    for row in connections():
        if row["leaf_client_cert_serial_number"] is not None:
            of_serial[row["leaf_client_cert_serial_number"]].append(row)
    found = []
    for serial, rows in of_serial.items():
        end = max(moment(row["leaf_client_cert_not_after"]) for row in rows)
        if end < max(moment(row["event_time"]) for row in rows) + timedelta(days=90):
            found.append((serial, max(row["leaf_client_cert_subject"] for row in rows), end, len(rows)))
    return sorted(found, key=lambda row: (row[2], row[0]))


ANSWERS: dict[str, Callable[[], Rows]] = {
    "alb_blocked_by_waf": lambda: ranked(
        [row for row in requests() if row["elb_status_code"] == 403 and row["actions_executed"] == ["waf"]],
        "client_ip",
    ),
    "alb_bytes_by_client": bytes_by_client,
    "alb_ciphers": lambda: ranked(connections(), "tls_protocol", "tls_cipher"),
    "alb_connecting_clients": lambda: ranked(connections(), "client_ip", limit=10),
    "alb_connections_by_port": lambda: [("20231101", *row) for row in ranked(connections(), "listener_port")],
    "alb_deprecated_tls": lambda: ranked(
        [row for row in connections() if row["tls_protocol"] not in (None, *MODERN)],
        "client_ip",
        "tls_protocol",
    ),
    "alb_expiring_certificates": expiring_certificates,
    "alb_failed_verifications": lambda: ranked(
        [row for row in connections() if has_failed(row)], "client_ip", "tls_verify_status"
    ),
    "alb_failing_subjects": lambda: ranked(
        [row for row in connections() if has_failed(row) and row["leaf_client_cert_subject"]],
        "leaf_client_cert_subject",
        "tls_verify_status",
    ),
    "alb_failing_targets": failing_targets,
    "alb_get_requests_by_client": lambda: ranked(
        [row for row in requests() if row["request_method"] == "GET"], "client_ip", limit=100
    ),
    "alb_old_tls": lambda: ranked(
        [row for row in requests() if row["ssl_protocol"] not in MODERN], "type", "ssl_protocol"
    ),
    "alb_requests_by_connection": requests_by_connection,
    "alb_requests_of_a_day": requests_of_a_day,
    "alb_server_errors": lambda: ranked(
        [row for row in requests() if (row["elb_status_code"] or 0) >= 500],
        "elb",
        "elb_status_code",
        "target_status_code",
    ),
    "alb_slow_handshakes": slow_handshakes,
    "alb_slow_requests": slow_requests,
    "alb_top_clients": lambda: ranked(
        [row for row in requests() if row["elb"] == SHOP], "client_ip", limit=10
    ),
    "alb_urls_of_a_browser": urls_of_a_browser,
    "alb_user_agents_of_a_client": lambda: ranked(
        [row for row in requests() if row["client_ip"] == "192.0.2.1"], "user_agent"
    ),
    "alb_verification_failures_by_hour": failures_by_hour,
}
# Questions without an answer in the sample day.
EMPTY = {"alb_deprecated_tls", "alb_expiring_certificates"}
