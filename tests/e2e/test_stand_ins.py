"""The stand-ins for AWS, tested with boto3: the proxy injects faults, and Athena reads the right files."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import athena
from aws import CREDENTIALS, REGION, Aws
from faults import (
    ACCESS_DENIED,
    CONFLICT,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    LATE_ERROR,
    PRECONDITION_FAILED,
    SLOW_DOWN,
    Cut,
    Delay,
    Fault,
    FaultProxy,
    Lose,
    Refuse,
    Strike,
    Trickle,
)

BODY = bytes(range(256)) * 64
FORMATS = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}


def client(proxy: FaultProxy, service: str, attempts: int = 1) -> Any:
    """A client that uses the proxy."""
    return boto3.client(
        service,
        endpoint_url=proxy.url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": attempts}),
    )


@pytest.fixture
def bucket(aws: Aws) -> str:
    """A bucket with one object."""
    name = aws.bucket("raw")
    aws.put(name, {"a b/한+글=1": BODY})
    return name


def test_the_proxy_forwards_requests_and_names_their_operations(proxy: FaultProxy, bucket: str) -> None:
    s3 = client(proxy, "s3")
    s3.put_object(Bucket=bucket, Key="x/y z+%", Body=BODY)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    where = {"Bucket": bucket, "Key": "big", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=BODY)["ETag"]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    assert [key["Key"] for key in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [
        "a b/한+글=1",
        "big",
        "x/y z+%",
    ]
    assert s3.get_object(Bucket=bucket, Key="a b/한+글=1")["Body"].read() == BODY
    assert s3.head_object(Bucket=bucket, Key="big")["ContentLength"] == len(BODY)
    s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="big")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "x/y z+%"}]})
    client(proxy, "glue").get_databases()
    role = client(proxy, "sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="logs"
    )
    assert role["Credentials"]["AccessKeyId"]
    assert [request.operation for request in proxy.requests()] == [
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "ListObjectsV2",
        "GetObject",
        "HeadObject",
        "ListMultipartUploads",
        "DeleteObject",
        "DeleteObjects",
        "GetDatabases",
        "AssumeRole",
    ]
    assert [proxy.counts()["GetObject"], proxy.requests()[0].path] == [1, f"{bucket}/x/y z+%"]
    assert {request.service for request in proxy.requests()} == {"s3", "glue", "sts"}
    assert {request.access_key for request in proxy.requests()} == {CREDENTIALS["AWS_ACCESS_KEY_ID"]}


@pytest.mark.parametrize(
    "refusal",
    [SLOW_DOWN, INTERNAL_ERROR, PRECONDITION_FAILED, CONFLICT, EXPIRED_TOKEN, ACCESS_DENIED],
    ids=lambda refusal: refusal.code,
)
@pytest.mark.parametrize("service", ["s3", "glue", "sts"])
def test_a_refusal_has_the_format_of_its_service(proxy: FaultProxy, service: str, refusal: Refuse) -> None:
    ask = {
        "s3": lambda asked: asked.list_buckets(),
        "glue": lambda asked: asked.get_databases(),
        "sts": lambda asked: asked.get_caller_identity(),
    }[service]
    proxy.rule(refusal)
    with pytest.raises(ClientError) as caught:
        ask(client(proxy, service))
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (
        refusal.code,
        refusal.status,
    )


def test_a_rule_applies_only_to_the_requests_that_it_names(proxy: FaultProxy, bucket: str) -> None:
    s3 = client(proxy, "s3")
    where = {"operation": "GetObject", "path": "*/denied*", "spare": "*/denied-not"}
    rule = proxy.rule(ACCESS_DENIED, **where, skip=1, times=2)
    for key in ("denied", "denied-not", "free"):
        s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    outcomes = []
    for key in ("denied", "free", "denied-not", "denied", "denied", "denied"):
        try:
            outcomes.append(s3.get_object(Bucket=bucket, Key=key)["Body"].read() == BODY)
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes == [True, True, True, "AccessDenied", "AccessDenied", True]
    assert (rule.matched, rule.struck) == (4, 2)


@pytest.mark.parametrize("fault", [Cut(0), Cut(1000), Cut(1000, reset=True)], ids=str)
def test_a_cut_answer_announces_more_bytes_than_it_has(proxy: FaultProxy, bucket: str, fault: Fault) -> None:
    proxy.rule(fault, operation="GetObject")
    found = client(proxy, "s3").get_object(Bucket=bucket, Key="a b/한+글=1")
    assert found["ContentLength"] == len(BODY)
    with pytest.raises((BotoCoreError, OSError)):
        found["Body"].read()


@pytest.mark.parametrize("fault", [Trickle(pieces=16, pause=0.001), Delay(0.001)], ids=str)
def test_a_slow_answer_is_complete(proxy: FaultProxy, bucket: str, fault: Fault) -> None:
    rule = proxy.rule(fault, operation="GetObject")
    assert client(proxy, "s3").get_object(Bucket=bucket, Key="a b/한+글=1")["Body"].read() == BODY
    assert rule.struck == 1


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("kind", [Lose, Strike])
def test_a_lost_request_may_have_been_carried_out(
    aws: Aws, proxy: FaultProxy, bucket: str, kind: type, carried_out: bool
) -> None:
    struck: list[bool] = []
    extra = {} if kind is Lose else {"action": lambda: struck.append(True)}
    proxy.rule(kind(carried_out=carried_out, **extra), operation="PutObject")
    with pytest.raises(BotoCoreError):
        client(proxy, "s3").put_object(Bucket=bucket, Key="new", Body=BODY)
    assert ("new" in aws.keys(bucket)) == carried_out
    assert struck == [True] * (kind is Strike)


def test_a_client_with_retries_survives_a_burst(proxy: FaultProxy, bucket: str) -> None:
    proxy.rule(SLOW_DOWN, operation="GetObject", times=2)
    s3 = client(proxy, "s3", attempts=3)
    assert s3.get_object(Bucket=bucket, Key="a b/한+글=1")["Body"].read() == BODY
    assert proxy.counts()["GetObject"] == 3


def test_a_late_error_has_a_success_status(proxy: FaultProxy, bucket: str) -> None:
    proxy.rule(LATE_ERROR, operation="CompleteMultipartUpload")
    s3 = client(proxy, "s3")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    where = {"Bucket": bucket, "Key": "big", "UploadId": upload}
    part = s3.upload_part(**where, PartNumber=1, Body=BODY)["ETag"]
    with pytest.raises(ClientError, match="InternalError"):
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})


class Catalog:
    """A table in Glue over small files in S3, created with boto3."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.bucket = aws.bucket("lake")
        self.database = aws.database()
        aws.glue.create_database(DatabaseInput={"Name": self.database})

    def storage(self, location: str, columns: dict[str, str]) -> dict[str, Any]:
        """A storage descriptor."""
        listed = [{"Name": name, "Type": type_} for name, type_ in columns.items()]
        return FORMATS | {"Columns": listed, "Location": f"s3://{self.bucket}/{location}"}

    def table(self, columns: dict[str, str], **parameters: str) -> None:
        """Creates the table `t`."""
        table = {
            "Name": "t",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"} | parameters,
            "PartitionKeys": [{"Name": "proc_ymd", "Type": "string"}],
            "StorageDescriptor": self.storage("t/", columns),
        }
        self.aws.glue.create_table(DatabaseName=self.database, TableInput=table)

    def partition(self, day: str, location: str) -> None:
        """Registers a day."""
        entry = {"Values": [day], "StorageDescriptor": self.storage(location, {})}
        self.aws.glue.create_partition(DatabaseName=self.database, TableName="t", PartitionInput=entry)

    def move(self, day: str, location: str) -> None:
        """Points a day to another location."""
        entry = {"Values": [day], "StorageDescriptor": self.storage(location, {})}
        self.aws.glue.update_partition(
            DatabaseName=self.database, TableName="t", PartitionValueList=[day], PartitionInput=entry
        )

    def file(self, key: str, **columns: list[Any]) -> None:
        """Writes a file."""
        sink = io.BytesIO()
        pyarrow.parquet.write_table(pa.table(columns), sink)
        self.aws.put(self.bucket, {key: sink.getvalue()})

    def query(self, days: tuple[str, ...] = ()) -> athena.Query:
        """A query over the whole table."""
        return athena.plan(self.aws, self.database, "t", days)


@pytest.fixture
def catalog(aws: Aws) -> Iterator[Catalog]:
    """A new database."""
    return Catalog(aws)


def rows(query: athena.Query, folder: Path) -> list[tuple[Any, ...]]:
    """Every row of a query, in order."""
    return query.read(folder).connection.sql("SELECT * FROM lake ORDER BY ALL").fetchall()


def test_athena_reads_registered_partitions_at_their_locations(catalog: Catalog, tmp_path: Path) -> None:
    """It reads no other days, no other folders of the day and no hidden files, but everything below."""
    catalog.table({"n": "bigint"})
    catalog.partition("20231101", "t/proc_ymd=20231101/r1/")
    catalog.file("t/proc_ymd=20231101/r1/a.parquet", n=[1])
    catalog.file("t/proc_ymd=20231101/r1/deeper/a.parquet", n=[2])
    catalog.file("t/proc_ymd=20231101/r1/_hidden.parquet", n=[3])
    catalog.file("t/proc_ymd=20231101/r1/_hidden/a.parquet", n=[4])
    catalog.file("t/proc_ymd=20231101/r1/.hidden.parquet", n=[5])
    catalog.file("t/proc_ymd=20231101/r10/a.parquet", n=[6])
    catalog.file("t/proc_ymd=20231102/r1/a.parquet", n=[7])
    assert rows(catalog.query(), tmp_path) == [(1, "20231101"), (2, "20231101")]


def test_athena_finds_columns_by_name_and_fills_missing_ones(catalog: Catalog, tmp_path: Path) -> None:
    catalog.table({"n": "bigint", "later": "string", "tags": "array<string>"})
    catalog.partition("20231101", "t/1/")
    catalog.partition("20231102", "t/2/")
    catalog.partition("20231103", "t/3/")
    catalog.file("t/1/a.parquet", gone=[True], N=pa.array([1], pa.int32()))
    catalog.file("t/2/a.parquet", later=["x"], n=[2], tags=[["a", "b"]])
    assert rows(catalog.query(), tmp_path) == [(1, None, None, "20231101"), (2, "x", ["a", "b"], "20231102")]


def test_athena_refuses_a_file_of_another_type(catalog: Catalog, tmp_path: Path) -> None:
    catalog.table({"n": "bigint"})
    catalog.partition("20231101", "t/1/")
    catalog.file("t/1/a.parquet", n=["1"])
    with pytest.raises(athena.QueryFailed, match="n is VARCHAR and declared bigint"):
        rows(catalog.query(), tmp_path)


def test_athena_refuses_a_file_that_is_not_parquet(catalog: Catalog, tmp_path: Path) -> None:
    catalog.table({"n": "bigint"})
    catalog.partition("20231101", "t/1/")
    catalog.aws.put(catalog.bucket, {"t/1/a.parquet": b""})
    with pytest.raises(athena.QueryFailed, match="HIVE_CURSOR_ERROR"):
        rows(catalog.query(), tmp_path)


def test_an_athena_query_fails_if_its_files_are_removed_but_not_if_its_partition_moves(
    catalog: Catalog, tmp_path: Path
) -> None:
    catalog.table({"n": "bigint"})
    catalog.partition("20231101", "t/1/")
    catalog.file("t/1/a.parquet", n=[1])
    catalog.file("t/2/a.parquet", n=[2])
    running = catalog.query()
    catalog.move("20231101", "t/2/")
    assert rows(running, tmp_path) == [(1, "20231101")]
    assert rows(catalog.query(), tmp_path) == [(2, "20231101")]
    catalog.aws.s3.delete_object(Bucket=catalog.bucket, Key="t/1/a.parquet")
    with pytest.raises(athena.QueryFailed, match="HIVE_CANNOT_OPEN_SPLIT"):
        rows(running, tmp_path)


def test_athena_projects_days_without_the_catalog(catalog: Catalog, tmp_path: Path) -> None:
    catalog.table(
        {"n": "bigint"},
        **{
            "projection.enabled": "true",
            "projection.proc_ymd.range": "20231101,NOW+1DAY",
            "storage.location.template": f"s3://{catalog.bucket}/t/proc_ymd=${{proc_ymd}}/",
        },
    )
    for day in ("20231031", "20231101", "20231102"):
        catalog.file(f"t/proc_ymd={day}/r/a.parquet", n=[1])
    days = ("20231031", "20231101", "20231103")
    assert rows(catalog.query(days), tmp_path) == [(1, "20231101")]


def test_a_table_without_files_has_no_rows(catalog: Catalog, tmp_path: Path) -> None:
    catalog.table({"n": "bigint"})
    catalog.partition("20231101", "t/1/")
    table = catalog.query().read(tmp_path)
    assert (table.rows(), table.files()) == (0, set())
    assert table.types() == {"n": "bigint", "proc_ymd": "string"}
