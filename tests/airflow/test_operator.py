"""The operator with a binary that behaves as each test needs."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from harness import binary
from logmill_airflow.operators import LogmillOperator
from logmill_airflow.tasks import only_table, tables_in

from processes import pids_in, until_gone
from worker import FAKE

TABLE = {
    "table": "cloudtrail", "dataset": "cloudtrail", "objects": 30, "objects_left": 1, "bytes": 9, "read": 12,
    "written": 10, "other_day": 1, "duplicate": 0, "quarantined": 1, "filtered": 0, "files": 1, "file_bytes": 5,
    "seconds": 0.1, "provisional": True, "quarantine": None,
    "catalog": {"database": "logs", "table": "cloudtrail", "location": "s3://lake/x/", "partition": "created"},
}  # fmt: skip
SUMMARY = {
    "version": 1, "logmill": "0.1.0", "run": "20261121T224635Z-4f5f5e5b", "exit_code": 5, "day": "2023-11-01",
    "tables": [TABLE], "failed": [{"table": "s3_access", "published": False, "error": "secret path"}],
}  # fmt: skip


def failed(code: int) -> str:
    """A `failed` event."""
    return json.dumps({"level": "error", "event": "failed", "table": "t", "exit_code": code})


class Pushed:
    """Records the XCom values that a failed task pushes."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        """Records a value."""
        self.values[key] = value


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """The file for the process ids of the fake binary. Processes that a failed test leaves are killed."""
    file = tmp_path / "pids"
    yield file
    for pid in json.loads(file.read_text()) if file.exists() else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def operator(verb: str = "run", env: dict[str, str] | None = None, **options: Any) -> LogmillOperator:
    """The operator with the fake binary."""
    return LogmillOperator(task_id="t", verb=verb, binary=FAKE, env=env or {}, **options)


@pytest.mark.parametrize(
    ("code", "events", "error"),
    [
        (1, "", AirflowFailException),
        (2, "", AirflowFailException),
        (3, "", AirflowFailException),
        (4, "", AirflowFailException),
        (5, failed(3), AirflowFailException),
        (5, f"{failed(3)}\n{failed(75)}", AirflowException),
        (6, "", AirflowException),
        (75, "", AirflowException),
        (99, "", AirflowSkipException),
        (130, "", AirflowException),
        (17, "", AirflowException),
    ],
)
def test_exit_codes_become_outcomes(code: int, events: str, error: type[Exception]) -> None:
    task = operator(env={"FAKE_CODE": str(code), "FAKE_EVENTS": events}, day="2023-11-01")
    with pytest.raises(AirflowException, match=f"ended with {code}: ") as raised:
        task.execute({})
    # A subclass decides whether the task is retried.
    assert raised.type is error


def test_a_process_ended_by_a_signal_is_retried() -> None:
    task = LogmillOperator(task_id="t", verb="doctor", binary=["sh", "-c", "kill -9 $$"])
    with pytest.raises(AirflowException, match="ended with -9: ended by signal 9") as raised:
        task.execute({})
    assert raised.type is AirflowException


def test_accepted_codes_count_as_success() -> None:
    env = {"FAKE_CODE": "6", "FAKE_SUMMARY": json.dumps(SUMMARY)}
    assert operator(env=env, day="2023-11-01", accept=[6]).execute({})["tables"][0]["rows"] == 10


def test_the_summary_goes_to_xcom() -> None:
    env = {"FAKE_SUMMARY": json.dumps(SUMMARY)}
    assert operator(env=env, day="2023-11-01").execute({}) == {
        "run": "20261121T224635Z-4f5f5e5b",
        "exit_code": 5,
        "tables": [
            {
                "table": "cloudtrail", "day": "2023-11-01", "run": "20261121T224635Z-4f5f5e5b", "rows": 10,
                "quarantined": 1, "files": 1, "file_bytes": 5, "state": "provisional", "location": "s3://lake/x/",
            }
        ],
        "failed": [{"day": "2023-11-01", "table": "s3_access", "published": False}],
    }  # fmt: skip


def test_the_summary_of_many_days_goes_to_xcom() -> None:
    days = [{"day": day, "tables": [TABLE], "failed": []} for day in ("2023-11-01", "2023-11-02")]
    lost = [{"table": "s3_access", "published": False, "error": "x"}]
    summary = {"run": "r", "exit_code": 5, "days": days, "failed": lost}
    found = operator("backfill", {"FAKE_SUMMARY": json.dumps(summary)}).execute({})
    assert [(entry["day"], entry["rows"]) for entry in found["tables"]] == [("2023-11-01", 10), ("2023-11-02", 10)]
    assert found["failed"] == [{"day": None, "table": "s3_access", "published": False}]


BROKEN = [
    "", "\n", "{", '{"version": 1, "logm', "null", "[]", "7", "{}", '{"run": "r", "exit_code": 0}', "\u00ff",
]  # fmt: skip


@pytest.mark.parametrize("summary", BROKEN)
@pytest.mark.parametrize(
    ("code", "error"),
    [(2, AirflowFailException), (4, AirflowFailException), (75, AirflowException), (99, AirflowSkipException)],
)
def test_a_broken_summary_does_not_change_the_meaning_of_an_exit_code(
    tmp_path: Path, summary: str, code: int, error: type[Exception]
) -> None:
    (content := tmp_path / "content").write_text(summary, "latin-1")
    task = operator(env={"FAKE_CODE": str(code), "FAKE_SUMMARY_FILE": str(content)}, day="2023-11-01")
    with pytest.raises(AirflowException, match=f"ended with {code}: ") as raised:
        task.execute({"ti": Pushed()})
    assert raised.type is error


@pytest.mark.parametrize("summary", BROKEN)
def test_a_run_can_succeed_without_a_readable_summary(
    tmp_path: Path, summary: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (content := tmp_path / "content").write_text(summary, "latin-1")
    assert operator(env={"FAKE_SUMMARY_FILE": str(content)}, day="2023-11-01").execute({}) is None
    out = capfd.readouterr().out
    assert ("cannot read the summary of the run" in out) == bool(summary.strip())
    accepted = operator(env={"FAKE_CODE": "6", "FAKE_SUMMARY_FILE": str(content)}, day="2023-11-01", accept=[6])
    assert accepted.execute({}) is None


@pytest.mark.parametrize(
    ("summary", "why"), [(None, "no summary shows what was published"), ({"tables": []}, "nothing was published")]
)
def test_tasks_after_a_run_without_results_are_skipped(summary: dict | None, why: str) -> None:
    for tables in (only_table, tables_in):
        with pytest.raises(AirflowSkipException, match=why):
            tables(summary)


@pytest.mark.parametrize("verb", ["run", "backfill", "publish"])
def test_refused_arguments_are_not_retried(verb: str, tmp_path: Path) -> None:
    task = LogmillOperator(
        task_id="t", verb=verb, binary=str(binary()), day="2023-11-01", options={"grace": "a while"}, cwd=str(tmp_path)
    )
    with pytest.raises(AirflowFailException, match="ended with 2: "):
        task.execute({})
    with pytest.raises(AirflowFailException, match="ended with 2: "):
        LogmillOperator(task_id="t", verb=verb, binary=str(binary()), day="never", cwd=str(tmp_path)).execute({})


SETTINGS = {"default": "binary=logmill", "variable 'logmill'": "config_file=/etc/logmill.toml"}


def test_the_log_shows_settings_by_origin(capfd: pytest.CaptureFixture[str]) -> None:
    operator("doctor", settings=SETTINGS).execute({})
    out = capfd.readouterr().out
    assert "settings from default: binary=logmill" in out
    assert "settings from variable 'logmill': config_file=/etc/logmill.toml" in out


def test_a_task_does_not_run_on_defaults_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: Any) -> None:
    seen, defaults = tmp_path / "seen", {"default": "binary=logmill"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIRFLOW_VAR_LOGMILL", raising=False)

    def run(settings: dict[str, str], **more: Any) -> None:
        seen.unlink(missing_ok=True)
        operator("doctor", {"FAKE_SEEN": str(seen)}, settings=settings, **more).execute({})

    with pytest.raises(AirflowFailException, match="no settings found: the variable 'logmill' is empty or not"):
        run(defaults)
    assert not seen.exists()
    run(SETTINGS)
    assert seen.exists()
    # The program finds its own settings.
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "logmill.toml").write_text("")
    run(defaults, cwd=str(tmp_path / "there"))
    monkeypatch.setenv("LOGMILL_OUTPUT", "/lake")
    run(defaults)
    # The task sees a variable that the parser did not see.
    variable(config_file="/etc/logmill.toml")
    with pytest.raises(AirflowFailException, match="is set, but was not visible when this DAG was parsed"):
        run(defaults)
    assert not seen.exists()


def test_a_failing_task_pushes_what_was_published() -> None:
    pushed = Pushed()
    task = operator(env={"FAKE_CODE": "5", "FAKE_SUMMARY": json.dumps(SUMMARY)}, day="2023-11-01")
    with pytest.raises(AirflowFailException):
        task.execute({"ti": pushed})
    assert pushed.values["summary_of_failure"]["tables"][0]["table"] == "cloudtrail"


def test_json_lines_go_to_xcom() -> None:
    task = operator("status", {"FAKE_STDOUT": '{"day":"2023-11-01"}\n{"day":"2023-11-02"}'}, stdout="json-lines")
    assert task.execute({}) == [{"day": "2023-11-01"}, {"day": "2023-11-02"}]


def test_events_go_to_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    events = '{"level":"info","event":"planned","table":"t"}\n{"level":"warn","event":"late"}\npanic: \xff'
    operator("doctor", {"FAKE_EVENTS": events, "FAKE_STDOUT": "plain text"}).execute({})
    out = capfd.readouterr().out
    for level, text in [
        ("info", "planned table=t"),
        ("warning", "late"),
        ("info", "panic: \xff"),
        ("info", "plain text"),
    ]:
        assert re.search(rf"\[{level} *\] {text} ", out), text


def test_the_day_defaults_to_that_of_the_run(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    operator(env={"FAKE_SEEN": str(seen)}, source={"dataset": "s3-access", "table": "web", "named": True}).execute(
        {"params": {"proc_ymd": "20231101"}}
    )
    words = json.loads(seen.read_text())["words"]
    assert words[:4] == ["run", "--day=2023-11-01", "--dataset=s3-access", "--table=web"]


def test_the_child_does_not_get_airflows_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "f")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", "postgres://u:p@h")
    monkeypatch.setenv("LOGMILL_MEMORY", "2GiB")
    operator("doctor", {"FAKE_SEEN": str(tmp_path / "seen")}).execute({})
    env = json.loads((tmp_path / "seen").read_text())["env"]
    assert not [name for name in env if name.startswith("AIRFLOW")]
    assert env["LOGMILL_MEMORY"] == "2GiB"


def test_credentials_of_a_connection_reach_the_child_but_not_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    extra = {"region_name": "ap-northeast-2", "endpoint_url": "http://127.0.0.1:9", "aws_session_token": "tokentoken"}
    connection = {"conn_type": "aws", "login": "AKIAONE", "password": "hushhushhush", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(connection))
    operator("doctor", {"FAKE_SEEN": str(tmp_path / "seen")}, aws_conn_id="lake").execute({})
    env = json.loads((tmp_path / "seen").read_text())["env"]
    assert {name: value for name, value in env.items() if name.startswith("AWS_") and value != "/dev/null"} == {
        "AWS_ACCESS_KEY_ID": "AKIAONE",
        "AWS_SECRET_ACCESS_KEY": "hushhushhush",
        "AWS_SESSION_TOKEN": "tokentoken",
        "AWS_REGION": "ap-northeast-2",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    output = "".join(capfd.readouterr())
    assert "logmill doctor ended with 0" in output
    assert "hushhush" not in output
    assert "tokentoken" not in output


def test_a_missing_binary_is_reported() -> None:
    with pytest.raises(AirflowFailException, match="cannot start 'no-such-logmill' on this worker"):
        LogmillOperator(task_id="t", verb="doctor", binary="no-such-logmill").execute({})


@pytest.mark.parametrize("deaf", [False, True])
def test_a_killed_task_leaves_no_process(pids: Path, deaf: bool) -> None:
    env = {"FAKE_PIDS": str(pids)} | ({"FAKE_DEAF": "1"} if deaf else {})
    task = operator(env=env, day="2023-11-01", grace=0.2 if deaf else 3600)
    raised: list[BaseException] = []

    def execute() -> None:
        try:
            task.execute({})
        except AirflowException as error:
            raised.append(error)

    thread = threading.Thread(target=execute, daemon=True)
    thread.start()
    child, grandchild = pids_in(pids)
    task.on_kill()
    thread.join(60)
    until_gone([child, grandchild])
    assert "the task was killed; logmill run ended with 130" in str(raised[0])


def test_a_task_that_raises_leaves_no_process(pids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = operator("doctor", {"FAKE_PIDS": str(pids), "FAKE_EVENTS": "ready", "FAKE_DEAF": "1"}, grace=0.2)

    def time_out(*_: Any) -> None:
        pids_in(pids)
        raise TimeoutError

    monkeypatch.setattr("logmill_airflow.operators.read_event", time_out)
    with pytest.raises(TimeoutError):
        task.execute({})
    until_gone(pids_in(pids))


def worker(pids: Path, grace: float, **env: str) -> subprocess.Popen[str]:
    """A worker in its own process."""
    here = Path(__file__).parent
    return subprocess.Popen(
        [sys.executable, str(here / "worker.py"), str(grace)],
        env=os.environ | {"FAKE_PIDS": str(pids)} | env,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.mark.parametrize("env", [{}, {"FAKE_DEAF": "1"}])
def test_the_sigterm_handler_of_the_worker_stops_the_child(pids: Path, env: dict[str, str]) -> None:
    with worker(pids, 0.2 if env else 3600, **env) as process:
        started = pids_in(pids)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    until_gone(started)
    assert "the task was killed; logmill run ended with 130" in out


def test_killing_the_worker_stops_the_child(pids: Path) -> None:
    with worker(pids, 3600) as process:
        child, _ = pids_in(pids)
        process.kill()
    until_gone([child])


def test_template_fields_are_rendered() -> None:
    task = operator(day="{{ day }}", options={"input": ["{{ bucket }}/a"], "shards": 4}, config_file="/{{ day }}.toml")
    task.render_template_fields({"day": "2023-11-01", "bucket": "s3://b"})
    assert (task.day, task.options, task.config_file) == (
        "2023-11-01", {"input": ["s3://b/a"], "shards": 4}, "/2023-11-01.toml",
    )  # fmt: skip
