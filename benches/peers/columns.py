"""The columns of logmill's schema, which every engine must write, and their places in a record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Parts of a record that are a column of JSON text and also contain other columns.
OUTER_TEXTS = ("requestParameters", "additionalEventData")
ARRAY = "resources"
ELEMENTS = ("ARN", "accountId", "type", "ARNPrefix")
# The columns that only logmill writes: unknown fields, and the parse quality.
OWN = ("extra", "parse_quality")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of CloudTrail. `paths` are the possible places of its value, in order of preference."""

    name: str
    type: str
    is_json: bool
    paths: tuple[Place, ...]

    @property
    def inner(self) -> bool:
        """Whether the value is in a part that is kept as JSON text."""
        return bool(self.paths) and len(self.paths[0]) > 1 and self.paths[0][0] in OUTER_TEXTS

    @property
    def element(self) -> str | None:
        """The key in each element of the resources, if the column is a list."""
        return self.paths[0][1] if self.paths and self.paths[0][0] == ARRAY else None


def cloudtrail(schema: Path) -> list[Column]:
    """Reads the columns of CloudTrail from `logmill schema --format json`."""
    return [column(line) for line in described(schema)]


def described(schema: Path) -> list[dict]:
    """Reads the descriptions of the columns that every engine must write."""
    lines = [json.loads(line) for line in schema.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["column"] not in OWN]


def column(line: dict) -> Column:
    """Parses one column. Computed columns have no path."""
    sources = [source.replace("[]", "") for source in line["source"].split(", ") if " " not in source]
    return Column(
        line["column"], line["type"], line["json"], tuple(tuple(source.split(".")) for source in sources)
    )


def leaves(columns: list[Column]) -> dict[Place, Column]:
    """Maps the places in a record that are read directly to a column that uses them."""
    plain = [column for column in columns if not column.inner and column.element is None]
    return {path: column for column in plain for path in column.paths}


def tree(columns: list[Column]) -> dict:
    """Builds a record of CloudTrail as nested keys. A leaf is its column; the resources are `ARRAY`."""
    return {ARRAY: ARRAY} | nested(leaves(columns))


def nested(places: Mapping[Place, object]) -> dict:
    """Builds nested keys from the places of leaves."""
    root: dict = {}
    for path, leaf in places.items():
        node = root
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = leaf
    return root
