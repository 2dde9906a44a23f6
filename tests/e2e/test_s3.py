"""Raw logs in S3 and a lake in S3: the same day as from folder to folder, and no other key is changed."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pyarrow.dataset
import pyarrow.fs
import pytest
import trustme

from aws import ACCOUNT, CREDENTIALS, OTHER_DAYS, REGION, Aws, S3Lake, sample_objects, table_of
from compare import TYPE_OF_DAY, read_rows
from engines import DuckDb, Pyarrow
from faults import FaultProxy, running
from harness import DATASETS, NAMED, SAMPLE_DATA, SAMPLE_DAY, Published, is_manifest, partition, run_day
from small_day import few_objects

COUNTS = ("read", "written", "other_day", "duplicate", "quarantined", "objects", "bytes")
OLD_RUN = "20231102T000000Z-00000000"


@pytest.fixture(scope="module")
def few(aws_server: str) -> str:
    """Address of a few raw objects of the sample in S3. Tests do not change them."""
    return Aws(aws_server, FaultProxy(aws_server)).source(few_objects())


def test_a_day_from_s3_has_the_rows_of_the_same_day_from_a_folder(
    aws: Aws, raw_sample: str, sample: Published, tmp_path: Path
) -> None:
    """Every value matches. Only the addresses of the raw objects differ."""
    lake = aws.lake()
    summary = aws.run(lake, source=raw_sample)
    local = lake.download(tmp_path)
    for table in DATASETS:
        ours, theirs = table_of(summary, table), sample.ledger(table)
        assert {name: ours[name] for name in COUNTS} == {name: theirs[name] for name in COUNTS}
        rows = {
            (moved(address, raw_sample), record): cells | {"source_object": moved(address, raw_sample)}
            for (address, record), cells in read_rows(local.table(table)).items()
        }
        assert rows == read_rows(sample.lake.table(table))
    lake.assert_clean()


def moved(address: str, source: str) -> str:
    """The address in the folder for an object in S3."""
    assert address.startswith(source)
    return f"{SAMPLE_DATA}/{address.removeprefix(source)}"


def test_a_lake_in_s3_has_the_bytes_of_a_lake_in_a_folder(
    aws: Aws, raw_sample: str, sample: Published, tmp_path: Path
) -> None:
    """For raw logs in S3 and in a folder, in one run and in shards."""
    from_folder, from_s3, from_shards = aws.lake(), aws.lake(), aws.lake()
    aws.run(from_folder, source=SAMPLE_DATA)
    assert from_folder.download(tmp_path / "a").digests() == sample.lake.digests()
    aws.run(from_s3, source=raw_sample)
    run_in_shards(aws, from_shards, raw_sample, tmp_path)
    to_folder = run_day(tmp_path / "b", source=raw_sample, env=aws.env()).lake.digests()
    assert from_s3.download(tmp_path / "c").digests() == to_folder
    assert from_shards.download(tmp_path / "d").digests() == to_folder
    assert len(to_folder) == len(DATASETS)


def run_in_shards(aws: Aws, lake: S3Lake, source: str, folder: Path) -> None:
    """Runs `plan`, `convert` for two shards, and `publish`."""
    plan, staging = folder / "plan.json", folder / "staging"
    arguments = ("--day", SAMPLE_DAY, "--input", source, "--shards", "2", "--format", "json")
    plan.write_text(aws.logmill("plan", *arguments).stdout)
    for shard in ("1", "0"):
        aws.logmill("convert", "--plan", plan, "--shard", shard, "--staging", staging)
    aws.logmill("publish", "--plan", plan, "--staging", staging, "--output", lake.url, "--quiet")


class FromS3(Pyarrow):
    """pyarrow's dataset directly over the bucket, without a download."""

    def __init__(self, lake: S3Lake, table: str) -> None:
        files = pyarrow.fs.S3FileSystem(
            access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            secret_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            endpoint_override=lake.aws.server.removeprefix("http://"),
            region=REGION,
            scheme="http",
        )
        self.dataset = pyarrow.dataset.dataset(
            f"{lake.bucket}/{lake.below}{table}",
            filesystem=files,
            format="parquet",
            partitioning=pyarrow.dataset.partitioning(TYPE_OF_DAY, flavor="hive"),
        )


def test_engines_read_the_same_from_s3_as_from_a_folder(
    aws: Aws, sample: Published, table: str, tmp_path: Path
) -> None:
    lake = aws.lake()
    aws.run(lake, source=SAMPLE_DATA)
    expected = Pyarrow(sample.lake, table).checksums()
    assert FromS3(lake, table).checksums() == expected
    duckdb = DuckDb(lake.download(tmp_path), table)
    assert (duckdb.rows(), duckdb.checksums()) == (sample.ledger(table)["written"], expected)


def test_publishing_again_changes_no_byte_and_removes_the_first_run(aws: Aws, few: str) -> None:
    lake = aws.lake()
    first = aws.run(lake, source=few)["run"]
    before = lake.readers()
    second = aws.run(lake, source=few)["run"]
    assert lake.readers() == before
    assert not [key for key in lake.paths() if first in key]
    assert [key for key in lake.paths() if second in key]
    lake.assert_clean()


def test_a_superseded_run_is_kept_for_its_grace(aws: Aws, few: str) -> None:
    lake = aws.lake()
    first = aws.run(lake, source=few)["run"]
    parts = {key: lake.get(key) for key in lake.paths() if first in key and key.endswith(".parquet")}
    assert len(parts) == len(DATASETS)
    aws.run(lake, "--grace", "1h", source=few)
    assert {key: lake.get(key) for key in parts} == parts
    assert all(first in key for key in lake.strays())
    aws.logmill("clean", "--output", lake.url, "--older-than", "0s", "--grace", "1h")
    assert parts.keys() <= lake.paths()
    clean = ("clean", "--output", lake.url, "--older-than", "0s", "--grace", "0s")
    aws.logmill(*clean, "--dry-run")
    assert parts.keys() <= lake.paths()
    aws.logmill(*clean)
    lake.assert_clean()
    aws.logmill("verify", "--day", SAMPLE_DAY, "--output", lake.url)


def test_uploads_are_cleaned_in_an_empty_lake_too(aws: Aws) -> None:
    """A first run of a table leaves such uploads if it is killed before it commits."""
    lake = aws.lake()
    run = f"{OLD_RUN}/part-00000.zstd.parquet"
    for key in (f"cloudtrail/proc_ymd=20231101/{run}", f"_quarantine/web/proc_ymd=20231102/{OLD_RUN}.jsonl"):
        aws.s3.create_multipart_upload(Bucket=lake.bucket, Key=lake.below + key)
    mine = aws.s3.create_multipart_upload(Bucket=lake.bucket, Key=lake.below + "mine/x")
    aws.logmill("clean", "--output", lake.url, "--older-than", "0s", "--dry-run")
    assert len(lake.uploads()) == 3
    aws.logmill("clean", "--output", lake.url, "--older-than", "0s")
    assert lake.uploads() == [mine["Key"]]


def test_a_superseded_run_is_kept_for_an_hour_by_default(aws: Aws, few: str) -> None:
    """Even without a catalog option: another task may register the day, and queries may read the run."""
    lake = aws.lake()
    command = ("run", "--day", SAMPLE_DAY, "--input", few, "--output", lake.url, "--quiet")
    aws.logmill(*command)
    before = lake.paths()
    aws.logmill(*command)
    parts = {path for path in before if path.endswith(".parquet")}
    assert parts
    assert parts <= lake.paths()
    aws.logmill("verify", "--day", SAMPLE_DAY, "--output", lake.url)


def test_a_day_without_logs_is_emptied_in_s3_if_that_is_allowed(aws: Aws, few: str) -> None:
    lake = aws.lake()
    aws.run(lake, source=few)
    summary = aws.run(lake, *NAMED, "--allow-empty", source=aws.source(OTHER_DAYS))
    assert [table_of(summary, table)["written"] for table in DATASETS] == [0, 0]
    assert lake.readers() == {table: [] for table in DATASETS}
    lake.assert_clean()


def test_verify_accepts_a_published_day_and_rejects_a_damaged_one(aws: Aws, few: str) -> None:
    lake = aws.lake()
    aws.run(lake, source=few)
    verify = ("verify", "--day", SAMPLE_DAY, "--output", lake.url)
    aws.logmill(*verify)
    part = next(key for key in sorted(lake.paths()) if key.endswith(".parquet"))
    content = bytearray(lake.get(part))
    content[len(content) // 2] ^= 1
    aws.put(lake.bucket, {lake.below + part: bytes(content)})
    assert part in aws.logmill(*verify, code=4).stdout
    aws.s3.delete_object(Bucket=lake.bucket, Key=lake.below + part)
    assert part in aws.logmill(*verify, code=4).stdout


@pytest.mark.parametrize("prefix", ["", "lake", "lake/", "a/lake"])
def test_keys_outside_the_day_are_not_touched(aws: Aws, few: str, prefix: str) -> None:
    """Neither by publishing twice nor by cleaning: tables with similar names, other days, nearby keys."""
    lake = aws.lake(prefix)
    folder = f"proc_ymd={SAMPLE_DAY.replace('-', '')}"
    inside = [
        f"cloudtrail2/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        f"cloudtrail_old/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        f"cloudtrail/{folder}0/{OLD_RUN}/part-00000.zstd.parquet",
        "cloudtrail/README.txt",
        "cloudtrail.txt",
        f"s3_access_log/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        "zzz",
    ]
    around = [
        "lake.txt",
        "lake-old/x",
        f"lake2/cloudtrail/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        f"lakecloudtrail/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        f"other/cloudtrail/{folder}/{OLD_RUN}/part-00000.zstd.parquet",
        "a/lakes",
    ]
    kept = {lake.below + key: b"mine" for key in inside} | {key: b"mine" for key in around}
    aws.put(lake.bucket, kept)
    for _ in range(2):
        aws.run(lake, source=few)
    for table in DATASETS:
        arguments = ("--output", lake.url, "--table", table)
        aws.logmill("clean", *arguments, "--older-than", "0s", "--grace", "0s")
    found = aws.contents(lake.bucket)
    assert {key: found.get(key) for key in kept} == kept
    assert lake.readers().keys() == DATASETS.keys()
    for table in DATASETS:
        aws.logmill("verify", "--day", SAMPLE_DAY, "--output", lake.url, "--table", table)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("sibling", ["logs2", "logs-old", "logs_old", "logs1/logs"])
def test_an_input_does_not_include_folders_with_a_similar_name(aws: Aws, slash: str, sibling: str) -> None:
    objects = {key: body for key, body in sample_objects().items() if key.startswith("cloudtrail")}
    source = aws.source(objects).rstrip("/")
    aws.put(source.split("/")[2], {f"{sibling}/{key}": body for key, body in objects.items()})
    summary = aws.run(aws.lake(), "--dataset", "cloudtrail", source=source + slash)
    assert table_of(summary, "cloudtrail")["objects"] == 30


def test_an_input_may_be_the_text_before_the_times_in_log_names(aws: Aws, raw_sample: str) -> None:
    """The target prefix of access logs does not have to end in a slash."""
    options = ("--dataset", "s3-access")
    folder = aws.run(aws.lake(), *options, source=f"{raw_sample}s3-access/simple/")
    glued = aws.run(aws.lake(), *options, source=f"{raw_sample}s3-access/simple/web-")
    assert table_of(glued, "s3_access")["objects"] == table_of(folder, "s3_access")["objects"] > 0
    assert table_of(glued, "s3_access")["written"] == table_of(folder, "s3_access")["written"]


@pytest.mark.parametrize(
    "mistake", ["mistyped/", "cloudtrai", "cloudtrail/AWSLogs/o-example", "s3-access/simple/we"]
)
def test_an_empty_input_is_refused_and_the_published_day_is_kept(aws: Aws, few: str, mistake: str) -> None:
    """A prefix without any object is a mistake, not a day without events."""
    lake = aws.lake()
    aws.run(lake, source=few)
    before = lake.readers()
    messages = aws.failing_run(lake, source=few + mistake, code=4)
    assert few + mistake in messages
    assert "hint:" in messages
    assert lake.readers() == before


def test_an_input_may_be_a_whole_bucket_or_a_single_object(aws: Aws, sample: Published) -> None:
    whole = aws.source(sample_objects(), prefix="").rstrip("/")
    summary = aws.run(aws.lake(), source=whole)
    assert table_of(summary, "cloudtrail")["read"] == sample.ledger("cloudtrail")["read"]
    key = next(key for key in sample_objects() if "20231101T0124Z" in key)
    single = aws.run(aws.lake(), "--dataset", "cloudtrail", source=f"{whole}/{key}")
    assert table_of(single, "cloudtrail")["objects"] == 1
    assert table_of(single, "cloudtrail")["read"] > 0


def test_a_lake_inside_its_input_is_not_read_as_logs(aws: Aws, few: str) -> None:
    """Raw logs and lake share a bucket: the second run reads the same logs as the first."""
    source = aws.source(few_objects(), prefix="").rstrip("/")
    lake = S3Lake(aws, source.split("/")[2], "lake")
    first = aws.run(lake, source=source)
    second = aws.run(lake, source=source)
    for table in DATASETS:
        assert [table_of(second, table)[name] for name in COUNTS] == [
            table_of(first, table)[name] for name in COUNTS
        ]


# Access logs in a day, and keys on a page. S3 has 1,000 keys on a page, which would only be slower.
A_DAY, PAGE = 50, 100
ACCESS_LOG_DAYS = [f"2023-{month:02}-{day:02}" for month in (9, 10) for day in range(1, 31)]
LAYOUTS = {
    "simple": "logs/web-{day}-{hour:02}-{minute:02}-00-{unique:016X}",
    "partitioned": f"logs/{ACCOUNT}/{REGION}/web/{{path}}/"
    "{day}-{hour:02}-{minute:02}-00-{unique:016X}",
}


@pytest.fixture(scope="module", params=LAYOUTS)
def many_keys(request: pytest.FixtureRequest, aws_server: str) -> Iterator[str]:
    """A bucket with 30 pages of access logs over 60 days, added without the API, which would take minutes."""
    aws = Aws(aws_server, FaultProxy(aws_server))
    bucket = aws.bucket("many")
    for day in ACCESS_LOG_DAYS:
        for number in range(A_DAY):
            minutes = number * 24 * 60 // A_DAY
            time = {"hour": minutes // 60, "minute": minutes % 60, "unique": number}
            key = LAYOUTS[request.param].format(day=day, path=day.replace("-", "/"), **time)
            aws.fill(bucket, {key: b"x"})
    yield f"s3://{bucket}/logs/"
    aws.stored(bucket).clear()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server returns few keys per page."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE))


@pytest.mark.usefixtures("pages")
def test_a_day_costs_a_few_list_requests_however_many_days_exist(
    aws: Aws, proxy: FaultProxy, many_keys: str
) -> None:
    """All keys would be 30 pages. The plan reports the number of pages."""
    arguments = ("--day", "2023-10-15", "--input", many_keys, "--dataset", "s3-access")
    plan = json.loads(aws.logmill("plan", *arguments, "--format", "json").stdout)["tables"][0]
    days = {address["address"].rpartition("/")[2][-36:][:10] for address in plan["objects"]}
    assert days >= {"2023-10-14", "2023-10-15"}
    assert A_DAY <= len(plan["objects"]) <= 3 * A_DAY
    listed = len(proxy.requests("ListObjectsV2"))
    assert plan["requests"] == listed
    # The pages of the day, a few for each gap, and the requests that prove the rest of each gap irrelevant.
    assert listed <= 20
    assert proxy.counts().keys() <= {"ListObjectsV2", "HeadBucket", "HeadObject"}


@pytest.mark.usefixtures("pages")
def test_requests_do_not_grow_with_the_number_of_log_types(aws: Aws, proxy: FaultProxy, many_keys: str) -> None:
    """The pages of a bucket are shared, and a series of access logs is skipped for all log types."""
    account = f"{many_keys}AWSLogs/111122223333"
    bucket, _, prefix = account.removeprefix("s3://").partition("/")
    name = "111122223333_{}_us-east-1_{}20231015T0310Z_a.gz"
    keys = [
        f"{prefix}/CloudTrail/us-east-1/2023/10/15/{name.format('CloudTrail', '')}",
        f"{prefix}/elasticloadbalancing/us-east-1/2023/10/15/{name.format('elasticloadbalancing', 'app.a.b_')}",
        f"{prefix}/GuardDuty/us-east-1/2023/10/15/a.jsonl.gz",
    ]
    aws.put(bucket, dict.fromkeys(keys, b""))

    def requests(*options: str) -> int:
        proxy.forget()
        aws.logmill("plan", "--day", "2023-10-15", "--input", many_keys, *options)
        return len(proxy.requests("ListObjectsV2"))

    most = max(requests("--dataset", name) for name in ("cloudtrail", "s3-access", "alb-access"))
    assert requests() <= most + 16


def test_requests_accept_requester_pays_and_name_the_bucket_owner(
    aws: Aws, proxy: FaultProxy, few: str
) -> None:
    bucket = few.split("/")[2]
    aws.run(aws.lake(), source=few)
    headers = {name for request in proxy.requests() for name in request.headers}
    assert not headers & {"x-amz-request-payer", "x-amz-expected-bucket-owner"}
    proxy.forget()
    aws.run(aws.lake(), "--requester-pays", "--expected-bucket-owner", ACCOUNT, source=few)
    raw = proxy.requests(path=f"{bucket}*")
    assert {request.operation for request in raw} >= {"ListObjectsV2", "GetObject"}
    for request in raw:
        assert request.headers["x-amz-request-payer"] == "requester"
        assert request.headers["x-amz-expected-bucket-owner"] == ACCOUNT


def test_objects_are_written_with_the_configured_options(aws: Aws, proxy: FaultProxy, few: str) -> None:
    """Encryption, tags and access list on every object; the storage class on parts, not on the manifest."""
    lake = aws.lake()
    options = ("--sse", "kms", "--kms-key", "alias/logs", "--storage-class", "INTELLIGENT_TIERING")
    tags = ("--tag", "team=data platform", "--tag", "cost=42")
    aws.run(lake, *options, *tags, "--acl", "bucket-owner-full-control", source=few)
    writes = proxy.requests("CreateMultipartUpload") + proxy.requests("PutObject")
    names = {request.path.rpartition("/")[2] for request in writes}
    assert names >= {f"{partition(SAMPLE_DAY)}.json", "part-00000.zstd.parquet"}
    for request in writes:
        assert request.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/logs"
        assert request.headers["x-amz-acl"] == "bucket-owner-full-control"
        tagging = request.headers["x-amz-tagging"].replace("+", "%20")
        assert sorted(tagging.split("&")) == ["cost=42", "team=data%20platform"]
        stored = request.headers.get("x-amz-storage-class", "STANDARD")
        is_part = request.path.endswith(".parquet")
        assert stored == "INTELLIGENT_TIERING" or not is_part
        assert stored == "STANDARD" or not is_manifest(request.path)
    lake.assert_clean()


def test_encryption_with_the_keys_of_s3_is_requested(aws: Aws, proxy: FaultProxy, few: str) -> None:
    aws.run(aws.lake(), "--sse", "s3", source=few)
    for request in proxy.requests("CreateMultipartUpload") + proxy.requests("PutObject"):
        assert request.headers["x-amz-server-side-encryption"] == "AES256"


def test_a_run_spills_into_its_scratch_folder_and_leaves_it_empty(aws: Aws, few: str, tmp_path: Path) -> None:
    lake, scratch = aws.lake(), tmp_path / "scratch"
    scratch.mkdir()
    aws.run(lake, "--scratch", scratch, source=few)
    assert [path for path in scratch.rglob("*") if path.is_file()] == []
    lake.assert_clean()


@pytest.fixture
def tls(aws_server: str, tmp_path: Path) -> Iterator[tuple[FaultProxy, Path]]:
    """The server behind TLS with a certificate of its own authority, and the file of that authority."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with running(aws_server, context) as proxy:
        yield proxy, tmp_path / "ca.pem"


def test_an_authority_in_the_environment_is_trusted(
    aws: Aws, raw_sample: str, tls: tuple[FaultProxy, Path], sample: Published
) -> None:
    proxy, authority = tls
    lake = aws.lake()
    env = aws.env(proxy.url) | {"AWS_CA_BUNDLE": str(authority)}
    summary = aws.run(lake, source=raw_sample, env=env)
    assert table_of(summary, "cloudtrail")["written"] == sample.ledger("cloudtrail")["written"]
    assert proxy.counts()["GetObject"] > 0
    lake.assert_clean()


def test_an_unknown_authority_is_refused(aws: Aws, few: str, tls: tuple[FaultProxy, Path]) -> None:
    """The error names the lake and says that the certificate is the problem."""
    proxy, _ = tls
    lake = aws.lake()
    env = aws.env(proxy.url) | {"AWS_MAX_ATTEMPTS": "1"}
    messages = aws.failing_run(lake, source=few, code=4, env=env)
    assert "certificate" in messages
    assert lake.bucket in messages
    assert "AWS_CA_BUNDLE" in messages
    assert proxy.requests() == []
    assert lake.paths() == set()


def test_a_summary_of_a_lake_in_s3_names_the_quarantine(aws: Aws, few: str) -> None:
    """It gives the quarantine's address, as for a folder."""
    lake = aws.lake()
    summary = aws.run(lake, source=few)
    for table in DATASETS:
        quarantine = table_of(summary, table)["quarantine"]
        assert quarantine.startswith(f"{lake.url}/_quarantine/{table}/")
        assert quarantine.removeprefix(f"{lake.url}/") in lake.paths()
