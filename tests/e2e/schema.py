"""The columns of a table, as `logmill schema --format json` prints them."""

import json
import re
from dataclasses import dataclass
from functools import cache

from harness import logmill

RESOURCE_SOURCE = re.compile(r"resources\[\]\.(\w+)")


@dataclass(frozen=True)
class Column:
    """One column: its name, its Hive type, its source, and whether it holds JSON text."""

    name: str
    type: str
    source: str
    json: bool
    snake: str

    @property
    def sources(self) -> list[str]:
        """The JSON paths or the field from which the column is read, the weakest first."""
        return self.source.split(", ")


@cache
def columns(dataset: str, naming: str = "snake") -> tuple[Column, ...]:
    """The columns of a log type in the order of the table, without the partition column."""
    printed = logmill("schema", "--dataset", dataset, "--naming", naming, "--format", "json").stdout
    return tuple(
        Column(
            name=line["column"],
            type=line["type"],
            source=line["source"],
            json=line["json"],
            snake=line["snake"],
        )
        for line in map(json.loads, printed.splitlines())
    )
