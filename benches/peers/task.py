"""What an engine's script is asked to do, as it stands on its command line."""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

KST = timedelta(hours=9)


@dataclass(frozen=True)
class Task:
    """One table of one day: raw objects below `input` become `part`."""

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
        """The UTC instants at which the Korean day begins and ends."""
        begins = self.day - KST
        return f"{begins:%Y-%m-%d %H:%M:%S}", f"{begins + timedelta(days=1):%Y-%m-%d %H:%M:%S}"


def from_command_line() -> Task:
    """The task; the folder of the partition is made."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("table", choices=["cloudtrail", "s3_access"])
    for name in ("--input", "--output", "--schema"):
        arguments.add_argument(name, type=Path, required=True)
    arguments.add_argument("--day", required=True)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--ordered", action="store_true", help="without duplicates, in logmill's order")
    arguments.add_argument("--plain", action="store_true", help="as most people write it")
    given = arguments.parse_args()
    day = datetime.strptime(given.day, "%Y-%m-%d").replace(tzinfo=UTC)
    folder = given.output / given.table / f"proc_ymd={day:%Y%m%d}"
    folder.mkdir(parents=True)
    part = folder / "part-0.parquet"
    return Task(given.table, given.input, part, given.schema, day, given.threads, given.ordered, given.plain)
