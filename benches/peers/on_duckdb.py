"""A day on DuckDB, as its users would write it.

Rejected alternatives, in CPU time relative to this script (benchmark day, one machine):
CloudTrail: all members as text with later casts 1.03; with preserved row order 0.99, and more memory.

In the plain variant, a line is parsed by one regexp_extract.
"""

import duckdb

from benches.peers.alb_lines import Dialect
from benches.peers.columns import ARRAY, ELEMENTS, Column, Place, cloudtrail, leaves, tree
from benches.peers.lines import AFTER_TIME, FIELDS, NUMBERS, ONCE, ONE_EXPRESSION, SIX_GROUPS, words
from benches.peers.task import Task, from_command_line
from benches.peers.waf_records import HEADERS, INSTANT, WafColumn, is_header, record, waf

MILLIS = "TIMESTAMP_MS"
# Expressions over the parts of a line.
TIME = "head[3][2:]"
REQUESTER = "CASE WHEN len(head) = 9 THEN head[6] ELSE array_to_string(head[6:-4], ' ') END"


def main() -> None:
    """Writes the part file."""
    task = from_command_line()
    queries = {
        "cloudtrail": records_query,
        "s3_access": lines_query,
        "alb_access": balancer_query,
        "waf": waf_query,
    }
    query = queries[task.table](task)
    connection = duckdb.connect(config={"threads": task.threads, "preserve_insertion_order": False})
    connection.execute(
        f"COPY ({query}) TO '{task.part}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"
    )


def within(time: str, task: Task) -> str:
    """Returns the condition for the rows of the day."""
    begin, end = task.window
    return f"{time} >= TIMESTAMP '{begin}' AND {time} < TIMESTAMP '{end}'"


def records_query(task: Task) -> str:
    """Returns the query for the rows of CloudTrail."""
    columns = cloudtrail(task.schema)
    selected = ", ".join(f"{record_cell(column)} AS {column.name}" for column in columns)
    source = (
        f"read_json('{task.input}/**/*.json.gz', columns = {{Records: '{record_type(columns)}[]'}}, "
        "filename = true, format = 'newline_delimited', maximum_object_size = 268435456)"
    )
    once = (
        "QUALIFY row_number() OVER (PARTITION BY event_id) = 1 ORDER BY event_source, event_name, event_time"
    )
    return (
        f"SELECT {selected} FROM "
        "(SELECT filename, unnest(Records) AS r, generate_subscripts(Records, 1) AS number "
        f"FROM {source}) WHERE {within('event_time', task)} {once if task.ordered else ''}"
    )


def record_type(columns: list[Column]) -> str:
    """Returns a record as a struct. Members that remain JSON text have the type JSON."""
    elements = ", ".join(f'"{key}" VARCHAR' for key in ELEMENTS)
    places = leaves(columns)

    def member(key: str, node: object, path: tuple[str, ...]) -> str:
        if isinstance(node, dict):
            return f'"{key}" STRUCT({", ".join(member(k, n, (*path, k)) for k, n in node.items())})'
        return f'"{key}" ' + (f"STRUCT({elements})[]" if path not in places else leaf_type(places[path]))

    return f"STRUCT({', '.join(member(key, node, (key,)) for key, node in tree(columns).items())})"


def leaf_type(column: Column) -> str:
    """Returns the type of a leaf. Session times have two formats and are parsed later."""
    if column.is_json:
        return "JSON"
    return {"event_time": "TIMESTAMP"}.get(column.name, "BOOLEAN" if column.type == "boolean" else "VARCHAR")


def member_of(path: tuple[str, ...]) -> str:
    """Returns a member of the record."""
    return "r." + ".".join(f'"{key}"' for key in path)


def record_cell(column: Column) -> str:
    """Returns the expression of a column."""
    computed = {
        "event_time": f'r."eventTime"::{MILLIS}',
        "event_time_kst": f'(r."eventTime" + INTERVAL 9 HOUR)::{MILLIS}',
        "source_object": "filename",
        "source_record": "number",
    }
    if column.name in computed:
        return computed[column.name]
    if column.element:
        return f'list_transform(r.{ARRAY}, lambda x: x."{column.element}")'
    if column.inner:
        outer, key = column.paths[0]
        value = f"(r.\"{outer}\"->>'{key}')"
        return f"{value}::DOUBLE::BIGINT" if column.type == "bigint" else value
    members = [member_of(path) for path in column.paths]
    value = f"coalesce({', '.join(members)})" if len(members) > 1 else members[0]
    if column.type == "timestamp":
        basic = f"try_strptime({value}, '%Y%m%dT%H%M%SZ')"
        return f"coalesce(try_cast({value} AS TIMESTAMP), {basic})::{MILLIS}"
    return f"{value}::VARCHAR" if column.is_json else value


def read_lines(objects: str) -> str:
    """Returns the source of the lines of objects."""
    return (
        f"read_csv('{objects}', columns = {{line: 'VARCHAR'}}, delim = '\x01', quote = '', "
        "escape = '', header = false, auto_detect = false, filename = true, strict_mode = false)"
    )


WAF_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "timestamp": "BIGINT",
    "array<string>": "VARCHAR[]",
}
HEADER_TYPE = "STRUCT(name VARCHAR, value VARCHAR)[]"


def waf_query(task: Task) -> str:
    """Returns the query for the rows of AWS WAF."""
    columns = waf(task.schema)
    members = ", ".join(f"{key}: '{waf_type(node)}'" for key, node in record(columns).items())
    source = (
        f"read_json('{task.input}/**/*.gz', columns = {{{members}}}, filename = true, "
        "format = 'newline_delimited')"
    )
    headers = f"{waf_value(HEADERS)}::{HEADER_TYPE} AS headers_"
    selected = ", ".join(
        f"{waf_cell(column)} AS {column.name}" for column in columns if column.name != "source_record"
    )
    once = "event_time, webacl_id, http_request_client_ip, http_request_request_id, http_request_args"
    order = "ORDER BY action, terminating_rule_id, event_time"
    ordered = f"QUALIFY row_number() OVER (PARTITION BY {once}) = 1 {order}"
    return (
        f"SELECT {selected} FROM (SELECT *, {headers} FROM {source}) "
        f"WHERE {within('event_time', task)} {ordered if task.ordered else ''}"
    )


def waf_type(node: object) -> str:
    """Returns the type of a member of a record."""
    if isinstance(node, dict):
        members = ", ".join(f'"{key}" {waf_type(inner)}' for key, inner in node.items())
        return f"STRUCT({members})"
    kind = "JSON" if node.is_json else WAF_TYPES[node.type]
    return f'STRUCT("{node.key}" VARCHAR)[]' if node.key else kind


def waf_value(path: Place) -> str:
    """Returns a member of a record that is a row."""
    return ".".join(f'"{key}"' for key in path)


def waf_cell(column: WafColumn) -> str:
    """Returns the expression of a column."""
    computed = {
        "event_time": f"make_timestamp_ms({waf_value(INSTANT)})::{MILLIS}",
        "event_time_kst": f"(event_time + INTERVAL 9 HOUR)::{MILLIS}",
        "source_object": "filename",
    }
    if column.name in computed:
        return computed[column.name]
    if is_header(column):
        return f"list_filter(headers_, lambda x: lower(x.name) = '{column.key}')[1].value"
    value = waf_value(column.path)
    if column.key:
        return f'list_transform({value}, lambda x: x."{column.key}")'
    return f"{value}::VARCHAR" if column.is_json else value


ALB = Dialect(
    word="bare[{part}][{place}]",
    double="try_cast({x} AS DOUBLE)",
    int="try_cast({x} AS INTEGER)",
    bigint="try_cast({x} AS BIGINT)",
    time=f"try_cast(date_trunc('millisecond', try_cast(rtrim({{x}}, 'Z') AS TIMESTAMP)) AS {MILLIS})",
    later=f"({{x}} + INTERVAL 9 HOUR)::{MILLIS}",
    group="regexp_extract({x}, '{pattern}', {group})",
    texts="string_split(nullif({x}, '-'), ',')",
    unfinished="CASE WHEN {method} IS NULL THEN nullif(regexp_replace({x}, '-$', ''), '') ELSE {x} END",
)


def balancer_query(task: Task) -> str:
    """Returns the query for the rows of the access logs of ALB."""
    cells = ", ".join(f"{cell} AS {name}" for name, cell in ALB.cells())
    bare = "list_transform(cut, lambda x: string_split(trim(x), ' '))"
    source = read_lines(f"{task.input}/**/*_app.*")
    lines = f"SELECT filename, line, string_split(line, '\"') AS cut FROM {source}"
    once = "QUALIFY row_number() OVER (PARTITION BY line) = 1 ORDER BY elb, elb_status_code, event_time"
    return (
        f"SELECT {cells}, filename AS source_object FROM (SELECT *, {bare} AS bare FROM ({lines}) "
        f"WHERE len(cut) > 10) WHERE {within('event_time', task)} {once if task.ordered else ''}"
    )


def lines_query(task: Task) -> str:
    """Returns the query for the rows of the access log."""
    fields, parsed = (groups(), grouped_lines) if task.plain else (words(TIME, REQUESTER), cut_lines)
    cells = ", ".join(f"{cell} AS {name}" for name, cell in line_cells(fields))
    source = read_lines(f"{task.input}/**/*")
    once = "QUALIFY row_number() OVER (PARTITION BY line) = 1 ORDER BY bucket, operation, request_time"
    return (
        f"SELECT {cells} FROM ({parsed(source)}) WHERE {within('request_time', task)} "
        f"{once if task.ordered else ''}"
    )


def grouped_lines(source: str) -> str:
    """Parses the lines with one expression."""
    found = f"regexp_extract(line, '{ONE_EXPRESSION}', {list(FIELDS)})"
    return f"SELECT * FROM (SELECT filename, line, {found} AS m FROM {source}) WHERE m.bucket <> ''"


def groups() -> dict[str, str]:
    """Returns the SQL expression of each field, in terms of the groups of the expression."""
    return {name: f"m.{name}" for name in FIELDS} | {"time": "m.time[:20]"}


def cut_lines(source: str) -> str:
    """Splits the lines at quotes and spaces."""
    groups = "['a', 'b', 'c', 'd', 'e', 'f']"
    found = f"CASE WHEN len(cut) <> 7 THEN regexp_extract(line, '{SIX_GROUPS}', {groups}) END"
    parts = "CASE WHEN len(cut) = 7 THEN cut ELSE [m.a, m.b, m.c, m.d, '', m.e, m.f] END"
    return (
        "SELECT *, string_split(rtrim(part[1]), ' ') AS head, "
        "string_split(ltrim(part[3]), ' ') AS number, string_split(ltrim(part[7]), ' ') AS tail "
        f"FROM (SELECT filename, line, {parts} AS part FROM (SELECT filename, line, cut, {found} AS m "
        f"FROM (SELECT filename, line, string_split(line, '\"') AS cut FROM {source}))) WHERE part[1] <> ''"
    )


def known(cell: str) -> str:
    """Returns NULL for a field without a value."""
    return f"nullif(nullif({cell}, '-'), '')"


def line_cells(fields: dict[str, str]) -> list[tuple[str, str]]:
    """Returns the columns of a line, in order. DuckDB does not provide line numbers."""
    key, operation = known(fields["key"]), fields["operation"]
    form = f"url_decode(replace({key}, '+', ' '))"
    twice = f"url_decode(replace(url_decode({key}), '+', ' '))"
    once = f"{operation} = '{ONCE[0]}' OR starts_with({operation}, '{ONCE[1]}')"
    computed = {
        "key_decoded": f"CASE WHEN {once} THEN {form} ELSE {twice} END",
        "http_status": f"try_cast({fields['http_status']} AS INTEGER)",
        **{name: f"try_cast({fields[name]} AS BIGINT)" for name in NUMBERS},
        "acl_required": f"CASE WHEN {fields['acl_required']} = 'Yes' THEN true END",
    }
    return [
        ("bucket_owner", known(fields["bucket_owner"])),
        ("bucket", known(fields["bucket"])),
        ("request_time", f"strptime({fields['time']}, '%d/%b/%Y:%H:%M:%S')::{MILLIS}"),
        ("request_time_kst", f"(request_time + INTERVAL 9 HOUR)::{MILLIS}"),
        *((name, computed[name] if name in computed else known(fields[name])) for name in AFTER_TIME),
        ("source_object", "filename"),
    ]


if __name__ == "__main__":
    main()
