"""The sample day of load balancers against an independent decoder: cells, views and queries."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest

import view_answers
from alb_answers import ANSWERS as ANSWERS_OF_ALB
from alb_answers import EMPTY
from alb_day import SOURCE, TABLES, alb_day
from compare import assert_same_rows, read_rows
from dashboards import DATA_SETS_OF_ALB
from decoded import Reject, Row
from glue_sql import FOLDER, Statement
from harness import Published, logmill, run_day
from log_tables import assert_agrees, assert_data_set, assert_statements, in_duckdb, queried, shown
from meanings import moment
from nlb_clb_answers import ANSWERS as OTHER_ANSWERS
from oracle_alb import AlbOracle
from test_report import Page

KINDS = ("alb", "nlb", "clb")
VIEWS = [Statement(path) for kind in KINDS for path in sorted((FOLDER / kind / "views").glob("*.sql"))]
QUERIES = [Statement(path) for kind in KINDS for path in sorted((FOLDER / kind / "queries").glob("*.sql"))]
ANSWERS = ANSWERS_OF_ALB | OTHER_ANSWERS
# The views under the names of Athena's guide, each with columns that order its rows.
ORDER = {
    "alb_access_athena": "time, conn_trace_id",
    "alb_requests": "event_time, elb, client_ip, target_ip, sent_bytes, received_bytes",
    "alb_connection_athena": "time, conn_trace_id",
    "clb_access_athena": '"timestamp", request_port',
    "nlb_access_athena": "time, client_port",
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Published]:
    """All tables of the sample days in one lake, without masked values."""
    output = tmp_path_factory.mktemp("lake")
    options = ("--max-reject-ratio", "5%", "--redact", "none")
    return {
        table: run_day(output, "--dataset", dataset, *options, source=SOURCE)
        for table, dataset in TABLES.items()
    }


@pytest.fixture(scope="module")
def athena(lake: dict[str, Published]) -> duckdb.DuckDBPyConnection:
    """The tables and views in DuckDB."""
    return in_duckdb(lake["alb_access"].lake, TABLES, VIEWS)


@pytest.mark.parametrize("table", TABLES)
def test_every_cell_of_the_sample_day_is_as_the_oracle_reads_it(
    lake: dict[str, Published], table: str
) -> None:
    published, expected = lake[table], alb_day(table)
    ledger = published.ledger(table)
    assert {name: ledger[name] for name in expected.counts} == expected.counts
    assert min(expected.counts.values()) > 0
    assert_same_rows(read_rows(published.lake.table(table)), expected.rows)


def test_rows_are_sorted_by_load_balancer_status_and_time(athena: duckdb.DuckDBPyConnection) -> None:
    rows = athena.sql("SELECT elb, elb_status_code, event_time FROM alb_access").fetchall()
    assert rows == sorted(rows)
    types = dict(athena.execute("SELECT name, type FROM pragma_table_info('alb_access')").fetchall())
    names = ("event_time", "target_processing_time", "elb_status_code", "sent_bytes", "actions_executed")
    assert [types[name] for name in names] == ["TIMESTAMP", "DOUBLE", "INTEGER", "BIGINT", "VARCHAR[]"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_agrees_with_the_raw_logs_in_both_engines(
    athena: duckdb.DuckDBPyConnection, lake: dict[str, Published], query: Statement
) -> None:
    expected = ANSWERS[query.name]()
    assert bool(expected) != (query.name in EMPTY)
    assert_agrees(athena, lake["alb_access"].lake, query, expected)


def test_every_query_has_an_answer_and_every_statement_is_trino() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()
    assert {*DATA_SETS_OF_ALB, *ORDER} == {view.name for view in VIEWS}
    assert_statements(VIEWS + QUERIES)


def test_the_view_has_the_names_and_values_of_the_table_in_the_guide(
    athena: duckdb.DuckDBPyConnection,
) -> None:
    found = athena.sql("SELECT * FROM alb_access_athena")
    names = (
        "type time elb client_ip client_port target_ip target_port request_processing_time "
        "target_processing_time response_processing_time elb_status_code target_status_code "
        "received_bytes sent_bytes request_verb request_url request_proto user_agent ssl_cipher "
        "ssl_protocol target_group_arn trace_id domain_name chosen_cert_arn matched_rule_priority "
        "request_creation_time actions_executed redirect_url lambda_error_reason target_port_list "
        "target_status_code_list classification classification_reason conn_trace_id day proc_ymd"
    )
    assert found.columns == names.split()
    of_trace = {row["trace_id"]: row for row in alb_day("alb_access").rows.values() if row["trace_id"]}
    checked = 0
    for cells in found.fetchall():
        row = dict(zip(found.columns, cells, strict=True))
        if row["trace_id"] == "-":
            assert (row["target_ip"], row["target_port"], row["request_verb"], row["user_agent"]) == (
                "",
                None,
                "-",
                "-",
            )
            continue
        raw = of_trace[row["trace_id"]]
        at = moment(raw["event_time"])
        assert row["time"] == at.isoformat(timespec="microseconds") + "Z"
        assert row["day"] == f"{at:%Y/%m/%d}"
        assert row["actions_executed"] == ",".join(raw["actions_executed"] or ["-"])
        assert row["target_status_code"] == str(raw["target_status_code"] or "-")
        assert row["lambda_error_reason"] == (raw["error_reason"] or "-")
        checked += 1
    assert checked > 300


@pytest.mark.parametrize("view", DATA_SETS_OF_ALB)
def test_a_data_set_of_quicksight_has_the_columns_and_rows_of_its_view(
    athena: duckdb.DuckDBPyConnection, lake: dict[str, Published], view: str
) -> None:
    expected = view_answers.balancers()[view]
    assert_data_set(athena, lake["alb_access"].lake, view, DATA_SETS_OF_ALB[view], expected)


def test_the_view_of_connections_has_the_names_of_the_guide(athena: duckdb.DuckDBPyConnection) -> None:
    found = athena.sql("SELECT * FROM alb_connection_athena")
    names = (
        "time client_ip client_port listener_port tls_protocol tls_cipher tls_handshake_latency "
        "leaf_client_cert_subject leaf_client_cert_validity leaf_client_cert_serial_number "
        "tls_verify_status conn_trace_id day proc_ymd"
    )
    assert found.columns == names.split()
    raw = {
        row["conn_trace_id"]: row["leaf_client_cert_subject"] or "-"
        for row in alb_day("alb_connection").rows.values()
    }
    assert {row[11]: row[7] for row in found.fetchall()} == raw


def test_the_view_of_network_load_balancers_has_the_names_and_values_of_the_guide(
    athena: duckdb.DuckDBPyConnection,
) -> None:
    found = athena.sql("SELECT * FROM nlb_access_athena")
    names = (
        "type version time elb listener_id client_ip client_port target_ip target_port "
        "tcp_connection_time_ms tls_handshake_time_ms received_bytes sent_bytes incoming_tls_alert "
        "cert_arn certificate_serial tls_cipher_suite tls_protocol_version tls_named_group domain_name "
        "alpn_fe_protocol alpn_be_protocol alpn_client_preference_list tls_connection_creation_time proc_ymd"
    )
    assert found.columns == names.split()
    raw = Counter(
        (
            moment(row["event_time"]).isoformat(),
            row["client_port"],
            row["destination_ip"] or "",
            row["tls_handshake_time"],
            row["domain_name"] or "-",
            row["alpn_client_preference_list"] or "-",
            row["tls_connection_creation_time"] is None,
        )
        for row in alb_day("nlb_access").rows.values()
    )
    columns = [2, 6, 7, 10, 19, 22]
    cells = found.fetchall()
    assert Counter((*(row[column] for column in columns), row[23] == "-") for row in cells) == raw


def test_the_view_of_classic_load_balancers_has_the_names_and_values_of_the_guide(
    athena: duckdb.DuckDBPyConnection,
) -> None:
    found = athena.sql("SELECT * FROM clb_access_athena")
    names = (
        "timestamp elb_name request_ip request_port backend_ip backend_port request_processing_time "
        "backend_processing_time client_response_time elb_response_code backend_response_code received_bytes "
        "sent_bytes request_verb url protocol user_agent ssl_cipher ssl_protocol proc_ymd"
    )
    assert found.columns == names.split()
    raw = Counter(
        (
            moment(row["event_time"]).isoformat(timespec="microseconds") + "Z",
            row["backend_ip"] or "",
            "-" if row["elb_status_code"] is None else str(row["elb_status_code"]),
            "-" if row["backend_status_code"] is None else str(row["backend_status_code"]),
            row["request_url"] or "-",
            f'"{row["user_agent"] or "-"}"',
            row["ssl_protocol"] or "-",
        )
        for row in alb_day("clb_access").rows.values()
    )
    columns = [0, 4, 9, 10, 14, 16, 18]
    assert Counter(tuple(row[column] for column in columns) for row in found.fetchall()) == raw


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_logmill_query_knows_the_views(lake: dict[str, Published], athena: Any, view: Statement) -> None:
    output: Path = lake["alb_access"].lake.root
    sql = f"SELECT * FROM {view.name} ORDER BY {ORDER.get(view.name, '2, 3, 4, 5')} LIMIT 50"
    found = queried(lake["alb_access"].lake, sql)
    assert found == [tuple(map(shown, row)) for row in athena.sql(sql).fetchall()]


def test_the_figures_of_the_report_match_the_raw_lines(lake: dict[str, Published]) -> None:
    output = str(lake["alb_access"].lake.root)
    page = Page(logmill("report", "--day", "2023-11-01", "--output", output, "--to-file", "-").stdout)
    rows = list(alb_day("alb_access").rows.values())
    errors = [row for row in rows if (row["elb_status_code"] or 0) >= 400]
    of_status = Counter(str(row["elb_status_code"]) for row in errors)
    silent = Counter(str(row["elb_status_code"]) for row in errors if row["target_status_code"] is None)
    assert page.rows("balancer-errors") == [
        [status, str(silent[status]), str(number)] for status, number in sorted(of_status.items())
    ]
    clients = Counter(row["client_ip"] for row in rows)
    best = sorted(clients.items(), key=lambda client: (-client[1], client[0]))[:10]
    assert [(row[0], row[3]) for row in page.rows("balancer-clients")] == [(ip, str(n)) for ip, n in best]
    of_target: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if row["target_ip"] and row["target_processing_time"] >= 0:
            of_target[row["elb"], row["target_ip"]].append(round(row["target_processing_time"] * 1000))
    expected = [
        (*target, f"{len(all_):,}", max(all_), pytest.approx(sum(all_) / len(all_)))
        for target, all_ in sorted(of_target.items(), key=lambda one: (-sum(one[1]) / len(one[1]), one[0]))
    ]
    found = [(*row[:3], int(row[3]), float(row[4])) for row in page.rows("slow-targets")]
    assert found == expected[:10]
    hours = Counter(moment(row["event_time_kst"]).strftime("%Y-%m-%d %H:00") for row in rows)
    assert {row[0]: row[1] for row in page.rows("alb-access-over-time")} == {
        hour: str(number) for hour, number in hours.items()
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2023-11-01T00:00:00.5Z 192.0.2.1 1 443 - - - - - - -", {"event_time": 1698796800500, "elb": None}),
        ("2023-11-01T00:00:00.5Z 192.0.2.1 1 443 - - - - - -", None),
        ('2023-11-01T00:00:00.5Z 192.0.2.1 1 443 - - - "a"b" - - - t', {"leaf_client_cert_subject": 'a"b'}),
        ('2023-11-01T00:00:00.5Z 192.0.2.1 1 443 - - - "a" b" - - - t', None),
    ],
)
def test_the_oracle_reads_odd_lines(line: str, expected: dict[str, object] | None) -> None:
    (found,) = AlbOracle("alb_connection").decode(line.encode())
    if expected is None:
        assert isinstance(found, Reject)
    else:
        assert isinstance(found, Row)
        assert expected.items() <= found.columns.items()
