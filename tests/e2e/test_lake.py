"""The published sample day: its rows and its ledger. Every way to build it gives the same bytes."""

import json
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from compare import assert_same_rows, comparable, read_rows
from engines import DuckDb
from harness import (
    DATASETS,
    EVENT_TIME,
    NAMED,
    REPOSITORY,
    SAMPLE_DATA,
    SAMPLE_DAY,
    Lake,
    Published,
    logmill,
    published,
    run_day,
)
from oracle import ExpectedDay
from oracle_cloudtrail import MADE, PROMOTED
from schema import RESOURCE_SOURCE, columns

COMPACT = [
    "proc_ymd",
    "additionaleventdata",
    "apiversion",
    "awsregion",
    "errorcode",
    "errormessage",
    "eventid",
    "eventname",
    "eventsource",
    "eventtime",
    "eventtime_kst",
    "eventtype",
    "eventversion",
    "readonly",
    "recipientaccountid",
    "requestid",
    "requestparameters",
    "resources_arn",
    "resources_accountid",
    "resources_type",
    "responseelements",
    "sharedeventid",
    "sourceipaddress",
    "serviceeventdetails",
    "useragent",
    "useridentity_accesskeyid",
    "useridentity_accountid",
    "useridentity_arn",
    "useridentity_invokedby",
    "useridentity_principalid",
    "useridentity_sessioncontext_attributes_creationdate",
    "useridentity_sessioncontext_attributes_mfaauthenticated",
    "useridentity_sessioncontext_sessionissuer_accountid",
    "useridentity_sessioncontext_sessionissuer_arn",
    "useridentity_sessioncontext_sessionissuer_principalid",
    "useridentity_sessioncontext_sessionissuer_type",
    "useridentity_sessioncontext_sessionissuer_username",
    "useridentity_type",
    "useridentity_username",
    "useridentity_webidfederationdata_federatedprovider",
    "useridentity_webidfederationdata_attributes",
    "vpcendpointid",
]
COUNTS = ("read", "written", "other_day", "duplicate", "quarantined", "objects")
NINE_HOURS = 9 * 60 * 60 * 1000


def test_the_counts_match_those_stored_with_the_sample(sample: Published, table: str) -> None:
    promised = json.loads((REPOSITORY / SAMPLE_DATA / "expected.json").read_text("utf-8"))[table]
    assert {name: sample.ledger(table)[name] for name in COUNTS} == promised


def test_the_counts_match_the_oracle(sample: Published, expected: dict[str, ExpectedDay], table: str) -> None:
    assert {name: sample.ledger(table)[name] for name in COUNTS} == expected[table].ledger


def test_every_row_and_every_column_matches_the_oracle(
    tmp_path: Path, expected: dict[str, ExpectedDay], table: str
) -> None:
    verbatim = run_day(tmp_path / "lake", "--dataset", DATASETS[table], "--redact", "none")
    assert_same_rows(read_rows(verbatim.lake.table(table)), expected[table].rows)


def test_quarantine_holds_the_records_that_the_oracle_rejects(
    sample: Published, expected: dict[str, ExpectedDay], table: str
) -> None:
    """Each with a reason and its bytes. There are few, so the oracle has checked nearly every record."""
    lines = Path(sample.ledger(table)["quarantine"]).read_text("utf-8").splitlines()
    quarantined = [json.loads(line) for line in lines]
    assert all(line["reason"] and line["detail"] and line["raw"] for line in quarantined)
    places = sorted((line["object"], line["record"]) for line in quarantined)
    assert places == sorted(expected[table].rejects)
    assert len(places) <= 3


def test_numbers_that_a_float_would_change_are_kept(sample: Published) -> None:
    """JSON columns keep the text as it was written."""
    parameters = [row["request_parameters"] for row in read_rows(sample.lake.table("cloudtrail")).values()]
    spoiled = '"key":{"id":9007199254740993,"score":1e400,"ratio":-0.0,"tiny":1E-7}'
    assert any(spoiled in text for text in parameters if text)


def test_a_partition_contains_exactly_its_kst_day(sample: Published, table: str) -> None:
    time, rows = EVENT_TIME[table], read_rows(sample.lake.table(table)).values()
    start = datetime.fromisoformat(f"{SAMPLE_DAY}T00:00:00+09:00")
    end = start + timedelta(days=1)
    assert all(start.timestamp() <= row[time] / 1000 < end.timestamp() for row in rows)
    assert all(row[f"{time}_kst"] == row[time] + NINE_HOURS for row in rows)
    engine = DuckDb(sample.lake, table)
    day_of_wall_clock = f"SELECT DISTINCT strftime({time}_kst, '%Y%m%d'), proc_ymd FROM lake"
    assert engine.connection.sql(day_of_wall_clock).fetchall() == [("20231101", "20231101")]


@pytest.mark.parametrize(
    ("options", "env"),
    [
        pytest.param((), {}, id="again"),
        pytest.param((), {"TZ": "America/New_York"}, id="in_new_york"),
        pytest.param((), {"LC_ALL": "ko_KR.UTF-8", "LANG": "ko_KR.UTF-8"}, id="in_korean"),
        pytest.param(("--threads", "1"), {}, id="on_one_thread"),
        pytest.param(("--threads", "7"), {}, id="on_seven_threads"),
        pytest.param(("--lateness", "200h"), {}, id="waiting_longer"),
    ],
)
def test_part_files_are_the_same_bytes(
    sample: Published, tmp_path: Path, options: tuple[str, ...], env: dict[str, str]
) -> None:
    other = run_day(tmp_path / "lake", *options, env=env)
    assert other.lake.digests() == sample.lake.digests()
    assert len(other.lake.digests()) == len(DATASETS)


@pytest.mark.parametrize("shards", [1, 3])
def test_shards_give_the_bytes_of_one_run(sample: Published, tmp_path: Path, shards: int) -> None:
    """`plan`, `convert` in any order, and `publish` together equal `run`."""
    arguments = ("--day", SAMPLE_DAY, "--input", SAMPLE_DATA, *NAMED, "--shards", shards)
    plan, staging, lake = tmp_path / "plan.json", tmp_path / "staging", tmp_path / "lake"
    plan.write_text(logmill("plan", *arguments, "--format", "json").stdout)
    for shard in reversed(range(shards)):
        logmill("convert", "--plan", plan, "--shard", shard, "--staging", staging)
    arguments = ("--plan", plan, "--staging", staging, "--output", lake)
    result = logmill("publish", *arguments, "--quiet", "--summary-json", "-")
    made = published(lake, result.stdout)
    assert made.lake.digests() == sample.lake.digests()
    for table in DATASETS:
        assert all(made.ledger(table)[name] == sample.ledger(table)[name] for name in COUNTS)


def test_publishing_again_replaces_the_day(tmp_path: Path, table: str) -> None:
    """A reader that globs over the table never sees rows twice, and the first run's folder is removed."""
    first = run_day(tmp_path / "lake")
    before = first.lake.parts(table)
    second = run_day(tmp_path / "lake")
    assert DuckDb(second.lake, table).rows() == second.ledger(table)["written"]
    assert set(second.lake.parts(table)).isdisjoint(before)
    logmill("verify", "--day", SAMPLE_DAY, "--output", second.lake.root)


def test_a_day_without_logs_is_emptied_if_that_is_allowed(tmp_path: Path, table: str) -> None:
    run_day(tmp_path / "lake")
    (tmp_path / "nothing").mkdir()
    options = ("--dataset", DATASETS[table], "--allow-empty")
    emptied = run_day(tmp_path / "lake", *options, source=tmp_path / "nothing")
    assert emptied.ledger(table)["written"] == 0
    assert emptied.lake.parts(table) == []


def test_days_are_independent(sample: Published, tmp_path: Path, table: str) -> None:
    """Publishing another day does not change the first, and a reader distinguishes them by folder."""
    lake = Lake(tmp_path / "lake")
    shutil.copytree(sample.lake.root, lake.root)
    next_day = run_day(lake.root, day="2023-11-02")
    engine = DuckDb(lake, table)
    counted = engine.connection.sql("SELECT proc_ymd, count(*) FROM lake GROUP BY ALL ORDER BY ALL")
    written = [publish.ledger(table)["written"] for publish in (sample, next_day)]
    assert counted.fetchall() == list(zip(("20231101", "20231102"), written, strict=True))
    assert all(lake.digests()[name] == digest for name, digest in sample.lake.digests().items())


def test_every_object_keeps_its_own_ledger(
    sample: Published, expected: dict[str, ExpectedDay], table: str
) -> None:
    """The list of inputs names every object that was read, with counts that add up to those of the day."""
    inputs = sample.lake.inputs(table, SAMPLE_DAY)
    for name in COUNTS[:-1]:
        assert sum(entry[name] for entry in inputs) == sample.ledger(table)[name]
    written = {entry["object"]: entry["written"] for entry in inputs if entry["written"]}
    objects = [place[0] for place in expected[table].rows]
    assert written == {name: objects.count(name) for name in set(objects)}


def test_compact_names_match_those_of_the_earlier_job_in_order(sample: Published, tmp_path: Path) -> None:
    """Only the names differ. Every value equals that of the table with snake_case names."""
    compact = run_day(tmp_path / "lake", "--dataset", "cloudtrail", "--naming", "compact")
    types = DuckDb(compact.lake, "cloudtrail").types()
    assert ["proc_ymd", *list(types)[: len(COMPACT) - 1]] == COMPACT
    engine, other = DuckDb(compact.lake, "cloudtrail"), DuckDb(sample.lake, "cloudtrail")
    assert list(engine.checksums().values()) == list(other.checksums().values())
    assert [column.name for column in columns("cloudtrail", "compact")] == list(types)[:-1]


def test_a_column_is_named_after_its_json_path() -> None:
    """Acronyms are words: `userIdentity.sessionContext.sourceIPAddress` ends in `source_ip_address`."""
    flattened = [
        column
        for column in columns("cloudtrail")
        if column.source not in MADE and not PROMOTED.fullmatch(column.source)
    ]
    for column in flattened:
        assert column.name == snake_case(RESOURCE_SOURCE.sub(r"resources.\1", column.sources[-1]))
    assert len(flattened) > 60


def snake_case(path: str) -> str:
    """The snake_case name of a JSON path."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", path)
    return "_".join(word.lower() for word in words)


def test_inspect_shows_the_rows_that_a_run_publishes(sample: Published, table: str) -> None:
    """Spot check on the object with the most rows. The tests of the corpora use `inspect` throughout."""
    entries = sample.lake.inputs(table, SAMPLE_DAY)
    busiest = max(entries, key=lambda entry: entry["written"])["object"]
    lines = logmill("inspect", busiest, "--dataset", DATASETS[table], "--format", "json").stdout
    shown = {line["record"]: line.get("row") for line in map(json.loads, lines.splitlines())}
    for (name, record), row in read_rows(sample.lake.table(table)).items():
        if name == busiest:
            texts = {key: value for key, value in row.items() if isinstance(value, str | dict)}
            texts.pop("source_object")
            assert comparable(shown[record]).items() >= texts.items()
