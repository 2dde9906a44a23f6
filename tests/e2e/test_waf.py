"""The sample day of AWS WAF against an independent decoder: cells, the view and queries."""

from typing import Any

import duckdb
import pytest

from compare import assert_same_rows, read_rows
from decoded import Reject, Row
from glue_sql import FOLDER, Statement
from harness import Published, run_day
from log_tables import assert_agrees, assert_statements, in_duckdb, queried
from meanings import moment
from oracle_waf import WafOracle
from waf_answers import ANSWERS
from waf_day import SOURCE, waf_day

VIEW = Statement(FOLDER / "waf/views/waf_athena.sql")
REQUESTS = Statement(FOLDER / "waf/views/waf_requests.sql")
QUERIES = [Statement(path) for path in sorted((FOLDER / "waf/queries").glob("*.sql"))]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day, without masked values."""
    options = ("--dataset", "waf", "--max-reject-ratio", "5%", "--redact", "none")
    return run_day(tmp_path_factory.mktemp("lake"), *options, source=SOURCE)


@pytest.fixture(scope="module")
def athena(lake: Published) -> duckdb.DuckDBPyConnection:
    """The table and its view in DuckDB."""
    return in_duckdb(lake.lake, ["waf"], [VIEW])


def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(lake: Published) -> None:
    expected = waf_day()
    ledger = lake.ledger("waf")
    assert {name: ledger[name] for name in expected.counts} == expected.counts
    assert min(expected.counts.values()) > 0
    rows = read_rows(lake.lake.table("waf"))
    assert_same_rows(rows, expected.rows)
    assert [
        name for name in next(iter(rows.values())) if all(row[name] is None for row in rows.values())
    ] == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_agrees_with_the_raw_logs_in_both_engines(
    athena: duckdb.DuckDBPyConnection, lake: Published, query: Statement
) -> None:
    expected = ANSWERS[query.name]()
    assert expected
    assert_agrees(athena, lake.lake, query, expected)


def test_every_query_has_an_answer_and_every_statement_is_trino() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()
    assert_statements([VIEW, REQUESTS, *QUERIES])


def test_the_view_has_the_names_and_values_of_the_table_in_the_guide(
    athena: duckdb.DuckDBPyConnection, lake: Published
) -> None:
    found = athena.sql("SELECT * FROM waf_athena")
    names = (
        "timestamp formatversion webaclid terminatingruleid terminatingruletype action "
        "terminatingrulematchdetails httpsourcename httpsourceid rulegrouplist ratebasedrulelist "
        "nonterminatingmatchingrules requestheadersinserted responsecodesent httprequest labels "
        "captcharesponse challengeresponse ja3fingerprint ja4fingerprint oversizefields requestbodysize "
        "requestbodysizeinspectedbywaf log_time proc_ymd"
    )
    assert found.columns == names.split()
    shown_rows = {
        (
            row["timestamp"],
            row["httprequest"]["clientip"],
            row["httprequest"]["requestid"],
            row["responsecodesent"],
        )
        for row in (dict(zip(found.columns, cells, strict=True)) for cells in found.fetchall())
    }
    code = {None: None} | {number: str(number) for number in (202, 429)}
    raw = waf_day().rows.values()
    assert shown_rows == {
        (
            row["event_time"],
            row["http_request_client_ip"],
            row["http_request_request_id"],
            code[row["response_code_sent"]],
        )
        for row in raw
    }
    sql = 'SELECT "timestamp", httprequest.uri, log_time FROM waf_athena ORDER BY 1, 2'
    expected = sorted(
        (row["event_time"], row["http_request_uri"], f"{moment(row['event_time']):%Y/%m/%d/%H/%M}")
        for row in raw
    )
    assert queried(lake.lake, sql) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"timestamp":0}', {"event_time": 0, "action": None, "extra": None}),
        (
            '{"timestamp":"7","labels":[{"name":"a"},1]}',
            {"event_time": 7, "extra": {"labels": '[{"name":"a"},1]'}},
        ),
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
