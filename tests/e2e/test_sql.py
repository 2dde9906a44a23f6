"""Every statement of `glue/sql` is one that Athena can read, and is told of in the README."""

import re

import pytest

from glue_sql import COMPATIBILITY, FOLDER, QUERIES, TABLES, VIEWS, Statement
from trino_grammar import objections

DML = VIEWS + COMPATIBILITY + QUERIES


def test_views_and_queries_are_trino() -> None:
    found = dict(
        zip((statement.name for statement in DML), objections("trino", [it.text for it in DML]), strict=True)
    )
    assert found == {statement.name: [] for statement in DML}
    # The grammar lets these pass; Athena's queries quote names with double quotes.
    assert not [statement.name for statement in DML if "`" in statement.sql]


def test_tables_are_hive() -> None:
    found = objections("hive", [statement.text for statement in TABLES])
    assert found == [[]] * len(TABLES)
    assert len(TABLES) == 8


@pytest.mark.parametrize(
    ("grammar", "wrong"),
    [
        ("trino", "SELECT a::bigint FROM t"),
        ("trino", "SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1"),
        ("trino", "SELECT count(*) FROM t WHERE GROUP BY a"),
        ("trino", "CREATE EXTERNAL TABLE t (a string)"),
        ("hive", "CREATE EXTERNAL TABLE t (a string) LOCATION"),
        ("hive", "CREATE EXTERNAL TABLE t (a string,) STORED AS PARQUET"),
    ],
)
def test_what_athena_would_refuse_is_seen(grammar: str, wrong: str) -> None:
    assert objections(grammar, [wrong]) != [[]]


@pytest.mark.parametrize("statement", DML, ids=lambda it: it.name)
def test_a_statement_says_what_it_answers(statement: Statement) -> None:
    """In full sentences, and short enough for the editors of people."""
    assert len(statement.comment) > 20
    assert statement.comment.endswith(".")
    assert max(map(len, statement.text.splitlines())) <= 140
    assert statement.text.endswith(";\n")


def test_the_readme_names_every_statement_and_nothing_else() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    named = set(re.findall(r"`(?:views|compatibility|queries)/(\w+)\.sql`", readme))
    assert named == {statement.name for statement in DML}


def test_names_are_taken_once() -> None:
    names = [statement.name for statement in DML]
    assert len(set(names)) == len(names)
