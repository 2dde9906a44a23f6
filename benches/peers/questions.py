"""The usual questions of the Athena guide: how many bytes a good reader has to fetch of a file for each.

The same rules for all files. A reader fetches the footer; passes over row groups by their statistics;
fetches the page index of the columns it filters by, and what is left are ranges of rows. It asks the bloom
filter of an equality where that costs less than the pages it may spare. It fetches dictionary and remaining
pages of the columns it filters by, now knows the rows, and fetches the pages that hold them of the columns
it shows, by their offset index. Where a file has no page index, a column chunk is one page.
"""

from bisect import bisect_left
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from benches.peers.parquet_index import Bounds, Chunk, Page, ParquetFile, Value

Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class Condition:
    """Values from `low` to `high`, both of them included; NULL where both are None."""

    column: str
    low: Value | None
    high: Value | None

    @property
    def equality(self) -> bool:
        """Whether it is one value, which a bloom filter knows."""
        return self.low is not None and self.low == self.high

    @property
    def sql(self) -> str:
        """The condition, for the rows that really match."""
        if self.low is None:
            return f"{self.column} IS NULL"
        column = f"epoch_ms({self.column})" if self.column.endswith("_time") else self.column
        low, high = (
            value if isinstance(value, int) else f"'{value.decode()}'" for value in (self.low, self.high)
        )
        return f"{column} BETWEEN {low} AND {high}"

    def may_match(self, bounds: Bounds) -> bool:
        """Whether a stretch with these bounds can hold a match."""
        if self.low is None:
            return bounds.all_null or bounds.nulls != 0
        if bounds.all_null:
            return False
        return (
            bounds.low is None or bounds.high is None or (bounds.low <= self.high and self.low <= bounds.high)
        )


@dataclass(frozen=True)
class Cost:
    """Bytes that are fetched, by what they are."""

    footer: int = 0
    indexes: int = 0
    blooms: int = 0
    filtered: int = 0
    shown: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(one + another for one, another in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        """All of them."""
        return sum(astuple(self))


@dataclass(frozen=True)
class Question:
    """A question: what is filtered by, and what is shown."""

    text: str
    table: str
    conditions: tuple[Condition, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a question finds in the first one's files, and costs in everybody's, by name."""

    question: Question
    rows: int
    costs: dict[str, Cost]

    def ratio(self, name: str, other: str) -> float:
        """What it costs in one's files, in terms of what it costs in another's."""
        return self.costs[name].total / self.costs[other].total


def equal(column: str, value: str) -> Condition:
    """One text."""
    return Condition(column, value.encode(), value.encode())


def usual(table: str, files: list[Path]) -> list[Question]:
    """The questions to a table; what they ask for is taken from the data."""
    rows = f"read_parquet({[str(file) for file in files]})"
    if table == "cloudtrail":
        arn, event_id = one(middling("user_identity_arn", rows)), one(middle("event_id", rows))
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
    bucket = one(middling("bucket", f"{rows} WHERE {put.sql}"))
    hour = one(f"SELECT epoch_ms(date_trunc('hour', min(request_time) + INTERVAL 11 HOUR)) FROM {rows}")
    deletes = equal("operation", "BATCH.DELETE.OBJECT")
    key = one(middling("key", f"{rows} WHERE {put.sql}"))
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
        Question("deletions in batches", table, (deletes,), ("request_time", "requester", "key")),
    ]  # fmt: skip


def middling(column: str, rows: str) -> str:
    """The value that is as frequent as half of the values."""
    counted = (
        f"SELECT {column} AS value, count(*) AS times FROM {rows} GROUP BY value HAVING value IS NOT NULL"
    )
    return middle_of(counted, "times, value")


def middle(column: str, rows: str) -> str:
    """The value in the middle of all."""
    return middle_of(f"SELECT {column} AS value FROM {rows}", "value")


def middle_of(values: str, order: str) -> str:
    """The query for the middle one in some order."""
    half = "(SELECT count(*) // 2 FROM given)"
    return f"WITH given AS ({values}) SELECT value FROM given ORDER BY {order} LIMIT 1 OFFSET {half}"


def answers(questions: list[Question], files: dict[str, dict[str, list[Path]]]) -> list[Answer]:
    """Puts each question to everybody's files, which are given by table and name."""
    found = []
    for question in questions:
        given = files[question.table]
        rows = sum(len(matching(question, file)) for file in next(iter(given.values())))
        costs = {name: asked(question, of_name) for name, of_name in given.items()}
        found.append(Answer(question, rows, costs))
    return found


def table(answers: list[Answer]) -> list[str]:
    """What each question costs in everybody's files; the first of them is the measure."""
    measure, *others = answers[0].costs
    heads = [f"{name} | {measure} / it" for name in others]
    lines = [
        "## What the usual questions fetch",
        "",
        "Bytes that a reader with footers, statistics, page indexes and bloom filters has to fetch for",
        "a question of the Athena guide, by the same rules for all files (`benches/peers/questions.py`). The",
        f"last column says what {measure}'s are: indexes, bloom filters, pages filtered by, pages shown.",
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
    """The only cell of a result."""
    return duckdb.sql(query).fetchall()[0][0]


def asked(question: Question, files: list[Path]) -> Cost:
    """What the question costs."""
    return sum((fetched(question, ParquetFile(file)) for file in files), Cost())


def fetched(question: Question, file: ParquetFile) -> Cost:
    """What a reader fetches of one file."""
    matches, first, total = matching(question, file.path), 0, Cost(footer=file.footer_size)
    for chunks, rows in zip(file.row_groups, file.row_counts, strict=True):
        inside = matches[bisect_left(matches, first) : bisect_left(matches, first + rows)]
        total += of_row_group(question, chunks, rows, [row - first for row in inside])
        first += rows
    return total


def matching(question: Question, path: Path) -> list[int]:
    """The rows that really match, by number."""
    filters = " AND ".join(condition.sql for condition in question.conditions)
    rows = f"SELECT file_row_number FROM read_parquet('{path}', file_row_number = true) WHERE {filters}"
    return [row[0] for row in duckdb.sql(f"{rows} ORDER BY 1").fetchall()]


def of_row_group(question: Question, chunks: dict[str, Chunk], rows: int, matches: list[int]) -> Cost:
    """What a reader fetches of one row group, its `matches` given."""
    filtered = [(condition, chunks[condition.column]) for condition in question.conditions]
    possible = all(condition.may_match(chunk.bounds) for condition, chunk in filtered)
    ranges = left_over(filtered, rows) if possible else []
    found = [(row, row + 1) for row in matches]
    if len(overlap(ranges, found)) < len(found):
        raise ValueError(f"statistics exclude rows that match: {question.text}")
    if not possible:
        return Cost()
    cost = Cost(indexes=sum(chunk.column_index_size + chunk.offset_index_size for _, chunk in filtered))
    pages = sum(pages_size(chunk, ranges) for _, chunk in filtered)
    for condition, chunk in filtered:
        if condition.equality and 0 < chunk.bloom_filter_size < pages:
            cost += Cost(blooms=chunk.bloom_filter_size)
            if not chunk.may_hold(condition.low):
                if found:
                    raise ValueError(f"a bloom filter excludes rows that match: {question.text}")
                return cost
    return cost + Cost(filtered=pages) + of_shown(question, chunks, found)


def left_over(filtered: list[tuple[Condition, Chunk]], rows: int) -> Ranges:
    """The rows that the page indexes cannot exclude."""
    ranges = [(0, rows)]
    for condition, chunk in filtered:
        possible = [page for page in chunk.pages if condition.may_match(page.bounds)]
        ranges = overlap(ranges, [(page.first, page.end) for page in possible])
    return ranges


def of_shown(question: Question, chunks: dict[str, Chunk], found: Ranges) -> Cost:
    """The pages of what is shown, but for columns that are read already."""
    known = {condition.column for condition in question.conditions}
    shown = [chunks[column] for column in question.shown if column not in known] if found else []
    return Cost(
        indexes=sum(chunk.offset_index_size for chunk in shown),
        shown=sum(pages_size(chunk, found) for chunk in shown),
    )


def overlap(ones: Ranges, others: Ranges) -> Ranges:
    """The rows that are in ranges of both lists, which are in order."""
    both, one, other = [], 0, 0
    while one < len(ones) and other < len(others):
        begin, end = max(ones[one][0], others[other][0]), min(ones[one][1], others[other][1])
        if begin < end:
            both.append((begin, end))
        one, other = (one + 1, other) if ones[one][1] == end else (one, other + 1)
    return both


def pages_size(chunk: Chunk, ranges: Ranges) -> int:
    """Bytes of the pages that hold rows of the ranges, and of the dictionary that they need."""
    size = sum(page.size for page in chunk.pages if holds(page, ranges))
    return size + chunk.dictionary_size if size else 0


def holds(page: Page, ranges: Ranges) -> bool:
    """Whether one of the ranges, which are in order, reaches into a page."""
    after = bisect_left(ranges, (page.end, 0))
    return after > 0 and ranges[after - 1][1] > page.first
