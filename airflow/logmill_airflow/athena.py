"""Counts the rows of a day in Athena."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from logmill_airflow.config import Config
from logmill_airflow.day import partition_value

DONE = "SUCCEEDED"


def count_statement(database: str, table: str, day: date) -> str:
    """The SQL that counts the rows of a day."""
    return f'SELECT count(*) FROM "{database}"."{table}" WHERE proc_ymd = \'{partition_value(day)}\''


def count_rows(config: Config, table: str, day: date) -> int:
    """Runs the count in Athena and waits for the result."""
    from airflow.providers.amazon.aws.hooks.athena import AthenaHook

    hook = AthenaHook(aws_conn_id=config.aws_conn_id)
    where = {"OutputLocation": config.athena_output} if config.athena_output else {}
    statement = count_statement(str(config.database), table, day)
    query = hook.run_query(statement, {"Database": config.database}, where, workgroup=config.athena_workgroup)
    try:
        state = hook.poll_query_status(query, sleep_time=2)
    except BaseException:
        # The task was killed or timed out, so the result is no longer needed.
        hook.stop_query(query)
        raise
    if state != DONE:
        reason = hook.get_state_change_reason(query)
        raise AirflowException(f"Athena could not count the rows: {state}: {reason} ({statement})")
    rows = hook.get_query_results(query)["ResultSet"]["Rows"]
    return int(rows[1]["Data"][0]["VarCharValue"])


def check_count(published: Mapping[str, Any], counted: int) -> None:
    """Fails if the partition does not show the published rows. A retry would count the same rows."""
    if counted != published["rows"]:
        raise AirflowFailException(
            f"Athena counts {counted} rows of {published['table']} on {published['day']}, but run {published['run']} "
            f"published {published['rows']}: run 'logmill doctor' to find the cause; if another run has replaced the "
            "day since, clear the tasks of this source"
        )
