"""A month of raw logs in which days and objects mismatch in every known way, and the expected result.

The objects are generated from a seed, so their bytes are the same everywhere. CloudTrail comes from two
regions. Access logs come in three layouts: flat names, by delivery time, and by the UTC day of the events.
The decoders of the oracle compute the expected content of a day, over a plain selection of objects.
"""

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from decoded import Decoded, Reject
from oracle import ORACLES, chosen, from_ms, kst_window
from schema import columns

FIRST, LAST = date(2023, 10, 1), date(2023, 10, 31)
ACCOUNT = "123456789012"
REGIONS = ("ap-northeast-2", "us-east-1")
FLAT, BY_DELIVERY, BY_EVENT = "flat", "by-delivery", "by-event"
FOLDERS = {
    FLAT: "flat/web-",
    BY_DELIVERY: f"by-delivery/{ACCOUNT}/ap-northeast-2/shop/",
    BY_EVENT: f"by-event/{ACCOUNT}/ap-northeast-2/bill/",
}
# An object without a time in its key. Every day of access logs has to read it.
UNDATED = "notes/found-again.log"
# KST days without any event, and a day without access log events.
QUIET = {"2023-10-12", "2023-10-13"}
CLOUDTRAIL_ONLY = "2023-10-23"
# Minutes from an event to its delivery: prompt, late, almost the whole lateness, and longer.
DELAYS = {"cloudtrail": (5, 12, 40, 150, 350, 359, 420), "s3_access": (5, 20, 90, 400, 1380, 1439, 1560)}
OBJECTS_A_DAY = {"cloudtrail": 4, FLAT: 4, BY_DELIVERY: 4, BY_EVENT: 2}
SHARE_OF_REJECTS = ("--max-reject-ratio", "0.5")


@dataclass
class Month:
    """The objects by key, and the records and lines so far, some of which are repeated."""

    random: Random
    objects: dict[str, bytes] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def identifier(self) -> str:
        """Sixteen characters that are unique to an object."""
        return f"{self.random.getrandbits(64):016X}"

    def trail(self, region: str, delivered: datetime, body: bytes) -> str:
        """Adds a CloudTrail object and returns its key."""
        key = trail_key(region, delivered, self.identifier())
        self.objects[key] = body
        return key

    def access(self, layout: str, at: datetime, lines: list[str]) -> str:
        """Adds an object of access lines and returns its key."""
        key = access_key(layout, at, self.identifier())
        self.objects[key] = "".join(f"{line}\n" for line in lines).encode()
        return key


@cache
def month() -> dict[str, bytes]:
    """The objects by key."""
    made = Month(Random(20231001))
    at = datetime(2023, 9, 29, 15, tzinfo=UTC)
    while at < datetime(2023, 11, 2, 15, tzinfo=UTC):
        trail_day(made, at)
        access_day(made, at)
        at += timedelta(days=1)
    edges(made)
    misplaced(made)
    damage(made)
    undated = [line for at, line in made.lines if kst_day(at) in ("2023-10-04", "2023-10-20")][::5]
    news = [
        access_line(made, kst_window(day)[0] + timedelta(hours=3)) for day in ("2023-10-04", "2023-10-10")
    ]
    made.objects[UNDATED] = "".join(f"{line}\n" for line in undated + news).encode()
    return dict(sorted(made.objects.items()))


def days(first: date = FIRST, last: date = LAST) -> list[str]:
    """KST days, both ends included."""
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def write(folder: Path, objects: dict[str, bytes]) -> Path:
    """Writes objects into a folder."""
    for key, body in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder


def expected_ledger(objects: dict[str, bytes], day: str, table: str) -> dict[str, int]:
    """The counts of a day, from a plain reading of every object that can feed it."""
    window = kst_window(day)
    feeding = set(chosen(list(objects), table, window))
    if table == "s3_access" and UNDATED in objects:
        feeding.add(UNDATED)
    counts = {
        "objects": len(feeding),
        "read": 0,
        "written": 0,
        "other_day": 0,
        "duplicate": 0,
        "quarantined": 0,
    }
    seen = set()
    for key in sorted(feeding):
        for found in decoded(table, objects[key]):
            counts["read"] += 1
            counts[judgement(found, window, seen)] += 1
    return counts


def judgement(found: Decoded, window: tuple[datetime, datetime], seen: set[Any]) -> str:
    """The count under which a record falls."""
    if isinstance(found, Reject):
        return "quarantined"
    if not window[0] <= from_ms(found.event_ms) < window[1]:
        return "other_day"
    if found.identity in seen:
        return "duplicate"
    seen.add(found.identity)
    return "written"


@cache
def decoded(table: str, body: bytes) -> list[Decoded]:
    """Every record or line of an object."""
    return ORACLES[table](columns(table.replace("_", "-"))).decode(body)


def trail_key(region: str, delivered: datetime, identifier: str) -> str:
    """The key of a CloudTrail object."""
    name = f"{ACCOUNT}_CloudTrail_{region}_{delivered:%Y%m%dT%H%MZ}_{identifier}.json.gz"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/{delivered:%Y/%m/%d}/{name}"


def access_key(layout: str, at: datetime, identifier: str) -> str:
    """The key of an access log, by its delivery time or by the UTC day of its events."""
    time = "%Y-%m-%d-00-00-00" if layout == BY_EVENT else "%Y-%m-%d-%H-%M-%S"
    folder = "" if layout == FLAT else f"{at:%Y/%m/%d}/"
    return f"{FOLDERS[layout]}{folder}{at.strftime(time)}-{identifier}"


def record(made: Month, at: datetime) -> dict[str, Any]:
    """A CloudTrail record."""
    number = made.random.getrandbits(128)
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "userName": made.random.choice(("amy", "bo", "혜수"))},
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": made.random.choice(("s3.amazonaws.com", "sts.amazonaws.com")),
        "eventName": made.random.choice(("GetObject", "AssumeRole", "PutObject")),
        "awsRegion": "ap-northeast-2",
        "sourceIPAddress": f"192.0.2.{made.random.randrange(1, 255)}",
        "requestParameters": {"bucketName": "shop", "key": f"{number % 1000}/원"},
        "eventID": f"{number:032x}",
        "eventType": "AwsApiCall",
    }


def packed(records: list[dict[str, Any]]) -> bytes:
    """A CloudTrail file."""
    return gzip.compress(json.dumps({"Records": records}, ensure_ascii=False).encode(), mtime=0)


def access_line(made: Month, at: datetime) -> str:
    """An access line."""
    key, status = f"img/{made.random.randrange(10_000)}.png", made.random.choice((200, 200, 304, 404))
    return (
        f"0wner shop [{at:%d/%b/%Y:%H:%M:%S} +0000] 192.0.2.{made.random.randrange(1, 255)} - "
        f'{made.identifier()} REST.GET.OBJECT {key} "GET /{key} HTTP/1.1" {status} - '
        f'{made.random.randrange(9_000)} 9000 12 11 "-" "curl/8.0" - hostid= SigV4 '
        "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop.s3.amazonaws.com TLSv1.2 - -"
    )


def kst_day(at: datetime) -> str:
    """The KST day of an instant."""
    return (at + timedelta(hours=9)).date().isoformat()


def moments(made: Month, start: datetime, is_open: bool) -> list[datetime]:
    """A few instants within the 24 hours from `start`, none on days without events."""
    found = [
        start + timedelta(seconds=made.random.randrange(86_400)) for _ in range(made.random.randrange(2, 6))
    ]
    return [at for at in sorted(found) if is_open and kst_day(at) not in QUIET]


def trail_day(made: Month, start: datetime) -> None:
    """A KST day of CloudTrail. Every object is delivered some time after its events."""
    for region in REGIONS:
        for _ in range(OBJECTS_A_DAY["cloudtrail"]):
            records = [record(made, at) for at in moments(made, start, True)]
            by_delivery: dict[datetime, list[dict[str, Any]]] = {}
            for entry in records:
                delay = timedelta(minutes=made.random.choice(DELAYS["cloudtrail"]))
                at = (datetime.fromisoformat(entry["eventTime"]) + delay).replace(second=0)
                by_delivery.setdefault(at.replace(minute=at.minute // 20 * 20), []).append(entry)
            for at, entries in by_delivery.items():
                again = made.random.sample(
                    made.records[-12:], k=min(len(made.records), made.random.choice((0, 0, 1)))
                )
                made.trail(region, at + timedelta(minutes=20), packed(entries + again))
            made.records += records


def access_day(made: Month, start: datetime) -> None:
    """A KST day of access logs in all layouts. Objects by event contain the lines of their UTC day."""
    is_open = kst_day(start) != CLOUDTRAIL_ONLY
    for layout in (FLAT, BY_DELIVERY):
        for _ in range(OBJECTS_A_DAY[layout]):
            lines = [(at, access_line(made, at)) for at in moments(made, start, is_open)]
            if not lines:
                continue
            delay = timedelta(minutes=made.random.choice(DELAYS["s3_access"]))
            again = [line for _, line in made.random.sample(made.lines[-20:], k=min(len(made.lines), 1))]
            made.access(layout, lines[-1][0] + delay, [line for _, line in lines] + again[: len(lines) % 2])
            made.lines += lines
    for _ in range(OBJECTS_A_DAY[BY_EVENT]):
        lines = [(at, access_line(made, at)) for at in moments(made, start, is_open)]
        for utc_day in sorted({at.date() for at, _ in lines}):
            midnight = datetime(utc_day.year, utc_day.month, utc_day.day, tzinfo=UTC)
            own = [line for at, line in lines if at.date() == utc_day]
            again = [line for at, line in made.lines[-9:] if at.date() == utc_day][:1]
            made.access(BY_EVENT, midnight, own + again)
        made.lines += lines


def edges(made: Month) -> None:
    """Events in the first and last second of days, and the same line in deliveries of two UTC dates."""
    second = timedelta(seconds=1)
    for day in ("2023-10-01", "2023-10-02", "2023-10-16", "2023-10-31", "2023-11-01"):
        start = kst_window(day)[0]
        instants = (start - second, start)
        made.trail(REGIONS[0], start + timedelta(minutes=5), packed([record(made, at) for at in instants]))
        lines = [access_line(made, at) for at in instants]
        made.access(FLAT, start, lines[:1])
        made.access(BY_DELIVERY, start + timedelta(hours=23, minutes=59, seconds=59), lines)
        made.access(BY_DELIVERY, start + timedelta(days=1) - second, lines[1:])
        made.access(BY_EVENT, start.replace(hour=0), lines)
    for day in ("2023-10-08", "2023-10-19"):
        midnight = kst_window(day)[0].replace(hour=0) + timedelta(days=1)
        line, entry = access_line(made, midnight - 90 * second), record(made, midnight - 90 * second)
        for at in (midnight - second, midnight + 240 * second, midnight + timedelta(hours=14)):
            made.access(FLAT, at, [line])
            made.access(BY_DELIVERY, at, [line])
        for region, minutes in zip(REGIONS, (-1, 9), strict=True):
            made.trail(region, midnight + timedelta(minutes=minutes), packed([entry]))


def misplaced(made: Month) -> None:
    """Objects in the folder of the UTC date before or after that of their names."""
    for day in days()[::2]:
        midnight = kst_window(day)[0].replace(hour=0) + timedelta(days=1)
        for minutes in (-5, 5):
            at = midnight + timedelta(minutes=minutes)
            if kst_day(at) not in QUIET:
                folder, own = (f"/{date:%Y/%m/%d}/" for date in (at - timedelta(minutes=2 * minutes), at))
                key = trail_key(REGIONS[0], at, made.identifier())
                made.objects[key.replace(own, folder)] = packed([record(made, at - timedelta(minutes=9))])


def damage(made: Month) -> None:
    """A truncated file, a record without a time, and invalid lines."""
    for day in ("2023-10-05", "2023-10-20"):
        start = kst_window(day)[0]
        whole = packed([record(made, start + timedelta(minutes=n)) for n in range(40)])
        made.trail(REGIONS[1], start + timedelta(hours=2), whole[: len(whole) * 2 // 3])
        timeless = record(made, start) | {"eventTime": None}
        made.trail(REGIONS[0], start + timedelta(hours=26), packed([record(made, start), timeless]))
        good = access_line(made, start + timedelta(hours=20))
        made.access(FLAT, start + timedelta(hours=21), ["not a line", good, good[:60]])
        made.access(BY_EVENT, (start + timedelta(days=1)).replace(hour=0), [good, "\x00\x01 also not a line"])
