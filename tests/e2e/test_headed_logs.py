"""The sample days of CloudFront and VPC flow logs against independent decoders: cells, views and queries."""

from typing import Any

import duckdb
import pytest

from compare import assert_same_rows, read_rows
from decoded import Reject, Row
from glue_sql import FOLDER, Statement
from harness import Published, run_day
from headed_answers import ANSWERS, EMPTY
from headed_day import SOURCES, TABLES, headed_day
from log_tables import assert_agrees, assert_statements, in_duckdb, queried, shown
from meanings import moment
from oracle_headed import CloudFrontOracle, HeadedOracle, VpcFlowOracle

KINDS = ("cloudfront", "vpc-flow")
VIEWS = [Statement(path) for kind in KINDS for path in sorted((FOLDER / kind / "views").glob("*.sql"))]
QUERIES = [Statement(path) for kind in KINDS for path in sorted((FOLDER / kind / "queries").glob("*.sql"))]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Published]:
    """Both tables of the sample days in one lake, without masked values."""
    output = tmp_path_factory.mktemp("lake")
    options = ("--max-reject-ratio", "5%", "--redact", "none")
    return {
        table: run_day(output, "--dataset", dataset, *options, source=SOURCES[table])
        for table, dataset in TABLES.items()
    }


@pytest.fixture(scope="module")
def athena(lake: dict[str, Published]) -> duckdb.DuckDBPyConnection:
    """The tables and views in DuckDB."""
    return in_duckdb(lake["cloudfront"].lake, TABLES, VIEWS)


@pytest.mark.parametrize("table", TABLES)
def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(
    lake: dict[str, Published], table: str
) -> None:
    published, expected = lake[table], headed_day(table)
    ledger = published.ledger(table)
    assert {name: ledger[name] for name in expected.counts} == expected.counts
    assert min(expected.counts.values()) > 0
    assert_same_rows(read_rows(published.lake.table(table)), expected.rows)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_agrees_with_the_raw_logs_in_both_engines(
    athena: duckdb.DuckDBPyConnection, lake: dict[str, Published], query: Statement
) -> None:
    expected = ANSWERS[query.name]()
    assert bool(expected) != (query.name in EMPTY)
    assert_agrees(athena, lake["cloudfront"].lake, query, expected, digits=6)


def test_every_query_has_an_answer_and_every_statement_is_trino() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()
    assert [view.name for view in VIEWS] == ["cloudfront_athena", "cloudfront_requests", "vpc_flow_athena"]
    assert_statements(VIEWS + QUERIES)


def test_the_view_of_cloudfront_has_the_names_and_values_of_the_guide(athena: Any) -> None:
    found = athena.sql("SELECT * FROM cloudfront_athena")
    names = (
        "date time x_edge_location sc_bytes c_ip cs_method cs_host cs_uri_stem sc_status cs_referrer "
        "cs_user_agent cs_uri_query cs_cookie x_edge_result_type x_edge_request_id x_host_header cs_protocol "
        "cs_bytes time_taken x_forwarded_for ssl_protocol ssl_cipher x_edge_response_result_type "
        "cs_protocol_version fle_status fle_encrypted_fields c_port time_to_first_byte "
        "x_edge_detailed_result_type sc_content_type sc_content_len sc_range_start sc_range_end proc_ymd"
    )
    assert found.columns == names.split()
    raw = {row["x_edge_request_id"]: row for row in headed_day("cloudfront").rows.values()}
    rows = [dict(zip(found.columns, cells, strict=True)) for cells in found.fetchall()]
    checked = [row for row in rows if row["x_edge_request_id"] != "-"]
    assert len(checked) > 200
    for row in checked:
        expected = raw[row["x_edge_request_id"]]
        at = moment(expected["event_time"])
        assert (row["date"], row["time"]) == (at.date(), f"{at:%H:%M:%S}")
        assert row["cs_referrer"] == (expected["cs_referer"] or "-")
        assert row["sc_status"] == expected["sc_status"]
        assert row["time_taken"] == pytest.approx(expected["time_taken"])


def test_the_view_of_flows_has_the_names_and_values_of_the_guide(athena: Any) -> None:
    found = athena.sql("SELECT * FROM vpc_flow_athena")
    names = (
        "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end "
        "action log_status vpc_id subnet_id instance_id tcp_flags type pkt_srcaddr pkt_dstaddr region az_id "
        "sublocation_type sublocation_id pkt_src_aws_service pkt_dst_aws_service flow_direction traffic_path "
        "date proc_ymd"
    )
    assert found.columns == names.split()
    numbers = ("bytes", "traffic_path")
    facts = ("account_id", "srcaddr", "bytes", "region", "traffic_path")
    expected = [
        (
            *(row[name] if row[name] is not None or name in numbers else "-" for name in facts),
            row["start_time"] // 1000,
            row["end_time"] // 1000,
            moment(row["event_time"]).date(),
        )
        for row in headed_day("vpc_flow").rows.values()
    ]
    places = [found.columns.index(name) for name in (*facts, "start", "end", "date")]
    shown = [tuple(cells[place] for place in places) for cells in found.fetchall()]
    assert sorted(shown, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_logmill_query_knows_the_views(lake: dict[str, Published], athena: Any, view: Statement) -> None:
    columns = {
        "cloudfront_requests": "event_time, client_ip, path, status, result, taken_ms, bytes_sent",
        "cloudfront_athena": '"date", "time", cs_referrer, sc_status, x_edge_request_id',
        "vpc_flow_athena": '"date", "start", "end", srcaddr, bytes, traffic_path',
    }[view.name]
    sql = f"SELECT {columns} FROM {view.name} ORDER BY {columns}"
    found = queried(lake["cloudfront"].lake, sql)
    assert found == [tuple(map(shown, row)) for row in athena.sql(sql).fetchall()]


@pytest.mark.parametrize(
    ("oracle", "text", "expected"),
    [
        (CloudFrontOracle, '{"timestamp":"1","asn":"7"}', {"event_time": 1000, "asn": 7}),
        (CloudFrontOracle, '{"timestamp":"1","timestamp":"1"}', None),
        (CloudFrontOracle, "#Fields: c-ip timestamp\n::1\t2\tx", {"c_ip": "::1", "extra": '{"":"x"}'}),
        (CloudFrontOracle, "#Fields: c-ip timestamp\n::1", None),
        (VpcFlowOracle, "version start\n2 5", {"event_time": 5000, "version": 2}),
        (VpcFlowOracle, "version start\n2 5 6", {"extra": '{"":"6"}'}),
        (VpcFlowOracle, "2 5", None),
    ],
)
def test_the_oracles_read_odd_lines(
    oracle: type[HeadedOracle], text: str, expected: dict[str, object] | None
) -> None:
    (found,) = oracle("").decode(text.encode())
    if expected is None:
        assert isinstance(found, Reject)
    else:
        assert isinstance(found, Row)
        assert expected.items() <= found.columns.items()
