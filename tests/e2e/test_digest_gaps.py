"""Forged log files, removed and copied digests, and late files that change: what still proves the day."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws import Aws
from digest_chains import DAY, END, HOUR, LAST, START, Chain, Objects, Signer, Stored, logs, write
from harness import logmill
from test_digests import kinds, put, run


@pytest.fixture(scope="module")
def signer() -> Signer:
    """The key that takes the place of AWS."""
    return Signer()


@pytest.fixture
def keys(signer: Signer, tmp_path: Path) -> Path:
    """The file of public keys."""
    return signer.write(tmp_path / "keys.json")


def refused(tmp_path: Path, raw: Path | str, keys: Path, **options: Any) -> str:
    """Runs the day with a required proof, which must be refused for good; returns the message."""
    lake = tmp_path / "refused"
    command = ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", raw, "--output", lake)
    found = logmill(*command, "--public-keys", keys, "--require-proof", code=3, **options)
    assert not (lake / "cloudtrail").exists()
    return found.stderr


def forged(objects: Objects) -> tuple[str, Stored]:
    """A file with the event id of a genuine event, delivered in the same hour."""
    genuine = logs(objects)[8]
    text = gzip.decompress(objects[genuine].body).replace(b"GetObject", b"DeleteObject")
    start, _, _ = genuine.rpartition("_")
    return f"{start}_0000000000000000.json.gz", Stored(gzip.compress(text, mtime=0))


def test_a_forged_file_prevents_a_proof(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """Its event can win over the genuine one with the same id."""
    objects = Chain(signer).make()
    key, file = forged(objects)
    raw = write(objects | {key: file}, tmp_path / "raw")
    proof = run(tmp_path, raw, "--public-keys", keys)
    assert (proof["verdict"], proof["unnamed"], kinds(proof)) == ("unnamed", 1, {"unnamed_file"})
    assert proof["exceptions"][0]["object"] == str(raw / key)
    message = refused(tmp_path, raw, keys)
    assert "verdict: unnamed" in message
    assert str(raw / key) in message
    assert "find out who wrote this file" in message


def test_a_second_trail_without_its_digests_prevents_a_proof(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """Its log files remain, in the folders of the first trail."""
    one = Chain(signer)
    two = replace(one, trail="other-trail", seed=1)
    files = two.make()
    objects = one.make() | {key: files[key] for key in logs(files)}
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys)
    assert (proof["verdict"], proof["unnamed"]) == ("unnamed", 60)
    assert "verdict: unnamed" in refused(tmp_path, tmp_path / "raw", keys)


@pytest.mark.parametrize("next_hour", [LAST + 2, LAST + 50], ids=["next date", "two days later"])
def test_a_region_without_digests_in_the_window_is_missing_if_the_next_one_links_to_them(
    tmp_path: Path, aws: Aws, signer: Signer, keys: Path, next_hour: int
) -> None:
    """The digests of the window, of its margins and of the time after it are gone, with their log files."""
    bucket = aws.bucket("trail")
    here = Chain(signer, bucket=bucket)
    there = replace(here, region="us-east-1")
    last = START + next_hour * HOUR
    removed = there.make(range(-1, next_hour + 1))
    objects = here.make() | {there.digest_key(last): removed[there.digest_key(last)]}
    proofs = [run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys, name="folder")]
    put(bucket, objects)
    lake = aws.lake()
    of_run = ("--dataset", "cloudtrail", "--public-keys", str(keys))
    aws.run(lake, *of_run, source=f"s3://{bucket}", day=DAY)
    proofs.append(lake.manifest("cloudtrail", DAY)["proof"])
    for proof in proofs:
        chains = {chain["region"]: chain for chain in proof["chains"]}
        assert (proof["verdict"], kinds(proof)) == ("missing", {"missing_digest"})
        assert (chains["us-east-1"]["verdict"], chains["us-east-1"]["digests"]) == ("missing", 0)
        assert chains["ap-northeast-2"]["verdict"] == "proved"
    assert "verdict: missing" in refused(tmp_path, tmp_path / "raw", keys)


def test_a_trail_that_begins_later_says_nothing_about_the_day(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """Its first digest has no link."""
    here, there = Chain(signer), Chain(signer, region="us-east-1")
    objects = here.make() | there.make(range(LAST + 20, LAST + 24))
    proof = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys, "--require-proof")
    assert (proof["verdict"], len(proof["chains"])) == ("proved", 1)


def test_a_region_in_which_logging_was_off_all_day_has_a_gap(
    tmp_path: Path, aws: Aws, signer: Signer, keys: Path
) -> None:
    """Its digests end days before, and begin again days later."""
    bucket = aws.bucket("trail")
    here = Chain(signer, bucket=bucket)
    there = replace(here, region="us-east-1")
    hours = (*range(-90, -80), *range(LAST + 50, LAST + 55))
    objects = here.make() | there.make(hours)
    proofs = [run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys, name="folder")]
    put(bucket, objects)
    lake = aws.lake()
    of_run = ("--dataset", "cloudtrail", "--public-keys", str(keys))
    aws.run(lake, *of_run, source=f"s3://{bucket}", day=DAY)
    proofs.append(lake.manifest("cloudtrail", DAY)["proof"])
    for proof in proofs:
        chains = {chain["region"]: chain["verdict"] for chain in proof["chains"]}
        assert chains == {"ap-northeast-2": "proved", "us-east-1": "gap"}
        assert (proof["verdict"], kinds(proof)) == ("gap", {"gap"})


def test_the_next_digest_behind_the_dates_takes_one_request_per_region(
    aws: Aws, signer: Signer, keys: Path
) -> None:
    """However many digests follow, and a range of days lists each date once."""
    bucket = aws.bucket("trail")
    chain = Chain(signer, bucket=bucket, logs_an_hour=1)
    regions = ["ap-northeast-2", "us-east-1", "eu-west-1"]
    for region in regions:
        put(bucket, replace(chain, region=region).make(range(-1, 24 * 5)))
    lake = aws.lake()
    source = ("--input", f"s3://{bucket}", "--dataset", "cloudtrail", "--public-keys", str(keys))
    digests = "CloudTrail-Digest/"

    def listed() -> list[str]:
        """The prefixes of digests that were listed."""
        prefixes = (request.query.get("prefix", "") for request in aws.proxy.requests("ListObjectsV2"))
        return sorted(prefix.partition(digests)[2] for prefix in prefixes if digests in prefix)

    command = ("--output", lake.url, *source)
    aws.logmill("run", "--day", DAY, *command)
    dates = [f"{region}/{date}" for region in regions for date in ("2023/10/31/", "2023/11/01/")]
    days_of = [prefix for prefix in listed() if len(prefix.split("/")) == 5]
    assert days_of == sorted(dates)
    assert sum("/2023" not in prefix and prefix != "" for prefix in listed()) == 2 * len(regions)
    for order in ("oldest", "newest"):
        aws.proxy.forget()
        days = ("--from", DAY, "--to", "2023-11-03", "--only", "all", "--order", order)
        aws.logmill("backfill", *days, *command)
        days_of = [prefix for prefix in listed() if len(prefix.split("/")) == 5]
        assert len(days_of) == len(set(days_of)), days_of
    for day in (DAY, "2023-11-03"):
        assert lake.manifest("cloudtrail", day)["proof"]["verdict"] == "proved"


def late_files(chain: Chain) -> tuple[Objects, str, str]:
    """A trail with a digest of late files in the window and one later; keys of the first and its file."""
    objects = chain.make(range(-1, 60), backfill={5: 1, 58: 1})
    digest = chain.digest_key(START + 5 * HOUR, backfill=True)
    [file] = json.loads(gzip.decompress(objects[digest].body))["logFiles"]
    return objects, digest, file["s3Object"]


def test_a_removed_digest_of_late_files_is_missing_if_the_next_one_links_to_it(
    tmp_path: Path, aws: Aws, signer: Signer, keys: Path
) -> None:
    """The next one can be days away. In a folder, it also carries the signature."""
    bucket = aws.bucket("trail")
    objects, digest, file = late_files(Chain(signer, bucket=bucket))
    whole = run(tmp_path, write(objects, tmp_path / "raw"), "--public-keys", keys)
    assert (whole["verdict"], whole["right"]) == ("proved", 61)
    for key in (digest, file):
        del objects[key]
        (tmp_path / "raw" / key).unlink()
    proof = run(tmp_path, tmp_path / "raw", "--public-keys", keys, name="cut")
    assert (proof["verdict"], kinds(proof)) == ("missing", {"missing_digest"})
    put(bucket, objects)
    lake = aws.lake()
    aws.run(lake, "--dataset", "cloudtrail", "--public-keys", str(keys), source=f"s3://{bucket}", day=DAY)
    [found] = lake.manifest("cloudtrail", DAY)["proof"]["exceptions"]
    assert (found["kind"], found["object"]) == ("missing_digest", f"s3://{bucket}/{digest}")


def test_a_digest_that_a_folder_will_never_prove_does_not_leave_the_day_waiting(
    tmp_path: Path, signer: Signer, keys: Path
) -> None:
    """A lone digest of late files, and a chain whose last digest ends with the window."""
    chain = Chain(signer)
    objects, _, _ = late_files(chain)
    del objects[chain.digest_key(START + 58 * HOUR, backfill=True)]
    proof = run(tmp_path, write(objects, tmp_path / "late"), "--public-keys", keys, name="late-lake")
    assert (proof["verdict"], proof["right"], kinds(proof)) == ("unproved", 61, {"unsigned"})
    hours = write(chain.make(range(-1, 31)), tmp_path / "hours")
    proof = run(tmp_path, hours, "--public-keys", keys, name="hours-lake")
    assert (proof["verdict"], proof["right"], kinds(proof)) == ("unproved", 60, {"unsigned"})
    message = refused(tmp_path, hours, keys)
    assert "no later digest carries its signature" in message
    assert "copy the next digests into the folder" in message


def test_copies_of_a_trail_in_one_input_are_one_trail(tmp_path: Path, signer: Signer, keys: Path) -> None:
    """A bucket that was synced into two folders. Copies of a digest that differ contradict each other."""
    chain = Chain(signer)
    objects = chain.make()
    for name in ("first", "second"):
        write(objects, tmp_path / "raw" / name)
    proof = run(tmp_path, tmp_path / "raw", "--public-keys", keys)
    assert (proof["verdict"], proof["right"], kinds(proof)) == ("proved", 60, set())
    digest = tmp_path / "raw" / "second" / chain.digest_key(START + 9 * HOUR)
    text = gzip.decompress(digest.read_bytes()).replace(b'"SHA256withRSA"', b' "SHA256withRSA"')
    digest.write_bytes(gzip.compress(text, mtime=0))
    proof = run(tmp_path, tmp_path / "raw", "--public-keys", keys, name="other")
    assert (proof["verdict"], proof["right"]) == ("broken", 58)


def test_a_late_file_that_changed_after_the_run_makes_the_day_stale(
    tmp_path: Path, aws: Aws, signer: Signer, keys: Path
) -> None:
    """No listing of the day chooses it, so status looks for it by its name."""
    bucket = aws.bucket("trail")
    chain = Chain(signer, bucket=bucket)
    key, late = chain.log(END + HOUR / 2, 0, event_at=START + 3 * HOUR)
    name, digest, link = chain.digest(START + 4 * HOUR, {key: late}, None, backfill=True)
    after, newer, _ = chain.digest(START + 32 * HOUR, {}, link, backfill=True)
    objects = chain.make() | {key: late, name: digest, after: newer}
    other = gzip.compress(gzip.decompress(late.body).replace(b"GetObject", b"HeadObject!"), mtime=0)
    put(bucket, objects)
    raw = write(objects, tmp_path / "raw")

    def status(source: Path | str, lake: Path | str) -> dict[str, Any]:
        """The line of the day."""
        command = ("status", "--day", DAY, "--format", "json", "--dataset", "cloudtrail")
        found = logmill(*command, "--input", source, "--output", lake, env=aws.env())
        return json.loads(found.stdout)

    def change(content: bytes | None) -> None:
        """Changes or removes the file, in the folder and in the bucket."""
        if content is None:
            (raw / key).unlink()
            aws.s3.delete_object(Bucket=bucket, Key=key)
        else:
            (raw / key).write_bytes(content)
            put(bucket, {key: Stored(content)})

    places = [(raw, tmp_path / "lake"), (f"s3://{bucket}", tmp_path / "s3-lake")]
    for source, lake in places:
        command = ("run", "--day", DAY, "--dataset", "cloudtrail", "--input", source, "--output", lake)
        logmill(*command, "--public-keys", keys, "--require-proof", env=aws.env())
        assert status(source, lake)["state"] == "proved"
    change(other)
    for source, lake in places:
        line = status(source, lake)
        assert (line["state"], line["objects_changed"]) == ("stale", 1), line
        assert line["example"].endswith(key)
    change(None)
    for source, lake in places:
        assert status(source, lake)["objects_gone"] == 1
    change(late.body)
    for source, lake in places:
        line = status(source, lake)
        assert (line["state"], line["objects_changed"], line["objects_gone"]) == ("proved", 0, 0)


def test_late_files_are_looked_for_together(tmp_path: Path, aws: Aws, signer: Signer, keys: Path) -> None:
    """One request each, and no other."""
    bucket = aws.bucket("trail")
    chain = Chain(signer, bucket=bucket)
    late = dict(
        chain.log(END + timedelta(minutes=number), 0, event_at=START + 3 * HOUR) for number in range(40)
    )
    name, digest, link = chain.digest(START + 4 * HOUR, late, None, backfill=True)
    after, newer, _ = chain.digest(START + 32 * HOUR, {}, link, backfill=True)
    put(bucket, chain.make() | late | {name: digest, after: newer})
    lake = aws.lake()
    of_run = ("--dataset", "cloudtrail", "--public-keys", str(keys))
    aws.run(lake, *of_run, source=f"s3://{bucket}", day=DAY)
    proof = lake.manifest("cloudtrail", DAY)["proof"]
    assert (proof["verdict"], proof["right"]) == ("proved", 100)
    looked_for = aws.proxy.requests("HeadObject", f"{bucket}/*")
    assert len(looked_for) == 40
