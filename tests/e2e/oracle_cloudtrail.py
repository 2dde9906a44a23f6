"""A slow and simple decoder of CloudTrail files. It shares neither code nor approach with the binary's.

A value remains a verbatim JSON slice until a column needs it. Text columns unescape strings and keep other
values as JSON text, JSON columns keep the slice, and values without a column go to `extra`.
"""

import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from decoded import Decoded, Reject, Row
from raw_json import Scanner, elements, members
from schema import RESOURCE_SOURCE, Column

# Columns that are not read from one path of the record.
MADE = {"event time + 9 h", "decoder", "address of the raw object", "record or line number in it"}
PROMOTED = re.compile(r"(requestParameters|additionalEventData)\.(\w+)")
INSTANT = re.compile(
    r"(?P<year>\d{4})(?P<dash>-)?(\d\d)(?(dash)-)(\d\d)T(\d\d)(?(dash):)(\d\d)(?(dash):)(?P<second>\d\d)"
    r"(?:\.(?P<fraction>\d+))?(?:Z|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))"
)
RESOURCE_KEYS = {"ARN", "arn", "accountId", "type", "ARNPrefix"}


def unpack(packed: bytes) -> tuple[bytes, bool]:
    """The content of a gzip file with any number of members, and whether it is whole. Zeros are padding."""
    content = bytearray()
    while packed:
        member = zlib.decompressobj(wbits=31)
        try:
            content += member.decompress(packed)
        except zlib.error:
            return bytes(content), False
        if not member.eof:
            return bytes(content), False
        packed = member.unused_data.lstrip(b"\0")
    return bytes(content), True


class CloudTrailOracle:
    """Decodes files into rows of the given columns."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.tree: dict[str, Any] = {}
        for column in columns:
            self._plant(column)

    def _plant(self, column: Column) -> None:
        if column.source in MADE or PROMOTED.fullmatch(column.source):
            return
        if RESOURCE_SOURCE.match(column.source):
            self.tree["resources"] = "resources"
            return
        for path in column.sources:
            *parents, leaf = path.split(".")
            node = self.tree
            for name in parents:
                node = node.setdefault(name, {})
            node[leaf] = column

    def decode(self, packed: bytes) -> list[Decoded]:
        """Every record of a file, numbered from 1: a row or a reject. A truncated end is one reject."""
        plain, whole = unpack(packed) if packed[:2] == b"\x1f\x8b" else (packed, True)
        found: list[Decoded] = []
        try:
            for record in self._records(plain.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")):
                found.append(self._record(len(found) + 1, record))
        except ValueError:
            whole = False
        if not whole:
            found.append(Reject(len(found) + 1, b""))
        return found

    @staticmethod
    def _records(text: str) -> Iterator[str]:
        scanner = Scanner(text)
        while not scanner.at_end():
            for name in scanner.names():
                if name == "Records":
                    yield from scanner.elements()
                else:
                    scanner.value()

    def _record(self, number: int, raw: str) -> Decoded:
        if not raw.startswith("{"):
            return Reject(number, raw.encode())
        row: dict[str, Any] = {column.name: None for column in self.columns}
        extra: dict[str, str] = {}
        self._walk(self.tree, raw, "", row, extra)
        is_notification = (row["event_source"] or "").startswith("aws:")
        if row["event_time"] is None or is_notification:
            return Reject(number, raw.encode())
        row["event_time_kst"] = row["event_time"] + 9 * 3600 * 1000
        row["extra"] = extra or None
        self._promote(row)
        return Row(number, row, row["event_time"], row["event_id"] or raw)

    def _walk(
        self,
        node: dict[str, Any],
        raw: str,
        prefix: str,
        row: dict[str, Any],
        extra: dict[str, str],
    ) -> None:
        for name, value in members(raw).items():
            child, path = node.get(name), prefix + name
            if child is None:
                extra[path] = value
            elif value == "null":
                continue
            elif child == "resources":
                if not self._resources(value, row):
                    extra[path] = value
            elif isinstance(child, Column):
                row[child.name] = typed(child, value)
                if row[child.name] is None:
                    extra[path] = value
            elif value.startswith("{"):
                self._walk(child, value, path + ".", row, extra)
            else:
                extra[path] = value

    def _resources(self, raw: str, row: dict[str, Any]) -> bool:
        """Turns a list of objects into parallel lists. Returns whether they hold every value."""
        if not raw.startswith("["):
            return False
        items = elements(raw)
        known = [members(item) if item.startswith("{") else {} for item in items]
        for column in self.columns:
            if names := RESOURCE_SOURCE.findall(column.source):
                row[column.name] = [last_text(item, names) for item in known]
        if any("ARN" in item and "arn" in item for item in known):
            return False
        return all(item.startswith("{") for item in items) and all(
            name in RESOURCE_KEYS and (value == "null" or value.startswith('"'))
            for item in known
            for name, value in item.items()
        )

    def _promote(self, row: dict[str, Any]) -> None:
        for column in self.columns:
            if match := PROMOTED.fullmatch(column.source):
                parent = next(c.name for c in self.columns if c.source == match[1])
                holder = row[parent] or ""
                value = members(holder).get(match[2]) if holder.startswith("{") else None
                row[column.name] = None if value is None else typed(column, value)


def last_text(item: dict[str, str], names: list[str]) -> str | None:
    """The text of the last of these names that an object has."""
    found = [text(value) for name, value in item.items() if name in names and value != "null"]
    return found[-1] if found else None


def typed(column: Column, raw: str) -> Any:
    """The value of a column for a JSON value; None if the value does not fit."""
    if column.json:
        return None if raw == "null" else raw
    return {"string": text, "boolean": boolean, "timestamp": instant, "bigint": integer}[column.type](raw)


def text(raw: str) -> str | None:
    """An unescaped string; None for null; the JSON text of any other value."""
    if raw == "null":
        return None
    return well_formed(json.loads(raw)) if raw.startswith('"') else raw


def well_formed(value: str) -> str:
    """Text without lone surrogates, which JSON can represent and UTF-8 cannot."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def boolean(raw: str) -> bool | None:
    """A boolean, which may be written as a string, then also capitalised."""
    if raw in ("true", "false"):
        return raw == "true"
    return {'"true"': True, '"True"': True, '"false"': False, '"False"': False}.get(raw)


def integer(raw: str) -> int | None:
    """A whole number of 64 bits, which may be a string or have an empty fraction."""
    match = re.fullmatch(r"([+-]?\d+)(?:\.0+)?", raw.strip('"'))
    return int(match[1]) if match and -(2**63) <= int(match[1]) < 2**63 else None


def instant(raw: str) -> int | None:
    """An ISO 8601 instant, basic or extended, as milliseconds since 1970."""
    match = INSTANT.fullmatch(json.loads(raw)) if raw.startswith('"') else None
    if match is None:
        return None
    date, second = map(int, (match["year"], *match.groups()[2:6])), int(match["second"])
    try:
        moment = datetime(*date, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    if second > 60:
        return None
    if match["sign"]:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        moment += offset if match["sign"] == "-" else -offset
    return int(moment.timestamp()) * 1000 + int((match["fraction"] or "0").ljust(3, "0")[:3])
