"""The sample day of AWS WAF against an independent decoder: cells, the view and queries."""

from typing import Any

import pytest

from compare import assert_same_rows, read_rows
from decoded import Reject, Row
from harness import Published, run_day
from oracle_waf import WafOracle
from waf_day import SOURCE, waf_day


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day, without masked values."""
    options = ("--dataset", "waf", "--max-reject-ratio", "5%", "--redact", "none")
    return run_day(tmp_path_factory.mktemp("lake"), *options, source=SOURCE)


def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(lake: Published) -> None:
    expected = waf_day()
    ledger = lake.ledger("waf")
    assert {name: ledger[name] for name in expected.counts} == expected.counts
    assert min(expected.counts.values()) > 0
    rows = read_rows(lake.lake.table("waf"))
    assert_same_rows(rows, expected.rows)
    assert [name for name in next(iter(rows.values())) if all(row[name] is None for row in rows.values())] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"timestamp":0}', {"event_time": 0, "action": None, "extra": None}),
        ('{"timestamp":"7","labels":[{"name":"a"},1]}', {"event_time": 7, "extra": {"labels": '[{"name":"a"},1]'}}),
        ('{"timestamp":1e3}', None),
        ('{"timestamp":1}{"timestamp":2}', None),
        ('{"timestamp":1', None),
    ],
)
def test_the_oracle_reads_odd_lines(line: str, expected: dict[str, Any] | None) -> None:
    (found,) = WafOracle().decode(line.encode())
    if expected is None:
        assert isinstance(found, Reject)
    else:
        assert isinstance(found, Row)
        assert expected.items() <= found.columns.items()
