"""`logmill report`: its numbers match the raw logs, and its page is valid HTML that fetches nothing."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

import meanings
from aws import Aws
from harness import SAMPLE_DATA, SAMPLE_DAY, Published, logmill

# The sign for a missing value: an en dash.
NOTHING = "\u2013"
# HTML elements without an end tag.
VOID = {"meta", "input", "link", "br", "img"}
# Elements and attributes that make a browser fetch or run something.
ACTIVE = {
    "script",
    "link",
    "img",
    "iframe",
    "object",
    "embed",
    "base",
    "form",
    "use",
    "image",
    "foreignobject",
}


class Page(HTMLParser):
    """The content of the page: the rows of its tables, by article."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.place = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handles the start of an element."""
        self.elements[tag] += 1
        self.attributes += attrs
        named = dict(attrs).get("id")
        if named:
            self.ids.append(named)
            self.place = named if tag in ("article", "section") else self.place
        if tag == "tr":
            self.tables.setdefault(self.place, []).append([])
        if tag in ("td", "th") and dict(attrs).get("class") != "bar":
            self.tables[self.place][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Handles the end of the last open element."""
        assert self.open.pop() == tag, f"{tag} at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        """Handles text in a cell. The text of a bar repeats a number and is ignored."""
        if self.open[-1:] != ["title"] and {"td", "th"} & set(self.open) and self.tables[self.place][-1]:
            self.tables[self.place][-1][-1] += data

    def rows(self, place: str) -> list[list[str]]:
        """The rows of an article's table, without its head."""
        return self.tables[place][1:]


@pytest.fixture(scope="module")
def raw() -> meanings.RawDays:
    """The rows of the sample day, as the oracle reads them."""
    return meanings.raw_days(SAMPLE_DATA, [SAMPLE_DAY])


def report(lake: Path | str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """The page of the sample day."""
    words = ("report", "--day", SAMPLE_DAY, "--output", str(lake), "--to-file", "-", *arguments)
    return logmill(*words, env=env or {}).stdout


@pytest.fixture(scope="module")
def page(sample: Published) -> Page:
    """The parsed page of the sample day."""
    return Page(report(sample.lake.root))


def spelled(number: float) -> str:
    """A number in the format of the page."""
    return f"{number:,}" if isinstance(number, int) else f"{number:.1f}"


def test_the_page_is_valid_and_fetches_nothing(page: Page) -> None:
    assert not ACTIVE & set(page.elements)
    assert len(page.ids) == len(set(page.ids))
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | (
        names & {"src", "srcset", "action", "style"}
    )
    links = [value for name, value in page.attributes if name == "href"]
    assert links
    assert {link.removeprefix("#") for link in links if link} <= set(page.ids)


def test_most_requested_objects_match_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    for _, _, bucket, key, requests, _ in meanings.top_objects(raw):
        counted[bucket, key] += requests
    best = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))[:5]
    assert [(row[0], row[1], row[3]) for row in page.rows("objects")] == [
        (bucket, key, spelled(requests)) for (bucket, key), requests in best
    ]


def test_status_codes_match_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    counted: Counter[str] = Counter()
    for _, _, _, status, requests in meanings.status_codes(raw):
        counted[NOTHING if status is None else str(status)] += requests
    assert dict(page.rows("statuses")) == {status: spelled(requests) for status, requests in counted.items()}


def test_users_and_events_of_the_month_match_the_raw_records(page: Page, raw: meanings.RawDays) -> None:
    assert page.rows("months") == [
        [month, *map(spelled, rest)] for month, *rest in meanings.monthly_users(raw)
    ]


def test_hourly_metrics_match_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    hours: dict[str, list[int]] = {}
    for row in meanings.s3_requests_by_hour(raw):
        counts = hours.setdefault(row[2].strftime("%Y-%m-%d %H:%M:%S"), [0] * 14)
        hours[row[2].strftime("%Y-%m-%d %H:%M:%S")] = [
            a + b for a, b in zip(counts, order(row[4:18]), strict=True)
        ]
    assert {row[0]: row[1:15] for row in page.rows("hours")} == {
        hour: [spelled(count) for count in counts] for hour, counts in hours.items()
    }


def test_hourly_latencies_are_means_over_all_requests(page: Page, raw: meanings.RawDays) -> None:
    for row in page.rows("hours"):
        lines = [line for line in raw.lines if meanings.is_request(line)]
        lines = [line for line in lines if meanings.kst(line).strftime("%Y-%m-%d %H:00:00") == row[0]]
        for shown, name in zip(row[15:], ("turn_around_time", "total_time"), strict=True):
            mean = meanings.mean(lines, name)
            assert shown == (NOTHING if mean is None else f"{mean:.1f}"), (row[0], name)


def order(metrics: tuple[int, ...]) -> list[int]:
    """The counts of the view in the order of the page, where LIST is next to the other requests."""
    requests, scanned, returned, listed, rest = metrics[:7], metrics[7], metrics[8], metrics[9], metrics[10:]
    return [*requests, listed, scanned, returned, *rest]


def test_ledgers_match_the_manifests(page: Page, sample: Published) -> None:
    for row in page.rows("ledgers"):
        manifest = sample.lake.manifest(row[0], SAMPLE_DAY)
        ledger, listed = manifest["ledger"], manifest["listed"]
        left = sum(group["objects"] for group in listed["left"])
        assert row[2:5] == [spelled(listed["listed"]), spelled(listed["read"]), spelled(left)]
        names = ("read", "written", "other_day", "duplicate", "quarantined", "filtered")
        assert row[5:11] == [spelled(ledger.get(name, 0)) for name in names]


def test_a_lake_in_s3_gives_the_same_page(aws: Aws, sample: Published) -> None:
    lake = aws.lake()
    aws.run(lake, source=str(SAMPLE_DATA))
    here, there = report(sample.lake.root), report(lake.url, env=aws.env())
    # Run names differ.
    name = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
    assert name.sub("RUN", there) == name.sub("RUN", here)
