"""One KST day on the executors of a Spark cluster: AWS Glue 5, EMR, or any Spark 3.5 and later on Linux.

The driver plans the day, each shard is one task that runs `logmill convert` on an executor, and the driver
publishes once and registers. Spark does nothing but find machines, ship the binary and try lost shards again:
no row passes through it.

    spark-submit --conf spark.task.cpus=4 logmill_spark.py --binary s3://my-lake/logmill/logmill --day yesterday
        --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs --database logs

The last line of standard output is the summary of the publish, as JSON. The exit code is that of logmill.
"""

import argparse
import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark import AccumulatorParam, SparkConf, SparkContext, SparkFiles, TaskContext

DONE = 0
NOT_REGISTERED = 6
TEMPORARY = 75
INTERRUPTED = 130
# A machine that went away, or a service: another attempt may do. Anything else would only fail again.
WORTH_ANOTHER_ATTEMPT = {TEMPORARY, INTERRUPTED}
# Attempts of what the driver does, and the seconds between them, each time twice as many.
DRIVER_ATTEMPTS = 4
DRIVER_PAUSE = 15.0
# Lines of a child's messages that are kept to explain its failure.
KEPT_LINES = 30
SHARDS_PER_CORE = 2
PR_SET_PDEATHSIG = 1
# Seconds between two looks whether a shard has failed for good.
LOOK = 0.5


# The arguments: default, `None` where there is none, and meaning.
OPTIONS = {
    "--day": ("yesterday", "KST day: 2023-11-01, 20231101, yesterday or today"),
    "--input": ("", "addresses of the raw logs, with , between them"),
    "--output": (None, "the lake: s3://bucket/prefix, or a folder that all machines share"),
    "--database": ("", "Glue database in which the day is registered"),
    "--binary": ("logmill", "where the binary is, or its name among the files shipped"),
    "--config": ("", "logmill.toml with the sources, likewise"),
    "--staging": ("", "where shards meet [default: in the lake, below _staging]"),
    "--shards": ("0", "pieces of the day [default: twice the cores]"),
    "--memory": ("512MiB", "memory of each logmill; one runs for each task at a time"),
    "--plan-options": ("", "more of logmill plan, as a shell would read it"),
    "--convert-options": ("", "more of logmill convert"),
    "--publish-options": ("", "more of logmill publish"),
}


@dataclass(frozen=True)
class Report:
    """What one attempt at a piece of work has come to."""

    code: int
    stdout: str
    messages: str
    seconds: float

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the failure can pass: a temporary one, or a child that something killed."""
        return self.code in WORTH_ANOTHER_ATTEMPT or self.code < 0


@dataclass(frozen=True)
class ShardReport:
    """What became of a shard, as its executor reports it."""

    shard: int
    attempt: int
    host: str
    report: Report


class Failures(AccumulatorParam[list[ShardReport]]):
    """Shards that have failed for good: the driver sees each when its task ends, whatever the others do."""

    def zero(self, value: list[ShardReport]) -> list[ShardReport]:
        """None so far."""
        return []

    def addInPlace(self, value1: list[ShardReport], value2: list[ShardReport]) -> list[ShardReport]:
        """Those of two tasks."""
        return [*value1, *value2]


class FailedError(Exception):
    """The day cannot be made: the exit code of the job, and why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code if code > 0 else TEMPORARY


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What the job is to do; Glue adds arguments of its own, which are passed over."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    for name, (default, meaning) in OPTIONS.items():
        parser.add_argument(name, default=default, required=default is None, help=meaning)
    known, passed_over = parser.parse_known_args(list(joined(given)))
    if passed_over:
        say(f"passed over: {shlex.join(passed_over)}")
    return known


def joined(given: Sequence[str]) -> Iterator[str]:
    """Each option as one word with its value, which may begin with dashes as well."""
    words = iter(given)
    for word in words:
        yield f"{word}={next(words, '')}" if word in OPTIONS else word


def say(message: str) -> None:
    """Writes a line to the log of this process."""
    print(f"logmill_spark: {message}", file=sys.stderr, flush=True)


def shipped(name: str) -> str:
    """A file that was shipped to this machine: by `addFile`, or into the folder of a container."""
    for path in (SparkFiles.get(name), str(Path(name).absolute())):
        if os.path.isfile(path):
            return path
    raise FailedError(2, f"{name} was not shipped: name it with --binary or --config, or give it to --files")


def executable(name: str) -> str:
    """A shipped file that can be run."""
    path = shipped(name)
    if not os.access(path, os.X_OK):
        os.chmod(path, 0o755)
    return path


def run_child(command: Sequence[str], name: str) -> Report:
    """Runs logmill; its messages go to the log of this process as they come, its output is kept."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def end_with_parent() -> None:
        # Spark kills the workers of lost attempts without a word: the child is to clean up and end.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    began = time.monotonic()
    kept: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        preexec_fn=end_with_parent,
    ) as child:
        reader = threading.Thread(target=stream, args=(child, name, kept), daemon=True)
        reader.start()
        try:
            stdout = child.stdout.read() if child.stdout else ""
            code = child.wait()
        except BaseException:
            child.terminate()
            raise
        reader.join()
    return Report(code, stdout, "".join(kept), round(time.monotonic() - began, 1))


def stream(child: subprocess.Popen[str], name: str, kept: list[str]) -> None:
    """Passes the messages of a child on, and keeps the last of them."""
    for line in child.stderr or ():
        print(f"{name}: {line}", end="", file=sys.stderr, flush=True)
        kept.append(line)
        del kept[:-KEPT_LINES]


@dataclass(frozen=True)
class Conversion:
    """What an executor needs to convert a shard."""

    binary: str
    config: str
    plan: str
    staging: str
    options: tuple[str, ...]

    def command(self, shard: int) -> list[str]:
        """The command line of a shard."""
        place = ("--plan", self.plan, "--staging", self.staging, "--shard", str(shard))
        return [executable(self.binary), "convert", *with_config(self.config), *place, *self.options]

    def convert(self, shard: int) -> ShardReport:
        """One attempt at a shard. Raises where Spark is to try again."""
        context = TaskContext.get()
        attempt = context.attemptNumber() if context else 0
        report = run_child(self.command(shard), f"shard {shard}, attempt {attempt}")
        if report.may_be_tried_again:
            raise RuntimeError(f"shard {shard} ended with {report.code}: {report.messages}")
        return ShardReport(shard, attempt, os.uname().nodename, report)


def with_config(name: str) -> tuple[str, ...]:
    """The option that names the config file, where there is one."""
    return ("--config", shipped(name)) if name else ()


class Job:
    """The day, from the driver."""

    def __init__(self, spark: SparkContext, args: argparse.Namespace) -> None:
        self.spark = spark
        self.args = args
        self.binary, self.config = (ship(spark, name) for name in (args.binary, args.config))
        self.staging = args.staging or f"{args.output.rstrip('/')}/_staging/{spark.applicationId}"
        self.plan = f"{self.staging.rstrip('/')}/plan.json"
        self.shards = int(args.shards) or SHARDS_PER_CORE * spark.defaultParallelism

    def logmill(self, step: str, *options: str) -> Report:
        """Runs a step on the driver, again where that can help."""
        command = [executable(self.binary), step, *with_config(self.config), *options]
        for attempt in range(DRIVER_ATTEMPTS):
            report = run_child(command, step)
            if report.code != TEMPORARY or attempt + 1 == DRIVER_ATTEMPTS:
                break
            time.sleep(DRIVER_PAUSE * 2**attempt)
        return report

    def run(self) -> dict[str, Any]:
        """Plans, converts, publishes; gives the summary."""
        addresses = [address.strip() for address in self.args.input.split(",") if address.strip()]
        inputs = [word for address in addresses for word in ("--input", address)]
        options = shlex.split(self.args.plan_options)
        given = ("--day", self.args.day, *inputs, "--shards", str(self.shards), "--plan", self.plan)
        planned = required(self.logmill("plan", *given, *options), "the day cannot be planned")
        say(f"{self.shards} shards\n{planned.stdout}")
        for shard in self.convert():
            rows = " ".join(shard.report.stdout.splitlines())
            say(f"{rows} ({shard.host}, attempt {shard.attempt}, {shard.report.seconds} s)")
        return self.publish()

    def convert(self) -> list[ShardReport]:
        """Has every shard converted, one task each. The first that fails for good ends the others."""
        threads = self.spark.getConf().get("spark.task.cpus", "1")
        size = ("--threads", threads, "--memory", self.args.memory)
        options = (*size, *shlex.split(self.args.convert_options))
        work = Conversion(self.binary, self.config, self.plan, self.staging, options)
        failures = self.spark.accumulator([], Failures())

        def task(shard: int) -> ShardReport:
            done = work.convert(shard)
            if done.report.code != DONE:
                failures.add([done])
            return done

        group = f"logmill {self.spark.applicationId}"
        self.spark.setJobGroup(group, f"logmill convert, {self.shards} shards", interruptOnCancel=True)
        ended = threading.Event()
        watcher = threading.Thread(target=self.cancel_on_failure, args=(failures, group, ended), daemon=True)
        watcher.start()
        try:
            done = self.spark.parallelize(range(self.shards), self.shards).map(task).collect()
        except Exception as lost:
            if not failures.value:
                raise FailedError(TEMPORARY, f"a shard failed in every attempt: {lost}") from lost
        finally:
            ended.set()
            watcher.join()
        for failed in failures.value:
            where = f"shard {failed.shard} on {failed.host}"
            raise FailedError(failed.report.code, f"{where}: {failed.report.messages}")
        return sorted(done, key=lambda shard: shard.shard)

    def cancel_on_failure(self, failures: Any, group: str, ended: threading.Event) -> None:
        """Ends the tasks as soon as one of them has failed for good."""
        while not ended.wait(LOOK):
            if failures.value:
                self.spark.cancelJobGroup(group)
                return

    def publish(self) -> dict[str, Any]:
        """Publishes the day, once, and registers it."""
        catalog = ("--database", self.args.database) if self.args.database else ()
        lake = ("--output", self.args.output, *catalog)
        place = ("--plan", self.plan, "--staging", self.staging, "--remove-staging")
        options = ("--summary-json", "-", "--quiet", *shlex.split(self.args.publish_options))
        published = self.logmill("publish", *lake, *place, *options)
        if published.code == NOT_REGISTERED:
            day = json.loads(published.stdout)["day"]
            registered = self.logmill("register", "--day", day, *lake)
            required(registered, "the day is published, but cannot be registered")
        else:
            required(published, "the day cannot be published")
        return json.loads(published.stdout)


def ship(spark: SparkContext, name: str) -> str:
    """Sends a file to every machine, unless its name says that it is there; gives its name there."""
    if "/" in name:
        spark.addFile(name)
    return name.rsplit("/", 1)[-1]


def required(report: Report, failing: str) -> Report:
    """A report of work that was done."""
    if report.code != DONE:
        raise FailedError(report.code, f"{failing}: {report.messages}")
    return report


def main(given: Sequence[str]) -> int:
    """Makes the day; gives the exit code."""
    args = arguments(given)
    # YARN and Glue end a driver with SIGTERM: as with Ctrl-C, what it has started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    spark = SparkContext.getOrCreate(SparkConf().setAppName("logmill"))
    try:
        summary = Job(spark, args).run()
    except FailedError as failed:
        say(str(failed))
        return failed.code
    finally:
        spark.stop()
    print(json.dumps(summary), flush=True)
    return DONE


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Glue takes any SystemExit, also that of 0, for a failure.
    if code != DONE:
        sys.exit(code)
