"""A worker that runs one task with the fake binary, under Airflow's SIGTERM handler. Argument: grace in seconds."""

import signal
import sys
from pathlib import Path

from airflow.providers.common.compat.sdk import AirflowException
from logmill_airflow.operators import LogmillOperator

FAKE = [sys.executable, str(Path(__file__).with_name("fake_logmill.py"))]

if __name__ == "__main__":
    task = LogmillOperator(task_id="run", verb="run", day="2023-11-01", binary=FAKE, grace=float(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: task.on_kill())
    try:
        task.execute({})
    except AirflowException as error:
        print(error)
