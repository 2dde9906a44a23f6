"""Commands killed after any request that changes lake, catalog or staging: the same command again makes all right.

Each road is gone once without a kill, and the requests that change something are noted. Then it is killed after
one of them has been carried out: between two of them nothing changes. Requests are known by what they do and how
often that was done before, never by a time. Whoever reads finds a whole day after the kill; the same command, given
again, ends with 0, and all that can be asked agrees.
"""

import re
import signal
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
from harness import DATASETS, SAMPLE_DAY
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
        """Glue is told of each day, and nothing superseded stays."""
        return ("--catalog", "glue", "--database", self.database, "--create-database", "--grace", "0s")

    @property
    def out(self) -> tuple[str, ...]:
        """The lake, and the folder of the machine."""
        return ("--output", self.lake.url, "--scratch", str(self.folder / "scratch"))

    @property
    def places(self) -> tuple[str, ...]:
        """Raw logs, lake and catalog."""
        named = ("--dataset", "all", "--threads", "1", "--quiet")
        return ("--input", self.source, *self.out, *self.catalog, *named)

    @property
    def staging(self) -> tuple[str, ...]:
        """Plan and shards."""
        plan = f"{self.lake.url}/{PLAN}"
        return ("--plan", plan, "--staging", plan.rpartition("/")[0], "--threads", "1", "--quiet")

    def logmill(self, *arguments: str, code: int = 0) -> str:
        """Runs the binary, which finds the catalog also where a command has no option for it."""
        env = {"LOGMILL_CATALOG": "glue", "LOGMILL_DATABASE": self.database}
        return self.aws.logmill(*arguments, code=code, env=env).stdout

    def published(self) -> Parts:
        """What a reader finds who goes by the manifests."""
        manifests = [path.split("/") for path in self.lake.paths() if path.endswith("/_manifest.json")]
        places = [(table, dashed(folder.removeprefix("proc_ymd="))) for table, folder, _ in manifests]
        return {place: self.lake.live(*place) for place in places}

    def queries(self) -> dict[tuple[str, str], athena.Query]:
        """What Athena would read of each registered day."""
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
        """What a reader finds who goes by the catalog."""
        return {
            place: [digest(query.fetch(file, self.folder).read_bytes()) for file in query.files]
            for place, query in self.queries().items()
        }


def dashed(value: str) -> str:
    """A day as people write it."""
    return f"{value[:4]}-{value[4:6]}-{value[6:]}"


def nothing(_: Scene) -> None:
    """Nothing comes before or after."""


def plan(scene: Scene) -> None:
    """The day is dealt out; all shards but the first are converted."""
    options = ("--day", SAMPLE_DAY, "--input", scene.source, "--dataset", "all", "--shards", str(SHARDS))
    scene.logmill("plan", *options, *scene.staging[:2])
    for shard in range(1, SHARDS):
        scene.logmill(*convert(scene, shard))


def plan_and_convert(scene: Scene) -> None:
    """Every shard is converted."""
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
    """Whether a request commits a day, or changes the catalog."""
    changes = request.service == "glue" and re.match("(Batch)?(Create|Update)", request.operation)
    return bool(changes) or request.operation == "PutObject" and request.path.endswith("/_manifest.json")


def removes_staging(request: Request) -> bool:
    """Whether a request removes what shards have left, or removes or replaces the plan."""
    if request.operation == "DeleteObjects":
        return b"/_staging/" in request.body
    return request.operation in ("PutObject", "CompleteMultipartUpload") and request.path.endswith(PLAN)


def stages(request: Request) -> bool:
    """Whether a request makes a file of a shard visible."""
    return request.operation == "CompleteMultipartUpload" and "/_staging/" in request.path


@dataclass(frozen=True)
class Road:
    """A command that is killed, what comes before and after it, and after which of its requests it is."""

    command: Callable[[Scene], tuple[str, ...]]
    strikes: Callable[[Request], bool]
    points: int
    begins_empty: bool = False
    days: tuple[str, ...] = (SAMPLE_DAY,)
    before: Callable[[Scene], None] = nothing
    after: Callable[[Scene], None] = nothing


ROADS = {
    "run": Road(run, publishes, 5, begins_empty=True),
    "backfill": Road(backfill, publishes, 8, days=(DAY_BEFORE, SAMPLE_DAY)),
    "convert": Road(convert, stages, 4, before=plan, after=lambda scene: scene.logmill(*publish(scene))),
    "publish": Road(publish, publishes, 3, before=plan_and_convert),
    "removal": Road(publish, removes_staging, 5, before=plan_and_convert),
}


@dataclass(frozen=True)
class Walk:
    """A road that was gone to its end: where it began, what it has made, and its requests."""

    begin: S3Lake
    old: Parts
    new: Parts
    rows: dict[tuple[str, str], int]
    left: set[str]
    strikes: list[dict[str, Any]]

    def strike(self, point: int, points: int) -> dict[str, Any]:
        """Which request is the last one; the points lie between the first that counts and the last."""
        return self.strikes[point * (len(self.strikes) - 1) // (points - 1)]


@pytest.fixture(scope="module")
def walks(aws_server: str, day: SmallDay, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Walk]:
    """Goes each road once, when it is first asked for."""
    known: dict[str, Walk] = {}

    def walk(name: str) -> Walk:
        if name not in known:
            with running(aws_server) as proxy:
                known[name] = gone(Aws(aws_server, proxy), day, ROADS[name], tmp_path_factory.mktemp(name))
        return known[name]

    return walk


def gone(aws: Aws, day: SmallDay, road: Road, folder: Path) -> Walk:
    """Goes a road to its end."""
    begin = aws.lake() if road.begins_empty else day.published(aws)
    road.before(Scene(aws, begin, aws.database(), day.source, folder))
    scene = standing(aws, begin, day, road, folder)
    old = scene.published()
    aws.proxy.forget()
    scene.logmill(*road.command(scene))
    requests = aws.proxy.requests()
    road.after(scene)
    new = scene.published()
    assert new.keys() == {(table, day) for table in DATASETS for day in road.days}
    assert {table: new[table, SAMPLE_DAY] for table in DATASETS} == day.new
    rows = {place: scene.lake.manifest(*place)["ledger"]["written"] for place in new}
    assert {table: rows[table, SAMPLE_DAY] for table in DATASETS} == {
        table: after for table, (_, after) in day.rows.items()
    }
    strikes = [where(requests, request) for request in requests if road.strikes(request)]
    assert len(strikes) >= road.points
    left = strays(scene, road)
    assert left <= {PLAN}, "only a published plan may say that it is one"
    return Walk(begin, old, new, rows, left, strikes)


def strays(scene: Scene, road: Road) -> set[str]:
    """What no manifest of the days names."""
    return set.intersection(*(scene.lake.strays(day) for day in road.days))


def where(requests: list[Request], request: Request) -> dict[str, Any]:
    """How a request is known in another run and another bucket."""
    path = RUN.sub("*", re.sub(r"^[^/]+", "*", request.path))
    before = requests[: requests.index(request)]
    like = [seen for seen in before if seen.operation == request.operation and fnmatchcase(seen.path, path)]
    return {"operation": request.operation, "path": path, "skip": len(like)}


def standing(aws: Aws, begin: S3Lake, day: SmallDay, road: Road, folder: Path) -> Scene:
    """A copy of a lake, which a database of its own knows."""
    (folder / "scratch").mkdir(exist_ok=True)
    lake = S3Lake(aws, begin.copy().bucket, begin.prefix)
    scene = Scene(aws, lake, aws.database(), day.source, folder)
    if not road.begins_empty:
        given = ("--output", lake.url, "--database", scene.database, "--create-database")
        scene.logmill("register", "--day", SAMPLE_DAY, *given)
    return scene


@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, road in ROADS.items() for point in range(road.points)]
)
def test_the_same_command_again_makes_a_killed_one_good(
    aws: Aws,
    proxy: FaultProxy,
    day: SmallDay,
    walks: Callable[[str], Walk],
    name: str,
    point: int,
    tmp_path: Path,
) -> None:
    road, walk = ROADS[name], walks(name)
    scene = standing(aws, walk.begin, day, road, tmp_path)
    let_second_pass(scene)
    proxy.forget()
    kill(scene, road, walk.strike(point, road.points))
    proxy.forget()
    for reader in (scene.published(), scene.registered()):
        for place, parts in reader.items():
            assert parts in (walk.old.get(place), walk.new[place]), f"{place} is neither the old day nor the new"
    scene.logmill(*road.command(scene))
    road.after(scene)
    assert_agreed(scene, walk)
    scene.logmill(
        *("status", "--from", road.days[0], "--to", road.days[-1], "--check", "--dataset", "all"),
        *("--input", scene.source, *scene.out),
    )
    scene.logmill("clean", *scene.out, "--older-than", "0s", *scene.catalog[:4], "--grace", "0s")
    assert_agreed(scene, walk)
    assert strays(scene, road) == walk.left
    assert scene.lake.uploads() == []
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def let_second_pass(scene: Scene) -> None:
    """S3 dates files to the second, also those of a copy: from now on all that is there is older than what is written."""

    def date() -> str:
        answer = scene.aws.s3.head_bucket(Bucket=scene.lake.bucket)
        return str(answer["ResponseMetadata"]["HTTPHeaders"]["date"])

    began = date()
    while date() == began:
        pass


def kill(scene: Scene, road: Road, last: dict[str, Any]) -> None:
    """Kills the command once a request of it has been carried out."""
    strike = partial(Strike, carried_out=True)
    command = road.command(scene)
    code, said = signalled(scene.aws, scene.aws.proxy, signal.SIGKILL, strike, last, command)
    assert code == -signal.SIGKILL, said


def assert_agreed(scene: Scene, walk: Walk) -> None:
    """Asserts that manifests, catalog and rows are those of the road that nobody was killed on."""
    assert scene.published() == walk.new
    assert scene.registered() == walk.new
    for place, query in scene.queries().items():
        [location] = query.locations.values()
        assert location.rstrip("/").endswith(f"/{scene.lake.manifest(*place)['run']}"), "Glue shows another run"
        assert query.read(scene.folder).rows() == walk.rows[place]
