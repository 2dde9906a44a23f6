"""`logmill doctor`: what raw logs, lake and catalog can disagree in is found, and mended where it can be."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aws import OTHER_DAYS
from catalog import DAY, Registered
from harness import DATASETS, SAMPLE_DAY
from small_day import SmallDay

TABLE = "s3_access"
Damage = Callable[[Registered], None]


def doctor(registered: Registered, *options: str, code: int = 0) -> list[str]:
    """The state of the day of the table, as the doctor finds it."""
    given = ("--day", SAMPLE_DAY, "--output", registered.lake.url, "--database", registered.database)
    arguments = ("doctor", *given, "--dataset", DATASETS[TABLE], "--format", "json", *options)
    found = map(json.loads, registered.aws.logmill(*arguments, code=code).stdout.splitlines())
    # What was mended follows, in lines of another form.
    (day,) = [entry for entry in found if "findings" in entry and entry["table"] == TABLE]
    return [finding["finding"] for finding in day["findings"]] or [day["state"]]


def forget_partition(registered: Registered) -> None:
    """Somebody removes the day from the catalog."""
    registered.aws.glue.delete_partition(
        DatabaseName=registered.database, TableName=TABLE, PartitionValues=[DAY]
    )


def move_partition(registered: Registered) -> None:
    """Somebody points the day elsewhere."""
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
    """Somebody removes a file of the day."""
    (part,) = [
        path for path in registered.lake.paths() if path.startswith(TABLE) and path.endswith(".parquet")
    ]
    registered.aws.s3.delete_object(Bucket=registered.lake.bucket, Key=registered.lake.below + part)


def lose_manifest(registered: Registered) -> None:
    """Somebody removes the day and leaves the catalog as it is."""
    for path in registered.lake.paths():
        if path.startswith(f"{TABLE}/"):
            registered.aws.s3.delete_object(Bucket=registered.lake.bucket, Key=registered.lake.below + path)


def retype_column(registered: Registered) -> None:
    """Somebody gives a column of the table another type."""
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
def test_what_is_wrong_is_found_and_mended_where_that_needs_no_raw_logs(
    grown: Registered, damage: Damage, state: str, mended: list[str]
) -> None:
    """Looking changes nothing, and neither does a dry run."""
    inputs = ("--input", grown.aws.source(OTHER_DAYS))
    assert doctor(grown, *inputs) == ["ok"]
    damage(grown)
    before, paths = grown.state(), grown.lake.paths()
    assert doctor(grown, *inputs, code=4) == [state]
    doctor(grown, *inputs, "--fix", "--dry-run", code=4)
    assert (grown.state(), grown.lake.paths()) == (before, paths)
    code = 0 if mended in (["ok"], ["no logs"]) else 4
    doctor(grown, *inputs, "--fix", code=code)
    assert doctor(grown, *inputs, code=code) == mended
    assert grown.lake.paths() == paths


def test_a_partition_that_was_mended_shows_the_published_day(
    grown: Registered, day: SmallDay, tmp_path: Path
) -> None:
    for damage in (forget_partition, move_partition):
        damage(grown)
        doctor(grown, "--fix")
        assert grown.query(TABLE).read(tmp_path).rows() == day.rows[TABLE][0]


def test_late_raw_logs_and_days_that_never_ran_are_found(grown: Registered, day: SmallDay) -> None:
    """Only a run helps then; the doctor rebuilds nothing."""
    inputs = ("--input", day.source)
    assert doctor(grown, *inputs, code=4) == ["stale"]
    assert doctor(grown, *inputs, "--fix", code=4) == ["stale"]
    grown.run(source=day.source)
    assert doctor(grown, *inputs) == ["ok"]
    unpublished = Registered(grown.aws, grown.aws.lake(), grown.database)
    assert "missing" in doctor(unpublished, *inputs, code=4)


def test_a_day_without_logs_is_nothing_wrong(catalog: Registered) -> None:
    catalog.aws.glue.create_database(DatabaseInput={"Name": catalog.database})
    assert doctor(catalog, "--input", catalog.aws.source(OTHER_DAYS)) == ["no logs"]
