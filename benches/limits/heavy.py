"""Days that need much memory: values that never repeat, large rows, or many names."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benches.limits.bench import ACCESS, CLOUDTRAIL, Dataset, Day

TRAIL = "AWSLogs/111122223333/CloudTrail/us-east-1/2023/11/01"
RECORD = (
    '{{"eventVersion":"1.09","userIdentity":{{"type":"AssumedRole","principalId":"AROA{id:016X}:i-{id:017x}",'
    '"arn":"arn:aws:sts::111122223333:assumed-role/role-{id}/i-{id:017x}","accountId":"111122223333",'
    '"accessKeyId":"ASIA{id:016X}"}},"eventTime":"2023-11-01T{clock}Z","eventSource":"{source}",'
    '"eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"10.{a}.{b}.{c}","userAgent":"agent/{id}",'
    '"requestParameters":{{"payload":"{payload}"}},"responseElements":null,"requestID":"{id:032x}",'
    '"eventID":"00000000-0000-4000-8000-{id:012x}","readOnly":false,"eventType":"AwsApiCall",'
    '"managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}'
)
LINE = (
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket-{id} [01/Nov/2023:{clock} +0000]"
    " 10.{a}.{b}.{c} arn:aws:iam::123456789012:user/reader-{id} {id:016X} REST.GET.OBJECT {key}"
    ' "GET /{key} HTTP/1.1" 200 - {id} {id} 41 28 "https://example.com/{id}" "agent/{id}" -'
    " {id:064x} SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket-{id}.s3.us-east-1.amazonaws.com TLSv1.2"
    " - -\n"
)


@dataclass(frozen=True)
class Heavy:
    """A heavy day: its log type, its numbers of rows and objects, and a function that creates a row."""

    title: str
    dataset: Dataset
    rows: int
    objects: int
    row: Callable[[random.Random, int], str]

    def make(self, folder: Path) -> Day:
        """Writes the day to an empty folder, always with the same bytes."""
        chance = random.Random(self.title)
        objects = min(self.objects, self.rows)
        for number in range(objects):
            rows = range(number * self.rows // objects, (number + 1) * self.rows // objects)
            path = folder / self.name(number, objects)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content(self.row(chance, row) for row in rows))
        return Day(self.dataset, folder, self.rows)

    def name(self, number: int, objects: int) -> str:
        """Returns the key of an object. Keys sort by time."""
        clock = clock_of(number, objects)
        if self.dataset is CLOUDTRAIL:
            at = clock.replace(":", "")[:4]
            return f"{TRAIL}/111122223333_CloudTrail_us-east-1_20231101T{at}Z_{number:016d}.json.gz"
        return f"2023-11-01-{clock.replace(':', '-')}-{number:016X}"

    def content(self, rows: Iterator[str]) -> bytes:
        """Packs rows into an object of the log type."""
        if self.dataset is CLOUDTRAIL:
            return gzip.compress(f'{{"Records":[{",".join(rows)}]}}'.encode(), compresslevel=1, mtime=0)
        return "".join(rows).encode()


def clock_of(number: int, count: int) -> str:
    """Returns a time in the first half of the UTC day that increases with the number."""
    second = number * 43_200 // count
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def spread(number: int) -> dict[str, object]:
    """Returns values that are unique to a row, and a time that does not follow the order of rows."""
    mixed = number * 2_654_435_761 % 2**32
    parts = {"a": number >> 16 & 255, "b": number >> 8 & 255, "c": number & 255}
    return {"id": number, "clock": clock_of(mixed, 2**32), **parts}


def large_record(chance: random.Random, number: int) -> str:
    """Creates a record of 13 KB with a unique payload."""
    given = {"source": "s3.amazonaws.com", "name": "PutObject", "payload": chance.randbytes(6_100).hex()}
    return RECORD.format(**spread(number), **given)


def named_record(chance: random.Random, number: int) -> str:
    """Creates a small record with a unique source and name, by which rows are clustered."""
    mark = f"{chance.getrandbits(64):016x}"
    given = {"source": f"service-{mark}.amazonaws.com", "name": f"Do{mark}", "payload": ""}
    return RECORD.format(**spread(number), **given)


def distinct_line(chance: random.Random, number: int) -> str:
    """Creates a line with a unique bucket, requester, key, referrer and agent."""
    return LINE.format(**spread(number), key=f"{chance.getrandbits(128):032x}/{number}")


def long_line(chance: random.Random, number: int) -> str:
    """Creates a line of 2.1 KB with a key of the maximum length that S3 allows."""
    return LINE.format(**spread(number), key=chance.randbytes(500).hex())


LARGE_RECORDS = Heavy("CloudTrail, records of 13 KB, all different", CLOUDTRAIL, 60_000, 200, large_record)
NAMED_RECORDS = Heavy(
    "CloudTrail, every source and name different", CLOUDTRAIL, 1_500_000, 300, named_record
)
DISTINCT_LINES = Heavy("access logs, every value different", ACCESS, 1_500_000, 300, distinct_line)
LONG_LINES = Heavy("access logs, lines of 2 KB", ACCESS, 400_000, 100, long_line)
SMALL_OBJECTS = Heavy("access logs, an object a row", ACCESS, 300_000, 300_000, distinct_line)
DAYS = (LARGE_RECORDS, NAMED_RECORDS, DISTINCT_LINES, LONG_LINES, SMALL_OBJECTS)
