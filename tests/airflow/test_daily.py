"""The daily DAG from raw logs in S3 to a partition that Athena has counted."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import athena
import pytest
import requests
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from aws import ACCOUNT, CREDENTIALS, REGION, Aws, S3Lake, sample_objects
from faults import FaultProxy
from harness import SAMPLE_DAY, binary

from dagruns import Ended, run_dag

ROWS = {"cloudtrail": 1430, "s3_access": 657}
PARTITION = SAMPLE_DAY.replace("-", "")


@pytest.fixture(scope="session")
def aws(aws_server: str) -> Aws:
    """The server; nothing is broken on the way."""
    return Aws(aws_server, FaultProxy(aws_server))


@pytest.fixture(scope="session")
def raw_logs(aws: Aws) -> str:
    """Address of the raw objects of the sample."""
    return aws.source(sample_objects())


@pytest.fixture
def connection(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Airflow connection that leads to the server."""
    connection = {
        "conn_type": "aws",
        "login": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "password": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "extra": {"region_name": REGION, "endpoint_url": aws_server},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


@pytest.fixture
def answers(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Has each query of Athena answered by its stand-in; gives the queries."""
    asked: list[str] = []
    ask = AthenaHook.run_query

    def run_query(hook: AthenaHook, query: str, context: dict[str, str], *others: Any, **more: Any) -> str:
        asked.append(query)
        rows = answer(aws, query, tmp_path / f"query-{len(asked)}")
        results = [{"rows": [{"Data": [{"VarCharValue": cell} for cell in row]} for row in [["_col0"], *rows]]}]
        body = {"account_id": ACCOUNT, "region": REGION, "results": results}
        assert requests.post(f"{aws.server}/moto-api/static/athena/query-results", json=body).status_code == 201
        return ask(hook, query, context, *others, **more)

    monkeypatch.setattr(AthenaHook, "run_query", run_query)
    return asked


def answer(aws: Aws, query: str, folder: Path) -> list[list[str]]:
    """The rows of a query: Glue says which files are read, DuckDB reads them."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(query, dialect="athena")
    (table,) = tree.find_all(exp.Table)
    opened = athena.plan(aws, table.db, table.name).read(folder)
    table.replace(exp.to_table("lake"))
    rows = opened.connection.execute(tree.sql(dialect="duckdb")).fetchall()
    return [[str(cell) for cell in row] for row in rows]


def test_daily(aws, raw_logs, connection, answers, variable, airflow_database) -> None:
    lake, database = aws.lake(), aws.database()
    variable(
        binary=str(binary()),
        binary_aws_conn_id="aws_default",
        env={"LOGMILL_INPUT": raw_logs, "LOGMILL_OUTPUT": lake.url, "LOGMILL_DATABASE": database, "LOGMILL_CREATE_DATABASE": "true"},
        athena_output="s3://answers/",
    )
    ended = run_dag("logmill_daily", {"proc_ymd": PARTITION})
    print({t.task_id: (t.map_index, t.state) for t in ended.run.get_task_instances()})
    assert ended.state == "success"
