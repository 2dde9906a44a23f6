"""A bucket is listed in a few requests, and nothing is overlooked for that.

The same names are put into a folder, where every file is looked at, and into a bucket, where whole stretches
of keys are passed over. Both must choose the same objects. Pages are small, so that few names make many.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws import Aws
from harness import logmill

PAGE = 7
DAY = "2023-11-01"
ACCOUNTS = ("111122223333", "202311010000")
REGIONS = ("ap-northeast-2", "us-east-1")
# The last ones sort among the times of logs, or begin like a year.
PREFIXES = ("", "web-", "app1", "app10", "my-app-2022-", "2", "20", "2023", "2021-", "~")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server answers with few keys at a time."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))
    return


def moments(dice: random.Random, count: int) -> list[datetime]:
    """Times over two years, many of them about the day."""
    day = datetime(2023, 10, 31, 15, tzinfo=UTC)
    near = [day + timedelta(minutes=dice.randrange(-2880, 4320)) for _ in range(count // 2)]
    far = [day + timedelta(hours=dice.randrange(-9000, 9000)) for _ in range(count - count // 2)]
    return near + far


def access_keys(dice: random.Random, folder: str, count: int) -> list[str]:
    """Names of access logs with prefixes of all kinds side by side in one folder."""
    return [
        f"{folder}{dice.choice(PREFIXES)}{at:%Y-%m-%d-%H-%M-%S}-{dice.randrange(16**8):08X}"
        for at in moments(dice, count)
    ]


def partitioned_keys(dice: random.Random, folder: str, count: int) -> list[str]:
    """Names of access logs in folders of accounts, regions, buckets and days."""
    return [
        f"{folder}{dice.choice(ACCOUNTS)}/{dice.choice(REGIONS)}/web/{at:%Y/%m/%d/%Y-%m-%d-%H-%M-%S}-{dice.randrange(16**8):08X}"
        for at in moments(dice, count)
    ]


def trail_keys(dice: random.Random, folder: str, count: int) -> list[str]:
    """Names of CloudTrail's logs and of what lies beside them."""
    keys = []
    for at in moments(dice, count):
        account, region = dice.choice(ACCOUNTS), dice.choice(REGIONS)
        kind = dice.choice(("CloudTrail", "CloudTrail", "CloudTrail", "CloudTrail-Digest", "Config"))
        name = f"{account}_{kind}_{region}_{at:%Y%m%dT%H%MZ}_{dice.randrange(16**8):08x}.json.gz"
        keys.append(f"{folder}AWSLogs/o-org/{account}/{kind}/{region}/{at:%Y/%m/%d}/{name}")
    return keys


def chosen(plan: str, root: str) -> dict[str, set[str]]:
    """The keys that a plan would read, by table."""
    return {
        table["table"]: {entry["address"].removeprefix(root) for entry in table["objects"]}
        for table in json.loads(plan)["tables"]
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_bucket_gives_the_objects_that_a_folder_gives(seed: int, aws: Aws, tmp_path: Path) -> None:
    dice = random.Random(seed)
    keys = access_keys(dice, "", 40) + access_keys(dice, "logs/", 120) + access_keys(dice, "logs/2023/", 20)
    keys += partitioned_keys(dice, "parts/", 60) + partitioned_keys(dice, "logs/", 20)
    keys += trail_keys(dice, "", 60) + trail_keys(dice, "trails/", 40)
    bucket = aws.bucket("raw")
    for key in keys:
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        aws.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    ask = ("plan", "--day", DAY, "--format", "json", "--input")
    expected = chosen(logmill(*ask, tmp_path).stdout, f"{tmp_path}/")
    assert all(len(objects) > 2 for objects in expected.values())
    assert chosen(aws.logmill(*ask, f"s3://{bucket}").stdout, f"s3://{bucket}/") == expected


@pytest.mark.parametrize("prefix", ["", "web-", "logs/", "logs/app1"])
def test_a_day_of_many_costs_only_its_own_pages(prefix: str, aws: Aws) -> None:
    start = datetime(2023, 6, 1, tzinfo=UTC)
    keys = [f"{prefix}{start + timedelta(hours=hour):%Y-%m-%d-%H-%M-%S}-A" for hour in range(300 * 24)]
    bucket = aws.bucket("raw")
    fill(aws, bucket, keys)
    plan = aws.logmill(
        *("plan", "--day", DAY, "--format", "json", "--dataset", "s3-access"),
        *("--input", f"s3://{bucket}/{prefix}"),
    )
    (table,) = json.loads(plan.stdout)["tables"]
    assert len(table["objects"]) == 48
    requests = aws.proxy.counts()["ListObjectsV2"]
    assert table["requests"] == requests
    # The pages of two days, and a few to find them: all would be over a thousand.
    assert requests <= 48 // PAGE + 8


def fill(aws: Aws, bucket: str, keys: list[str]) -> None:
    """Puts empty objects straight into the server, which lives in this process."""
    from moto.s3.models import s3_backends

    account = aws.client("sts").get_caller_identity()["Account"]
    backend = s3_backends[account]["aws"]
    for key in keys:
        backend.put_object(bucket, key, b"")
