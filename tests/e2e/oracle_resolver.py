"""A slow and simple decoder of Route 53 Resolver's records. It shares no code and no table with the binary.

A value remains a verbatim JSON slice until a column needs it. Values without a column go to `extra`.
"""

from typing import Any

from decoded import Decoded, Reject, Row
from oracle_cloudtrail import instant, text
from oracle_s3_access_json import only_object
from oracle_waf import small
from raw_json import Scanner, elements, members

Cells = dict[str, Any]

TEXTS = (
    "version account_id region vpc_id resource_id query_name query_type query_class rcode srcaddr transport "
    "firewall_rule_action firewall_rule_group_id firewall_domain_list_id"
).split()
ANSWERS = {"answers_rdata": "Rdata", "answers_type": "Type", "answers_class": "Class"}
SOURCES = ("instance", "resolver_endpoint", "resolver_network_interface")


class ResolverOracle:
    """Decodes the lines of an object into rows."""

    def __init__(self, name: str = "") -> None:
        self.name = name.removesuffix(".gz")

    def decode(self, content: bytes) -> list[Decoded]:
        """Every line that is not blank, numbered from 1: a row or a reject."""
        lines = enumerate(content.split(b"\n"), 1)
        return [self._line(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]

    def _line(self, number: int, line: bytes) -> Decoded:
        record = only_object(line.decode("utf-8", "replace"))
        at = None if record is None else instant(record.pop("query_timestamp", "null"))
        if record is None or at is None:
            return Reject(number, line)
        row: Cells = {"event_time": at, "event_time_kst": at + 9 * 3600 * 1000}
        row |= {name: text(record.pop(name, "null")) for name in TEXTS}
        row |= self._port(record) | self._answers(record) | self._sources(record)
        row["extra"] = record or None
        return Row(number, row, at, f"{self.name}/{number}/".encode() + line)

    @staticmethod
    def _port(record: dict[str, str]) -> Cells:
        raw = record.pop("srcport", "null")
        port = None if raw == "null" else small(raw)
        if port is None and raw != "null":
            record["srcport"] = raw
        return {"srcport": port}

    @staticmethod
    def _answers(record: dict[str, str]) -> Cells:
        """Three lists of one length. An answer with other values keeps all answers in the record."""
        raw = record.get("answers", "null")
        if not raw.startswith("["):
            if raw == "null":
                record.pop("answers", None)
            return dict.fromkeys(ANSWERS)
        answers = [members(item) if item.startswith("{") else {} for item in elements(raw)]
        if all(is_plain(item) for item in elements(raw)):
            del record["answers"]
        return {
            name: [text(answer.get(key, "null")) for answer in answers] for name, key in ANSWERS.items()
        }

    @staticmethod
    def _sources(record: dict[str, str]) -> Cells:
        raw = record.get("srcids", "null")
        ids = {}
        if raw == "null" or raw.startswith("{"):
            record.pop("srcids", None)
            ids = members(raw) if raw != "null" else {}
        record |= {f"srcids.{key}": value for key, value in ids.items() if key not in SOURCES}
        return {f"srcids_{key}": text(ids.get(key, "null")) for key in SOURCES}


def is_plain(raw: str) -> bool:
    """Whether three columns hold all of an answer: each known name at most once, with a text or null."""
    if not raw.startswith("{"):
        return False
    scanner = Scanner(raw)
    found = [(name, scanner.value()) for name in scanner.names()]
    names = [name for name, _ in found]
    is_known = set(names) <= set(ANSWERS.values()) and len(set(names)) == len(names)
    return is_known and all(value == "null" or value.startswith('"') for _, value in found)
