"""Days that CloudTrail's digests prove, judged by a slow twin and `aws cloudtrail validate-logs`."""

import gzip
import hashlib
import json
import os
import pickle
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.s3.models import s3_backends

from aws import ACCOUNT, Aws, S3Lake
from digest_chains import (
    DAY,
    DAY_END,
    END,
    HOUR,
    START,
    Chain,
    Objects,
    Signer,
    Stored,
    is_digest,
    logs,
    write,
)
from digest_oracle import expected, repacked
from harness import REPOSITORY, Lake, logmill, manifest_path, run_day

# A Python with the AWS CLI, which pins another botocore than the other tests.
AWSCLI = Path(os.environ.get("LOGMILL_AWSCLI", REPOSITORY / ".venv-awscli" / "bin" / "python"))
TRAILS = 200
# The hours of short chains: only the last ones of the window have digests.
SHORT = range(22, 33)


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The key that takes the place of AWS."""
    return Signer()


@pytest.fixture(scope="module")
def keys(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of public keys."""
    return signer.write(tmp_path_factory.mktemp("keys") / "keys.json")


def run(tmp_path: Path, source: Path | str, *options: str | Path, name: str = "lake") -> dict[str, Any]:
    """Runs the day into a lake; returns the proof in its manifest."""
    published = run_day(tmp_path / name, "--dataset", "cloudtrail", *options, day=DAY, source=source)
    proof = published.lake.manifest("cloudtrail", DAY)["proof"]
    assert published.ledger("cloudtrail")["proof"]["verdict"] == proof["verdict"]
    assert_balanced(proof)
    return proof


def assert_balanced(proof: dict[str, Any]) -> None:
    """Every named file has one outcome, per chain and in total."""
    for ledger in (*proof["chains"], proof):
        assert ledger["named"] == ledger["right"] + ledger["altered"] + ledger["missing"], ledger
    for count in ("named", "right", "altered", "missing"):
        assert proof[count] == sum(chain[count] for chain in proof["chains"])


def counts(proof: dict[str, Any]) -> tuple[int, ...]:
    """The file ledger."""
    return tuple(proof[name] for name in ("named", "right", "altered", "missing", "unnamed"))


def oracle(objects: Objects, signer: Signer, *, in_bucket: bool) -> tuple[int, ...]:
    """The same, counted independently."""
    found = expected(objects, "trail", signer.key_list(), in_bucket=in_bucket)
    return found.named, found.right, found.altered, found.missing, found.unnamed


def kinds(proof: dict[str, Any]) -> set[str]:
    """The kinds of exceptions."""
    return {exception["kind"] for exception in proof.get("exceptions", [])}


def test_a_whole_folder_is_proved(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """A folder keeps no signatures: the next digest proves each one."""
    objects = Chain(signer).make()
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys, "--require-proof")
    assert proof["verdict"] == "proved"
    assert kinds(proof) == set()
    assert counts(proof) == oracle(objects, signer, in_bucket=False)
    [chain] = proof["chains"]
    assert chain["covered_minutes"] == 30 * 60
    assert (chain["signed_by_metadata"], chain["signed_by_successor"]) == (0, 30)
    status = logmill(
        *("status", "--from", DAY, "--to", DAY, "--format", "json", "--input", tmp_path / "raw"),
        *("--output", tmp_path / "lake", "--dataset", "cloudtrail", "--public-keys", keys),
    )
    line = json.loads(status.stdout)
    assert (line["state"], line["proof"]["right"]) == ("proved", proof["right"])


def test_days_without_digests_and_runs_without_them_say_nothing(tmp_path: Path, signer: Signer) -> None:
    """The manifest has no proof, so that its bytes do not change."""
    objects = Chain(signer).make(range(5))
    only_logs = {key: objects[key] for key in logs(objects)}
    for name, raw, options in (
        ("without", write(only_logs, tmp_path / "logs"), ()),
        ("off", write(objects, tmp_path / "all"), ("--digests", "off")),
    ):
        published = run_day(tmp_path / name, "--dataset", "cloudtrail", *options, day=DAY, source=raw)
        assert "proof" not in published.lake.manifest("cloudtrail", DAY)
        assert "proof" not in published.ledger("cloudtrail")
    arguments = ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", tmp_path / "logs")
    refused = logmill(*arguments, "--output", tmp_path / "none", "--digests", "require", code=4)
    assert "the day has no digests" in refused.stderr
    refused = logmill(*arguments, "--output", tmp_path / "none", "--require-proof", code=3)
    assert "digests do not prove the day" in refused.stderr
    assert not (tmp_path / "none" / "cloudtrail").exists()


def test_without_keys_no_day_is_proved(tmp_path: Path, signer: Signer) -> None:
    """Hashes and links are checked all the same, and no warning is printed each night."""
    objects = Chain(signer).make()
    proof = run(tmp_path, write(objects, tmp_path / "raw"))
    assert (proof["verdict"], kinds(proof)) == ("unproved", {"unchecked"})
    assert counts(proof)[:2] == (60, 60)
    of_day = ("--day", DAY, "--dataset", "cloudtrail", "--input", tmp_path / "raw")
    again = logmill("run", *of_day, "--output", tmp_path / "again")
    assert "unproved: 60 files named by digests = 60 right" in again.stdout
    assert not again.stderr, "no proof was asked for"


Damage = Callable[[Objects, Chain], None]


def alter(objects: Objects, _chain: Chain) -> None:
    """Changes the text of a log file."""
    key = logs(objects)[8]
    objects[key] = Stored(repacked(objects[key].body, b"GetObject", b"PutObject"))


def append(objects: Objects, _chain: Chain) -> None:
    """Adds bytes behind the gzip member of a log file."""
    key = logs(objects)[8]
    objects[key] = Stored(objects[key].body + b"\0\0")


def add_member(objects: Objects, _chain: Chain) -> None:
    """Splits a log file into two members with the same text."""
    key = logs(objects)[8]
    text = gzip.decompress(objects[key].body)
    objects[key] = Stored(gzip.compress(text[:40], mtime=0) + gzip.compress(text[40:], mtime=0))


def unpackable(objects: Objects, _chain: Chain) -> None:
    """Cuts a log file behind its last byte of text: the checksum and the length are gone."""
    key = logs(objects)[8]
    objects[key] = Stored(objects[key].body[:-8])


def remove_log(objects: Objects, _chain: Chain) -> None:
    """Removes a log file."""
    del objects[logs(objects)[8]]


def digest_at(hour: int) -> Callable[[Chain], str]:
    """The key of the digest that ends that many hours after the start of the day."""
    return lambda chain: chain.digest_key(START + hour * HOUR)


def remove_digests(*hours: int) -> Damage:
    """Removes digests."""

    def damage(objects: Objects, chain: Chain) -> None:
        for hour in hours:
            objects.pop(digest_at(hour)(chain), None)

    return damage


def rewrite(change: bytes, to: bytes) -> Damage:
    """Changes the text of a digest and keeps its signature."""

    def damage(objects: Objects, chain: Chain) -> None:
        key = digest_at(25)(chain)
        objects[key] = replace(objects[key], body=repacked(objects[key].body, change, to))

    return damage


def not_gzip(objects: Objects, chain: Chain) -> None:
    """Stores a digest that is not gzip."""
    objects[digest_at(25)(chain)].body = b"{}"


def not_json(objects: Objects, chain: Chain) -> None:
    """Stores a digest that is not JSON."""
    objects[digest_at(25)(chain)].body = gzip.compress(b"no digest")


def no_signature(objects: Objects, chain: Chain) -> None:
    """Loses the metadata of a digest."""
    objects[digest_at(25)(chain)].metadata = {}


def upper_case(objects: Objects, chain: Chain) -> None:
    """Writes a signature in upper case."""
    metadata = objects[digest_at(25)(chain)].metadata
    metadata["signature"] = metadata["signature"].upper()


def other_signature(objects: Objects, chain: Chain) -> None:
    """Gives a digest the signature of another one."""
    other = objects[digest_at(26)(chain)].metadata["signature"]
    objects[digest_at(25)(chain)].metadata["signature"] = other


def move(objects: Objects, chain: Chain) -> None:
    """Stores a digest as that of another hour."""
    objects[digest_at(25)(chain)] = objects[digest_at(26)(chain)]


def forge(objects: Objects, chain: Chain) -> None:
    """Adds a log file that no digest names."""
    key, stored = chain.log(START + 25 * HOUR - timedelta(minutes=1), 77)
    objects[key] = stored


def nothing(_objects: Objects, _chain: Chain) -> None:
    """Damages nothing."""


@dataclass(frozen=True)
class Case:
    """A damage and our verdict about it. `stricter` if `validate-logs` finds nothing.

    It does not notice a chain whose end is cut off, nor a log file cut behind its last byte of text, nor a
    log file that no digest names. The verdict is that of the chain; an unnamed file belongs to none.
    """

    damage: Damage
    verdict: str
    stricter: bool = False


CASES = {
    "whole": Case(nothing, "proved"),
    "altered": Case(alter, "altered"),
    "appended": Case(append, "altered"),
    "two_members": Case(add_member, "altered"),
    "cut": Case(unpackable, "altered", stricter=True),
    "log_removed": Case(remove_log, "missing"),
    "digest_removed": Case(remove_digests(25), "missing"),
    "two_removed": Case(remove_digests(25, 26), "missing"),
    "end_cut": Case(remove_digests(*range(28, 33)), "missing", stricter=True),
    "last_two_removed": Case(remove_digests(29, 30, 31, 32), "missing", stricter=True),
    "rewritten": Case(rewrite(b'"SHA-256"', b'"SHA-512"'), "broken"),
    "other_account": Case(rewrite(b'"awsAccountId": "1', b'"awsAccountId": "9'), "broken"),
    "not_gzip": Case(not_gzip, "broken"),
    "not_json": Case(not_json, "broken"),
    "no_signature": Case(no_signature, "broken"),
    "upper_case": Case(upper_case, "proved"),
    "other_signature": Case(other_signature, "broken"),
    "moved": Case(move, "broken"),
    "forged": Case(forge, "proved", stricter=True),
}


@dataclass
class Trail:
    """One damaged trail of many in a bucket."""

    chain: Chain
    case: str
    objects: Objects

    def for_awscli(self, signer: Signer) -> dict[str, Any]:
        """What the judge reads."""
        chain = self.chain
        return {
            "objects": {key: (stored.body, stored.metadata) for key, stored in self.objects.items()},
            "keys": signer.key_list()["PublicKeyList"],
            "start": f"{START + (SHORT[0] - 1) * HOUR:%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{END + HOUR:%Y-%m-%dT%H:%M:%SZ}",
        } | {
            name: getattr(chain, name)
            for name in ("account", "region", "trail", "home", "bucket", "prefix", "org")
        }


def damaged_trails(signer: Signer, bucket: str) -> list[Trail]:
    """Trails of many accounts, every case several times, some with late files, in an organisation."""
    chance = random.Random(17)
    trails = []
    for number in range(TRAILS):
        case = list(CASES)[number % len(CASES)]
        org = "o-exampleorg" if number % 9 % 3 == 0 else ""
        # Many trails in one account: listing the folders of 200 accounts would take most of the time.
        account = f"{100000000000 + number % 9}"
        chain = replace(
            Chain(signer, bucket=bucket, org=org, account=account),
            trail=f"trail_{number}",
            seed=number,
            logs_an_hour=1,
        )
        objects = chain.make(SHORT, backfill={chance.choice(SHORT[:6]): 1} if chance.random() < 0.3 else None)
        CASES[case].damage(objects, chain)
        trails.append(Trail(chain, case, objects))
    return trails


@pytest.fixture(scope="module")
def trails(signer: Signer) -> list[Trail]:
    """The trails of the large comparison."""
    return damaged_trails(signer, "trail")


def verdict_of_hours(trail: Trail) -> str:
    """Our verdict, given that the chain begins in the middle of the window: that is a gap, unless worse."""
    verdict = CASES[trail.case].verdict
    return "gap" if verdict == "proved" else verdict


@pytest.fixture(scope="module")
def judged(
    trails: list[Trail], signer: Signer, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, int]]:
    """What `validate-logs` counts."""
    if not AWSCLI.is_file():
        missing = f"{AWSCLI} is missing: run `make e2e`, or set LOGMILL_AWSCLI"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    pickled = tmp_path_factory.mktemp("judge") / "trails"
    pickled.write_bytes(pickle.dumps([trail.for_awscli(signer) for trail in trails]))
    judge = Path(__file__).with_name("awscli_judge.py")
    answer = subprocess.run([str(AWSCLI), str(judge), str(pickled)], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def folder_lake(trails: list[Trail], keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with the day of the same trails copied into a folder."""
    folder = tmp_path_factory.mktemp("copy")
    for trail in trails:
        write(trail.objects, folder / "raw")
    run(folder, folder / "raw", "--public-keys", keys, "--max-reject-ratio", "1")
    return folder / "lake"


@pytest.fixture(scope="module")
def in_folder(folder_lake: Path) -> dict[str, list[dict[str, Any]]]:
    """Our proof of the trails in a folder, by trail."""
    return by_trail(Lake(folder_lake).manifest("cloudtrail", DAY)["proof"])


def by_trail(proof: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The chains of a proof by trail."""
    trails: dict[str, list[dict[str, Any]]] = {}
    for chain in proof["chains"]:
        trails.setdefault(chain["trail"], []).append(chain)
    return trails


def put(bucket: str, objects: Objects) -> None:
    """Puts objects into a bucket of the server in this process, without requests: there are thousands."""
    backend = s3_backends[ACCOUNT]["aws"]
    for key, stored in objects.items():
        held = backend.put_object(bucket, key, stored.body)
        held.set_metadata({f"x-amz-meta-{name}": value for name, value in stored.metadata.items()})


def test_two_hundred_trails_have_the_verdicts_and_counts_of_validate_logs(
    aws: Aws, trails: list[Trail], judged: list[dict[str, int]], keys: Path, tmp_path: Path
) -> None:
    """They differ only where ours must be stricter: see the cases."""
    source = aws.bucket("trail")
    moved = {key: stored for trail in trails for key, stored in trail.objects.items()}
    put(source, moved)
    options = ("--public-keys", keys, "--digest-origin", "s3://trail", "--max-reject-ratio", "1")
    published = run_day(
        tmp_path / "lake",
        *("--dataset", "cloudtrail", *options),
        day=DAY,
        source=f"s3://{source}",
        env=aws.env(aws.server),
    )
    proof = published.lake.manifest("cloudtrail", DAY)["proof"]
    assert_balanced(proof)
    found = by_trail(proof)
    assert len(found) == TRAILS
    unnamed = 0
    for trail, counted in zip(trails, judged, strict=True):
        chains = found[trail.chain.trail]
        assert max_verdict(chains) == verdict_of_hours(trail), (trail.case, chains)
        invalid = counted["invalid_digests"] + counted["invalid_backfill_digests"] + counted["invalid_logs"]
        is_clean = max_verdict(chains) == "gap"
        assert is_clean == (invalid == 0) or CASES[trail.case].stricter, (trail.case, counted, chains)
        right = sum(chain["right"] for chain in chains)
        wrong = sum(chain["altered"] + chain["missing"] for chain in chains)
        assert wrong == counted["invalid_logs"] + (trail.case == "cut"), (trail.case, counted, chains)
        assert right <= counted["valid_logs"]
        independent = expected(trail.objects, "trail", json.loads(keys.read_text("utf-8")))
        unnamed += independent.unnamed
        assert trail.case != "forged" or (invalid, independent.unnamed) == (0, 1)
        assert (right, wrong) == (independent.right, independent.altered + independent.missing), trail.case
    assert proof["unnamed"] == unnamed


def test_a_folder_copy_has_the_same_verdicts(
    trails: list[Trail], in_folder: dict[str, list[dict[str, Any]]]
) -> None:
    """It keeps no metadata, so that damage to it does not show, and its newest digests have no signature."""
    of_metadata = {"no_signature", "upper_case", "other_signature"}
    for trail in trails:
        hourly = [chain for chain in in_folder[trail.chain.trail] if not chain.get("backfill")]
        wanted = "gap" if trail.case in of_metadata else verdict_of_hours(trail)
        assert max_verdict(hourly) == wanted, (trail.case, hourly)


def test_every_detail_of_an_exception_is_in_the_language_of_the_page(folder_lake: Path) -> None:
    """Values in it, for example addresses, remain as they are."""
    lake = ("--output", folder_lake)
    page = logmill("certify", "--day", DAY, *lake, "--format", "html", "--lang", "ko").stdout
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    details = [row[3] for row in rows if row and len(row) == 4 and row[0] == DAY]
    assert len(details) == len(Lake(folder_lake).manifest("cloudtrail", DAY)["proof"]["exceptions"])
    assert len({re.sub(r"&#39;.*?&#39;|[\d:.TZ-]+", "", detail) for detail in details}) > 8
    assert [detail for detail in details if not re.search("[가-힣]", detail)] == []


ORDER = ("proved", "unproved", "unnamed", "incomplete", "gap", "broken", "missing", "altered")


def max_verdict(chains: list[dict[str, Any]]) -> str:
    """The worst verdict of some chains."""
    return max((chain["verdict"] for chain in chains), key=ORDER.index)


def test_a_run_that_needs_a_proof_publishes_no_damaged_day(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """Altered and missing files end with 3, digests that do not reach the end yet with 75."""
    chain = Chain(signer)
    for name, damage in (("altered", alter), ("missing", remove_log)):
        objects = chain.make()
        damage(objects, chain)
        raw = write(objects, tmp_path / name)
        arguments = ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", raw, "--public-keys", keys)
        refused = logmill(
            *arguments, "--output", tmp_path / "lake", "--require-proof", "--max-reject-ratio", "1", code=3
        )
        assert name in refused.stderr
        assert not (tmp_path / "lake" / "cloudtrail").exists()
        proof = run(tmp_path, raw, "--public-keys", keys, name=f"lake-{name}")
        assert (proof["verdict"], proof[name]) == (name, 1)


def test_a_region_whose_digests_or_logs_are_gone_is_noticed(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """validate-logs looks at one region at a time and finds nothing."""
    here, there = Chain(signer), Chain(signer, region="us-east-1")
    both = here.make() | there.make()
    without = {key: stored for key, stored in both.items() if "CloudTrail-Digest/us-east-1" not in key}
    proof = run(tmp_path, write(without, tmp_path / "a"), "--public-keys", keys, name="no-digests")
    assert (proof["verdict"], proof["without_digests"][0]["region"]) == ("unproved", "us-east-1")
    assert proof["unnamed"] == 60
    without = {key: stored for key, stored in both.items() if "CloudTrail/us-east-1" not in key}
    proof = run(tmp_path, write(without, tmp_path / "b"), "--public-keys", keys, name="no-logs")
    assert (proof["verdict"], proof["missing"]) == ("missing", 60)


def test_two_trails_in_one_bucket_and_late_files_have_chains_of_their_own(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """Each trail has a chain, and so have the digests of late files."""
    one = Chain(signer)
    two = replace(one, trail="other-trail", home="us-east-1", seed=1)
    objects = one.make(backfill={10: 2, 31: 1}) | two.make()
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys)
    names = {(chain["trail"], chain.get("backfill", False)): chain for chain in proof["chains"]}
    assert set(names) == {("my_trail", False), ("my_trail", True), ("other-trail", False)}
    assert names["my_trail", True]["right"] == 2
    assert {chain["verdict"] for chain in names.values()} == {"proved"}
    assert counts(proof) == oracle(objects, signer, in_bucket=False)


def test_a_late_file_that_only_a_digest_names_makes_the_day_stale_and_is_read(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """It was delivered after the lateness, so that the listing alone does not choose it."""
    chain = Chain(signer)
    raw = write(chain.make(), tmp_path / "raw")
    assert run(tmp_path, raw, "--public-keys", keys)["verdict"] == "proved"
    key, late = chain.log(END + HOUR / 2, 0, event_at=START + 3 * HOUR)
    name, digest, link = chain.digest(START + 4 * HOUR, {key: late}, None, backfill=True)
    after, newer, _ = chain.digest(START + 32 * HOUR, {}, link, backfill=True)
    write({key: late, name: digest, after: newer}, raw)
    command = (
        "--output",
        tmp_path / "lake",
        "--dataset",
        "cloudtrail",
        "--input",
        raw,
        "--public-keys",
        keys,
    )
    status = logmill("status", "--from", DAY, "--to", DAY, "--format", "json", *command)
    line = json.loads(status.stdout)
    assert (line["state"], line["objects_named"]) == ("stale", 1)
    logmill("backfill", "--from", DAY, "--to", DAY, *command)
    manifest = manifest_path(tmp_path / "lake", "cloudtrail", DAY)
    published = json.loads(manifest.read_text("utf-8"))
    assert (published["proof"]["verdict"], published["proof"]["right"]) == ("proved", 61)
    assert published["ledger"]["written"] == 48 + 1
    status = logmill("status", "--from", DAY, "--to", DAY, "--format", "json", *command)
    assert json.loads(status.stdout)["state"] == "proved"


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["ahead", "behind"])
def test_clocks_that_differ_by_an_hour_lose_no_event(
    tmp_path: Path, signer: Signer, keys: Path, ahead: timedelta
) -> None:
    """The events decide about the day, also of files delivered an hour before it or after its lateness."""
    chain = Chain(signer)
    objects: Objects = {}
    files: dict[int, dict[str, Stored]] = {
        hour: chain.hour_of_logs(START + hour * HOUR) for hour in range(-1, 33)
    }
    # Delivered just outside the window by the name, with an event of the day.
    at = START - HOUR / 2 if ahead > timedelta() else END + HOUR / 2
    key, stored = chain.log(at, 7, event_at=START + HOUR / 2 if ahead > timedelta() else DAY_END - HOUR / 2)
    files[0 if ahead > timedelta() else 31][key] = stored
    link = None
    for hour, of_hour in files.items():
        name, digest, link = chain.digest(START + hour * HOUR, of_hour, link, backfill=False)
        objects |= {name: digest, **of_hour}
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys, "--require-proof")
    assert (proof["verdict"], proof["right"]) == ("proved", 61)
    rows = Lake(tmp_path / "lake").manifest("cloudtrail", DAY)["ledger"]["written"]
    assert rows == 48 + 1


def test_a_log_file_that_is_replaced_after_the_plan_is_not_proved(
    aws: Aws, tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """In a folder, its hash tells. In a bucket, the listed version is gone: the day needs a new plan."""
    bucket = aws.bucket("trail")
    objects = Chain(signer, bucket=bucket).make()
    put(bucket, objects)
    key = logs(objects)[8]
    forged = repacked(objects[key].body, b"GetObject", b"PutObject")
    raw = write(objects, tmp_path / "raw")
    plan, lake = tmp_path / "plan.json", tmp_path / "lake"
    staging = ("--plan", plan, "--staging", tmp_path / "staging")
    logmill(
        "plan", "--day", DAY, "--dataset", "cloudtrail", "--input", raw, "--public-keys", keys, *staging[:2]
    )
    (raw / key).write_bytes(forged)
    logmill("convert", *staging, "--shard", "0")
    logmill("publish", *staging, "--output", lake)
    proof = Lake(lake).manifest("cloudtrail", DAY)["proof"]
    assert (proof["verdict"], proof["right"], proof["altered"]) == ("altered", 59, 1)

    options = ("--dataset", "cloudtrail", "--input", f"s3://{bucket}", "--public-keys", str(keys))
    aws.logmill("plan", "--day", DAY, *options, *staging[:2])
    put(bucket, {key: Stored(forged)})
    refused = aws.logmill("convert", *staging, "--shard", "0", code=75)
    assert "the object has changed since the bucket was listed" in refused.stderr
    again = aws.run(aws.lake(), *options[:2], *options[4:], source=f"s3://{bucket}", day=DAY)
    assert again["tables"][0]["proof"]["verdict"] == "altered"


def test_a_digest_that_names_files_elsewhere_does_not_read_them(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """The names come from outside: paths that lead out of the input are never opened."""
    chain = Chain(signer)
    objects = chain.make(range(-1, 25))
    stored = chain.log(START + HOUR, 0)[1]
    files = {"../../../etc/passwd": stored, "/etc/hostname": stored, "AWSLogs/../../x": stored}
    last = objects[chain.digest_key(START + 24 * HOUR)]
    text = gzip.decompress(last.body)
    sha256 = hashlib.sha256(text).hexdigest()
    link = (json.loads(text)["digestS3Object"], sha256, last.metadata["signature"])
    for hour in range(25, 33):
        key, digest, link = chain.digest(
            START + hour * HOUR, files if hour == 25 else {}, link, backfill=False
        )
        objects[key] = digest
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys)
    assert (proof["verdict"], proof["missing"]) == ("missing", 3)
    assert counts(proof)[0] == 48 + 3


def test_shards_and_a_backfill_give_the_proof_of_a_run(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """The plan carries what digests say, and each shard hashes its own objects."""
    chain = Chain(signer)
    objects = chain.make(backfill={5: 1, 31: 1})
    alter(objects, chain)
    raw = write(objects, tmp_path / "raw")
    source = ("--input", raw, "--dataset", "cloudtrail", "--public-keys", keys)
    whole = run(tmp_path, raw, "--public-keys", keys)
    plan, staging = tmp_path / "plan.json", tmp_path / "staging"
    logmill("plan", "--day", DAY, *source, "--shards", "2", "--plan", plan)
    for shard in (0, 1):
        logmill("convert", "--plan", plan, "--shard", str(shard), "--staging", staging)
    logmill("publish", "--plan", plan, "--staging", staging, "--output", tmp_path / "shards")
    logmill("backfill", "--from", DAY, "--to", DAY, *source, "--output", tmp_path / "range")
    for lake in ("shards", "range"):
        path = manifest_path(tmp_path / lake, "cloudtrail", DAY)
        assert json.loads(path.read_text("utf-8"))["proof"] == whole, lake


def test_a_certificate_is_checked_against_the_lake(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """JSON and both pages carry the evidence; a changed lake or certificate shows."""
    raw = write(Chain(signer).make(), tmp_path / "raw")
    proof = run(tmp_path, raw, "--public-keys", keys)
    lake = ("--output", tmp_path / "lake")
    text = logmill("certify", "--day", DAY, *lake).stdout
    assert "proved" in text
    for name, options in (
        ("c.json", ("json",)),
        ("en.html", ("html",)),
        ("ko.html", ("html", "--lang", "ko")),
    ):
        page = logmill("certify", "--day", DAY, *lake, "--format", *options).stdout
        (tmp_path / name).write_text(page, "utf-8")
        assert "as in the certificate" in logmill("certify", "--verify", tmp_path / name, *lake).stdout
    certificate = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert certificate["days"][0]["proof"] == proof
    forged = (tmp_path / "c.json").read_text("utf-8").replace('"right":60', '"right":61')
    (tmp_path / "forged.json").write_text(forged, "utf-8")
    found = logmill("certify", "--verify", tmp_path / "forged.json", *lake, code=4)
    assert "does not say what the manifest says" in found.stdout
    unknown = certificate | {"days": [certificate["days"][0] | {"approved_by": "auditor"}]}
    (tmp_path / "unknown.json").write_text(json.dumps(unknown), "utf-8")
    refused = logmill("certify", "--verify", tmp_path / "unknown.json", *lake, code=4)
    assert "unknown field 'days[0].approved_by'" in refused.stderr
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    found = logmill("certify", "--verify", tmp_path / "ko.html", "--output", tmp_path / "copy")
    assert f"issued for the lake '{tmp_path / 'lake'}" in found.stdout
    assert "as in the certificate" in found.stdout
    [part, *_] = (tmp_path / "lake" / "cloudtrail").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    found = logmill("certify", "--verify", tmp_path / "c.json", *lake, code=4)
    assert "its SHA-256 is" in found.stdout
    refused = logmill("certify", "--day", DAY, *lake, code=4)
    assert not refused.stdout
    shorter = json.loads((tmp_path / "c.json").read_text("utf-8"))
    shorter["not_published"] = [{"table": "cloudtrail", "day": DAY}]
    (tmp_path / "shorter.json").write_text(json.dumps(shorter), "utf-8")
    found = logmill("certify", "--verify", tmp_path / "shorter.json", *lake, code=4)
    assert "has been published since" in found.stdout
    assert "not those of the manifest" in refused.stderr


def test_a_file_that_no_manifest_lists_and_a_proof_that_does_not_add_up_are_refused(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """An engine that reads the folder would read the file too."""
    objects = Chain(signer).make()
    alter(objects, Chain(signer))
    run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys)
    lake = ("--output", tmp_path / "lake")
    issue = ("certify", "--day", DAY, *lake)
    page = tmp_path / "page.html"
    page.write_text(logmill(*issue, "--format", "html").stdout, "utf-8")
    partition = tmp_path / "lake" / "cloudtrail" / "proc_ymd=20231101"
    [part, *_] = partition.rglob("*.parquet")
    for added in (part.with_name("part-00009.zstd.parquet"), partition / "added.parquet"):
        shutil.copy(part, added)
        found = logmill("certify", "--verify", page, *lake, code=4)
        assert f"{added.relative_to(tmp_path / 'lake')}: not listed in the manifest\n" == found.stdout
        assert not logmill(*issue, code=4).stdout
        added.unlink()
    manifest = manifest_path(tmp_path / "lake", "cloudtrail", DAY)
    text = manifest.read_text("utf-8")
    # The verdict of the day comes before those of its chains.
    changed = text.replace('"altered"', '"proved"', 1)
    assert changed != text
    manifest.write_text(changed, "utf-8")
    refused = logmill(*issue, code=4)
    assert "the proof in the manifest does not add up" in refused.stderr
    assert not refused.stdout


def test_a_certificate_names_days_without_digests(tmp_path: Path) -> None:
    run_day(tmp_path / "lake")
    page = logmill("certify", "--day", "2023-11-01", "--output", tmp_path / "lake").stdout
    assert "No digests were found for these days: 2023-11-01 cloudtrail\n" in page
    assert "No exceptions" not in page


def test_a_small_or_wrong_key_proves_nothing(tmp_path: Path, signer: Signer) -> None:
    """The key file decides, not the fingerprint."""
    raw = write(Chain(signer).make(), tmp_path / "raw")
    for name, other in (("wrong", Signer()), ("small", Signer(1024))):
        entry = other.key_list()["PublicKeyList"][0] | {"Fingerprint": signer.fingerprint}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"PublicKeyList": [entry]}), "utf-8")
        proof = run(tmp_path, raw, "--public-keys", path, name=name)
        assert (proof["verdict"], proof["named"]) == ("broken", 0)


def test_a_trail_in_s3_is_proved_in_its_own_bucket(aws: Aws, signer: Signer, keys: Path) -> None:
    """Its digests have their own signatures, and may be in another bucket than the logs."""
    bucket, other = aws.bucket("trail"), aws.bucket("digests")
    objects = Chain(signer, bucket=bucket).make()
    put(bucket, objects)
    lake: S3Lake = aws.lake()
    published = aws.run(
        lake, "--dataset", "cloudtrail", "--public-keys", str(keys), source=f"s3://{bucket}", day=DAY
    )
    [table] = [table for table in published["tables"] if table["table"] == "cloudtrail"]
    assert table["proof"]["verdict"] == "proved"
    # A copy is not where AWS delivered it.
    for key in (key for key in objects if is_digest(key)):
        aws.s3.copy_object(Bucket=other, Key=key, CopySource={"Bucket": bucket, "Key": key})
    source = ("--input", f"s3://{bucket}/AWSLogs/111122223333/CloudTrail/", "--input", f"s3://{other}/")
    env = aws.env(aws.server)
    command = (
        "run",
        "--day",
        DAY,
        "--dataset",
        "cloudtrail",
        *source,
        "--public-keys",
        keys,
        "--output",
        lake.url,
    )
    refused = logmill(*command, "--require-proof", env=env, code=3)
    assert "it was delivered as" in refused.stderr
