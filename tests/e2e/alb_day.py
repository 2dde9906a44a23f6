"""The sample day of load balancers as the independent decoder reads it."""

import gzip
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from decoded import Reject
from harness import REPOSITORY, SAMPLE_DAY
from oracle import kst_window
from oracle_alb import AlbOracle

SOURCE = "sample-data/load-balancers"
TABLES = {
    "alb_access": "alb-access",
    "alb_connection": "alb-connection",
    "nlb_access": "nlb-access",
    "clb_access": "clb-access",
}
NAME = re.compile(
    r"(?P<kind>conn_log_|health_check_log_|)\d{12}_elasticloadbalancing_[a-z0-9-]+_(?P<balancer>[^_]+)_"
    r"(?P<time>\d{8}T\d{4})Z_.*"
)
# The words before the account in the names of a table, and the form of its load balancers.
KINDS = {
    "alb_access": ("", r"app\..*"),
    "alb_connection": ("conn_log_", r"app\..*"),
    "nlb_access": ("", r"net\..*"),
    "clb_access": ("", r"[a-z-]+"),
}
# The events that an object can hold, around the end of its interval.
BEFORE, BEFORE_OF_CLASSIC, AFTER = timedelta(hours=1), timedelta(hours=3), timedelta(minutes=10)

Record = dict[str, Any]


@dataclass
class AlbDay:
    """The rows of a table by object and line, and the counts of its ledger."""

    rows: dict[tuple[str, int], Record] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("objects", "written", "other_day", "duplicate", "quarantined"), 0
        )
    )


@cache
def alb_day(table: str) -> AlbDay:
    """The rows of the sample day."""
    day, seen = AlbDay(), set()
    start, end = (int(time.timestamp() * 1000) for time in kst_window(SAMPLE_DAY))
    for path in chosen(table):
        day.counts["objects"] += 1
        key = str(path.relative_to(REPOSITORY))
        for found in AlbOracle(table).decode(content(path)):
            if isinstance(found, Reject):
                day.counts["quarantined"] += 1
            elif not start <= found.event_ms < end:
                day.counts["other_day"] += 1
            elif found.identity in seen:
                day.counts["duplicate"] += 1
            else:
                seen.add(found.identity)
                day.counts["written"] += 1
                place = {"source_object": key, "source_record": found.record}
                day.rows[key, found.record] = found.columns | place
    return day


def content(path: Path) -> bytes:
    """The bytes of an object: gzip, or plain for Classic Load Balancers."""
    packed = path.read_bytes()
    return gzip.decompress(packed) if path.suffix == ".gz" else packed


def chosen(table: str) -> list[Path]:
    """The objects of a table that can hold events of the sample day, by their names."""
    start, end = kst_window(SAMPLE_DAY)
    found = []
    for path in sorted((REPOSITORY / SOURCE).rglob("*")):
        match = NAME.fullmatch(path.name)
        kind, balancer = KINDS[table]
        if match and match["kind"] == kind and re.fullmatch(balancer, match["balancer"]):
            time = datetime.strptime(match["time"], "%Y%m%dT%H%M").replace(tzinfo=UTC)
            before = BEFORE_OF_CLASSIC if table == "clb_access" else BEFORE
            if time - before < end and time + AFTER > start:
                found.append(path)
    return found
