"""A run over a folder, stopped by a crash or a power cut at any of its system calls.

`crashes.py` explains which files a crash can leave. For all of them, a reader in plain Python sees the old day or
the new one, whole. After the run has reported the day as published, it sees the new one. For each distinct state,
`logmill verify` agrees, and the next run publishes the day and leaves nothing else behind.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

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


class Broken(Exception):
    """A reader sees neither the old nor the new day."""


def live_run(tree: Tree) -> str | None:
    """The run that a reader sees, or None if no day is published. Checks each file that its manifest names."""
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
        if content is None or sha256(content).hexdigest() != file["sha256"]:
            raise Broken(f"{path} is not as its manifest says")
    return str(manifest["run"])


def parquet_runs(tree: Tree) -> set[str]:
    """The runs that a reader of all files of the table sees."""
    parts = (path for path in tree if path.startswith(f"lake/{TABLE}/") and path.endswith(".parquet"))
    return {path.split("/")[3] for path in parts}


@dataclass(frozen=True)
class Scenario:
    """A recorded run."""

    recording: Recording
    raw: Path
    root: Path
    old: str | None
    new: str
    digests: dict[str, str]

    @cached_property
    def reported_at(self) -> int:
        """The number of the call at which the run has reported the day as published."""
        return next(number for number, text in self.recording.messages if PUBLISHED in text)

    def allowed(self, crash: Crash) -> set[str | None]:
        """The runs that a reader may see after a crash."""
        return {self.new} if crash.at >= self.reported_at else {self.old, self.new}

    def problem(self, crash: Crash) -> str | None:
        """What a reader finds wrong after a crash."""
        try:
            seen, runs = live_run(crash.tree), parquet_runs(crash.tree)
        except (Broken, ValueError, KeyError) as broken:
            return str(broken)
        if seen not in self.allowed(crash):
            return f"the run is {seen}"
        return f"files of {runs} are in the table" if len(runs) > 1 else None

    def problems(self, recording: Recording) -> Iterator[str]:
        """What readers find wrong after all crashes of a recording."""
        for crash in recording.crashes():
            if problem := self.problem(crash):
                before = recording.calls[crash.at] if crash.at < recording.end else "the end"
                yield f"before {crash.at}, {before}: {problem}"

    def distinct(self) -> list[Crash]:
        """One crash for each set of files."""
        first: dict[str, Crash] = {}
        for crash in self.recording.crashes():
            # The last one allows the fewest runs.
            first[crash.signature] = crash
        return list(first.values())

    def run(self, lake: Path) -> None:
        """Runs the day into a lake."""
        logmill(*run_of(self.raw, lake))


def run_of(raw: Path, lake: Path) -> tuple[str | Path, ...]:
    return ("run", "--day", SAMPLE_DAY, "--input", raw, "--output", lake, "--dataset", TABLE, "--log-format", "json")


def write(folder: Path, objects: dict[str, bytes]) -> None:
    """Writes raw objects into a folder."""
    for key, body in objects.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)


def recorded(folder: Path, *, has_old_day: bool, strace: tuple[str, ...] = ()) -> Scenario:
    """Records a run that publishes a day, or replaces one."""
    if shutil.which("strace") is None:
        pytest.fail("install strace: apt-get install strace")
    raw, root, trace = folder / "raw", folder / "root", folder / "trace"
    root.mkdir()
    lake = Lake(root / "lake")
    old = None
    if has_old_day:
        write(raw, few_objects(EARLY))
        logmill(*run_of(raw, lake.root))
        old = lake.manifest(TABLE, SAMPLE_DAY)["run"]
    write(raw, few_objects())
    before = read_tree(root)
    logmill(*run_of(raw, lake.root), before=(*STRACE, *strace, "-o", str(trace)))
    recording = Recording(root, before, trace.read_text())
    new = lake.manifest(TABLE, SAMPLE_DAY)["run"]
    assert new != old
    assert recording.tree(recording.end, {change.number for change in recording.changes}, "kept") == read_tree(root), "the model is the truth"
    return Scenario(recording, raw, root, old, new, lake.digests())


SCENARIOS = {
    "first day": {"has_old_day": False},
    "exchange": {"has_old_day": True},
    "no exchange": {"has_old_day": True, "strace": NO_EXCHANGE},
}


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Each recorded run."""
    return recorded(tmp_path_factory.mktemp("crash"), **SCENARIOS[request.param])


def test_readers_see_a_whole_day_after_a_crash_at_any_call(scenario: Scenario) -> None:
    assert not list(scenario.problems(scenario.recording))
