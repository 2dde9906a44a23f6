"""One operator: a command of logmill as a child process of the worker."""

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
from logmill_airflow.command import HAS_SUMMARY, TAKES_DAY, Command, Source, Value
from logmill_airflow.config import DEFAULT, VARIABLE, on_defaults_alone
from logmill_airflow.day import day_of
from logmill_airflow.environment import child_environment, program
from logmill_airflow.events import read_event
from logmill_airflow.exit_codes import Outcome, meaning_of, outcome_of
from logmill_airflow.process import Child
from logmill_airflow.summary import BrokenSummary, read_summary

# What standard output is, which decides what becomes of it.
FOR_PEOPLE, JSON_LINES = "text", "json-lines"
# Lines of a text for people that go to the log at most: a summary of many days has one a day.
MOST_LINES = 1000


class LogmillOperator(BaseOperator):
    """Runs a command of logmill where the worker is; gives its summary to XCom.

    Events go to the task log as they come. Exit codes become what `exit_codes.EXIT_CODES` says. When the task is
    killed or times out, the child's session gets SIGTERM, and SIGKILL after `grace` seconds.

    :param verb: the command, such as `run` (templated).
    :param options: its options by their long names (templated); True is a bare flag, a list repeats the option.
    :param day: KST day of commands that take one; the day of the DAG run when not given (templated).
    :param source: the source to which the command is limited, as the fields of `Source` (templated).
    :param config_file: logmill.toml on the worker (templated).
    :param binary: the program, or a list of words that run it (templated).
    :param env: what is added to the environment of the child, such as `LOGMILL_OUTPUT` (templated).
    :param cwd: folder in which it runs (templated).
    :param aws_conn_id: Airflow connection whose credentials the child gets; without one it finds them by itself.
    :param stdout: what standard output is: `text` goes to the log, `json-lines` to XCom.
    :param accept: exit codes that count as success, since a later task makes up for them.
    :param grace: seconds between SIGTERM and SIGKILL. Airflow 3 kills a task 5 seconds after it was told to end.
    :param settings: what the log says first: the settings of the DAG by where they came from, as `Config.told` gives
        them. With defaults alone the task fails, unless the program finds settings of its own on the worker.
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
        stdout: str = FOR_PEOPLE,
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
        """Runs the command; gives its summary, or its lines where standard output is JSON."""
        self.tell_settings()
        with tempfile.TemporaryDirectory(prefix="logmill-") as folder:
            summary, printed = Path(folder, "summary.json"), Path(folder, "stdout")
            code, failures = self.run_child(self.command(context, summary), printed)
            result = self.result_of(summary)
            if self.stdout == FOR_PEOPLE:
                self.log_text(printed)
            self.settle(code, failures, result, context)
            if self.stdout == JSON_LINES:
                return [json.loads(line) for line in printed.read_bytes().splitlines() if line.strip()]
            return result

    def tell_settings(self) -> None:
        """Says which settings the DAG has, and where they came from; refuses to run on defaults alone."""
        if self.settings is None:
            return
        for origin, told in self.settings.items():
            self.log.info("settings from %s: %s", origin, told)
        if self.settings.keys() <= {DEFAULT} and (why := on_defaults_alone(compat.variable(VARIABLE), self.cwd)):
            raise AirflowFailException(why)

    def result_of(self, summary: Path) -> dict[str, Any] | None:
        """What the run has told of itself. Whether it is a success, its exit code says."""
        try:
            return read_summary(summary)
        except BrokenSummary as error:
            self.log.warning("the summary of the run cannot be read, its exit code counts: %s", error)
            return None

    def command(self, context: Mapping[str, Any], summary: Path) -> Command:
        """The command that is run."""
        options: dict[str, Value] = {}
        if self.verb in TAKES_DAY:
            options["day"] = self.day or day_of(context).isoformat()
        if self.source:
            options |= Source(**self.source).options(self.verb)
        options |= self.options or {}
        if self.verb in HAS_SUMMARY:
            options["summary_json"] = str(summary)
        return Command(self.verb, options, self.config_file or None)

    def run_child(self, command: Command, stdout: Path) -> tuple[int, list[int]]:
        """Runs the command to its end; gives its exit code and those of single failures that it told of."""
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
        """Shows what is meant for people."""
        lines = stdout.read_text("utf-8", errors="replace").splitlines()
        for line in lines[:MOST_LINES]:
            self.log.info("%s", line)
        if len(lines) > MOST_LINES:
            self.log.info("... and %d lines more", len(lines) - MOST_LINES)

    def settle(self, code: int, failures: list[int], result: Any, context: Mapping[str, Any]) -> None:
        """Ends the task as the exit code says; where it fails, what was published is told all the same."""
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
        """Stops the child. Airflow calls it from a signal handler: it must not wait."""
        self.killed = True
        if self.child is not None:
            self.log.info("stopping logmill: SIGTERM, and SIGKILL in %s seconds", self.grace)
            self.child.stop()


RAISED = {
    Outcome.FAIL: AirflowFailException,
    Outcome.RETRY: AirflowException,
    Outcome.SKIP: AirflowSkipException,
}
