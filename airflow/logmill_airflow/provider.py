"""Describes this package for Airflow's list of providers."""

from importlib.metadata import version
from typing import Any


def get_provider_info() -> dict[str, Any]:
    """The entry point `apache_airflow_provider`."""
    return {
        "package-name": "logmill-airflow",
        "name": "logmill",
        "description": "Raw AWS access logs in, trusted Parquet out: one closed KST day at a time.",
        "versions": [version("logmill-airflow")],
        "integrations": [
            {"integration-name": "logmill", "external-doc-url": "", "tags": ["software"]},
        ],
        "operators": [
            {"integration-name": "logmill", "python-modules": ["logmill_airflow.operators"]},
        ],
    }
