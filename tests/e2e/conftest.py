"""One published sample day, one Spark session and one AWS server for all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aws import Aws, sample_objects
from catalog import Registered
from faults import FaultProxy, running
from harness import DATASETS, SAMPLE_DATA, SAMPLE_DAY, Published, run_day
from moto_server import moto_server
from oracle import ExpectedDay, expected_day
from small_day import SmallDay, small_day

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# AWS settings of this machine must not reach the tests or the binary that they run.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]

# A JVM that runs for seconds is quicker without its second compiler and its parallel collector.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# Files with long tests begin first, so that both workers end at about the same time.
LONG = (
    "test_spark_job.py",
    "test_examples.py",
    "test_memory.py",
    "test_backfill_s3.py",
    "test_digests.py",
    "test_crashes.py",
    "test_catalog.py",
    "test_locks.py",
    "test_kills.py",
    "test_s3_kills.py",
)

SPARK_SETTINGS = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long files first. `--no-loadscope-reorder` keeps this order for the workers."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The sample day, run once. Tests do not change it."""
    return run_day(tmp_path_factory.mktemp("sample") / "lake")


@pytest.fixture(params=DATASETS)
def table(request: pytest.FixtureRequest) -> str:
    """Each table in turn."""
    return request.param


@pytest.fixture(scope="session")
def expected() -> dict[str, ExpectedDay]:
    """The oracle's result for the sample day, by table."""
    return {name: expected_day(SAMPLE_DATA, SAMPLE_DAY, name) for name in DATASETS}


@pytest.fixture(scope="session")
def aws_server() -> Iterator[str]:
    """Address of a server for S3, Glue and STS, on a free port of 127.0.0.1."""
    with moto_server() as address:
        yield address


@pytest.fixture
def proxy(aws_server: str) -> Iterator[FaultProxy]:
    """A proxy in front of that server, for one test only."""
    with running(aws_server) as proxy:
        yield proxy


@pytest.fixture
def aws(aws_server: str, proxy: FaultProxy) -> Aws:
    """AWS behind the proxy. Every test creates its own buckets and databases."""
    return Aws(aws_server, proxy)


@pytest.fixture(scope="session")
def raw_sample(aws_server: str) -> str:
    """Address of the raw objects of the sample in S3. Tests do not change them."""
    return Aws(aws_server, FaultProxy(aws_server)).source(sample_objects())


@pytest.fixture
def catalog(aws: Aws) -> Registered:
    """A new lake, and the name of a new database."""
    return Registered(aws, aws.lake(), aws.database())


@pytest.fixture(scope="session")
def day(aws_server: str) -> Iterator[SmallDay]:
    """A day of few objects, before and after late objects arrived. Tests do not change it."""
    with running(aws_server) as proxy:
        yield small_day(Aws(aws_server, proxy))


@pytest.fixture
def early_day(aws: Aws, day: SmallDay) -> Registered:
    """The day before the late objects arrived, registered."""
    registered = Registered(aws, day.published(aws), aws.database())
    registered.register("--create-database")
    return registered


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """A local Spark session. Without Java the test is skipped; in CI it fails."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing = "Spark needs Java 17 or later: apt-get install openjdk-17-jre-headless"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    builder = SparkSession.builder.master("local[1]").appName("logmill")
    builder = builder.config(map=SPARK_SETTINGS | spark_folders(folder))
    session = builder.getOrCreate()
    yield session
    session.stop()


def spark_folders(folder: Path) -> dict[str, str]:
    """Settings that keep all of Spark's files inside a folder."""
    return {
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
