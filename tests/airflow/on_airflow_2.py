"""Runs in the Python of an Airflow 2.11: imports the package, parses the DAGs, and builds the sample day.

Arguments: folder of the DAGs, raw logs, lake, binary. Prints one JSON object.
"""

import json
import os
import sys


def main(dags: str, logs: str, lake: str, binary: str) -> dict[str, object]:
    """Returns the results of the checks."""
    env = {"LOGMILL_INPUT": logs, "LOGMILL_OUTPUT": lake}
    settings = {"binary": binary, "env": env, "retries": 0, "first_day": "2023-10-01"}
    os.environ["AIRFLOW_VAR_LOGMILL"] = json.dumps(
        settings | {"database": "logs", "quicksight_data_sets": {"cloudtrail": ["a"]}}
    )
    import pendulum
    from airflow import __version__
    from airflow.models.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    errors = DagBag(dags).import_errors
    os.environ["AIRFLOW_VAR_LOGMILL"] = json.dumps(settings)
    bag = DagBag(dags)
    # The midnight in Seoul that ends November 1.
    run = bag.dags["logmill_daily"].test(execution_date=pendulum.datetime(2023, 11, 1, 15))
    typed = bag.dags["logmill_daily"].test(
        execution_date=pendulum.datetime(2024, 1, 1), run_conf={"proc_ymd": "2023-10-31"}
    )
    return {
        "airflow": __version__,
        "errors": errors,
        "dags": sorted(bag.dags),
        "states": [str(run.state), str(typed.state)],
        "interval": [str(run.data_interval_start), str(run.data_interval_end)],
    }


if __name__ == "__main__":
    print("\n" + json.dumps(main(*sys.argv[1:])))
