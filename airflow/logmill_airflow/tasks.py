"""Tasks that the DAGs share."""

import logging
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    Asset,
    AssetAlias,
    Param,
    get_current_context,
    task,
    timezone,
)

from logmill_airflow import compat
from logmill_airflow.athena import check_count, count_rows
from logmill_airflow.config import Config
from logmill_airflow.day import DAY_PATTERN, day_of, ready_at
from logmill_airflow.operators import TablesOperator

log = logging.getLogger(__name__)

# The alias under which tables are announced that are not known when a DAG is parsed.
ALIAS = "logmill"


def day_param(title: str, description: str) -> Param:
    """A day that can be set when a DAG is triggered by hand. Optional."""
    return Param(None, type=["null", "string"], pattern=f"^({DAY_PATTERN})$", title=title, description=description)


@task(task_id="day")
def the_day() -> str:
    """The KST day that the run is about."""
    try:
        return day_of(get_current_context()).isoformat()
    except ValueError as error:
        raise AirflowFailException(str(error)) from error


def logs_have_arrived(day: str, run_type: str, start_at: time, now: datetime) -> bool:
    """Whether a run may start: the last logs of a day arrive with a delay. Manual runs do not wait."""
    return run_type == "manual" or now >= ready_at(date.fromisoformat(day), start_at)


def wait_for_logs(config: Config, day: Any) -> Any:
    """A sensor that frees its slot while it waits. For past days it ends immediately."""

    @task.sensor(task_id="wait_for_logs", mode="reschedule", poke_interval=300, timeout=86400, execution_timeout=None)
    def wait(day: str) -> bool:
        """Whether the logs of the day have had time to arrive."""
        kind = get_current_context()["dag_run"].run_type
        return logs_have_arrived(day, str(getattr(kind, "value", kind)), config.start_time, timezone.utcnow())

    return wait(day)


def sources_of(config: Config, **days: Any) -> Any:
    """One source per table, for a mapped task: those of the variable, or those that the program lists for the days."""
    if config.has_sources:
        return [vars(entry) for entry in config.table_sources()]
    return TablesOperator(task_id="tables", days=days, **config.binary_options()).output


def count_in_athena(config: Config) -> Any:
    """A task that compares the rows of a new partition with the summary of its run."""

    @task(task_id="check")
    def check(summary: Mapping[str, Any] | None) -> dict[str, Any]:
        """Passes the published table on once Athena counts the same rows."""
        published = only_table(summary)
        if config.database and config.athena_check:
            counted = count_rows(config, published["table"], date.fromisoformat(published["day"]))
            check_count(published, counted)
            log.info("Athena counts the same %d rows of %s", counted, published["table"])
        return published

    return check


def only_table(summary: Mapping[str, Any] | None) -> dict[str, Any]:
    """The table of a run that was limited to one source. Skips downstream tasks if the run published nothing."""
    return tables_in(summary)[0]


def tables_in(summary: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The tables of a run. Skips downstream tasks if the run published nothing or left no summary."""
    if summary is None:
        raise AirflowSkipException("no summary shows what was published: see the log of the run")
    if not summary["tables"]:
        raise AirflowSkipException("nothing was published")
    return [dict(table) for table in summary["tables"]]


def results(pulled: Any) -> list[dict[str, Any]]:
    """The results of mapped tasks. Airflow returns a single result without a list, for example if all others failed."""
    if pulled is None:
        return []
    return [pulled] if isinstance(pulled, Mapping) else [dict(entry) for entry in pulled if entry]


@task(task_id="published", trigger_rule="all_done")
def tables_of(summaries: Any) -> list[dict[str, Any]]:
    """The tables that mapped runs published, by table and day."""
    return [entry for summary in results(summaries) for entry in summary["tables"]]


@task(task_id="done", trigger_rule="none_failed")
def done() -> None:
    """The last task. It fails the DAG run if any other task failed."""


def announce_tables(config: Config, published: Any) -> list[Any]:
    """One task per known table that updates its asset, and one for all others; skipped if nothing was published.

    Tables do not wait for each other's success: the task reads the results in `published` when all have ended.
    """
    known = [announce(table, Asset(uri=config.asset_uri(table)))(published) for table in config.tables]
    # In 2.11, the extra of an event under an alias cannot hold the tables.
    if config.has_sources or not compat.AIRFLOW_3:
        return known
    return [*known, announce_others(config)(published)]


def announce(table: str, asset: Asset) -> Any:
    """A task with the asset of a table as its outlet."""

    @task(task_id=f"announce_{table}", trigger_rule="all_done", outlets=[asset])
    def send(published: Any) -> None:
        """Sends an asset event with the published days and rows."""
        entries = [entry for entry in results(published) if entry["table"] == table]
        if not entries:
            raise AirflowSkipException(f"nothing of {table} was published")
        context = get_current_context()
        event = context["outlet_events"][asset]
        event.extra = {"tables": entries}
        if not getattr(context["dag_run"], "partition_key", None):
            for day in sorted({entry["day"] for entry in entries}):
                compat.add_partition(event, day)

    return send


def announce_others(config: Config) -> Any:
    """A task that updates the assets of tables that are known only when a DAG runs.

    Airflow adds no partition to such an event except that of the DAG run.
    """
    alias = AssetAlias(name=ALIAS)

    @task(task_id="announce_others", trigger_rule="all_done", outlets=[alias])
    def send(published: Any) -> None:
        """Sends an asset event for each other table, with the published days and rows."""
        entries = [entry for entry in results(published) if entry["table"] not in config.tables]
        if not entries:
            raise AirflowSkipException("nothing of other tables was published")
        events = get_current_context()["outlet_events"][alias]
        for table in dict.fromkeys(entry["table"] for entry in entries):
            of_table = [entry for entry in entries if entry["table"] == table]
            events.add(Asset(uri=config.asset_uri(table)), extra={"tables": of_table})

    return send
