"""`discover`, `init` and a run without a day, over S3: every object is listed once, and requests are counted.

The expected numbers come from the names of the files in sample-data.
"""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws import Aws, sample_objects
from harness import SAMPLE_DAY, logmill, manifest_path

PAGE = 5
TRAIL = re.compile(r"_CloudTrail_[a-z0-9-]+_\d{8}T\d{4}Z_")
ACCESS = re.compile(r"\d{4}(-\d\d){5}-[0-9A-F]+$")


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server returns few keys per page."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))


def test_a_bucket_is_listed_once_for_all_log_types(aws: Aws, tmp_path: Path) -> None:
    objects = sample_objects()
    source = aws.source(objects)
    found = json.loads(aws.logmill("discover", "--input", source, "--format", "json").stdout)
    counts = aws.proxy.counts()
    assert found["requests"] == counts["ListObjectsV2"]
    # Each folder takes a request, and another for every further page.
    folders = {str(parent) for key in objects for parent in Path(key).parents}
    pages = sum(-(-len(children(objects, folder)) // PAGE) for folder in folders)
    assert found["requests"] <= pages + len(folders)
    # No object is read: all names are clear.
    assert set(counts) == {"ListObjectsV2"}
    for name, pattern in (("cloudtrail", TRAIL), ("s3-access", ACCESS)):
        logs = {key: body for key, body in objects.items() if pattern.search(key)}
        entry = next(entry for entry in found["log_types"] if entry["dataset"] == name)
        assert (entry["objects"], entry["bytes"]) == (len(logs), sum(map(len, logs.values())))
    assert found["objects_listed"] == len(objects)
    requests = found["backfill"]["s3_requests"]
    assert (requests["get"], requests["list"]) == (found["backfill"]["objects"], 2 * found["requests"])
    assert requests["dollars"] == pytest.approx((requests["get"] * 0.00035 + requests["list"] * 0.0045) / 1000)
    init, backfill = found["next"]
    config = str(tmp_path / "logmill.toml")
    lake = str(tmp_path / "lake")
    init = init.replace("--output lake", f"--output {lake} --config {config}")
    created = aws.logmill(*shlex.split(init)[1:])
    assert f"created {config}" in created.stdout
    (line,) = re.findall(r"logmill (backfill .*)", created.stdout)
    assert shlex.split(backfill)[1:6] == shlex.split(line)[:5]
    aws.logmill(*shlex.split(line), "--quiet")
    assert manifest_path(Path(lake), "cloudtrail", SAMPLE_DAY).exists()


def children(objects: dict[str, bytes], folder: str) -> set[str]:
    """The names directly in a folder."""
    below = "" if folder == "." else f"{folder}/"
    return {key.removeprefix(below).split("/")[0] for key in objects if key.startswith(below)}


def test_a_bucket_and_a_folder_hold_the_same(aws: Aws, tmp_path: Path) -> None:
    objects = sample_objects() | {
        "AWSLogs/111122223333/elasticloadbalancing/us-east-1/2023/11/01/x.log.gz": b"elb",
        "notes.txt": b"prose",
        "renamed/access.log": b'o web [31/Oct/2023:21:03:00 +0000] 192.0.2.3 - A REST.GET.OBJECT a "GET / HTTP/1.1" 200\n',
    }
    for key, body in objects.items():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    source = aws.source(objects)
    in_bucket, in_folder = (
        json.loads(run("discover", "--input", root, "--format", "json").stdout.replace(root, ""))
        for run, root in ((aws.logmill, source), (logmill, f"{tmp_path}/"))
    )
    assert in_bucket["log_types"] == in_folder["log_types"]
    assert in_bucket["left"] == in_folder["left"]
    assert in_bucket["objects_read"] == in_folder["objects_read"] == 3
    assert aws.proxy.counts()["GetObject"] == 3


def test_days_are_proposed_from_few_requests(aws: Aws) -> None:
    bucket = aws.bucket("raw")
    start = datetime(2023, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=day) for day in range(300)]
    aws.fill(
        bucket,
        {
            f"AWSLogs/111122223333/CloudTrail/us-east-1/{at:%Y/%m/%d}/111122223333_CloudTrail_us-east-1_{at:%Y%m%d}T{hour:02}10Z_a.json.gz": b""
            for at in days
            for hour in (3, 16)
        },
    )
    messages = aws.logmill("run", "--input", f"s3://{bucket}", "--output", "lake", code=2).stderr
    # 2023-10-27T16:10Z is the 28th in Korea.
    assert "the inputs hold logs of 2023-01-01 to 2023-10-28: pass --day 2023-10-27" in messages
    counts = aws.proxy.counts()
    assert set(counts) == {"ListObjectsV2"}
    # Four folders above the years, ten months of up to seven pages, and the way to the first and the last date.
    assert counts["ListObjectsV2"] < 120


def test_an_empty_bucket_is_an_error(aws: Aws) -> None:
    bucket = aws.bucket("raw")
    assert "the input is empty" in aws.logmill("discover", "--input", f"s3://{bucket}", code=4).stderr
    assert "no day is given" in aws.logmill("run", "--input", f"s3://{bucket}", "--output", "lake", code=2).stderr
