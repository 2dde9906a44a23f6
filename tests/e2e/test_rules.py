"""Filters compared with DuckDB over a lake that has all rows, and checks that no secret reaches a lake.

Regular expressions over the unmasked lake compute the expected masks. They share no code with the binary.
The tests of the corpora are skipped if the corpora are missing, as in `test_corpora`.
"""

import gzip
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from compare import assert_same_rows, read_rows
from engines import DuckDb
from harness import DATASETS, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Published, logmill, run_day
from test_corpora import CLF_TIME, CORPORA

RULES = {
    "cloudtrail": [
        ["event_source = 'kms.amazonaws.com'"],
        ["event_source = 's3.amazonaws.com' and read_only = true", "user_agent like '%Boto_/%'"],
        ["error_code is not null", "bytes_transferred_out >= 1000"],
        ["user_identity_type not in ('AWSService', 'IAMUser') and event_name != 'GetObject'"],
        ["error_code is null and user_identity_user_name not like 'a%'"],
        ["request_parameters like '%\"bucketName\":%' and resources_arn is not null"],
    ],
    "s3_access": [
        ["http_status >= 400"],
        ["operation in ('REST.GET.OBJECT', 'REST.HEAD.OBJECT') and requester is null"],
        ["bytes_sent < 500 and total_time <= 50", "referer like '%'"],
        ["request_uri like 'GET %' and http_status != 200", "version_id is not null"],
    ],
}
NAMES = "(?:X-Amz-(?:Signature|Credential|Security-Token)|Signature|AWSAccessKeyId)"
PARAMETER = re.compile(rf"(?i)(?<![A-Za-z0-9_-])({NAMES}=)[^&#\"<>\s\\]+")
MEMBER = re.compile(rf"(?i)(\"{NAMES}\":)\"[^\"]*\"")
TOKEN = re.compile(r"^(.*\"credentials\":\{[^{}]*\"sessionToken\":)\"[^\"]*\"")
SECRET = re.compile(rf"(?i)(?<![A-Za-z0-9_-]){NAMES}=([^&#\"<>\s\\]{{16,}})")


@pytest.fixture(scope="module")
def verbatim(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day with its secrets."""
    return run_day(tmp_path_factory.mktemp("verbatim") / "lake", "--redact", "none")


@pytest.mark.parametrize(("table", "rules"), [(table, rules) for table in RULES for rules in RULES[table]])
def test_a_filter_leaves_out_the_rows_that_a_query_excludes(
    sample: Published, table: str, rules: list[str], tmp_path: Path
) -> None:
    options = [option for rule in rules for option in ("--filter", rule)]
    made = run_day(tmp_path / "lake", "--dataset", DATASETS[table], *options)
    condition = " OR ".join(f"({rule})" for rule in rules)
    kept = DuckDb(sample.lake, table).connection.execute(
        f"SELECT source_object, source_record FROM lake WHERE NOT coalesce({condition}, false)"
    )
    expected = set(kept.fetchall())
    rows = read_rows(made.lake.table(table))
    assert rows.keys() == expected
    all_rows = read_rows(sample.lake.table(table))
    assert_same_rows(rows, {place: all_rows[place] for place in expected})
    ledger, whole = made.ledger(table), sample.ledger(table)
    assert 0 < ledger["written"] == len(expected) < whole["written"]
    of_day = ("written", "duplicate", "filtered")
    assert sum(ledger[name] for name in of_day) == sum(whole[name] for name in of_day)
    for name in ("read", "other_day", "quarantined"):
        assert ledger[name] == whole[name]
    of_objects = made.lake.inputs(table, SAMPLE_DAY)
    assert sum(entry["filtered"] for entry in of_objects) == ledger["filtered"]


def test_masks_change_only_the_secrets(sample: Published, verbatim: Published, table: str) -> None:
    rows = read_rows(verbatim.lake.table(table))
    expected = {
        place: {name: masked(name, cell) for name, cell in row.items()} for place, row in rows.items()
    }
    changed = sum(expected[place] != row for place, row in rows.items())
    assert changed > 5, "the sample should have secrets"
    assert_same_rows(read_rows(sample.lake.table(table)), expected)


def masked(column: str, cell: Any) -> Any:
    """A value without its secrets."""
    if isinstance(cell, list):
        return [masked(column, element) for element in cell]
    if not isinstance(cell, str):
        return cell
    if column == "response_elements":
        cell = TOKEN.sub(r'\1"REDACTED"', cell)
    return MEMBER.sub(r'\1"REDACTED"', PARAMETER.sub(r"\1REDACTED", cell))


def test_the_lake_contains_no_secret_of_the_sample(sample: Published) -> None:
    found = {
        secret
        for path in (REPOSITORY / SAMPLE_DATA).rglob("*")
        if path.is_file() and path.suffix not in {".rs", ".json"}
        for secret in secrets(path)
    }
    assert len(found) > 20
    assert_none(found, sample.lake.root)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="no corpora: LOGMILL_CORPORA names them")
@pytest.mark.parametrize("folder", ["cloudtrail", "cloudtrail-odd", "s3-access-odd"])
def test_the_lake_contains_no_secret_of_real_logs(folder: str, tmp_path: Path) -> None:
    """The days with the most secrets, all in one lake."""
    found: set[str] = set()
    days: dict[str, int] = defaultdict(int)
    for path in (CORPORA / folder).rglob("*"):
        if path.is_file() and (of_file := set(secrets(path))):
            found |= of_file
            for day in kst_days(path):
                days[day] += len(of_file)
            shown = logmill("inspect", path, "--dataset", dataset(folder)).stdout
            assert not [secret for secret in of_file if secret in shown], path
    assert found
    rows = 0
    for day in sorted(days, key=lambda day: -days[day])[:5]:
        options = ("--dataset", dataset(folder), "--max-reject-ratio", "1")
        made = run_day(tmp_path / "lake", *options, day=day, source=CORPORA / folder)
        rows += made.summary["tables"][0]["written"]
    assert rows
    assert_none(found, tmp_path / "lake")


def dataset(folder: str) -> str:
    """The log type of a folder of the corpora."""
    return "cloudtrail" if folder.startswith("cloudtrail") else "s3-access"


def raw_text(path: Path) -> str:
    """The text of a raw file, decompressed as far as possible."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = zlib.decompressobj(wbits=31).decompress(content)
    return content.decode(errors="replace")


def secrets(path: Path) -> Iterator[str]:
    """Session tokens and secret URL parameters in a raw file, if they are long enough to be unique."""
    text = raw_text(path)
    yield from SECRET.findall(text)
    for record in records(text):
        for key in ("responseElements", "credentials", "sessionToken"):
            record = record.get(key) if isinstance(record, dict) else None
        if isinstance(record, str) and len(record) >= 16:
            yield record


def records(text: str) -> list[Any]:
    """The records of a CloudTrail file."""
    try:
        document = json.loads(text)
    except ValueError:
        return []
    return document.get("Records", []) if isinstance(document, dict) else []


def kst_days(path: Path) -> set[str]:
    """The KST days of the events in a raw file."""
    text = raw_text(path)
    lines = CLF_TIME.findall(text)
    times = [datetime.strptime(time, "%d/%b/%Y:%H:%M:%S").replace(tzinfo=UTC) for time in lines]
    named = [record.get("eventTime") for record in records(text) if isinstance(record, dict)]
    times += [datetime.fromisoformat(time) for time in named if isinstance(time, str) and time.endswith("Z")]
    return {f"{time + timedelta(hours=9):%Y-%m-%d}" for time in times}


def assert_none(found: set[str], lake: Path) -> None:
    """Asserts that no file of a lake contains one of the secrets, compressed or not."""
    files = [path for path in lake.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    for path in files:
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".gz":
            text += gzip.decompress(path.read_bytes()).decode()
        if path.suffix == ".parquet":
            text += json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False)
        assert not [secret for secret in found if secret in text], path
