"""Questions over the logs of several services, in a lake with all log types and in one with a few."""

import shutil

import duckdb
import pytest

from across_answers import ANSWERS, BYTES, REQUESTS, SERVICES
from glue_sql import FOLDER, Statement
from harness import SAMPLE_DATA, Lake, run_day
from log_tables import assert_agrees, assert_statements, in_duckdb

VIEWS = [Statement(path) for path in sorted((FOLDER / "across/views").glob("*.sql"))]
QUERIES = [Statement(path) for path in sorted((FOLDER / "across/queries").glob("*.sql"))]
TABLES = ("cloudtrail", *SERVICES)
FEW = ("alb_access", "waf")
# A lake in DuckDB, in logmill, and the tables with rows.
InBoth = tuple[duckdb.DuckDBPyConnection, Lake, tuple[str, ...]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample day of all log types in one lake, without masked values."""
    options = ("--dataset", "all", "--max-reject-ratio", "5%", "--redact", "none")
    return run_day(tmp_path_factory.mktemp("lake"), *options, source=SAMPLE_DATA).lake


@pytest.fixture(scope="module")
def lakes(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, InBoth]:
    """A lake with all tables, and one with some of them. Athena needs the others too, without rows."""
    few = tmp_path_factory.mktemp("few")
    for table in FEW:
        for folder in (table, f"_manifests/{table}"):
            shutil.copytree(lake.root / folder, few / folder)
    complete, partial = in_duckdb(lake, TABLES, VIEWS), in_duckdb(lake, TABLES, VIEWS)
    for table in set(TABLES) - set(FEW):
        partial.execute(f"DELETE FROM {table}")
    return {"all": (complete, lake, TABLES), "few": (partial, Lake(few), FEW)}


@pytest.mark.parametrize("which", ["all", "few"])
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_agrees_with_the_raw_logs_in_both_engines(
    lakes: dict[str, InBoth], which: str, query: Statement
) -> None:
    """A table that the lake lacks counts as empty."""
    connection, lake, tables = lakes[which]
    assert_agrees(connection, lake, query, ANSWERS[query.name](tables))


def test_the_sample_has_rows_of_every_service() -> None:
    """Otherwise a query could leave one out."""
    services = {row[1] for row in ANSWERS["requests_of_a_client"](TABLES)}
    assert services == {SERVICES[table] for table in REQUESTS}
    assert {row[0] for row in ANSWERS["bytes_out_by_service"](TABLES)} == {SERVICES[it] for it in BYTES}
    failing = {row[1] for row in ANSWERS["errors_by_service_and_hour"](TABLES)}
    assert failing > {f"{SERVICES[table]} requests" for table in REQUESTS.keys() - {"waf"}}
    assert {"requests blocked by WAF", "s3.amazonaws.com"} < failing


def test_every_query_has_an_answer_and_every_statement_is_trino() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()
    assert_statements(VIEWS + QUERIES)
