"""Sources of the DAG settings."""

import json
from pathlib import Path

import pytest
from harness import SAMPLE_DAY, logmill
from logmill_airflow.command import Source
from logmill_airflow.config import Config
from logmill_airflow.tables import default_table, sources_in

FILE = """
[lake]
output = "s3://lake/logs/"
[catalog]
database = "logs"
[[source]]
dataset = "cloudtrail"
input = "s3://trail/AWSLogs/"
[[source]]
dataset = "s3-access"
input = "s3://web/"
table = "web"
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A config file."""
    path = tmp_path / "logmill.toml"
    path.write_text(FILE)
    return str(path)


def test_sources_lake_and_database_come_from_the_file(file: str) -> None:
    config = Config.of({"config_file": file})
    assert config.table_sources() == [Source("cloudtrail", "cloudtrail"), Source("s3-access", "web", named=True)]
    assert config.database == "logs"
    assert config.asset_uri("web") == "s3://lake/logs/web"


def test_the_variable_overrides_the_file_and_the_file_overrides_the_environment(file: str) -> None:
    env = {"LOGMILL_DATABASE": "third", "LOGMILL_OUTPUT": "/lake"}
    assert Config.of({"config_file": file, "env": env}).database == "logs"
    assert Config.of({"config_file": file, "env": env, "database": "first"}).database == "first"
    alone = Config.of({"env": env})
    assert (alone.database, alone.asset_uri("cloudtrail")) == ("third", "file:///lake/cloudtrail")


def test_a_file_that_only_workers_have_is_passed_on() -> None:
    config = Config.of({"config_file": "/nowhere/logmill.toml", "sources": [{"dataset": "cloudtrail"}]})
    assert config.binary_options()["config_file"] == "/nowhere/logmill.toml"
    assert config.tables == ["cloudtrail"]


def test_no_setting_is_required() -> None:
    config = Config.of({})
    assert (config.sources, config.has_sources) == ([], False)
    assert config.tables == ["cloudtrail", "s3_access"]
    assert config.database is None


def test_the_variable_can_name_the_sources_and_the_file_leaves_them_to_the_program(file: str) -> None:
    assert Config.of({"sources": [{"dataset": "cloudtrail"}]}).has_sources
    assert not Config.of({"sources": [], "config_file": file}).has_sources
    assert Config.of({"sources": [], "config_file": file}).tables == ["cloudtrail", "web"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"databse": "logs"}, "variable 'logmill' has unknown keys: 'databse': did you mean 'database'"),
        ({"nonsense": 1, "retrys": 1}, "'nonsense': expected one of .*; 'retrys': did you mean 'retries'"),
        ({"origins": {}}, "unknown keys: 'origins'"),
        ({"sources": [{"datset": "cloudtrail"}]}, "'datset': did you mean 'dataset'"),
        ({"sources": [{"table": "web"}]}, "source 1 of the variable 'logmill' has no log type"),
        ({"sources": ["cloudtrail"]}, "source 1 of the variable 'logmill' has no log type"),
        ({"sources": [{"dataset": "cloudtrail", "tabel": "x"}]}, "'tabel': did you mean 'table'"),
        ({"quicksight_data_sets": {"cloudtrial": ["id"]}}, "'cloudtrial': did you mean 'cloudtrail'"),
        (
            {"quicksight_data_sets": {"waf": ["id"]}, "sources": [{"dataset": "cloudtrail"}]},
            "'waf': expected one of cloudtrail",
        ),
        (["config_file"], "not a JSON object"),
        ("/etc/logmill.toml", "not a JSON object"),
        ({"first_day": "yesterday"}, "invalid day"),
        ({"start_at": "4 am"}, "isoformat"),
        ({"staging": "s3:/lake/staging"}, "expected s3://"),
        ({"sources": [{"dataset": "s3-access", "table": "a"}, {"dataset": "cloudtrail", "table": "a"}]}, "same table"),
    ],
)
def test_mistakes_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config.of(settings)


def test_a_section_without_a_log_type_is_left_to_the_program(tmp_path: Path) -> None:
    path = tmp_path / "logmill.toml"
    path.write_text('[[source]]\ninput = "/raw"\n[[source]]\ndataset = "waf"\ntable = "edge"\n')
    assert Config.of({"config_file": str(path)}).tables == ["edge"]


def test_data_sets_can_show_tables_that_are_known_only_at_run_time() -> None:
    assert Config.of({"quicksight_data_sets": {"waf": ["id"]}}).quicksight_data_sets == {"waf": ["id"]}


def test_the_program_lists_the_tables_and_names_them_as_this_package_does(file: str, tmp_path: Path) -> None:
    def listed(*options: str) -> dict[str, str]:
        printed = logmill("config", "--format", "json", *options).stdout
        sources = [Source(**source) for source in sources_in(map(json.loads, printed.splitlines()))]
        assert all(source.named for source in sources)
        return {source.dataset: source.table for source in sources}

    found = listed()
    assert found == {dataset: default_table(dataset) for dataset in found}
    assert len(found) > 5
    assert listed("--config", file) == {"cloudtrail": "cloudtrail", "s3-access": "web"}
    logs = ("--input", "sample-data/resolver-query", "--output", str(tmp_path / "lake"))
    assert listed("--day", SAMPLE_DAY, *logs) == {"resolver-query": "resolver_query"}
    assert Config.of({"sources": [{"dataset": "s3_access"}]}).table_sources() == [Source("s3-access", "s3_access")]


def test_settings_are_shown_by_origin(file: str) -> None:
    env = {"LOGMILL_OUTPUT": "/lake", "LOGMILL_TOKEN": "hush"}
    shown = Config.of({"config_file": file, "env": env, "retries": 1}, "AIRFLOW_VAR_LOGMILL").by_origin()
    assert shown["AIRFLOW_VAR_LOGMILL"] == f'config_file={file}, env=["LOGMILL_OUTPUT", "LOGMILL_TOKEN"], retries=1'
    assert shown[f"config file {file}"].endswith("output=s3://lake/logs/, database=logs")
    assert "shards=4" in shown["default"] and "retries" not in shown["default"]
    assert Config.of({"env": {"LOGMILL_OUTPUT": "/lake"}}).by_origin()["'env' of the variable"] == "output=/lake"
    assert list(Config.of({}).by_origin()) == ["default"]


def test_settings_that_are_not_json_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_LOGMILL", "{config_file: /etc/logmill.toml}")
    with pytest.raises(ValueError, match="variable 'logmill' is not JSON"):
        Config.load()
    monkeypatch.setenv("AIRFLOW_VAR_LOGMILL", '{"retries": 2}')
    assert Config.load().by_origin()["AIRFLOW_VAR_LOGMILL"] == "retries=2"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"output": "s3://lake/logs/"}, "s3://lake/logs/_staging/airflow"),
        ({"env": {"LOGMILL_OUTPUT": "/lake"}}, "/lake/_staging/airflow"),
        ({"output": "s3://lake", "staging": "s3://other/a/"}, "s3://other/a"),
        ({"staging": "/shared"}, "/shared"),
    ],
)
def test_shards_are_staged_below_the_lake_by_default(settings: dict, place: str) -> None:
    config = Config.of(settings)
    assert config.staging_of("manual__2023-11-01T00:00:00.1+00:00") == f"{place}/manual__2023-11-01T00-00-00-1-00-00"
    assert config.staging_of("..") == f"{place}/--"


def test_shards_without_a_lake_need_a_staging_setting() -> None:
    with pytest.raises(ValueError, match="set 'staging' or 'output'"):
        Config.of({}).staging_of("a")


def test_callbacks_are_found_by_name() -> None:
    config = Config.of({"on_failure": "os.path.join", "on_dag_failure": "os.path.split"})
    import os.path

    assert config.task_defaults()["on_failure_callback"] is os.path.join
    assert config.dag_callback() is os.path.split
    assert config.task_defaults()["on_retry_callback"] is None
