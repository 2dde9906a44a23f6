"""What the DAGs have to know, from one place: the Airflow Variable `logmill`, JSON, and the config file that it names.

`AIRFLOW_VAR_LOGMILL='{"config_file": "/etc/logmill.toml"}'` in the environment is such a variable, and costs no query
when DAGs are parsed. Sources, lake and database come from logmill.toml where the scheduler can read it too.
"""

import importlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from logmill_airflow.command import Source
from logmill_airflow.day import KST, parse_day

VARIABLE = "logmill"
DEFAULT_TABLES = {"cloudtrail": "cloudtrail", "s3-access": "s3_access"}


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

    @classmethod
    def load(cls) -> "Config":
        """The settings that Airflow has."""
        from logmill_airflow.compat import json_variable

        return cls.of(json_variable(VARIABLE) or {})

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Config":
        """The settings of a variable, and of the config file that it names; an unknown key is a mistake."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(settings.keys() - known):
            raise ValueError(f"the variable '{VARIABLE}' has unknown keys: {', '.join(unknown)}")
        env = settings.get("env") or {}
        told = from_environment(env) | from_file(settings.get("config_file")) | dict(settings)
        told["sources"] = told.get("sources") or [
            {"dataset": dataset, "table": table} for dataset, table in DEFAULT_TABLES.items()
        ]
        config = cls(**told)
        config.check()
        return config

    def check(self) -> None:
        """Refuses what would only be noticed at night."""
        parse_day(self.first_day)
        time.fromisoformat(self.start_at)
        names = [source.table for source in self.table_sources()]
        if len(set(names)) < len(names):
            raise ValueError(f"two sources feed the same table: {', '.join(names)}")
        if self.staging and not self.staging.startswith(("/", "s3://")):
            raise ValueError(f"staging '{self.staging}' is neither s3://bucket/prefix nor a whole path of a folder")

    def table_sources(self) -> list[Source]:
        """The sources, each with the table that it feeds."""
        return [
            Source(
                dataset=source["dataset"],
                table=source.get("table") or DEFAULT_TABLES[source["dataset"]],
                named=bool(source.get("named", False)),
            )
            for source in self.sources
        ]

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
            {
                "dataset": source["dataset"],
                "table": source.get("table") or DEFAULT_TABLES[source["dataset"]],
                "named": "table" in source,
            }
            for source in content.get("source", [])
        ],
    }
    return {name: value for name, value in told.items() if value}


def function_named(path: str | None) -> Callable[..., Any] | None:
    """A function by its dotted name."""
    if path is None:
        return None
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)
