"""One operator: runs a logmill command as a child process of the worker."""

import json
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
)

from logmill_airflow import compat
from logmill_airflow.command import DAY_COMMANDS, SUMMARY_COMMANDS, Command, Source, Value
from logmill_airflow.config import DEFAULT, VARIABLE, why_defaults_are_refused
from logmill_airflow.day import day_of
from logmill_airflow.environment import child_environment, program
from logmill_airflow.events import read_event
from logmill_airflow.exit_codes import Outcome, meaning_of, outcome_of
from logmill_airflow.process import Child
from logmill_airflow.summary import BrokenSummary, read_summary
from logmill_airflow.tables import sources_in

# The format of standard output, which decides where it goes.
TEXT, JSON_LINES = "text", "json-lines"
# Maximum number of text lines copied to the log. A summary of a backfill has one line per day.
MAX_LINES = 1000


class LogmillOperator(BaseOperator):
    """Runs a command of logmill on the worker and returns its summary to XCom.

    Events go to the task log as they arrive. `exit_codes.EXIT_CODES` maps exit codes to task outcomes. If the task is
    killed or times out, the child's session gets SIGTERM, and SIGKILL after `grace` seconds.

    :param verb: the command, for example `run` (templated).
    :param options: its options by their long names (templated); True is a bare flag, a list repeats the option.
    :param day: KST day for commands that take one; defaults to the day of the DAG run (templated).
    :param source: limits the command to one source, given as the fields of `Source` (templated).
    :param config_file: logmill.toml on the worker (templated).
    :param binary: the program, or the list of words that runs it (templated).
    :param env: additions to the environment of the child, for example `LOGMILL_OUTPUT` (templated).
    :param cwd: working folder of the child (templated).
    :param aws_conn_id: Airflow connection whose credentials the child gets; without one, the child finds its own.
    :param stdout: format of standard output: `text` goes to the log, `json-lines` to XCom.
    :param accept: exit codes that count as success because a later task covers them.
    :param grace: seconds between SIGTERM and SIGKILL. Airflow 3 kills a task 5 seconds after asking it to stop.
    :param settings: the settings of the DAG by origin, from `Config.by_origin`; logged first. With defaults alone the
        task fails, unless the program finds its own settings on the worker.
    """

    template_fields: Sequence[str] = ("verb", "options", "day", "source", "config_file", "binary", "env", "cwd")
    template_fields_renderers: ClassVar = {"options": "json", "source": "json", "env": "json"}
    ui_color = "#dceefb"

    def __init__(
        self,
        *,
        verb: str,
        options: Mapping[str, Value] | None = None,
        day: str | None = None,
        source: Mapping[str, Any] | None = None,
        config_file: str | None = None,
        binary: str | Sequence[str] = "logmill",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        aws_conn_id: str | None = None,
        stdout: str = TEXT,
        accept: Collection[int] = (),
        grace: float = 4.0,
        settings: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.verb = verb
        self.options = options
        self.day = day
        self.source = source
        self.config_file = config_file
        self.binary = binary
        self.env = env
        self.cwd = cwd
        self.aws_conn_id = aws_conn_id
        self.stdout = stdout
        self.accept = accept
        self.grace = grace
        self.settings = settings
        self.child: Child | None = None
        self.killed = False

    def execute(self, context: Mapping[str, Any]) -> Any:
        """Runs the command and returns its summary, or its output lines if standard output is JSON."""
        self.log_settings()
        with tempfile.TemporaryDirectory(prefix="logmill-") as folder:
            summary, printed = Path(folder, "summary.json"), Path(folder, "stdout")
            code, failures = self.run_child(self.command(context, summary), printed)
            result = self.result_of(summary)
            if self.stdout == TEXT:
                self.log_text(printed)
            self.settle(code, failures, result, context)
            if self.stdout == JSON_LINES:
                return [json.loads(line) for line in printed.read_bytes().splitlines() if line.strip()]
            return result

    def log_settings(self) -> None:
        """Logs the settings of the DAG and their origins. Refuses to run on defaults alone."""
        if self.settings is None:
            return
        for origin, shown in self.settings.items():
            self.log.info("settings from %s: %s", origin, shown)
        if self.settings.keys() <= {DEFAULT} and (why := why_defaults_are_refused(compat.variable(VARIABLE), self.cwd)):
            raise AirflowFailException(why)

    def result_of(self, summary: Path) -> dict[str, Any] | None:
        """The summary of the run. Only the exit code decides whether the run succeeded."""
        try:
            return read_summary(summary)
        except BrokenSummary as error:
            self.log.warning("cannot read the summary of the run, only its exit code counts: %s", error)
            return None

    def command(self, context: Mapping[str, Any], summary: Path) -> Command:
        """The command to run."""
        options: dict[str, Value] = {}
        if self.verb in DAY_COMMANDS:
            options["day"] = self.day or day_of(context).isoformat()
        if self.source:
            options |= Source(**self.source).options(self.verb)
        options |= self.options or {}
        if self.verb in SUMMARY_COMMANDS:
            options["summary_json"] = str(summary)
        return Command(self.verb, options, self.config_file or None)

    def run_child(self, command: Command, stdout: Path) -> tuple[int, list[int]]:
        """Runs the command to its end. Returns its exit code and the exit codes of its `failed` events."""
        env = child_environment(self.env or {}, self.aws_conn_id)
        first, *others = [self.binary] if isinstance(self.binary, str) else self.binary
        words = [program(first, env), *others, *command.arguments()]
        self.log.info("%s", json.dumps(words, ensure_ascii=False))
        failures = []
        with stdout.open("wb") as file:
            try:
                self.child = Child(words, env, file, self.cwd, self.grace)
            except OSError as error:
                raise AirflowFailException(f"cannot start '{words[0]}' on this worker: {error}") from error
            try:
                if self.killed:
                    self.child.stop()
                for line in self.child.lines():
                    if event := read_event(line):
                        self.log.log(event.level, "%s", event.text)
                        failures += [event.failure] if event.failure is not None else []
                return self.child.wait(), failures
            finally:
                self.child.close()

    def log_text(self, stdout: Path) -> None:
        """Copies text output to the task log."""
        lines = stdout.read_text("utf-8", errors="replace").splitlines()
        for line in lines[:MAX_LINES]:
            self.log.info("%s", line)
        if len(lines) > MAX_LINES:
            self.log.info("... and %d more lines", len(lines) - MAX_LINES)

    def settle(self, code: int, failures: list[int], result: Any, context: Mapping[str, Any]) -> None:
        """Ends the task according to the exit code. A failed task still pushes what was published."""
        outcome = Outcome.SUCCESS if code in self.accept and not self.killed else outcome_of(code, failures)
        text = f"logmill {self.verb} ended with {code}: {meaning_of(code)}"
        if self.killed:
            raise AirflowException(f"the task was killed; {text}")
        if outcome is Outcome.SUCCESS:
            (self.log.warning if code else self.log.info)("%s", text)
            return
        if result is not None and "ti" in context:
            context["ti"].xcom_push(key="summary_of_failure", value=result)
        raise RAISED[outcome](text)

    def on_kill(self) -> None:
        """Stops the child. Airflow calls this from a signal handler, so it must not wait."""
        self.killed = True
        if self.child is not None:
            self.log.info("stopping logmill: SIGTERM, and SIGKILL in %s seconds", self.grace)
            self.child.stop()


class TablesOperator(LogmillOperator):
    """Asks the program which tables a run builds, and returns a source for each, for a mapped task.

    :param days: the days of the run, as options of `logmill config` (templated).
    """

    def __init__(self, *, days: Mapping[str, Value], **kwargs: Any) -> None:
        super().__init__(verb="config", options={**days, "format": "json"}, stdout=JSON_LINES, **kwargs)

    def execute(self, context: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The fields of `Source` for each table."""
        return sources_in(super().execute(context))


RAISED = {
    Outcome.FAIL: AirflowFailException,
    Outcome.RETRY: AirflowException,
    Outcome.SKIP: AirflowSkipException,
}
