"""
### logmill_watch

Every three hours: which KST days are missing, stale for late logs, or failed? Each of them is made anew by a task of
its own. Days before the first log are not missing. Days that would lose rows, since raw logs have expired, are left as
they are.
"""

from airflow.providers.common.compat.sdk import DAG, Param, get_current_context, task, timezone

from logmill_airflow.compat import three_hourly_timetable
from logmill_airflow.config import Config
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, logs_are_there, tables_of

config = Config.load()
BEHIND = ["missing", "stale", "failed"]
# Airflow expands a task to 1,024 at most, unless core.max_map_length says otherwise; the next round makes the rest.
MOST_DAYS = 1000

with DAG(
    dag_id="logmill_watch",
    schedule=three_hourly_timetable(),
    start_date=config.first_instant,
    catchup=False,
    max_active_runs=1,
    default_args=config.task_defaults(),
    on_failure_callback=config.dag_callback(),
    params={
        "days": Param(config.watch_days, type="integer", minimum=1, title="Days", description="how many are looked at"),
        "to": day_param("To", "last KST day; yesterday when empty"),
        "only": Param(BEHIND, type="array", items={"enum": BEHIND}, examples=BEHIND, title="Only"),
    },
    # An empty `to` is left out.
    render_template_as_native_obj=True,
    tags=["logmill"],
    doc_md=__doc__,
) as dag:
    status = LogmillOperator(
        task_id="status",
        verb="status",
        options={"last": "{{ params['days'] }}d", "to": "{{ params['to'] }}", "format": "json"},
        stdout="json-lines",
        **config.binary_options(),
    )

    @task
    def behind(days) -> list[dict]:
        """The arguments of a task for each day that lacks something; the newest is left to logmill_daily."""
        sources = {entry.table: vars(entry) for entry in config.table_sources()}
        only, now = get_current_context()["params"]["only"], timezone.utcnow()
        found = [
            {"source": sources[entry["table"]], "options": {"from": entry["day"], "to": entry["day"], "only": only}}
            for entry in days
            if entry["state"] in only or entry["not_registered"]
            if logs_are_there(entry["day"], "scheduled", config.start_time, now)
        ]
        return found[:MOST_DAYS]

    rebuild = LogmillOperator.partial(
        task_id="rebuild",
        verb="backfill",
        map_index_template="{{ task.source['table'] }} {{ task.options['from'] }}",
        max_active_tis_per_dagrun=4,
        **config.binary_options(),
    ).expand_kwargs(behind(status.output))

    [rebuild, *announce_tables(config, tables_of(rebuild.output))] >> done()
