"""The stock operators accept the arguments of `places`, and AWS accepts the resulting requests."""

from pathlib import Path

import pytest
from airflow.providers.amazon.aws.operators.batch import BatchOperator
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.docker.operators.docker import DockerOperator
from botocore.session import get_session
from botocore.validate import ParamValidator
from harness import REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, logmill
from logmill_airflow import places
from logmill_airflow.command import Command

RUN = Command("run", {"day": "{{ partition_key }}", "dataset": "cloudtrail"}, "/etc/logmill.toml")
WORDS = ["run", "--config=/etc/logmill.toml", "--day={{ partition_key }}", "--dataset=cloudtrail", "--log-format=json"]
RENDERED = [word.replace("{{ partition_key }}", "2023-11-01") for word in WORDS]
CONTEXT = {"partition_key": "2023-11-01"}
ENV = {"AWS_REGION": "ap-northeast-2"}


def test_docker() -> None:
    operator = DockerOperator(task_id="run", **places.docker(RUN, image="logmill:0.2.0", env=ENV))
    operator.render_template_fields(CONTEXT)
    assert (operator.command, operator.environment, operator.skip_on_exit_code) == (RENDERED, ENV, [99])


def test_kubernetes() -> None:
    operator = KubernetesPodOperator(task_id="run", **places.kubernetes(RUN, image="logmill:0.2.0", env=ENV))
    operator.render_template_fields(CONTEXT)
    assert (operator.arguments, operator.skip_on_exit_code) == (RENDERED, [99])
    assert [(variable.name, variable.value) for variable in operator.env_vars] == [("AWS_REGION", "ap-northeast-2")]
    assert operator.cmds == []


def test_ecs() -> None:
    where = {"cluster": "etl", "task_definition": "logmill:3", "container": "logmill"}
    operator = EcsRunTaskOperator(task_id="run", **places.ecs(RUN, **where, env=ENV))
    operator.render_template_fields(CONTEXT)
    assert operator.skip_on_exit_code == [99]
    override = operator.overrides["containerOverrides"][0]
    assert override["command"] == RENDERED
    request = {"cluster": operator.cluster, "taskDefinition": operator.task_definition, "overrides": operator.overrides}
    assert validation_errors("ecs", "RunTask", request) == ""


@pytest.mark.parametrize("array_size", [None, 8])
def test_batch(array_size: int | None) -> None:
    where = {"name": "logmill-run", "job_queue": "etl", "job_definition": "logmill:3"}
    operator = BatchOperator(task_id="run", **places.batch(RUN, **where, array_size=array_size, env=ENV))
    operator.render_template_fields(CONTEXT)
    assert operator.container_overrides["command"] == RENDERED
    request = {
        "jobName": operator.job_name,
        "jobQueue": operator.job_queue,
        "jobDefinition": operator.job_definition,
        "containerOverrides": operator.container_overrides,
        "retryStrategy": operator.retry_strategy,
    } | ({"arrayProperties": operator.array_properties} if array_size else {})
    assert validation_errors("batch", "SubmitJob", request) == ""
    asked = {entry.get("onExitCode"): entry["action"] for entry in operator.retry_strategy["evaluateOnExit"]}
    assert asked == {None: "RETRY", "6": "RETRY", "75": "RETRY", "130": "RETRY", "*": "EXIT"}


def test_a_child_of_an_array_builds_the_shard_of_its_index(tmp_path: Path) -> None:
    logs, plan, staging = REPOSITORY / SAMPLE_DATA, tmp_path / "plan.json", tmp_path / "staging"
    logmill("plan", "--day", SAMPLE_DAY, "--input", logs, "--shards", "2", "--plan", plan)
    convert = Command("convert", {"plan": str(plan), "staging": str(staging), "shard": "auto"})
    job = places.batch(convert, name="convert", job_queue="etl", job_definition="logmill:3", array_size=3)
    assert job["array_properties"] == {"size": 3}
    # The third child has no shard.
    for number in range(3):
        logmill(*job["container_overrides"]["command"], env={"AWS_BATCH_JOB_ARRAY_INDEX": str(number)})
    assert sorted(path.name for path in (staging / "cloudtrail").iterdir()) == ["shard-00000", "shard-00001"]


def validation_errors(service: str, operation: str, request: dict) -> str:
    """Validates a request against AWS's model. Returns the errors, or an empty text."""
    model = get_session().get_service_model(service).operation_model(operation)
    return ParamValidator().validate(request, model.input_shape).generate_report()
