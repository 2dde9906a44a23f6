"""The events that `--log-format json` says on standard error, as lines of a task's log. Knows no Airflow."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
# Said elsewhere in the line, or by the log itself.
NOT_REPEATED = ("at", "level", "event", "run")


@dataclass(frozen=True)
class Event:
    """One line of standard error."""

    level: int
    text: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def failure(self) -> int | None:
        """The exit code of a single failure."""
        code = self.fields.get("exit_code") if self.fields.get("event") == "failed" else None
        return code if isinstance(code, int) else None


def read_event(line: str) -> Event | None:
    """The event of a line. A line that is none is passed on as it is; an empty one is left out."""
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
        # A line for CloudWatch must stay as it is.
        return Event(logging.INFO, line, fields)
    level = LEVELS.get(str(fields.get("level")), logging.INFO)
    shown = (f"{name}={shown_value(value)}" for name, value in fields.items() if name not in NOT_REPEATED)
    return Event(level, " ".join([str(fields.get("event", "")), *shown]).strip(), fields)


def shown_value(value: Any) -> str:
    """A value in a line of the log."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
