"""Turns the events that `--log-format json` writes to standard error into task log lines. Independent of Airflow."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
# Shown elsewhere in the line, or by the log.
NOT_REPEATED = ("at", "level", "event", "run")


@dataclass(frozen=True)
class Event:
    """One line of standard error."""

    level: int
    text: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def failure(self) -> int | None:
        """The exit code of a `failed` event."""
        code = self.fields.get("exit_code") if self.fields.get("event") == "failed" else None
        return code if isinstance(code, int) else None


def read_event(line: str) -> Event | None:
    """The event of a line. Other lines are passed on unchanged; empty ones are dropped."""
    line = line.rstrip()
    if not line:
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return Event(logging.INFO, line)
    if not isinstance(fields, dict):
        return Event(logging.INFO, line)
    if "_aws" in fields:
        # A CloudWatch metrics line must not be changed.
        return Event(logging.INFO, line, fields)
    level = LEVELS.get(str(fields.get("level")), logging.INFO)
    shown = (f"{name}={shown_value(value)}" for name, value in fields.items() if name not in NOT_REPEATED)
    return Event(level, " ".join([str(fields.get("event", "")), *shown]).strip(), fields)


def shown_value(value: Any) -> str:
    """A field value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
