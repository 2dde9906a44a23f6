"""Listing a bucket takes few requests, and no object is missed.

The same names are put into a folder, where every file is inspected, and into a bucket, where whole ranges of
keys are skipped. Both must select the same objects. Pages are small, so that few names fill many pages.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws import Aws
from faults import Reply
from harness import DATASETS, logmill

PAGE = 7
DAY = "2023-11-01"
ACCOUNTS = ("111122223333", "202311010000")
REGIONS = ("ap-northeast-2", "us-east-1")
# The last ones sort among the times of logs, or begin like a year.
PREFIXES = ("", "web-", "app1", "app10", "my-app-2022-", "2", "20", "2023", "2021-", "~")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server returns few keys per page."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))
    return


def moments(dice: random.Random, count: int) -> list[datetime]:
    """Times over two years, many of them near the day."""
    day = datetime(2023, 10, 31, 15, tzinfo=UTC)
    near = [day + timedelta(minutes=dice.randrange(-2880, 4320)) for _ in range(count // 2)]
    far = [day + timedelta(hours=dice.randrange(-9000, 9000)) for _ in range(count - count // 2)]
    return near + far


def access_keys(dice: random.Random, folder: str, count: int) -> list[str]:
    """Names of access logs with prefixes of all kinds in one folder."""
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
    """Names of CloudTrail's logs and of other files next to them."""
    keys = []
    for at in moments(dice, count):
        account, region = dice.choice(ACCOUNTS), dice.choice(REGIONS)
        kind = dice.choice(("CloudTrail", "CloudTrail", "CloudTrail", "CloudTrail-Digest", "Config"))
        name = f"{account}_{kind}_{region}_{at:%Y%m%dT%H%MZ}_{dice.randrange(16**8):08x}.json.gz"
        keys.append(f"{folder}AWSLogs/o-org/{account}/{kind}/{region}/{at:%Y/%m/%d}/{name}")
    return keys


def chosen(plan: str, root: str) -> dict[str, set[str]]:
    """The keys that a plan selects, by table."""
    return {
        table["table"]: {entry["address"].removeprefix(root) for entry in table["objects"]}
        for table in json.loads(plan)["tables"]
    }


def left_out(plan: str, root: str) -> dict[str, set[tuple[str, str]]]:
    """The keys that a plan leaves out for other reasons than their time, with the reason, by table."""
    return {
        table["table"]: {
            (entry["address"].removeprefix(root), entry["why"])
            for entry in table["left"]
            if not entry["of_another_time"]
        }
        for table in json.loads(plan)["tables"]
    }


def noise_keys(dice: random.Random, folder: str, count: int) -> list[str]:
    """Files that are not logs: of other services, hidden, unfinished, partial, or similar in name."""
    names = (
        "111122223333_vpcflowlogs_{region}_fl-0a_{at:%Y%m%dT%H%MZ}_{number:08x}.log.gz",
        "._{at:%Y-%m-%d-%H-%M-%S}-{number:08X}",
        "{at:%Y-%m-%d-%H-%M-%S}-{number:08X}.tmp",
        "111122223333_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{number:08x}.json.gz.6eF3aBcD",
        "app-1-{at:%Y-%m-%d-%H-%M-%S}-0b9bd55b-6a3c-4b0b-9d6a-{number:012x}",
        "notes-{number}",
    )
    return [
        folder + dice.choice(names).format(at=at, region=dice.choice(REGIONS), number=dice.randrange(16**8))
        for at in moments(dice, count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_a_bucket_and_a_folder_give_the_same_objects(seed: int, aws: Aws, tmp_path: Path) -> None:
    dice = random.Random(seed)
    keys = access_keys(dice, "", 40) + access_keys(dice, "logs/", 120) + access_keys(dice, "logs/2023/", 20)
    keys += partitioned_keys(dice, "parts/", 60) + partitioned_keys(dice, "logs/", 20)
    keys += trail_keys(dice, "", 60) + trail_keys(dice, "trails/", 40)
    keys += noise_keys(dice, "logs/", 20) + noise_keys(dice, "parts/111122223333/us-east-1/web/2023/", 10)
    in_bucket, in_folder = plans(aws, tmp_path, keys)
    for objects in in_folder:
        assert all(len(objects[table]) > 2 for table in DATASETS)
    assert in_bucket == in_folder


# Characters that XML cannot contain, that it changes, and that could be mistaken for an encoding.
ODD_NAMES = ("a\x1b[2Jb", "a\rb\tc", "a+b", "a b", "a%2Bb", "a&amp;b", "a<b>", "\ud55c\u00e9", "a%")


def test_names_that_xml_cannot_represent_are_listed_and_read(aws: Aws, tmp_path: Path) -> None:
    bucket, key = aws.bucket("odd"), "{}/111122223333_CloudTrail_ap-northeast-2_20231101T0310Z_{}.json"
    names = {key.format(name, place) for place, name in enumerate(ODD_NAMES)}
    for place, name in enumerate(sorted(names)):
        event = {"eventID": str(place), "eventTime": "2023-11-01T03:00:00Z", "eventSource": "a", "eventName": "b"}
        aws.s3.put_object(Bucket=bucket, Key=name, Body=json.dumps({"Records": [event]}).encode())
    source = ("--dataset", "cloudtrail", "--input", f"s3://{bucket}")
    plan = aws.logmill("plan", "--day", DAY, "--format", "json", *source).stdout
    assert chosen(plan, f"s3://{bucket}/") == {"cloudtrail": names}
    run = aws.logmill("run", "--day", DAY, *source, "--output", str(tmp_path / "lake"))
    assert "s3_access" not in run.stdout
    rows = logmill("query", "--output", tmp_path / "lake", "--format", "csv", "SELECT count(*) FROM cloudtrail")
    assert rows.stdout.splitlines()[1:] == [str(len(names))]


def test_an_answer_that_is_not_xml_is_reported(aws: Aws) -> None:
    bucket = aws.bucket("unread")
    answer = "<ListBucketResult><Contents><Key>a\x1bb</Key></Contents></ListBucketResult>"
    aws.proxy.rule(Reply(answer, "application/xml"), operation="ListObjectsV2", path=f"{bucket}*")
    messages = aws.logmill("plan", "--day", DAY, "--input", f"s3://{bucket}/logs/", code=4).stderr
    assert "cannot list the input" in messages
    assert f"s3://{bucket}/logs/" in messages
    assert "control characters" in messages


Plan = tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]]


def plans(aws: Aws, folder: Path, keys: list[str]) -> tuple[Plan, Plan]:
    """The selected and left out keys of a plan, for the same keys in a bucket and in a folder."""
    bucket = aws.bucket("raw")
    for key in keys:
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        aws.s3.put_object(Bucket=bucket, Key=key, Body=b"")
    ask = ("plan", "--day", DAY, "--format", "json", "--input")
    found = []
    for plan, root in (
        (aws.logmill(*ask, f"s3://{bucket}").stdout, f"s3://{bucket}/"),
        (logmill(*ask, folder).stdout, f"{folder}/"),
    ):
        found.append((chosen(plan, root), left_out(plan, root)))
    return found[0], found[1]


TRAIL = "111122223333_CloudTrail_ap-northeast-2_20231101T0310Z_AbCdEfGhIjKlMnOp.json.gz"
LINE = "2023-11-01-04-10-11-000000000000000A"
PLACE = "111122223333/ap-northeast-2/web/"


@pytest.mark.parametrize(
    "key",
    [
        f"{PLACE}{LINE}",
        f"{PLACE}app-{LINE}",
        f"{PLACE}2023/11/01/{LINE}",
        f"{PLACE}2023/{LINE}",
        f"{PLACE}2023/11/{LINE}",
        f"{PLACE}2023/11/1/{LINE}",
        f"{PLACE}year=2023/month=11/day=01/{LINE}",
        f"111122223333/ap-northeast-2/{PLACE}2023/11/01/{LINE}",
        f"archive/111122223333/ap-northeast-2/web/copy/{LINE}",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/{TRAIL}",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/{TRAIL}",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/11/{TRAIL}",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/11/1/{TRAIL}",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/year=2023/month=11/day=01/{TRAIL}",
        f"AWSLogs/111122223333/CloudTrail/{TRAIL}",
        f"AWSLogs/AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/11/01/{TRAIL}",
        f"AWSLogs/archive/2022/AWSLogs/o-org/111122223333/CloudTrail/ap-northeast-2/2023/11/01/{TRAIL}",
        f"CloudTrail/ap-northeast-2/2023/11/01/{TRAIL}",
        TRAIL,
    ],
)
def test_a_log_is_read_in_any_folder(key: str, aws: Aws, tmp_path: Path) -> None:
    # Objects of both log types in their standard locations.
    standard_keys = [
        f"{PLACE}2023/11/01/2023-11-01-05-10-11-000000000000000B",
        f"AWSLogs/111122223333/CloudTrail/ap-northeast-2/2023/11/01/{TRAIL.replace('AbCd', 'Beside')}",
    ]
    in_bucket, in_folder = plans(aws, tmp_path, [key, *standard_keys])
    assert in_bucket == in_folder
    assert sum(key in objects for objects in in_folder[0].values()) == 1


@pytest.mark.parametrize("prefix", ["", "web-", "logs/", "logs/app1"])
def test_one_day_of_many_costs_only_its_own_pages(prefix: str, aws: Aws) -> None:
    start = datetime(2023, 6, 1, tzinfo=UTC)
    keys = [f"{prefix}{start + timedelta(hours=hour):%Y-%m-%d-%H-%M-%S}-A" for hour in range(300 * 24)]
    bucket = aws.bucket("raw")
    aws.fill(bucket, dict.fromkeys(keys, b""))
    plan = aws.logmill(
        *("plan", "--day", DAY, "--format", "json", "--dataset", "s3-access"),
        *("--input", f"s3://{bucket}/{prefix}"),
    )
    (table,) = json.loads(plan.stdout)["tables"]
    # Two days, and the midnight before them, which may mean the UTC day of the events.
    assert len(table["objects"]) == 49
    requests = aws.proxy.counts()["ListObjectsV2"]
    assert table["requests"] == requests
    # The pages of two days, a few to find them, and the requests that prove the skipped ranges irrelevant:
    # one group for each of their days. Small pages multiply these. All pages would be over 1,000 requests.
    days_of_ten_months = 10 * -(-31 // PAGE)
    pages_of_gaps = 2 * 4
    assert requests <= 48 // PAGE + 8 + pages_of_gaps + days_of_ten_months + 6
