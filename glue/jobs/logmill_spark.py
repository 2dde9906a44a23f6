"""Builds one KST day on the executors of a Spark cluster: AWS Glue 5, EMR, or Spark 3.5 or later on Linux.

The driver plans the day. Each shard is one task that runs `logmill convert` on an executor. The driver then
publishes once and registers. Spark only finds machines, ships the binary and retries lost shards: no row
passes through it.

    spark-submit --conf spark.task.cpus=4 logmill_spark.py --binary s3://my-lake/logmill/logmill --day yesterday
        --input s3://my-trail/AWSLogs/ --output s3://my-lake/logs --database logs

The last line of standard output is the JSON summary of the publish step. The exit code is that of logmill.
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
# A machine was lost or a service is unavailable: another attempt may succeed. Any other failure would repeat.
RETRYABLE = {TEMPORARY, INTERRUPTED}
# Attempts for each step on the driver, and the pause in seconds, which doubles each time.
DRIVER_ATTEMPTS = 4
DRIVER_PAUSE = 15.0
# Last lines of a child's messages, kept to explain its failure.
KEPT_LINES = 30
SHARDS_PER_CORE = 2
PR_SET_PDEATHSIG = 1
# Seconds between checks whether a shard has failed for good.
POLL_SECONDS = 0.5


# The arguments: default (`None` if required), and meaning.
OPTIONS = {
    "--day": ("yesterday", "KST day: 2023-11-01, 20231101, yesterday or today"),
    "--input": ("", "addresses of the raw logs, separated by commas"),
    "--output": (None, "the lake: s3://bucket/prefix, or a folder that all machines share"),
    "--database": ("", "Glue database in which to register the day"),
    "--binary": ("logmill", "address of the binary, or its name among the shipped files"),
    "--config": ("", "logmill.toml with the sources: its address, or its name among the shipped files"),
    "--staging": ("", "folder for the shards [default: in the lake, below _staging]"),
    "--shards": ("0", "number of shards [default: twice the cores]"),
    "--memory": ("512MiB", "memory of each logmill process; each running task has one"),
    "--plan-options": ("", "further options of logmill plan, in shell syntax"),
    "--convert-options": ("", "further options of logmill convert"),
    "--publish-options": ("", "further options of logmill publish"),
}


@dataclass(frozen=True)
class Result:
    """The result of one attempt at a step."""

    code: int
    stdout: str
    messages: str
    seconds: float

    @property
    def retryable(self) -> bool:
        """Whether another attempt may succeed: a temporary failure, or a child that was killed."""
        return self.code in RETRYABLE or self.code < 0


@dataclass(frozen=True)
class ShardResult:
    """The result of a shard, as its executor reports it."""

    shard: int
    attempt: int
    host: str
    result: Result


class Failures(AccumulatorParam[list[ShardResult]]):
    """Shards that have failed for good. The driver sees each when its task ends, independent of the others."""

    def zero(self, value: list[ShardResult]) -> list[ShardResult]:
        """No failure yet."""
        return []

    def addInPlace(self, value1: list[ShardResult], value2: list[ShardResult]) -> list[ShardResult]:
        """The failures of two tasks."""
        return [*value1, *value2]


class FailedError(Exception):
    """The day could not be built. Holds the exit code of the job and the reason."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code if code > 0 else TEMPORARY


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Parses the command line of the job. Ignores arguments that Glue adds."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    for name, (default, meaning) in OPTIONS.items():
        parser.add_argument(name, default=default, required=default is None, help=meaning)
    known, ignored = parser.parse_known_args(list(joined(given)))
    if ignored:
        log(f"ignored arguments: {shlex.join(ignored)}")
    return known


def joined(given: Sequence[str]) -> Iterator[str]:
    """Joins each option and its value into one word, because a value may start with dashes."""
    words = iter(given)
    for word in words:
        yield f"{word}={next(words, '')}" if word in OPTIONS else word


def log(message: str) -> None:
    """Writes a line to the log of this process."""
    print(f"logmill_spark: {message}", file=sys.stderr, flush=True)


def shipped(name: str) -> str:
    """The path of a file that was shipped to this machine, by `addFile` or into the folder of a container."""
    for path in (SparkFiles.get(name), str(Path(name).absolute())):
        if os.path.isfile(path):
            return path
    raise FailedError(2, f"{name} was not shipped: pass its address with --binary or --config, or add it to --files")


def executable(name: str) -> str:
    """The path of a shipped file, made executable."""
    path = shipped(name)
    if not os.access(path, os.X_OK):
        os.chmod(path, 0o755)
    return path


def run_child(command: Sequence[str], name: str) -> Result:
    """Runs logmill. Its messages go to the log of this process as they arrive; its output is returned."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def end_with_parent() -> None:
        # Spark kills the workers of lost attempts without notice. The child must then clean up and end.
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
    return Result(code, stdout, "".join(kept), round(time.monotonic() - began, 1))


def stream(child: subprocess.Popen[str], name: str, kept: list[str]) -> None:
    """Forwards the messages of a child, and keeps the last of them."""
    for line in child.stderr or ():
        print(f"{name}: {line}", end="", file=sys.stderr, flush=True)
        kept.append(line)
        del kept[:-KEPT_LINES]


@dataclass(frozen=True)
class Conversion:
    """The settings that an executor needs to convert a shard."""

    binary: str
    config: str
    plan: str
    staging: str
    options: tuple[str, ...]

    def command(self, shard: int) -> list[str]:
        """The command line of a shard."""
        place = ("--plan", self.plan, "--staging", self.staging, "--shard", str(shard))
        return [executable(self.binary), "convert", *with_config(self.config), *place, *self.options]

    def convert(self, shard: int) -> ShardResult:
        """Makes one attempt at a shard. Raises if Spark should retry it."""
        context = TaskContext.get()
        attempt = context.attemptNumber() if context else 0
        result = run_child(self.command(shard), f"shard {shard}, attempt {attempt}")
        if result.retryable:
            raise RuntimeError(f"shard {shard} ended with {result.code}: {result.messages}")
        return ShardResult(shard, attempt, os.uname().nodename, result)


def with_config(name: str) -> tuple[str, ...]:
    """The option that names the config file, if any."""
    return ("--config", shipped(name)) if name else ()


class Job:
    """Builds the day from the driver."""

    def __init__(self, spark: SparkContext, args: argparse.Namespace) -> None:
        self.spark = spark
        self.args = args
        self.binary, self.config = (ship(spark, name) for name in (args.binary, args.config))
        self.staging = args.staging or f"{args.output.rstrip('/')}/_staging/{spark.applicationId}"
        self.plan = f"{self.staging.rstrip('/')}/plan.json"
        self.shards = int(args.shards) or SHARDS_PER_CORE * spark.defaultParallelism

    def logmill(self, step: str, *options: str) -> Result:
        """Runs a step on the driver, and retries temporary failures."""
        command = [executable(self.binary), step, *with_config(self.config), *options]
        for attempt in range(DRIVER_ATTEMPTS):
            result = run_child(command, step)
            if result.code != TEMPORARY or attempt + 1 == DRIVER_ATTEMPTS:
                break
            time.sleep(DRIVER_PAUSE * 2**attempt)
        return result

    def run(self) -> dict[str, Any]:
        """Plans, converts and publishes. Returns the summary."""
        addresses = [address.strip() for address in self.args.input.split(",") if address.strip()]
        inputs = [word for address in addresses for word in ("--input", address)]
        options = shlex.split(self.args.plan_options)
        given = ("--day", self.args.day, *inputs, "--shards", str(self.shards), "--plan", self.plan)
        planned = required(self.logmill("plan", *given, *options), "cannot plan the day")
        log(f"{self.shards} shards\n{planned.stdout}")
        for shard in self.convert():
            rows = " ".join(shard.result.stdout.splitlines())
            log(f"{rows} ({shard.host}, attempt {shard.attempt}, {shard.result.seconds} s)")
        return self.publish()

    def convert(self) -> list[ShardResult]:
        """Converts every shard, with one task each. The first permanent failure cancels the others."""
        threads = self.spark.getConf().get("spark.task.cpus", "1")
        size = ("--threads", threads, "--memory", self.args.memory)
        options = (*size, *shlex.split(self.args.convert_options))
        work = Conversion(self.binary, self.config, self.plan, self.staging, options)
        failures = self.spark.accumulator([], Failures())

        def task(shard: int) -> ShardResult:
            done = work.convert(shard)
            if done.result.code != DONE:
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
            raise FailedError(failed.result.code, f"{where}: {failed.result.messages}")
        return sorted(done, key=lambda shard: shard.shard)

    def cancel_on_failure(self, failures: Any, group: str, ended: threading.Event) -> None:
        """Cancels the tasks once one of them has failed for good."""
        while not ended.wait(POLL_SECONDS):
            if failures.value:
                self.spark.cancelJobGroup(group)
                return

    def publish(self) -> dict[str, Any]:
        """Publishes the day once, and registers it."""
        catalog = ("--database", self.args.database) if self.args.database else ()
        lake = ("--output", self.args.output, *catalog)
        place = ("--plan", self.plan, "--staging", self.staging, "--remove-staging")
        options = ("--summary-json", "-", "--quiet", *shlex.split(self.args.publish_options))
        published = self.logmill("publish", *lake, *place, *options)
        if published.code == NOT_REGISTERED:
            day = json.loads(published.stdout)["day"]
            registered = self.logmill("register", "--day", day, *lake)
            required(registered, "the day is published, but could not be registered")
        else:
            required(published, "cannot publish the day")
        return json.loads(published.stdout)


def ship(spark: SparkContext, name: str) -> str:
    """Sends a file to every machine, unless it is a plain file name. Returns the name on each machine."""
    if "/" in name:
        spark.addFile(name)
    return name.rsplit("/", 1)[-1]


def required(result: Result, failure: str) -> Result:
    """Returns the result of a step that succeeded. Raises for a failed one."""
    if result.code != DONE:
        raise FailedError(result.code, f"{failure}: {result.messages}")
    return result


def main(given: Sequence[str]) -> int:
    """Builds the day and returns the exit code."""
    args = arguments(given)
    # YARN and Glue end a driver with SIGTERM. As with Ctrl-C, its children must end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    spark = SparkContext.getOrCreate(SparkConf().setAppName("logmill"))
    try:
        summary = Job(spark, args).run()
    except FailedError as failed:
        log(str(failed))
        return failed.code
    finally:
        spark.stop()
    print(json.dumps(summary), flush=True)
    return DONE


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Glue treats any SystemExit as a failure, even one with code 0.
    if code != DONE:
        sys.exit(code)
