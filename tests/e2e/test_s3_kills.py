"""A run killed at any of its requests: readers see the old or the new day, and the next run converges.

The proxy kills the run as its N-th request arrives, or after the request has been carried out but not
answered. No clock is involved. The values of N cover a clean run, most of them where the run writes the lake.
"""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import athena
from aws import Aws, S3Lake, digest, run_arguments
from faults import Fault, FaultProxy, Meanwhile, Strike, running
from harness import NAMED, PATIENCE, SAMPLE_DAY, started
from small_day import SmallDay

POINTS = 20
# Number of points among the requests for raw logs, where little can go wrong.
READING = 4


@dataclass(frozen=True)
class CleanRun:
    """The initial lake, and the request numbers of its update: those for raw logs, and all others."""

    day: SmallDay
    reading: list[int]
    writing: list[int]

    def strike_at(self, point: int) -> int:
        """The number of the request at which to kill. The points cover both lists from start to end."""
        if point < READING:
            return self.reading[point * (len(self.reading) - 1) // (READING - 1)]
        place = (point - READING) * (len(self.writing) - 1) // (POINTS - READING - 1)
        return self.writing[place]


@pytest.fixture(scope="module")
def clean_run(aws_server: str, day: SmallDay) -> Iterator[CleanRun]:
    """A run that is not killed."""
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        lake, database = prepared(aws, day)
        proxy.forget()
        aws.run(lake, *NAMED, *options(database), source=day.source)
        raw = [seen.number for seen in proxy.requests(path=f"{day.source.split('/')[2]}*")]
        others = sorted({seen.number for seen in proxy.requests()} - set(raw))
        assert len(raw) >= READING
        assert len(others) >= POINTS - READING
        yield CleanRun(day, raw, others)


def prepared(aws: Aws, day: SmallDay) -> tuple[S3Lake, str]:
    """A lake with the old day, registered in a new database."""
    lake, database = day.published(aws), aws.database()
    arguments = ("--day", SAMPLE_DAY, "--output", lake.url, "--database", database)
    aws.logmill("register", *arguments, "--create-database")
    return lake, database


def options(database: str) -> tuple[str, ...]:
    """The options of a run that registers the day and keeps no superseded run."""
    return ("--catalog", "glue", "--database", database, "--grace", "0s")


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_run_leaves_a_complete_day_and_the_next_one_converges(
    aws: Aws, proxy: FaultProxy, clean_run: CleanRun, point: int, tmp_path: Path
) -> None:
    """Every other request is carried out before the kill. The next one would find the same lake."""
    day = clean_run.day
    lake, database = prepared(aws, day)
    proxy.forget()
    arguments = run_arguments(lake, *NAMED, *options(database), source=day.source)
    kill_at(aws, proxy, clean_run.strike_at(point), point % 2 == 1, arguments)
    proxy.forget()
    day.assert_whole(lake)
    assert_catalog_is_whole(aws, day, database, tmp_path)
    day.assert_converges(aws, lake, *options(database))
    assert registered(aws, database, tmp_path) == day.new


@pytest.mark.parametrize("point", range(READING, POINTS, 3))
def test_cleaning_removes_only_the_files_of_a_killed_run(
    aws: Aws, proxy: FaultProxy, clean_run: CleanRun, point: int, tmp_path: Path
) -> None:
    """A dry run removes nothing, readers see the same day as before, and rejected rows are kept."""
    day = clean_run.day
    lake, database = prepared(aws, day)
    proxy.forget()
    arguments = run_arguments(lake, *NAMED, *options(database), source=day.source)
    kill_at(aws, proxy, clean_run.strike_at(point), True, arguments)
    proxy.forget()
    before, left = lake.readers(), (lake.paths(), lake.uploads())
    clean = ("clean", "--output", lake.url, "--older-than", "0s", *options(database))
    aws.logmill(*clean, "--dry-run")
    assert (lake.paths(), lake.uploads()) == left
    catalog = registered(aws, database, tmp_path)
    aws.logmill(*clean)
    assert lake.readers() == before
    assert registered(aws, database, tmp_path) == catalog
    assert lake.uploads() == []
    if catalog == before:
        assert all(path.startswith("_quarantine/") for path in lake.strays())


@pytest.mark.parametrize("operation", ["GetObject", "CreateMultipartUpload", "UploadPart"])
def test_an_interrupted_run_cleans_up_after_itself(
    aws: Aws, proxy: FaultProxy, clean_run: CleanRun, operation: str
) -> None:
    """SIGTERM leaves time for that: nothing is left for a later run."""
    day = clean_run.day
    lake = day.published(aws)
    where = {"operation": operation, "path": "*.parquet" if operation != "GetObject" else "*/logs/*"}
    arguments = run_arguments(lake, source=day.source)
    code, messages = signalled(aws, proxy, signal.SIGTERM, Meanwhile, where, arguments)
    assert code == 130, messages
    assert lake.readers() == day.old
    lake.assert_clean()


def kill_at(
    aws: Aws, proxy: FaultProxy, number: int, carried_out: bool, arguments: tuple[str | Path, ...]
) -> None:
    """Starts the binary and kills it at the request with that number."""
    strike = partial(Strike, carried_out=carried_out)
    code, messages = signalled(aws, proxy, signal.SIGKILL, strike, {"skip": number - 1}, arguments)
    assert code == -signal.SIGKILL, messages


def signalled(
    aws: Aws,
    proxy: FaultProxy,
    number: signal.Signals,
    fault: Callable[[Callable[[], None]], Fault],
    where: dict[str, Any],
    arguments: tuple[str | Path, ...],
) -> tuple[int, str]:
    """Starts the binary and signals it at one of its requests. Returns exit code and standard error."""
    process_id: Future[int] = Future()

    def send() -> None:
        os.kill(process_id.result(PATIENCE), number)

    rule = proxy.rule(fault(send), times=1, **where)
    with started(*arguments, env=aws.env()) as process:
        process_id.set_result(process.pid)
        _, messages = process.communicate(timeout=PATIENCE)
    assert rule.struck == 1, messages
    return process.returncode, messages


def assert_catalog_is_whole(aws: Aws, day: SmallDay, database: str, folder: Path) -> None:
    """Asserts that a reader of the catalog sees each table complete, with the old or the new day."""
    for table, parts in registered(aws, database, folder).items():
        assert parts in (day.old[table], day.new[table]), f"{table} is neither the old nor the new day"


def registered(aws: Aws, database: str, folder: Path) -> dict[str, list[str]]:
    """The SHA-256 of each part of each table that a reader of the catalog sees."""
    tables = aws.glue.get_tables(DatabaseName=database)["TableList"]
    queries = {table["Name"]: athena.plan(aws, database, table["Name"]) for table in tables}
    return {
        table: [digest(query.fetch(file, folder).read_bytes()) for file in query.files]
        for table, query in sorted(queries.items())
    }
