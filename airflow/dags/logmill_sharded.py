"""
### logmill_sharded

Builds a KST day that is too large for one machine. Triggered by hand only. `plan` distributes the objects over shards,
one mapped task per shard converts them on any worker, and `publish` combines and registers the day. The published bytes
equal those of a single `run`.

Plan and shards are stored below the setting `staging`: in S3, or in a folder that all workers share. They are kept
until `publish` succeeds, so you can clear a failed task on its own. `publish` then deletes the shards and replaces the
plan with a small receipt. To rebuild the day after that, clear the run from `plan` on.
"""

from datetime import date

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, get_current_context, task

from logmill_airflow.athena import check_count, count_rows
from logmill_airflow.config import Config
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, tables_in, the_day

config = Config.load()
# Airflow expands a task to at most 1,024 instances by default (core.max_map_length).
MAX_SHARDS = 1000
STAGING = "{{ ti.xcom_pull(task_ids='staging') }}"
PLAN = f"{STAGING}/plan.json"

with DAG(
    dag_id="logmill_sharded",
    schedule=None,
    start_date=config.first_instant,
    catchup=False,
    max_active_runs=2,
    default_args=config.task_defaults(),
    on_failure_callback=config.dag_callback(),
    params={
        "proc_ymd": day_param("KST day", "2023-11-01 or 20231101; defaults to yesterday"),
        "shards": Param(config.shards, type="integer", minimum=1, maximum=MAX_SHARDS, title="Shards"),
    },
    tags=["logmill"],
    doc_md=__doc__,
) as dag:

    @task
    def staging() -> str:
        """The staging folder of this run. Resolved on a worker, which may have settings that the scheduler lacks."""
        try:
            return config.staging_of(get_current_context()["dag_run"].run_id)
        except ValueError as error:
            raise AirflowFailException(str(error)) from error

    plan = LogmillOperator(
        task_id="plan",
        verb="plan",
        day="{{ ti.xcom_pull(task_ids='day') }}",
        options={"shards": "{{ params['shards'] }}", "plan": PLAN},
        **config.binary_options(),
    )

    @task
    def shards(place) -> list[dict]:
        """The arguments of each convert task."""
        count = int(get_current_context()["params"]["shards"])
        return [{"options": {"plan": f"{place}/plan.json", "staging": place, "shard": k}} for k in range(count)]

    convert = LogmillOperator.partial(task_id="convert", verb="convert", **config.binary_options())

    publish = LogmillOperator(
        task_id="publish",
        verb="publish",
        # Staging is removed only when the day is published and registered; exit code 6 is retried from the same shards.
        options={"plan": PLAN, "staging": STAGING, "remove_staging": True},
        doc_md="On success, a receipt replaces plan and shards. To rebuild the day, clear the run from `plan` on.",
        **config.binary_options(),
    )

    @task
    def check(summary) -> list[dict]:
        """Passes the published tables on once Athena counts the same rows."""
        tables = tables_in(summary)
        for entry in tables if config.database and config.athena_check else []:
            check_count(entry, count_rows(config, entry["table"], date.fromisoformat(entry["day"])))
        return tables

    place = staging()
    [the_day(), place] >> plan >> (arguments := shards(place))
    convert.expand_kwargs(arguments) >> publish
    checked = check(publish.output)
    [checked, *announce_tables(config, checked)] >> done()
