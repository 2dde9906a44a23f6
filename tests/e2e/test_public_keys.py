"""Keys from CloudTrail, and the verdicts of `aws cloudtrail validate-logs` with the same keys."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws import ACCOUNT, Aws, S3Lake
from cloudtrail import NO_PERMISSION, KeyService
from digest_chains import DAY, END, HOUR, START, Chain, Objects, Signer, write
from faults import FaultProxy
from harness import logmill
from test_digests import (
    AWSCLI,
    Damage,
    alter,
    append,
    nothing,
    other_signature,
    put,
    remove_digests,
    remove_log,
)

TABLE = ("--dataset", "cloudtrail")
NEXT_DAY = "2023-11-02"
WARNING = "CloudTrail gave no public keys"
PERMISSION = "cloudtrail:ListPublicKeys"


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The key that takes the place of AWS."""
    return Signer()


@pytest.fixture
def keys(proxy: FaultProxy, signer: Signer) -> KeyService:
    """CloudTrail with that key."""
    return KeyService().add(signer).behind(proxy)


def trail(aws: Aws, make: Callable[[str], Objects]) -> str:
    """The address of a new bucket with the objects of a trail."""
    bucket = aws.bucket("trail")
    put(bucket, make(bucket))
    return f"s3://{bucket}"


def command(source: str | Path, lake: str | Path, *options: str) -> tuple[str | Path, ...]:
    """The command line of a run of the day."""
    return ("run", "--day", DAY, *TABLE, "--input", source, "--output", lake, *options)


def test_the_home_region_is_asked_once_for_the_keys_of_the_day(
    aws: Aws, keys: KeyService, signer: Signer
) -> None:
    """Trails of two home regions, and more keys than a page holds."""
    keys.add(Signer()).add(Signer())

    def make(bucket: str) -> Objects:
        far = Chain(signer, bucket=bucket, trail="far", home="us-east-1", seed=1)
        return Chain(signer, bucket=bucket).make() | far.make()

    lake = aws.lake()
    done = aws.logmill(*command(trail(aws, make), lake.url, "--require-proof"))
    assert "proved: 120 files named by digests = 120 right" in done.stdout
    assert PERMISSION not in done.stderr
    assert sorted(question.region for question in keys.questions) == ["ap-northeast-2", "us-east-1"]
    for question in keys.questions:
        assert START - 3 * HOUR <= question.start <= START
        assert START < question.end <= END + 4 * HOUR
    assert keys.pages == 2 * 3


def test_days_of_a_range_share_their_keys(aws: Aws, keys: KeyService, signer: Signer) -> None:
    source = trail(aws, lambda bucket: Chain(signer, bucket=bucket, logs_an_hour=1).make(range(-1, 57)))
    lake = aws.lake()
    aws.logmill("backfill", "--from", DAY, "--to", NEXT_DAY, *TABLE, "--input", source, "--output", lake.url)
    verdicts = [lake.manifest("cloudtrail", day)["proof"]["verdict"] for day in (DAY, NEXT_DAY)]
    assert verdicts == ["proved", "proved"]
    assert len(keys.questions) == 1


def test_a_digest_of_late_files_is_checked_with_the_key_of_the_hour_it_was_signed(
    aws: Aws, proxy: FaultProxy, signer: Signer
) -> None:
    """Its metadata tells when it was signed: days later, with the next key."""
    newer, generated = Signer(), END + timedelta(days=5)
    service = KeyService().add(signer, end=END + 4 * HOUR).add(newer, generated - HOUR / 2)
    service.behind(proxy)

    def make(bucket: str) -> Objects:
        chain, late = Chain(signer, bucket=bucket), Chain(newer, bucket=bucket)
        key, stored = late.log(START + 5 * HOUR + timedelta(minutes=7), 100)
        name, digest, _ = late.digest(START + 6 * HOUR, {key: stored}, None, backfill=True)
        digest.metadata["backfill-generation-timestamp"] = f"{generated:%Y-%m-%dT%H:%M:%SZ}"
        return chain.make() | {key: stored, name: digest}

    lake = aws.lake()
    aws.logmill(*command(trail(aws, make), lake.url))
    proof = lake.manifest("cloudtrail", DAY)["proof"]
    assert (proof["verdict"], proof["right"]) == ("proved", 61)
    assert set(proof["keys"]) == {signer.fingerprint, newer.fingerprint}
    [hours_of_the_day, later] = service.questions
    assert hours_of_the_day.end == END + 3 * HOUR
    assert (later.start, later.end) == (generated - HOUR, generated + HOUR)


def refused(aws: Aws, proxy: FaultProxy) -> tuple[dict[str, str], int]:
    """The role has no permission."""
    proxy.rule(NO_PERMISSION, operation="ListPublicKeys")
    return {}, 4


def unreachable(aws: Aws, proxy: FaultProxy) -> tuple[dict[str, str], int]:
    """Nothing answers, as in a network without a way to CloudTrail."""
    return {"AWS_ENDPOINT_URL_CLOUDTRAIL": "http://127.0.0.1:1"}, 75


def unknown(aws: Aws, proxy: FaultProxy) -> tuple[dict[str, str], int]:
    """AWS has no keys of that time."""
    KeyService().behind(proxy)
    return {}, 4


def endless(aws: Aws, proxy: FaultProxy) -> tuple[dict[str, str], int]:
    """The list repeats itself."""
    KeyService(ends=False).add(Signer()).behind(proxy)
    return {}, 4


@pytest.mark.parametrize("refusal", [refused, unreachable, unknown, endless])
def test_without_keys_the_day_is_unproved_and_one_warning_says_what_to_do(
    aws: Aws,
    proxy: FaultProxy,
    signer: Signer,
    refusal: Callable[[Aws, FaultProxy], tuple[dict[str, str], int]],
) -> None:
    """Unless the day must be proved. Then the run fails before it reads a log."""
    source = trail(aws, lambda bucket: Chain(signer, bucket=bucket, logs_an_hour=1).make(range(-1, 57)))
    env, code = refusal(aws, proxy)
    lake = aws.lake()
    done = aws.logmill(
        *("backfill", "--from", DAY, "--to", NEXT_DAY, *TABLE, "--input", source, "--output", lake.url),
        env=env,
    )
    for day in (DAY, NEXT_DAY):
        proof = lake.manifest("cloudtrail", day)["proof"]
        assert (proof["verdict"], proof["named"], proof["right"]) == ("unproved", 30, 30)
        assert [exception["kind"] for exception in proof["exceptions"]] == ["unchecked"]
    assert done.stderr.count(WARNING) == 1, done.stderr
    [line] = [line for line in done.stderr.splitlines() if WARNING in line]
    assert PERMISSION in line
    assert "--public-keys" in line
    for option in (("--digests", "require"), ("--require-proof",)):
        failed = aws.logmill(*command(source, lake.url, *option), env=env, code=code)
        assert "public keys" in failed.stderr, failed.stderr
        if refusal is refused:
            assert f"hint: allow {PERMISSION}" in failed.stderr
            assert "--public-keys" in failed.stderr
    assert "warn" not in aws.logmill(*command(source, lake.url, "--digests", "off"), env=env).stderr


def test_a_folder_asks_aws_only_if_the_user_says_so(
    aws: Aws, proxy: FaultProxy, keys: KeyService, signer: Signer, tmp_path: Path
) -> None:
    """Reading a folder sends no request, not even for credentials."""
    source = write(Chain(signer).make(), tmp_path / "raw")
    done = logmill(*command(source, tmp_path / "quiet"), env=aws.env("http://127.0.0.1:1"))
    assert "unproved: 60 files" in done.stdout
    assert not done.stderr
    assert proxy.requests() == []
    done = aws.logmill(*command(source, tmp_path / "asked", "--public-keys", "aws"))
    assert "proved: 60 files" in done.stdout
    assert len(keys.questions) == 1


def test_a_file_of_keys_needs_no_permission(
    aws: Aws, proxy: FaultProxy, signer: Signer, tmp_path: Path
) -> None:
    proxy.rule(NO_PERMISSION, operation="ListPublicKeys")
    source = trail(aws, lambda bucket: Chain(signer, bucket=bucket).make())
    file = signer.write(tmp_path / "keys.json")
    done = aws.logmill(*command(source, aws.lake().url, "--public-keys", str(file)))
    assert "proved: 60 files" in done.stdout
    assert proxy.requests("ListPublicKeys") == []


def test_the_doctor_tries_the_permission(aws: Aws, proxy: FaultProxy, signer: Signer) -> None:
    """It is missing only if a day must be proved."""
    source = trail(aws, lambda bucket: Chain(signer, bucket=bucket).make())
    given = (*TABLE, "--day", DAY, "--input", source, "--output", aws.lake().url)

    def tried(*options: str, code: int = 0, env: dict[str, str] | None = None) -> tuple[str, Any]:
        arguments = ("doctor", "--permissions", "--format", "json", *given, *options)
        found = json.loads(aws.logmill(*arguments, code=code, env=env).stdout)
        [line] = [line for line in found["permissions"] if line["permission"] == PERMISSION]
        return line["outcome"], found["missing"]

    rule = proxy.rule(NO_PERMISSION, operation="ListPublicKeys")
    assert tried() == ("unknown", None)
    required = ("--digests", "require")
    outcome, missing = tried(*required, code=4)
    assert outcome == "denied"
    assert missing["Statement"] == [{"Effect": "Allow", "Action": [PERMISSION], "Resource": ["*"]}]
    proxy.rules.remove(rule)
    KeyService().add(signer).behind(proxy)
    assert tried(*required) == ("ok", None)


@dataclass(frozen=True)
class Case:
    """A trail and its damage."""

    damage: Damage = nothing
    backfill: dict[int, int] = field(default_factory=dict)
    # The verdict of the day, and whether `validate-logs` ends with 0.
    verdict: str = "proved"


CASES = {
    "whole": Case(),
    "late": Case(backfill={10: 2, 20: 1}),
    "altered": Case(alter, verdict="altered"),
    "appended": Case(append, {5: 1}, verdict="altered"),
    "log_removed": Case(remove_log, verdict="missing"),
    "digest_removed": Case(remove_digests(25), verdict="missing"),
    "other_signature": Case(other_signature, verdict="broken"),
}
RATIO = re.compile(r"(\d+)/(\d+) (digest|backfill digest|log) files valid")
INVALID = re.compile(r"^Log file\t(\S+)\tINVALID: .*$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """Counts of digests and log files, and the log files that are wrong."""

    valid_digests: int
    valid_logs: int
    wrong_logs: frozenset[str]
    is_clean: bool


def of_awscli(aws: Aws, chain: Chain, bucket: str) -> Verdict:
    """What the command of AWS prints about the window of the day."""
    trails = aws.client("cloudtrail")
    made = trails.create_trail(Name=chain.trail, S3BucketName=bucket)
    arguments = (
        *("--trail-arn", made["TrailARN"]),
        *("--start-time", f"{START + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"),
        *("--end-time", f"{END - HOUR:%Y-%m-%dT%H:%M:%SZ}"),
    )
    found = subprocess.run(
        [str(AWSCLI), "-m", "awscli", "cloudtrail", "validate-logs", *arguments],
        env=aws.env() | {"AWS_DEFAULT_REGION": "ap-northeast-2", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    trails.delete_trail(Name=made["TrailARN"])
    assert found.returncode in (0, 1), found.stderr
    valid = {name: int(count) for count, _, name in RATIO.findall(found.stdout)}
    digests = valid.get("digest", 0) + valid.get("backfill digest", 0)
    wrong = frozenset(INVALID.findall(found.stderr))
    return Verdict(digests, valid["log"], wrong, found.returncode == 0)


def of_logmill(aws: Aws, source: str) -> tuple[str, Verdict]:
    """What our certificate of the day says."""
    lake: S3Lake = aws.lake()
    aws.logmill(*command(source, lake.url, "--max-reject-ratio", "1"))
    printed = aws.logmill("certify", "--day", DAY, "--output", lake.url, "--format", "json").stdout
    [day] = json.loads(printed)["days"]
    proof = day["proof"]
    digests = sum(chain["signed_by_metadata"] for chain in proof["chains"])
    of_files = (
        [one for one in proof["exceptions"] if one["kind"] in ("altered_file", "missing_file")]
        if ("exceptions" in proof)
        else []
    )
    wrong = frozenset(one["object"] for one in of_files)
    assert len(wrong) == proof["altered"] + proof["missing"]
    return day["verdict"], Verdict(digests, proof["right"], wrong, day["verdict"] == "proved")


@pytest.mark.parametrize("name", CASES)
def test_the_certificate_says_what_validate_logs_prints(
    aws: Aws, keys: KeyService, signer: Signer, name: str
) -> None:
    """Both ask the same service for the keys, and the same server for the objects."""
    if not AWSCLI.is_file():
        missing = f"{AWSCLI} is missing: run `make e2e`, or set LOGMILL_AWSCLI"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    case, bucket = CASES[name], aws.bucket("trail")
    chain = Chain(signer, bucket=bucket, account=ACCOUNT, trail=f"trail-{bucket}")
    objects = chain.make(backfill=case.backfill)
    case.damage(objects, chain)
    put(bucket, objects)
    verdict, ours = of_logmill(aws, f"s3://{bucket}")
    assert verdict == case.verdict
    assert ours == of_awscli(aws, chain, bucket)
    assert len(keys.questions) >= 2
