"""AWS as the tests see it: buckets and databases of their own on a local server, and lakes in them."""

import hashlib
import json
import re
import subprocess
import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from faults import FaultProxy
from harness import DATASETS, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, Lake, balanced, logmill, partition

REGION = "ap-northeast-2"
ACCOUNT = "123456789012"
# A source that the config file names.
CONFIGURED = ""
# A source with nothing for the sample day. One that is empty altogether is taken for a mistake.
OTHER_DAYS = {"2020-01-01-00-00-01-A": b""}
# What stands in the place of a plan that is published.
OF_STAGING = re.compile(r"_staging/(.+/)?plan\.json")
# What may be remembered of a run.
OF_HISTORY = re.compile(
    r"_runs/[a-z][a-z0-9_]*/proc_ymd=\d{8}/\d{8}T\d{6}Z-[0-9a-f]{8}"
    r"\.(json|inputs\.jsonl\.gz|registered\.[a-z0-9_]+\.json)"
)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIATESTSOFLOGMILL", "AWS_SECRET_ACCESS_KEY": "secret"}


class Aws:
    """The local servers: the binary reaches them through the proxy, the tests' own requests go past it."""

    def __init__(self, server: str, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy

    @cached_property
    def s3(self) -> Any:
        """A client of S3."""
        return self.client("s3")

    @cached_property
    def glue(self) -> Any:
        """A client of Glue."""
        return self.client("glue")

    def client(self, service: str) -> Any:
        """A client that goes past the proxy."""
        return boto3.client(
            service,
            endpoint_url=self.server,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
            verify=False,
        )

    def env(self, endpoint: str | None = None) -> dict[str, str]:
        """The environment in which the binary finds the servers, and nothing of this machine's settings."""
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
        """A name that no database has yet."""
        return unique("logs", "_")

    def put(self, bucket: str, objects: dict[str, bytes]) -> None:
        """Writes objects."""
        for key, body in objects.items():
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, bucket: str, key: str) -> bytes:
        """Content of an object."""
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The keys that begin with a prefix, in their order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def contents(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every object whose key begins with a prefix."""
        return {key: self.get(bucket, key) for key in self.keys(bucket, prefix)}

    def uploads(self, bucket: str) -> list[str]:
        """Keys of the multipart uploads that were begun and neither completed nor aborted."""
        listed = self.s3.list_multipart_uploads(Bucket=bucket)
        return [upload["Key"] for upload in listed.get("Uploads", [])]

    def lake(self, prefix: str = "lake") -> "S3Lake":
        """A lake in a new bucket."""
        return S3Lake(self, self.bucket("lake"), prefix)

    def source(self, objects: dict[str, bytes], prefix: str = "logs/") -> str:
        """A new bucket with raw objects below a prefix; gives their address."""
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
        """Runs a day into a lake; gives the summary, whose ledgers balance."""
        arguments = run_arguments(lake, *options, source=source, day=day)
        return balanced(self.logmill(*arguments, code=code, env=env).stdout)

    def complaint(
        self,
        lake: "S3Lake",
        *options: str | Path,
        source: str | Path,
        code: int,
        env: dict[str, str] | None = None,
    ) -> str:
        """What a run says that ends with an exit code other than 0."""
        return self.logmill(*run_arguments(lake, *options, source=source), code=code, env=env).stderr


def run_arguments(
    lake: "S3Lake", *options: str | Path, source: str | Path, day: str = SAMPLE_DAY
) -> tuple[str | Path, ...]:
    """The command line of a run whose summary goes to standard output."""
    inputs = () if source == CONFIGURED else ("--input", source)
    # Where no test of the grace is made, nothing superseded stays.
    grace = () if {"--grace", "--catalog"} & set(options) else ("--grace", "0s")
    given = ("run", "--day", day, *inputs, "--output", lake.url, *options, *grace)
    return (*given, "--quiet", "--summary-json", "-")


def unique(stem: str, joint: str) -> str:
    """A name that nothing else has."""
    return f"{stem}{joint}{uuid.uuid4().hex[:12]}"


def table_of(summary: dict[str, Any], table: str) -> dict[str, Any]:
    """What a summary says of a table."""
    return next(entry for entry in summary["tables"] if entry["table"] == table)


@dataclass(frozen=True)
class S3Lake:
    """Published tables below a prefix of a bucket."""

    aws: Aws
    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """What `--output` is given."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"

    @property
    def below(self) -> str:
        """What every key of the lake begins with."""
        return f"{self.prefix.strip('/')}/".lstrip("/")

    def paths(self) -> set[str]:
        """Every key of the lake but those of its history, without its prefix."""
        return {path for path in self.everything() if not path.startswith("_runs/")}

    def history(self) -> set[str]:
        """What is remembered of runs: their reports and lists of inputs."""
        return self.everything() - self.paths()

    def everything(self) -> set[str]:
        """Every key of the lake, without its prefix."""
        return {key.removeprefix(self.below) for key in self.aws.keys(self.bucket, self.below)}

    def get(self, path: str) -> bytes:
        """Content of an object of the lake."""
        return self.aws.get(self.bucket, self.below + path)

    def download(self, folder: Path) -> Lake:
        """The lake as files of this machine."""
        for path in self.paths():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.get(path))
        return Lake(folder)

    def uploads(self) -> list[str]:
        """Multipart uploads that somebody left."""
        return self.aws.uploads(self.bucket)

    def tables(self) -> set[str]:
        """The tables that have days."""
        return {path.split("/")[0] for path in self.paths() if path.endswith("/_manifest.json")}

    def manifest(self, table: str, day: str = SAMPLE_DAY) -> dict[str, Any]:
        """Manifest of a day."""
        return json.loads(self.get(f"{table}/{partition(day)}/_manifest.json"))

    def live(self, table: str, day: str = SAMPLE_DAY) -> list[str]:
        """What a reader finds who goes by the manifest: SHA-256 of each part, as it promises."""
        parts = self.manifest(table, day)["parts"]
        found = [digest(self.get(f"{table}/{partition(day)}/{part['path']}")) for part in parts]
        assert found == [part["sha256"] for part in parts], "a part is not what its manifest says"
        return found

    def strays(self, day: str = SAMPLE_DAY) -> set[str]:
        """Keys that no manifest of the day names, but for receipts of published plans."""
        named = set()
        for table in self.tables():
            folder, manifest = f"{table}/{partition(day)}", self.manifest(table, day)
            named |= {f"{folder}/{part['path']}" for part in manifest["parts"]}
            named |= {f"{folder}/_manifest.json", f"{folder}/{manifest['inputs_file']['path']}"}
            if manifest["quarantine"]:
                named.add(manifest["quarantine"]["path"])
        receipts = {path for path in self.paths() if OF_STAGING.fullmatch(path)}
        return self.paths() - named - receipts

    def assert_clean(self) -> None:
        """Asserts that nothing is left behind: no stray object, no unfinished upload, no other history."""
        strays, uploads = self.strays(), self.uploads()
        strange = {path for path in self.history() if not OF_HISTORY.fullmatch(path)}
        assert not strays, f"no manifest names {sorted(strays)}"
        assert not strange, f"in the history: {sorted(strange)}"
        assert not uploads, f"begun and never ended: {uploads}"

    def readers(self) -> dict[str, list[str]]:
        """What the reader of each table finds on the sample day."""
        return {table: self.live(table) for table in sorted(self.tables())}

    def copy(self) -> "S3Lake":
        """The same lake in a bucket of its own."""
        other = replace(self, bucket=self.aws.bucket("lake"))
        self.aws.put(other.bucket, self.aws.contents(self.bucket))
        return other


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sample_objects() -> dict[str, bytes]:
    """The raw objects of the sample, by key."""
    root = REPOSITORY / SAMPLE_DATA
    logs = [path for name in DATASETS.values() for path in sorted((root / name).rglob("*")) if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in logs}
