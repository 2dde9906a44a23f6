"""An isolated Airflow, in a temporary folder.

Airflow reads its settings on import, so import this module first.
"""

import os
import re
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = REPOSITORY / "airflow" / "dags"
# Settings of this machine for Airflow, AWS, logmill and proxies must not reach the tests.
OUTSIDE_SETTINGS = re.compile(r"_?AIRFLOW_|AWS_|LOGMILL_|.*_PROXY$", re.IGNORECASE)
HOME = tempfile.TemporaryDirectory(prefix="logmill-airflow-")


def environment(home: str) -> dict[str, str]:
    """An environment in which Airflow has only a home folder."""
    own = {name: value for name, value in os.environ.items() if not OUTSIDE_SETTINGS.match(name)}
    return own | {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "TZ": "America/New_York",
    }


found = environment(HOME.name)
if "LOGMILL_BIN" in os.environ:
    # For the workers of pytest, which inherit this environment.
    found["TESTED_BINARY"] = os.environ["LOGMILL_BIN"]
os.environ.clear()
os.environ.update(found)
