"""The same command in other places: arguments for Airflow's stock operators. Knows no Airflow.

    DockerOperator(task_id="run", **docker(command, image="logmill:0.2.0"), auto_remove="force")

The images have logmill as their entry point. Words may hold Jinja, which the operators render. What an operator can
make of exit codes differs; `retries` should be small where it cannot tell a code that is worth a retry from one that
is not.
"""

from collections.abc import Mapping
from typing import Any

from logmill_airflow.command import Command
from logmill_airflow.exit_codes import EXIT_CODES, Outcome

SKIPPED = [code for code, entry in EXIT_CODES.items() if entry.outcome is Outcome.SKIP]
RETRIED = [code for code, entry in EXIT_CODES.items() if entry.outcome is Outcome.RETRY]
# Batch takes so many conditions at most.
MOST_CONDITIONS = 5


def docker(command: Command, *, image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """For `DockerOperator`: 99 skips, all else but 0 fails."""
    return {
        "image": image,
        "command": command.arguments(),
        "environment": dict(env or {}),
        "skip_on_exit_code": SKIPPED,
    }


def kubernetes(command: Command, *, image: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """For `KubernetesPodOperator`: 99 skips, all else but 0 fails. A deleted pod gets SIGTERM, which logmill heeds."""
    return {
        "image": image,
        "arguments": command.arguments(),
        "env_vars": dict(env or {}),
        "skip_on_exit_code": SKIPPED,
    }


def ecs(
    command: Command, *, cluster: str, task_definition: str, container: str, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """For `EcsRunTaskOperator`: 99 skips, all else but 0 fails."""
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
    """For `BatchOperator`: Batch itself tries again what is worth it, and a lost host; give the task `retries=0`.

    With `array_size` the job is an array: of `convert` with the option `shard: "auto"` each child makes the shard of
    its number, and one that is over does nothing.
    """
    conditions = [{"onStatusReason": "Host EC2*", "action": "RETRY"}]
    conditions += [{"onExitCode": str(code), "action": "RETRY"} for code in RETRIED]
    conditions += [{"onExitCode": "*", "action": "EXIT"}]
    assert len(conditions) <= MOST_CONDITIONS
    return {
        "job_name": name,
        "job_queue": job_queue,
        "job_definition": job_definition,
        "container_overrides": {"command": command.arguments(), "environment": pairs(env)},
        "retry_strategy": {"attempts": attempts, "evaluateOnExit": conditions},
    } | ({"array_properties": {"size": array_size}} if array_size else {})


def pairs(env: Mapping[str, str] | None) -> list[dict[str, str]]:
    """An environment as AWS takes it."""
    return [{"name": name, "value": value} for name, value in (env or {}).items()]
