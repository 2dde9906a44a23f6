"""Stands in for Athena's results: the catalog names the files, DuckDB reads them, and the server returns the rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import athena
import pytest
import requests
import sqlglot
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from aws import ACCOUNT, REGION, Aws
from sqlglot import exp

Rows = list[list[str]]


@dataclass
class Athena:
    """Records the queries and answers them."""

    aws: Aws
    folder: Path
    asked: list[str] = field(default_factory=list)
    # Changes the true rows; set by a test.
    twist: Callable[[str, Rows], Rows] = lambda _, rows: rows

    @classmethod
    def installed(cls, aws: Aws, folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Athena":
        """Answers the queries of Airflow's hook. They still go the whole way to the server and back."""
        self, ask = cls(aws, folder), AthenaHook.run_query

        def run_query(hook: AthenaHook, query: str, *others: Any, **more: Any) -> str:
            self.asked.append(query)
            self.enqueue(self.twist(query, self.answer(query)))
            return ask(hook, query, *others, **more)

        monkeypatch.setattr(AthenaHook, "run_query", run_query)
        return self

    def answer(self, query: str) -> Rows:
        """The rows of a query."""
        tree = sqlglot.parse_one(query, dialect="athena")
        (table,) = tree.find_all(exp.Table)
        opened = athena.plan(self.aws, table.db, table.name).read(self.folder / str(len(self.asked)))
        table.replace(exp.to_table("lake"))
        rows = opened.connection.execute(tree.sql(dialect="duckdb")).fetchall()
        return [[str(cell) for cell in row] for row in rows]

    def enqueue(self, rows: Rows) -> None:
        """Queues rows on the server, for the next query whose results are fetched."""
        cells = [{"Data": [{"VarCharValue": cell} for cell in row]} for row in [["_col0"], *rows]]
        body = {"account_id": ACCOUNT, "region": REGION, "results": [{"rows": cells}]}
        answer = requests.post(f"{self.aws.server}/moto-api/static/athena/query-results", json=body, timeout=60)
        assert answer.status_code == 201
