"""The sample day of Route 53 Resolver as the independent decoder reads it."""

import gzip
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from alb_day import AlbDay
from decoded import Reject
from harness import REPOSITORY, SAMPLE_DAY
from oracle import kst_window
from oracle_resolver import ResolverOracle

SOURCE = "sample-data/resolver-query"
NAME = re.compile(r"(?:vpc|rp)-\w+_vpcdnsquerylogs_\d{12}_(\d{8}T\d{4})Z_[0-9a-f]+\.log\.gz")
# The events that an object can hold, around the time in its name.
BEFORE, AFTER = timedelta(hours=6), timedelta(hours=1)

Record = dict[str, Any]


@cache
def resolver_day() -> AlbDay:
    """The rows of the sample day."""
    day, seen = AlbDay(), set()
    start, end = (int(time.timestamp() * 1000) for time in kst_window(SAMPLE_DAY))
    for path in chosen():
        day.counts["objects"] += 1
        key = str(path.relative_to(REPOSITORY))
        for found in ResolverOracle(path.name).decode(gzip.decompress(path.read_bytes())):
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


def chosen() -> list[Path]:
    """The objects that can hold events of the sample day, by their names, in the order of their keys."""
    start, end = kst_window(SAMPLE_DAY)
    found = []
    for path in sorted((REPOSITORY / SOURCE).rglob("*.gz")):
        if match := NAME.fullmatch(path.name):
            time = datetime.strptime(match[1], "%Y%m%dT%H%M").replace(tzinfo=UTC)
            if time - BEFORE < end and time + AFTER > start:
                found.append(path)
    return found
