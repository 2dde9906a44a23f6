"""The summary of a run for XCom."""

from typing import Any

from logmill_airflow.summary import xcom_of

PROOF = {"verdict": "proved", "named": 3, "right": 3, "altered": 0, "missing": 0, "unnamed": 1, "chains": 2}


def summary(**more: Any) -> dict[str, Any]:
    """The summary of one table."""
    table = {"table": "cloudtrail", "written": 7, "quarantined": 0, "files": 1, "file_bytes": 9, "provisional": False}
    day = {"day": "2023-11-01", "tables": [table | more], "failed": []}
    return {"run": "r", "exit_code": 0} | day


def test_a_day_with_digests_has_its_verdict_and_file_ledger() -> None:
    """Other days have no such entry, and their state is as before."""
    [table] = xcom_of(summary(proof=PROOF))["tables"]
    assert table["state"] == "proved"
    assert table["proof"] == {name: count for name, count in PROOF.items() if name != "chains"}
    [table] = xcom_of(summary(proof=PROOF | {"verdict": "missing", "missing": 1}))["tables"]
    assert (table["state"], table["proof"]["missing"]) == ("final", 1)
    [table] = xcom_of(summary())["tables"]
    assert (table["state"], "proof" in table) == ("final", False)
