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
        self.queries: dict[str, str] = {}
        self.place = ""
        self.has_number = False
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
            # A cell with a unit has its number in an attribute.
            number = dict(attrs).get("data-n")
            self.has_number = number is not None
            self.tables[self.place][-1].append(number or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Handles the end of the last open element."""
        assert self.open.pop() == tag, f"{tag} at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        """Handles text in a cell. The text of a bar repeats a number and is ignored."""
        if "code" in self.open:
            self.queries[self.place] = self.queries.get(self.place, "") + data
        in_cell = {"td", "th"} & set(self.open) and self.tables[self.place][-1]
        if in_cell and self.open[-1] != "title" and not self.has_number:
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
    assert page.elements["script"] == 1
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
    best = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))[:10]
    assert [(row[0], row[1], row[3]) for row in page.rows("objects")] == [
        (bucket, key, spelled(requests)) for (bucket, key), requests in best
    ]


def test_status_codes_match_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    counted: Counter[str] = Counter()
    for _, _, _, status, requests in meanings.status_codes(raw):
        counted[NOTHING if status is None else str(status)] += requests
    assert dict(page.rows("statuses")) == {status: spelled(requests) for status, requests in counted.items()}


def test_users_and_events_by_hour_match_the_raw_records(page: Page, raw: meanings.RawDays) -> None:
    hours: dict[str, list[meanings.Record]] = {}
    for event in raw.events:
        hours.setdefault(hour_of(event), []).append(event)
    assert {row[0]: row[1:5] for row in page.rows("cloudtrail-over-time")} == {
        hour: [
            spelled(len(events)),
            spelled(len({user for user in map(meanings.user, events) if user})),
            spelled(sum(meanings.IS_DENIAL[event["error_code"]] for event in events)),
            spelled(sum(map(meanings.is_root, events))),
        ]
        for hour, events in hours.items()
    }


def test_who_causes_the_403s_matches_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    names = ("requester", "remote_ip", "bucket", "operation", "error_code")
    counted = Counter(
        tuple(line[name] or NOTHING for name in names) for line in raw.lines if line["http_status"] == 403
    )
    assert counted
    # A missing name is last.
    best = sorted(
        counted.items(), key=lambda entry: (-entry[1], [part.replace(NOTHING, "~") for part in entry[0]])
    )
    assert page.rows("denied-requesters") == [[*key, spelled(number)] for key, number in best[:15]]


def test_hourly_metrics_match_the_raw_lines(page: Page, raw: meanings.RawDays) -> None:
    hours: dict[str, list[int]] = {}
    for row in meanings.s3_requests_by_hour(raw):
        counts = hours.setdefault(row[2].strftime("%Y-%m-%d %H:%M"), [0] * 14)
        hours[row[2].strftime("%Y-%m-%d %H:%M")] = [
            a + b for a, b in zip(counts, order(row[4:18]), strict=True)
        ]
    shown = {row[0]: [int(cell.replace(",", "")) for cell in row[1:15]] for row in s3_hours(page)}
    assert {hour: counts for hour, counts in shown.items() if any(counts)} == hours


def test_hourly_latencies_are_means_over_all_requests(page: Page, raw: meanings.RawDays) -> None:
    assert s3_hours(page)
    for row in s3_hours(page):
        lines = [line for line in raw.lines if meanings.is_request(line) and hour_of(line) == row[0]]
        for shown, name in zip(row[15:17], ("turn_around_time", "total_time"), strict=True):
            mean = meanings.mean(lines, name)
            assert shown == NOTHING if mean is None else float(shown) == pytest.approx(mean), (row[0], name)


def hour_of(row: meanings.Record) -> str:
    """The hour in Korea, as the page names it."""
    return meanings.kst(row).strftime("%Y-%m-%d %H:00")


def s3_hours(page: Page) -> list[list[str]]:
    """The hourly numbers of the access logs."""
    return page.rows("s3-access-over-time")


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
