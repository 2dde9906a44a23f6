"""Content from S3 is verified: large objects in ranges, checksums, objects that change or are deleted."""

import json
import random
from pathlib import Path

import pytest

from aws import Aws, run_arguments, table_of
from faults import Corrupt, Cut, FaultProxy, Meanwhile
from harness import MANIFESTS, run_day

NAME = "2023-11-01-09-00-00-1A26E00000000000"
OPTIONS = ("--dataset", "s3-access")
RANGE = 8 << 20
IMPATIENT = {"AWS_MAX_ATTEMPTS": "2"}


def lines(count: int, seed: int = 1) -> bytes:
    """Distinct access-log lines of about 600 bytes each."""
    dice = random.Random(seed)
    line = (
        "79a59df9 web [01/Nov/2023:09:{0:02}:{1:02} +0000] 192.0.2.3 - {2:016X} "
        "REST.GET.OBJECT a/{2:x}.jpg "
        '"GET /a/{2:x}.jpg?{3} HTTP/1.1" 200 - 1 1 1 1 "-" "agent" - host SigV4 - - '
        "web.s3.amazonaws.com TLSv1.2 - -\n"
    )
    return "".join(
        line.format(row // 60 % 60, row % 60, dice.getrandbits(64), "q" * 400) for row in range(count)
    ).encode()


@pytest.fixture(scope="module")
def large() -> bytes:
    """An object of more than three ranges."""
    content = lines(45_000)
    assert len(content) > 3 * RANGE
    return content


def test_a_large_object_is_fetched_in_ranges_and_is_unchanged(
    aws: Aws, proxy: FaultProxy, large: bytes, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_bytes(large)
    folder = run_day(tmp_path / "lake", *OPTIONS, source=tmp_path / NAME)
    lake = aws.lake()
    source = aws.source({NAME: large, "2023-11-01-09-00-01-SMALL": lines(10, seed=2)})
    proxy.rule(Cut(100_000), operation="GetObject", path=f"*{NAME}", times=2)
    summary = aws.run(lake, *OPTIONS, source=source)
    ranges = [request.headers.get("range") for request in proxy.requests("GetObject", f"*{NAME}")]
    assert len(set(ranges)) == -(-len(large) // RANGE)
    assert len(ranges) == len(set(ranges)) + 2
    assert table_of(summary, "s3_access")["written"] == folder.ledger("s3_access")["written"] + 10
    lake.assert_clean()


def test_the_read_ahead_fits_into_little_memory(aws: Aws, large: bytes) -> None:
    """Ranges shrink to the available memory, and many large objects do not block each other."""
    source = aws.source({f"{NAME}-{number}": large for number in range(3)})
    summary = aws.run(aws.lake(), *OPTIONS, "--memory", "64MiB", "--threads", "4", source=source)
    counts = table_of(summary, "s3_access")
    assert (counts["read"], counts["written"], counts["duplicate"]) == (135_000, 45_000, 90_000)


def test_many_workers_share_little_memory(aws: Aws) -> None:
    """More objects are read at once than fit into memory."""
    objects = {f"{NAME}-{number:02}": lines(2800, seed=number) for number in range(24)}
    options = ("--memory", "64MiB", "--threads", "16")
    summary = aws.run(aws.lake(), *OPTIONS, *options, source=aws.source(objects))
    assert table_of(summary, "s3_access")["written"] == 24 * 2800


def test_a_flipped_bit_is_detected_and_the_object_is_fetched_again(aws: Aws, proxy: FaultProxy) -> None:
    """S3 sends the checksum that it stores with an object."""
    content = lines(200)
    bucket = aws.bucket("raw")
    aws.s3.put_object(Bucket=bucket, Key=NAME, Body=content, ChecksumAlgorithm="CRC32")
    rule = proxy.rule(Corrupt(), operation="GetObject", path=f"*{NAME}", times=1)
    lake = aws.lake()
    summary = aws.run(lake, *OPTIONS, source=f"s3://{bucket}")
    assert rule.struck == 1
    assert len(proxy.requests("GetObject", f"*{NAME}")) == 2
    assert table_of(summary, "s3_access")["written"] == 200


def test_a_permanently_corrupt_body_is_not_read_as_a_log(aws: Aws, proxy: FaultProxy) -> None:
    bucket = aws.bucket("raw")
    aws.s3.put_object(Bucket=bucket, Key=NAME, Body=lines(20), ChecksumAlgorithm="CRC32")
    proxy.rule(Corrupt(), operation="GetObject", path=f"*{NAME}")
    lake = aws.lake()
    messages = aws.failing_run(lake, *OPTIONS, source=f"s3://{bucket}", code=75, env=IMPATIENT)
    assert NAME in messages
    assert lake.paths() == set()


def test_two_versions_of_a_changing_object_are_not_mixed(aws: Aws, proxy: FaultProxy, large: bytes) -> None:
    """Neither between listing and reading nor between two ranges."""
    bucket = aws.bucket("raw")
    aws.put(bucket, {NAME: large})
    other = large.replace(b"agent", b"other")
    change = Meanwhile(lambda: aws.put(bucket, {NAME: other}))
    proxy.rule(change, operation="GetObject", path=f"*{NAME}", skip=1, times=1)
    messages = aws.failing_run(aws.lake(), *OPTIONS, "--memory", "64MiB", source=f"s3://{bucket}", code=75)
    assert "changed" in messages
    aws.put(bucket, {NAME: lines(20)})
    longer = Meanwhile(lambda: aws.put(bucket, {NAME: lines(21)}))
    proxy.rule(longer, operation="GetObject", path=f"*{NAME}", times=1)
    messages = aws.failing_run(aws.lake(), *OPTIONS, source=f"s3://{bucket}", code=75)
    assert "changed" in messages


def test_an_object_deleted_after_the_listing_is_a_rejected_row(aws: Aws, proxy: FaultProxy) -> None:
    """As for a deleted file: the day reports it, and is not published if too much is lost."""
    bucket = aws.bucket("raw")
    gone = "2023-11-01-09-00-01-60E1"
    aws.put(bucket, {NAME: lines(2000), gone: lines(1, seed=3)})
    proxy.rule(
        Meanwhile(lambda: aws.s3.delete_object(Bucket=bucket, Key=gone)),
        operation="GetObject",
        path=f"*{gone}",
    )
    lake = aws.lake()
    counts = table_of(aws.run(lake, *OPTIONS, source=f"s3://{bucket}"), "s3_access")
    assert (counts["written"], counts["quarantined"]) == (2000, 1)
    quarantine = next(path for path in lake.paths() if path.startswith("_quarantine/"))
    assert json.loads(lake.get(quarantine))["reason"] == "unreadable"


def test_write_options_reach_s3(aws: Aws, proxy: FaultProxy) -> None:
    """Each on every object: part files, list of inputs, quarantine, manifest."""
    source = aws.source({NAME: lines(1000) + b"no log\n"})
    lake = aws.lake()
    options = ("--sse", "kms", "--kms-key", "alias/lake", "--tag", "team=data", "--tag", "why=a b/c")
    more = ("--acl", "bucket-owner-full-control", "--storage-class", "STANDARD_IA")
    arguments = run_arguments(lake, *OPTIONS, *options, *more, source=source)
    aws.logmill(*arguments)
    begun = proxy.requests("CreateMultipartUpload")
    put = [*proxy.requests("PutObject", MANIFESTS), *proxy.requests("PutObject", "*/_inputs/*")]
    assert (len(begun), len(put)) == (2, 2)
    for request in begun + put:
        assert request.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/lake"
        assert request.headers["x-amz-tagging"] == "team=data&why=a%20b%2Fc"
        assert request.headers["x-amz-acl"] == "bucket-owner-full-control"
    assert {request.headers.get("x-amz-storage-class") for request in begun} == {"STANDARD_IA"}
    assert "x-amz-storage-class" not in put[0].headers
    messages = aws.failing_run(lake, "--sse", "s3", "--kms-key", "x", source=source, code=2)
    assert "--sse" in messages
