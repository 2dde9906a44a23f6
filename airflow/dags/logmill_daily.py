"""
### logmill_daily

Publishes the KST day that has just ended, at 04:00 in Seoul on the following day. To publish any other day, trigger the
DAG by hand with `proc_ymd`.

`tables` asks the program which tables it builds: those of the config file, and log types that the inputs hold. For each
of them: `run`, `register`, and a row count in Athena. The DAG then refreshes QuickSight and updates one asset per table
for downstream DAGs.

Settings come from the Airflow Variable `logmill`; see the README of logmill-airflow.
"""

from airflow.providers.common.compat.sdk import DAG, task, task_group, timezone

from logmill_airflow.compat import daily_timetable
from logmill_airflow.config import Config
from logmill_airflow.exit_codes import NOT_REGISTERED
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.spice import refreshes
from logmill_airflow.tasks import (
    announce_tables,
    count_in_athena,
    day_param,
    done,
    results,
    sources_of,
    the_day,
    wait_for_logs,
)

config = Config.load()
DAY = "{{ ti.xcom_pull(task_ids='day') }}"


@task(trigger_rule="all_done")
def spice_refreshes(published) -> list[dict[str, str]]:
    """One refresh for each data set that shows a published table."""
    return refreshes(
        results(published),
        config.quicksight_data_sets,
        config.quicksight_full_refresh,
        config.quicksight_lookback_days,
        timezone.utcnow(),
    )


def refresh_spice(wanted):
    """One refresh per data set, with the logmill run as its id. A retry needs an id of its own."""
    from airflow.providers.amazon.aws.operators.quicksight import QuickSightCreateIngestionOperator

    of_run = "ti.xcom_pull(task_ids='spice_refreshes')[ti.map_index]['run']"
    return QuickSightCreateIngestionOperator.partial(
        task_id="refresh_spice",
        map_index_template="{{ task.data_set_id }}",
        ingestion_id="{{ " + of_run + " }}{{ '-%d' % ti.try_number if ti.try_number > 1 else '' }}",
        wait_for_completion=config.quicksight_wait,
        aws_conn_id=config.aws_conn_id,
    ).expand_kwargs(wanted.map(lambda one: {name: one[name] for name in ("data_set_id", "ingestion_type")}))


with DAG(
    dag_id="logmill_daily",
    schedule=daily_timetable(),
    start_date=config.first_instant,
    catchup=False,
    # A run that waits for its logs takes one of these slots; a backfill needs the others.
    max_active_runs=4,
    default_args=config.task_defaults(),
    on_failure_callback=config.dag_callback(),
    params={"proc_ymd": day_param("KST day", "2023-11-01 or 20231101; defaults to yesterday")},
    tags=["logmill"],
    doc_md=__doc__,
) as dag:
    ready = wait_for_logs(config, the_day())

    sources = sources_of(config, day=DAY)
    if not config.has_sources:
        ready >> sources.operator

    @task_group
    def source(source):
        """The tasks of one source, independent of the other sources."""
        run = LogmillOperator(
            task_id="run",
            map_index_template="{{ task.source['table'] }}",
            verb="run",
            day=DAY,
            source=source,
            # The next task registers the day without reading a log.
            accept=[NOT_REGISTERED],
            **config.binary_options(),
        )
        checked = count_in_athena(config)(run.output)
        if config.database:
            register = LogmillOperator(
                task_id="register",
                verb="register",
                day=DAY,
                source=source,
                options={"format": "json"},
                stdout="json-lines",
                **config.binary_options(),
            )
            run >> register >> checked
        ready >> run
        return checked

    published = source.expand(source=sources)

    last = [published, *announce_tables(config, published)]
    if config.quicksight_data_sets:
        last.append(refresh_spice(spice_refreshes(published)))
    last >> done()
