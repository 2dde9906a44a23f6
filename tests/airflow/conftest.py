"""An Airflow of its own in a folder for temporary files, and AWS on a local server. Nothing of this machine leaks in."""

import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = REPOSITORY / "airflow" / "dags"

# Airflow reads its settings when it is imported, so that they are made before anything else is.
for name in [name for name in os.environ if re.match(r"_?AIRFLOW_|AWS_|LOGMILL_(?!BIN$)|.*_PROXY$", name, re.IGNORECASE)]:
    del os.environ[name]
HOME = tempfile.TemporaryDirectory(prefix="logmill-airflow-")
os.environ |= {
    "AIRFLOW_HOME": HOME.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "NO_PROXY": "127.0.0.1,localhost",
    "TZ": "America/New_York",
}


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Address of a server that speaks S3, Glue, Athena, QuickSight and STS, on a free port of 127.0.0.1."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's database, made once."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the Airflow Variable from which the DAGs have their settings."""

    def set_to(**settings: Any) -> None:
        monkeypatch.setenv("AIRFLOW_VAR_LOGMILL", json.dumps(settings))

    return set_to
