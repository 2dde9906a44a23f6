"""Makes CloudTrail trails with signed digests, as AWS writes them, and damages them.

A trail is a dictionary of objects by key, so that it can be put into a bucket or a folder.
"""

import gzip
import hashlib
import json
import random
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HOUR = timedelta(hours=1)
# The KST day of the tests, and its lateness of six hours.
DAY = "2023-11-01"
START = datetime(2023, 10, 31, 15, tzinfo=UTC)
DAY_END = START + 24 * HOUR
END = DAY_END + 6 * HOUR
FIRST, LAST = -1, 32


@dataclass
class Stored:
    """An object, with the metadata that S3 keeps."""

    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)


Objects = dict[str, Stored]


class Signer:
    """A key pair that takes the place of AWS."""

    def __init__(self, bits: int = 2048) -> None:
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        public = self.private.public_key()
        self.public = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        self.fingerprint = hashlib.md5(self.public).hexdigest()

    def sign(self, text: str) -> str:
        """Signs as AWS does; returns hexadecimal text."""
        return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()

    def key_list(self) -> dict[str, Any]:
        """What `aws cloudtrail list-public-keys` prints."""
        key = {
            "Value": b64encode(self.public).decode(),
            "ValidityStartTime": "2023-01-01T00:00:00+00:00",
            "ValidityEndTime": "2024-01-01T00:00:00+00:00",
            "Fingerprint": self.fingerprint,
        }
        return {"PublicKeyList": [key]}

    def write(self, path: Path) -> Path:
        """Writes that list to a file."""
        path.write_text(json.dumps(self.key_list()), "utf-8")
        return path


@dataclass
class Chain:
    """One account, region and trail."""

    signer: Signer
    bucket: str = "trail"
    prefix: str = ""
    org: str = ""
    account: str = "111122223333"
    region: str = "ap-northeast-2"
    trail: str = "my_trail"
    home: str = "ap-northeast-2"
    logs_an_hour: int = 2
    seed: int = 0

    def root(self) -> str:
        """The folder of the account."""
        return "/".join(part for part in (self.prefix, "AWSLogs", self.org, self.account) if part)

    def digest_key(self, end: datetime, *, backfill: bool = False) -> str:
        """The key of a digest."""
        suffix = "_backfill" if backfill else ""
        name = f"{self.account}_CloudTrail-Digest_{self.region}_{self.trail}_{self.home}_{end:%Y%m%dT%H%M%SZ}"
        return f"{self.root()}/CloudTrail-Digest/{self.region}/{end:%Y/%m/%d}/{name}{suffix}.json.gz"

    def log_key(self, at: datetime, unique: str) -> str:
        """The key of a log file."""
        name = f"{self.account}_CloudTrail_{self.region}_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
        return f"{self.root()}/CloudTrail/{self.region}/{at:%Y/%m/%d}/{name}"

    def log(self, at: datetime, number: int, *, event_at: datetime | None = None) -> tuple[str, Stored]:
        """A log file that was delivered at a time, with one event."""
        event_at = event_at or at - timedelta(minutes=3)
        chance = random.Random(f"{self.account}{self.region}{self.trail}{at}{number}{self.seed}")
        event_id = str(chance.randbytes(16).hex())
        record = {
            "eventVersion": "1.08",
            "eventTime": f"{event_at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject",
            "awsRegion": self.region,
            "eventID": event_id,
            "recipientAccountId": self.account,
        }
        text = json.dumps({"Records": [record]}).encode()
        return self.log_key(at, event_id[:16]), Stored(gzip.compress(text, mtime=0))

    def hour_of_logs(self, end: datetime) -> dict[str, Stored]:
        """The log files of an hour."""
        step = HOUR / (self.logs_an_hour + 1)
        return dict(self.log(end - HOUR + step * (number + 1), number) for number in range(self.logs_an_hour))

    def make(
        self, hours: Iterable[int] = range(FIRST, LAST + 1), *, backfill: dict[int, int] | None = None
    ) -> Objects:
        """Makes log files and hourly digests, each named by its last hour after the start of the day.

        A missing hour was not logged: the next digest begins a new chain. `backfill` maps hours to numbers of
        late log files, which a digest of its own names.
        """
        objects: Objects = {}
        previous: dict[bool, tuple[str, str, str] | None] = {False: None, True: None}
        last = None
        for hour in hours:
            end = START + hour * HOUR
            if last is not None and hour != last + 1:
                previous[False] = None
            last = hour
            logs = self.hour_of_logs(end)
            late = dict(
                self.log(end - timedelta(minutes=7), 100 + number)
                for number in range((backfill or {}).get(hour, 0))
            )
            for files, is_late in ((logs, False), (late, True)):
                if is_late and not files:
                    continue
                objects |= files
                key, stored, link = self.digest(end, files, previous[is_late], backfill=is_late)
                objects[key] = stored
                previous[is_late] = link
        return objects

    def digest(
        self,
        end: datetime,
        files: dict[str, Stored],
        previous: tuple[str, str, str] | None,
        *,
        backfill: bool,
    ) -> tuple[str, Stored, tuple[str, str, str]]:
        """Makes one digest: its key, the object, and what the next digest says about it."""
        key = self.digest_key(end, backfill=backfill)
        old_key, old_hash, old_signature = previous or (None, None, None)
        times = [f"{end - HOUR / 2:%Y-%m-%dT%H:%M:%SZ}"] * 2 if files else [None, None]
        document = {
            "awsAccountId": self.account,
            "digestStartTime": f"{end - HOUR:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": self.signer.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": times[0],
            "oldestEventTime": times[1],
            "previousDigestS3Bucket": old_key and self.bucket,
            "previousDigestS3Object": old_key,
            "previousDigestHashValue": old_hash,
            "previousDigestHashAlgorithm": old_key and "SHA-256",
            "previousDigestSignature": old_signature,
            "logFiles": [self.named(name, stored) for name, stored in files.items()],
        }
        text = json.dumps(document).encode()
        signature = self.signer.sign(signed_text(document, text))
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if backfill:
            metadata["backfill-generation-timestamp"] = f"{end + 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
        stored = Stored(gzip.compress(text, mtime=0), metadata)
        return key, stored, (key, hashlib.sha256(text).hexdigest(), signature)

    def named(self, key: str, stored: Stored) -> dict[str, str]:
        """What a digest says about a log file."""
        text = gzip.decompress(stored.body)
        time = json.loads(text)["Records"][0]["eventTime"]
        return {
            "s3Bucket": self.bucket,
            "s3Object": key,
            "hashValue": hashlib.sha256(text).hexdigest(),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": time,
            "oldestEventTime": time,
        }


def signed_text(document: dict[str, Any], text: bytes) -> str:
    """What AWS signs."""
    return "\n".join(
        (
            document["digestEndTime"],
            f"{document['digestS3Bucket']}/{document['digestS3Object']}",
            hashlib.sha256(text).hexdigest(),
            document["previousDigestSignature"] or "null",
        )
    )


def is_digest(key: str) -> bool:
    """Whether a key is that of a digest."""
    return "/CloudTrail-Digest/" in key


def logs(objects: Objects) -> list[str]:
    """The keys of log files."""
    return sorted(key for key in objects if not is_digest(key))


def write(objects: Objects, folder: Path) -> Path:
    """Writes objects into a folder, which keeps no metadata."""
    for key, stored in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stored.body)
    return folder
