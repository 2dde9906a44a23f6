"""
### logmill_watch

Every three hours, finds the KST days that are missing, stale because of late logs, or failed, and rebuilds each of them
in its own task. Days before the first log do not count as missing. A day whose rebuild would lose rows, because its raw
logs have expired, is skipped.
"""

from airflow.providers.common.compat.sdk import DAG, Param, get_current_context, task, timezone

from logmill_airflow.compat import three_hourly_timetable
from logmill_airflow.config import Config
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, logs_have_arrived, sources_of, tables_of

config = Config.load()
BEHIND = ["missing", "stale", "failed"]
# Airflow expands a task to at most 1,024 instances by default (core.max_map_length); the next run builds the rest.
MAX_DAYS = 1000
DAYS = {"last": "{{ params['days'] }}d", "to": "{{ params['to'] }}"}

with DAG(
    dag_id="logmill_watch",
    schedule=three_hourly_timetable(),
    start_date=config.first_instant,
    catchup=False,
    max_active_runs=1,
    default_args=config.task_defaults(),
    on_failure_callback=config.dag_callback(),
    params={
        "days": Param(config.watch_days, type="integer", minimum=1, title="Days", description="days to check"),
        "to": day_param("To", "last KST day; defaults to yesterday"),
        "only": Param(BEHIND, type="array", items={"enum": BEHIND}, examples=BEHIND, title="Only"),
    },
    # Lets an empty `to` be left out.
    render_template_as_native_obj=True,
    tags=["logmill"],
    doc_md=__doc__,
) as dag:
    status = LogmillOperator(
        task_id="status",
        verb="status",
        options=DAYS | {"format": "json"},
        stdout="json-lines",
        **config.binary_options(),
    )

    @task
    def behind(days, tables) -> list[dict]:
        """The arguments of one task per day that needs a rebuild. The newest day is left to logmill_daily."""
        sources = {entry["table"]: entry for entry in tables}
        only, now = get_current_context()["params"]["only"], timezone.utcnow()
        found = [
            {"source": sources[entry["table"]], "options": {"from": entry["day"], "to": entry["day"], "only": only}}
            for entry in days
            # The lake can hold tables that are built from other inputs.
            if entry["table"] in sources
            if entry["state"] in only or entry["not_registered"]
            if logs_have_arrived(entry["day"], "scheduled", config.start_time, now)
        ]
        return found[:MAX_DAYS]

    rebuild = LogmillOperator.partial(
        task_id="rebuild",
        verb="backfill",
        map_index_template="{{ task.source['table'] }} {{ task.options['from'] }}",
        max_active_tis_per_dagrun=4,
        **config.binary_options(),
    ).expand_kwargs(behind(status.output, sources_of(config, **DAYS)))

    [rebuild, *announce_tables(config, tables_of(rebuild.output))] >> done()
