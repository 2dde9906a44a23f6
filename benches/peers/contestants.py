"""The contestants, their tables, and how often they run."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

# The folder of each table below the raw logs, and its log type.
FOLDERS = {
    "cloudtrail": "cloudtrail",
    "s3_access": "s3-access",
    "alb_access": "load-balancers",
    "waf": "waf",
}
DATASETS = {
    "cloudtrail": "cloudtrail",
    "s3_access": "s3-access",
    "alb_access": "alb-access",
    "waf": "waf",
}
# The tables that are days of their own, by the preset of the generator.
PRESETS = {"alb_access": "elb-bench", "waf": "waf-bench"}
EVERY = tuple(FOLDERS)


@dataclass(frozen=True)
class Day:
    """The inputs and settings that all contestants share."""

    data: Path
    work: Path
    logmill: Path
    day: str
    threads: int

    def schema(self, table: str) -> Path:
        """Returns the path of the file with logmill's columns of a table."""
        return self.work / f"{table}.json"


@dataclass(frozen=True)
class Contestant:
    """A variant of an engine.

    `ordered` variants remove duplicates and sort. `plain` variants follow common recipes. `slow` variants run
    less often. `tables` are the tables that it builds, and `why_absent` is the reason for leaving out others.
    `needs` is a program that must be installed separately. The usual questions are evaluated on the files of
    `questioned` variants.
    """

    name: str
    module: str | None
    ordered: bool = False
    plain: bool = False
    slow: bool = False
    questioned: bool = False
    tables: tuple[str, ...] = EVERY
    why_absent: str = ""
    needs: str = ""

    @property
    def ready(self) -> bool:
        """Whether the program that it needs is installed."""
        return not self.needs or shutil.which(self.needs) is not None

    @property
    def engine(self) -> str:
        """The name of the engine without its variant."""
        return self.name.partition(",")[0]

    def command(self, day: Day, table: str, output: Path) -> list[str | Path]:
        """Returns the command that builds the day of a table below `output`."""
        places = ("--input", day.data / FOLDERS[table], "--output", output)
        given = ("--day", day.day, "--threads", str(day.threads))
        if self.module is None:
            return [day.logmill, "run", "--dataset", DATASETS[table], *given, "--quiet", *places]
        program = [sys.executable, "-m", f"benches.peers.{self.module}", table]
        flags = [f"--{flag}" for flag in ("ordered", "plain") if getattr(self, flag)]
        return [*program, *given, *flags, *places, "--schema", day.schema(table)]


LOGMILL = Contestant("logmill", None)
ONE_EXPRESSION = "one regular expression"
LINES_ALONE = ("s3_access",)
CONTESTANTS = (
    LOGMILL,
    Contestant("ClickHouse", "on_clickhouse", questioned=True),
    Contestant("ClickHouse, same rows", "on_clickhouse", ordered=True, slow=True, questioned=True),
    Contestant("ClickHouse, as documented", "on_clickhouse", plain=True, slow=True, tables=("cloudtrail",)),
    Contestant(f"ClickHouse, {ONE_EXPRESSION}", "on_clickhouse", plain=True, slow=True, tables=LINES_ALONE),
    Contestant("DuckDB", "on_duckdb"),
    Contestant("DuckDB, same rows", "on_duckdb", ordered=True, slow=True),
    Contestant(f"DuckDB, {ONE_EXPRESSION}", "on_duckdb", plain=True, slow=True, tables=LINES_ALONE),
    Contestant(
        "Polars",
        "on_polars",
        tables=LINES_ALONE,
        why_absent="it refuses a whole object if one record has a number like 1e400",
    ),
    Contestant("Spark", "on_spark", slow=True, needs="java", tables=("cloudtrail", "s3_access")),
)
