"""The sample day of AWS WAF as the independent decoder reads it."""

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
from oracle_waf import WafOracle

SOURCE = "sample-data/waf"
NAMES = (
    (re.compile(r"\d{12}_waflogs_[a-z0-9-]+_\w+_(\d{8}T\d{4})Z_[0-9a-f]+\.log\.gz"), "%Y%m%dT%H%M"),
    (re.compile(r"aws-waf-logs-\w+-1-(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)-[0-9a-f-]+\.gz"), "%Y-%m-%d-%H-%M-%S"),
)
# The events that an object can hold, around the time in its name.
REACH = timedelta(hours=1)

Record = dict[str, Any]


@cache
def waf_day() -> AlbDay:
    """The rows of the sample day."""
    day, seen = AlbDay(), set()
    start, end = (int(time.timestamp() * 1000) for time in kst_window(SAMPLE_DAY))
    for path in chosen():
        day.counts["objects"] += 1
        key = str(path.relative_to(REPOSITORY))
        for found in WafOracle().decode(gzip.decompress(path.read_bytes())):
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
    """The objects that can hold events of the sample day, by their names."""
    start, end = kst_window(SAMPLE_DAY)
    found = []
    for path in sorted((REPOSITORY / SOURCE).rglob("*.gz")):
        for form, written in NAMES:
            if match := form.fullmatch(path.name):
                time = datetime.strptime(match[1], written).replace(tzinfo=UTC)
                if time - REACH < end and time + REACH > start:
                    found.append(path)
    return found
