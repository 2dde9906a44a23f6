"""The command line word by word, and the options that it assumes the binary has."""

import re

import pytest
from harness import logmill
from logmill_airflow.command import DAY_COMMANDS, LAKE_COMMANDS, SOURCE_COMMANDS, SUMMARY_COMMANDS, Command, Source

VERBS = re.findall(r"^  ([a-z]+) ", logmill("--help").stdout.partition("Options:")[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (Command("doctor"), ["doctor"]),
        (Command("run", {"day": "2023-11-01"}), ["run", "--day=2023-11-01"]),
        (Command("run", config_file="/etc/logmill.toml"), ["run", "--config=/etc/logmill.toml"]),
        (Command("run", {"fail_on_empty": True, "emf": False, "grace": None}), ["run", "--fail-on-empty"]),
        (Command("run", {"input": ["a b", "--c"]}), ["run", "--input=a b", "--input=--c"]),
        (Command("convert", {"shard": 0}), ["convert", "--shard=0"]),
        (Command("run", {"filter": "a = 'x' and b like '$(id)%'"}), ["run", "--filter=a = 'x' and b like '$(id)%'"]),
        (Command("backfill", {"to": None, "only": []}), ["backfill"]),
        (Command("run", {"steal": True}).with_options(wait="30m"), ["run", "--steal", "--wait=30m"]),
    ],
)
def test_a_command_is_a_list_of_words(command: Command, words: list[str]) -> None:
    assert command.arguments() == [*words, "--log-format=json"]


@pytest.mark.parametrize(
    ("verb", "named", "options"),
    [
        ("run", False, {"dataset": "s3-access"}),
        ("run", True, {"dataset": "s3-access", "table": "web"}),
        ("register", False, {"table": "web"}),
        ("convert", True, {}),
    ],
)
def test_a_command_is_limited_to_a_source(verb: str, named: bool, options: dict[str, str]) -> None:
    assert Source("s3-access", "web", named).options(verb) == options


@pytest.mark.parametrize(
    ("option", "verbs"),
    [
        ("day", DAY_COMMANDS),
        ("summary-json", SUMMARY_COMMANDS),
        ("dataset", SOURCE_COMMANDS),
        ("table", SOURCE_COMMANDS | LAKE_COMMANDS),
    ],
)
def test_the_binary_has_the_options_that_the_operator_passes(option: str, verbs: frozenset[str]) -> None:
    assert {"run", "convert", "publish", "register"} < set(VERBS)
    for verb in verbs:
        assert f"--{option} <" in logmill(verb, "--help").stdout, verb
