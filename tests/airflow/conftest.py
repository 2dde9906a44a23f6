"""An isolated Airflow, AWS on a local server, and settings with which the DAGs fill a lake."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws import CREDENTIALS, REGION, Aws, sample_objects
from catalog import Registered
from faults import FaultProxy
from harness import binary
from moto_server import moto_server

# Before anything that imports Airflow.
import surroundings  # noqa: F401
from answers import Athena


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Address of a server that speaks S3, Glue, Athena, QuickSight and STS, on a free port of 127.0.0.1."""
    with moto_server() as address:
        yield address


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's database, created once."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the Airflow Variable that holds the settings of the DAGs."""

    def set_to(**settings: Any) -> None:
        monkeypatch.setenv("AIRFLOW_VAR_LOGMILL", json.dumps(settings))

    return set_to


@pytest.fixture(scope="session")
def aws(aws_server: str) -> Aws:
    """The local server, without injected faults."""
    return Aws(aws_server, FaultProxy(aws_server))


@pytest.fixture(scope="session")
def raw_logs(aws: Aws) -> str:
    """Address of the raw objects of the sample."""
    return aws.source(sample_objects())


@pytest.fixture
def connection(aws_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Airflow connection to the local server."""
    connection = {
        "conn_type": "aws",
        "login": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "password": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "extra": {"region_name": REGION, "endpoint_url": aws_server},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))


@pytest.fixture
def athena(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Athena:
    """Answers every Athena query from the stand-in."""
    return Athena.installed(aws, tmp_path / "queries", monkeypatch)


@pytest.fixture
def registered(
    aws: Aws, raw_logs: str, connection: None, athena: Athena, variable: Any, airflow_database: None
) -> Registered:
    """A new lake and a new database, and settings with which the DAGs fill them."""
    registered = Registered(aws, aws.lake(), aws.database())
    variable(**settings_of(registered, raw_logs))
    return registered


def settings_of(registered: Registered, raw_logs: str, **more: Any) -> dict[str, Any]:
    """Settings of the DAGs for a lake and a database."""
    env = {
        "LOGMILL_INPUT": raw_logs,
        "LOGMILL_OUTPUT": registered.lake.url,
        "LOGMILL_DATABASE": registered.database,
        "LOGMILL_CREATE_DATABASE": "true",
        # Superseded runs are deleted immediately, so that lakes can be compared.
        "LOGMILL_GRACE": "0s",
    }
    return {
        "binary": str(binary()),
        "binary_aws_conn_id": "aws_default",
        "env": env,
        "athena_output": "s3://answers/",
        "retries": 0,
    } | more
