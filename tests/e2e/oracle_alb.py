"""A slow, simple decoder of lines of load balancers: one regular expression for each field.

It shares no code and no table with the binary: the fields are listed here again, from the pages of AWS. A
line is a row if all expressions match one after the other, with single spaces between them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from decoded import Decoded, Reject, Row

NOTE = re.compile(r"Enable \S*Log for ELB: ")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
BARE = r'[^ "]+'
# A quoted text ends at the first quote before a space or the end of the line. It has no quote after a space.
# The same, but a quote or backslash after a backslash belongs to the text: lines of Classic Load Balancers.
QUOTED_WITH_BACKSLASHES = r'"(?:\\[\\"]|\\(?![\\"])|[^" \\]|"(?! |$)| (?!"(?! |$)))*"'
QUOTED = r'"(?:[^" ]|"(?! |$)| (?!"(?! |$)))*"'
OR_DASH = rf"(?:{QUOTED}|-)"
EITHER = rf"(?:{QUOTED}|{BARE})"
WHOLE = r"(?:-|-?\d+)"
STATUS = r"(?:-|\d{3})"
DECIMAL = r"(?:-|-?\d+(?:\.\d+)?)"
ADDRESS = rf"(?:-|{BARE}:\d{{1,5}})"
PERIOD = rf"NotBefore=({TIME}|-);NotAfter=({TIME}|-)"
# Text that only begins like a period is refused, since its fields may have shifted.
OR_PERIOD = rf"(?:NotBefore=(?:{TIME}|-);NotAfter=(?:{TIME}|-)|(?!NotBefore=[^ ]*;NotAfter=){BARE})"

# Numbers of 64 bits.
LONG = {"received_bytes", "sent_bytes", "connection_time", "tls_handshake_time"}

Cells = dict[str, Any]
Read = Callable[[str, str], Cells]


@dataclass(frozen=True)
class Field:
    """A field: its name, the expression that it must match, and the columns that it gives."""

    name: str
    form: str
    read: Read


def plain(name: str, written: str) -> Cells:
    """Text without its quotes; a dash and empty text are NULL."""
    text = written[1:-1] if written.startswith('"') else written
    return {name: None if text in ("-", "") else text}


def whole(name: str, written: str) -> Cells:
    if written in ("-", '"-"'):
        return {name: None}
    return {name: within(int(written), 2**63 if name in LONG else 2**31)}


def within(number: int, end: int) -> int:
    """A number that fits into its column."""
    if not -end <= number < end:
        raise ValueError(number)
    return number


def decimal(name: str, written: str) -> Cells:
    return {name: None if written == "-" else float(written)}


def moment(name: str, written: str) -> Cells:
    return {name: None if written in ("-", '"-"') else milliseconds(written)}


def actions(name: str, written: str) -> Cells:
    text = plain(name, written)[name]
    return {name: None if text is None else text.split(",")}


def address(name: str, written: str) -> Cells:
    """The port is behind the last colon, since IPv6 addresses have no brackets."""
    if written in ("-", '"-"'):
        return {f"{name}_ip": None, f"{name}_port": None}
    host, _, port = written.rpartition(":")
    inner = re.fullmatch(r"\[(.*)\]", host)
    return {f"{name}_ip": inner[1] if inner else host, f"{name}_port": within(int(port), 2**16)}


def request(name: str, written: str) -> Cells:
    """The first word is the method, the last one the protocol if it is one, and the rest is the URL."""
    whole_line = {name: None} if written == '"- - - "' else plain(name, written)
    match = re.fullmatch(r" *([^ ]*)(?: (.*?))??(?: (HTTP/\d(?:\.\d)?|-))? *", written[1:-1])
    method, url, protocol = match.groups()
    if method == "-" and url is not None:
        url = url.removesuffix("-")
    parts = {"request_method": method, "request_url": url, "request_protocol": protocol}
    return whole_line | {part: None if text in (None, "", "-") else text for part, text in parts.items()}


def validity(name: str, written: str) -> Cells:
    """The text, and both times if it has the usual form."""
    found = re.fullmatch(PERIOD, written)
    before, after = found.groups() if found else ("-", "-")
    times = moment("leaf_client_cert_not_before", before) | moment("leaf_client_cert_not_after", after)
    return plain(name, written) | times


def milliseconds(time: str) -> int:
    """An instant as milliseconds since 1970; further digits are dropped."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    since = datetime.fromisoformat(seconds).replace(tzinfo=UTC) - datetime.fromtimestamp(0, UTC)
    return since // timedelta(milliseconds=1) + int(fraction[:3].ljust(3, "0") or 0)


def fields(form: str, read: Read, names: str) -> list[Field]:
    """Fields of the same form."""
    return [Field(name, form, read) for name in names.split()]


ACCESS = [
    *fields(BARE, plain, "type"),
    *fields(TIME, moment, "event_time"),
    *fields(BARE, plain, "elb"),
    *fields(ADDRESS, address, "client target"),
    *fields(DECIMAL, decimal, "request_processing_time target_processing_time response_processing_time"),
    *fields(STATUS, whole, "elb_status_code target_status_code"),
    *fields(WHOLE, whole, "received_bytes sent_bytes"),
    *fields(QUOTED, request, "request"),
    *fields(QUOTED, plain, "user_agent"),
    *fields(BARE, plain, "ssl_cipher ssl_protocol target_group_arn"),
    *fields(OR_DASH, plain, "trace_id domain_name chosen_cert_arn"),
    *fields(WHOLE, whole, "matched_rule_priority"),
    *fields(rf"(?:{TIME}|-)", moment, "request_creation_time"),
    *fields(OR_DASH, actions, "actions_executed"),
    *fields(OR_DASH, plain, "redirect_url error_reason"),
    *fields(EITHER, plain, "target_port_list target_status_code_list"),
    *fields(OR_DASH, plain, "classification classification_reason"),
    *fields(BARE, plain, "conn_trace_id"),
    *fields(OR_DASH, plain, "transformed_host transformed_uri request_transform_status"),
    *fields(EITHER, plain, "ip_address"),
]
CONNECTION = [
    *fields(TIME, moment, "event_time"),
    *fields(BARE, plain, "client_ip"),
    *fields(WHOLE, whole, "client_port listener_port"),
    *fields(BARE, plain, "tls_protocol tls_cipher"),
    *fields(DECIMAL, decimal, "tls_handshake_latency"),
    *fields(OR_DASH, plain, "leaf_client_cert_subject"),
    *fields(OR_PERIOD, validity, "leaf_client_cert_validity"),
    *fields(BARE, plain, "leaf_client_cert_serial_number tls_verify_status conn_trace_id"),
    *fields(EITHER, plain, "tls_keyexchange elb ip_address"),
]
WORD = r"[^ ]+"


def word(name: str, written: str) -> Cells:
    """A field of an NLB, which has no quotes of its own."""
    return {name: None if written in ("-", '"-"') else written}


TIME_OF_NLB = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"
NLB = [
    *fields("tls", word, "type"),
    *fields(WORD, word, "version"),
    *fields(TIME_OF_NLB, moment, "event_time"),
    *fields(WORD, word, "elb listener"),
    *fields(rf'(?:-|"-"|{WORD}:\d{{1,5}})', address, "client destination"),
    *fields(rf'(?:{WHOLE}|"-")', whole, "connection_time tls_handshake_time received_bytes sent_bytes"),
    *fields(rf'(?:{WHOLE}|"-")', whole, "incoming_tls_alert"),
    *fields(WORD, word, "chosen_cert_arn chosen_cert_serial tls_cipher tls_protocol_version tls_keyexchange"),
    *fields(WORD, word, "domain_name alpn_fe_protocol alpn_be_protocol alpn_client_preference_list"),
    *fields(rf'(?:{TIME_OF_NLB}|-|"-")', moment, "tls_connection_creation_time"),
]
CLASSIC = [
    *fields(TIME, moment, "event_time"),
    *fields(BARE, plain, "elb"),
    *fields(ADDRESS, address, "client backend"),
    *fields(DECIMAL, decimal, "request_processing_time backend_processing_time response_processing_time"),
    *fields(STATUS, whole, "elb_status_code"),
    *fields(WHOLE, whole, "backend_status_code received_bytes sent_bytes"),
    *fields(QUOTED_WITH_BACKSLASHES, request, "request"),
    *fields(QUOTED_WITH_BACKSLASHES, plain, "user_agent"),
    *fields(BARE, plain, "ssl_cipher ssl_protocol"),
]
# The fields of a table, the number of those in the oldest form, and the form of a field after the last one.
FORMS = {
    "alb_access": (ACCESS, 17, EITHER),
    "alb_connection": (CONNECTION, 11, EITHER),
    "nlb_access": (NLB, 18, WORD),
    "clb_access": (CLASSIC, 12, rf"(?:{QUOTED_WITH_BACKSLASHES}|{BARE})"),
}


class AlbOracle:
    """Decodes files of lines into rows of a table."""

    def __init__(self, table: str) -> None:
        self.fields, self.fewest, self.further = FORMS[table]

    def decode(self, content: bytes) -> list[Decoded]:
        """Every line that is not blank or a note, numbered from 1: a row or a reject."""
        lines = enumerate(content.split(b"\n"), 1)
        records = [(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]
        return [
            self._line(number, line)
            for number, line in records
            if not NOTE.match(line.decode("utf-8", "replace"))
        ]

    def _line(self, number: int, line: bytes) -> Decoded:
        text, at, row, count = line.decode("utf-8", "replace"), 0, {}, 0
        for field in self.fields:
            match = re.compile(rf"({field.form})(?: |$)").match(text, at) if at < len(text) else None
            if match is None:
                break
            try:
                row |= field.read(field.name, match[1])
            except ValueError:
                break
            at, count = match.end(), count + 1
        ended = at == len(text) and not text.endswith(" ")
        extra = (
            re.fullmatch(rf"(?:{self.further} )*{self.further}", text[at:])
            if count == len(self.fields)
            else None
        )
        if count < self.fewest or not (ended or extra):
            return Reject(number, line)
        for field in self.fields[count:]:
            row |= field.read(field.name, "-")
        row["extra"] = text[at:] or None
        row["event_time_kst"] = row["event_time"] + 9 * 3600 * 1000
        return Row(number, row, row["event_time"], line)
