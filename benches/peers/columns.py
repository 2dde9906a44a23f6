"""The columns that every engine has to write: those of logmill's schema, and their places in a record."""

import json
from dataclasses import dataclass
from pathlib import Path

# Parts of a record that are a column as JSON text, and hold further columns.
OUTER_TEXTS = ("requestParameters", "additionalEventData")
ARRAY = "resources"
ELEMENTS = ("ARN", "accountId", "type", "ARNPrefix")
# What logmill alone writes: fields nobody foresaw, and how sure the parser is.
OWN = ("extra", "parse_quality")
Place = tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of CloudTrail; `paths` are the places of its value, the first that is there counts."""

    name: str
    type: str
    is_json: bool
    paths: tuple[Place, ...]

    @property
    def inner(self) -> bool:
        """Whether the value lies in a part that is kept as text."""
        return bool(self.paths) and len(self.paths[0]) > 1 and self.paths[0][0] in OUTER_TEXTS

    @property
    def element(self) -> str | None:
        """The key in each of the resources, for a column that is a list."""
        return self.paths[0][1] if self.paths and self.paths[0][0] == ARRAY else None


def cloudtrail(schema: Path) -> list[Column]:
    """The columns in the form of `logmill schema --format json`, without those that only logmill has."""
    lines = [json.loads(line) for line in schema.read_text(encoding="utf-8").splitlines()]
    return [column(line) for line in lines if line["column"] not in OWN]


def column(line: dict) -> Column:
    """One column; made ones have no path."""
    sources = [source.replace("[]", "") for source in line["source"].split(", ") if " " not in source]
    return Column(
        line["column"], line["type"], line["json"], tuple(tuple(source.split(".")) for source in sources)
    )


def leaves(columns: list[Column]) -> dict[Place, Column]:
    """The places in a record that are read as they are, each with a column it feeds."""
    plain = [column for column in columns if not column.inner and column.element is None]
    return {path: column for column in plain for path in column.paths}


def tree(columns: list[Column]) -> dict:
    """A record as nested keys; a leaf is its column, the resources are the name `ARRAY`."""
    root: dict = {ARRAY: ARRAY}
    for path, leaf in leaves(columns).items():
        node = root
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = leaf
    return root
