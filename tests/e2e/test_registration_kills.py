"""A run killed while it registers its day: the lake records that, and any command completes the registration.

The run is killed when the request to the catalog arrives, or after it has been carried out but not answered.
"""

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalog import Registered
from faults import ACCESS_DENIED, Strike
from harness import SAMPLE_DAY, partition
from small_day import EARLY, LATE, SmallDay, few_objects
from test_catalog import COMMANDS, command_line
from test_s3_kills import signalled

TABLE = "cloudtrail"
ONE_TABLE = ("--dataset", TABLE)
NEXT_DAY = "2023-11-02"
WHEN = pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])


@pytest.fixture(autouse=True)
def database(catalog: Registered) -> None:
    """Creates the database, so that the kill hits the registration of the day."""
    catalog.aws.glue.create_database(DatabaseInput={"Name": catalog.database})


def killed(catalog: Registered, command: tuple[str | Path, ...], operation: str, carried_out: bool) -> None:
    """Runs a command that is killed when it calls an operation of the catalog."""
    aws, strike = catalog.aws, partial(Strike, carried_out=carried_out)
    code, messages = signalled(aws, aws.proxy, signal.SIGKILL, strike, {"operation": operation}, command)
    assert code == -signal.SIGKILL, messages
    aws.proxy.forget()


def not_registered_reason(catalog: Registered, source: str, code: int, **env: str) -> str | None:
    """Why the day is not registered, from `status --check`, which must end with this exit code."""
    days = ("--from", SAMPLE_DAY, "--to", SAMPLE_DAY)
    given = (*days, "--input", source, "--output", catalog.lake.url, *ONE_TABLE, "--format", "json")
    messages = catalog.aws.logmill("status", "--check", *given, code=code, env=catalog.aws.env() | env).stdout
    line = json.loads(messages)
    assert line["state"] == "published"
    return line["not_registered"]


def assert_shown(catalog: Registered) -> None:
    """Asserts that the catalog shows the live run."""
    run = catalog.lake.manifest(TABLE)["run"]
    assert f"/{run}/" in catalog.location(TABLE)


def backfilled(catalog: Registered, source: str, *options: str, database: str | None = None) -> str:
    """Runs a backfill of the day, which must not read any raw object. Returns its output."""
    days, names = ("--from", SAMPLE_DAY, "--to", SAMPLE_DAY), ("--database", database or catalog.database)
    given = ("--input", source, "--output", catalog.lake.url, "--catalog", "glue", *names, *ONE_TABLE)
    catalog.aws.proxy.forget()
    printed = catalog.aws.logmill("backfill", *days, *given, *options).stdout
    raw = source.split("/")[2]
    assert not catalog.aws.proxy.requests("GetObject", path=f"{raw}/*")
    return printed


@WHEN
@pytest.mark.parametrize("command", COMMANDS)
def test_status_reports_a_killed_registration_and_a_backfill_completes_it(
    catalog: Registered, day: SmallDay, command: str, carried_out: bool
) -> None:
    arguments = command_line(catalog, day.source, command, *ONE_TABLE)
    killed(catalog, arguments, "*CreatePartition", carried_out)
    manifest = catalog.lake.manifest(TABLE)
    assert manifest["database"] == catalog.database
    why = not_registered_reason(catalog, day.source, code=4)
    assert why == f"no record of its registration in database '{catalog.database}'"
    line = "days to register without reading objects: 1\n"
    assert line in backfilled(catalog, day.source, "--dry-run")
    assert not_registered_reason(catalog, day.source, code=4) == why
    backfilled(catalog, day.source)
    assert line not in backfilled(catalog, day.source, "--dry-run")
    assert not_registered_reason(catalog, day.source, code=0) is None
    assert catalog.lake.manifest(TABLE) == manifest, "the day is the one that the killed run published"
    assert_shown(catalog)
    mark = f"{manifest['run']}.registered.{catalog.database}.json"
    assert f"_runs/{TABLE}/{partition(SAMPLE_DAY)}/{mark}" in catalog.lake.history()
    backfilled(catalog, day.source)
    assert not catalog.aws.proxy.requests("*Partition"), "nothing is left to register"


@WHEN
@pytest.mark.parametrize("completed_by", ["run", "lookback", "publish", "register"])
def test_any_command_completes_a_killed_registration(
    catalog: Registered, day: SmallDay, completed_by: str, carried_out: bool
) -> None:
    victim = "publish" if completed_by == "publish" else "run"
    arguments = command_line(catalog, day.source, victim, *ONE_TABLE)
    killed(catalog, arguments, "*CreatePartition", carried_out)
    if completed_by == "register":
        catalog.register()
    elif completed_by == "lookback":
        run = ("run", "--day", NEXT_DAY, "--lookback", "1d", "--input", day.source, *ONE_TABLE)
        catalog.aws.logmill(*run, "--output", catalog.lake.url, *catalog.options, "--quiet")
    else:
        catalog.aws.logmill(*arguments)
    assert not_registered_reason(catalog, day.source, code=0) is None
    assert_shown(catalog)


def test_a_publish_repeated_with_a_catalog_registers_the_day_from_the_receipt(
    catalog: Registered, day: SmallDay, tmp_path: Path
) -> None:
    """The catalog first refuses the repeated command, then gets all missing entries, and then gets none."""
    command = (*command_line(catalog, day.source, "publish", *ONE_TABLE), "--remove-staging")
    catalog.aws.logmill(*(word for word in command if word not in catalog.options))
    manifest, metrics = catalog.lake.manifest(TABLE), tmp_path / "logmill.prom"

    def again(code: int) -> tuple[dict[str, Any], list[str]]:
        catalog.aws.proxy.forget()
        if code:
            catalog.aws.proxy.rule(ACCESS_DENIED, operation="*CreatePartition")
        watched = ("--metrics-file", metrics, "--summary-json", "-")
        summary = json.loads(catalog.aws.logmill(*command, *watched, code=code).stdout)
        assert summary["exit_code"] == code
        assert summary["run"] == manifest["run"]
        assert catalog.lake.manifest(TABLE) == manifest
        lines = metrics.read_text().splitlines()
        assert f"logmill_exit_code {code}" in lines
        rows = f'logmill_run_rows{{table="{TABLE}",dataset="{TABLE}",outcome="written"}}'
        assert f"{rows} {manifest['ledger']['written']}" in lines
        return summary, lines

    summary, lines = again(code=6)
    [failed] = summary["failed"]
    assert (failed["table"], failed["published"]) == (TABLE, True)
    assert f'logmill_last_run_exit_code{{table="{TABLE}",dataset="{TABLE}"}} 6' in lines
    summary, lines = again(code=0)
    assert not summary["failed"]
    assert summary["tables"][0]["catalog"]["database"] == catalog.database
    assert any(line.startswith("logmill_last_success_timestamp_seconds{") for line in lines)
    assert_shown(catalog)
    mark = f"{manifest['run']}.registered.{catalog.database}.json"
    assert f"_runs/{TABLE}/{partition(SAMPLE_DAY)}/{mark}" in catalog.lake.history()
    again(code=0)
    assert not catalog.aws.proxy.requests("*Partition"), "nothing is left to register"


def test_a_corrected_run_record_keeps_encryption_and_tags(catalog: Registered, day: SmallDay) -> None:
    """The run set them by flags that `register` does not have."""
    catalog.aws.proxy.rule(ACCESS_DENIED, operation="*CreatePartition")
    given = ("--sse", "s3", "--tag", "team=sec")
    catalog.aws.logmill(*command_line(catalog, day.source, "run", *ONE_TABLE), *given, code=6)
    path = f"_runs/{TABLE}/{partition(SAMPLE_DAY)}/{catalog.lake.manifest(TABLE)['run']}.json"
    place = {"Bucket": catalog.lake.bucket, "Key": catalog.lake.below + path}

    def found() -> tuple[bool, str, list[dict[str, str]]]:
        report = json.loads(catalog.aws.get(place["Bucket"], place["Key"]))
        encryption = catalog.aws.s3.head_object(**place).get("ServerSideEncryption", "")
        return bool(report["error"]), encryption, catalog.aws.s3.get_object_tagging(**place)["TagSet"]

    made = ("AES256", [{"Key": "team", "Value": "sec"}])
    assert found() == (True, *made)
    catalog.aws.proxy.forget()
    catalog.register("--table", TABLE)
    assert found() == (False, *made)


@WHEN
def test_the_next_lookback_registers_a_day_that_was_rebuilt_but_not_registered(
    catalog: Registered, carried_out: bool
) -> None:
    """The catalog knows the day, but shows its previous run."""
    source = catalog.aws.source(few_objects(EARLY))
    catalog.run(*ONE_TABLE, source=source)
    catalog.aws.put(source.split("/")[2], {f"logs/{key}": body for key, body in few_objects().items()})
    road = ("--input", source, "--output", catalog.lake.url, *catalog.options, *ONE_TABLE, "--quiet")
    lookback = ("run", "--day", NEXT_DAY, "--lookback", "1d", *road)
    killed(catalog, lookback, "*UpdatePartition", carried_out)
    assert not_registered_reason(catalog, source, code=4)
    catalog.aws.logmill(*lookback)
    assert not_registered_reason(catalog, source, code=0) is None
    assert_shown(catalog)


def test_a_day_that_a_rebuild_would_shrink_is_registered_unchanged(catalog: Registered) -> None:
    """A raw object behind some of its rows was deleted, and another one has arrived."""
    source = catalog.aws.source(few_objects(EARLY))
    command = command_line(catalog, source, "run", *ONE_TABLE)
    killed(catalog, command, "*CreatePartition", False)
    manifest, bucket = catalog.lake.manifest(TABLE), source.split("/")[2]
    [gone] = [key for key in catalog.aws.keys(bucket) if EARLY[2] in key]
    catalog.aws.s3.delete_object(Bucket=bucket, Key=gone)
    catalog.aws.put(bucket, {f"logs/{key}": body for key, body in few_objects(LATE).items()})
    backfilled(catalog, source)
    assert catalog.lake.manifest(TABLE) == manifest
    assert_shown(catalog)


def test_a_day_can_be_registered_in_several_databases(catalog: Registered, day: SmallDay) -> None:
    other = catalog.aws.database()
    catalog.aws.glue.create_database(DatabaseInput={"Name": other})
    catalog.run(*ONE_TABLE, source=day.source)
    assert not_registered_reason(catalog, day.source, code=0) is None
    why = not_registered_reason(catalog, day.source, code=4, LOGMILL_DATABASE=other)
    assert why == f"no record of its registration in database '{other}'"
    backfilled(catalog, day.source, database=other)
    for env in ({}, {"LOGMILL_DATABASE": other}, {"LOGMILL_DATABASE": catalog.database}):
        assert not_registered_reason(catalog, day.source, code=0, **env) is None
    assert_shown(catalog)


def test_a_day_replaced_by_a_run_without_a_catalog_counts_as_unregistered(
    catalog: Registered, day: SmallDay
) -> None:
    """The catalog still shows the previous run."""
    catalog.run(*ONE_TABLE, source=day.source)
    catalog.aws.run(catalog.lake, *ONE_TABLE, source=day.source)
    assert not_registered_reason(catalog, day.source, code=4)
    backfilled(catalog, day.source)
    assert not_registered_reason(catalog, day.source, code=0) is None
    assert_shown(catalog)


def test_a_mark_that_cannot_be_written_is_a_warning(catalog: Registered, day: SmallDay) -> None:
    rule = catalog.aws.proxy.rule(ACCESS_DENIED, operation="PutObject", path="*.registered.*")
    arguments = command_line(catalog, day.source, "run", *ONE_TABLE)
    messages = catalog.aws.logmill(*(word for word in arguments if word != "--quiet")).stderr
    assert rule.struck
    assert "warn: cannot write the registration mark" in messages
    assert not_registered_reason(catalog, day.source, code=0) is None, "the run record shows it as well"
    run = catalog.lake.manifest(TABLE)["run"]
    report = f"_runs/{TABLE}/{partition(SAMPLE_DAY)}/{run}.json"
    bucket, key = catalog.lake.bucket, catalog.lake.below + report
    catalog.aws.s3.delete_object(Bucket=bucket, Key=key)
    assert not_registered_reason(catalog, day.source, code=4)
    catalog.aws.proxy.forget()
    backfilled(catalog, day.source)
    assert not_registered_reason(catalog, day.source, code=0) is None
