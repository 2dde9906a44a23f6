"""The usual questions of the Athena guide, and the bytes that a good reader must fetch from a file for each.

The same rules apply to all files. A reader fetches the footer and skips row groups by their statistics. It
fetches the page index of the filter columns, which leaves ranges of rows. It reads the bloom filter of an
equality if that costs less than the pages that it could save. It fetches the dictionary and the remaining
pages of the filter columns, which gives the matching rows. Then it fetches the pages of the shown columns that
hold these rows, using the offset index. Without a page index, a column chunk is one page.
"""

from bisect import bisect_left
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from benches.peers.parquet_index import Bounds, Chunk, Page, ParquetFile, Value

Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class Condition:
    """Values from `low` to `high`, inclusive. NULL if both are None."""

    column: str
    low: Value | None
    high: Value | None

    @property
    def equality(self) -> bool:
        """Whether the condition is one value, which a bloom filter can check."""
        return self.low is not None and self.low == self.high

    @property
    def sql(self) -> str:
        """The SQL condition for the matching rows."""
        if self.low is None:
            return f"{self.column} IS NULL"
        column = f"epoch_ms({self.column})" if self.column.endswith("_time") else self.column
        low, high = (
            value if isinstance(value, int) else f"'{value.decode()}'" for value in (self.low, self.high)
        )
        return f"{column} BETWEEN {low} AND {high}"

    def may_match(self, bounds: Bounds) -> bool:
        """Whether a range with these bounds can contain a match."""
        if self.low is None:
            return bounds.all_null or bounds.nulls != 0
        if bounds.all_null:
            return False
        return (
            bounds.low is None or bounds.high is None or (bounds.low <= self.high and self.low <= bounds.high)
        )


@dataclass(frozen=True)
class Cost:
    """Fetched bytes by purpose."""

    footer: int = 0
    indexes: int = 0
    blooms: int = 0
    filtered: int = 0
    shown: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        """The total number of fetched bytes."""
        return sum(astuple(self))


@dataclass(frozen=True)
class Question:
    """A question: its conditions and the columns that it shows."""

    text: str
    table: str
    conditions: tuple[Condition, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The matching rows in the first contestant's files, and the cost for each contestant by name."""

    question: Question
    rows: int
    costs: dict[str, Cost]

    def ratio(self, name: str, other: str) -> float:
        """Returns the cost for one contestant divided by the cost for another."""
        return self.costs[name].total / self.costs[other].total


def equal(column: str, value: str) -> Condition:
    """Returns a condition for one text."""
    return Condition(column, value.encode(), value.encode())


def usual(table: str, files: list[Path]) -> list[Question]:
    """Returns the questions for a table, with values from the data."""
    rows = f"read_parquet({[str(file) for file in files]})"
    if table == "cloudtrail":
        arn, event_id = one(median_frequency("user_identity_arn", rows)), one(median_value("event_id", rows))
        return [
            Question(
                "one principal's calls", table, (equal("user_identity_arn", arn),),
                ("event_time", "event_source", "event_name", "source_ip_address"),
            ),
            Question(
                "one event id", table, (equal("event_id", event_id),),
                ("event_time", "event_name", "user_identity_arn", "request_parameters"),
            ),
        ]  # fmt: skip
    put, denied = equal("operation", "REST.PUT.OBJECT"), Condition("http_status", 403, 403)
    bucket = one(median_frequency("bucket", f"{rows} WHERE {put.sql}"))
    hour = one(f"SELECT epoch_ms(date_trunc('hour', min(request_time) + INTERVAL 11 HOUR)) FROM {rows}")
    deletes = equal("operation", "BATCH.DELETE.OBJECT")
    key = one(median_frequency("key", f"{rows} WHERE {put.sql}"))
    return [
        Question("SigV2 callers", table, (equal("signature_version", "SigV2"),), ("requester", "user_agent")),
        Question(
            "one bucket's PUTs in an hour", table,
            (equal("bucket", bucket), put, Condition("request_time", hour, hour + 3_599_999)),
            ("request_time", "requester", "remote_ip", "key"),
        ),
        Question("anonymous requests", table, (Condition("requester", None, None),), ("bucket", "operation")),
        Question("403s by key", table, (denied,), ("key", "requester")),
        Question(
            "one object's history", table, (equal("key", key),), ("request_time", "operation", "requester")
        ),
        Question("batch deletions", table, (deletes,), ("request_time", "requester", "key")),
    ]  # fmt: skip


def median_frequency(column: str, rows: str) -> str:
    """Returns the query for the value of median frequency."""
    counted = (
        f"SELECT {column} AS value, count(*) AS times FROM {rows} GROUP BY value HAVING value IS NOT NULL"
    )
    return middle_of(counted, "times, value")


def median_value(column: str, rows: str) -> str:
    """Returns the query for the median value."""
    return middle_of(f"SELECT {column} AS value FROM {rows}", "value")


def middle_of(values: str, order: str) -> str:
    """Returns the query for the middle value in an order."""
    half = "(SELECT count(*) // 2 FROM given)"
    return f"WITH given AS ({values}) SELECT value FROM given ORDER BY {order} LIMIT 1 OFFSET {half}"


def answers(questions: list[Question], files: dict[str, dict[str, list[Path]]]) -> list[Answer]:
    """Evaluates each question on the files of all contestants, given by table and name."""
    found = []
    for question in questions:
        given = files[question.table]
        rows = sum(len(matching(question, file)) for file in next(iter(given.values())))
        costs = {name: question_cost(question, of_name) for name, of_name in given.items()}
        found.append(Answer(question, rows, costs))
    return found


def table(answers: list[Answer]) -> list[str]:
    """Formats the cost of each question for all contestants, compared with the first one."""
    measure, *others = answers[0].costs
    heads = [f"{name} | {measure} / it" for name in others]
    lines = [
        "## Bytes fetched by the usual questions",
        "",
        "The bytes that a reader with footers, statistics, page indexes and bloom filters must fetch for a",
        "question of the Athena guide, by the same rules for all files (`benches/peers/questions.py`). The last",
        f"column splits {measure}'s bytes: indexes, bloom filters, filter pages, shown pages.",
        "",
        f"| question | rows | {measure} | {' | '.join(heads)} | {measure}'s parts |",
        "|---|---|---|" + "---|---|" * len(others) + "---|",
    ]
    for answer in answers:
        ours = answer.costs[measure]
        cells = [f"{answer.costs[name].total:,} | {answer.ratio(measure, name):.2f}" for name in others]
        parts = ", ".join(f"{part:,}" for part in astuple(ours)[1:])
        text = answer.question.text
        lines.append(f"| {text} | {answer.rows:,} | {ours.total:,} | {' | '.join(cells)} | {parts} |")
    return [*lines, ""]


def one(query: str) -> Value | str:
    """Returns the only cell of a result."""
    return duckdb.sql(query).fetchall()[0][0]


def question_cost(question: Question, files: list[Path]) -> Cost:
    """Returns the cost of a question."""
    return sum((file_cost(question, ParquetFile(file)) for file in files), Cost())


def file_cost(question: Question, file: ParquetFile) -> Cost:
    """Returns the cost of a question for one file."""
    matches, first, total = matching(question, file.path), 0, Cost(footer=file.footer_size)
    for chunks, rows in zip(file.row_groups, file.row_counts, strict=True):
        inside = matches[bisect_left(matches, first) : bisect_left(matches, first + rows)]
        total += row_group_cost(question, chunks, rows, [row - first for row in inside])
        first += rows
    return total


def matching(question: Question, path: Path) -> list[int]:
    """Returns the numbers of the matching rows."""
    filters = " AND ".join(condition.sql for condition in question.conditions)
    rows = f"SELECT file_row_number FROM read_parquet('{path}', file_row_number = true) WHERE {filters}"
    return [row[0] for row in duckdb.sql(f"{rows} ORDER BY 1").fetchall()]


def row_group_cost(question: Question, chunks: dict[str, Chunk], rows: int, matches: list[int]) -> Cost:
    """Returns the cost of a question for one row group with the given `matches`."""
    filtered = [(condition, chunks[condition.column]) for condition in question.conditions]
    possible = all(condition.may_match(chunk.bounds) for condition, chunk in filtered)
    ranges = remaining(filtered, rows) if possible else []
    found = [(row, row + 1) for row in matches]
    if len(overlap(ranges, found)) < len(found):
        raise ValueError(f"statistics exclude matching rows: {question.text}")
    if not possible:
        return Cost()
    cost = Cost(indexes=sum(chunk.column_index_size + chunk.offset_index_size for _, chunk in filtered))
    pages = sum(pages_size(chunk, ranges) for _, chunk in filtered)
    for condition, chunk in filtered:
        if condition.equality and 0 < chunk.bloom_filter_size < pages:
            cost += Cost(blooms=chunk.bloom_filter_size)
            if not chunk.may_hold(condition.low):
                if found:
                    raise ValueError(f"a bloom filter excludes matching rows: {question.text}")
                return cost
    return cost + Cost(filtered=pages) + shown_cost(question, chunks, found)


def remaining(filtered: list[tuple[Condition, Chunk]], rows: int) -> Ranges:
    """Returns the rows that the page indexes cannot exclude."""
    ranges = [(0, rows)]
    for condition, chunk in filtered:
        possible = [page for page in chunk.pages if condition.may_match(page.bounds)]
        ranges = overlap(ranges, [(page.first, page.end) for page in possible])
    return ranges


def shown_cost(question: Question, chunks: dict[str, Chunk], found: Ranges) -> Cost:
    """Returns the cost of the shown columns, except for columns that were already read."""
    known = {condition.column for condition in question.conditions}
    shown = [chunks[column] for column in question.shown if column not in known] if found else []
    return Cost(
        indexes=sum(chunk.offset_index_size for chunk in shown),
        shown=sum(pages_size(chunk, found) for chunk in shown),
    )


def overlap(ones: Ranges, others: Ranges) -> Ranges:
    """Returns the rows that are in ranges of both lists. Both lists must be sorted."""
    both, one, other = [], 0, 0
    while one < len(ones) and other < len(others):
        begin, end = max(ones[one][0], others[other][0]), min(ones[one][1], others[other][1])
        if begin < end:
            both.append((begin, end))
        one, other = (one + 1, other) if ones[one][1] == end else (one, other + 1)
    return both


def pages_size(chunk: Chunk, ranges: Ranges) -> int:
    """Returns the bytes of the pages with rows in the ranges, and of their dictionary."""
    size = sum(page.size for page in chunk.pages if holds(page, ranges))
    return size + chunk.dictionary_size if size else 0


def holds(page: Page, ranges: Ranges) -> bool:
    """Whether one of the sorted ranges overlaps a page."""
    after = bisect_left(ranges, (page.end, 0))
    return after > 0 and ranges[after - 1][1] > page.first
