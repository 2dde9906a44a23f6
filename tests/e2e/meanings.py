"""Computes the expected rows of each view of `glue/sql` in plain Python from raw rows, without using its SQL.

Rows are dictionaries that the oracle decodes from raw logs. Operations, calls and error codes are listed one
by one. A value in the raw logs that is not in the list is an error.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from oracle import expected_day

Record = dict[str, Any]
Rows = list[tuple[Any, ...]]

NINE_HOURS = timedelta(hours=9)


@dataclass(frozen=True)
class RawDays:
    """The rows of some Korean days of a raw folder."""

    events: list[Record]
    lines: list[Record]


def raw_days(source: str | Path, days: Iterable[str]) -> RawDays:
    """The rows of days, as the oracle reads them."""

    def rows(table: str) -> list[Record]:
        return [row for day in days for row in expected_day(source, day, table).rows.values()]

    return RawDays(rows("cloudtrail"), rows("s3_access"))


def moment(milliseconds: int) -> datetime:
    """A time without a zone."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)).replace(tzinfo=None)


def utc(row: Record) -> datetime:
    """The time of a row in UTC."""
    return moment(row["event_time"] if "event_time" in row else row["request_time"])


def kst(row: Record) -> datetime:
    """The time of a row in Korea."""
    return utc(row) + NINE_HOURS


def proc_ymd(row: Record) -> str:
    """The Korean day."""
    return kst(row).strftime("%Y%m%d")


def day_of(row: Record) -> tuple[str, datetime]:
    """The Korean day, and its start in UTC."""
    midnight = kst(row).replace(hour=0, minute=0, second=0, microsecond=0)
    return proc_ymd(row), midnight - NINE_HOURS


def times_of(row: Record) -> tuple[str, datetime, datetime]:
    """The Korean day, the time, and the Korean time."""
    return proc_ymd(row), utc(row), kst(row)


def counted(keys: Iterable[tuple[Any, ...]]) -> Rows:
    """Each key with its number of occurrences."""
    return [(*key, number) for key, number in Counter(keys).items()]


# --- Callers of CloudTrail.


def identity(event: Record, *path: str) -> str | None:
    """A part of the caller's identity. An empty value counts as None."""
    return event["_".join(("user_identity", *path))] or None


def issuer(event: Record, what: str) -> str:
    """A fact about the role of a session."""
    return identity(event, "session_context_session_issuer", what) or ""


def is_anonymous(event: Record) -> bool:
    """Whether the caller has no identity."""
    names = {identity(event, "account_id"), identity(event, "principal_id")}
    return bool(names & {"anonymous", "ANONYMOUS_PRINCIPAL"})


def user(event: Record) -> str | None:
    """The person or program behind a call; None for AWS itself and for anonymous callers."""
    by_aws = identity(event, "type") == "AWSService" or event["event_type"] == "AwsServiceEvent"
    if by_aws or is_anonymous(event):
        return None
    if "/aws-service-role/" in issuer(event, "arn"):
        return None
    arn, principal = identity(event, "arn"), identity(event, "principal_id")
    if issuer(event, "user_name").startswith("AWSReservedSSO"):
        return arn
    if identity(event, "type") == "AssumedRole":
        return issuer(event, "arn") or arn
    if arn is None and principal and principal[:4] == "AROA":
        return principal.split(":")[0]
    return arn or identity(event, "on_behalf_of_user_id") or principal


def requester(event: Record) -> str | None:
    """The name under which a call was made."""
    return identity(event, "arn") or identity(event, "principal_id") or event["user_identity_invoked_by"]


def is_root(event: Record) -> bool:
    """Whether root made the call, and not a service on its behalf."""
    arn = identity(event, "arn") or ""
    named = identity(event, "type") == "Root" or (arn.startswith("arn:aws:iam::") and arn.endswith(":root"))
    assumed = event["user_identity_session_context_assumed_root"] is True
    by_aws = event["user_identity_invoked_by"] is not None or event["event_type"] == "AwsServiceEvent"
    return (named or assumed) and not by_aws


IS_DENIAL = {
    "AccessDenied": True,
    "AccessDeniedException": True,
    "AuthorizationErrorException": True,
    "Client.RequestLimitExceeded": False,
    "Client.UnauthorizedOperation": True,
    "ForbiddenException": True,
    "LimitExceeded": False,
    "NoSuchKey": False,
    "NotAuthorizedException": True,
    "VpceAccessDenied": True,
    None: False,
}


def within(text: str | None, name: str) -> Any:
    """A value inside a JSON column."""
    return None if text is None else json.loads(text).get(name)


def monthly_users(raw: RawDays) -> Rows:
    months: dict[str, list[str | None]] = defaultdict(list)
    for event in raw.events:
        months[f"{kst(event):%Y-%m}"].append(user(event))
    return [(month, len(set(users) - {None}), len(users)) for month, users in months.items()]


def daily_users_by_service(raw: RawDays) -> Rows:
    services: dict[tuple[Any, ...], list[str | None]] = defaultdict(list)
    for event in raw.events:
        services[*day_of(event), event["event_source"]].append(user(event))
    found = []
    for key, users in services.items():
        people = [name for name in users if name is not None]
        each = len(people) / len(set(people)) if people else None
        found.append((*key, len(set(people)), len(users), each))
    return found


def access_denied_by_principal(raw: RawDays) -> Rows:
    denials: dict[tuple[Any, ...], list[datetime]] = defaultdict(list)
    for event in raw.events:
        if not IS_DENIAL[event["error_code"]]:
            continue
        call = event["event_source"], event["event_name"], event["error_code"]
        denials[
            *day_of(event), user(event) or fallback(event), event["user_identity_account_id"], *call
        ].append(utc(event))
    return [(*key, len(times), min(times), max(times)) for key, times in denials.items()]


def fallback(event: Record) -> str | None:
    """The name of a caller that is not a user."""
    others = [identity(event, "arn"), identity(event, "invoked_by"), event["user_identity_account_id"]]
    return "anonymous" if is_anonymous(event) else next((name for name in others if name), None)


def console_logins(raw: RawDays) -> Rows:
    return [
        (
            *times_of(event),
            event["user_identity_user_name"] or ("root" if is_root(event) else session_name(event)),
            identity(event, "arn") or identity(event, "principal_id"),
            event["user_identity_account_id"] or event["recipient_account_id"],
            event["source_ip_address"],
            event["user_agent"],
            within(event["additional_event_data"], "MFAUsed"),
            within(event["response_elements"], "ConsoleLogin"),
            event["error_message"],
        )
        for event in raw.events
        if event["event_name"] == "ConsoleLogin"
    ]


def session_name(event: Record) -> str | None:
    """The text after the id of a role."""
    return (identity(event, "principal_id") or "").partition(":")[2] or None


def root_usage(raw: RawDays) -> Rows:
    return [
        (
            *times_of(event),
            event["user_identity_account_id"] or event["recipient_account_id"],
            event["event_source"],
            event["event_name"],
            event["aws_region"],
            event["source_ip_address"],
            event["user_agent"],
            event["error_code"],
        )
        for event in raw.events
        if is_root(event)
    ]


# The effect of an S3 call on the content of an object.
ACCESS = {
    "CompleteMultipartUpload": "put",
    "CopyObject": "put",
    "DeleteObject": "delete",
    "DeleteObjects": "delete",
    "GetObject": "get",
    "HeadObject": None,
    "ListBuckets": None,
    "ListObjects": None,
    "ListRegionalBuckets": None,
    "PostObject": "put",
    "PutBucketPolicy": None,
    "PutObject": "put",
    "SelectObjectContent": "get",
    "UploadPart": None,
}
STORES = {"s3.amazonaws.com", "s3express.amazonaws.com", "s3-outposts.amazonaws.com"}


def object_access(raw: RawDays) -> Rows:
    return [
        (
            *times_of(event),
            ACCESS[event["event_name"]],
            event["event_name"],
            within(event["request_parameters"], "bucketName"),
            within(event["request_parameters"], "key"),
            requester(event) or event["user_identity_account_id"],
            event["source_ip_address"],
            event["user_agent"],
            event["error_code"],
        )
        for event in raw.events
        if event["event_source"] in STORES and ACCESS[event["event_name"]]
    ]


# --- Lines of access logs.

# CloudWatch's kind of a request, by its operation and whether it names a key.
COUNTED_AS: dict[tuple[str, bool], str] = {
    ("REST.COPY.OBJECT", True): "put",
    ("REST.COPY.OBJECT_GET", True): "get",
    ("REST.COPY.PART", True): "put",
    ("REST.COPY.PART_GET", True): "get",
    ("REST.DELETE.OBJECT", True): "delete",
    ("REST.DELETE.POLICY", False): "",
    ("REST.DELETE.UPLOAD", True): "delete",
    ("REST.GET.ACL", False): "",
    ("REST.GET.ACL", True): "get",
    ("REST.GET.BUCKET", False): "list",
    ("REST.GET.BUCKETVERSIONS", False): "list",
    ("REST.GET.OBJECT", True): "get",
    ("REST.GET.POLICY", False): "",
    ("REST.GET.UPLOAD", True): "list",
    ("REST.GET.UPLOADS", False): "list",
    ("REST.HEAD.BUCKET", False): "head",
    ("REST.HEAD.OBJECT", True): "head",
    ("REST.OPTIONS.PREFLIGHT", True): "",
    ("REST.POST.MULTI_OBJECT_DELETE", False): "delete",
    ("REST.POST.OBJECT", True): "post",
    ("REST.POST.RESTORE", True): "post",
    ("REST.POST.UPLOAD", True): "post",
    ("REST.POST.UPLOADS", True): "post",
    ("REST.PUT.ACL", True): "put",
    ("REST.PUT.OBJECT", True): "put",
    ("REST.PUT.PART", True): "put",
    ("REST.PUT.TAGGING", False): "",
    ("REST.SELECT.OBJECT", True): "select",
    ("SOAP.GetObject", True): "post",
    ("WEBSITE.GET.OBJECT", False): "get",
    ("WEBSITE.GET.OBJECT", True): "get",
    ("WEBSITE.HEAD.OBJECT", True): "head",
    ("WEBSITE.POST.OBJECT", True): "post",
}
METRICS = ("get", "put", "delete", "head", "post", "select")
# Requests whose body is the content of an object.
UPLOADS = {"REST.PUT.OBJECT", "REST.PUT.PART", "REST.POST.OBJECT"}


def is_request(line: Record) -> bool:
    """Whether a client sent the request over HTTP, or S3 read the source of a copy for one."""
    return line["operation"].split(".")[0] in {"REST", "WEBSITE", "SOAP"}


def is_copy_source(line: Record) -> bool:
    """Whether the line is the read of a copy."""
    return line["operation"].endswith("_GET")


def is_answered(line: Record) -> bool:
    """Whether a client got an answer."""
    return is_request(line) and not is_copy_source(line)


def is_object_read(line: Record) -> bool:
    """Whether a client requested an object."""
    return line["operation"] in {"REST.GET.OBJECT", "WEBSITE.GET.OBJECT"}


def kind(line: Record) -> str:
    """The kind of a request."""
    if "&select-type=2" in (line["request_uri"] or ""):
        return "select"
    return COUNTED_AS[line["operation"], line["key"] is not None]


def s3_requests_by_hour(raw: RawDays) -> Rows:
    hours: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for line in filter(is_request, raw.lines):
        hour = utc(line).replace(minute=0, second=0)
        hours[proc_ymd(line), hour, hour + NINE_HOURS, line["bucket"]].append(line)
    return [(*key, *metrics(lines)) for key, lines in hours.items()]


def metrics(lines: list[Record]) -> Iterator[Any]:
    """The sixteen metrics of the requests of an hour."""
    kinds = [kind(line) for line in lines]
    selects = [line for line in lines if kind(line) == "select"]
    statuses = [line["http_status"] or 0 for line in lines]
    yield len(lines)
    yield from (kinds.count(name) for name in METRICS)
    yield total(selects, "object_size")
    yield total(selects, "bytes_sent")
    yield kinds.count("list")
    yield total([line for line in lines if not is_copy_source(line)], "bytes_sent")
    stored = [
        line for line in lines if line["operation"] in UPLOADS and (line["http_status"] or 0) // 100 == 2
    ]
    yield total(stored, "object_size")
    yield from (sum(status // 100 == hundreds for status in statuses) for hundreds in (4, 5))
    yield from (mean(lines, name) for name in ("turn_around_time", "total_time"))


def total(lines: list[Record], name: str) -> int:
    """The sum of a number. Unknown values count as 0."""
    return sum(line[name] or 0 for line in lines)


def mean(lines: list[Record], name: str) -> float | None:
    """The mean of the known values of a number."""
    known = [line[name] for line in lines if line[name] is not None]
    return sum(known) / len(known) if known else None


def top_objects(raw: RawDays) -> Rows:
    objects: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for line in filter(is_object_read, raw.lines):
        if line["key"] is not None:
            objects[*day_of(line), line["bucket"], line["key_decoded"]].append(line)
    return [(*key, len(lines), total(lines, "bytes_sent")) for key, lines in objects.items()]


def status_codes(raw: RawDays) -> Rows:
    answered = filter(is_answered, raw.lines)
    return counted((*day_of(line), line["bucket"], line["http_status"]) for line in answered)


def access_ips(raw: RawDays) -> Rows:
    reads = filter(is_object_read, raw.lines)
    return counted((*day_of(line), line["bucket"], line["remote_ip"]) for line in reads)


def denied(raw: RawDays, what: str) -> Rows:
    """Lines with status 403, by one of their fields."""
    lines = (line for line in raw.lines if line["http_status"] == 403)
    return counted((*day_of(line), line["bucket"], line[what]) for line in lines)


# --- Both logs.


def sigv2_events(raw: RawDays) -> Iterator[Record]:
    """S3 events whose request had the old signature."""
    for event in raw.events:
        signature = within(event["additional_event_data"], "SignatureVersion")
        if event["event_source"] == "s3.amazonaws.com" and signature == "SigV2":
            yield event


def sigv2_lines(raw: RawDays) -> Iterator[Record]:
    """Requests with the old signature."""
    return (line for line in raw.lines if is_answered(line) and line["signature_version"] == "SigV2")


def of_event(event: Record) -> tuple[Any, ...]:
    """The fields that both logs have, from a CloudTrail event."""
    bucket, key = (within(event["request_parameters"], name) for name in ("bucketName", "key"))
    return (*times_of(event), event["request_id"], bucket, event["event_name"], key)


def of_line(line: Record) -> tuple[Any, ...]:
    """The fields that both logs have, from an access line."""
    return (*times_of(line), line["request_id"], line["bucket"], line["operation"], line["key_decoded"])


def sigv2_requests(raw: RawDays) -> Rows:
    of_cloudtrail = [
        ("cloudtrail", *of_event(event), requester(event), event["source_ip_address"], event["user_agent"])
        for event in sigv2_events(raw)
    ]
    of_access_log = [
        ("s3_access", *of_line(line), line["requester"], line["remote_ip"], line["user_agent"])
        for line in sigv2_lines(raw)
    ]
    return of_cloudtrail + of_access_log


def sigv2_callers(raw: RawDays) -> Rows:
    begins = dict(day_of(row) for row in raw.events + raw.lines)
    return counted(
        (log, day, begins[day], requester_, address, bucket, operation, agent)
        for log, day, _, _, _, bucket, operation, _, requester_, address, agent in sigv2_requests(raw)
    )


def anonymous_requests(raw: RawDays) -> Rows:
    of_cloudtrail = [
        ("cloudtrail", *of_event(event), event["source_ip_address"], event["user_agent"], event["error_code"])
        for event in raw.events
        if is_anonymous(event)
    ]
    of_access_log = [
        ("s3_access", *of_line(line), line["remote_ip"], line["user_agent"], line["error_code"])
        for line in raw.lines
        if is_answered(line) and line["requester"] is None and line["signature_version"] is None
    ]
    return of_cloudtrail + of_access_log


def cloudtrail_events(raw: RawDays) -> Rows:
    return [
        (
            *times_of(event),
            user(event),
            user(event) or fallback(event),
            event["recipient_account_id"] or event["user_identity_account_id"],
            event["event_source"],
            event["event_name"],
            event["aws_region"],
            event["source_ip_address"],
            event["user_agent"],
            event["bucket_name"],
            event["error_code"],
            IS_DENIAL[event["error_code"]],
            is_root(event),
            mfa_used(event),
        )
        for event in raw.events
    ]


def mfa_used(event: Record) -> str | None:
    """What AWS logged about the second factor of a sign-in or a session."""
    if event["event_name"] == "ConsoleLogin":
        return within(event["additional_event_data"], "MFAUsed")
    return {True: "Yes", False: "No", None: None}[
        event["user_identity_session_context_attributes_mfa_authenticated"]
    ]


def s3_access_lines(raw: RawDays) -> Rows:
    return [
        (
            *times_of(line),
            line["bucket"],
            line["requester"],
            line["remote_ip"],
            line["operation"],
            kind_of_line(line),
            line["key_decoded"],
            line["http_status"],
            line["error_code"],
            line["bytes_sent"],
            line["object_size"],
            line["turn_around_time"],
            line["total_time"],
            line["user_agent"],
            is_answered(line) and line["requester"] is None and line["signature_version"] is None,
        )
        for line in raw.lines
    ]


def kind_of_line(line: Record) -> str | None:
    """The kind of a request; None for lines that are not requests."""
    if not is_request(line):
        return None
    return "copy source" if is_copy_source(line) else kind(line) or "other"


MEANINGS: dict[str, Callable[[RawDays], Rows]] = {
    "access_denied_by_principal": access_denied_by_principal,
    "access_ips": access_ips,
    "cloudtrail_events": cloudtrail_events,
    "s3_access_lines": s3_access_lines,
    "anonymous_requests": anonymous_requests,
    "console_logins": console_logins,
    "daily_users_by_service": daily_users_by_service,
    "denied_ips": lambda raw: denied(raw, "remote_ip"),
    "denied_keys": lambda raw: denied(raw, "key_decoded"),
    "monthly_users": monthly_users,
    "object_access": object_access,
    "root_usage": root_usage,
    "s3_requests_by_hour": s3_requests_by_hour,
    "sigv2_callers": sigv2_callers,
    "sigv2_requests": sigv2_requests,
    "status_codes": status_codes,
    "top_objects": top_objects,
}
