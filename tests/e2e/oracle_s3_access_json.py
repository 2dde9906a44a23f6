"""A slow and simple decoder of access logs in JSON, and the text line that S3 writes for the same request."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from oracle_cloudtrail import boolean, instant, integer, text
from raw_json import Scanner

Cells = dict[str, Any]

# Keys whose columns have other names.
RENAMED = {
    "bucket_owner_id": "bucket_owner",
    "bucket_name": "bucket",
    "key_name": "key",
    "bytes_sent_size": "bytes_sent",
    "total_duration": "total_time",
    "turn_around_duration": "turn_around_time",
}
SAME = (
    "request_time remote_ip requester request_id operation request_uri http_status error_code object_size "
    "referer user_agent version_id host_id signature_version cipher_suite authentication_type host_header "
    "tls_version access_point_arn acl_required source_region"
)
NAMES = RENAMED | {name: name for name in SAME.split()}
READERS = {"request_time": instant, "acl_required": boolean} | dict.fromkeys(
    ("http_status", "bytes_sent", "object_size", "total_time", "turn_around_time"), integer
)
LINE = (
    "{bucket_owner} {bucket} [{time}] {remote_ip} {requester} {request_id} {operation} {key} "
    '"{request_uri}" {http_status} {error_code} {bytes_sent} {object_size} {total_time} {turn_around_time} '
    '"{referer}" "{user_agent}" {version_id} {host_id} {signature_version} {cipher_suite} '
    "{authentication_type} {host_header} {tls_version} {access_point_arn} {acl_required} {source_region}"
)


def json_cells(line: str) -> Cells | None:
    """The cells of a record; None if the line is not one record with a time."""
    members = only_object(line)
    if members is None:
        return None
    cells: Cells = dict.fromkeys(NAMES.values())
    extra = {key: value for key, value in members.items() if key not in NAMES}
    for key, name in NAMES.items():
        value = members.get(key, "null")
        cells[name] = None if value == "null" else READERS.get(name, text)(value)
        if name == "http_status" and cells[name] is not None and not -(2**31) <= cells[name] < 2**31:
            cells[name] = None
        if cells[name] is None and value != "null":
            extra[key] = value
    if cells["request_time"] is None:
        return None
    for key, usual in (
        ("schema_version_id", "V_1_0"),
        ("bucket_arn", f"arn:aws:s3:::{cells['bucket'] or ''}"),
    ):
        if text(extra.get(key, "null")) in (None, usual):
            extra.pop(key, None)
    key = cells["key"]
    cells["key_decoded"] = None if key is None or set("%+") & set(key) else key
    texts = [members[key] for key in NAMES if key in members]
    is_lossy = any("\ufffd" in (text(value) or "") and "ufffd" not in value.lower() for value in texts)
    return cells | {"extra": extra or None, "parse_quality": "lossy" if is_lossy else "exact"}


def only_object(line: str) -> dict[str, str] | None:
    """The members of the only object of a line."""
    try:
        scanner = Scanner(line.removeprefix("\ufeff"))
        found = {name: scanner.value() for name in scanner.names()}
        return found if scanner.at_end() else None
    except (ValueError, RecursionError):
        return None


def text_line(cells: Cells) -> str | None:
    """The text line that S3 writes for a record. None if milliseconds may be all that identifies it."""
    milliseconds, request_id = cells["request_time"] % 1000, cells["request_id"] or ""
    if cells["extra"] or (milliseconds and not re.fullmatch("[A-Z0-9]{16}", request_id, re.ASCII)):
        return None
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=cells["request_time"] - milliseconds)
    required = "Yes" if cells["acl_required"] else None
    values = cells | {"acl_required": required, "bytes_sent": cells["bytes_sent"] or None}
    line = LINE
    if (cells["operation"] or "").startswith(("BATCH.", "S3.COMPUTE.")):
        for name in ("request_uri", "referer", "user_agent"):
            line = line if cells[name] is not None else line.replace(f'"{{{name}}}"', "-")
    shown = {name: "-" if value is None else value for name, value in values.items()}
    return line.format(**shown, time=f"{at:%d/%b/%Y:%H:%M:%S} +0000")


def as_text_form(cells: Cells) -> Cells:
    """The cells of a record without what a text line does not say."""
    kept = {name: value for name, value in cells.items() if not name.startswith("request_time")}
    kept["request_time"] = cells["request_time"] // 1000 * 1000
    return kept | {
        "key_decoded": None,
        "acl_required": cells["acl_required"] or None,
        "bytes_sent": cells["bytes_sent"] or None,
    }


def is_record(line: str) -> bool:
    """Whether a line begins like a record."""
    return line.removeprefix("\ufeff").lstrip(" \t\r").startswith("{")
