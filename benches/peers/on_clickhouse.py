"""A day on ClickHouse (chdb), as its users would write it.

Rejected alternatives, in CPU time relative to this script (benchmark day, one machine):
CloudTrail: subcolumns and LowCardinality 2.2; without bloom filters 0.92. JSONAsString and JSONExtract of a
whole object lose every object with a number like 1e400.
Lines: the format Regexp 2.2; without bloom filters 0.95.

In the plain variant, a member of a record is a subcolumn (`r.userIdentity.arn`), and a line is parsed by one
extractGroups.
"""

from collections.abc import Callable

import chdb

from benches.peers.alb_lines import Dialect
from benches.peers.columns import ELEMENTS, OUTER_TEXTS, Column, Place, cloudtrail, leaves, tree
from benches.peers.lines import AFTER_TIME, FIELDS, NUMBERS, ONCE, ONE_EXPRESSION, SIX_GROUPS, words
from benches.peers.task import Task, from_command_line
from benches.peers.waf_records import HEADERS, INSTANT, WafColumn, is_header, record, waf

TEXT = "Nullable(String)"
TRUTH = (("readOnly",), ("managementEvent",))
SETTINGS = (
    "output_format_parquet_compression_method='zstd', output_format_compression_level=3, "
    "date_time_input_format='best_effort', input_format_json_read_bools_as_strings=1"
)
# Returns the expression of a member of a record.
MemberOf = Callable[[Place], str]
INNER_TYPES = {"bigint": "Nullable(Int64)", "string": TEXT}
# Expressions over the parts of a line.
TIME = "substring(head[3], 2, 20)"
REQUESTER = "if(length(head) = 9, head[6], arrayStringConcat(arraySlice(head, 6, length(head) - 8), ' '))"


def quoted(text: str) -> str:
    """Returns a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


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
    target = f"INSERT INTO FUNCTION file({quoted(str(task.part))}, 'Parquet')"
    chdb.query(f"{target} {query} SETTINGS max_threads={task.threads}, {SETTINGS}")


def within(time: str, task: Task) -> str:
    """Returns the condition for the rows of the day."""
    begin, end = task.window
    return f"{time} >= toDateTime64('{begin}', 3, 'UTC') AND {time} < toDateTime64('{end}', 3, 'UTC')"


def records_query(task: Task) -> str:
    """Returns the query for the rows of CloudTrail."""
    columns = cloudtrail(task.schema)
    types, member_of = record_type(columns), subcolumn if task.plain else element
    source = (
        f"file({quoted(f'{task.input}/**/*.json.gz')}, 'JSONEachRow', {quoted(f'Records Array({types})')})"
    )
    inner = ", ".join(f"{inner_tuple(columns, outer, member_of)} AS {outer}_" for outer in OUTER_TEXTS)
    selected = ", ".join(f"{record_cell(column, member_of)} AS {column.name}" for column in columns)
    order = " ORDER BY event_source, event_name, event_time LIMIT 1 BY event_id" if task.ordered else ""
    return (
        f"WITH {inner} SELECT {selected} FROM {source} "
        "ARRAY JOIN Records AS r, arrayEnumerate(Records) AS number "
        f"WHERE {within('event_time', task)}{order}"
    )


def record_type(columns: list[Column]) -> str:
    """Returns a record as a typed tuple. Objects below text members remain JSON text."""
    elements = ", ".join(f"{key} {TEXT}" for key in ELEMENTS)
    places = leaves(columns)

    def member(key: str, node: object, path: tuple[str, ...]) -> str:
        if isinstance(node, dict):
            return f"{key} Tuple({', '.join(member(k, n, (*path, k)) for k, n in node.items())})"
        if path not in places:
            return f"{key} Array(Tuple({elements}))"
        return f"{key} {leaf_type(places[path], path)}"

    return f"Tuple({', '.join(member(key, node, (key,)) for key, node in tree(columns).items())})"


def leaf_type(column: Column, path: tuple[str, ...]) -> str:
    """Returns the type of a leaf. Times and unquoted booleans are parsed while reading."""
    if column.name == "event_time":
        return "DateTime64(3, 'UTC')"
    if column.type == "timestamp":
        return "Nullable(DateTime64(3, 'UTC'))"
    return "Nullable(Bool)" if path in TRUTH else TEXT


def inner_tuple(columns: list[Column], outer: str, member_of: MemberOf) -> str:
    """Returns the columns inside one JSON text, extracted in one pass."""
    inside = [column for column in columns if column.inner and column.paths[0][0] == outer]
    types = ", ".join(f"{column.paths[0][1]} {INNER_TYPES[column.type]}" for column in inside)
    return f"JSONExtract(assumeNotNull({member_of((outer,))}), 'Tuple({types})')"


def subcolumn(path: Place) -> str:
    """Returns a member of the record as in the manual."""
    return ".".join(("r", *path))


def element(path: Place) -> str:
    """Returns a member of the record. Functions are cheaper than subcolumns in blocks of one object each."""
    return element_of(("r", *path))


def record_cell(column: Column, member_of: MemberOf) -> str:
    """Returns the expression of a column."""
    computed = {
        "event_time_kst": "event_time + INTERVAL 9 HOUR",
        "source_object": "_path",
        "source_record": "toInt64(number)",
    }
    if column.name in computed:
        return computed[column.name]
    if column.inner:
        outer, key = column.paths[0]
        return f"tupleElement({outer}_, '{key}')"
    members = [member_of(path) for path in column.paths]
    cell = f"coalesce({', '.join(members)})" if len(members) > 1 and not column.element else members[0]
    return (
        f"CAST({cell} = 'true', 'Nullable(Bool)')"
        if column.type == "boolean" and column.paths[0] not in TRUTH
        else cell
    )


WAF_TYPES = {
    "string": TEXT,
    "int": "Nullable(Int32)",
    "bigint": "Nullable(Int64)",
    "timestamp": "Int64",
    "array<string>": f"Array({TEXT})",
}
HEADER_TYPE = "Array(Tuple(name String, value String))"


def waf_query(task: Task) -> str:
    """Returns the query for the rows of AWS WAF."""
    columns = waf(task.schema)
    members = ", ".join(waf_member(key, node) for key, node in record(columns).items())
    source = f"file({quoted(f'{task.input}/**/*.gz')}, 'JSONEachRow', {quoted(members)})"
    headers = f"JSONExtract(assumeNotNull({element_of(HEADERS)}), '{HEADER_TYPE}') AS headers_"
    names = "arrayMap(header -> lower(tupleElement(header, 1)), headers_) AS names_"
    selected = ", ".join(f"{waf_cell(column)} AS {column.name}" for column in columns)
    once = "event_time, webacl_id, http_request_client_ip, http_request_request_id, http_request_args"
    order = f" ORDER BY action, terminating_rule_id, event_time LIMIT 1 BY {once}" if task.ordered else ""
    return (
        f"WITH {headers}, {names} SELECT {selected} FROM {source} WHERE {within('event_time', task)}{order}"
    )


def waf_member(key: str, node: object) -> str:
    """Returns a member of a record with its type. Objects and lists below text members remain JSON text."""
    if isinstance(node, dict):
        return f"{key} Tuple({', '.join(waf_member(*inner) for inner in node.items())})"
    kind = WAF_TYPES[node.type]
    return f"{key} " + (f"Array(Tuple({node.key} {TEXT}))" if node.key else kind)


def waf_cell(column: WafColumn) -> str:
    """Returns the expression of a column."""
    computed = {
        "event_time": f"fromUnixTimestamp64Milli({element_of(INSTANT)}, 'UTC')",
        "event_time_kst": "event_time + INTERVAL 9 HOUR",
        "source_object": "_path",
        "source_record": "toInt64(_row_number) + 1",
    }
    if column.name in computed:
        return computed[column.name]
    if is_header(column):
        place = f"indexOf(names_, '{column.key}')"
        return f"if({place} = 0, NULL, tupleElement(headers_[{place}], 2))"
    value = element_of(column.path)
    return f"arrayMap(one -> tupleElement(one, 1), {value})" if column.key else value


def element_of(path: Place) -> str:
    """Returns a member of a record that is a row."""
    expression, *keys = path
    for key in keys:
        expression = f"tupleElement({expression}, '{key}')"
    return expression


ALB = Dialect(
    word="bare[{part}][{place}]",
    double="toFloat64OrNull({x})",
    int="toInt32OrNull({x})",
    bigint="toInt64OrNull({x})",
    time="parseDateTime64BestEffortOrNull({x}, 3, 'UTC')",
    later="{x} + INTERVAL 9 HOUR",
    group="extractGroups(assumeNotNull({x}), '{pattern}')[{group}]",
    texts="if({x} IN ('-', ''), [], splitByChar(',', {x}))",
    unfinished="if({method} IS NULL, nullIf(replaceRegexpOne(assumeNotNull({x}), '-$', ''), ''), {x})",
)


def balancer_query(task: Task) -> str:
    """Returns the query for the rows of the access logs of ALB."""
    cells = ", ".join(f"{cell} AS {name}_" for name, cell in ALB.cells())
    cells = cells.replace("event_time + INTERVAL", "event_time_ + INTERVAL")
    named = ", ".join(f"{name}_ AS {name}" for name, _ in ALB.cells())
    bare = "arrayMap(x -> splitByChar(' ', trim(x)), cut)"
    source = f"file({quoted(f'{task.input}/**/*_app.*')}, 'LineAsString', 'line String')"
    order = " ORDER BY elb, elb_status_code, event_time LIMIT 1 BY sipHash128(line)" if task.ordered else ""
    return (
        f"SELECT {named}, _path AS source_object FROM (SELECT _path, line, splitByChar('\"', line) AS cut, "
        f"{bare} AS bare, {cells} FROM {source} WHERE length(cut) > 10) "
        f"WHERE {within('event_time_', task)}{order}"
    )


def lines_query(task: Task) -> str:
    """Returns the query for the rows of the access log."""
    fields, parsed = (groups(), grouped_lines) if task.plain else (words(TIME, REQUESTER), cut_lines)
    cells = ", ".join(f"{cell} AS {name}" for name, cell in line_cells(fields))
    kept = ", line" if task.ordered else ""
    source = f"file({quoted(f'{task.input}/**/*')}, 'LineAsString', 'line String')"
    order = " ORDER BY bucket, operation, request_time LIMIT 1 BY sipHash128(line)" if task.ordered else ""
    return (
        f"SELECT {cells} FROM (SELECT _path, _row_number{kept}, {parsed()} FROM {source} "
        f"WHERE notEmpty(found)) WHERE {within('request_time', task)}{order}"
    )


def grouped_lines() -> str:
    """Parses a line with one expression."""
    return f"extractGroups(line, {quoted(ONE_EXPRESSION)}) AS found"


def groups() -> dict[str, str]:
    """Returns the SQL expression of each field, in terms of the groups of the expression."""
    fields = {name: f"found[{at}]" for at, name in enumerate(FIELDS, 1)}
    return {**fields, "time": f"substring({fields['time']}, 1, 20)"}


def cut_lines() -> str:
    """Splits a line at quotes and spaces."""
    return (
        "splitByChar('\"', line) AS cut, "
        f"if(length(cut) = 7, cut, extractGroups(line, {quoted(SIX_GROUPS)})) AS found, "
        "if(length(cut) = 7, cut, [found[1], found[2], found[3], found[4], '', found[5], found[6]]) AS part, "
        "splitByChar(' ', trim(TRAILING ' ' FROM part[1])) AS head, "
        "splitByChar(' ', trim(LEADING ' ' FROM part[3])) AS number, "
        "splitByChar(' ', trim(LEADING ' ' FROM part[7])) AS tail"
    )


def known(cell: str) -> str:
    """Returns NULL for a field without a value."""
    return f"nullIf(nullIf({cell}, '-'), '')"


def line_cells(fields: dict[str, str]) -> list[tuple[str, str]]:
    """Returns the columns of a line, in order."""
    moment = f"parseDateTime({fields['time']}, '%d/%b/%Y:%H:%i:%s', 'UTC')"
    once = f"{fields['operation']} = '{ONCE[0]}' OR startsWith({fields['operation']}, '{ONCE[1]}')"
    computed = {
        "key_decoded": f"decodeURLFormComponent(if({once}, key, decodeURLComponent(key)))",
        "http_status": f"toInt32OrNull({fields['http_status']})",
        **{name: f"toInt64OrNull({fields[name]})" for name in NUMBERS},
        "acl_required": f"if({fields['acl_required']} = 'Yes', true, NULL)",
    }
    return [
        ("bucket_owner", known(fields["bucket_owner"])),
        ("bucket", known(fields["bucket"])),
        ("request_time", f"toDateTime64({moment}, 3, 'UTC')"),
        ("request_time_kst", "request_time + INTERVAL 9 HOUR"),
        *((name, computed[name] if name in computed else known(fields[name])) for name in AFTER_TIME),
        ("source_object", "_path"),
        ("source_record", "toInt64(_row_number) + 1"),
    ]


if __name__ == "__main__":
    main()
