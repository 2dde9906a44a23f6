"""The package on the last Airflow 2, in its own virtual environment."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import REPOSITORY, SAMPLE_DATA, Lake, binary, run_day

from surroundings import DAGS, environment

PYTHON = Path(os.environ.get("PYTHON_OF_AIRFLOW_2", REPOSITORY / ".venv-airflow-2" / "bin" / "python"))


def test_the_dags_parse_and_build_a_day_on_the_last_airflow_2(tmp_path: Path) -> None:
    if not PYTHON.is_file():
        missing = f"{PYTHON} is missing: `make airflow` installs it"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    script, logs = Path(__file__).with_name("on_airflow_2.py"), tmp_path / "logs"
    for name in ("cloudtrail", "resolver-query"):
        shutil.copytree(REPOSITORY / SAMPLE_DATA / name, logs / name)
    words = [PYTHON, "-W", "ignore", script, DAGS, logs, tmp_path / "lake", binary()]
    home = str(tmp_path / "home")
    ended = subprocess.run(
        [str(word) for word in words], env=environment(home), capture_output=True, encoding="utf-8", timeout=600
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["airflow"].startswith("2.11.")
    assert found["errors"] == {}
    assert found["dags"] == ["logmill_backfill", "logmill_daily", "logmill_sharded", "logmill_watch"]
    assert found["states"] == ["success", "success"]
    # November 1 in Seoul.
    assert found["interval"] == ["2023-10-31 15:00:00+00:00", "2023-11-01 15:00:00+00:00"]
    for day in ("2023-10-31", "2023-11-01"):
        run_day(tmp_path / "plain", day=day, source=logs)
    assert Lake(tmp_path / "lake").digests() == Lake(tmp_path / "plain").digests()
