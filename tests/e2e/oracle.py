"""The expected content of a KST day of raw logs, from decoders that share no code with the binary.

Selects objects by the time in their keys, decodes them completely, routes the rows to the day and removes
duplicates. The code is simple on purpose: it keeps every object in memory, and every row is a dictionary.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from decoded import Decoded, Reject
from harness import REPOSITORY
from oracle_cloudtrail import CloudTrailOracle
from oracle_s3_access import S3AccessOracle
from schema import columns

CLOUDTRAIL_KEY = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?\d{12}/CloudTrail/[^/]+/\d{4}/\d\d/\d\d/"
    r"\d{12}_CloudTrail_[^/_]+_(?P<time>\d{8}T\d{4})Z_\w{16}\.json\.gz"
)
ACCESS_NAME = r"(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)-[0-9A-Z]+"
SIMPLE_KEY = re.compile(rf"(?:.*\D)?{ACCESS_NAME}")
PARTITIONED_KEY = re.compile(rf"(?P<series>.*\d{{12}}/[a-z0-9-]+/[^/]+)/\d{{4}}/\d\d/\d\d/{ACCESS_NAME}")
LATENESS = {"cloudtrail": timedelta(hours=6), "s3_access": timedelta(hours=24)}
ORACLES = {"cloudtrail": CloudTrailOracle, "s3_access": S3AccessOracle}


@dataclass
class ExpectedDay:
    """The rows of a day by object and record, the rejected records, and the ledger."""

    rows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    rejects: list[tuple[str, int]] = field(default_factory=list)
    objects: int = 0
    other_day: int = 0
    duplicate: int = 0

    @property
    def ledger(self) -> dict[str, int]:
        """The counts under the names used in the summary."""
        counts = {
            "objects": self.objects,
            "written": len(self.rows),
            "other_day": self.other_day,
            "duplicate": self.duplicate,
            "quarantined": len(self.rejects),
        }
        return counts | {"read": sum(counts.values()) - self.objects}


def expected_day(source: str | Path, day: str, table: str) -> ExpectedDay:
    """The expected rows of a table for a KST day of a raw folder."""
    window = kst_window(day)
    expected, seen = ExpectedDay(), set()
    for key in sorted(chosen(keys(source), table, window)):
        expected.objects += 1
        for found in decode(table, REPOSITORY / key):
            if isinstance(found, Reject):
                expected.rejects.append((key, found.record))
            elif not window[0] <= from_ms(found.event_ms) < window[1]:
                expected.other_day += 1
            elif found.identity in seen:
                expected.duplicate += 1
            else:
                seen.add(found.identity)
                expected.rows[key, found.record] = found.columns | {
                    "source_object": key,
                    "source_record": found.record,
                }
    return expected


@cache
def decode(table: str, path: Path) -> list[Decoded]:
    """Every record or line of a raw file, in order."""
    return ORACLES[table](columns(table.replace("_", "-"))).decode(path.read_bytes())


def keys(source: str | Path) -> list[str]:
    """Every file of a raw folder, by the address that the binary gives it."""
    folder = REPOSITORY / source
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(Path(source) / path.relative_to(folder)) for path in files]


def kst_window(day: str) -> tuple[datetime, datetime]:
    """Start and end of a KST day in UTC."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=9)
    return start, start + timedelta(days=1)


def chosen(keys: list[str], table: str, window: tuple[datetime, datetime]) -> list[str]:
    """The objects that can contain events of the window, by the time in their keys."""
    if table == "cloudtrail":
        found = {key: match["time"] for key in keys if (match := CLOUDTRAIL_KEY.fullmatch(key))}
        return [key for key, time in found.items() if is_delivered(time, table, window)]
    partitioned = {key: match for key in keys if (match := PARTITIONED_KEY.fullmatch(key))}
    folders: dict[str, list[bool]] = {}
    for key, match in partitioned.items():
        folders.setdefault(key.rpartition("/")[0], []).append(midnight(match["time"]))

    def is_wanted(key: str, time: str) -> bool:
        """Folders with only midnight names are event days. With fewer than three names, both may apply."""
        names = folders.get(key.rpartition("/")[0], [])
        by_event = holds_day(time, window)
        by_delivery = is_delivered(time, table, window)
        if key not in partitioned or not all(names):
            return by_delivery
        return by_event if len(names) >= 3 else by_event or by_delivery

    return [
        key
        for key in keys
        if (match := PARTITIONED_KEY.fullmatch(key) or SIMPLE_KEY.fullmatch(key))
        and not CLOUDTRAIL_KEY.fullmatch(key)
        and is_wanted(key, match["time"])
    ]


def midnight(time: str) -> bool:
    """Whether the name of an access log has no time of day."""
    return time.endswith("-00-00-00")


def is_delivered(time: str, table: str, window: tuple[datetime, datetime]) -> bool:
    """Whether a delivery time is in the window or in the lateness after it."""
    return window[0] <= digits_time(time) < window[1] + LATENESS[table]


def holds_day(time: str, window: tuple[datetime, datetime]) -> bool:
    """Whether a UTC day of events overlaps the window."""
    begin = digits_time(time)
    return begin < window[1] and window[0] < begin + timedelta(days=1)


def digits_time(time: str) -> datetime:
    """A UTC time written with any separators, with or without seconds."""
    digits = re.sub(r"\D", "", time).ljust(14, "0")
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def from_ms(milliseconds: int) -> datetime:
    """An instant given in milliseconds since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
