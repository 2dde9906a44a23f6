"""Airflow's own backfill, as far as it works without a scheduler: the runs that it would create."""

import re
from typing import Any

import pytest
from airflow.cli.cli_parser import get_parser
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db

from surroundings import DAGS


def test_airflows_backfill_includes_both_bounds(
    variable: Any, airflow_database: None, capsys: pytest.CaptureFixture[str]
) -> None:
    variable(first_day="2023-10-01")
    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    (bundle,) = manager.get_all_dag_bundles()
    sync_bag_to_db(BundleDagBag(str(DAGS), bundle_path=DAGS, bundle_name=bundle.name), bundle.name, None)
    words = ["backfill", "create", "--dag-id", "logmill_daily", "--dry-run"]
    asked = get_parser().parse_args([*words, "--from-date", "2023-10-31", "--to-date", "2023-11-02"])
    asked.func(asked)
    # Runs have no logical date. Each row has the key and the instant at which its day starts.
    runs = re.findall(r"^\|\s+\| (\S+)\s+\| (.+?)\s*\|$", capsys.readouterr().out, re.MULTILINE)
    assert runs == [
        ("2023-10-31", "2023-10-30 15:00:00+00:00"),
        ("2023-11-01", "2023-10-31 15:00:00+00:00"),
        ("2023-11-02", "2023-11-01 15:00:00+00:00"),
    ]
