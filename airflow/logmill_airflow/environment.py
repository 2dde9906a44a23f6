"""The environment in which a worker runs the binary."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

# Airflow's own settings hold the keys of its database and connections. The child must not see them.
AIRFLOW_SETTINGS = re.compile(r"_?AIRFLOW_", re.IGNORECASE)


def child_environment(more: Mapping[str, str], aws_conn_id: str | None = None) -> dict[str, str]:
    """The worker's environment without Airflow's settings, with the credentials of a connection, and with `more`."""
    own = {name: value for name, value in os.environ.items() if not AIRFLOW_SETTINGS.match(name)}
    return own | (aws_environment(aws_conn_id) if aws_conn_id else {}) | dict(more)


def program(name: str, env: Mapping[str, str]) -> str:
    """The program to start: the one on PATH, or else the one that pip installed next to this Python.

    A worker can run in a virtual environment whose programs are not on PATH.
    """
    if os.sep in name or shutil.which(name, path=env.get("PATH")) is not None:
        return name
    installed = Path(sys.executable).with_name(name)
    return str(installed) if installed.is_file() else name


def aws_environment(conn_id: str) -> dict[str, str]:
    """The credentials, region and endpoint of an Airflow connection, in the variables of AWS tools. Masked in logs.

    Credentials of an assumed role expire with their session. For long tasks, prefer a role of the worker.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from airflow.providers.common.compat.sdk import mask_secret

    hook = AwsGenericHook(aws_conn_id=conn_id, client_type="sts")
    session = hook.get_session()
    credentials = session.get_credentials()
    if credentials is None:
        raise ValueError(f"the connection '{conn_id}' has no AWS credentials")
    frozen = credentials.get_frozen_credentials()
    for secret in (frozen.secret_key, frozen.token):
        if secret:
            mask_secret(secret)
    found = {
        "AWS_ACCESS_KEY_ID": frozen.access_key,
        "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
        "AWS_SESSION_TOKEN": frozen.token,
        "AWS_REGION": hook.region_name or session.region_name,
        "AWS_ENDPOINT_URL": hook.conn_config.endpoint_url,
    }
    return {name: value for name, value in found.items() if value}
