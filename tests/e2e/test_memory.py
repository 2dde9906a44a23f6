"""Memory use stays within --memory plus a margin, on memory-hungry days and with any number of threads."""

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benches.limits.heavy import DISTINCT_LINES, LARGE_RECORDS, NAMED_RECORDS, Heavy
from digest_chains import HOUR, START, Chain, Signer, write
from harness import logmill

MIB = 2**20
# The margins that README promises: memory in addition to --memory, per run and per thread.
MARGIN = 64 * MIB
MARGIN_A_THREAD = 3 * MIB
MEMORY = 64 * MIB
# Large enough that the rows of each kind need several times the memory.
DAYS = {
    "large-records": replace(LARGE_RECORDS, rows=10_000, objects=40),
    "distinct-names": replace(NAMED_RECORDS, rows=240_000, objects=40),
    "distinct-lines": replace(DISTINCT_LINES, rows=240_000, objects=40),
}
# A small intermediate process, because the peak of a child includes the memory of its parent.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(code)
"""


# Each kind of day with few or many threads. Days of small rows take long, and are run once.
THREADS = (("large-records", 2), ("large-records", 32), ("distinct-names", 2), ("distinct-lines", 32))


@pytest.fixture(scope="module")
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Heavy, Path]:
    """Each heavy day, generated once."""
    heavy, folder = DAYS[request.param], tmp_path_factory.mktemp(request.param)
    heavy.make(folder)
    return heavy, folder


@pytest.mark.parametrize(("day", "threads"), THREADS, indirect=["day"])
def test_a_day_without_repetition_stays_within_the_memory_limit(
    day: tuple[Heavy, Path], threads: int, tmp_path: Path
) -> None:
    """An empty day shows the memory of the binary itself, which is large for a debug build."""
    heavy, folder = day
    empty = tmp_path / "empty"
    empty.mkdir()
    own = peak_of_run(heavy.dataset.name, empty, tmp_path / "empty-lake", threads)
    allowed = MEMORY + MARGIN + threads * MARGIN_A_THREAD
    taken = [peak_of_run(heavy.dataset.name, folder, tmp_path / "lake", threads) - own]
    manifest = next((tmp_path / "lake" / "_manifests").rglob("*.json"))
    assert json.loads(manifest.read_bytes())["ledger"]["written"] == heavy.rows
    # The C library keeps freed memory for each thread. How much depends on the order in which threads work.
    if taken[0] > allowed:
        taken.append(peak_of_run(heavy.dataset.name, folder, tmp_path / "again", threads) - own)
    assert min(taken) <= allowed, [f"{peak / MIB:.0f} MiB" for peak in (own, allowed, *taken)]


# An entry for a log file whose name and times say nothing, so that every day of the digest needs it.
SHORTEST = {"s3Bucket": "", "s3Object": "", "hashValue": "", "hashAlgorithm": "SHA-256"}
NAME = "111122223333_CloudTrail_ap-northeast-2_20231031T2345Z_"
# Hostile digests by kind: entries of log files, as many as a text may hold, and the number of digests.
HOSTILE: dict[str, tuple[dict[str, str], int, int]] = {
    "as many files as a digest may name": (SHORTEST | {"s3Object": NAME + "x" * 300}, 100_000, 1),
    "many more files": (SHORTEST, 600_000, 1),
    "more text": (SHORTEST | {"s3Object": NAME + "x" * 2_000}, 100_000, 1),
    "one endless name": (SHORTEST | {"s3Object": NAME + "x" * (47 * MIB)}, 1, 1),
    "many digests of many more files": (SHORTEST, 600_000, 8),
}


@pytest.mark.parametrize(("entry", "files", "digests"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_digests_stay_within_the_memory_limit(
    entry: dict[str, str], files: int, digests: int, tmp_path: Path
) -> None:
    """They are a few megabytes when packed."""
    chain = Chain(Signer(), logs_an_hour=1)
    objects = chain.make()
    whole = write(objects, tmp_path / "raw")
    options = ("--public-keys", str(chain.signer.write(tmp_path / "keys.json")))
    own = peak_of_run("cloudtrail", whole, tmp_path / "whole-lake", 2, *options)
    for hour in range(9, 9 + digests):
        key = chain.digest_key(START + hour * HOUR)
        text = gzip.decompress(objects[key].body)
        before, _, after = text.partition(b'"logFiles": [')
        assert after
        list_of_files = b",".join([json.dumps(entry).encode()] * files)
        text = before + b'"logFiles": [' + list_of_files + b"]}"
        (whole / key).write_bytes(gzip.compress(text, 1, mtime=0))
    check_peak(own, peak_of_run("cloudtrail", whole, tmp_path / "lake", 2, *options), tmp_path / "lake")


def test_large_digests_are_not_fetched_together(tmp_path: Path) -> None:
    """Each is as large as a digest may be when packed."""
    chain = Chain(Signer(), logs_an_hour=1)
    whole = write(chain.make(), tmp_path / "raw")
    options = ("--public-keys", str(chain.signer.write(tmp_path / "keys.json")))
    own = peak_of_run("cloudtrail", whole, tmp_path / "whole-lake", 2, *options)
    for hour in range(1, 31):
        with (whole / chain.digest_key(START + hour * HOUR)).open("wb") as digest:
            digest.truncate(16 * MIB)
    check_peak(own, peak_of_run("cloudtrail", whole, tmp_path / "lake", 2, *options), tmp_path / "lake")


def check_peak(own: int, peak: int, lake: Path) -> None:
    """The digests are broken, and took no more than other work may."""
    manifest = next((lake / "_manifests").rglob("*.json"))
    assert json.loads(manifest.read_bytes())["proof"]["verdict"] == "broken"
    assert (peak - own) / MIB <= (MEMORY + MARGIN + 2 * MARGIN_A_THREAD) / MIB, f"{own / MIB:.0f} MiB without"


def peak_of_run(dataset: str, folder: Path, lake: Path, threads: int, *options: str) -> int:
    """Publishes a day. Returns the peak memory of the process in bytes."""
    peak = lake.with_name(f"{lake.name}.peak")
    logmill(
        *("run", "--day", "2023-11-01", "--dataset", dataset, "--input", folder, "--output", lake),
        *("--memory", f"{MEMORY // MIB}MiB", "--threads", str(threads), "--quiet", *options),
        before=(sys.executable, "-S", "-E", "-c", MEASURED, str(peak)),
    )
    return int(peak.read_text())
