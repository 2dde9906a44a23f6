"""AWS for the tests: buckets and databases on a local server, and lakes in them."""

import hashlib
import json
import re
import subprocess
import uuid
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.s3.models import s3_backends

from faults import FaultProxy
from harness import (
    DATASETS,
    REPOSITORY,
    SAMPLE_DATA,
    SAMPLE_DAY,
    Lake,
    balanced,
    is_manifest,
    logmill,
    manifest_key,
    named,
    partition,
)

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"
# Stands for a source that the config file names.
CONFIGURED = ""
# A source without objects for the sample day. An empty source would be treated as a mistake.
OTHER_DAYS = {"2020-01-01-00-00-01-A": b""}
# The receipt that replaces the plan of a published day.
OF_STAGING = re.compile(r"_staging/(.+/)?plan\.json")
# The files that a lake may keep about a run.
OF_HISTORY = re.compile(
    r"_runs/[a-z][a-z0-9_]*/proc_ymd=\d{8}/\d{8}T\d{6}Z-[0-9a-f]{8}"
    r"\.(json|inputs\.jsonl\.gz|registered\.[a-z0-9_]+\.json)"
)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIATESTSOFLOGMILL", "AWS_SECRET_ACCESS_KEY": "secret"}


class Aws:
    """The local servers. The binary reaches them through the proxy; requests of the tests bypass it."""

    def __init__(self, server: str, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy

    @property
    def s3(self) -> Any:
        """An S3 client."""
        return self.client("s3")

    @property
    def glue(self) -> Any:
        """A Glue client."""
        return self.client("glue")

    def client(self, service: str) -> Any:
        """A client that bypasses the proxy."""
        return client(self.server, service)

    def env(self, endpoint: str | None = None) -> dict[str, str]:
        """The environment in which the binary finds the servers, without any settings of this machine."""
        return CREDENTIALS | {
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint or self.proxy.url,
            "AWS_REGION": REGION,
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def bucket(self, stem: str) -> str:
        """A new bucket."""
        name = unique(stem, "-")
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def database(self) -> str:
        """An unused database name."""
        return unique("logs", "_")

    def put(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Writes objects."""
        for key, body in objects.items():
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def fill(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Writes many objects without requests. Unlike those of `put`, they have no checksum."""
        for key, body in objects.items():
            s3_backends[ACCOUNT]["aws"].put_object(bucket, key, body)

    def get(self, bucket: str, key: str) -> bytes:
        """The content of an object."""
        return self.stored(bucket)[key].value

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys with a prefix, in order."""
        return sorted(key for key in list(self.stored(bucket)) if key.startswith(prefix))

    def stored(self, bucket: str) -> Any:
        """The objects in a bucket of the server in this process. A request would take a hundred times as long."""
        return s3_backends[ACCOUNT]["aws"].get_bucket(bucket).keys

    def contents(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every object whose key has a prefix."""
        return {key: self.get(bucket, key) for key in self.keys(bucket, prefix)}

    def uploads(self, bucket: str) -> list[str]:
        """Keys of the multipart uploads that were neither completed nor aborted."""
        listed = self.s3.list_multipart_uploads(Bucket=bucket)
        return [upload["Key"] for upload in listed.get("Uploads", [])]

    def lake(self, prefix: str = "lake") -> "S3Lake":
        """A lake in a new bucket."""
        return S3Lake(self, self.bucket("lake"), prefix)

    def source(self, objects: dict[str, bytes], prefix: str = "logs/") -> str:
        """Puts raw objects below a prefix in a new bucket. Returns their address."""
        bucket = self.bucket("raw")
        self.put(bucket, {prefix + key: body for key, body in objects.items()})
        return f"s3://{bucket}/{prefix}"

    def logmill(
        self, *arguments: str | Path, code: int = 0, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs the binary against the servers."""
        return logmill(*arguments, code=code, env=self.env() | (env or {}))

    def run(
        self,
        lake: "S3Lake",
        *options: str | Path,
        source: str | Path,
        day: str = SAMPLE_DAY,
        code: int = 0,
        env: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Runs a day into a lake. Returns the summary, whose ledgers balance."""
        arguments = run_arguments(lake, *options, source=source, day=day)
        return balanced(self.logmill(*arguments, code=code, env=env).stdout)

    def failing_run(
        self,
        lake: "S3Lake",
        *options: str | Path,
        source: str | Path,
        code: int,
        env: dict[str, str] | None = None,
    ) -> str:
        """Runs a day that fails with an exit code. Returns its standard error."""
        return self.logmill(*run_arguments(lake, *options, source=source), code=code, env=env).stderr


@cache
def client(server: str, service: str) -> Any:
    """A client for a server. Tests share it, because it takes longer to create than most tests take to use it."""
    return boto3.client(
        service,
        endpoint_url=server,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
        verify=False,
    )


def run_arguments(
    lake: "S3Lake", *options: str | Path, source: str | Path, day: str = SAMPLE_DAY
) -> tuple[str | Path, ...]:
    """The command line of a run whose summary goes to standard output."""
    inputs = () if source == CONFIGURED else ("--input", source)
    # Tests that are not about the grace delete superseded runs at once.
    grace = () if {"--grace", "--catalog"} & set(options) else ("--grace", "0s")
    given = ("run", "--day", day, *inputs, "--output", lake.url, *options, *named(source, options), *grace)
    return (*given, "--quiet", "--summary-json", "-")


def unique(stem: str, joint: str) -> str:
    """A unique name."""
    return f"{stem}{joint}{uuid.uuid4().hex[:12]}"


def table_of(summary: dict[str, Any], table: str) -> dict[str, Any]:
    """The part of a summary about a table."""
    return next(entry for entry in summary["tables"] if entry["table"] == table)


@dataclass(frozen=True)
class S3Lake:
    """Published tables below a prefix of a bucket."""

    aws: Aws
    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """The value of `--output`."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    @property
    def below(self) -> str:
        """The prefix of every key of the lake."""
        return f"{self.prefix.strip('/')}/".lstrip("/")

    def paths(self) -> set[str]:
        """Every key of the lake except those of its history, without its prefix."""
        return {path for path in self.everything() if not path.startswith("_runs/")}

    def history(self) -> set[str]:
        """The keys of the run records and their lists of inputs."""
        return self.everything() - self.paths()

    def everything(self) -> set[str]:
        """Every key of the lake, without its prefix."""
        return {key.removeprefix(self.below) for key in self.aws.keys(self.bucket, self.below)}

    def get(self, path: str) -> bytes:
        """The content of an object of the lake."""
        return self.aws.get(self.bucket, self.below + path)

    def download(self, folder: Path) -> Lake:
        """Downloads the lake into a folder."""
        for path in self.paths():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.get(path))
        return Lake(folder)

    def uploads(self) -> list[str]:
        """The unfinished multipart uploads."""
        return self.aws.uploads(self.bucket)

    def tables(self) -> set[str]:
        """The tables that have days."""
        return {path.split("/")[1] for path in self.paths() if is_manifest(path)}

    def manifest(self, table: str, day: str = SAMPLE_DAY) -> dict[str, Any]:
        """The manifest of a day."""
        return json.loads(self.get(manifest_key(table, day)))

    def live(self, table: str, day: str = SAMPLE_DAY) -> list[str]:
        """The SHA-256 of each part that a reader of the manifest finds, checked against the manifest."""
        parts = self.manifest(table, day)["parts"]
        found = [digest(self.get(f"{table}/{partition(day)}/{part['path']}")) for part in parts]
        assert found == [part["sha256"] for part in parts], "a part differs from its manifest"
        return found

    def strays(self, day: str = SAMPLE_DAY) -> set[str]:
        """Keys that no manifest of the day names, except for receipts of published plans."""
        named = set()
        for table in self.tables():
            folder, manifest = f"{table}/{partition(day)}", self.manifest(table, day)
            named |= {f"{folder}/{part['path']}" for part in manifest["parts"]}
            inputs = manifest["inputs_file"]["path"]
            named |= {manifest_key(table, day), inputs if inputs.count("/") > 1 else f"{folder}/{inputs}"}
            if manifest["quarantine"]:
                named.add(manifest["quarantine"]["path"])
        receipts = {path for path in self.paths() if OF_STAGING.fullmatch(path)}
        return self.paths() - named - receipts

    def assert_clean(self) -> None:
        """Asserts that nothing is left behind: no stray object, unfinished upload or unexpected history."""
        strays, uploads = self.strays(), self.uploads()
        strange = {path for path in self.history() if not OF_HISTORY.fullmatch(path)}
        assert not strays, f"no manifest names {sorted(strays)}"
        assert not strange, f"unexpected in the history: {sorted(strange)}"
        assert not uploads, f"unfinished uploads: {uploads}"

    def readers(self) -> dict[str, list[str]]:
        """The parts that a reader of each table finds on the sample day."""
        return {table: self.live(table) for table in sorted(self.tables())}

    def to_earlier_layout(self, table: str) -> None:
        """Moves manifests and lists of inputs of a table into their partitions, as earlier versions stored them."""
        for key in [path for path in self.paths() if path.startswith(f"_manifests/{table}/")]:
            folder = key.removeprefix("_manifests/").removesuffix(".json")
            manifest = json.loads(self.get(key))
            listed = manifest["inputs_file"]["path"]
            packed = self.get(listed)
            manifest["inputs_file"]["path"] = f"_inputs/{manifest['run']}.jsonl.gz"
            inside = {"_manifest.json": json.dumps(manifest).encode(), manifest["inputs_file"]["path"]: packed}
            put = {f"{self.below}{folder}/{name}": body for name, body in inside.items()}
            self.aws.put(self.bucket, put)
            for moved in (key, listed):
                self.aws.s3.delete_object(Bucket=self.bucket, Key=self.below + moved)

    def copy(self) -> "S3Lake":
        """A copy of the lake in its own bucket."""
        other = replace(self, bucket=self.aws.bucket("lake"))
        self.aws.fill(other.bucket, self.aws.contents(self.bucket))
        return other


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sample_objects() -> dict[str, bytes]:
    """The raw objects of the sample, by key."""
    root = REPOSITORY / SAMPLE_DATA
    logs = [path for name in DATASETS.values() for path in sorted((root / name).rglob("*")) if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in logs}
