"""`glue/sql/deploy.py` creates tables and views in Athena one by one, and names the one that fails."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from cfnlint import lint_file
from cfnlint.config import ManualArgs

import api_limits
from aws import Aws
from deployment import resolved
from glue_sql import COMPATIBILITY, FOLDER, TABLES, VIEWS
from harness import logmill
from test_deployment import REGIONS
from trino_grammar import objections

LAKE = ("--location", "s3://my-lake/logs/")


def deployer() -> Any:
    """The program as a module."""
    spec = importlib.util.spec_from_file_location("deploy_views", FOLDER / "deploy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Athena:
    """Records statements without running them. Each ends at the third check, or fails if its text matches."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.asked: list[dict[str, Any]] = []
        self.looks = 0

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        """Starts a statement. The previous one must have ended."""
        assert self.looks % 3 == 0, "the previous statement is still running"
        self.asked.append(request)
        return {"QueryExecutionId": str(len(self.asked))}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        """The state of the last statement."""
        assert QueryExecutionId == str(len(self.asked))
        self.looks += 1
        state = ("QUEUED", "RUNNING", "SUCCEEDED")[(self.looks - 1) % 3]
        status: dict[str, Any] = {"State": state}
        if state == "SUCCEEDED" and self.failing and self.failing in self.asked[-1]["QueryString"]:
            status = {"State": "FAILED", "StateChangeReason": "SYNTAX_ERROR: line 1:1"}
        return {"QueryExecution": {"Status": status}}


def run(monkeypatch: pytest.MonkeyPatch, athena: Athena, *options: str) -> int:
    """Runs the program against a stand-in, without waiting."""
    module = deployer()
    monkeypatch.setattr(module, "POLL_SECONDS", 0)
    monkeypatch.setattr(boto3, "client", lambda service: {"athena": athena}[service])
    return module.main(["--database", "logs", *options])


def test_every_view_is_created(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    athena = Athena()
    assert run(monkeypatch, athena, "--workgroup", "team", "--results", "s3://results/") == 0
    expected = [view.sql.removesuffix(";") for view in VIEWS + COMPATIBILITY]
    assert [request["QueryString"] for request in athena.asked] == expected
    for request in athena.asked:
        assert request["WorkGroup"] == "team"
        assert request["ResultConfiguration"] == {"OutputLocation": "s3://results/"}
        assert request["QueryExecutionContext"] == {"Database": "logs", "Catalog": "AwsDataCatalog"}
    assert capsys.readouterr().out.splitlines() == [view.path.name for view in VIEWS + COMPATIBILITY]


def test_views_read_tables_with_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB answers a view over two tables with compact columns as it does over the default table."""
    athena = Athena()
    options = ("--naming", "compact", "--table", "cloudtrail=trail_a,trail_b")
    assert run(monkeypatch, athena, *options) == 0
    asked = [request["QueryString"] for request in athena.asked]
    assert objections("trino", asked) == [[] for _ in asked]
    relations, views = asked[:2], asked[2:]
    assert len(views) == len(VIEWS + COMPATIBILITY)
    assert not [view for view in views if re.search(r"(FROM|JOIN) +(cloudtrail|s3_access)\b", view)]
    lake = duckdb.connect()
    for table, number in (("trail_a", 1), ("trail_b", 2)):
        columns = deployer().columns("cloudtrail", "compact")
        values = ", ".join(f"'{number}' AS {column}" for column in columns)
        lake.sql(f"CREATE TABLE {table} AS SELECT {values}, '20231101' AS proc_ymd")
    lake.sql(next(view for view in relations if "all_cloudtrail" in view))
    found = lake.sql("SELECT event_id, user_identity_arn, log_table FROM all_cloudtrail ORDER BY 1").fetchall()
    assert found == [("1", "1", "trail_a"), ("2", "2", "trail_b")]


@pytest.mark.parametrize(
    "options", [("registered", *LAKE), ("projection", *LAKE, "--first-day", "2023-11-01")]
)
def test_tables_come_before_views_and_are_located_in_the_lake(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    athena = Athena()
    assert run(monkeypatch, athena, "--tables", *options) == 0
    tables = [request["QueryString"] for request in athena.asked[:2]]
    assert objections("hive", tables) == [[], []]
    for name, table in zip(("cloudtrail", "s3_access"), tables, strict=True):
        assert table.startswith(f"CREATE EXTERNAL TABLE IF NOT EXISTS `{name}` (")
        assert f"LOCATION 's3://my-lake/logs/{name}/'" in table
        assert "${location}" not in table
        assert ("'projection.proc_ymd.range'='20231101,NOW+1DAY'" in table) == (options[0] == "projection")
        template = f"'s3://my-lake/logs/{name}/proc_ymd=${{proc_ymd}}/'"
        assert (template in table) == (options[0] == "projection")
    assert len(athena.asked) == len(VIEWS + COMPATIBILITY) + 2
    assert len(TABLES) == 8


@pytest.mark.parametrize("naming", ["snake", "compact"])
def test_glue_accepts_projected_tables(tmp_path: Path, naming: str) -> None:
    printed = logmill(
        "schema", "--format", "cloudformation", "--naming", naming, "--projection", "2023-11-01"
    ).stdout
    (tmp_path / "tables.json").write_text(printed, "utf-8")
    options = ManualArgs(regions=REGIONS, include_checks=["I"])
    assert [str(found) for found in lint_file(tmp_path / "tables.json", options)] == []
    for resource in json.loads(printed)["Resources"].values():
        request = resolved(resource["Properties"])
        assert api_limits.objections("glue", "CreateTable", request) == []
        table = request["TableInput"]
        # The text after CloudFormation has resolved the escape.
        template = table["Parameters"]["storage.location.template"].replace("${!", "${")
        assert template == f"s3://LAKE_BUCKET/LAKE_PREFIX/{table['Name']}/proc_ymd=${{proc_ymd}}/"


def test_the_first_failure_stops_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    athena = Athena(failing="VIEW console_logins")
    assert run(monkeypatch, athena) == 1
    messages = capsys.readouterr()
    assert messages.err == "console_logins.sql: SYNTAX_ERROR: line 1:1\n"
    assert messages.out.splitlines()[-1] == "cloudtrail_events.sql"
    assert "console_logins" in athena.asked[-1]["QueryString"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--database"),
        (("--database", "logs", "--tables", "registered"), "--tables needs --location"),
        (("--database", "logs", "--tables", "projection", *LAKE), "needs --first-day"),
        (
            ("--database", "logs", "--tables", "projection", *LAKE, "--first-day", "20231101"),
            "needs --first-day",
        ),
    ],
)
def test_an_invalid_command_line_is_refused(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        deployer().main(list(options))
    assert message in capsys.readouterr().err


def test_a_dry_run_prints_the_statements(capsys: pytest.CaptureFixture[str]) -> None:
    assert deployer().main(["--database", "logs", "--dry-run", "--tables", "registered", *LAKE]) == 0
    printed = capsys.readouterr().out
    pieces = printed.removesuffix(";\n\n").split(";\n\n")
    assert len(pieces) == len(VIEWS + COMPATIBILITY) + 2
    assert objections("trino", pieces[2:]) == [[]] * len(VIEWS + COMPATIBILITY)


def test_views_and_tables_of_other_types_are_created_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    def created(*options: str) -> list[int]:
        assert deployer().main(["--database", "logs", "--dry-run", *options]) == 0
        printed = capsys.readouterr().out
        return [printed.count(begin) for begin in ("CREATE OR REPLACE VIEW ", "CREATE EXTERNAL TABLE ")]

    views, tables = len(VIEWS + COMPATIBILITY), ("--tables", "registered", *LAKE)
    assert (created(), created(*tables)) == ([views, 0], [views, 2])
    kinds = deployer().KINDS
    assert kinds.keys() == {path.parent.name for path in FOLDER.glob("*/views")}
    for kind in kinds:
        of_kind = [len(list((FOLDER / kind).glob(f))) for f in ("views/*.sql", "tables/*.registered.sql")]
        # Views over several log types have no table of their own.
        assert [count > 0 for count in of_kind] == [True, kind != "across"]
        found = created(f"--{kind}", *tables)
        assert found == [views + of_kind[0], 2 + of_kind[1]]


def test_the_program_runs_against_a_server(aws: Aws) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | aws.env(
        aws.server
    )
    env["AWS_DEFAULT_REGION"] = env["AWS_REGION"]
    command = [sys.executable, str(FOLDER / "deploy.py"), "--database", "logs"]
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    athena = aws.client("athena")
    ids = athena.list_query_executions()["QueryExecutionIds"]
    ran = {athena.get_query_execution(QueryExecutionId=id_)["QueryExecution"]["Query"] for id_ in ids}
    assert {view.sql.removesuffix(";") for view in VIEWS + COMPATIBILITY} <= ran
