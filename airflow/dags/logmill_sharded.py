"""
### logmill_sharded

A KST day that is too large for one machine: `plan` deals its objects out, a mapped task a shard converts them on any
worker, `publish` makes the day of them, with the bytes that one `run` would give, and registers it. Only by hand.

Plan and shards meet below `staging` of the settings: in S3, or in a folder that all workers share. They stay as long as
something fails, so that a failed task can be cleared by itself. Once `publish` has succeeded, the shards are gone and a
small receipt stands in the place of the plan: to rebuild the day, clear the run from `plan` on.
"""

from datetime import date

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, get_current_context, task

from logmill_airflow.athena import check_count, count_rows
from logmill_airflow.config import Config
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, tables_in, the_day

config = Config.load()
# Airflow expands a task to 1,024 at most, unless core.max_map_length says otherwise.
MOST_SHARDS = 1000
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
        "proc_ymd": day_param("KST day", "2023-11-01 or 20231101; yesterday when empty"),
        "shards": Param(config.shards, type="integer", minimum=1, maximum=MOST_SHARDS, title="Shards"),
    },
    tags=["logmill"],
    doc_md=__doc__,
) as dag:

    @task
    def staging() -> str:
        """Where plan and shards of this run meet. Asked on a worker, which may know more than the scheduler."""
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
        """The arguments of each task that converts."""
        count = int(get_current_context()["params"]["shards"])
        return [{"options": {"plan": f"{place}/plan.json", "staging": place, "shard": k}} for k in range(count)]

    convert = LogmillOperator.partial(task_id="convert", verb="convert", **config.binary_options())

    publish = LogmillOperator(
        task_id="publish",
        verb="publish",
        # Only what is published and registered is removed: code 6 is tried again, from the same shards.
        options={"plan": PLAN, "staging": STAGING, "remove_staging": True},
        doc_md="Once it has succeeded, a receipt replaces plan and shards: to rebuild the day, clear from `plan` on.",
        **config.binary_options(),
    )

    @task
    def check(summary) -> list[dict]:
        """Gives on what was published, once Athena sees as many rows."""
        tables = tables_in(summary)
        for entry in tables if config.database and config.athena_check else []:
            check_count(entry, count_rows(config, entry["table"], date.fromisoformat(entry["day"])))
        return tables

    place = staging()
    [the_day(), place] >> plan >> (arguments := shards(place))
    convert.expand_kwargs(arguments) >> publish
    checked = check(publish.output)
    [checked, *announce_tables(config, checked)] >> done()
