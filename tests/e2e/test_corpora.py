"""Logs from outside this project: every record is a row with the right values, or a reject.

LOGMILL_CORPORA names the folder of the corpora. The tests are skipped if it is missing. It also contains
`kst_day_counts.csv`, an independent count of rows, distinct ids and files by publisher and KST day. An id in
this file is the event id in CloudTrail, where all records without one share a single "id" (the binary
compares their whole text instead). In access lines it is the request id with operation and key.
"""

import csv
import json
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compare import assert_same_judgement, assert_same_rows, inspected, read_rows
from harness import DATASETS, REPOSITORY, run_day
from oracle import decode, expected_day

CORPORA = Path(os.environ.get("LOGMILL_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
NO_TIME = "(no valid time)"
CLF_TIME = re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d)")

pytestmark = pytest.mark.skipif(
    not (CORPORA / "kst_day_counts.csv").is_file(), reason="no corpora: LOGMILL_CORPORA names them"
)


@dataclass(frozen=True)
class Tier:
    """One folder of the corpora, and its name in the count."""

    folder: str
    counted_as: str
    table: str


@dataclass
class Tally:
    """The findings for one KST day and, if known, one publisher."""

    rows: int = 0
    rejects: int = 0
    ids: set[str | None] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)


TIERS = [
    Tier("cloudtrail", "trail_real", "cloudtrail"),
    Tier("cloudtrail-odd", "trail_fixtures", "cloudtrail"),
    Tier("s3-access", "s3_real", "s3_access"),
    Tier("s3-access-odd", "s3_fixtures", "s3_access"),
]


@pytest.fixture(params=TIERS, ids=lambda tier: tier.folder)
def tier(request: pytest.FixtureRequest) -> Tier:
    """Each folder in turn."""
    return request.param


def files(tier: Tier) -> list[Path]:
    """The raw files of a folder."""
    return sorted(path for path in (CORPORA / tier.folder).rglob("*") if path.is_file())


def test_every_record_is_a_row_with_the_right_values_or_a_reject_with_a_reason(tier: Tier) -> None:
    """The oracle rejects lines that fit no plain reading, and the binary must reject them too."""
    judged: Counter[str] = Counter()
    for path in files(tier):
        shown = inspected(tier.table, path)
        read = {found.record: found for found in decode(tier.table, path)}
        assert shown.keys() == read.keys(), path
        for record, found in read.items():
            judged[type(found).__name__] += 1
            assert_same_judgement(tier.table, shown[record], found, f"{path.name} {record}")
    assert judged["Row"] > 30
    assert judged["Reject"] <= {"trail_fixtures": 116, "s3_fixtures": 5, "s3_real": 1}.get(tier.counted_as, 0)


def counted(tier: Tier) -> dict[tuple[str, str], list[int]]:
    """Rows, distinct ids and files by publisher and day. The keys of CloudTrail do not name a publisher."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    with (CORPORA / "kst_day_counts.csv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines):
            if line["tier"] == tier.counted_as:
                publisher = line["source"] if tier.table == "s3_access" else ""
                numbers = (int(line[name]) for name in ("rows", "distinct_ids", "files_touched"))
                entry = found[publisher, line["kst_day"]]
                entry[:] = [a + b for a, b in zip(entry, numbers, strict=True)]
    assert found
    return found


def tallied(tier: Tier) -> dict[tuple[str, str], Tally]:
    """The binary's findings by publisher and day. A reject counts for the day in its text."""
    found: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for path in files(tier):
        folder = path.relative_to(CORPORA / tier.folder).parts[0]
        publisher = folder if tier.table == "s3_access" else ""
        for line in inspected(tier.table, path).values():
            tally = found[publisher, kst_day(tier.table, line)]
            tally.files.add(path)
            tally.rows += "row" in line
            tally.rejects += "reject" in line
            row = line["row"] if "row" in line else rejected_fields(line["reject"]["raw"])
            tally.ids.add(identity(tier.table, row))
    return found


def kst_day(table: str, line: dict[str, Any]) -> str:
    """The KST day of a row, or of a reject that still shows a time."""
    if "row" in line:
        time = line["row"]["event_time" if table == "cloudtrail" else "request_time"]
        moment = datetime.fromisoformat(time)
    else:
        match = CLF_TIME.search(line["reject"]["raw"]) if table == "s3_access" else None
        if match is None:
            return NO_TIME
        moment = datetime.strptime(match[1], "%d/%b/%Y:%H:%M:%S").replace(tzinfo=UTC)
    return f"{moment + timedelta(hours=9):%Y-%m-%d}"


def rejected_fields(raw: str) -> dict[str, Any]:
    """The id of a rejected CloudTrail record under the name of its column."""
    return {"event_id": json.loads(raw).get("eventID")} if raw.startswith("{") else {}


def identity(table: str, row: dict[str, Any]) -> str | None:
    """The id as defined by the count."""
    if table == "cloudtrail":
        return row.get("event_id")
    return " ".join(str(row.get(name)) for name in ("request_id", "operation", "key"))


def test_rows_of_every_kst_day_match_the_independent_count(tier: Tier) -> None:
    """By publisher if the keys name it. Lines without a reading count for the day that they show."""
    promised, found = counted(tier), tallied(tier)
    assert found.keys() == promised.keys()
    for key, (rows, ids, touched) in promised.items():
        tally = found[key]
        assert tally.rows + tally.rejects == rows, key
        assert len(tally.files) == touched, key
        if (tier.table == "cloudtrail" and key[1] != NO_TIME) or not tally.rejects:
            assert len(tally.ids) == ids, key


def days_of_insights(tier: Tier) -> list[str]:
    """The KST day of each record in a file of Insight events."""
    return [
        kst_day(tier.table, line)
        for path in files(tier)
        if "CloudTrail-Insight" in path.parts
        for line in inspected(tier.table, path).values()
    ]


def test_a_run_of_every_day_writes_each_row_once(tier: Tier, tmp_path: Path) -> None:
    """Over the whole folder: rows and ledger match the oracle, and written + duplicate match the count.

    The folder also contains files of Insight events. They have another format and are left out by their key.
    """
    days = Counter[str]()
    for (_, day), (rows, _, _) in counted(tier).items():
        days[day] += rows
    days.subtract(days_of_insights(tier))
    for day in sorted(days.keys() - {NO_TIME}):
        options = ("--dataset", DATASETS[tier.table], "--max-reject-ratio", "1", "--redact", "none")
        made = run_day(tmp_path / "lake", *options, day=day, source=CORPORA / tier.folder)
        expected = expected_day(CORPORA / tier.folder, day, tier.table)
        ledger = made.ledger(tier.table)
        assert {name: ledger[name] for name in expected.ledger} == expected.ledger, day
        partition = made.lake.table(tier.table) / f"proc_ymd={day.replace('-', '')}"
        assert_same_rows(read_rows(partition), expected.rows)
        counts = ledger["written"] + ledger["duplicate"]
        assert days[day] - ledger["quarantined"] <= counts <= days[day], day
    assert len(days) >= 10
