"""A bucket with the logs of all types: one backfill without named log types, compared with single runs."""

from pathlib import Path

from aws import Aws
from harness import REPOSITORY, SAMPLE_DATA, Lake

DAYS = [f"2023-{day}" for day in ("10-31", "11-01", "11-02")]
# The sample has few rows on the days around it, some of them damaged.
OPTIONS = ("--max-reject-ratio", "1", "--quiet")
LOGS = ("cloudtrail", "s3-access", "load-balancers", "cloudfront", "vpc-flow", "waf", "resolver-query")


def test_a_backfill_of_a_mixed_bucket_equals_single_runs(aws: Aws, tmp_path: Path) -> None:
    root = REPOSITORY / SAMPLE_DATA
    files = [path for folder in LOGS for path in (root / folder).rglob("*") if path.is_file()]
    source = aws.source({path.relative_to(root).as_posix(): path.read_bytes() for path in files})
    of_range, of_days = tmp_path / "of-range", tmp_path / "of-days"
    range_of_days = ("--from", DAYS[0], "--to", DAYS[-1])
    aws.logmill("backfill", *range_of_days, "--input", source, "--output", of_range, *OPTIONS)
    for day in DAYS:
        aws.logmill("run", "--day", day, "--input", source, "--output", of_days, *OPTIONS)
    expected = Lake(of_days).digests()
    tables = {name.split("/")[0] for name in expected}
    assert len(tables) == 10
    assert len(expected) > 2 * len(tables)
    assert Lake(of_range).digests() == expected
