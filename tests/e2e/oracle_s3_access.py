"""A slow and simple decoder of S3 server access lines, which tries every way to read a line.

A line has free text in three quoted fields, and this text may contain quotes. The oracle lists all readings
that fit the fixed parts of the line. With one reading the line is `exact`. With several it is `ambiguous`,
and the reading with the shortest request line and the shortest referer is kept. With none, the oracle has no
result.

A line that S3 would not write is `ambiguous` too: a line with text before the owner, with a truncated owner,
or one that ends before or within the fields that lines of its time have.

A line that begins with `{` is a record in JSON. It is the duplicate of a text line if S3 would write that
line for it, and the line has no other reading.
"""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_to_bytes

from decoded import Decoded, Reject, Row
from oracle_s3_access_json import as_text_form, is_record, json_cells, text_line
from schema import Column

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
HEAD = re.compile(
    r"(?P<bucket_owner>[^\s\"]+) (?P<bucket>[^\s\"]+) "
    r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] (?P<remote_ip>\S+) "
    r"(?P<requester>arn:aws[\w-]*:iam::cloudfront:user/CloudFront Origin Access Identity \w+|\S+) "
    r"(?P<request_id>\S+) (?P<operation>[\w-]+(?:\.[\w-]+)+|-) (?P<key>\S+) "
)
NUMBERS = re.compile(
    r"(?P<http_status>\d{3}|-) (?P<error_code>\S+) (?P<bytes_sent>\d+|-) (?P<object_size>\d+|-) "
    r"(?P<total_time>\d+|-) (?P<turn_around_time>\d+|-) "
)
TAIL = re.compile(r'(?: [^ "]+)*')
TAIL_FIELDS = [
    "version_id",
    "host_id",
    "signature_version",
    "cipher_suite",
    "authentication_type",
    "host_header",
    "tls_version",
    "access_point_arn",
    "acl_required",
    "source_region",
]
OWNER = re.compile(r"[0-9a-fA-F]{64}|[\w.-]{1,24}", re.ASCII)
ALL_SINCE_2019 = 7
FEWEST_IN_TAIL = [("2019-07-01", ALL_SINCE_2019), ("2012-01-01", 1)]
SINCE_2023 = "2023-01-01"
GRAMMARS = {
    "authentication_type": "[A-Za-z]+",
    "tls_version": r"TLS.*\d",
    "acl_required": "Yes|No",
    "source_region": r"[a-z\d]+(?:-[a-z\d]+)*-[a-z]*\d+",
}
SIGNATURES = {"SigV2", "SigV4", "-"}
WHOLE_NUMBERS = ["http_status", "bytes_sent", "object_size", "total_time", "turn_around_time"]


class S3AccessOracle:
    """Decodes files of lines into rows of the given columns."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns

    def decode(self, content: bytes) -> list[Decoded]:
        """Every line that is not blank, numbered from 1: a row or a reject."""
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        lines = enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
        return [self._any_form(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]

    def _any_form(self, number: int, line: bytes) -> Decoded:
        plain = line.decode("utf-8", "replace")
        return self._record(number, line, plain) if is_record(plain) else self._line(number, line)

    def _record(self, number: int, line: bytes, plain: str) -> Decoded:
        cells = json_cells(plain)
        if cells is None:
            return Reject(number, line)
        if "\ufffd" in plain and "\ufffd".encode() not in line:
            cells["parse_quality"] = "lossy"
        moment = cells["request_time"]
        row: dict[str, Any] = {column.name: None for column in self.columns}
        row |= cells | {"request_time_kst": moment + 9 * 3600 * 1000}
        return Row(number, row, moment, self._twin(row) or line)

    def _twin(self, row: dict[str, Any]) -> bytes | None:
        """The text line of the same request, if it gives the same cells without doubt."""
        line = text_line(row)
        found = None if line is None else self._line(1, line.encode())
        if not isinstance(found, Row) or as_text_form(found.columns) != as_text_form(row):
            return None
        return line.encode()

    def _line(self, number: int, line: bytes) -> Decoded:
        plain = line.strip().decode("utf-8", "replace")
        read = list(readings(plain))
        if not read:
            return Reject(number, line)
        fields = read[0]
        row: dict[str, Any] = {column.name: None for column in self.columns}
        row |= {name: value for name, value in fields.items() if value not in (None, "-")}
        for name in WHOLE_NUMBERS:
            row[name] = None if row[name] is None else int(row[name])
        moment = clf_instant(row.pop("time"))
        row["request_time"], row["request_time_kst"] = moment, moment + 9 * 3600 * 1000
        if row["key"] is not None and row["operation"] is not None:
            row["key_decoded"] = decoded_key(row["operation"], row["key"])
        row["acl_required"] = True if row["acl_required"] == "Yes" else None
        row["parse_quality"] = "ambiguous" if len(read) > 1 or is_altered(fields, moment) else "exact"
        return Row(number, row, moment, line)


def readings(line: str) -> Iterator[dict[str, str]]:
    """Every way to read a line, the preferred one first."""
    head = HEAD.match(line)
    if head is None or clf_instant(head["time"]) is None:
        return
    for uri, at in quoted(line, head.end()):
        numbers = NUMBERS.match(line, at)
        if numbers is None:
            continue
        for agents, tail in borders(line[numbers.end() :]):
            if fields := tail_fields(tail):
                yield (head.groupdict() | {"request_uri": uri} | numbers.groupdict() | agents | fields)


def quoted(line: str, start: int) -> Iterator[tuple[str, int]]:
    """Each text that may be the quoted field at a position, and the start of the next field."""
    if line.startswith("- ", start):
        yield "-", start + 2
    if line.startswith('"', start):
        for end in re.finditer('" ', line[start + 1 :]):
            yield line[start + 1 : start + 1 + end.start()], start + 1 + end.end()


def borders(rest: str) -> Iterator[tuple[dict[str, str], str]]:
    """Each way to cut referer and user agent out of the text after the numbers, with the tail."""
    for referer, at in quoted(rest, 0):
        remainder = rest[at:]
        if f"{remainder} ".startswith("- ") and '" "' not in rest[:at]:
            yield {"referer": referer, "user_agent": "-"}, remainder[1:]
        last = remainder.rfind('"')
        if remainder.startswith('"') and last > 0:
            agents = {"referer": referer, "user_agent": remainder[1:last]}
            yield agents, remainder[last + 1 :]


def tail_fields(tail: str) -> dict[str, str] | None:
    """The fields after the user agent; None if they cannot be such fields."""
    if not TAIL.fullmatch(tail):
        return None
    values = tail.split()
    if len(values) > 2 and values[2] not in SIGNATURES:
        return None
    extra = " ".join(values[len(TAIL_FIELDS) :]) or None
    return dict(zip(TAIL_FIELDS, values, strict=False)) | {"extra": extra}


def is_altered(fields: dict[str, str], moment: int) -> bool:
    """Whether a line is truncated, or has extra text around it or between its fields."""
    day = f"{datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment):%Y-%m-%d}"
    tail = [fields[name] for name in TAIL_FIELDS if name in fields]
    fewest = next((fewest for since, fewest in FEWEST_IN_TAIL if day >= since), 0)
    texts = [fields[name] for name in ("request_uri", "referer", "user_agent") if fields[name] != "-"]
    return (
        not OWNER.fullmatch(fields["bucket_owner"])
        or len(tail) < fewest
        or 1 < len(tail) < ALL_SINCE_2019
        or any(not re.fullmatch(f"-|{form}", fields.get(name, "-")) for name, form in GRAMMARS.items())
        or any(not " " <= character <= "~" for value in tail for character in value)
        or bool(tail and not fields["extra"] and day >= SINCE_2023 and is_cut(tail))
        or bool(texts and all(re.fullmatch('".*"', text) for text in texts))
    )


def is_cut(tail: list[str]) -> bool:
    """Whether a line ends in a possible prefix of a value, although further fields follow since 2023."""
    name, value = TAIL_FIELDS[len(tail) - 1], tail[-1]
    return name == "access_point_arn" and value != "-" or name == "tls_version" and value.endswith("v1")


def decoded_key(operation: str, key: str) -> str:
    """The key of the object. Requests log it form-encoded and then percent-encoded, S3 itself once."""
    logged = key.encode()
    if operation != "BATCH.DELETE.OBJECT" and not operation.startswith("S3."):
        logged = unquote_to_bytes(logged)
    return unquote_to_bytes(logged.replace(b"+", b" ")).decode("utf-8", "replace")


def clf_instant(time: str) -> int | None:
    """`06/Feb/2019:00:00:38 +0000` as milliseconds since 1970."""
    day, month, year, hour, minute, second = re.split("[/: ]", time)[:6]
    try:
        local = datetime(
            int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second),
            tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    offset = timedelta(hours=int(time[-4:-2]), minutes=int(time[-2:]))
    return int((local + (offset if time[-5] == "-" else -offset)).timestamp()) * 1000
