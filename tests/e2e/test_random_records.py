"""Binary and oracle agree on unusual CloudTrail records.

Records are generated from a fixed seed: known and unknown names, in right and wrong places, with values of
every JSON type, escapes and white space. Every test run uses the same records.
"""

import gzip
import json
import random
from collections import Counter
from pathlib import Path

import pytest

from compare import assert_same_judgement, inspected
from decoded import Row
from oracle import decode
from oracle_cloudtrail import MADE
from schema import columns

SCALARS = r"""
    null true false "true" "false" "True" "False" "FALSE" 0 -0 -0.0 1e400 9007199254740993 1.50 12.0 1E2
    "12" "12.0" "-5" "+5" 9223372036854775807 9223372036854775808 -9223372036854775809 "" "-" "x" "한국어"
    "\uAE40\uBBFC" "\ud83d\ude80" "\ud83d" "\ude80x" "\n\t\\\/\"" "\u0000"
    "2023-11-01T00:00:00Z" "20231101T000000Z"
    "2023-11-01T09:00:00+09:00" "2023-11-01T00:00:00.123456Z" "2023-11-01" "2023-02-30T00:00:00Z"
    "2023-11-01T24:00:00Z" "2023-11-01T23:59:60Z" {} [] [1,2] {"a":1}
""".split()
RESOURCES = [
    '{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::bucket/key"}',
    '{"ARNPrefix":"arn:aws:s3:::bucket/","accountId":"111122223333"}',
    '{"arn":"a","ARN":"b","accountId":null}',
    '{"accountId":111122223333}',
    '{"ARN":"\\uAE40","new":1}',
    "{}",
    "null",
]
UNKNOWN = ["zzz", "a.b", "한", '"', "\\", ""]


class Generator:
    """Generates records from a seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        paths = [column.sources[-1] for column in columns("cloudtrail") if column.source not in MADE]
        self.paths = [path.split(".") for path in paths if "[" not in path]
        self.names = sorted({name for path in self.paths for name in path}) + UNKNOWN

    def record(self) -> str:
        """One record, mostly with an event time."""
        tree: dict[str, object] = {"eventTime": '"2023-11-01T00:00:00Z"'}
        if self.chance.random() < 0.2:
            tree["eventTime"] = self.value(1)
        if self.chance.random() < 0.5:
            chosen = self.chance.choices(RESOURCES, k=self.chance.randrange(4))
            tree["resources"] = f"[{','.join(chosen)}]"
        for path in self.chance.sample(self.paths, self.chance.randrange(12)):
            self.plant(tree, path)
        if self.chance.random() < 0.3:
            tree.setdefault(self.chance.choice(self.names), self.value(2))
        return self.written(tree)

    def plant(self, tree: dict[str, object], path: list[str]) -> None:
        """Adds a value at the end of a path, sometimes in the middle of it."""
        if len(path) == 1 or self.chance.random() < 0.05:
            tree.setdefault(path[0], self.value(2))
        elif isinstance(child := tree.setdefault(path[0], {}), dict):
            self.plant(child, path[1:])

    def value(self, depth: int) -> str:
        """A JSON value of any type."""
        kind = self.chance.random()
        if depth == 0 or kind < 0.7:
            return self.chance.choice(SCALARS)
        if kind < 0.85:
            names = self.chance.sample(self.names, self.chance.randrange(4))
            return self.written({name: self.value(depth - 1) for name in names})
        return f"[{','.join(self.value(depth - 1) for _ in range(self.chance.randrange(3)))}]"

    def written(self, tree: dict[str, object]) -> str:
        """An object with its names in any order, and with white space where it is allowed."""
        items = list(tree.items())
        self.chance.shuffle(items)
        members = [
            f"{self.space()}{self.name(name)}{self.space()}:{self.space()}"
            f"{self.written(value) if isinstance(value, dict) else value}"
            for name, value in items
        ]
        return f"{{{','.join(members)}{self.space()}}}"

    def name(self, name: str) -> str:
        """A name, sometimes with an unnecessary escape."""
        if name.isalpha() and name.isascii() and self.chance.random() < 0.03:
            return f'"\\u{ord(name[0]):04x}{name[1:]}"'
        return json.dumps(name, ensure_ascii=False)

    def space(self) -> str:
        """White space, mostly none."""
        return self.chance.choice(["", "", "", " ", "\n", "\t", "\r\n"])


@pytest.mark.parametrize("seed", range(4))
def test_binary_and_oracle_agree_on_random_records(seed: int, tmp_path: Path) -> None:
    maker = Generator(seed)
    records = ",\n".join(maker.record() for _ in range(1000))
    path = tmp_path / "records.json.gz"
    path.write_bytes(gzip.compress(f'{{"Records":[{records}]}}'.encode()))
    shown, judged = inspected("cloudtrail", path), Counter[type]()
    for found in decode("cloudtrail", path):
        assert_same_judgement("cloudtrail", shown[found.record], found, f"seed {seed}, record {found.record}")
        judged[type(found)] += 1
    assert len(shown) == 1000
    assert judged[Row] > 600
