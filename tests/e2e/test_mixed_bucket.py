"""A bucket with the logs of all types: one backfill without named log types, compared with single runs."""

import os
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

from aws import Aws
from harness import REPOSITORY, SAMPLE_DATA, Lake

DAYS = [f"2023-{day}" for day in ("10-31", "11-01", "11-02")]
# The sample has few rows on the days around it, some of them damaged.
OPTIONS = ("--max-reject-ratio", "1", "--quiet")
LOGS = ("cloudtrail", "s3-access", "load-balancers", "cloudfront", "vpc-flow", "waf", "resolver-query")
MONTH = [(date(2023, 10, 3) + timedelta(days=number)).isoformat() for number in range(30)]
# The presets of the generator of sample data, each with its folder.
PRESETS = {
    "sample": ".",
    "elb": "load-balancers",
    "cloudfront": "cloudfront",
    "vpc-flow": "vpc-flow",
    "waf": "waf",
    "resolver-query": "resolver-query",
    "access-json": "access-json",
}
GENERATOR = os.environ.get("SAMPLE_GENERATOR")


def test_a_backfill_of_a_mixed_bucket_equals_single_runs(aws: Aws, tmp_path: Path) -> None:
    root = REPOSITORY / SAMPLE_DATA
    files = [path for folder in LOGS for path in (root / folder).rglob("*") if path.is_file()]
    assert_equals_single_runs(aws, tmp_path, root, files, DAYS)


@pytest.mark.skipif(
    GENERATOR is None, reason="takes minutes; set SAMPLE_GENERATOR to target/release/examples/generate"
)
def test_a_backfill_of_a_month_of_a_mixed_bucket_equals_single_runs(aws: Aws, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    for seed, day in enumerate(MONTH):
        for preset, folder in PRESETS.items():
            options = ("--preset", preset, "--day", day, "--seed", str(seed), "--out", str(root / folder))
            subprocess.run([str(GENERATOR), *options], check=True)
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "expected.json"]
    assert_equals_single_runs(aws, tmp_path, root, files, MONTH)


def assert_equals_single_runs(
    aws: Aws, tmp_path: Path, root: Path, files: list[Path], days: list[str]
) -> None:
    """Compares the part files of a backfill of a bucket with those of a run for each day, byte by byte."""
    source = aws.source({path.relative_to(root).as_posix(): path.read_bytes() for path in files})
    of_range, of_days = tmp_path / "of-range", tmp_path / "of-days"
    range_of_days = ("--from", days[0], "--to", days[-1])
    aws.logmill("backfill", *range_of_days, "--input", source, "--output", of_range, *OPTIONS)
    for day in days:
        aws.logmill("run", "--day", day, "--input", source, "--output", of_days, *OPTIONS)
    expected = Lake(of_days).digests()
    tables = {name.split("/")[0] for name in expected}
    assert len(tables) == 10
    assert len(expected) > (len(days) - 1) * len(tables)
    assert Lake(of_range).digests() == expected
