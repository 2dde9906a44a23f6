"""The examples of the documentation use the same names everywhere, and their commands work in order."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from aws import Aws, S3Lake
from catalog import DAY, Registered
from glue_sql import COMPATIBILITY, VIEWS, AthenaDatabase
from harness import DATASETS, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Published, logmill
from stacks import Stack, parameters_of, template_of

RAW, LAKE, PREFIX, DATABASE = "my-trail", "my-lake", "logs", "logs"
# Raw logs, the lake, and files stored next to it.
# The last place is the origin of the sample trail.
PLACES = re.compile(
    rf"s3://({RAW}(/(AWSLogs|s3-access)/[\w-]*)?|{LAKE}(/({PREFIX}|logmill|cloudformation|pages)(/.*)?)?|org-trail-logs/.*)"
)
# The forms of an address, and the placeholders that the reader fills in.
FORMS = re.compile(r"s3://(bucket\b.*|\.*)")
DATABASES = re.compile(
    r"""(?:--database[ ,]|\bDatabase(?:Name)?=|DATABASE": "|^database = ")(\w+)""", re.MULTILINE
)
# The order of the pages: see docs/deploy.md.
PAGES = ("glue/README.md", "README.md", "glue/sql/README.md", "docs/deploy.md", "glue/quicksight/README.md")
# Files that may contain examples.
EXAMPLES = ("README*.md", "docs/*.md", "airflow/**/*", "deploy/**/*", "glue/**/*")
TEXTS = {".json", ".md", ".py", ".service", ".yaml"}
# A code block that starts with one of these contains commands.
PROGRAMS = {"aws", "docker", "install", "kubectl", "logmill", "make", "python"}
# Commands that are not run here, because they need images, clusters or accounts.
NOT_RUN = {"aws iam", "aws quicksight", "aws s3", "aws stepfunctions", "docker build"}
NOT_RUN |= {"install", "kubectl", "make", "spark-submit", "systemctl"}


def blocks(page: str, kind: str = "") -> list[str]:
    """The code blocks of a page."""
    text = (REPOSITORY / page).read_text("utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> Iterator[list[str]]:
    """The commands of a page in order, each as its words."""
    for block in blocks(page):
        lines = block.replace("\\\n", " ").splitlines()
        for line in lines if lines[0].partition(" ")[0] in PROGRAMS else ():
            words = shlex.split(line, comments=True)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                yield words[:end]
                words = words[end + 1 :]


def after(words: list[str], option: str) -> str:
    """The value of an option."""
    return words[words.index(option) + 1] if option in words else ""


def overrides(words: list[str]) -> dict[str, str]:
    """The parameters that a command passes to a stack."""
    given = words[words.index("--parameter-overrides") + 1 :]
    return dict(word.split("=", 1) for word in given)


def examples_of_help() -> dict[str, str]:
    """The examples in the help of each command."""
    listed = logmill("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    names = [name for name in re.findall(r"^  (\w+)", listed, re.MULTILINE) if name != "help"]
    pages = {f"{name} --help": logmill(name, "--help").stdout for name in names}
    joined = {page: re.sub(r" \\\n +", " ", text) for page, text in pages.items()}
    return {page: "\n".join(re.findall(r"^  logmill .*", text, re.MULTILINE)) for page, text in joined.items()}


def test_all_examples_use_the_same_buckets_prefix_and_database() -> None:
    files = [path for pattern in EXAMPLES for path in REPOSITORY.glob(pattern) if path.suffix in TEXTS]
    texts = {path.relative_to(REPOSITORY).as_posix(): path.read_text("utf-8") for path in files}
    texts |= examples_of_help()
    found = [(page, place) for page, text in texts.items() for place in re.findall(r"s3://[\w./-]*", text)]
    named = {(page, place.rstrip(".")) for page, place in found if not FORMS.fullmatch(place)}
    assert {page for page, _ in named} >= {*PAGES[:4], "airflow/README.md", "deploy/batch.yaml", "run --help"}
    assert not [(page, place) for page, place in named if not PLACES.fullmatch(place)]
    databases = {(page, name) for page, text in texts.items() for name in DATABASES.findall(text)}
    assert {page for page, _ in databases} >= {*PAGES, "airflow/README.md", "glue/jobs/logmill_spark.py"}
    assert {name for _, name in databases} == {DATABASE}


@pytest.mark.parametrize(
    "path",
    [
        "deploy/batch.yaml",
        "deploy/glue-job.yaml",
        "glue/cloudformation/lake.yaml",
        "glue/cloudformation/tables.json",
        "glue/quicksight/dashboards.yaml",
        "glue/quicksight/alb-dashboards.yaml",
    ],
)
def test_templates_default_to_the_same_names(path: str) -> None:
    known = template_of(path)["Parameters"]
    assert known["DatabaseName"]["Default"] == DATABASE
    assert known.get("LakePrefix", {"Default": PREFIX})["Default"] == PREFIX
    assert known.get("CloudTrailPrefix", {"Default": "AWSLogs/"})["Default"] == "AWSLogs/"


@dataclass
class Account:
    """An account in which the commands of the pages are run."""

    aws: Aws
    folder: Path
    stacks: dict[str, Stack] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)
    shards: int = 0

    @property
    def lake(self) -> S3Lake:
        """The lake of the examples."""
        return S3Lake(self.aws, LAKE, PREFIX)

    def type(self, words: list[str]) -> None:
        """Runs a command. Commands that cannot be run here are on a list."""
        match words:
            case ["logmill", *arguments]:
                self.logmill(arguments)
            case ["docker", "run", *rest]:
                self.logmill(rest[rest.index("logmill") + 1 :])
            case ["python", program, *arguments] if program == "glue/sql/deploy.py":
                self.deploy_views(program, arguments)
            case ["aws", "cloudformation", "deploy", *options]:
                self.deploy_stack(options)
            case _:
                assert words[0] in NOT_RUN or " ".join(words[:2]) in NOT_RUN, words

    def logmill(self, arguments: list[str]) -> None:
        """Runs the binary, on each machine of an array. Other tests cover examples with folders."""
        if not any(word.startswith("s3://") for word in arguments):
            return
        words = [SAMPLE_DAY if word == "yesterday" else word for word in arguments]
        if words[0] == "init":
            words += ["--config", str(self.folder / "written.toml")]
        self.shards = int(after(words, "--shards") or self.shards)
        machines = self.shards if "--shard" in words else 1
        for index in range(machines):
            self.aws.logmill(*words, env={"AWS_BATCH_JOB_ARRAY_INDEX": str(index)})
        self.run.append(words[0])

    def deploy_views(self, program: str, arguments: list[str]) -> None:
        """Runs the program that creates views and tables in Athena."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        env |= self.aws.env(self.aws.server)
        env["AWS_DEFAULT_REGION"] = env["AWS_REGION"]
        done = subprocess.run(
            [sys.executable, program, *arguments],
            cwd=REPOSITORY,
            env=env,
            capture_output=True,
            encoding="utf-8",
        )
        assert (done.returncode, done.stderr) == (0, "")
        self.run.append(program)

    def deploy_stack(self, options: list[str]) -> None:
        """Creates the resources of the lake's templates. For other templates, only checks the parameters."""
        path, given = after(options, "--template-file"), overrides(options)
        if path.startswith("glue/cloudformation/"):
            self.stacks[after(options, "--stack-name")] = stack = Stack(path, given)
            stack.make(self.aws)
        else:
            lake = parameters_of(path, given).get(
                "LakeLocation", self.stacks["logmill-lake"].outputs()["LakeLocation"]
            )
            assert lake == f"s3://{LAKE}/{PREFIX}"
        self.run.append(path)

    def night(self) -> None:
        """Runs the Kubernetes jobs with the settings of the page."""
        (settings,) = [block for block in blocks("docs/deploy.md", "toml") if "[[source]]" in block]
        config = self.folder / "logmill.toml"
        config.write_text(settings)
        for job in yaml.safe_load_all((REPOSITORY / "deploy" / "kubernetes-shards.yaml").read_text("utf-8")):
            (container,) = job["spec"]["template"]["spec"]["containers"]
            meant = {"yesterday": SAMPLE_DAY, "/etc/logmill/logmill.toml": str(config)}
            words = [meant.get(word, word) for word in container["args"]]
            for index in range(job["spec"].get("completions", 1)):
                self.aws.logmill(*words, env={"JOB_COMPLETION_INDEX": str(index)})


@pytest.fixture
def account(aws: Aws, tmp_path: Path) -> Iterator[Account]:
    """An account with only raw logs in their bucket."""
    place = {"LocationConstraint": aws.s3.meta.region_name}
    aws.s3.create_bucket(Bucket=RAW, CreateBucketConfiguration=place)
    for folder, prefix in (("cloudtrail", ""), ("s3-access", "s3-access/")):
        root = REPOSITORY / SAMPLE_DATA / folder
        files = (path for path in root.rglob("*") if path.is_file())
        aws.put(RAW, {prefix + path.relative_to(root).as_posix(): path.read_bytes() for path in files})
    yield Account(aws, tmp_path)
    for bucket in {RAW, LAKE} & {bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]}:
        for key in aws.keys(bucket):
            aws.s3.delete_object(Bucket=bucket, Key=key)
        aws.s3.delete_bucket(Bucket=bucket)
    for database in {DATABASE} & {each["Name"] for each in aws.glue.get_databases()["DatabaseList"]}:
        aws.glue.delete_database(Name=database)


def asked_of_athena(aws: Aws) -> list[dict[str, Any]]:
    """The statements that Athena was given, in no particular order."""
    athena = aws.client("athena")
    ids = athena.list_query_executions()["QueryExecutionIds"]
    return [athena.get_query_execution(QueryExecutionId=id_)["QueryExecution"] for id_ in ids]


def test_the_commands_of_the_pages_work_unchanged_and_in_order(
    account: Account, sample: Published, tmp_path: Path
) -> None:
    """From an account with only raw logs to the views over a day; then the nightly run on many machines."""
    before = {asked["QueryExecutionId"] for asked in asked_of_athena(account.aws)}
    for page in PAGES:
        for words in commands(page):
            account.type(words)
    first = ["glue/cloudformation/lake.yaml", "glue/cloudformation/tables.json", "discover", "init", "run"]
    assert account.run[: len(first)] == first
    steps = {
        "register",
        "doctor",
        "clean",
        "plan",
        "convert",
        "publish",
        "glue/sql/deploy.py",
        "deploy/batch.yaml",
    }
    assert steps <= set(account.run)
    registered = Registered(account.aws, account.lake, DATABASE)
    assert account.lake.tables() == {"cloudtrail"}, "only the log type of the trail is built"
    assert_shown(registered, "cloudtrail", sample, tmp_path / "a")
    assert_views(account, before)
    account.night()
    for table in DATASETS:
        assert_shown(registered, table, sample, tmp_path / "b")
    answers = AthenaDatabase(registered, tmp_path / "c")
    for view in VIEWS:
        answers.query(f"SELECT * FROM {view.name}")
    assert answers.query("SELECT sum(requests) > 0 FROM status_codes") == [(True,)]
    assert_policies(account.stacks["logmill-lake"])


def assert_shown(registered: Registered, table: str, sample: Published, folder: Path) -> None:
    """The catalog points to the published day and shows its rows."""
    run = registered.lake.manifest(table)["run"]
    found = registered.table(table)["StorageDescriptor"]["Location"]
    assert found == f"s3://{LAKE}/{PREFIX}/{table}/"
    assert registered.location(table) == f"{found}proc_ymd={DAY}/{run}/"
    assert registered.query(table).read(folder).rows() == sample.ledger(table)["written"]


def assert_views(account: Account, before: set[str]) -> None:
    """Every view was created, in the database of the tables."""
    asked = [each for each in asked_of_athena(account.aws) if each["QueryExecutionId"] not in before]
    assert {each["QueryExecutionContext"]["Database"] for each in asked} == {DATABASE}
    statements = {each["Query"] for each in asked}
    assert {view.sql.removesuffix(";") for view in VIEWS + COMPATIBILITY} <= statements
    located = {each for each in statements if each.startswith("CREATE EXTERNAL TABLE")}
    assert len(located) == len(DATASETS)
    assert all(f"LOCATION 's3://{LAKE}/{PREFIX}/" in each for each in located)


def assert_policies(stack: Stack) -> None:
    """The job can read the raw logs, write the lake, and change the database, and nothing more."""
    assert stack.outputs()["LakeLocation"] == f"s3://{LAKE}/{PREFIX}"
    assert stack.outputs()["DatabaseName"] == DATABASE
    lake, raw = f"arn:aws:s3:::{LAKE}", f"arn:aws:s3:::{RAW}"
    assert stack.granted("LakeWriterPolicy") == {lake, f"{lake}/{PREFIX}/*"}
    # AWS grants the list of public keys on all resources or none.
    assert stack.granted("LogReaderPolicy") == {raw, f"{raw}/AWSLogs/*", f"{raw}/s3-access/*", "*"}
    names = {resource.rpartition(":")[2] for resource in stack.granted("CatalogPolicy")}
    assert names == {"catalog", f"database/{DATABASE}", f"table/{DATABASE}/*"}
