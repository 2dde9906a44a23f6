r"""Creates the views of this folder in Athena, and optionally the tables.

    python glue/sql/deploy.py --database logs
    python glue/sql/deploy.py --database logs --tables projection --location s3://my-lake/logs \
        --first-day 2023-11-01
    python glue/sql/deploy.py --database logs --alb --nlb --clb --cloudfront --vpc-flow --waf --resolver --across
    python glue/sql/deploy.py --database logs --naming compact --table cloudtrail=trail_a,trail_b

Runs the statements one after the other, waits for each, and stops at the first failure. Every view is
replaced, so the program can run again at any time. Region and credentials come from boto3.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
POLL_SECONDS = 0.5
# The folders of views over tables that many lakes do not have, each with an option of its own.
KINDS = {
    "alb": "the logs of ALB",
    "nlb": "the logs of NLB",
    "clb": "the logs of Classic Load Balancers",
    "cloudfront": "the logs of CloudFront",
    "vpc-flow": "VPC flow logs",
    "waf": "the logs of AWS WAF",
    "resolver": "Route 53 Resolver query logs",
    "across": "several log types, which need the tables of all of them",
}

# The default tables whose columns are in the folder `tables`.
DEFAULT_TABLES = ("cloudtrail", "s3_access")


def statements(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yields the name of each file and its statement, tables first.

    The views name the default tables and their snake columns. If a log type has other tables, or compact
    columns, the view `all_TABLE` comes between them.
    """
    for kind in ("tables", *(f"{kind}/tables" for kind in options.kinds)):
        for path in sorted((FOLDER / kind).glob(f"*.{options.naming}.{options.tables}.sql")):
            yield path.name, placed(path.read_text("utf-8"), options)
    for default, tables in sorted(options.table.items()):
        yield f"all_{default}", relation(default, tables, options.naming)
    for kind in (
        "views",
        "compatibility",
        *(f"{kind}/views" for kind in options.kinds),
    ):
        for path in sorted((FOLDER / kind).glob("*.sql")):
            yield (
                path.name,
                over_relations(bare(path.read_text("utf-8")), options.table),
            )


def columns(table: str, naming: str) -> list[str]:
    """The columns of a default table under a naming, in the order of its file, without the partition."""
    path = FOLDER / "tables" / f"{table}.{naming}.registered.sql"
    body, _ = path.read_text("utf-8").split("\n)", 1)
    return re.findall(r"^  `(\w+)`", body, re.MULTILINE)


def relation(default: str, tables: list[str], naming: str) -> str:
    """A view over all tables of a log type: its columns under their snake names, and the table of each."""
    selected = "*"
    if default in DEFAULT_TABLES:
        # The files of both namings come from one schema, in its order.
        pairs = zip(columns(default, naming), columns(default, "snake"), strict=True)
        selected = ", ".join(old if old == new else f"{old} AS {new}" for old, new in pairs) + ", proc_ymd"
    selects = [
        f"SELECT {selected}, CAST('{table}' AS varchar) AS log_table\nFROM {table}" for table in tables
    ]
    return f"CREATE OR REPLACE VIEW all_{default} AS\n" + "\nUNION ALL\n".join(selects)


def over_relations(view: str, defaults: dict[str, list[str]]) -> str:
    """A view that reads the relations instead of these default tables."""
    for default in defaults:
        view = re.sub(rf"\b(FROM|JOIN)( +){default}\b", rf"\1\2all_{default}", view)
    return view


def placed(table: str, options: argparse.Namespace) -> str:
    """The statement of a table, with the location of the lake and the first day of the projection filled in."""
    first = f"'projection.proc_ymd.range'='{options.first_day.replace('-', '')},"
    located = table.replace("${location}", options.location.rstrip("/"))
    return bare(re.sub(r"'projection\.proc_ymd\.range'='\d{8},", first, located))


def bare(statement: str) -> str:
    """A statement without the comment above it and the semicolon at its end."""
    lines = [line for line in statement.splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip().removesuffix(";")


def run(athena: Any, statement: str, options: argparse.Namespace) -> None:
    """Runs a statement and waits for its end."""
    where: dict[str, Any] = {"WorkGroup": options.workgroup}
    if options.results:
        where["ResultConfiguration"] = {"OutputLocation": options.results}
    context = {"Database": options.database, "Catalog": "AwsDataCatalog"}
    started = athena.start_query_execution(QueryString=statement, QueryExecutionContext=context, **where)
    while True:
        found = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
        status = found["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(status.get("StateChangeReason", status["State"]))
        time.sleep(POLL_SECONDS)


def named_tables(value: str) -> tuple[str, list[str]]:
    """Parses `cloudtrail=trail_a,trail_b`."""
    default, _, tables = value.partition("=")
    names = [name for name in tables.split(",") if name]
    if not names or not all(re.fullmatch(r"[a-z0-9][a-z0-9_]*", name) for name in (default, *names)):
        raise argparse.ArgumentTypeError(
            f"expected DEFAULT=TABLE,TABLE, for example cloudtrail=trail_a, not {value!r}"
        )
    return default, names


def arguments(given: list[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", required=True, help="Glue database of the tables and views")
    parser.add_argument("--workgroup", default="primary", help="Athena workgroup [primary]")
    parser.add_argument("--results", help="s3:// folder for results, if the workgroup has none")
    kinds = ("none", "registered", "projection")
    parser.add_argument("--tables", choices=kinds, default="none", help="also create the tables [none]")
    for kind, logs in KINDS.items():
        flag = {"dest": "kinds", "action": "append_const", "const": kind, "default": []}
        help_ = f"include the views of {logs}, and with --tables their tables"
        parser.add_argument(f"--{kind}", **flag, help=help_)
    parser.add_argument(
        "--naming", choices=("snake", "compact"), default="snake", help="names of columns [snake]"
    )
    parser.add_argument(
        "--table",
        action="append",
        type=named_tables,
        default=[],
        metavar="DEFAULT=TABLE,...",
        help="tables of a log type, by the name of its default table, for example cloudtrail=trail_a,trail_b",
    )
    parser.add_argument("--location", help="location of the lake, for example s3://my-lake/logs; for --tables")
    parser.add_argument("--first-day", help="first day of a projection, for example 2023-11-01")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the statements without running them",
    )
    options = parser.parse_args(given)
    if options.tables != "none" and not options.location:
        parser.error("--tables needs --location")
    if options.tables == "projection" and not re.fullmatch(r"\d{4}-\d\d-\d\d", options.first_day or ""):
        parser.error("--tables projection needs --first-day, for example 2023-11-01")
    options.first_day = options.first_day or ""
    options.table = dict(options.table)
    if options.naming == "compact":
        if options.kinds or set(options.table) - set(DEFAULT_TABLES):
            parser.error(
                "--naming compact needs the tables of CloudTrail and S3: their files list the columns"
            )
        options.table = {name: [name] for name in DEFAULT_TABLES} | options.table
    return options


def main(given: list[str]) -> int:
    """Runs every statement and returns the exit code."""
    options = arguments(given)
    if options.dry_run:
        print(
            "".join(f"-- {name}\n{statement};\n\n" for name, statement in statements(options)),
            end="",
        )
        return 0
    import boto3

    athena = boto3.client("athena")
    for name, statement in statements(options):
        try:
            run(athena, statement, options)
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
