"""The sample day of Route 53 Resolver against an independent decoder: cells, the view and queries."""

import json
from typing import Any

import duckdb
import pytest

from compare import assert_same_rows, read_rows
from decoded import Reject, Row
from glue_sql import FOLDER, Statement
from harness import Published, run_day
from log_tables import assert_agrees, assert_statements, in_duckdb, queried
from meanings import moment
from oracle_resolver import ResolverOracle
from resolver_answers import ANSWERS
from resolver_day import SOURCE, resolver_day

VIEW = Statement(FOLDER / "resolver/views/resolver_query_athena.sql")
QUERIES = [Statement(path) for path in sorted((FOLDER / "resolver/queries").glob("*.sql"))]
# The names of the table r53_rlogs in Athena's guide.
NAMES = (
    "version account_id region vpc_id query_timestamp query_name query_type query_class rcode answers "
    "srcaddr srcport transport srcids firewall_rule_action firewall_rule_group_id firewall_domain_list_id "
    "date"
).split()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day."""
    options = ("--dataset", "resolver-query", "--max-reject-ratio", "5%")
    return run_day(tmp_path_factory.mktemp("lake"), *options, source=SOURCE)


@pytest.fixture(scope="module")
def athena(lake: Published) -> duckdb.DuckDBPyConnection:
    """The table and its view in DuckDB."""
    return in_duckdb(lake.lake, ["resolver_query"], [VIEW])


def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(lake: Published) -> None:
    expected = resolver_day()
    ledger = lake.ledger("resolver_query")
    assert {name: ledger[name] for name in expected.counts} == expected.counts
    assert min(expected.counts.values()) > 0
    rows = read_rows(lake.lake.table("resolver_query"))
    assert_same_rows(rows, expected.rows)
    assert [
        name for name in next(iter(rows.values())) if all(row[name] is None for row in rows.values())
    ] == []
    lines = [row.items() - {("source_record", row["source_record"])} for row in map(hashable, rows.values())]
    assert len(set(map(frozenset, lines))) < len(lines), "no equal lines in one object"


def hashable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(cell) if isinstance(cell, list | dict) else cell for name, cell in row.items()}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_agrees_with_the_raw_logs_in_both_engines(
    athena: duckdb.DuckDBPyConnection, lake: Published, query: Statement
) -> None:
    expected = ANSWERS[query.name]()
    assert expected
    assert_agrees(athena, lake.lake, query, expected)


def test_every_query_has_an_answer_and_every_statement_is_trino() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()
    assert_statements([VIEW, *QUERIES])


def test_the_view_has_the_names_and_values_of_the_table_in_the_guide(
    athena: duckdb.DuckDBPyConnection, lake: Published
) -> None:
    found = athena.sql("SELECT * FROM resolver_query_athena")
    assert found.columns == [*NAMES, "proc_ymd"]
    view = [dict(zip(found.columns, cells, strict=True)) for cells in found.fetchall()]
    raw = resolver_day().rows.values()
    assert sorted(map(as_text, view)) == sorted(as_text(of_the_guide(row)) for row in raw)
    sql = "SELECT query_timestamp, srcids.instance, cardinality(answers) FROM resolver_query_athena"
    expected = [
        (
            of_the_guide(row)["query_timestamp"],
            row["srcids_instance"],
            None if row["answers_rdata"] is None else len(row["answers_rdata"]),
        )
        for row in raw
    ]
    assert sorted(queried(lake.lake, sql), key=repr) == sorted(expected, key=repr)


def as_text(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


def of_the_guide(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the guide's table."""
    answers = None
    if row["answers_rdata"] is not None:
        columns = (row["answers_rdata"], row["answers_type"], row["answers_class"])
        answers = [
            {"rdata": rdata, "type": type_, "class": class_}
            for rdata, type_, class_ in zip(*columns, strict=True)
        ]
    return {name: row.get(name) for name in NAMES} | {
        "query_timestamp": f"{moment(row['event_time']):%Y-%m-%dT%H:%M:%SZ}",
        "answers": answers,
        "srcids": {name: row[f"srcids_{name}"] for name in ("instance", "resolver_endpoint")},
        "date": f"{moment(row['event_time']):%Y/%m/%d}",
        "proc_ymd": "20231101",
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '{"query_timestamp":"1970-01-01T00:00:07Z"}',
            {"event_time": 7000, "answers_rdata": None, "extra": None},
        ),
        (
            '{"query_timestamp":"1970-01-01T00:00:07Z","answers":[1],"srcids":{"a":1},"srcport":"7"}',
            {"answers_type": [None], "srcport": 7, "extra": {"answers": "[1]", "srcids.a": "1"}},
        ),
        ('{"query_timestamp":"1970-01-01T00:00:177Z"}', None),
        ('{"query_timestamp":7}', None),
        ('{"query_timestamp":"1970-01-01T00:00:07Z"', None),
    ],
)
def test_the_oracle_reads_odd_lines(line: str, expected: dict[str, Any] | None) -> None:
    (found,) = ResolverOracle().decode(line.encode())
    if expected is None:
        assert isinstance(found, Reject)
    else:
        assert isinstance(found, Row)
        assert expected.items() <= found.columns.items()
