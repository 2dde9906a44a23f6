"""What a decoder of the oracle gives back for one record or line."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """A record or line: its columns, its event time, and what a copy of it shares with it."""

    record: int
    columns: dict[str, Any]
    event_ms: int
    identity: str | bytes


@dataclass(frozen=True)
class Reject:
    """A record or line that no plain reading turns into a row, with its bytes."""

    record: int
    raw: bytes


Decoded = Row | Reject
