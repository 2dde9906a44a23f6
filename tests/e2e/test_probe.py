"""`logmill doctor --probe` shows which promises a store keeps: moto, also behind a proxy that breaks them."""

import json
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws import Aws
from faults import ACCESS_DENIED, Dated, Exchange, Fault, FaultProxy, Ignore, Refuse
from harness import PATIENCE, logmill, started

# moto accepts a wrong checksum.
OF_MOTO = {"checksums"}
# moto fails with a status that is worth another attempt if an aborted upload is completed.
IMPATIENT = {"AWS_MAX_ATTEMPTS": "1"}
NOT_IMPLEMENTED = Refuse(501, "NotImplemented", "A header or query you provided is not implemented.")


@dataclass(frozen=True)
class Show:
    """The answer of a server that shows the parts of an upload before its completion."""

    aws: Aws

    def __call__(self, exchange: Exchange) -> None:
        bucket, _, key = exchange.request.path.partition("/")
        self.aws.put(bucket, {key: b"a part"})
        exchange.send(exchange.forward())


def probe(aws: Aws, address: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """The lines of a probe, by promise."""
    options = ("--probe", address, "--format", "json")
    lines = aws.logmill("doctor", *options, code=code, env=IMPATIENT).stdout.splitlines()
    found = {line["promise"]: line for line in map(json.loads, lines)}
    assert len(found) == len(lines) > 15
    return found


def in_state(found: dict[str, dict[str, Any]], state: str) -> set[str]:
    """The promises in a state."""
    return {name for name, line in found.items() if line["state"] == state}


def test_moto_keeps_all_promises_but_one(aws: Aws) -> None:
    bucket = aws.bucket("probed")
    aws.put(bucket, {"lake/of-a-user": b"kept"})
    found = probe(aws, f"s3://{bucket}/lake")
    assert in_state(found, "kept") == found.keys() - OF_MOTO
    assert found["checksums"]["found"] == "an object with a wrong CRC-32 was accepted"
    assert found["checksums"]["effect"]
    assert found["checksums"]["next"]
    assert aws.contents(bucket) == {"lake/of-a-user": b"kept"}
    assert not aws.uploads(bucket)


IGNORED = "if-match"
BREAKS: dict[str, tuple[Fault, str, set[str], int]] = {
    "no If-None-Match": (Ignore("if-none-match"), "PutObject", {"conditional put", "one commit"}, 4),
    "no If-Match": (Ignore(IGNORED), "PutObject", {"conditional replace", "one commit"}, 4),
    "no If-Match in removals": (
        Ignore(IGNORED),
        "DeleteObject",
        {"conditional removal", "lock taken over"},
        0,
    ),
    "no If-Match in reads": (Ignore(IGNORED), "GetObject", {"pinned reads"}, 0),
    "no list of uploads": (NOT_IMPLEMENTED, "ListMultipartUploads", {"list of uploads"}, 4),
    "a clock ahead": (Dated(timedelta(hours=1)), "*", {"clock", "write times"}, 0),
}


@pytest.mark.parametrize(("fault", "operation", "expected", "code"), BREAKS.values(), ids=BREAKS)
def test_a_store_that_breaks_a_promise_is_found_out(
    aws: Aws, proxy: FaultProxy, fault: Fault, operation: str, expected: set[str], code: int
) -> None:
    bucket = aws.bucket("probed")
    rule = proxy.rule(fault, operation=operation)
    found = probe(aws, f"s3://{bucket}/lake", code)
    assert rule.struck
    assert in_state(found, "not kept") == OF_MOTO | expected
    assert not in_state(found, "not tried")
    assert not aws.keys(bucket)
    assert not aws.uploads(bucket)


def test_visible_parts_of_an_upload_are_found_out(aws: Aws, proxy: FaultProxy) -> None:
    bucket = aws.bucket("probed")
    proxy.rule(Show(aws), operation="UploadPart")
    found = probe(aws, f"s3://{bucket}/lake", code=4)
    assert {"hidden uploads", "aborted uploads", "unfinished files"} <= in_state(found, "not kept")
    assert not aws.keys(bucket)


def test_a_promise_that_may_not_be_tried_is_not_kept_either(aws: Aws, proxy: FaultProxy) -> None:
    bucket = aws.bucket("probed")
    proxy.rule(ACCESS_DENIED, operation="CreateMultipartUpload")
    untried = in_state(probe(aws, f"s3://{bucket}/lake", code=4), "not tried")
    assert untried == {
        "hidden uploads",
        "aborted uploads",
        "list of uploads",
        "unfinished files",
        "commit of a day",
        "one commit",
    }


def test_a_missing_bucket_is_an_error_of_its_own(aws: Aws) -> None:
    failed = aws.logmill("doctor", "--probe", "s3://no-such-bucket-here/lake", code=4)
    assert "check the name of the bucket" in failed.stderr
    assert not failed.stdout


@pytest.mark.parametrize("skip", [0, 5, 15])
def test_a_probe_that_is_stopped_leaves_nothing(aws: Aws, proxy: FaultProxy, skip: int) -> None:
    bucket = aws.bucket("probed")
    with started("doctor", "--probe", f"s3://{bucket}/lake", env=aws.env() | IMPATIENT) as process:

        def stop(exchange: Exchange) -> None:
            os.kill(process.pid, signal.SIGINT)
            exchange.send(exchange.forward())

        rule = proxy.rule(stop, operation="PutObject", skip=skip, times=1)
        _, messages = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rule.struck) == (130, 1), messages
    assert not aws.keys(bucket)
    assert not aws.uploads(bucket)


def test_a_folder_keeps_all_promises_and_is_removed_again(tmp_path: Path) -> None:
    found = logmill("doctor", "--probe", tmp_path / "new" / "lake").stdout
    assert "promises kept: the store can hold a lake" in found
    assert not list(tmp_path.iterdir())
