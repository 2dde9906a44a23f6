"""`ListPublicKeys` of CloudTrail, which the AWS server of the tests lacks: answered in its place."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from digest_chains import Signer
from faults import Answer, Exchange, FaultProxy, Refuse

JSON = (("Content-Type", "application/x-amz-json-1.1"),)
# The refusal of a role without the permission.
NO_PERMISSION = Refuse(
    400,
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/etl is not authorized to perform: cloudtrail:ListPublicKeys",
)
LONG_AGO, FAR_AHEAD = datetime(2013, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Question:
    """A request for the first page."""

    region: str
    start: datetime
    end: datetime


@dataclass
class KeyService:
    """Lists the keys that are valid at some time between two times, one a page."""

    keys: list[tuple[Signer, datetime, datetime]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    pages: int = 0
    # Whether the list ends. A broken service repeats its token.
    ends: bool = True

    def add(self, signer: Signer, start: datetime = LONG_AGO, end: datetime = FAR_AHEAD) -> "KeyService":
        """Adds a key with its time."""
        self.keys.append((signer, start, end))
        return self

    def behind(self, proxy: FaultProxy) -> "KeyService":
        """Answers the requests that a proxy receives."""
        proxy.rule(self, operation="ListPublicKeys")
        return self

    def __call__(self, exchange: Exchange) -> None:
        asked = json.loads(exchange.request.body)
        start, end = (at(asked[name]) for name in ("StartTime", "EndTime"))
        valid = [signer for signer, first, last in self.keys if first <= end and start <= last]
        place = int(asked.get("NextToken", 0))
        if place == 0:
            self.questions.append(Question(region_of(exchange), start, end))
        self.pages += 1
        answer: dict[str, Any] = {"PublicKeyList": [entry(signer) for signer in valid[place : place + 1]]}
        if place + 1 < len(valid) or not self.ends:
            answer["NextToken"] = str(place + 1 if self.ends else 1)
        exchange.send(Answer(200, JSON, json.dumps(answer).encode()))


def at(value: float | str) -> datetime:
    """A time as an SDK writes it: seconds, or a text."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    return datetime.fromtimestamp(value, UTC)


def region_of(exchange: Exchange) -> str:
    """The region for which a request was signed."""
    return exchange.request.headers["authorization"].partition("Credential=")[2].split("/")[2]


def entry(signer: Signer) -> dict[str, Any]:
    """A key in the answer."""
    return {
        "Value": b64encode(signer.public).decode(),
        "ValidityStartTime": LONG_AGO.timestamp(),
        "ValidityEndTime": FAR_AHEAD.timestamp(),
        "Fingerprint": signer.fingerprint,
    }
