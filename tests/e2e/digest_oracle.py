"""Counts what digests prove about a day, independently of the binary and of the generator.

It reads objects as they are stored, the keys, and nothing else.
"""

import gzip
import hashlib
import json
import re
import zlib
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from digest_chains import DAY_END, END, START, Objects, is_digest

DIGEST = re.compile(r"(\d{12})_CloudTrail-Digest_([^_]+)_(.+)_([^_]+)_(\d{8}T\d{6}Z)(_backfill)?\.json\.gz$")
LOG = re.compile(r"(\d{12})_CloudTrail_([^_]+)_(\d{8}T\d{4})Z_[^_]+\.json\.gz$")


@dataclass
class Expected:
    """The file ledger of a day, the digests that are good, and the verdict's facts."""

    named: int
    right: int
    altered: int
    missing: int
    unnamed: int
    bad: set[str]


def instant(text: str) -> datetime:
    """An instant as AWS writes it."""
    return datetime.fromisoformat(text)


def single_member(body: bytes) -> bytes | None:
    """The content of one gzip member with nothing behind it."""
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = member.decompress(body) + member.flush()
    except zlib.error:
        return None
    return content if member.eof and not member.unused_data else None


def expected(objects: Objects, bucket: str, key_list: dict[str, Any], *, in_bucket: bool = True) -> Expected:
    """Judges the objects of a bucket, or the same objects in a folder."""
    keys = {
        key["Fingerprint"]: serialization.load_der_public_key(spki(b64decode(key["Value"])))
        for key in key_list["PublicKeyList"]
    }
    texts = {key: single_member(stored.body) for key, stored in objects.items() if is_digest(key)}
    documents = {key: parsed(text) for key, text in texts.items()}
    bad: set[str] = set()
    for key, document in documents.items():
        end = instant(DIGEST.search(key)[5])
        if not START - timedelta(hours=1) <= end <= END + timedelta(hours=3):
            continue
        if document is None:
            bad.add(key)
            continue
        successors = [
            other for other in documents.values() if other and other["previousDigestS3Object"] == key
        ]
        signature = objects[key].metadata.get("signature") if in_bucket else None
        if not in_bucket and successors:
            signature = successors[-1]["previousDigestSignature"]
        is_good = (
            signature is not None
            and document["digestS3Bucket"] == bucket
            and document["digestS3Object"] == key
            and is_signed(keys, document, texts[key], signature)
            and all(
                other["previousDigestHashValue"] == hashlib.sha256(texts[key]).hexdigest()
                for other in successors
            )
        )
        if not is_good:
            bad.add(key)
    return count(objects, documents, bad)


def count(objects: Objects, documents: dict[str, Any], bad: set[str]) -> Expected:
    """The file ledger of the good digests."""
    outcomes: Counter[str] = Counter()
    named: set[str] = set()
    for key, document in documents.items():
        end = instant(DIGEST.search(key)[5])
        if (
            key in bad
            or document is None
            or not START - timedelta(hours=1) <= end <= END + timedelta(hours=3)
        ):
            continue
        for file in document["logFiles"]:
            if not is_of_day(file):
                continue
            name = file["s3Object"]
            named.add(name)
            if name not in objects:
                outcomes["missing"] += 1
                continue
            text = single_member(objects[name].body)
            right = text is not None and hashlib.sha256(text).hexdigest() == file["hashValue"]
            outcomes["right" if right else "altered"] += 1
    read = {key for key in objects if not is_digest(key) and START <= delivered_at(key) < END}
    return Expected(
        named=outcomes.total(),
        right=outcomes["right"],
        altered=outcomes["altered"],
        missing=outcomes["missing"],
        unnamed=len(read - named),
        bad=bad,
    )


def is_of_day(file: dict[str, str]) -> bool:
    """Whether a run of the day has to read a file."""
    if START <= delivered_at(file["s3Object"]) < END:
        return True
    return instant(file["oldestEventTime"]) < DAY_END and instant(file["newestEventTime"]) >= START


def delivered_at(key: str) -> datetime:
    """The time in the name of a log file."""
    return instant(LOG.search(key)[3] + "00+00:00")


def parsed(text: bytes | None) -> dict[str, Any] | None:
    """A digest, if it is one."""
    try:
        return json.loads(text) if text is not None else None
    except ValueError:
        return None


def is_signed(keys: dict[str, Any], document: dict[str, Any], text: bytes, signature: str) -> bool:
    """Whether one of the keys signed a digest."""
    signed = "\n".join(
        [
            document["digestEndTime"],
            document["digestS3Bucket"] + "/" + document["digestS3Object"],
            hashlib.sha256(text).hexdigest(),
            document["previousDigestSignature"] or "null",
        ]
    )
    key = keys.get(document["digestPublicKeyFingerprint"])
    if key is None:
        return False
    try:
        key.verify(bytes.fromhex(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def spki(pkcs1: bytes) -> bytes:
    """A PKCS#1 public key in the form that the library loads."""
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    bits = b"\x03" + length(len(pkcs1) + 1) + b"\x00" + pkcs1
    return b"\x30" + length(len(algorithm) + len(bits)) + algorithm + bits


def length(count: int) -> bytes:
    """A length in DER."""
    if count < 128:
        return bytes([count])
    digits = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def repacked(body: bytes, change: bytes, to: bytes) -> bytes:
    """An object with other text."""
    text = gzip.decompress(body)
    assert change in text, change
    return gzip.compress(text.replace(change, to, 1), mtime=0)
