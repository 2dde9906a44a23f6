"""The expected rows of the queries in `glue/sql/nlb` and `glue/sql/clb`, in plain Python from raw rows."""

from collections import Counter, defaultdict
from collections.abc import Callable

from alb_answers import MODERN, Rows, kst, ranked
from alb_day import Record, alb_day

PARTS = ("request", "backend", "response")


def connections() -> list[Record]:
    return list(alb_day("nlb_access").rows.values())


def requests() -> list[Record]:
    return list(alb_day("clb_access").rows.values())


def with_value(rows: list[Record], name: str) -> list[Record]:
    return [row for row in rows if row[name] is not None]


def slow_handshakes() -> Rows:
    found = with_value(connections(), "tls_handshake_time")
    found.sort(key=lambda row: (-row["tls_handshake_time"], row["event_time"], row["client_ip"]))
    return [(kst(row), row["client_ip"], row["tls_handshake_time"], row["tls_cipher"]) for row in found[:10]]


def failed_handshakes() -> Rows:
    failed = [row for row in connections() if row["tls_handshake_time"] is None]
    alerts = [
        row | {"alert": -1 if row["incoming_tls_alert"] is None else row["incoming_tls_alert"]}
        for row in failed
    ]
    return ranked(alerts, "client_ip", "alert")


def destinations() -> Rows:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in with_value(connections(), "destination_ip"):
        for place, number in enumerate((1, row["received_bytes"], row["sent_bytes"])):
            sums[row["destination_ip"]][place] += number
    return sorted(((ip, *all_) for ip, all_ in sums.items()), key=lambda row: (-row[1], row[0]))


def domain_names() -> Rows:
    clients: dict[str, list[str]] = defaultdict(list)
    for row in with_value(connections(), "domain_name"):
        clients[row["domain_name"]].append(row["client_ip"])
    found = [(name, len(all_), len(set(all_))) for name, all_ in clients.items()]
    return sorted(found, key=lambda row: (-row[1], row[0]))


def large_transfers() -> Rows:
    found = [
        (
            kst(row),
            row["client_ip"],
            row["client_port"],
            row["connection_time"],
            row["received_bytes"] + row["sent_bytes"],
        )
        for row in connections()
    ]
    found = [row for row in found if row[-1] > 1_000_000]
    return sorted(found, key=lambda row: (-row[-1], row[0], row[2]))[:100]


def connections_by_minute() -> Rows:
    counts = Counter((kst(row).replace(second=0, microsecond=0), row["elb"]) for row in connections())
    return sorted((*key, number) for key, number in counts.items())


def response_times() -> Rows:
    sums: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in with_value(requests(), "backend_ip"):
        sums[row["elb"], row["backend_ip"]].append(max(row["backend_processing_time"], 0))
    found = [(*key, len(all_), sum(all_)) for key, all_ in sums.items()]
    return sorted(found, key=lambda row: (-row[3], row[0], row[1]))


def slow_requests() -> Rows:
    found = [
        (sum(max(row[f"{part}_processing_time"], 0) for part in PARTS), kst(row), row["request_url"])
        for row in requests()
    ]
    return sorted((row for row in found if row[0] > 1), key=lambda row: (-row[0], row[1]))[:100]


def large_responses() -> Rows:
    found = [row for row in requests() if row["sent_bytes"] > 1_000_000]
    found.sort(key=lambda row: (-row["sent_bytes"], row["event_time"]))
    return [(kst(row), row["client_ip"], row["sent_bytes"], row["request_url"]) for row in found[:100]]


def busy_minutes() -> Rows:
    minutes = [row | {"minute": kst(row).replace(second=0, microsecond=0)} for row in requests()]
    counts = Counter((row["elb"], row["minute"]) for row in minutes)
    found = [(*key, number) for key, number in counts.items()]
    return sorted(found, key=lambda row: (-row[2], row[0], row[1]))[:20]


def is_of_bot(row: Record) -> bool:
    agent = (row["user_agent"] or "").lower()
    return "bot" in agent or "crawler" in agent


ANSWERS: dict[str, Callable[[], Rows]] = {
    "nlb_certificates": lambda: ranked(with_value(connections(), "chosen_cert_arn"), "chosen_cert_arn"),
    "nlb_ciphers": lambda: ranked(
        with_value(connections(), "tls_protocol_version"), "tls_protocol_version", "tls_cipher"
    ),
    "nlb_connections_by_minute": connections_by_minute,
    "nlb_destinations": destinations,
    "nlb_domain_names": domain_names,
    "nlb_failed_handshakes": failed_handshakes,
    "nlb_large_transfers": large_transfers,
    "nlb_old_tls": lambda: ranked(
        [row for row in connections() if row["tls_protocol_version"] in ("tlsv1", "tlsv11", "tlsv12")],
        "client_ip",
        "tls_protocol_version",
    ),
    "nlb_slow_handshakes": slow_handshakes,
    "nlb_top_clients": lambda: ranked(
        [row for row in connections() if row["elb"] == "net/edge/c6e77e28c25b2234"], "client_ip", limit=10
    ),
    "clb_bots": lambda: ranked([row for row in requests() if is_of_bot(row)], "user_agent"),
    "clb_busy_minutes": busy_minutes,
    "clb_failing_backends": lambda: ranked(
        [row for row in with_value(requests(), "backend_ip") if (row["backend_status_code"] or 0) >= 400],
        "backend_ip",
        "backend_status_code",
    ),
    "clb_large_responses": large_responses,
    "clb_no_answers": lambda: ranked(
        [row for row in requests() if row["elb_status_code"] == 502 and row["backend_status_code"] is None],
        "backend_ip",
    ),
    "clb_old_tls": lambda: ranked(
        [row for row in requests() if row["ssl_protocol"] not in (None, *MODERN)], "client_ip", "ssl_protocol"
    ),
    "clb_requests_by_day": lambda: [
        (
            "20231101",
            len(requests()),
            sum(row["received_bytes"] for row in requests()),
            sum(row["sent_bytes"] for row in requests()),
        )
    ],
    "clb_response_times": response_times,
    "clb_slow_requests": slow_requests,
    "clb_status_codes": lambda: ranked(with_value(requests(), "elb_status_code"), "elb_status_code"),
    "clb_top_clients": lambda: ranked(
        [row for row in requests() if row["elb"] == "old-web"], "client_ip", limit=10
    ),
}
