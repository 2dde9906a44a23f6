"""Nightly deployments: templates and jobs are valid, request few permissions, and their commands work."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs
from cfnlint.decode import decode

from deployment import TEMPLATES as LAKE_TEMPLATES
from harness import DATASETS, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, Published, logmill
from test_deployment import REGIONS, kinds_of_resources

DEPLOY = REPOSITORY / "deploy"
STACKS = ("batch.yaml", "ecs.yaml", "glue-job.yaml")
MANIFESTS = ("kubernetes.yaml", "kubernetes-shards.yaml")
OTHERS = ("cost.py", "logmill.service", "logmill.timer")
# The oldest version that the manifests support, and the newest that the validator supports.
KUBERNETES = ("1.29", kubernetes_validate.latest_version())
# Retryable exit codes: temporary failures, and interrupted runs.
MAY_PASS = {75, 130}
# Exit codes that Kubernetes reports for a killed container.
KILLED = {137, 143}


@cache
def stack(name: str) -> dict[str, Any]:
    """A template, with the short forms of functions written out."""
    content, problems = decode(str(DEPLOY / name))
    assert not problems, problems
    return json.loads(json.dumps(content))


def of_type(name: str, kind: str) -> list[dict[str, Any]]:
    """The properties of the resources of a type."""
    found = [each["Properties"] for each in stack(name)["Resources"].values() if each["Type"] == kind]
    assert found, f"{name} has no {kind}"
    return found


@cache
def manifests(name: str) -> list[dict[str, Any]]:
    """The objects of a Kubernetes file."""
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def jobs() -> Iterator[dict[str, Any]]:
    """The specification of each Kubernetes job."""
    for each in (each for name in MANIFESTS for each in manifests(name)):
        yield each["spec"]["jobTemplate"]["spec"] if each["kind"] == "CronJob" else each["spec"]


def settings_file(folder: Path) -> Path:
    """The config file that the jobs mount."""
    path = folder / "logmill.toml"
    # The same address as in the day to compare with, because rows name their objects.
    lake, logs = folder / "lake", SAMPLE_DATA
    sources = [f'[[source]]\ndataset = "{name}"\ninput = "{logs}"\n' for name in DATASETS.values()]
    path.write_text(f'[lake]\noutput = "{lake}"\n\n' + "\n".join(sources))
    return path


def test_every_file_is_covered() -> None:
    # test_install.py covers the files of the packages.
    elsewhere = {"__pycache__", "package"}
    found = {path.name for path in DEPLOY.rglob("*") if path.is_file() and not elsewhere & set(path.parts)}
    assert found == {*STACKS, *MANIFESTS, *OTHERS}


@pytest.mark.parametrize("name", STACKS)
def test_cfn_lint_finds_nothing(name: str) -> None:
    options = ManualArgs(regions=REGIONS, include_checks=["I"])
    assert [str(found) for found in lint_file(DEPLOY / name, options)] == []


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", MANIFESTS)
def test_the_manifests_are_valid_for_kubernetes(name: str, version: str) -> None:
    for each in manifests(name):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("name", STACKS)
def test_the_job_has_the_policies_of_the_lake_and_each_role_few_others(name: str) -> None:
    outputs = decode(str(LAKE_TEMPLATES / "lake.yaml"))[0]["Outputs"]
    policies = [{"Ref": each} for each in ("LogReaderPolicyArn", "LakeWriterPolicyArn", "CatalogPolicyArn")]
    assert all(each["Ref"] in outputs for each in policies)
    assert stack(name)["Resources"]["JobRole"]["Properties"]["ManagedPolicyArns"] == policies
    for role in of_type(name, "AWS::IAM::Role"):
        for document in (each["PolicyDocument"] for each in role.get("Policies", ())):
            for statement in document["Statement"]:
                check_statement(statement)


def check_statement(statement: dict[str, Any]) -> None:
    """Each action exists and is restricted, unless it cannot be."""
    for action in statement["Action"]:
        kinds = kinds_of_resources(action)
        assert (statement["Resource"] == ["*"]) == (not kinds), statement["Sid"]


@pytest.mark.parametrize("name", STACKS)
def test_the_nightly_run_starts_at_four_in_seoul(name: str) -> None:
    (schedule,) = of_type(name, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(0 4 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Seoul"


def test_kubernetes_and_systemd_start_at_four_too() -> None:
    (night,) = manifests("kubernetes.yaml")
    assert (night["spec"]["schedule"], night["spec"]["timeZone"]) == ("0 4 * * *", "Asia/Seoul")
    assert "OnCalendar=*-*-* 04:00:00 Asia/Seoul\n" in (DEPLOY / "systemd" / "logmill.timer").read_text()


def test_only_temporary_failures_are_retried() -> None:
    for definition in of_type("batch.yaml", "AWS::Batch::JobDefinition"):
        rules = definition["RetryStrategy"]["EvaluateOnExit"]
        retried = {int(rule["OnExitCode"]) for rule in rules if "OnExitCode" in rule}
        assert (retried, rules[-1]) == (MAY_PASS, {"OnReason": "*", "Action": "EXIT"})
    for job in jobs():
        (rule,) = [rule for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
        assert (rule["action"], rule["onExitCodes"]["operator"]) == ("FailJob", "NotIn")
        assert set(rule["onExitCodes"]["values"]) == MAY_PASS | KILLED
    assert "RestartForceExitStatus=75\n" in (DEPLOY / "systemd" / "logmill.service").read_text()


def test_the_units_are_valid_for_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    for unit in (DEPLOY / "systemd").iterdir():
        # The program does not have to be installed.
        text = unit.read_text().replace("ExecStart=logmill", "ExecStart=/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(map(str, tmp_path.iterdir()))
    found = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_steps_of_the_state_machine_build_the_day(tmp_path: Path, sample: Published) -> None:
    (machine,) = of_type("batch.yaml", "AWS::StepFunctions::StateMachine")
    shards = str(stack("batch.yaml")["Parameters"]["Shards"]["Default"])
    values = {"Inputs": SAMPLE_DATA, "Lake": tmp_path / "lake", "Shards": shards}
    assert values.keys() < machine["DefinitionSubstitutions"].keys()
    states = machine["Definition"]["States"]
    begin = states["Begin"]["Parameters"]
    place = {name: re.search(r"'(.*?)'", begin[f"{name}.$"])[1] for name in ("plan", "staging")}
    state, done = states[machine["Definition"]["StartAt"]], []
    while "Next" in state:
        state = states[state["Next"]]
        command = state["Parameters"]["ContainerOverrides"]["Command.$"]
        words = re.findall(r"'([^']*)'|\$\.(\w+)", command)
        named = [place.get(name, SAMPLE_DAY) if name else word for word, name in words]
        # The catalog would be the one of AWS.
        filled = [substituted(word, values).replace("{}", "night") for word in named]
        arguments = without(filled, "--database")
        for index in range(int(shards) if "ArrayProperties" in state["Parameters"] else 1):
            logmill(*arguments, env={"AWS_BATCH_JOB_ARRAY_INDEX": str(index)})
        done.append(arguments[0])
    assert done == ["plan", "convert", "publish"]
    assert sample.lake.digests().items() <= Lake(tmp_path / "lake").digests().items()
    # The receipt of the plan remains.
    left = [path.name for path in (tmp_path / "lake" / "_staging").rglob("*") if path.is_file()]
    assert left == ["plan.json"]


def without(words: list[str], option: str) -> list[str]:
    """A command line without an option and its value."""
    if option not in words:
        return words
    place = words.index(option)
    return words[:place] + words[place + 2 :]


def substituted(word: str, values: dict[str, Any]) -> str:
    """A word of the state machine, with the values of its stack filled in."""
    return re.sub(r"\$\{(\w+)\}", lambda found: str(values.get(found[1], found[1])), word)


def test_the_kubernetes_jobs_build_the_day(tmp_path: Path, sample: Published) -> None:
    config, lake = settings_file(tmp_path), tmp_path / "lake"
    for job in manifests("kubernetes-shards.yaml"):
        (container,) = job["spec"]["template"]["spec"]["containers"]
        words = [word.replace("s3://my-lake/logs", str(lake)) for word in container["args"]]
        meant = {"yesterday": SAMPLE_DAY, "/etc/logmill/logmill.toml": str(config)}
        filled = [meant.get(word, word) for word in words]
        for index in range(job["spec"].get("completions", 1)):
            logmill(*filled, env={"JOB_COMPLETION_INDEX": str(index)})
        assert job["metadata"]["labels"]["step"] == filled[0]
    assert Lake(lake).digests() == sample.lake.digests()


def test_the_nightly_commands_are_valid(tmp_path: Path) -> None:
    """They run for yesterday, which has no logs and is published as empty."""
    config = settings_file(tmp_path)
    night = next(jobs())
    (container,) = night["template"]["spec"]["containers"]
    service = (DEPLOY / "systemd" / "logmill.service").read_text()
    (started,) = re.findall(r"^ExecStart=\S+ (.+)$", service, re.MULTILINE)
    for words in (container["args"], started.split()):
        logmill(*(str(config) if word.endswith(".toml") else word for word in words))


def cost() -> ModuleType:
    """The module that computes the costs."""
    spec = importlib.util.spec_from_file_location("cost", DEPLOY / "cost.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_the_computed_costs() -> None:
    page = (REPOSITORY / "docs" / "deploy.md").read_text()
    shown = page.split("<!-- costs -->\n")[1].split("<!-- end of costs -->")[0]
    assert shown == f"{cost().tables()}\n", "copy the output of `python3 deploy/cost.py`"


def test_the_costs_follow_the_formulas_of_the_page() -> None:
    """Recomputes a day of 100 GB in objects of 2 KB by hand."""
    module = cost()
    day = dict(((size, each.log.object_bytes), each) for size, each in module.days())["100 GB", 2000]
    fetched, listed = 50e6 * 0.0004 / 1000, 50e3 * 0.005 / 1000
    staged, published = 27e9 / 2**23, 19e9 / 2**23
    parts = (staged * (0.005 + 0.0004) + published * 0.005) / 1000
    assert day.requests(module.VIRGINIA) == pytest.approx(fetched + listed + parts)
    hours = 50e6 / 1413 / 3600
    assert day.fargate(module.VIRGINIA) == pytest.approx(hours * (0.04048 + 2 * 0.004445))
    assert day.glue(module.VIRGINIA) == pytest.approx(hours / 4 * 0.44)
    assert day.storage(module.VIRGINIA) == pytest.approx(19 * 0.023)
    assert day.scanned(module.VIRGINIA) == pytest.approx(0.019 * 5)
