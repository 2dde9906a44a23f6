"""Judges chains of digests with `aws cloudtrail validate-logs`, in a process of its own.

Reads a pickled list of trails from the file that the first argument names, and prints counts as JSON. The
objects of a trail take the place of S3, so that the judge sends no request.
"""

import contextlib
import io
import json
import pickle
import sys
from pathlib import Path
from typing import Any

from awscli.customizations.cloudtrail import validation
from botocore.exceptions import ClientError

COUNTS = ("valid_digests", "invalid_digests", "valid_backfill_digests", "invalid_backfill_digests")


class Bucket:
    """An S3 client with the objects of one trail."""

    def __init__(self, objects: dict[str, tuple[bytes, dict[str, str]]]) -> None:
        self.objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        """An object, or the error that S3 answers."""
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        body, metadata = self.objects[Key]
        return {"Body": io.BytesIO(body), "Metadata": metadata}

    def get_paginator(self, _name: str) -> "Bucket":
        """Lists on one page."""
        return self

    def paginate(self, Bucket: str, Marker: str, Prefix: str) -> "Keys":
        """The keys behind a marker, in order."""
        return Keys(key for key in sorted(self.objects) if key > Marker and key.startswith(Prefix))


class Keys(list):
    """A page of keys."""

    def search(self, _expression: str) -> "Keys":
        """The keys."""
        return self


class Clients:
    """Gives out the client of a trail."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def get_client(self, _name: str) -> Bucket:
        """The client."""
        return self.bucket


class CloudTrail:
    """The public keys."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.keys = keys

    def list_public_keys(self, **_times: Any) -> dict[str, Any]:
        """Every key, whatever the time."""
        return {"PublicKeyList": self.keys}


def judge(trail: dict[str, Any]) -> dict[str, int]:
    """Counts valid and invalid digests and logs."""
    bucket = Bucket(trail["objects"])
    command = validation.CloudTrailValidateLogs(session=None)
    command.trail_arn = f"arn:aws:cloudtrail:{trail['home']}:{trail['account']}:trail/{trail['trail']}"
    command.is_verbose = False
    command.start_time = validation.normalize_date(validation.parse_date(trail["start"]))
    command.end_time = validation.normalize_date(validation.parse_date(trail["end"]))
    provider = validation.DigestProvider(
        account_id=trail["account"],
        trail_name=trail["trail"],
        s3_client_provider=Clients(bucket),
        trail_home_region=trail["home"],
        trail_source_region=trail["region"],
        organization_id=trail["org"] or None,
    )
    traverser = validation.DigestTraverser(
        digest_provider=provider,
        starting_bucket=trail["bucket"],
        starting_prefix=trail["prefix"],
        public_key_provider=validation.PublicKeyProvider(CloudTrail(trail["keys"])),
        on_invalid=command._on_invalid_digest,
        on_gap=command._on_digest_gap,
        on_missing=command._on_missing_digest,
    )
    command.s3_client_provider = Clients(bucket)
    for is_backfill in (False, True):
        name = "_valid_backfill_digests" if is_backfill else "_valid_digests"
        for digest in traverser.traverse_digests(
            command.start_time, command.end_time, is_backfill=is_backfill
        ):
            setattr(command, name, getattr(command, name) + 1)
            for log in digest["logFiles"]:
                command._download_log(log)
    counts = {count: getattr(command, f"_{count}") for count in COUNTS}
    return counts | {"valid_logs": command._valid_logs, "invalid_logs": command._invalid_logs}


def main() -> None:
    """Judges every trail."""
    trails = pickle.loads(Path(sys.argv[1]).read_bytes())
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        counts = [judge(trail) for trail in trails]
    print(json.dumps(counts))


main()
