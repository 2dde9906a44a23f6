"""The expected rows of the queries over CloudFront and VPC flow logs, in plain Python from raw rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from headed_day import Record, headed_day
from meanings import NINE_HOURS, moment

Rows = list[tuple[Any, ...]]


def requests() -> list[Record]:
    return list(headed_day("cloudfront").rows.values())


def flows() -> list[Record]:
    return list(headed_day("vpc_flow").rows.values())


def ordered(found: Iterable[tuple[Any, ...]], by: int) -> Rows:
    """Rows by falling number, then by the other values; NULL comes last."""
    return sorted(
        found, key=lambda row: (-row[by], [(cell is None, "" if cell is None else cell) for cell in row[:by]])
    )


def ranked(rows: Iterable[Record], *names: str, limit: int | None = None) -> Rows:
    """The values of some columns with their numbers of rows, the most frequent first."""
    counts = Counter(tuple(row[name] for name in names) for row in rows)
    return ordered([(*key, number) for key, number in counts.items()], len(names))[:limit]


def summed(rows: Iterable[Record], names: tuple[str, ...], sums: tuple[str, ...]) -> Rows:
    """The values of some columns with sums of others, the largest first sum first."""
    totals: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(sums))
    for row in rows:
        total = totals[tuple(row[name] for name in names)]
        for place, name in enumerate(sums):
            total[place] += row[name] or 0
    return ordered([(*key, *total) for key, total in totals.items()], len(names))


def bytes_between_dates() -> Rows:
    begin, end = datetime(2023, 10, 31, 16), datetime(2023, 11, 1, 4)
    found = [row["sc_bytes"] for row in requests() if begin <= moment(row["event_time"]) < end]
    return [(sum(found), len(found))]


def hit_ratio() -> Rows:
    results: dict[str, list[bool]] = defaultdict(list)
    for row in [row for row in requests() if row["x_edge_result_type"] is not None]:
        results[row["distribution_id"]].append(row["x_edge_result_type"] in ("Hit", "RefreshHit"))
    ids = sorted(results, key=lambda name: (name is None, name or ""))
    return [("20231101", name, len(results[name]), sum(results[name]) / len(results[name])) for name in ids]


def slow_requests() -> Rows:
    found = [row for row in requests() if (row["time_taken"] or 0) > 1]
    found.sort(key=lambda row: (-row["time_taken"], row["x_edge_request_id"]))
    names = ("time_taken", "time_to_first_byte", "cs_uri_stem", "x_edge_request_id")
    return [tuple(row[name] for name in names) for row in found[:100]]


def bytes_by_edge() -> Rows:
    found: dict[str | None, list[int]] = defaultdict(list)
    for row in requests():
        found[row["x_edge_location"] and row["x_edge_location"][:3]].append(row["sc_bytes"])
    return ordered([(airport, sum(sizes), len(sizes)) for airport, sizes in found.items()], 1)


def accepted_by_interface() -> Rows:
    found = [row for row in flows() if row["action"] == "ACCEPT"]
    numbers = Counter(row["interface_id"] for row in found)
    sums = summed(found, ("interface_id",), ("bytes", "packets"))
    return [(name, numbers[name], packets, size) for name, size, packets in sums]


def rejected_tcp_by_hour() -> Rows:
    hours: Counter[datetime] = Counter()
    for row in flows():
        if row["action"] == "REJECT" and row["protocol"] == 6:
            at = moment(row["event_time"]) + NINE_HOURS
            hours[at.replace(minute=0, second=0, microsecond=0)] += 1
    return sorted(hours.items())


def bytes_by_ip_version() -> Rows:
    found = [row | {"is_ipv6": ":" in row["srcaddr"]} for row in flows() if row["srcaddr"] is not None]
    return summed(found, ("is_ipv6",), ("bytes",))


def flows_of_an_address() -> Rows:
    found = [
        row
        for row in flows()
        if row["protocol"] == 6 and "203.0.113.2" in (row["srcaddr"], row["dstaddr"])
    ]
    found.sort(key=lambda row: (-row["event_time"], row["source_object"], row["source_record"]))
    names = ("srcaddr", "srcport", "dstaddr", "dstport", "action", "bytes")
    times = [moment(row["event_time"]) + NINE_HOURS for row in found]
    return [(time, *(row[name] for name in names)) for time, row in zip(times, found, strict=True)][:100]


def private_subnet() -> Rows:
    seen: dict[str, list[Record]] = defaultdict(list)
    for row in flows():
        if (row["srcaddr"] or "").startswith("10.0.1."):
            seen[row["srcaddr"]].append(row)
    return [
        (
            address,
            moment(min(row["start_time"] for row in rows)),
            moment(max(row["end_time"] for row in rows)),
            len(rows),
        )
        for address, rows in sorted(seen.items())
    ]


ANSWERS: dict[str, Callable[[], Rows]] = {
    "cloudfront_bytes_between_dates": bytes_between_dates,
    "cloudfront_bytes_by_edge": bytes_by_edge,
    "cloudfront_countries": lambda: ranked([row for row in requests() if row["c_country"]], "c_country"),
    "cloudfront_errors": lambda: ranked(
        [row for row in requests() if row["x_edge_result_type"] == "Error"],
        "x_edge_detailed_result_type",
        "sc_status",
    ),
    "cloudfront_hit_ratio": hit_ratio,
    "cloudfront_repeated_requests": lambda: [
        row
        for row in ranked([row for row in requests() if row["x_edge_request_id"]], "x_edge_request_id")
        if row[1] > 1
    ],
    "cloudfront_slow_requests": slow_requests,
    "cloudfront_tls_versions": lambda: ranked(requests(), "cs_protocol", "ssl_protocol"),
    "cloudfront_top_clients": lambda: ranked(requests(), "c_ip", limit=10),
    "cloudfront_top_uris": lambda: ranked(requests(), "x_host_header", "cs_uri_stem", limit=10),
    "cloudfront_user_agents": lambda: ranked(requests(), "cs_user_agent", limit=100),
    "vpc_accepted_by_interface": accepted_by_interface,
    "vpc_admin_ports": lambda: summed(
        [row for row in flows() if row["dstport"] in (22, 3389, 5432)], ("srcaddr", "dstport"), ("bytes",)
    )[:10],
    "vpc_bytes_by_ip_version": bytes_by_ip_version,
    "vpc_flows_of_an_address": flows_of_an_address,
    "vpc_https_packets": lambda: summed(
        [row for row in flows() if row["dstport"] == 443], ("dstaddr",), ("packets",)
    )[:100],
    "vpc_log_status": lambda: ranked(flows(), "flow_log_id", "log_status"),
    "vpc_private_subnet": private_subnet,
    "vpc_rejected_sources": lambda: ranked(
        [row for row in flows() if row["action"] == "REJECT"], "srcaddr", limit=10
    ),
    "vpc_rejected_tcp_by_hour": rejected_tcp_by_hour,
    "vpc_ssh_and_rdp": lambda: ranked(
        [row for row in flows() if row["protocol"] == 6 and row["dstport"] in (22, 3389)], "dstport", "action"
    ),
    "vpc_top_pairs": lambda: summed(
        [row for row in flows() if row["srcaddr"]], ("srcaddr", "dstaddr"), ("bytes",)
    )[:50],
    "vpc_top_talkers": lambda: summed(
        [row for row in flows() if row["srcaddr"]], ("srcaddr",), ("bytes", "packets")
    )[:50],
}
# Questions without an answer in the sample day.
EMPTY = {"cloudfront_repeated_requests"}
