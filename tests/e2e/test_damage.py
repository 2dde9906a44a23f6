"""Damaged objects: readable records become rows, the rest is rejected, and no damage goes unnoticed."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import SAMPLE_DAY, logmill, run_day

KEY = Path(
    "AWSLogs/111122223333/CloudTrail/us-east-1/2023/11/01/"
    "111122223333_CloudTrail_us-east-1_20231101T0100Z_0123456789abcdef.json.gz"
)
RECORDS = [
    f'{{"eventTime":"2023-11-01T00:00:{number % 60:02}Z","eventID":"{number * 7919:032x}"}}'
    for number in range(200)
]
DOCUMENT = f'{{"Records":[{",".join(RECORDS)}]}}'.encode()
PACKED = gzip.compress(DOCUMENT, mtime=0)
WRONG_CHECKSUM = PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:]


def inspected(folder: Path, packed: bytes) -> tuple[list[str | None], list[str]]:
    """The event ids, and the reasons of rejects, that the binary finds in a file."""
    path = folder / KEY.name
    path.write_bytes(packed)
    lines = logmill("inspect", path, "--dataset", "cloudtrail", "--format", "json").stdout.splitlines()
    found = list(map(json.loads, lines))
    ids = [line["row"].get("event_id") for line in found if "row" in line]
    return ids, [line["reject"]["reason"] for line in found if "reject" in line]


def test_an_intact_file_has_no_rejects(tmp_path: Path) -> None:
    ids, reasons = inspected(tmp_path, PACKED)
    assert (len(ids), reasons) == (len(RECORDS), [])


@pytest.mark.parametrize("kept", [1, 10, 1000, len(PACKED) // 2, len(PACKED) - 9, len(PACKED) - 1])
def test_a_truncated_file_keeps_its_rows_and_has_one_reject(tmp_path: Path, kept: int) -> None:
    ids, reasons = inspected(tmp_path, PACKED[:kept])
    assert ids == [json.loads(record)["eventID"] for record in RECORDS[: len(ids)]]
    assert len(reasons) == 1


def test_content_that_fails_its_checksum_is_a_reject(tmp_path: Path) -> None:
    _, reasons = inspected(tmp_path, WRONG_CHECKSUM)
    assert reasons == ["damaged_gzip"]


@pytest.mark.parametrize("zeros", [1, 3, 8, 512, 100_000])
@pytest.mark.parametrize("members", [1, 2])
def test_zeros_after_members_are_padding(tmp_path: Path, members: int, zeros: int) -> None:
    """As in Python's own gzip module. Other bytes after a member are damage."""
    padded = PACKED * members + bytes(zeros)
    assert gzip.decompress(padded) == DOCUMENT * members
    ids, reasons = inspected(tmp_path, padded)
    assert (len(ids), reasons) == (len(RECORDS) * members, [])
    _, reasons = inspected(tmp_path, padded + b"x")
    assert reasons == ["damaged_gzip"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(PACKED), "gzip_in_gzip"),
        (DOCUMENT.decode().encode("utf-16"), "utf_16"),
        (gzip.compress(DOCUMENT.decode().encode("utf-16")), "utf_16"),
    ],
    ids=["packed twice", "UTF-16", "UTF-16, packed"],
)
def test_content_in_another_format_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    assert inspected(tmp_path, content) == ([], [reason])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_is_ignored(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    ids, reasons = inspected(tmp_path, pack(b"\xef\xbb\xbf" + DOCUMENT))
    assert (len(ids), reasons) == (len(RECORDS), [])


def test_every_flipped_bit_is_detected(tmp_path: Path) -> None:
    """Every single-bit error in a gzip file shows in its header, its structure or its checksum."""
    chance = random.Random(20231101)
    for _ in range(60):
        damaged = bytearray(PACKED)
        place = chance.randrange(10, len(damaged))
        damaged[place] ^= 1 << chance.randrange(8)
        _, reasons = inspected(tmp_path, bytes(damaged))
        assert reasons, f"bit flipped in byte {place}"


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"{}", b'{"Records":null}', b"<Error>AccessDenied</Error>", b"[]"],
    ids=lambda content: content.decode() or "nothing",
)
def test_a_file_without_records_is_one_reject(tmp_path: Path, content: bytes) -> None:
    ids, reasons = inspected(tmp_path, gzip.compress(content))
    assert (ids, len(reasons)) == ([], 1)


@pytest.mark.parametrize(
    "broken",
    [
        '{"eventTime":"2023-11-01T00:00:00Z","x":NaN}',
        '{"eventTime":"2023-11-01T00:00:00Z","x":012}',
        '{"eventTime":"2023-11-01T00:00:00Z","x":"\t"}',
        '{"eventTime":"2023-11-01T00:00:00Z","x":' + "[" * 9999 + "]" * 9999 + "}",
        '{"eventTime":"yesterday"}',
        "{}",
        "null",
    ],
    ids=lambda broken: broken[:50],
)
def test_a_broken_record_does_not_affect_other_records(tmp_path: Path, broken: str) -> None:
    document = f'{{"Records":[{RECORDS[0]},{broken},{RECORDS[1]}]}}'
    ids, reasons = inspected(tmp_path, gzip.compress(document.encode()))
    assert (len(ids), len(reasons)) == (2, 1)


def test_a_damaged_object_does_not_stop_the_day_but_too_much_damage_does(tmp_path: Path) -> None:
    """With exit code 3 nothing is published, and the quarantine gives the reason."""
    source, lake = tmp_path / "logs", tmp_path / "lake"
    (source / KEY).parent.mkdir(parents=True)
    (source / KEY).write_bytes(PACKED[:-20])
    options = ("--dataset", "cloudtrail")
    made = run_day(lake, *options, "--max-reject-ratio", "1", source=source).ledger("cloudtrail")
    assert (made["written"] > 0, made["quarantined"]) == (True, 1)
    other = tmp_path / "other"
    arguments = ("run", "--day", SAMPLE_DAY, "--input", source, "--output", other, *options)
    logmill(*arguments, code=3)
    assert list(other.rglob("*.parquet")) == []
    assert len(list(other.rglob("_quarantine/**/*.jsonl"))) == 1
