"""Settings of the DAGs, from the Airflow Variable `logmill` (JSON) and the config file that it names.

`AIRFLOW_VAR_LOGMILL='{"config_file": "/etc/logmill.toml"}'` in the environment also sets this variable, and saves a
query each time DAGs are parsed. If the scheduler can read logmill.toml, sources, lake and database come from there.
Each task logs its settings and where they came from.
"""

import importlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field, fields
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from logmill_airflow.command import Source
from logmill_airflow.day import KST, parse_day
from logmill_airflow.tables import default_table, is_misspelling, suggestion

VARIABLE = "logmill"
OF_VARIABLE = f"variable '{VARIABLE}'"
# Origin of a setting that is not set anywhere.
DEFAULT = "default"
# Settings that the program finds in the environment of a worker.
OWN_SETTINGS = ("LOGMILL_CONFIG", "LOGMILL_INPUT", "LOGMILL_OUTPUT")
# The keys of a source.
SOURCE_KEYS = frozenset(field.name for field in fields(Source))
# Tables whose assets are known if neither the variable nor a file names a source.
USUAL_TABLES = ["cloudtrail", "s3_access"]


@dataclass(frozen=True)
class Config:
    """Settings of the DAGs. Each field is a key of the variable and has a default."""

    # The program on the workers, or the list of words that runs it.
    binary: str | list[str] = "logmill"
    # logmill.toml on the workers. If the scheduler has it too, it provides sources, lake and database.
    config_file: str | None = None
    # Added to the environment of the program, for example LOGMILL_OUTPUT. Not for secrets.
    env: dict[str, str] = field(default_factory=dict)
    # Airflow connection that provides the program's credentials; null: the program finds them as every AWS tool does.
    binary_aws_conn_id: str | None = None
    # [{"dataset": "cloudtrail", "table": "cloudtrail"}, ...]; default: those that `logmill config` lists at run time.
    sources: list[dict[str, Any]] = field(default_factory=list)
    # Address of the lake, used for asset names and for `staging`.
    output: str | None = None
    # Database of the catalog; null: days are neither registered nor counted in Athena.
    database: str | None = None
    # Airflow connection for Athena and QuickSight.
    aws_conn_id: str = "aws_default"
    # Whether to count the rows of each new partition in Athena.
    athena_check: bool = True
    athena_workgroup: str = "primary"
    # Where Athena writes its results; null: the location of the workgroup.
    athena_output: str | None = None
    # {"cloudtrail": ["id of a SPICE data set", ...], ...}
    quicksight_data_sets: dict[str, list[str]] = field(default_factory=dict)
    # Ids of data sets that are always fully refreshed because they have no time column; `*` matches any text.
    quicksight_full_refresh: list[str] = field(default_factory=lambda: ["*-monthly-users"])
    # Days that an incremental refresh loads, as configured in the data sets; a run for an older day refreshes in full.
    quicksight_lookback_days: int = 7
    # Whether the refresh task waits for QuickSight, and fails if the refresh fails.
    quicksight_wait: bool = True
    # When a scheduled run starts on the following day, in Korean time.
    start_at: str = "04:00"
    # First day that catchup or `airflow backfill` may build.
    first_day: str = "2024-01-01"
    pool: str = "default_pool"
    # The first retry waits retry_delay_s; each further one waits twice as long, up to max_retry_delay_s.
    retries: int = 5
    retry_delay_s: int = 300
    max_retry_delay_s: int = 3600
    execution_timeout_s: int = 6 * 3600
    # "module.function", called with the context of each failed task, retried task or failed DAG run.
    on_failure: str | None = None
    on_retry: str | None = None
    on_dag_failure: str | None = None
    # How many days logmill_watch looks back.
    watch_days: int = 30
    # Where the shards of a day that is too large for one machine are staged: s3://bucket/prefix, or a folder that all
    # workers share; null: below the lake.
    staging: str | None = None
    shards: int = 4
    # The origin of each setting that is not a default. Not a key of the variable.
    origins: InitVar[Mapping[str, str] | None] = None

    def __post_init__(self, origins: Mapping[str, str] | None) -> None:
        """Stores the origins next to the settings."""
        object.__setattr__(self, "came_from", dict(origins or {}))

    @classmethod
    def load(cls) -> "Config":
        """Loads the settings from Airflow."""
        from logmill_airflow.compat import variable

        try:
            settings = json.loads(variable(VARIABLE) or "{}")
        except ValueError as error:
            raise ValueError(f"the {OF_VARIABLE} is not JSON: {error}") from error
        name = f"AIRFLOW_VAR_{VARIABLE.upper()}"
        return cls.of(settings, name if name in os.environ else OF_VARIABLE)

    @classmethod
    def of(cls, settings: Mapping[str, Any], origin: str = OF_VARIABLE) -> "Config":
        """The settings of a variable and of the config file that it names. An unknown key is an error."""
        if not isinstance(settings, Mapping):
            raise ValueError(f"the {OF_VARIABLE} is not a JSON object of settings: {settings!r:.60}")
        refuse_unknown(OF_VARIABLE, settings, {field.name for field in fields(cls)})
        file = settings.get("config_file")
        settings = {name: value for name, value in settings.items() if name != "sources" or value}
        layers = [
            ("'env' of the variable", from_environment(settings.get("env") or {})),
            (origin_of_file(file), from_file(file)),
            (origin, settings),
        ]
        found = {name: value for _, layer in layers for name, value in layer.items()}
        found["sources"] = sources_of(OF_VARIABLE, found.get("sources") or [])
        config = cls(**found, origins={name: origin for origin, layer in layers for name in layer})
        config.check()
        return config

    def by_origin(self) -> dict[str, str]:
        """The settings as text, by origin. Of `env`, only the names."""
        found: dict[str, list[str]] = {}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            shown = value if isinstance(value, str) else json.dumps(sorted(value) if name == "env" else value)
            found.setdefault(vars(self)["came_from"].get(name, DEFAULT), []).append(f"{name}={shown}")
        return {origin: ", ".join(settings) for origin, settings in found.items()}

    def check(self) -> None:
        """Refuses mistakes that would otherwise surface during the nightly run."""
        parse_day(self.first_day)
        time.fromisoformat(self.start_at)
        names = [source.table for source in self.table_sources()]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources feed the same table: {', '.join(names)}")
        if self.staging and not self.staging.startswith(("/", "s3://")):
            raise ValueError(f"invalid staging '{self.staging}': expected s3://bucket/prefix or an absolute path")
        known = set(self.tables)
        wrong = {name for name in self.quicksight_data_sets if self.has_sources or is_misspelling(name, known)}
        refuse_unknown("'quicksight_data_sets'", dict.fromkeys(wrong), known)

    def table_sources(self) -> list[Source]:
        """The sources that the variable or the file names, each with the table that it feeds."""
        return [Source(**source) for source in self.sources]

    @property
    def has_sources(self) -> bool:
        """Whether the variable names the sources. Otherwise the program lists them when a DAG runs."""
        return vars(self)["came_from"].get("sources", DEFAULT) not in (DEFAULT, origin_of_file(self.config_file))

    @property
    def tables(self) -> list[str]:
        """The names of the tables that are known when a DAG is parsed."""
        return [source.table for source in self.table_sources()] or USUAL_TABLES

    @property
    def first_instant(self) -> datetime:
        """The start of the first day."""
        return datetime.combine(parse_day(self.first_day), time(), tzinfo=KST)

    @property
    def start_time(self) -> time:
        """When a scheduled run starts on the following day."""
        return time.fromisoformat(self.start_at)

    def asset_uri(self, table: str) -> str:
        """The URI by which other DAGs follow a table: its location, as far as it is known."""
        place = (self.output or "logmill://lake").rstrip("/")
        return f"{place if '://' in place else f'file://{place}'}/{table}"

    def staging_of(self, run_id: str) -> str:
        """The staging folder of a DAG run. No other run uses it."""
        if not (self.staging or self.output):
            raise ValueError(f"no place to stage shards: set 'staging' or 'output' in the variable '{VARIABLE}'")
        root = self.staging or f"{str(self.output).rstrip('/')}/_staging/airflow"
        return f"{root.rstrip('/')}/{re.sub('[^A-Za-z0-9_-]', '-', run_id)}"

    def binary_options(self) -> dict[str, Any]:
        """Arguments that every LogmillOperator gets."""
        return {
            "binary": self.binary,
            "config_file": self.config_file,
            "env": self.env,
            "aws_conn_id": self.binary_aws_conn_id,
            "settings": self.by_origin(),
        }

    def task_defaults(self) -> dict[str, Any]:
        """`default_args` of the DAGs."""
        return {
            "retries": self.retries,
            "retry_delay": timedelta(seconds=self.retry_delay_s),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(seconds=self.max_retry_delay_s),
            "execution_timeout": timedelta(seconds=self.execution_timeout_s),
            "pool": self.pool,
            "on_failure_callback": function_named(self.on_failure),
            "on_retry_callback": function_named(self.on_retry),
        }

    def dag_callback(self) -> Callable[..., Any] | None:
        """The callback for a failed DAG run."""
        return function_named(self.on_dag_failure)


def origin_of_file(path: str | None) -> str:
    """The origin of settings in a config file."""
    return f"config file {path}"


def from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Lake and database as the program will find them in its environment."""
    names = {"output": "LOGMILL_OUTPUT", "database": "LOGMILL_DATABASE"}
    return {name: env[variable] for name, variable in names.items() if env.get(variable)}


def from_file(path: str | None) -> dict[str, Any]:
    """Sources, lake and database of a config file; nothing if only the workers have the file."""
    if path is None or not Path(path).is_file():
        return {}
    content = tomllib.loads(Path(path).read_text("utf-8"))
    catalog = content.get("catalog", {})
    found = {
        "output": content.get("lake", {}).get("output"),
        "database": None if catalog.get("catalog") == "none" else catalog.get("database"),
        "sources": [
            {name: source[name] for name in ("dataset", "table") if name in source} | {"named": "table" in source}
            for source in content.get("source", [])
            # A section without a log type stands for those that its inputs hold.
            if source.get("dataset")
        ],
    }
    sources_of(origin_of_file(path), found["sources"])
    return {name: value for name, value in found.items() if value}


def sources_of(origin: str, sources: Any) -> list[dict[str, Any]]:
    """Sources as configured, each with the table that it feeds."""
    complete = []
    for place, source in enumerate(sources):
        name = f"source {place + 1} of the {origin}"
        if not isinstance(source, Mapping) or "dataset" not in source:
            refuse_unknown(name, source if isinstance(source, Mapping) else {}, SOURCE_KEYS)
            raise ValueError(f"{name} has no log type: set 'dataset', for example to cloudtrail")
        refuse_unknown(name, source, SOURCE_KEYS)
        dataset = str(source["dataset"]).replace("_", "-")
        table, named = source.get("table") or default_table(dataset), bool(source.get("named", False))
        complete.append({"dataset": dataset, "table": table, "named": named})
    return complete


def refuse_unknown(what: str, settings: Mapping[str, Any], known: set[str] | frozenset[str]) -> None:
    """Refuses unknown keys, and suggests the nearest known ones."""
    if unknown := sorted(settings.keys() - known):
        hints = "; ".join(f"'{name}': {suggestion(name, known)}" for name in unknown)
        raise ValueError(f"{what} has unknown keys: {hints}")


def why_defaults_are_refused(variable: str | None, cwd: str | None) -> str | None:
    """Why a task must not run on defaults alone: it would publish unintended data.

    None if the program finds its own settings in the environment of the worker or in its working folder.

    :param variable: the text of the Airflow Variable as the task sees it.
    """
    unseen = "'airflow dags test' does not read variables from the database: set AIRFLOW_VAR_LOGMILL in its environment"
    if variable:
        return f"the {OF_VARIABLE} is set, but was not visible when this DAG was parsed: {unseen}"
    found = [name for name in OWN_SETTINGS if os.environ.get(name)]
    if found or Path(cwd or ".", "logmill.toml").is_file():
        return None
    return (
        f"no settings found: the {OF_VARIABLE} is empty or not visible, the task's folder has no logmill.toml, "
        f"and the worker's environment has none of {', '.join(OWN_SETTINGS)}; {unseen}"
    )


def function_named(path: str | None) -> Callable[..., Any] | None:
    """A function by its dotted name."""
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
