"""The task of an engine's script, from its command line."""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

KST = timedelta(hours=9)


@dataclass(frozen=True)
class Task:
    """One table of one day: the raw objects below `input` are converted to `part`."""

    table: str
    input: Path
    part: Path
    schema: Path
    day: datetime
    threads: int
    ordered: bool
    plain: bool

    @property
    def window(self) -> tuple[str, str]:
        """The UTC instants at which the KST day begins and ends."""
        begins = self.day - KST
        return f"{begins:%Y-%m-%d %H:%M:%S}", f"{begins + timedelta(days=1):%Y-%m-%d %H:%M:%S}"


def from_command_line() -> Task:
    """Parses the task and creates the folder of the partition."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("table", choices=["cloudtrail", "s3_access", "alb_access", "waf"])
    for name in ("--input", "--output", "--schema"):
        arguments.add_argument(name, type=Path, required=True)
    arguments.add_argument("--day", required=True)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--ordered", action="store_true", help="remove duplicates and sort like logmill")
    arguments.add_argument("--plain", action="store_true", help="follow common recipes")
    given = arguments.parse_args()
    day = datetime.strptime(given.day, "%Y-%m-%d").replace(tzinfo=UTC)
    folder = given.output / given.table / f"proc_ymd={day:%Y%m%d}"
    folder.mkdir(parents=True)
    part = folder / "part-0.parquet"
    return Task(given.table, given.input, part, given.schema, day, given.threads, given.ordered, given.plain)
