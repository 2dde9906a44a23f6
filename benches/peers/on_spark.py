"""A day on local Spark, as its users would write it."""

import os
import sys

from pyspark.sql import DataFrame, SparkSession

from benches.peers.columns import ARRAY, ELEMENTS, Column, cloudtrail, tree
from benches.peers.lines import NUMBERS, ONCE, SIX_GROUPS, TAIL
from benches.peers.task import Task, from_command_line

BASIC = "yyyyMMdd''T''HHmmss''Z''"


def main() -> None:
    """Writes the part files."""
    task = from_command_line()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = started(task)
    rows = records(session, task) if task.table == "cloudtrail" else lines(session, task)
    rows.write.mode("append").option("compression", "zstd").parquet(str(task.part.parent))
    stopped(session)


def started(task: Task) -> SparkSession:
    """Starts a session with the number of threads that all engines use."""
    settings = {
        "spark.driver.memory": "4g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
        "spark.hadoop.parquet.compression.codec.zstd.level": "3",
    }
    builder = SparkSession.builder.master(f"local[{task.threads}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def stopped(session: SparkSession) -> None:
    """Stops the session and waits for the JVM, so that its CPU time counts."""
    gateway = session.sparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def within(time: str, task: Task) -> str:
    """Returns the condition for the rows of the day."""
    begin, end = task.window
    return f"{time} >= TIMESTAMP '{begin}' AND {time} < TIMESTAMP '{end}'"


def records(session: SparkSession, task: Task) -> DataFrame:
    """Returns the rows of CloudTrail."""
    columns = cloudtrail(task.schema)
    reader = session.read.schema(f"Records array<{record_type(tree(columns))}>")
    raw = (
        reader.option("recursiveFileLookup", True).option("pathGlobFilter", "*.json.gz").json(str(task.input))
    )
    each = raw.selectExpr("_metadata.file_path AS file", "posexplode(Records) AS (at, r)")
    return each.selectExpr(*(f"{record_cell(column)} AS {column.name}" for column in columns)).where(
        within("event_time", task)
    )


def record_type(node: object) -> str:
    """Returns a record as a struct of strings. Objects below them remain JSON text."""
    if node == ARRAY:
        return f"array<struct<{', '.join(f'`{key}`: string' for key in ELEMENTS)}>>"
    if not isinstance(node, dict):
        return "string"
    return f"struct<{', '.join(f'`{key}`: {record_type(inner)}' for key, inner in node.items())}>"


def record_cell(column: Column) -> str:
    """Returns the expression of a column."""
    moment = "to_timestamp(r.eventTime)"
    computed = {
        "event_time": moment,
        "event_time_kst": f"{moment} + INTERVAL 9 HOURS",
        "source_object": "file",
        "source_record": "CAST(at + 1 AS BIGINT)",
    }
    if column.name in computed:
        return computed[column.name]
    if column.element:
        return f"transform(r.{ARRAY}, x -> x.{column.element})"
    if column.inner:
        outer, key = column.paths[0]
        value = f"get_json_object(r.{outer}, '$.{key}')"
        return f"CAST(try_cast({value} AS DOUBLE) AS BIGINT)" if column.type == "bigint" else value
    members = ["r." + ".".join(f"`{key}`" for key in path) for path in column.paths]
    value = f"coalesce({', '.join(members)})" if len(members) > 1 else members[0]
    if column.type == "timestamp":
        return f"coalesce(try_to_timestamp({value}), try_to_timestamp({value}, '{BASIC}'))"
    return f"try_cast({value} AS BOOLEAN)" if column.type == "boolean" else value


def lines(session: SparkSession, task: Task) -> DataFrame:
    """Returns the rows of the access log."""
    pattern = "'" + SIX_GROUPS.replace("\\", "\\\\") + "'"
    groups = [f"regexp_extract(value, {pattern}, {group})" for group in range(1, 7)]
    found = f"array({', '.join([*groups[:4], repr(''), *groups[4:]])})"
    raw = session.read.option("recursiveFileLookup", True).text(str(task.input))
    cut = raw.selectExpr("_metadata.file_path AS file", "value", "split(value, '\"') AS cut")
    parts = cut.selectExpr("file", f"CASE WHEN size(cut) = 7 THEN cut ELSE {found} END AS part")
    words = parts.where("part[0] <> ''").selectExpr(
        *("file", "part", "split(rtrim(part[0]), ' ') AS head"),
        *("split(ltrim(part[2]), ' ') AS number", "split(ltrim(part[6]), ' ') AS tail"),
    )
    return words.selectExpr(*(f"{cell} AS {name}" for name, cell in line_cells())).where(
        within("request_time", task)
    )


def known(cell: str) -> str:
    """Returns NULL for a field without a value."""
    return f"nullif(nullif({cell}, '-'), '')"


def line_cells() -> list[tuple[str, str]]:
    """Returns the columns of a line, in order. Spark does not provide line numbers."""
    moment = "to_timestamp(substr(head[2], 2, 20), 'dd/MMM/yyyy:HH:mm:ss')"
    operation, key = "element_at(head, -2)", known("element_at(head, -1)")
    once = f"{operation} = '{ONCE[0]}' OR startswith({operation}, '{ONCE[1]}')"
    plain = f"try_url_decode(replace({key}, '+', '%2B'))"
    requester = (
        "CASE WHEN size(head) = 9 THEN head[5] ELSE array_join(slice(head, 6, size(head) - 8), ' ') END"
    )
    return [
        ("bucket_owner", known("head[0]")),
        ("bucket", known("head[1]")),
        ("request_time", moment),
        ("request_time_kst", f"{moment} + INTERVAL 9 HOURS"),
        ("remote_ip", known("head[4]")),
        ("requester", known(requester)),
        ("request_id", known("element_at(head, -3)")),
        ("operation", known(operation)),
        ("key", key),
        ("key_decoded", f"try_url_decode(CASE WHEN {once} THEN {key} ELSE {plain} END)"),
        ("request_uri", known("part[1]")),
        ("http_status", "try_cast(number[0] AS INT)"),
        ("error_code", known("number[1]")),
        *((name, f"try_cast(number[{at}] AS BIGINT)") for at, name in enumerate(NUMBERS, 2)),
        ("referer", known("part[3]")),
        ("user_agent", known("part[5]")),
        *((name, known(f"try_element_at(tail, {at})")) for at, name in enumerate(TAIL, 1)),
        ("acl_required", "CASE WHEN try_element_at(tail, 9) = 'Yes' THEN true END"),
        ("source_region", known("try_element_at(tail, 10)")),
        ("source_object", "file"),
    ]


if __name__ == "__main__":
    main()
