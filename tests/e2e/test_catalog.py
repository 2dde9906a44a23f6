"""The Glue catalog shows exactly the published days, to awswrangler, Athena and Spark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awswrangler
import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError

import athena
from aws import CONFIGURED, OTHER_DAYS, REGION, Aws, run_arguments, table_of
from catalog import DAY, Registered
from engines import Pyarrow, Spark, checksum
from faults import ACCESS_DENIED, FaultProxy, Meanwhile, Refuse, Reply, running
from harness import DATASETS, NAMED, PATIENCE, SAMPLE_DATA, SAMPLE_DAY, Published, started
from schema import columns
from small_day import SmallDay, few_objects

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ITS_TABLE = ("--dataset", "s3-access")
NEXT_DAY = "2023-11-02"
THROTTLED = Refuse(400, "ThrottlingException", "Rate exceeded")
CONCURRENT = Refuse(400, "ConcurrentModificationException", "Two processes are modifying the table")


@pytest.fixture(scope="module")
def shared(aws_server: str) -> Iterator[tuple[Registered, dict[str, Any]]]:
    """The sample day, registered once. Tests do not change it."""
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        registered = Registered(aws, aws.lake(), aws.database())
        yield registered, registered.run(source=SAMPLE_DATA)


def test_the_catalog_has_the_columns_of_the_schema_and_the_day_as_partition(
    shared: tuple[Registered, dict[str, Any]], table: str
) -> None:
    """With all properties that Athena and Hive need for a Parquet table."""
    registered, _ = shared
    found = registered.table(table)
    storage = found["StorageDescriptor"]
    promised = [(column.name, column.type) for column in columns(DATASETS[table])]
    assert [(column["Name"], column["Type"]) for column in storage["Columns"]] == promised
    assert [(key["Name"], key["Type"]) for key in found["PartitionKeys"]] == [("proc_ymd", "string")]
    assert found["TableType"] == "EXTERNAL_TABLE"
    assert found["Parameters"]["classification"] == "parquet"
    assert storage["Location"] == f"{registered.lake.url}/{table}/"
    serde = storage["SerdeInfo"]["SerializationLibrary"]
    assert serde == "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    assert storage["InputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    assert storage["OutputFormat"] == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"


def test_a_partition_points_to_the_folder_of_its_run_and_describes_itself(
    shared: tuple[Registered, dict[str, Any]], table: str
) -> None:
    registered, summary = shared
    storage = registered.partition(table)["StorageDescriptor"]
    location = f"{registered.lake.url}/{table}/proc_ymd={DAY}/{summary['run']}/"
    described = registered.table(table)["StorageDescriptor"]
    assert storage["Location"] == location
    for name in ("InputFormat", "OutputFormat", "SerdeInfo"):
        assert storage[name] == described[name]
    names = [
        [(column["Name"], column["Type"]) for column in entry["Columns"]] for entry in (storage, described)
    ]
    assert names[0] == names[1]
    assert table_of(summary, table)["catalog"] == {
        "database": registered.database,
        "table": table,
        "location": location,
        "partition": "created",
    }


def test_athena_reads_the_published_rows(
    shared: tuple[Registered, dict[str, Any]], sample: Published, table: str, tmp_path: Path
) -> None:
    registered, _ = shared
    found = registered.query(table).read(tmp_path)
    expected = Pyarrow(sample.lake, table)
    assert found.types() == expected.types()
    assert found.rows() == sample.ledger(table)["written"]
    assert found.checksums() == expected.checksums()


@pytest.fixture
def wrangler(aws: Aws) -> Iterator[boto3.Session]:
    """awswrangler on the local servers."""
    settings = awswrangler.config
    settings.s3_endpoint_url = settings.glue_endpoint_url = settings.sts_endpoint_url = aws.server
    yield boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION)
    settings.reset()


def test_awswrangler_reads_the_published_rows(
    shared: tuple[Registered, dict[str, Any]], sample: Published, table: str, wrangler: boto3.Session
) -> None:
    """With a partition filter it reads the locations of partitions, without one the folder of the table."""
    registered, _ = shared
    expected = Pyarrow(sample.lake, table)
    for partition_filter in (None, lambda partition: partition["proc_ymd"] == DAY):
        frame = awswrangler.s3.read_parquet_table(
            database=registered.database,
            table=table,
            partition_filter=partition_filter,
            boto3_session=wrangler,
            dtype_backend="pyarrow",
        )
        found = pa.Table.from_pandas(frame, preserve_index=False)
        assert found.num_rows == sample.ledger(table)["written"]
        sums = {name: checksum(type_, text_of(found[name])) for name, type_ in expected.types().items()}
        assert sums == expected.checksums()


def text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column without dictionary encoding, which pandas uses for partition keys."""
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def test_spark_reads_the_files_of_the_registered_day(
    shared: tuple[Registered, dict[str, Any]],
    sample: Published,
    table: str,
    spark: "SparkSession",
    tmp_path: Path,
) -> None:
    registered, _ = shared
    lake = registered.lake.download(tmp_path)
    found = Spark(spark, lake, table)
    assert found.rows() == sample.ledger(table)["written"]
    assert found.checksums() == Pyarrow(sample.lake, table).checksums()


def test_a_rerun_switches_the_partition_while_a_reader_finishes_the_old_run(
    early_day: Registered, day: SmallDay, table: str, tmp_path: Path
) -> None:
    """The old folder is kept for its grace, an hour by default with a catalog."""
    before, (few, many) = early_day.location(table), day.rows[table]
    running_query = early_day.query(table)
    summary = early_day.run(source=day.source)
    assert early_day.location(table) == f"{early_day.lake.url}/{table}/proc_ymd={DAY}/{summary['run']}/"
    assert early_day.location(table) != before
    assert table_of(summary, table)["catalog"]["partition"] == "updated"
    assert running_query.read(tmp_path).rows() == few
    assert early_day.query(table).read(tmp_path).rows() == many
    assert early_day.query(table).locations.keys() == {(DAY,)}


def test_a_rerun_without_grace_leaves_only_the_run_that_the_catalog_shows(
    early_day: Registered, day: SmallDay, table: str, tmp_path: Path
) -> None:
    early_day.run("--grace", "0s", source=day.source)
    assert early_day.query(table).read(tmp_path).rows() == day.rows[table][1]
    early_day.lake.assert_clean()


def test_a_superseded_run_that_the_catalog_still_shows_is_not_removed(
    early_day: Registered, day: SmallDay, proxy: FaultProxy, table: str, tmp_path: Path
) -> None:
    """If a run is published but not registered, readers of the catalog keep seeing the old day."""
    rule = proxy.rule(ACCESS_DENIED, operation="*Partition*")
    options = (*early_day.options, "--grace", "0s")
    messages = early_day.aws.failing_run(early_day.lake, *options, source=day.source, code=6)
    assert rule.struck > 0
    assert "logmill register" in messages
    assert early_day.lake.readers() == day.new
    assert early_day.query(table).read(tmp_path).rows() == day.rows[table][0]
    proxy.forget()
    clean = ("clean", "--output", early_day.lake.url, *early_day.options)
    early_day.aws.logmill(*clean, "--older-than", "0s", "--grace", "0s")
    assert early_day.query(table).read(tmp_path).rows() == day.rows[table][0]
    early_day.register()
    assert early_day.query(table).read(tmp_path).rows() == day.rows[table][1]
    early_day.run("--grace", "0s", source=day.source)
    early_day.lake.assert_clean()


def test_a_day_published_without_a_catalog_can_be_registered_later(
    catalog: Registered, day: SmallDay, table: str, tmp_path: Path
) -> None:
    """The second registration changes nothing."""
    catalog.aws.run(catalog.lake, source=day.source)
    before = catalog.lake.paths()
    catalog.register("--create-database")
    state = catalog.state()
    catalog.register()
    assert catalog.state() == state
    assert catalog.query(table).read(tmp_path).rows() == day.rows[table][1]
    assert catalog.lake.paths() == before


def test_registering_again_changes_nothing(catalog: Registered, day: SmallDay) -> None:
    """A table and its versions are written once, and additions by users are kept."""
    catalog.run(source=day.source)
    glue, database = catalog.aws.glue, catalog.database
    table = catalog.table("cloudtrail")
    names = (
        "Name",
        "Description",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "TableType",
        "Parameters",
    )
    ours = {name: table[name] for name in names if name in table}
    ours["Parameters"] = ours["Parameters"] | {"owner_team": "security"}
    glue.update_table(DatabaseName=database, TableInput=ours)
    versions = len(glue.get_table_versions(DatabaseName=database, TableName="cloudtrail")["TableVersions"])
    catalog.run(source=day.source)
    after = glue.get_table_versions(DatabaseName=database, TableName="cloudtrail")["TableVersions"]
    assert len(after) == versions
    assert catalog.table("cloudtrail")["Parameters"]["owner_team"] == "security"


def promoting(folder: Path, source: str) -> Path:
    """A config file with one more column for CloudTrail."""
    path = folder / "logmill.toml"
    path.write_text(
        f'[[source]]\ndataset = "cloudtrail"\ninput = "{source}"\n'
        'promote = [{ column = "bucket_asked_for", path = "requestParameters.bucketName", type = "text" }]\n'
    )
    return path


def test_a_new_column_is_added_and_old_days_remain_readable(catalog: Registered, tmp_path: Path) -> None:
    """It is NULL in the old day and has values in the new one. Nothing else changes."""
    first = catalog.run("--dataset", "cloudtrail", source=SAMPLE_DATA)
    before = catalog.query("cloudtrail").read(tmp_path / "a").checksums()
    config = promoting(tmp_path, SAMPLE_DATA)
    second = catalog.run("--config", config, source=CONFIGURED, day=NEXT_DAY)
    names = [column["Name"] for column in catalog.table("cloudtrail")["StorageDescriptor"]["Columns"]]
    assert "bucket_asked_for" in names
    query = catalog.query("cloudtrail", (DAY, NEXT_DAY.replace("-", "")))
    found = query.read(tmp_path / "b").connection
    counted = "SELECT proc_ymd, count(*), count(bucket_asked_for) > 0 FROM lake GROUP BY ALL ORDER BY ALL"
    written = [table_of(summary, "cloudtrail")["written"] for summary in (first, second)]
    assert found.sql(counted).fetchall() == [
        (DAY, written[0], False),
        (NEXT_DAY.replace("-", ""), written[1], True),
    ]
    assert before.items() <= query.on(DAY).read(tmp_path / "c").checksums().items()


def test_a_missing_column_is_added_to_the_table(catalog: Registered, day: SmallDay, tmp_path: Path) -> None:
    """As if an earlier version of logmill had created the table."""
    catalog.run(source=day.source)
    full = catalog.table("s3_access")["StorageDescriptor"]["Columns"]
    catalog.rewrite("s3_access", [column for column in full if column["Name"] != "host_id"])
    catalog.run(source=day.source)
    early_day = catalog.table("s3_access")["StorageDescriptor"]["Columns"]
    assert {column["Name"]: column["Type"] for column in early_day} == {
        column["Name"]: column["Type"] for column in full
    }
    assert catalog.query("s3_access").read(tmp_path).rows() == day.rows["s3_access"][1]


def test_a_column_added_by_a_user_is_kept(catalog: Registered, day: SmallDay, tmp_path: Path) -> None:
    catalog.run(source=day.source)
    full = catalog.table("s3_access")["StorageDescriptor"]["Columns"]
    catalog.rewrite("s3_access", [*full, {"Name": "reviewed_by", "Type": "string"}])
    catalog.run(source=day.source)
    names = [column["Name"] for column in catalog.table("s3_access")["StorageDescriptor"]["Columns"]]
    assert "reviewed_by" in names
    assert catalog.query("s3_access").read(tmp_path).rows() == day.rows["s3_access"][1]


COMMANDS = ["run", "lookback", "backfill", "publish"]


def command_line(
    catalog: Registered, source: str, command: str, *options: str | Path
) -> tuple[str | Path, ...]:
    """A command that builds and registers the sample day, after its preceding steps have run."""
    given = (*options, "--output", catalog.lake.url, *catalog.options, "--quiet")
    road = ("--input", source, *given)
    if command == "backfill":
        return ("backfill", "--from", SAMPLE_DAY, "--to", SAMPLE_DAY, "--only", "all", *road)
    if command != "publish":
        return ("run", "--day", SAMPLE_DAY, *road, *(("--lookback", "1d") if command == "lookback" else ()))
    place = f"s3://{catalog.aws.bucket('staging')}"
    plan, staging = ("--plan", f"{place}/plan.json"), ("--staging", f"{place}/shards")
    catalog.aws.logmill("plan", "--day", SAMPLE_DAY, "--input", source, *plan, *options)
    catalog.aws.logmill("convert", *plan, *staging, "--shard", "0", "--quiet")
    return ("publish", *plan, *staging, *given[len(options) :])


def assert_refused_before_anything_is_read(
    catalog: Registered, source: str, command: str, *options: str | Path
) -> str:
    """Lake and catalog are unchanged, no raw log is listed, no lock is taken. Returns the standard error."""
    arguments = command_line(catalog, source, command, *options)
    lake, state = catalog.aws.contents(catalog.lake.bucket), catalog.state()
    catalog.aws.proxy.forget()
    messages = catalog.aws.logmill(*arguments, code=4).stderr
    asked = catalog.aws.proxy.requests()
    bucket = source.split("/")[2]
    assert not [request for request in asked if request.path.startswith(bucket)]
    assert not [request for request in asked if request.service == "s3" and request.method != "GET"]
    assert [request.operation for request in asked if request.service == "glue"] == ["GetTable"]
    assert (catalog.aws.contents(catalog.lake.bucket), catalog.state()) == (lake, state)
    assert not catalog.lake.uploads()
    return messages


def with_other_types(catalog: Registered, table: str, types: dict[str, str]) -> None:
    """Changes the types of columns of a table."""
    full = catalog.table(table)["StorageDescriptor"]["Columns"]
    changed = [column | {"Type": types.get(column["Name"], column["Type"])} for column in full]
    assert changed != full
    catalog.rewrite(table, changed)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_with_other_types_stops_a_command_before_anything_is_read(
    early_day: Registered, day: SmallDay, command: str
) -> None:
    """The error names the column and both types."""
    with_other_types(early_day, "s3_access", {"bytes_sent": "int"})
    messages = assert_refused_before_anything_is_read(early_day, day.source, command, *ITS_TABLE)
    assert all(word in messages for word in ("column bytes_sent is int, not bigint", "s3_access", "hint:"))
    assert "nothing was published" in messages
    assert " more" not in messages


@pytest.mark.parametrize("command", COMMANDS)
def test_the_other_naming_stops_a_command_before_anything_is_read(
    early_day: Registered, day: SmallDay, command: str
) -> None:
    """The error names the first three conflicting columns and counts the others."""
    given = ("--dataset", "cloudtrail", "--naming", "compact")
    messages = assert_refused_before_anything_is_read(early_day, day.source, command, *given)
    assert messages.count("but --naming now gives") == 3
    assert "additional_event_data, but --naming now gives additionaleventdata; " in messages
    others = sum(column.name != column.snake for column in columns("cloudtrail", "compact")) - 3
    assert f"; and {others} more" in messages
    assert "--naming" in messages.split("hint:")[1]


def test_a_promoted_column_of_another_type_stops_a_run_before_anything_is_read(
    catalog: Registered, tmp_path: Path
) -> None:
    source = catalog.aws.source(few_objects())
    config = promoting(tmp_path, source)
    catalog.run("--config", config, source=CONFIGURED)
    config.write_text(config.read_text().replace('"text"', '"big_int"'))
    state, lake = catalog.state(), catalog.lake.everything()
    messages = catalog.aws.failing_run(
        catalog.lake, "--config", config, *catalog.options, source=CONFIGURED, code=4
    )
    assert "column bucket_asked_for is string, not bigint" in messages
    assert (catalog.state(), catalog.lake.everything()) == (state, lake)


def test_the_error_names_three_of_many_conflicting_types(early_day: Registered, day: SmallDay) -> None:
    names = ["bytes_sent", "object_size", "total_time", "turn_around_time", "http_status"]
    with_other_types(early_day, "s3_access", dict.fromkeys(names, "double"))
    messages = assert_refused_before_anything_is_read(early_day, day.source, "run", *ITS_TABLE)
    assert (messages.count("is double, not"), "; and 2 more" in messages) == (3, True)


@pytest.mark.parametrize(("fault", "times"), [(ACCESS_DENIED, 1), (THROTTLED, 3)])
def test_a_catalog_that_is_unavailable_at_first_does_not_stop_the_day(
    early_day: Registered, day: SmallDay, proxy: FaultProxy, fault: Refuse, times: int
) -> None:
    """It is available again when the day is registered."""
    rule = proxy.rule(fault, operation="GetTable", times=times)
    early_day.run(*ITS_TABLE, source=day.source, env={"AWS_MAX_ATTEMPTS": "1"})
    assert rule.struck == times
    assert early_day.lake.live("s3_access") == day.new["s3_access"]


def test_the_early_check_of_the_table_costs_no_extra_request(early_day: Registered, day: SmallDay) -> None:
    early_day.aws.proxy.forget()
    early_day.run(*ITS_TABLE, source=day.source)
    counts = early_day.aws.proxy.counts()
    assert (counts["GetTable"], counts["GetPartitions"], counts["GetDatabase"]) == (2, 1, 1)


def test_an_empty_day_has_a_partition_without_rows(catalog: Registered, table: str, tmp_path: Path) -> None:
    """So that "no events" and "never ran" differ in the catalog too."""
    catalog.run(*NAMED, source=catalog.aws.source(OTHER_DAYS))
    query = catalog.query(table)
    assert query.locations.keys() == {(DAY,)}
    assert query.read(tmp_path).rows() == 0


def test_a_day_that_has_become_empty_is_empty_in_the_catalog(
    early_day: Registered, table: str, tmp_path: Path
) -> None:
    running_query = early_day.query(table)
    early_day.run(*NAMED, "--allow-empty", source=early_day.aws.source(OTHER_DAYS))
    assert running_query.read(tmp_path).rows() > 0
    assert early_day.query(table).read(tmp_path).rows() == 0


CATALOG_CALLS = [
    "GetDatabase",
    "CreateDatabase",
    "GetTable",
    "CreateTable",
    "BatchGetPartition",
    "BatchCreatePartition",
]


@pytest.mark.parametrize("operation", CATALOG_CALLS)
def test_a_busy_catalog_is_retried(
    catalog: Registered, day: SmallDay, proxy: FaultProxy, operation: str
) -> None:
    rule = proxy.rule(THROTTLED, operation=operation, times=2)
    catalog.run(source=day.source)
    assert rule.struck == 2
    assert catalog.query("cloudtrail").locations.keys() == {(DAY,)}


def test_a_table_that_changes_during_registration_is_read_again(
    catalog: Registered, day: SmallDay, proxy: FaultProxy
) -> None:
    """The update is based on the version that was read, and does not keep a copy of it."""
    catalog.run(source=day.source)
    full = catalog.table("s3_access")["StorageDescriptor"]["Columns"]
    catalog.rewrite("s3_access", full[:-1])
    proxy.forget()
    rule = proxy.rule(CONCURRENT, operation="UpdateTable", times=1)
    catalog.run("--dataset", "s3-access", source=day.source)
    assert rule.struck == 1
    assert len(catalog.table("s3_access")["StorageDescriptor"]["Columns"]) == len(full)
    # The first request is before anything is read.
    assert proxy.counts()["GetTable"] - 1 == proxy.counts()["UpdateTable"] == 2
    for request in proxy.requests("UpdateTable"):
        asked = json.loads(request.body)
        assert asked["SkipArchive"] is True
        assert asked["VersionId"]


def refused(operation: str, code: str) -> Reply:
    """The answer to a batch whose only entry was refused."""
    values = "PartitionValueList" if operation == "BatchUpdatePartition" else "PartitionValues"
    detail = {"ErrorCode": code, "ErrorMessage": "of this entry"}
    return Reply(json.dumps({"Errors": [{values: [DAY], "ErrorDetail": detail}]}))


@pytest.mark.parametrize("operation", ["BatchCreatePartition", "BatchUpdatePartition"])
def test_a_temporarily_refused_entry_of_a_batch_is_retried(
    catalog: Registered, day: SmallDay, proxy: FaultProxy, operation: str, table: str, tmp_path: Path
) -> None:
    """The answer itself is a success."""
    if operation == "BatchUpdatePartition":
        catalog.run(source=day.source)
    rule = proxy.rule(refused(operation, "InternalServiceException"), operation=operation, times=1)
    summary = catalog.run("--dataset", DATASETS[table], source=day.source)
    assert rule.struck == 1
    assert catalog.location(table) == table_of(summary, table)["catalog"]["location"]
    assert catalog.query(table).read(tmp_path).rows() == day.rows[table][1]


def test_the_error_names_a_permanently_refused_entry_of_a_batch(
    catalog: Registered, day: SmallDay, proxy: FaultProxy
) -> None:
    operation = "BatchCreatePartition"
    proxy.rule(refused(operation, "InvalidInputException"), operation=operation)
    options = (*catalog.options, "--create-database")
    messages = catalog.aws.failing_run(catalog.lake, *options, source=day.source, code=6)
    assert all(word in messages for word in ("InvalidInputException", "of this entry", DAY, catalog.database))


def test_the_error_names_a_missing_database(catalog: Registered, day: SmallDay) -> None:
    """Before anything is read. The database is created only on request."""
    messages = catalog.aws.failing_run(catalog.lake, *catalog.options, source=day.source, code=4)
    assert catalog.database in messages
    assert "--create-database" in messages
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        catalog.aws.glue.get_database(Name=catalog.database)
    assert catalog.lake.everything() == set()


def test_the_error_names_denied_catalog_calls(catalog: Registered, day: SmallDay, proxy: FaultProxy) -> None:
    """It names each missing permission."""
    catalog.run(source=day.source)
    proxy.rule(
        Refuse(400, "AccessDeniedException", "not authorized to perform: glue:GetTable"), operation="GetTable"
    )
    messages = catalog.aws.failing_run(catalog.lake, *catalog.options, source=day.source, code=6)
    assert "glue:GetTable" in messages
    assert catalog.database in messages


def test_the_error_tells_lake_formation_from_iam(catalog: Registered, day: SmallDay, proxy: FaultProxy) -> None:
    catalog.run(source=day.source)
    message = "Insufficient Lake Formation permission(s): Required Describe on s3_access"
    proxy.rule(Refuse(400, "AccessDeniedException", message), operation="GetTable")
    messages = catalog.aws.failing_run(catalog.lake, *catalog.options, source=day.source, code=6)
    assert "grant the role this permission in Lake Formation" in messages
    assert "allow glue:" not in messages


def test_projection_lets_athena_compute_the_days(
    catalog: Registered, day: SmallDay, table: str, tmp_path: Path
) -> None:
    """Athena reads everything below the folder of the day, so no superseded run may remain there."""
    catalog.run("--projection", "2023-10-01", source=day.source)
    catalog.run("--projection", "2023-10-01", source=day.source)
    assert athena.is_projected(catalog.table(table))
    assert catalog.query(table).read(tmp_path).rows() == day.rows[table][1]
    assert catalog.query(table, ("20230930", "20231003")).read(tmp_path).rows() == 0


def test_only_a_user_can_end_a_projection(catalog: Registered, day: SmallDay, tmp_path: Path) -> None:
    """A run without the option is refused and changes nothing. The doctor reports the same."""
    catalog.run("--projection", "2023-10-01", *ITS_TABLE, source=day.source)
    before = catalog.state()
    options = (*catalog.options, *ITS_TABLE)
    lake = catalog.lake.everything()
    messages = catalog.aws.failing_run(catalog.lake, *options, source=day.source, code=4)
    assert "--projection" in messages
    assert "projection.enabled" in messages
    assert (catalog.state(), catalog.lake.everything()) == (before, lake)
    given = ("--day", SAMPLE_DAY, "--output", catalog.lake.url, *catalog.options, "--format", "json")
    found = json.loads(catalog.aws.logmill("doctor", *given, code=4).stdout.splitlines()[0])
    (schema,) = [finding for finding in found["findings"] if finding["finding"] == "schema"]
    assert "--projection" in schema["next"]
    catalog.run("--projection", "2023-10-01", *ITS_TABLE, source=day.source)
    assert catalog.query("s3_access").read(tmp_path).rows() == day.rows["s3_access"][1]


@pytest.mark.parametrize("moment", ["GetTable", "BatchGetPartition", "BatchUpdatePartition"])
def test_the_catalog_shows_the_last_committed_run_even_if_two_register_at_once(
    early_day: Registered, day: SmallDay, proxy: FaultProxy, moment: str, tmp_path: Path
) -> None:
    """One run has committed and is about to register. Another steals its lock, commits and registers."""
    later: list[str] = []

    def overtake() -> None:
        options = (*ITS_TABLE, "--grace", "0s", "--scratch", tmp_path, "--steal")
        later.append(early_day.run(*options, source=day.source)["run"])

    # The first request for the table is before anything is read.
    proxy.rule(Meanwhile(overtake), operation=moment, times=1, skip=int(moment == "GetTable"))
    arguments = run_arguments(early_day.lake, *early_day.options, *ITS_TABLE, "--grace", "0s", source=day.source)
    with started(*arguments, env=early_day.aws.env()) as process:
        process.communicate(timeout=PATIENCE)
    assert [early_day.lake.manifest("s3_access")["run"]] == later
    assert later[0] in early_day.location("s3_access")
    assert early_day.query("s3_access").read(tmp_path).rows() == day.rows["s3_access"][1]


def test_cleaning_without_the_catalog_keeps_the_superseded_run_of_a_registered_day(
    early_day: Registered, day: SmallDay
) -> None:
    """Only the catalog knows whether it still shows that run. Runs without a catalog do not change that."""
    early_day.run(source=day.source)
    old = early_day.lake.manifest("s3_access")["run"]
    early_day.aws.run(early_day.lake, *ITS_TABLE, "--grace", "1h", source=day.source)
    assert early_day.location("s3_access").endswith(f"/{old}/")

    def is_kept() -> bool:
        return any(path.startswith("s3_access/") and old in path for path in early_day.lake.paths())

    clean = ("clean", "--output", early_day.lake.url, "--older-than", "0s", "--grace", "0s")
    early_day.aws.logmill(*clean)
    assert is_kept()
    early_day.aws.logmill(*clean, "--database", early_day.database)
    assert is_kept(), "the catalog still shows it"
    register = ("--day", SAMPLE_DAY, "--output", early_day.lake.url, "--database", early_day.database)
    early_day.aws.logmill("register", *register)
    early_day.aws.logmill(*clean, "--database", early_day.database)
    assert not is_kept()
