"""Commands killed after any request that changes lake, catalog or staging. Repeating it completes the work.

Each scenario first runs without a kill, and the test notes its changing requests. Then the command is killed
after one of them, since nothing changes between two of them. A request is identified by its operation, its
path and the number of equal requests before it, never by time. After the kill, every reader sees a complete
day. The same command, given again, ends with 0, and lake, catalog and status agree.
"""

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import athena
from aws import Aws, S3Lake, digest
from faults import FaultProxy, Request, Strike, running
from harness import DATASETS, NAMED, SAMPLE_DAY, is_manifest
from small_day import SmallDay
from test_s3_kills import signalled

DAY_BEFORE = "2023-10-31"
SHARDS = 2
PLAN = "_staging/d/plan.json"
RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
Parts = dict[tuple[str, str], list[str]]


@dataclass(frozen=True)
class Scene:
    """A lake, the database that shows it, and raw logs."""

    aws: Aws
    lake: S3Lake
    database: str
    source: str
    folder: Path

    @property
    def catalog(self) -> tuple[str, ...]:
        """Registers each day in Glue, and keeps no superseded run."""
        return ("--catalog", "glue", "--database", self.database, "--create-database", "--grace", "0s")

    @property
    def out(self) -> tuple[str, ...]:
        """The lake, and the scratch folder of the machine."""
        return ("--output", self.lake.url, "--scratch", str(self.folder / "scratch"))

    @property
    def places(self) -> tuple[str, ...]:
        """Raw logs, lake and catalog."""
        named = (*NAMED, "--threads", "1", "--quiet")
        return ("--input", self.source, *self.out, *self.catalog, *named)

    @property
    def staging(self) -> tuple[str, ...]:
        """Plan and shards."""
        plan = f"{self.lake.url}/{PLAN}"
        return ("--plan", plan, "--staging", plan.rpartition("/")[0], "--threads", "1", "--quiet")

    def logmill(self, *arguments: str, code: int = 0) -> str:
        """Runs the binary. It gets the catalog even for commands that have no option for it."""
        env = {"LOGMILL_CATALOG": "glue", "LOGMILL_DATABASE": self.database}
        return self.aws.logmill(*arguments, code=code, env=env).stdout

    def published(self) -> Parts:
        """The parts that a reader of the manifests sees."""
        manifests = [path.split("/") for path in self.lake.paths() if is_manifest(path)]
        places = [(table, dashed(name[len("proc_ymd=") : -len(".json")])) for _, table, name in manifests]
        return {place: self.lake.live(*place) for place in places}

    def queries(self) -> dict[tuple[str, str], athena.Query]:
        """The Athena query of each registered day."""
        try:
            tables = self.aws.glue.get_tables(DatabaseName=self.database)["TableList"]
        except self.aws.glue.exceptions.EntityNotFoundException:
            return {}
        plans = {table["Name"]: athena.plan(self.aws, self.database, table["Name"]) for table in tables}
        return {
            (table, dashed(value)): replace(plan.on(value), locations={(value,): location})
            for table, plan in plans.items()
            for (value,), location in plan.locations.items()
        }

    def registered(self) -> Parts:
        """The parts that a reader of the catalog sees."""
        return {
            place: [digest(query.fetch(file, self.folder).read_bytes()) for file in query.files]
            for place, query in self.queries().items()
        }


def dashed(value: str) -> str:
    """A day with dashes."""
    return f"{value[:4]}-{value[4:6]}-{value[6:]}"


def nothing(_: Scene) -> None:
    """Does nothing before or after the command."""


def plan(scene: Scene) -> None:
    """Plans the day and converts all shards except the first."""
    options = ("--day", SAMPLE_DAY, "--input", scene.source, *NAMED, "--shards", str(SHARDS))
    scene.logmill("plan", *options, *scene.staging[:2])
    for shard in range(1, SHARDS):
        scene.logmill(*convert(scene, shard))


def plan_and_convert(scene: Scene) -> None:
    """Plans the day and converts every shard."""
    plan(scene)
    scene.logmill(*convert(scene))


def run(scene: Scene) -> tuple[str, ...]:
    return ("run", "--day", SAMPLE_DAY, *scene.places)


def backfill(scene: Scene) -> tuple[str, ...]:
    return ("backfill", "--from", DAY_BEFORE, "--to", SAMPLE_DAY, *scene.places)


def convert(scene: Scene, shard: int = 0) -> tuple[str, ...]:
    return ("convert", *scene.staging, "--shard", str(shard), "--scratch", str(scene.folder / "scratch"))


def publish(scene: Scene) -> tuple[str, ...]:
    return ("publish", *scene.staging, *scene.out, *scene.catalog, "--remove-staging")


def publishes(request: Request) -> bool:
    """Whether a request commits a day or changes the catalog."""
    changes = request.service == "glue" and re.match("(Batch)?(Create|Update)", request.operation)
    return bool(changes) or request.operation == "PutObject" and is_manifest(request.path)


def removes_staging(request: Request) -> bool:
    """Whether a request removes staged shards, or removes or replaces the plan."""
    if request.operation == "DeleteObjects":
        return b"/_staging/" in request.body
    return request.operation in ("PutObject", "CompleteMultipartUpload") and request.path.endswith(PLAN)


def stages(request: Request) -> bool:
    """Whether a request makes a file of a shard visible."""
    return request.operation == "CompleteMultipartUpload" and "/_staging/" in request.path


@dataclass(frozen=True)
class Scenario:
    """A command to kill, the steps before and after it, and the requests after which it is killed."""

    command: Callable[[Scene], tuple[str, ...]]
    strikes: Callable[[Request], bool]
    points: int
    starts_empty: bool = False
    days: tuple[str, ...] = (SAMPLE_DAY,)
    before: Callable[[Scene], None] = nothing
    after: Callable[[Scene], None] = nothing


SCENARIOS = {
    "run": Scenario(run, publishes, 5, starts_empty=True),
    "backfill": Scenario(backfill, publishes, 8, days=(DAY_BEFORE, SAMPLE_DAY)),
    "convert": Scenario(convert, stages, 4, before=plan, after=lambda scene: scene.logmill(*publish(scene))),
    "publish": Scenario(publish, publishes, 3, before=plan_and_convert),
    "removal": Scenario(publish, removes_staging, 5, before=plan_and_convert),
}


@dataclass(frozen=True)
class Reference:
    """A scenario that ran to the end: its initial lake, its results, and its requests."""

    initial: S3Lake
    old: Parts
    new: Parts
    rows: dict[tuple[str, str], int]
    left: set[str]
    strikes: list[dict[str, Any]]

    def strike(self, point: int, points: int) -> dict[str, Any]:
        """The request after which to kill. The points range from the first relevant request to the last."""
        return self.strikes[point * (len(self.strikes) - 1) // (points - 1)]


@pytest.fixture(scope="module")
def references(
    aws_server: str, day: SmallDay, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Reference]:
    """Runs each scenario once, on first use."""
    known: dict[str, Reference] = {}

    def reference(name: str) -> Reference:
        if name not in known:
            with running(aws_server) as proxy:
                folder = tmp_path_factory.mktemp(name)
                known[name] = run_scenario(Aws(aws_server, proxy), day, SCENARIOS[name], folder)
        return known[name]

    return reference


def run_scenario(aws: Aws, day: SmallDay, scenario: Scenario, folder: Path) -> Reference:
    """Runs a scenario to the end."""
    initial = aws.lake() if scenario.starts_empty else day.published(aws)
    scenario.before(Scene(aws, initial, aws.database(), day.source, folder))
    scene = prepared_scene(aws, initial, day, scenario, folder)
    old = scene.published()
    aws.proxy.forget()
    scene.logmill(*scenario.command(scene))
    requests = aws.proxy.requests()
    scenario.after(scene)
    new = scene.published()
    assert new.keys() == {(table, day) for table in DATASETS for day in scenario.days}
    assert {table: new[table, SAMPLE_DAY] for table in DATASETS} == day.new
    rows = {place: scene.lake.manifest(*place)["ledger"]["written"] for place in new}
    assert {table: rows[table, SAMPLE_DAY] for table in DATASETS} == {
        table: after for table, (_, after) in day.rows.items()
    }
    strikes = [rule_for(requests, request) for request in requests if scenario.strikes(request)]
    assert len(strikes) >= scenario.points
    left = strays(scene, scenario)
    assert left <= {PLAN}, "only the receipt of a published plan may remain"
    return Reference(initial, old, new, rows, left, strikes)


def strays(scene: Scene, scenario: Scenario) -> set[str]:
    """Keys that no manifest of the days names."""
    return set.intersection(*(scene.lake.strays(day) for day in scenario.days))


def rule_for(requests: list[Request], request: Request) -> dict[str, Any]:
    """A rule that finds the request in another run and another bucket."""
    path = RUN.sub("*", re.sub(r"^[^/]+", "*", request.path))
    before = requests[: requests.index(request)]
    like = [seen for seen in before if seen.operation == request.operation and fnmatchcase(seen.path, path)]
    return {"operation": request.operation, "path": path, "skip": len(like)}


def prepared_scene(aws: Aws, initial: S3Lake, day: SmallDay, scenario: Scenario, folder: Path) -> Scene:
    """A copy of a lake, registered in its own database."""
    (folder / "scratch").mkdir(exist_ok=True)
    lake = S3Lake(aws, initial.copy().bucket, initial.prefix)
    scene = Scene(aws, lake, aws.database(), day.source, folder)
    if not scenario.starts_empty:
        given = ("--output", lake.url, "--database", scene.database, "--create-database")
        scene.logmill("register", "--day", SAMPLE_DAY, *given)
    return scene


@pytest.mark.parametrize(
    ("name", "point"),
    [(name, point) for name, scenario in SCENARIOS.items() for point in range(scenario.points)],
)
def test_repeating_a_killed_command_completes_its_work(
    aws: Aws,
    proxy: FaultProxy,
    day: SmallDay,
    references: Callable[[str], Reference],
    name: str,
    point: int,
    tmp_path: Path,
) -> None:
    scenario, reference = SCENARIOS[name], references(name)
    scene = prepared_scene(aws, reference.initial, day, scenario, tmp_path)
    wait_a_second(scene)
    proxy.forget()
    kill(scene, scenario, reference.strike(point, scenario.points))
    proxy.forget()
    for reader in (scene.published(), scene.registered()):
        for place, parts in reader.items():
            expected = (reference.old.get(place), reference.new[place])
            assert parts in expected, f"{place} is neither the old nor the new day"
    scene.logmill(*scenario.command(scene))
    scenario.after(scene)
    assert_agreed(scene, reference)
    scene.logmill(
        *("status", "--from", scenario.days[0], "--to", scenario.days[-1], "--check", *NAMED),
        *("--input", scene.source, *scene.out),
    )
    scene.logmill("clean", *scene.out, "--older-than", "0s", *scene.catalog[:4], "--grace", "0s")
    assert_agreed(scene, reference)
    assert strays(scene, scenario) == reference.left
    assert scene.lake.uploads() == []
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def wait_a_second(scene: Scene) -> None:
    """Waits a second. S3 has times in seconds, so later objects are newer than every existing one."""

    def date() -> str:
        answer = scene.aws.s3.head_bucket(Bucket=scene.lake.bucket)
        return str(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    began = date()
    while date() == began:
        time.sleep(0.02)


def kill(scene: Scene, scenario: Scenario, last: dict[str, Any]) -> None:
    """Kills the command once one of its requests has been carried out."""
    strike = partial(Strike, carried_out=True)
    command = scenario.command(scene)
    code, messages = signalled(scene.aws, scene.aws.proxy, signal.SIGKILL, strike, last, command)
    assert code == -signal.SIGKILL, messages


def assert_agreed(scene: Scene, reference: Reference) -> None:
    """Asserts that manifests, catalog and rows equal those of the scenario without a kill."""
    assert scene.published() == reference.new
    assert scene.registered() == reference.new
    for place, query in scene.queries().items():
        [location] = query.locations.values()
        assert location.rstrip("/").endswith(f"/{scene.lake.manifest(*place)['run']}"), "Glue shows another run"
        assert query.read(scene.folder).rows() == reference.rows[place]
