"""Arguments that run the same command with Airflow's stock operators. Independent of Airflow.

    DockerOperator(task_id="run", **docker(command, image="logmill:0.2.0"), auto_remove="force")

The images must have logmill as their entry point. Words may hold Jinja, which the operators render. The operators
differ in what they do with exit codes. Keep `retries` small for operators that cannot tell retryable exit codes from
the others.
"""

from collections.abc import Mapping
from typing import Any

from logmill_airflow.command import Command
from logmill_airflow.exit_codes import EXIT_CODES, Outcome

SKIPPED = [code for code, entry in EXIT_CODES.items() if entry.outcome is Outcome.SKIP]
RETRIED = [code for code, entry in EXIT_CODES.items() if entry.outcome is Outcome.RETRY]
# The most conditions that Batch allows.
MAX_CONDITIONS = 5


def docker(command: Command, *, image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """For `DockerOperator`: exit code 99 skips, any other code except 0 fails."""
    return {
        "image": image,
        "command": command.arguments(),
        "environment": dict(env or {}),
        "skip_on_exit_code": SKIPPED,
    }


def kubernetes(command: Command, *, image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """For `KubernetesPodOperator`: exit code 99 skips, any other code except 0 fails.

    A deleted pod gets SIGTERM, which stops logmill cleanly.
    """
    return {
        "image": image,
        "arguments": command.arguments(),
        "env_vars": dict(env or {}),
        "skip_on_exit_code": SKIPPED,
    }


def ecs(
    command: Command, *, cluster: str, task_definition: str, container: str, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """For `EcsRunTaskOperator`: exit code 99 skips, any other code except 0 fails."""
    override = {"name": container, "command": command.arguments(), "environment": pairs(env)}
    return {
        "cluster": cluster,
        "task_definition": task_definition,
        "container_name": container,
        "overrides": {"containerOverrides": [override]},
        "skip_on_exit_code": SKIPPED,
    }


def batch(
    command: Command,
    *,
    name: str,
    job_queue: str,
    job_definition: str,
    attempts: int = 3,
    array_size: int | None = None,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """For `BatchOperator`: Batch retries the retryable exit codes and lost hosts. Set `retries=0` on the task.

    With `array_size` the job is an array. With `convert` and the option `shard: "auto"`, each child builds the shard of
    its index; children without a shard do nothing.
    """
    conditions = [{"onStatusReason": "Host EC2*", "action": "RETRY"}]
    conditions += [{"onExitCode": str(code), "action": "RETRY"} for code in RETRIED]
    conditions += [{"onExitCode": "*", "action": "EXIT"}]
    assert len(conditions) <= MAX_CONDITIONS
    return {
        "job_name": name,
        "job_queue": job_queue,
        "job_definition": job_definition,
        "container_overrides": {"command": command.arguments(), "environment": pairs(env)},
        "retry_strategy": {"attempts": attempts, "evaluateOnExit": conditions},
    } | ({"array_properties": {"size": array_size}} if array_size else {})


def pairs(env: Mapping[str, str] | None) -> list[dict[str, str]]:
    """An environment in the form that AWS expects."""
    return [{"name": name, "value": value} for name, value in (env or {}).items()]
