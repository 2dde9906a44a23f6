"""A run over a folder is killed just after its commit. Readers of all files below the lake see one day.

The messages of the run go into a pipe that holds one write. Each message is written in two parts, the text
and the line end. Once the test has read the text of the last message before the commit, the run can proceed
to the commit. It then blocks at the first message after the commit.
"""

import fcntl
import json
import os
import subprocess
import time
from pathlib import Path

import duckdb
import pytest

from harness import PATIENCE, SAMPLE_DAY, Lake, binary, environment, logmill
from small_day import EARLY, few_objects

TABLE = "cloudtrail"
# The last message before the commit.
FILES_ARE_WRITTEN = "written"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The raw objects of the day that arrived early."""
    folder = tmp_path / "raw"
    write(folder, few_objects(EARLY))
    return folder


def write(folder: Path, objects: dict[str, bytes]) -> None:
    """Writes raw objects into a folder."""
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)


def rows_below(lake: Path) -> int:
    """The rows that DuckDB finds below a lake, at any depth."""
    with duckdb.connect() as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM read_parquet(?)", [f"{lake}/**/*.parquet"]).fetchall()
    return int(rows)


def kill_after_the_commit(arguments: tuple[str | Path, ...], lake: Lake) -> None:
    """Starts a run that replaces a day, and kills it at its first message after the commit."""
    old = lake.manifest(TABLE, SAMPLE_DAY)["run"]
    reader, writer = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    command = [str(binary()), *map(str, arguments), "--log-format", "json"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=writer) as process:
        os.close(writer)
        messages = ""
        while not messages.strip() or json.loads(messages)["event"] != FILES_ARE_WRITTEN:
            messages = os.read(reader, 4096).decode()
        until = time.monotonic() + PATIENCE
        while lake.manifest(TABLE, SAMPLE_DAY)["run"] == old:
            assert process.poll() is None
            assert time.monotonic() < until, "the run did not reach its commit"
        process.kill()
    os.close(reader)


def test_readers_by_path_see_one_day_after_a_run_is_killed_after_its_commit(
    raw: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "lake"
    lake, run = Lake(folder), ("run", "--input", raw, "--output", folder, "--dataset", TABLE)
    logmill(*run, "--day", SAMPLE_DAY)
    write(raw, few_objects())
    kill_after_the_commit((*run, "--day", SAMPLE_DAY), lake)
    manifest = lake.manifest(TABLE, SAMPLE_DAY)
    assert rows_below(folder) == manifest["ledger"]["written"]
    rejected = folder / "_quarantine" / TABLE
    assert len(list(rejected.rglob("*.jsonl"))) == 2, "both the old and the new day have rejected rows"
    # The next run of any day removes the remains.
    logmill(*run, "--day", "2023-11-03")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "raw"]
    assert [path.name for path in rejected.rglob("*.jsonl")] == [f"{manifest['run']}.jsonl"]
    assert rows_below(folder) == manifest["ledger"]["written"]
