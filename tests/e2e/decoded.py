"""The oracle decoder's result for one record or line."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A record or line: its columns, its event time, and the values by which duplicates are found."""

    record: int
    columns: dict[str, Any]
    event_ms: int
    identity: str | bytes


@dataclass(frozen=True)
class Reject:
    """A rejected record or line, with its bytes."""

    record: int
    raw: bytes


Decoded = Row | Reject
