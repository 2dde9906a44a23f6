"""The columns of AWS WAF and their places in a record, shared by the scripts of the engines.

The headers of the request are one column as JSON text, and some of them have columns of their own.
"""

from dataclasses import dataclass
from pathlib import Path

from benches.peers.columns import Place, described, nested

HEADERS: Place = ("httpRequest", "headers")
INSTANT: Place = ("timestamp",)


@dataclass(frozen=True)
class WafColumn:
    """A column. `key` is the name of a header, or the key in each element of a list."""

    name: str
    type: str
    is_json: bool
    path: Place
    key: str = ""


def waf(schema: Path) -> list[WafColumn]:
    """Reads the columns from `logmill schema --format json`. Computed columns have no path."""
    return [column(line) for line in described(schema)]


def column(line: dict) -> WafColumn:
    """Parses one column."""
    source = line["source"]
    if " " in source:
        return WafColumn(line["column"], line["type"], line["json"], ())
    source, _, key = source.replace("[].", "[").rstrip("]").partition("[")
    return WafColumn(line["column"], line["type"], line["json"], tuple(source.split(".")), key)


def record(columns: list[WafColumn]) -> dict:
    """Builds a record as nested keys with columns as leaves."""
    return nested({column.path: column for column in columns if column.path and not is_header(column)})


def is_header(column: WafColumn) -> bool:
    """Whether the column is a header."""
    return column.path == HEADERS and bool(column.key)
