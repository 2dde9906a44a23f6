"""The sample days of CloudFront and VPC flow logs as the independent decoders read them."""

import gzip
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from compare import comparable
from decoded import Reject
from harness import REPOSITORY, SAMPLE_DAY
from oracle import kst_window
from oracle_headed import CloudFrontOracle, HeadedOracle, VpcFlowOracle

SOURCES = {"cloudfront": "sample-data/cloudfront", "vpc_flow": "sample-data/vpc-flow"}
TABLES = {"cloudfront": "cloudfront", "vpc_flow": "vpc-flow"}
ORACLES: dict[str, type[HeadedOracle]] = {"cloudfront": CloudFrontOracle, "vpc_flow": VpcFlowOracle}
HOUR = timedelta(hours=1)
# Names without a time are read by every day.
UNDATED = {"renamed.log"}

Record = dict[str, Any]


@dataclass
class HeadedDay:
    """The rows of a table by object and line, and the counts of its ledger."""

    rows: dict[tuple[str, int], Record] = field(default_factory=dict)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("objects", "written", "other_day", "duplicate", "quarantined"), 0
        )
    )


@cache
def headed_day(table: str) -> HeadedDay:
    """The rows of the sample day."""
    day, seen = HeadedDay(), set()
    start, end = (int(time.timestamp() * 1000) for time in kst_window(SAMPLE_DAY))
    for path in sorted((REPOSITORY / SOURCES[table]).rglob("*")):
        if not path.is_file() or not is_read(table, path):
            continue
        day.counts["objects"] += 1
        key, content = str(path.relative_to(REPOSITORY)), path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        for found in ORACLES[table](path.name).decode(content):
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
                day.rows[key, found.record] = comparable(found.columns | place)
    return day


def is_read(table: str, path: Path) -> bool:
    """Whether an object can hold events of the sample day, by its name."""
    start, end = kst_window(SAMPLE_DAY)
    if path.name in UNDATED:
        return True
    if table == "vpc_flow":
        match = re.fullmatch(r"\d{12}_vpcflowlogs_[^_]+_[^_]+_(\d{8}T\d{4})Z_\w+\.log\.gz", path.name)
        if match is None:
            return False
        time = datetime.strptime(match[1], "%Y%m%dT%H%M").replace(tzinfo=UTC)
        return time - 6 * HOUR < end and time + HOUR / 6 > start
    match = re.fullmatch(r"E[A-Z0-9]{7,}\.(\d{4}-\d\d-\d\d-\d\d)\.\w+\.gz", path.name)
    if match is None:
        return False
    time = datetime.strptime(match[1], "%Y-%m-%d-%H").replace(tzinfo=UTC)
    if "CloudFront" in path.parts:
        return start <= time + HOUR < end + 24 * HOUR
    return time - HOUR < end and time + 2 * HOUR > start
