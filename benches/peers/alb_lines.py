"""Parsing of access lines of ALB, shared by the scripts of the engines.

A line is split at its quotes: texts are the even parts, and the bare fields between them, split at spaces,
are the odd ones. ALB escapes quotes inside texts, so that a field has the same place in all lines of a form.
"""

from dataclasses import dataclass

# The texts in quotes, with their parts from 1.
TEXTS = {
    "user_agent": 4,
    "trace_id": 6,
    "domain_name": 8,
    "chosen_cert_arn": 10,
    "redirect_url": 14,
    "error_reason": 16,
    "target_port_list": 18,
    "target_status_code_list": 20,
    "classification": 22,
    "classification_reason": 24,
    "transformed_host": 26,
    "transformed_uri": 28,
    "request_transform_status": 30,
}
REQUEST, ACTIONS = 2, 12
# The bare fields, with their part and their place in it, from 1.
BARE = {
    "type": (1, 1),
    "time": (1, 2),
    "elb": (1, 3),
    "client": (1, 4),
    "target": (1, 5),
    "request_processing_time": (1, 6),
    "target_processing_time": (1, 7),
    "response_processing_time": (1, 8),
    "elb_status_code": (1, 9),
    "target_status_code": (1, 10),
    "received_bytes": (1, 11),
    "sent_bytes": (1, 12),
    "ssl_cipher": (5, 1),
    "ssl_protocol": (5, 2),
    "target_group_arn": (5, 3),
    "matched_rule_priority": (11, 1),
    "request_creation_time": (11, 2),
    "conn_trace_id": (25, 1),
    "ip_address": (31, 1),
}
DOUBLES = ("request_processing_time", "target_processing_time", "response_processing_time")
INTS = ("elb_status_code", "target_status_code", "matched_rule_priority")
BIGINTS = ("received_bytes", "sent_bytes")
# Address and port, without the brackets that IPv6 addresses do not have.
ADDRESS = r"^(.*):([0-9]+)$"
# Method, URL, and protocol if the last word is one.
REQUEST_LINE = r"^([^ ]*) (.*?)(?: (HTTP/[0-9.]+|-))? *$"


@dataclass(frozen=True)
class Dialect:
    """The functions of an engine, as texts to fill in. `cut` are the parts of a line, `bare` its bare fields."""

    word: str
    """Field `{place}` of the bare part `{part}`."""
    double: str
    int: str
    bigint: str
    """A number, or NULL."""
    time: str
    """A time with its zone, to the millisecond."""
    later: str
    """The time `{x}` nine hours later."""
    group: str
    """Group `{group}` of the expression `{pattern}` in `{x}`."""
    texts: str
    """The texts between commas."""
    unfinished: str
    """The URL `{x}` without the dash that ends it if the request cannot be parsed."""

    def known(self, cell: str) -> str:
        """Returns NULL for a field without a value."""
        return f"nullif(nullif({cell}, '-'), '')"

    def field(self, name: str) -> str:
        """Returns a bare field."""
        part, place = BARE[name]
        return self.word.format(part=part, place=place)

    def part_of(self, text: str, pattern: str, group: int) -> str:
        """Returns a part of a text."""
        return self.known(self.group.format(x=text, pattern=pattern, group=group))

    def cells(self) -> list[tuple[str, str]]:
        """Returns the columns of a line, in order, apart from the source."""
        divided = ("time", "client", "target")
        cells = {name: self.known(self.field(name)) for name in BARE if name not in divided}
        cells |= {name: self.known(f"cut[{part}]") for name, part in TEXTS.items()}
        for names, number in ((DOUBLES, self.double), (INTS, self.int), (BIGINTS, self.bigint)):
            cells |= {name: number.format(x=self.field(name)) for name in names}
        for name in ("client", "target"):
            cells[f"{name}_ip"] = self.part_of(self.field(name), ADDRESS, 1)
            cells[f"{name}_port"] = self.int.format(x=self.part_of(self.field(name), ADDRESS, 2))
        request = f"cut[{REQUEST}]"
        method, url, protocol = (self.part_of(request, REQUEST_LINE, group) for group in (1, 2, 3))
        cells |= {"request": self.known(request), "request_method": method, "request_protocol": protocol}
        cells["request_url"] = self.unfinished.format(x=url, method=method)
        cells["request_creation_time"] = self.time.format(x=self.field("request_creation_time"))
        cells["actions_executed"] = self.texts.format(x=f"cut[{ACTIONS}]")
        times = {"event_time": self.time.format(x=self.field("time"))}
        times["event_time_kst"] = self.later.format(x="event_time")
        return [*times.items(), *cells.items()]
