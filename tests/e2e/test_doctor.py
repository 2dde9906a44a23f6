"""`logmill doctor` finds disagreements between raw logs, lake and catalog, and repairs those it can."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aws import OTHER_DAYS
from catalog import DAY, Registered
from faults import FaultProxy, Refuse
from harness import DATASETS, SAMPLE_DAY
from small_day import SmallDay

TABLE = "s3_access"
Damage = Callable[[Registered], None]


def doctor(registered: Registered, *options: str, code: int = 0) -> list[str]:
    """The state of the day of the table, as the doctor reports it."""
    given = ("--day", SAMPLE_DAY, "--output", registered.lake.url, "--database", registered.database)
    arguments = ("doctor", *given, "--dataset", DATASETS[TABLE], "--format", "json", *options)
    found = map(json.loads, registered.aws.logmill(*arguments, code=code).stdout.splitlines())
    # Repairs follow, in lines of another format.
    (day,) = [entry for entry in found if "findings" in entry and entry["table"] == TABLE]
    return [finding["finding"] for finding in day["findings"]] or [day["state"]]


def forget_partition(registered: Registered) -> None:
    """Removes the day from the catalog."""
    registered.aws.glue.delete_partition(
        DatabaseName=registered.database, TableName=TABLE, PartitionValues=[DAY]
    )


def move_partition(registered: Registered) -> None:
    """Points the day to another location."""
    storage = registered.partition(TABLE)["StorageDescriptor"] | {
        "Location": f"{registered.lake.url}/elsewhere/"
    }
    registered.aws.glue.update_partition(
        DatabaseName=registered.database,
        TableName=TABLE,
        PartitionValueList=[DAY],
        PartitionInput={"Values": [DAY], "StorageDescriptor": storage},
    )


def lose_part(registered: Registered) -> None:
    """Removes a file of the day."""
    (part,) = [
        path for path in registered.lake.paths() if path.startswith(TABLE) and path.endswith(".parquet")
    ]
    registered.aws.s3.delete_object(Bucket=registered.lake.bucket, Key=registered.lake.below + part)


def lose_manifest(registered: Registered) -> None:
    """Removes the day but not its entry in the catalog."""
    for path in registered.lake.paths():
        if path.startswith((f"{TABLE}/", f"_manifests/{TABLE}/")):
            registered.aws.s3.delete_object(Bucket=registered.lake.bucket, Key=registered.lake.below + path)


def retype_column(registered: Registered) -> None:
    """Changes the type of a column of the table."""
    full = registered.table(TABLE)["StorageDescriptor"]["Columns"]
    wrong = [column | {"Type": "int"} if column["Name"] == "bytes_sent" else column for column in full]
    registered.rewrite(TABLE, wrong)


@pytest.mark.parametrize(
    ("damage", "state", "mended"),
    [
        (forget_partition, "not registered", ["ok"]),
        (move_partition, "dangling", ["ok"]),
        (lose_part, "lost", ["lost"]),
        (lose_manifest, "orphaned", ["no logs"]),
        (retype_column, "schema", ["schema"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_problems_are_found_and_repaired_if_that_needs_no_raw_logs(
    early_day: Registered, damage: Damage, state: str, mended: list[str]
) -> None:
    """Neither a check nor a dry run changes anything."""
    inputs = ("--input", early_day.aws.source(OTHER_DAYS))
    assert doctor(early_day, *inputs) == ["ok"]
    damage(early_day)
    before, paths = early_day.state(), early_day.lake.paths()
    assert doctor(early_day, *inputs, code=4) == [state]
    doctor(early_day, *inputs, "--fix", "--dry-run", code=4)
    assert (early_day.state(), early_day.lake.paths()) == (before, paths)
    code = 0 if mended in (["ok"], ["no logs"]) else 4
    doctor(early_day, *inputs, "--fix", code=code)
    assert doctor(early_day, *inputs, code=code) == mended
    assert early_day.lake.paths() == paths


def test_a_repaired_partition_shows_the_published_day(
    early_day: Registered, day: SmallDay, tmp_path: Path
) -> None:
    for damage in (forget_partition, move_partition):
        damage(early_day)
        doctor(early_day, "--fix")
        assert early_day.query(TABLE).read(tmp_path).rows() == day.rows[TABLE][0]


def test_late_raw_logs_and_missing_days_are_found(early_day: Registered, day: SmallDay) -> None:
    """Only a run can fix these; the doctor does not rebuild."""
    inputs = ("--input", day.source)
    assert doctor(early_day, *inputs, code=4) == ["stale"]
    assert doctor(early_day, *inputs, "--fix", code=4) == ["stale"]
    early_day.run(source=day.source)
    assert doctor(early_day, *inputs) == ["ok"]
    unpublished = Registered(early_day.aws, early_day.aws.lake(), early_day.database)
    assert "missing" in doctor(unpublished, *inputs, code=4)


def test_a_day_without_logs_is_not_a_problem(catalog: Registered) -> None:
    catalog.aws.glue.create_database(DatabaseInput={"Name": catalog.database})
    assert doctor(catalog, "--input", catalog.aws.source(OTHER_DAYS)) == ["no logs"]


def test_a_partition_registered_by_another_tool_is_kept(early_day: Registered) -> None:
    """It is in the folder of the table but shows no run. Only a person can know its purpose."""
    storage = early_day.partition(TABLE)["StorageDescriptor"] | {"Location": f"{early_day.lake.url}/{TABLE}/by-hand/"}
    lose_manifest(early_day)
    forget_partition(early_day)
    early_day.aws.glue.create_partition(
        DatabaseName=early_day.database,
        TableName=TABLE,
        PartitionInput={"Values": [DAY], "StorageDescriptor": storage},
    )
    before = early_day.state()
    inputs = ("--input", early_day.aws.source(OTHER_DAYS))
    assert doctor(early_day, *inputs, "--fix", code=4) == ["orphaned"]
    assert early_day.state() == before


def test_tables_of_other_tools_are_ignored(early_day: Registered) -> None:
    """It shares the lake and the database, and has the same partition key."""
    key = f"{early_day.lake.below}others/proc_ymd={DAY}/part.parquet"
    early_day.aws.s3.put_object(Bucket=early_day.lake.bucket, Key=key, Body=b"")
    given = ("--day", SAMPLE_DAY, "--output", early_day.lake.url, "--database", early_day.database)
    messages = early_day.aws.logmill("doctor", *given, "--format", "json").stdout
    tables = {json.loads(line)["table"] for line in messages.splitlines()}
    assert tables == set(DATASETS)


NAMES_A_KEY = "User: u is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:::key/lake"


@pytest.mark.parametrize(
    ("refusal", "operation", "tried", "outcome", "missing"),
    [
        (
            Refuse(403, "AccessDenied", "Access Denied"),
            "CreateMultipartUpload",
            "s3:PutObject",
            "denied",
            "s3:PutObject",
        ),
        (
            Refuse(403, "AccessDenied", NAMES_A_KEY),
            "CreateMultipartUpload",
            "s3:PutObject",
            "denied",
            "kms:GenerateDataKey",
        ),
        (Refuse(400, "ExpiredToken", "Expired"), "CreateMultipartUpload", "s3:PutObject", "failed", None),
        (
            Refuse(400, "AccessDeniedException", "not authorized"),
            "GetPartitions",
            "glue:GetPartitions",
            "denied",
            "glue:GetPartitions",
        ),
        (Refuse(400, "ExpiredTokenException", "Expired"), "GetTable", "glue:GetTable", "failed", None),
    ],
    ids=lambda value: value if isinstance(value, str) and value.islower() else None,
)
def test_a_permission_is_reported_missing_only_if_a_call_was_refused_for_it(
    early_day: Registered,
    proxy: FaultProxy,
    refusal: Refuse,
    operation: str,
    tried: str,
    outcome: str,
    missing: str | None,
) -> None:
    """Expired credentials are reported as such."""
    given = ("--day", SAMPLE_DAY, "--output", early_day.lake.url, "--database", early_day.database)
    asked = ("doctor", "--permissions", *given, "--format", "json")
    assert json.loads(early_day.aws.logmill(*asked).stdout)["missing"] is None
    proxy.rule(refusal, operation=operation)
    found = json.loads(early_day.aws.logmill(*asked, code=4).stdout)
    outcomes = {line["permission"]: line["outcome"] for line in found["permissions"]}
    assert outcomes[tried] == outcome
    statements = found["missing"]["Statement"] if found["missing"] else []
    assert [statement["Action"] for statement in statements] == ([[missing]] if missing else [])
