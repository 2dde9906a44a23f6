"""
### logmill_backfill

Builds a range of KST days, both ends included, and reads each raw object once. Triggered by hand only. An interrupted
or retried run resumes where it stopped. `airflow backfill create --dag-id logmill_daily` is the alternative: it builds
the days one by one, as runs of that DAG. `tables` lists the tables, as in that DAG.
"""

from airflow.providers.common.compat.sdk import DAG, Param

from logmill_airflow.config import Config
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import announce_tables, day_param, done, sources_of, tables_of

config = Config.load()
STATES = ["missing", "stale", "failed", "outdated", "all"]

with DAG(
    dag_id="logmill_backfill",
    schedule=None,
    start_date=config.first_instant,
    catchup=False,
    max_active_runs=1,
    default_args=config.task_defaults(),
    on_failure_callback=config.dag_callback(),
    params={
        "from": day_param("From", "first KST day"),
        "to": day_param("To", "last KST day; defaults to yesterday"),
        "only": Param(
            ["missing", "stale", "failed"],
            type="array",
            items={"type": "string", "enum": STATES},
            examples=STATES,
            title="Only",
            description="states of the days to build",
        ),
    },
    # Keeps `options` a list, and lets empty values be left out.
    render_template_as_native_obj=True,
    tags=["logmill"],
    doc_md=__doc__,
) as dag:
    backfill = LogmillOperator.partial(
        task_id="backfill",
        verb="backfill",
        options={
            "from": "{{ params['from'] }}",
            "to": "{{ params['to'] }}",
            "only": "{{ params['only'] }}",
        },
        **config.binary_options(),
    ).expand(source=sources_of(config, **{"from": "{{ params['from'] or '' }}", "to": "{{ params['to'] }}"}))

    [backfill, *announce_tables(config, tables_of(backfill.output))] >> done()
