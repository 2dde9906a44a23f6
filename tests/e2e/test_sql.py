"""Athena can read every statement of `glue/sql`, and the README describes each."""

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
    # The grammar accepts backquotes, but Athena's queries need double quotes around names.
    assert not [statement.name for statement in DML if "`" in statement.sql]


def test_tables_are_hive() -> None:
    tables = TABLES + [Statement(path) for path in sorted(FOLDER.glob("*/tables/*.sql"))]
    found = objections("hive", [statement.text for statement in tables])
    assert found == [[]] * len(tables)
    assert len(tables) == 24


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
def test_the_validator_finds_what_athena_refuses(grammar: str, wrong: str) -> None:
    assert objections(grammar, [wrong]) != [[]]


@pytest.mark.parametrize("statement", DML, ids=lambda it: it.name)
def test_a_statement_has_a_comment_and_short_lines(statement: Statement) -> None:
    """The comment is a full sentence, and the lines fit into common editors."""
    assert len(statement.comment) > 20
    assert statement.comment.endswith(".")
    assert max(map(len, statement.text.splitlines())) <= 140
    assert statement.text.endswith(";\n")


def test_the_readme_names_exactly_the_existing_statements() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    named = set(re.findall(r"`(?:views|compatibility|queries)/(\w+)\.sql`", readme))
    assert named == {statement.name for statement in DML}


def test_names_are_unique() -> None:
    names = [statement.name for statement in DML]
    assert len(set(names)) == len(names)
