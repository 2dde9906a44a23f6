"""
### logmill_sharded

A KST day that is too large for one machine: `plan` deals its objects out, a mapped task a shard converts them on any
worker, `publish` makes the day of them, with the bytes that one `run` would give, and `register` shows it. Only by
hand. All workers must see the folder `staging` of the settings, and the raw logs.
"""

import json
import shutil
from datetime import date
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG, Param, task

from logmill_airflow.athena import check_count, count_rows
from logmill_airflow.config import Config
from logmill_airflow.exit_codes import NOT_REGISTERED
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, the_day

config = Config.load()
# A folder for this run of the DAG alone.
FOLDER = config.staging.rstrip("/") + "/{{ dag_run.run_id | replace(':', '-') | replace('+', '-') }}"
PLAN = f"{FOLDER}/plan.json"
# Airflow expands a task to 1,024 at most, unless core.max_map_length says otherwise.
MOST_SHARDS = 1000
DAY = "{{ ti.xcom_pull(task_ids='day') }}"

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
    plan = LogmillOperator(
        task_id="plan",
        verb="plan",
        day=DAY,
        options={"shards": "{{ params['shards'] }}", "format": "json"},
        stdout_to=PLAN,
        **config.binary_options(),
    )

    @task
    def shards(planned) -> list[dict]:
        """The arguments of each task that converts."""
        count = json.loads(Path(planned["file"]).read_bytes())["shards"]
        staging = str(Path(planned["file"]).parent)
        return [{"options": {"plan": planned["file"], "staging": staging, "shard": k}} for k in range(count)]

    convert = LogmillOperator.partial(task_id="convert", verb="convert", **config.binary_options()).expand_kwargs(
        shards(plan.output)
    )

    publish = LogmillOperator(
        task_id="publish",
        verb="publish",
        options={"plan": PLAN, "staging": FOLDER},
        accept=[NOT_REGISTERED],
        **config.binary_options(),
    )

    @task
    def check(summary) -> list[dict]:
        """Gives on what was published, once Athena sees as many rows."""
        for entry in summary["tables"] if config.database and config.athena_check else []:
            check_count(entry, count_rows(config, entry["table"], date.fromisoformat(entry["day"])))
        return summary["tables"]

    @task
    def clean(planned) -> None:
        """Removes what was staged; kept as long as something has failed, so that tasks can be cleared."""
        shutil.rmtree(Path(planned["file"]).parent)

    the_day() >> plan
    convert >> publish
    checked = check(publish.output)
    if config.database:
        register = LogmillOperator(
            task_id="register",
            verb="register",
            day=DAY,
            options={"format": "json"},
            stdout="json-lines",
            **config.binary_options(),
        )
        publish >> register >> checked
    [checked, checked >> clean(plan.output), *announce_tables(config, checked)] >> done()
