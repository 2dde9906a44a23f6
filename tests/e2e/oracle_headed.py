"""Slow, simple decoders of CloudFront and VPC flow logs, whose header lines name the fields.

They share no code and no table with the binary: the fields are listed here again, from the pages of AWS.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from decoded import Decoded, Reject, Row

NULLS = ("-", "", '"-"')
EPOCH = datetime.fromtimestamp(0, UTC)
END_OF_TIME = 253_402_300_800_000

# White space of Unicode, and a space without width.
SPACES = "\t\v\f\r \x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000"

CF_VERSION_1 = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol "
    "cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type "
    "cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte "
    "x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end "
    "distribution-tenant-id connection-id"
).split()
CF_VERSION_2 = (
    "timestamp(ms) timestamp origin-fbl origin-lbl asn c-country cache-behavior-path-pattern "
    "viewer-request-log-data viewer-response-log-data DistributionId"
).split()
CF_FORMS = (12, 15, 18, 19, 24, 26, 33, 34, 35)
CF_RENAMED = {
    "cs(Host)": "cs_host",
    "cs(Referer)": "cs_referer",
    "cs(User-Agent)": "cs_user_agent",
    "cs(Cookie)": "cs_cookie",
    "timestamp(ms)": "timestamp_ms",
    "timestamp": "timestamp_s",
    "DistributionId": "distribution_id",
}
CF_32 = {"sc-status", "fle-encrypted-fields", "c-port"}
CF_64 = set(
    "sc-bytes cs-bytes sc-content-len sc-range-start sc-range-end timestamp(ms) timestamp asn".split()
)
CF_DOUBLE = {"time-taken", "time-to-first-byte", "origin-fbl", "origin-lbl"}

VPC_VERSION_2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status"
).split()
VPC_KNOWN = [
    *VPC_VERSION_2,
    *(
        "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type "
        "sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn "
        "ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
        "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id "
        "reject-reason resource-id encryption-status instance-tag instance-tag-2 interface-tag "
        "interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id next-hop-subnet-id "
        "next-hop-az-id next-hop-vpc-id next-hop-interface-type flow-log-id"
    ).split(),
]
VPC_32 = {"version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path", "encryption-status"}
VPC_64 = {"packets", "bytes"}

Cells = dict[str, Any]


def number(text: str, bits: int) -> int:
    """A number that fits into its column."""
    if not re.fullmatch(r"-?[0-9]+", text) or not -(2 ** (bits - 1)) <= int(text) < 2 ** (bits - 1):
        raise ValueError(text)
    return int(text)


def decimal(text: str) -> float:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) or float(text) in (float("inf"), -float("inf")):
        raise ValueError(text)
    return float(text)


def instant(milliseconds: int) -> int:
    """A time up to the year 9999."""
    if not 0 <= milliseconds < END_OF_TIME:
        raise ValueError(milliseconds)
    return milliseconds


def without_repetition(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The pairs, if no name occurs twice."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError(pairs)
    return pairs


class HeadedOracle:
    """Decodes the lines of an object."""

    separator = ""
    request_id: str | None = None

    def __init__(self, name: str) -> None:
        """Takes the name of the object."""
        self.name = name
        self.names: list[str] | None = None

    def decode(self, content: bytes) -> list[Decoded]:
        """Every line that is not blank or a header, numbered from 1: a row or a reject."""
        found: list[Decoded] = []
        for record, raw in enumerate(content.split(b"\n"), 1):
            line = raw.removesuffix(b"\r")
            text = line.decode("utf-8", "replace")
            if not raw.strip(b" \t\r\n\f") or self.is_header(text):
                continue
            try:
                found.append(self._row(record, line, text))
            except ValueError:
                found.append(Reject(record, raw))
        return found

    def _row(self, record: int, line: bytes, text: str) -> Row:
        row = dict.fromkeys(self.columns())
        extra: Cells = {}
        row |= self.read(self.pairs(text), extra)
        row["event_time_kst"] = row["event_time"] + 9 * 3600 * 1000
        row["extra"] = json.dumps(extra, ensure_ascii=False, separators=(",", ":")) if extra else None
        has_id = self.request_id is not None and row[self.request_id] is not None
        identity = repr(line if has_id else (self.name.removesuffix(".gz"), record, line))
        return Row(record, row, row["event_time"], identity)

    def values(self, text: str, names: list[str]) -> list[tuple[str, str]]:
        """The values by name; those beyond the last name under an empty one."""
        parts = text.split(self.separator, len(names))
        if len(parts) < len(names):
            raise ValueError(text)
        rest = [("", parts[-1])] if len(parts) > len(names) else []
        return [*without_repetition(list(zip(names, parts, strict=False))), *rest]

    def columns(self) -> list[str]:
        raise NotImplementedError

    def is_header(self, text: str) -> bool:
        raise NotImplementedError

    def pairs(self, text: str) -> list[tuple[str, Any]]:
        raise NotImplementedError

    def read(self, pairs: list[tuple[str, Any]], extra: Cells) -> Cells:
        raise NotImplementedError


class CloudFrontOracle(HeadedOracle):
    """CloudFront standard logs of both versions."""

    separator = "\t"
    request_id = "x_edge_request_id"

    @staticmethod
    def column(name: str) -> str:
        return CF_RENAMED.get(name, name.replace("-", "_"))

    def columns(self) -> list[str]:
        return [self.column(name) for name in CF_VERSION_1[2:] + CF_VERSION_2]

    def is_header(self, text: str) -> bool:
        if text.startswith("#Fields:"):
            self.names = [name for name in re.split(f"[{SPACES}]", text[8:]) if name]
            return True
        return bool(re.fullmatch(r"#[A-Za-z-]*:[^\t]*", text, re.DOTALL))

    def pairs(self, text: str) -> list[tuple[str, Any]]:
        if text.startswith("{"):
            pairs = json.loads(text, object_pairs_hook=without_repetition)
            if not isinstance(pairs, list):
                raise ValueError(text)
            return [(name, self.value(value)) for name, value in pairs if value is not None]
        if self.names is not None:
            if "x-event" in self.names:
                raise ValueError("streaming")
            return self.values(text, self.names)
        count = text.count("\t") + 1
        if count not in CF_FORMS and count < CF_FORMS[-1]:
            raise ValueError(count)
        return self.values(text, CF_VERSION_1[:count])

    @staticmethod
    def value(value: Any) -> Any:
        """A value in JSON; objects inside are dictionaries again."""
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            return {name: CloudFrontOracle.value(inner) for name, inner in value}
        return value

    def read(self, pairs: list[tuple[str, Any]], extra: Cells) -> Cells:
        row: Cells = {}
        day = clock = None
        for name, value in pairs:
            if isinstance(value, str) and (value in NULLS and name != ""):
                continue
            if name not in CF_VERSION_1 + CF_VERSION_2:
                extra[name] = value
                continue
            text = value if isinstance(value, str) else json.dumps(value)
            if name == "date":
                if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                    raise ValueError(text)
                day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
            elif name == "time":
                if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)", text):
                    raise ValueError(text)
                hour, minute, second = map(int, text.split(":"))
                clock = timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
            else:
                row[self.column(name)] = self.cell(name, text)
        if row.get("timestamp_ms") is not None:
            row["event_time"] = instant(row["timestamp_ms"])
        elif day is not None and clock is not None:
            row["event_time"] = (day + clock - EPOCH) // timedelta(milliseconds=1)
        elif row.get("timestamp_s") is not None:
            row["event_time"] = instant(row["timestamp_s"] * 1000)
        else:
            raise ValueError("no time")
        named = re.fullmatch(r"(E[A-Z0-9]+)\.\d{4}-\d\d-\d\d-\d\d\.[A-Za-z0-9]+(\..*)?", self.name)
        if named and row.get("distribution_id") is None:
            row["distribution_id"] = named[1]
        return row

    @staticmethod
    def cell(name: str, text: str) -> Any:
        if name in CF_32:
            return number(text, 32)
        if name in CF_64:
            return number(text, 64)
        return decimal(text) if name in CF_DOUBLE else text


class VpcFlowOracle(HeadedOracle):
    """VPC flow logs as text."""

    separator = " "

    def columns(self) -> list[str]:
        renamed = {"start": "start_time", "end": "end_time"}
        return [renamed.get(name, name.replace("-", "_")) for name in VPC_KNOWN]

    def is_header(self, text: str) -> bool:
        names = [name for name in text.split(" ") if name]
        known = [name for name in names if name in [*VPC_KNOWN, "resource-type", "tgw-id"]]
        is_plain = all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)
        if not all(re.match(r"[A-Za-z]", name) for name in names):
            return False
        if len(known) < (1 if is_plain else 3):
            return False
        self.names = names
        return True

    def pairs(self, text: str) -> list[tuple[str, Any]]:
        names = self.names
        if names is None:
            names = VPC_VERSION_2
            if text.count(" ") + 1 != len(names):
                raise ValueError(text)
        if {"resource-type", "tgw-id"} & set(names):
            raise ValueError("transit gateway")
        pairs = self.values(text, names)
        if any("" in value.split(" ") for _, value in pairs):
            raise ValueError(text)
        return pairs

    def read(self, pairs: list[tuple[str, Any]], extra: Cells) -> Cells:
        row: Cells = {}
        for name, text in pairs:
            if text in NULLS and name != "":
                continue
            if name not in VPC_KNOWN:
                extra[name] = text
            elif name in ("start", "end"):
                row[f"{name}_time"] = instant(number(text, 64) * 1000)
            elif name in VPC_32 | VPC_64:
                row[name.replace("-", "_")] = number(text, 32 if name in VPC_32 else 64)
            else:
                row[name.replace("-", "_")] = text
        times = [row[name] for name in ("start_time", "end_time") if row.get(name) is not None]
        if not times:
            raise ValueError("no time")
        row["event_time"] = times[0]
        named = re.fullmatch(r".*\d{12}_vpcflowlogs_[^_]*_([^_]*)_\d{8}T\d{4}Z(_.*)?", self.name)
        if named and row.get("flow_log_id") is None:
            row["flow_log_id"] = named[1]
        return row
