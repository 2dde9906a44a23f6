"""What the DAGs have to know, from one place: the Airflow Variable `logmill`, JSON, and the config file that it names.

`AIRFLOW_VAR_LOGMILL='{"config_file": "/etc/logmill.toml"}'` in the environment is such a variable, and costs no query
when DAGs are parsed. Sources, lake and database come from logmill.toml where the scheduler can read it too.
Each task logs the settings that it has, and where they came from.
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
from logmill_airflow.log_types import LOG_TYPES, log_type, meant

VARIABLE = "logmill"
OF_VARIABLE = f"variable '{VARIABLE}'"
# Where a setting comes from that nothing names.
DEFAULT = "default"
# What the program finds by itself in the environment of a worker.
OWN_SETTINGS = ("LOGMILL_CONFIG", "LOGMILL_INPUT", "LOGMILL_OUTPUT")
# The keys of a source.
SOURCE_KEYS = frozenset(field.name for field in fields(Source))


@dataclass(frozen=True)
class Config:
    """Settings of the DAGs; each field is a key of the variable, and has a default."""

    # The program on the workers, or a list of words that run it.
    binary: str | list[str] = "logmill"
    # logmill.toml on the workers; where the scheduler has it too, it tells sources, lake and database.
    config_file: str | None = None
    # Added to the environment of the program, such as LOGMILL_OUTPUT. Not for secrets.
    env: dict[str, str] = field(default_factory=dict)
    # Airflow connection whose credentials the program gets; null: it finds them as every AWS tool does.
    binary_aws_conn_id: str | None = None
    # [{"dataset": "cloudtrail", "table": "cloudtrail"}, ...]; both log types where neither this nor the file names any.
    sources: list[dict[str, Any]] = field(default_factory=list)
    # Where the lake is, for the names of assets and for `staging`.
    output: str | None = None
    # Database of the catalog; null: days are not registered, and no query checks them.
    database: str | None = None
    # Airflow connection for Athena and QuickSight.
    aws_conn_id: str = "aws_default"
    # Count the rows of each new partition in Athena.
    athena_check: bool = True
    athena_workgroup: str = "primary"
    # Where Athena writes its answers; null: where the workgroup says.
    athena_output: str | None = None
    # {"cloudtrail": ["id of a SPICE data set", ...], ...}
    quicksight_data_sets: dict[str, list[str]] = field(default_factory=dict)
    # Ids of those that are always loaded whole, for want of a column of time; `*` stands for any part.
    quicksight_full_refresh: list[str] = field(default_factory=lambda: ["*-monthly-users"])
    # Days that an incremental refresh loads, as the data sets have it; a run for an older day refreshes in full.
    quicksight_lookback_days: int = 7
    # Whether the refresh task waits for QuickSight, and fails with it.
    quicksight_wait: bool = True
    # When on the day after a scheduled run begins, on the Korean clock.
    start_at: str = "04:00"
    # First day that catchup or `airflow backfill` may make.
    first_day: str = "2024-01-01"
    pool: str = "default_pool"
    # A retry waits retry_delay_s, then twice that, up to max_retry_delay_s.
    retries: int = 5
    retry_delay_s: int = 300
    max_retry_delay_s: int = 3600
    execution_timeout_s: int = 6 * 3600
    # "module.function" that is called with the context of each failed task, or retried one, or DAG run that failed.
    on_failure: str | None = None
    on_retry: str | None = None
    on_dag_failure: str | None = None
    # How many days logmill_watch looks back.
    watch_days: int = 30
    # Where the shards of a day meet that is too large for one machine: s3://bucket/prefix, or a folder that all workers
    # share; null: below the lake.
    staging: str | None = None
    shards: int = 4
    # Where each setting came from that is not a default; not a key of the variable.
    origins: InitVar[Mapping[str, str] | None] = None

    def __post_init__(self, origins: Mapping[str, str] | None) -> None:
        """Keeps what is said about the settings, beside them."""
        object.__setattr__(self, "came_from", dict(origins or {}))

    @classmethod
    def load(cls) -> "Config":
        """The settings that Airflow has."""
        from logmill_airflow.compat import variable

        try:
            settings = json.loads(variable(VARIABLE) or "{}")
        except ValueError as error:
            raise ValueError(f"the {OF_VARIABLE} is not JSON: {error}") from error
        name = f"AIRFLOW_VAR_{VARIABLE.upper()}"
        return cls.of(settings, name if name in os.environ else OF_VARIABLE)

    @classmethod
    def of(cls, settings: Mapping[str, Any], origin: str = OF_VARIABLE) -> "Config":
        """The settings of a variable, and of the config file that it names; an unknown key is a mistake."""
        if not isinstance(settings, Mapping):
            raise ValueError(f"the {OF_VARIABLE} is not a JSON object of settings: {settings!r:.60}")
        refuse_unknown(OF_VARIABLE, settings, {field.name for field in fields(cls)})
        file = settings.get("config_file")
        layers = [
            ("'env' of the variable", from_environment(settings.get("env") or {})),
            (f"config file {file}", from_file(file)),
            (origin, settings),
        ]
        told = {name: value for _, layer in layers for name, value in layer.items()}
        told["sources"] = sources_of(OF_VARIABLE, told.get("sources") or [{"dataset": name} for name in LOG_TYPES])
        config = cls(**told, origins={name: origin for origin, layer in layers for name in layer})
        config.check()
        return config

    def told(self) -> dict[str, str]:
        """The settings as text, by where they came from; of `env` the names alone."""
        told: dict[str, list[str]] = {}
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            shown = value if isinstance(value, str) else json.dumps(sorted(value) if name == "env" else value)
            told.setdefault(vars(self)["came_from"].get(name, DEFAULT), []).append(f"{name}={shown}")
        return {origin: ", ".join(settings) for origin, settings in told.items()}

    def check(self) -> None:
        """Refuses what would only be noticed at night."""
        parse_day(self.first_day)
        time.fromisoformat(self.start_at)
        names = [source.table for source in self.table_sources()]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources feed the same table: {', '.join(names)}")
        if self.staging and not self.staging.startswith(("/", "s3://")):
            raise ValueError(f"staging '{self.staging}' is neither s3://bucket/prefix nor a whole path of a folder")
        refuse_unknown("'quicksight_data_sets', by table,", self.quicksight_data_sets, set(names))

    def table_sources(self) -> list[Source]:
        """The sources, each with the table that it feeds."""
        return [Source(**source) for source in self.sources]

    @property
    def tables(self) -> list[str]:
        """The tables."""
        return [source.table for source in self.table_sources()]

    @property
    def first_instant(self) -> datetime:
        """When the first day begins."""
        return datetime.combine(parse_day(self.first_day), time(), tzinfo=KST)

    @property
    def start_time(self) -> time:
        """When on the day after a scheduled run begins."""
        return time.fromisoformat(self.start_at)

    def asset_uri(self, table: str) -> str:
        """The name under which other DAGs follow a table: where it lies, as far as that is known."""
        place = (self.output or "logmill://lake").rstrip("/")
        return f"{place if '://' in place else f'file://{place}'}/{table}"

    def staging_of(self, run_id: str) -> str:
        """Where plan and shards of a run of a DAG meet: no other run has that place."""
        if not (self.staging or self.output):
            raise ValueError(
                f"nothing tells where shards can meet: set 'staging' or 'output' in the variable '{VARIABLE}'"
            )
        root = self.staging or f"{str(self.output).rstrip('/')}/_staging/airflow"
        return f"{root.rstrip('/')}/{re.sub('[^A-Za-z0-9_-]', '-', run_id)}"

    def binary_options(self) -> dict[str, Any]:
        """What every LogmillOperator is given."""
        return {
            "binary": self.binary,
            "config_file": self.config_file,
            "env": self.env,
            "aws_conn_id": self.binary_aws_conn_id,
            "settings": self.told(),
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
        """What is called when a DAG run has failed."""
        return function_named(self.on_dag_failure)


def from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """Lake and database as the program will find them in its environment."""
    names = {"output": "LOGMILL_OUTPUT", "database": "LOGMILL_DATABASE"}
    return {name: env[variable] for name, variable in names.items() if env.get(variable)}


def from_file(path: str | None) -> dict[str, Any]:
    """Sources, lake and database of a config file; nothing where only the workers have it."""
    if path is None or not Path(path).is_file():
        return {}
    content = tomllib.loads(Path(path).read_text("utf-8"))
    catalog = content.get("catalog", {})
    told = {
        "output": content.get("lake", {}).get("output"),
        "database": None if catalog.get("catalog") == "none" else catalog.get("database"),
        "sources": [
            {name: source[name] for name in ("dataset", "table") if name in source} | {"named": "table" in source}
            for source in content.get("source", [])
        ],
    }
    sources_of(f"config file {path}", told["sources"])
    return {name: value for name, value in told.items() if value}


def sources_of(origin: str, sources: Any) -> list[dict[str, Any]]:
    """Sources as they were written, each with the table that it feeds."""
    complete = []
    for place, source in enumerate(sources):
        name = f"source {place + 1} of the {origin}"
        if not isinstance(source, Mapping) or "dataset" not in source:
            refuse_unknown(name, source if isinstance(source, Mapping) else {}, SOURCE_KEYS)
            raise ValueError(f"{name} has no log type: give it a 'dataset', one of {', '.join(LOG_TYPES)}")
        refuse_unknown(name, source, SOURCE_KEYS)
        try:
            dataset = log_type(source["dataset"], source.get("table"))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        table, named = source.get("table") or LOG_TYPES[dataset], bool(source.get("named", False))
        complete.append({"dataset": dataset, "table": table, "named": named})
    return complete


def refuse_unknown(what: str, settings: Mapping[str, Any], known: set[str] | frozenset[str]) -> None:
    """Refuses keys that nothing reads, with those that were probably meant."""
    if unknown := sorted(settings.keys() - known):
        told = "; ".join(f"'{name}': {meant(name, known)}" for name in unknown)
        raise ValueError(f"{what} has unknown keys: {told}")


def on_defaults_alone(variable: str | None, cwd: str | None) -> str | None:
    """Why a task must not run on defaults alone: it would publish unintended data.

    None if the program finds settings of its own in the environment of the worker, or in the folder in which it runs.

    :param variable: the text of the Airflow Variable as the task sees it.
    """
    unseen = "'airflow dags test' does not see variables of the database: set AIRFLOW_VAR_LOGMILL in its environment"
    if variable:
        return f"the {OF_VARIABLE} is set, but was not seen when this DAG was read: {unseen}"
    found = [name for name in OWN_SETTINGS if os.environ.get(name)]
    if found or Path(cwd or ".", "logmill.toml").is_file():
        return None
    return (
        f"no settings are found: the {OF_VARIABLE} is empty or cannot be seen, the task's folder has no logmill.toml, "
        f"and none of {', '.join(OWN_SETTINGS)} is in the worker's environment; {unseen}"
    )


def function_named(path: str | None) -> Callable[..., Any] | None:
    """A function by its dotted name."""
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
