"""The expected rows of each query in `glue/sql/resolver/queries`, in plain Python from raw rows."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from alb_answers import Rows, kst, ranked
from meanings import moment
from resolver_day import Record, resolver_day
from waf_answers import with_values

NAME, HOST = "query_name", "srcaddr"


def queries() -> list[Record]:
    return list(resolver_day().rows.values())


def in_order(rows: Iterable[Record], *, newest: bool = False) -> list[Record]:
    """Rows by time, then by place."""
    found = sorted(rows, key=lambda row: (row["source_object"], row["source_record"]))
    return sorted(found, key=lambda row: row["event_time"], reverse=newest)


def shown(rows: Iterable[Record], *names: str) -> Rows:
    return [(kst(row), *(row[name] for name in names)) for row in rows]


def between() -> list[Record]:
    begin, end = datetime(2023, 10, 31, 16), datetime(2023, 10, 31, 18)
    return [row for row in queries() if begin <= moment(row["event_time"]) < end]


def without_answer() -> list[Record]:
    return [row for row in queries() if row["answers_rdata"] == []]


def first_answers() -> list[Record]:
    return [
        {"type": row["answers_type"][0], "answer": row["answers_rdata"][0]}
        for row in queries()
        if (row["answers_rdata"] or [None])[0] is not None
    ]


def domain(row: Record) -> str | None:
    """The last two labels of a name."""
    labels = (row[NAME] or "").removesuffix(".").split(".")
    return ".".join(labels[-2:]) + "." if len(labels) > 1 else None


def instances_by_name() -> Rows:
    found: dict[str, list[Record]] = defaultdict(list)
    for row in queries():
        found[row[NAME]].append(row)
    counts = [
        (name, len({row["srcids_instance"] for row in rows} - {None}), len(rows))
        for name, rows in found.items()
    ]
    return sorted(counts, key=lambda row: (-row[1], -row[2], row[0]))[:100]


def failures_by_host() -> Rows:
    found: dict[str, list[Record]] = defaultdict(list)
    for row in queries():
        found[row[HOST]].append(row)
    counts = [
        (host, sum(row["rcode"] == "NXDOMAIN" for row in rows), len(rows)) for host, rows in found.items()
    ]
    return sorted((row for row in counts if row[1]), key=lambda row: (-row[1], row[0]))[:100]


def long_names() -> Rows:
    found = [row | {"characters": len(row[NAME])} for row in queries() if len(row[NAME] or "") >= 50]
    return sorted(ranked(found, NAME, "characters"), key=lambda row: (-row[1], row[0]))[:100]


def queries_by_hour() -> Rows:
    rows = with_values(queries(), hour=lambda row: kst(row).replace(minute=0, second=0, microsecond=0))
    return sorted(ranked(rows, "hour", "rcode"), key=lambda row: (row[0], row[1]))


ANSWERS: dict[str, Callable[[], Rows]] = {
    "resolver_newest_queries": lambda: shown(
        in_order(queries(), newest=True)[:20], NAME, "query_type", "rcode", HOST, "srcids_instance"
    ),
    "resolver_queries_between": lambda: shown(in_order(between()), NAME, "query_type", "rcode", HOST),
    "resolver_queries_of_a_domain": lambda: ranked(
        [row for row in queries() if (row[NAME] or "").endswith(".example.com.")], NAME, "rcode"
    )[:100],
    "resolver_queries_without_answer": lambda: ranked(without_answer(), NAME, "rcode", limit=100),
    "resolver_queries_with_an_answer": lambda: shown(
        in_order(row for row in queries() if "192.0.2.1" in (row["answers_rdata"] or [])), NAME, HOST
    ),
    "resolver_instances_by_name": instances_by_name,
    "resolver_top_names": lambda: ranked(queries(), NAME, limit=100),
    "resolver_second_level_domains": lambda: ranked(
        with_values(queries(), domain=domain), "domain", limit=100
    ),
    "resolver_first_answers": lambda: ranked(first_answers(), "type", "answer", limit=100),
    "resolver_failures_by_host": failures_by_host,
    "resolver_firewall_rules": lambda: ranked(
        [row for row in queries() if row["firewall_rule_action"] is not None],
        "firewall_rule_group_id",
        "firewall_domain_list_id",
        "firewall_rule_action",
        "srcids_instance",
        limit=100,
    ),
    "resolver_long_names": long_names,
    "resolver_queries_by_hour": queries_by_hour,
}
