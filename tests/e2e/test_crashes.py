"""A run over a folder, stopped by a crash or a power cut at any of its system calls.

`crashes.py` explains which files a crash can leave. For all of them, a reader in plain Python sees the old
day or the new one, whole. After the run has reported the day as published, it sees the new one. For a choice
of them, the next run finds the same day, publishes the same bytes, and leaves nothing else behind.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crashes import STRACE, Crash, Recording, Tree, read_tree
from harness import SAMPLE_DAY, Lake, logmill, partition
from small_day import EARLY, few_objects

TABLE = "cloudtrail"
DAY = partition(SAMPLE_DAY)
FOLDER = f"lake/{TABLE}/{DAY}"
MANIFEST = f"lake/_manifests/{TABLE}/{DAY}"
# The place of the old day on a file system without exchange. The next command on the lake restores it.
ASIDE = f"lake/_staging/{TABLE}/{DAY}.previous"
NO_EXCHANGE = ("-e", "inject=renameat2:error=EINVAL")
# A command reports a published day with this event.
PUBLISHED = b'"event":"published"'


RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
# Whether the binary opens all states, which takes minutes.
ALL = os.environ.get("CRASHES") == "all"
# Syncs that no promise needs: of the history of runs, and of the last name of a manifest that has another.
SPARE = {
    "fsync /lake/_manifests/cloudtrail",
    "fsync /lake/_runs/cloudtrail/proc_ymd=20231101",
    "fsync /lake/_runs/cloudtrail/proc_ymd=20231101/RUN.inputs.jsonl.gz.new",
    "fsync /lake/_runs/cloudtrail/proc_ymd=20231101/RUN.json.new",
}
# Syncs of the names of folders. A lake that has published a day has them on disk.
KNOWN_FOLDERS = re.compile(r"fsync /lake(/_(inputs|manifests|quarantine)(/cloudtrail)?)?")


class Broken(Exception):
    """A reader sees neither the old nor the new day."""


@cache
def sha256(content: bytes) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def live_run(tree: Tree) -> str | None:
    """The run that a reader sees, or None if no day is published. Checks the files that it names."""
    folder = FOLDER if FOLDER in tree else ASIDE
    runs = {path.split("/")[folder.count("/") + 1] for path in tree if path.startswith(f"{folder}/")}
    stored = [tree.get(f"{MANIFEST}{end}") for end in (".json", ".next.json")]
    manifests = [json.loads(text) for text in stored if text]
    if not runs and stored == [None, None]:
        return None
    fitting = [manifest for manifest in manifests if manifest["run"] in runs]
    if not fitting or len(runs) != 1:
        if not runs and tree.get(f"{MANIFEST}.json") is None:
            return None
        raise Broken(f"runs {runs}, manifests of {[manifest['run'] for manifest in manifests]}")
    manifest = fitting[0]
    named = [(f"{folder}/{part['path']}", part) for part in manifest["parts"]]
    named += [(f"lake/{file['path']}", file) for file in (manifest["inputs_file"], manifest["quarantine"])]
    for path, file in named:
        content = tree.get(path)
        if content is None or sha256(content) != file["sha256"]:
            raise Broken(f"{path} is not as its manifest says")
    return str(manifest["run"])


def parquet_runs(tree: Tree) -> set[str]:
    """The runs that a reader of all Parquet files in the lake sees, apart from a day that is set aside."""
    parts = (Path(path) for path in tree if path.startswith("lake/") and path.endswith(".parquet"))
    return {part.parent.name for part in parts if not part.is_relative_to(ASIDE)}


@dataclass(frozen=True)
class Scenario:
    """A recorded run."""

    recording: Recording
    raw: Path
    old: str | None
    new: str
    lake: Lake

    @cached_property
    def reported_at(self) -> int:
        """The number of the call at which the run has reported the day as published."""
        return next(number for number, text in self.recording.messages if PUBLISHED in text)

    def problem(self, crash: Crash) -> str | None:
        """What a reader finds wrong after a crash."""
        allowed = {self.new} if crash.at >= self.reported_at else {self.old, self.new}
        try:
            seen, runs = live_run(crash.tree), parquet_runs(crash.tree)
        except (Broken, ValueError, KeyError) as broken:
            return str(broken)
        if seen not in allowed:
            return f"the run is {seen}"
        return f"files of {runs} are in the lake" if len(runs) > 1 else None

    def problems(self, crashes: Iterable[Crash]) -> Iterator[str]:
        """What readers find wrong after crashes."""
        calls = [*self.recording.calls, "the end"]
        for crash in crashes:
            if problem := self.problem(crash):
                yield f"before {crash.at}, {calls[crash.at]}: {problem}"

    def extremes(self) -> list[Crash]:
        """Kills and the worst power cuts: one for each set of names in the lake, or of files."""
        chosen = {}
        for crash in self.recording.crashes(fates=2):
            names = frozenset(
                path for path in crash.tree if path.startswith("lake/") and "/_runs/" not in path
            )
            chosen[crash.signature if ALL else names] = crash
        return list(chosen.values())

    def after(self, call: str) -> Crash:
        """A kill after the first call with this text."""
        [at, *_] = [number for number, made in enumerate(self.recording.calls) if made.startswith(call)]
        return next(crash for crash in self.recording.crashes(fates=1) if crash.at == at + 1)


def run_of(raw: Path, lake: Path) -> tuple[str | Path, ...]:
    options = ("--dataset", TABLE, "--log-format", "json")
    return ("run", "--day", SAMPLE_DAY, "--input", raw, "--output", lake, *options)


def write(folder: Path, objects: dict[str, bytes]) -> None:
    """Writes raw objects into a folder."""
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)


def recorded(folder: Path, old: str | None, strace: tuple[str, ...] = ()) -> Scenario:
    """Records the run that publishes the day with late objects. The folder may have a lake."""
    if shutil.which("strace") is None:
        pytest.fail("strace is missing: apt-get install strace")
    root, trace = folder / "root", folder / "trace"
    lake, before = Lake(root / "lake"), read_tree(root)
    write(folder / "raw", few_objects())
    logmill(*run_of(folder / "raw", lake.root), before=(*STRACE, *strace, "-o", str(trace)))
    recording = Recording(root, before, trace.read_text())
    new = lake.manifest(TABLE, SAMPLE_DAY)["run"]
    everything = {change.number for change in recording.changes}
    assert recording.tree(recording.end, everything, "kept") == read_tree(root), "the model has other files"
    assert new != old
    return Scenario(recording, folder / "raw", old, new, lake)


def first_day(folder: Path) -> Scenario:
    """The first day of a lake that does not exist."""
    (folder / "root").mkdir()
    return recorded(folder, None)


def replaced(folder: Path, strace: tuple[str, ...] = ()) -> Scenario:
    """A published day is replaced."""
    (folder / "root").mkdir()
    write(folder / "raw", few_objects(EARLY))
    lake = Lake(folder / "root" / "lake")
    logmill(*run_of(folder / "raw", lake.root))
    return recorded(folder, lake.manifest(TABLE, SAMPLE_DAY)["run"], strace)


def replaced_in_two_steps(folder: Path) -> Scenario:
    """The same on a file system that cannot exchange two folders."""
    return replaced(folder, NO_EXCHANGE)


def after_a_kill(folder: Path) -> Scenario:
    """The same after an earlier run was killed between the two steps."""
    killed = replaced_in_two_steps(folder)
    killed.after(f"rename {DAY} {DAY}.previous").write(folder / "root")
    return recorded(folder, killed.old, NO_EXCHANGE)


SCENARIOS = (first_day, replaced, replaced_in_two_steps, after_a_kill)


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """Each recorded run. Its files are in memory, where a sync costs nothing."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield request.param(Path(folder))


def test_readers_see_a_whole_day_after_a_crash_at_any_call(scenario: Scenario) -> None:
    crashes = list(scenario.recording.crashes())
    assert len(crashes) > 500
    assert len({crash.signature for crash in crashes}) > 100
    assert not list(scenario.problems(crashes))


@pytest.mark.parametrize("scenario", [first_day, replaced_in_two_steps], indirect=True)
def test_readers_would_notice_each_sync_that_is_left_out(scenario: Scenario) -> None:
    recording, syncs, unnoticed = scenario.recording, 0, []
    for number, call in enumerate(recording.calls):
        if call.startswith("fsync"):
            syncs += 1
            with recording.without_sync(number):
                if next(scenario.problems(recording.crashes(number)), None) is None:
                    unnoticed.append(re.sub(r"\.\w{6}\.new", ".new", RUN.sub("RUN", call)))
    if scenario.old:
        unnoticed = [call for call in unnoticed if call in SPARE or not KNOWN_FOLDERS.fullmatch(call)]
    assert syncs > 15
    assert set(unnoticed) == SPARE, "the promises need each sync but these"


def test_the_next_run_after_a_crash_finds_that_day_and_leaves_nothing_else(scenario: Scenario) -> None:
    crashes = scenario.extremes()
    assert len(crashes) > 10
    expected, names = scenario.lake.digests(), names_in(scenario.recording.root)
    for crash in crashes:
        crash.write(scenario.recording.root)
        logmill(*run_of(scenario.raw, scenario.lake.root))
        run = scenario.lake.manifest(TABLE, SAMPLE_DAY)["run"]
        record = json.loads((scenario.lake.root / f"_runs/{TABLE}/{DAY}/{run}.json").read_text())
        assert record["found"]["run"] == live_run(crash.tree), f"before {crash.at}"
        assert scenario.lake.digests() == expected, f"before {crash.at}"
        assert names_in(scenario.recording.root) == names, f"before {crash.at}"


def names_in(root: Path) -> list[str]:
    """The files and folders below a folder without the names of runs.

    Run records are a history: their number varies, and an unfinished one is removed with the old ones.
    """
    return sorted({RUN.sub("RUN", path) for path in read_tree(root) if "/_runs/" not in path})


def test_a_failed_sync_of_the_exchange_fails_the_run_and_keeps_the_old_day(tmp_path: Path) -> None:
    root, raw = tmp_path / "root", tmp_path / "raw"
    lake = Lake(root / "lake")
    write(raw, few_objects(EARLY))
    logmill(*run_of(raw, lake.root))
    old = lake.manifest(TABLE, SAMPLE_DAY)["run"]
    write(raw, few_objects())
    # The folder of the table is synced only after the exchange.
    fails = ("strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(lake.table(TABLE)))
    inject = (*fails, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO")
    failed = logmill(*run_of(raw, lake.root), before=inject, code=4)
    assert "may not survive a power cut" in failed.stderr
    assert live_run(read_tree(root)) not in {None, old}
    # A power cut undoes the exchange: the old day is there, as its manifest says.
    (replaced,) = (root / ".lake.logmill").rglob("next")
    live, aside = lake.table(TABLE) / DAY, tmp_path / "aside"
    live.rename(aside)
    replaced.rename(live)
    aside.rename(replaced)
    assert live_run(read_tree(root)) == old
    # Without a power cut, the next run keeps the new day until it has replaced it.
    live.rename(aside)
    replaced.rename(live)
    aside.rename(replaced)
    logmill(*run_of(raw, lake.root))
    assert live_run(read_tree(root)) not in {None, old}
    assert not (root / ".lake.logmill").exists()
