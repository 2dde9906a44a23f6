"""A slow and simple decoder of AWS WAF's records. It shares no code and no table with the binary.

A value remains a verbatim JSON slice until a column needs it. Values without a column go to `extra`.
"""

import re
from typing import Any

from decoded import Decoded, Reject, Row
from oracle_cloudtrail import integer, text
from oracle_s3_access_json import only_object
from raw_json import elements, members

Cells = dict[str, Any]

TEXTS = (
    "webaclId terminatingRuleId terminatingRuleType action httpSourceName httpSourceId ja3Fingerprint "
    "ja4Fingerprint cfDistributionTenantId"
)
JSON = (
    "terminatingRuleMatchDetails ruleGroupList rateBasedRuleList nonTerminatingMatchingRules "
    "requestHeadersInserted captchaResponse challengeResponse monetizeVerifyResponse"
)
NUMBERS = "requestBodySize requestBodySizeInspectedByWAF clientAsn forwardedAsn"
SMALL_NUMBERS = "formatVersion responseCodeSent"
OF_REQUEST = "clientIp country uri args httpVersion httpMethod requestId fragment scheme host"
HEADERS = ("host", "user-agent", "referer")
OTHERS = ("timestamp", "httpRequest", "labels", "oversizeFields")


def snake(key: str) -> str:
    """`requestBodySizeInspectedByWAF` as `request_body_size_inspected_by_waf`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z]+)", r"_\1", key).lower()


def small(raw: str) -> int | None:
    number = integer(raw)
    return number if number is not None and -(2**31) <= number < 2**31 else None


def verbatim(raw: str) -> str | None:
    return None if raw == "null" else raw


READERS = {
    **dict.fromkeys(TEXTS.split(), text),
    **dict.fromkeys(JSON.split(), verbatim),
    **dict.fromkeys(NUMBERS.split(), integer),
    **dict.fromkeys(SMALL_NUMBERS.split(), small),
}


class WafOracle:
    """Decodes files of lines into rows."""

    def decode(self, content: bytes) -> list[Decoded]:
        """Every line that is not blank, numbered from 1: a row or a reject."""
        lines = enumerate(content.split(b"\n"), 1)
        return [self._line(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]

    def _line(self, number: int, line: bytes) -> Decoded:
        record = only_object(line.decode("utf-8", "replace"))
        time = re.fullmatch(r'"?(\d+)"?', (record or {}).get("timestamp", ""))
        if time is None or int(time[1]) >= 253_402_300_800_000:
            return Reject(number, line)
        at = int(time[1])
        row: Cells = {"event_time": at, "event_time_kst": at + 9 * 3600 * 1000}
        extra = {key: value for key, value in record.items() if key not in READERS and key not in OTHERS}
        for key, reader in READERS.items():
            self._add(row, extra, key, record.get(key, "null"), reader)
        self._request(record.get("httpRequest", "null"), row, extra)
        self._lists(record, row, extra)
        row["extra"] = extra or None
        return Row(number, row, at, line)

    @staticmethod
    def _add(row: Cells, extra: Cells, key: str, raw: str, reader: Any) -> None:
        row[snake(key)] = None if raw == "null" else reader(raw)
        if raw != "null" and row[snake(key)] is None:
            extra[key] = raw

    @staticmethod
    def _request(raw: str, row: Cells, extra: Cells) -> None:
        request = members(raw) if raw.startswith("{") else {}
        if not request and raw not in ("null", "{}"):
            extra["httpRequest"] = raw
        for key in OF_REQUEST.split():
            row[f"http_request_{snake(key)}"] = text(request.get(key, "null"))
        headers = request.get("headers", "null")
        row["http_request_headers"] = verbatim(headers)
        listed = (
            [members(item) for item in elements(headers) if item.startswith("{")] if headers[0] == "[" else []
        )
        for name in HEADERS:
            values = [text(header.get("value", "null")) for header in listed if named(header, name)]
            row[f"header_{snake(name).replace('-', '_')}"] = next((v for v in values if v is not None), None)
        known = {*OF_REQUEST.split(), "headers"}
        extra |= {f"httpRequest.{key}": value for key, value in request.items() if key not in known}

    @staticmethod
    def _lists(record: dict[str, str], row: Cells, extra: Cells) -> None:
        labels, oversize = record.get("labels", "null"), record.get("oversizeFields", "null")
        row["labels"] = row["oversize_fields"] = None
        if labels.startswith("["):
            objects = [members(item) if item.startswith("{") else {} for item in elements(labels)]
            row["labels"] = [text(item.get("name", "null")) for item in objects]
        whole = labels.startswith("[") and all(
            item.startswith("{")
            and all(key == "name" and value[0] in '"n' for key, value in members(item).items())
            for item in elements(labels)
        )
        if labels != "null" and not whole:
            extra["labels"] = labels
        if oversize.startswith("[") and all(item[0] == '"' or item == "null" for item in elements(oversize)):
            row["oversize_fields"] = [text(item) for item in elements(oversize)]
        elif oversize != "null":
            extra["oversizeFields"] = oversize


def named(header: dict[str, str], name: str) -> bool:
    """Whether a header has this name, in any case."""
    found = text(header.get("name", "null"))
    return found is not None and found.isascii() and found.lower() == name
