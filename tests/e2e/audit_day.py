"""Raw days with events that the sample lacks: root, sign-ins, all kinds of callers and requests.

Three Korean days: the last of February; the second of March, whose late objects arrive after its first
publication; and the third of March, which is published but never registered.
"""

import gzip
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

FEBRUARY, MARCH, UNREGISTERED = "2026-02-28", "2026-03-02", "2026-03-03"
ACCOUNT, OTHER = "123456789012", "111122223333"
OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
BOT = f"arn:aws:iam::{ACCOUNT}:user/bot"
SSO = "AWSReservedSSO_Analyst_0a1b2c3d4e5f6a7b"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"

Event = dict[str, Any]


def user(name: str, **more: Any) -> Event:
    """The identity of an IAM user."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    known = {"type": "IAMUser", "principalId": f"AIDA{name.upper():X<17}", "arn": arn, "accountId": ACCOUNT}
    return known | {"userName": name} | more


def session(role: str, name: str, path: str = "", **more: Any) -> Event:
    """The identity of a session of a role."""
    unique = f"AROA{role.upper():X<17}"
    issuer = {"type": "Role", "principalId": unique, "accountId": ACCOUNT, "userName": role}
    issuer["arn"] = f"arn:aws:iam::{ACCOUNT}:role/{path}{role}"
    return {
        "type": "AssumedRole",
        "principalId": f"{unique}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "sessionContext": {
            "sessionIssuer": issuer,
            "attributes": {"creationDate": "20260301T140000Z", "mfaAuthenticated": "false"},
        },
    } | more


def root(**more: Any) -> Event:
    """The identity of root."""
    return {"type": "Root", "principalId": ACCOUNT, "arn": ROOT, "accountId": ACCOUNT} | more


def service(name: str) -> Event:
    """The identity of an AWS service."""
    return {"type": "AWSService", "invokedBy": name}


def anonymous(account: str, principal: str | None) -> Event:
    """The identity of an anonymous caller."""
    known = {"type": "AWSAccount", "accountId": account}
    return known if principal is None else known | {"principalId": principal}


# A person in Identity Center whose session has no other name.
PERSON = {"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "user-1"}}
# A session of a role of another account.
CROSS = {"type": "AWSAccount", "principalId": "AROACROSSXXXXXXXXXXXX:a", "accountId": OTHER}
FEDERATED = {
    "type": "FederatedUser",
    "principalId": f"{ACCOUNT}:Alice",
    "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/Alice",
    "accountId": ACCOUNT,
    "sessionContext": {"sessionIssuer": {"type": "IAMUser", "userName": "bot", "arn": BOT}},
}
WEB = {
    "type": "WebIdentityUser",
    "principalId": "accounts.google.com:app:1",
    "userName": "1",
    "sessionContext": {
        "webIdFederationData": {"federatedProvider": "accounts.google.com", "attributes": {"app:id": "x"}}
    },
}


def event(time: str, identity: Event, call: str, **more: Any) -> Event:
    """A record. The call is the service and the action."""
    source, _, name = call.partition(":")
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": time,
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "ap-northeast-2",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.15",
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        "requestParameters": None,
        "responseElements": None,
    } | more


def s3(
    time: str, identity: Event, name: str, key: str | None, signature: str = "SigV4", **more: Any
) -> Event:
    """A data event of S3."""
    parameters = {"bucketName": "audit", "key": key} if key else {"bucketName": "audit"}
    extra = {"SignatureVersion": signature, "bytesTransferredOut": 5.0} if signature else {}
    known = {"requestParameters": parameters, "additionalEventData": extra, "eventCategory": "Data"}
    return event(time, identity, f"s3:{name}", **known | more)


def sign_in(time: str, identity: Event, result: Any, **more: Any) -> Event:
    """A sign-in to the console."""
    known = {"eventType": "AwsConsoleSignIn", "responseElements": result, "userAgent": "Mozilla/5.0"}
    return event(time, identity, "signin:ConsoleLogin", **known | more)


def denials() -> list[Event]:
    """One denial for each kind of caller."""
    slr = session(
        "AWSServiceRoleForECS", "ecs", "aws-service-role/ecs.amazonaws.com/", invokedBy="ecs.amazonaws.com"
    )
    return [
        event(f"2026-03-01T18:2{number}:00Z", caller, "ssm:GetParameter", errorCode="AccessDenied", **more)
        for number, (caller, more) in enumerate(
            [
                (anonymous("anonymous", "AIDAWHOEVER"), {}),
                (anonymous("ANONYMOUS_PRINCIPAL", "AIDAWHOEVER"), {}),
                (anonymous(OTHER, "anonymous"), {}),
                (session(SSO, "lee@example.com", "aws-reserved/sso.amazonaws.com/"), {}),
                (CROSS, {}),
                (slr, {}),
                (session("Etl", "run-6", sessionContext={}), {}),
                (service("sns.amazonaws.com") | {"principalId": "sns.amazonaws.com"}, {}),
                (user("hwang", invokedBy="kms.amazonaws.com"), {"eventType": "AwsServiceEvent"}),
                (session("Etl", "run-7", type="FederatedUser"), {}),
            ]
        )
    ]


SUCCESS, FAILURE = {"ConsoleLogin": "Success"}, {"ConsoleLogin": "Failure"}
MFA, NO_MFA = {"additionalEventData": {"MFAUsed": "Yes"}}, {"additionalEventData": {"MFAUsed": "No"}}
FAILED = {"errorMessage": "Failed authentication"}
HIDDEN = {
    "type": "IAMUser",
    "accountId": ACCOUNT,
    "accessKeyId": "",
    "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
}

EVENTS = [
    # Sign-ins.
    sign_in("2026-03-01T15:00:00Z", user("kim"), SUCCESS, **MFA),
    sign_in("2026-03-01T15:01:00Z", user("kim", arn=None), FAILURE, **NO_MFA | FAILED),
    sign_in("2026-03-01T15:02:00Z", HIDDEN, FAILURE, **NO_MFA | FAILED),
    sign_in("2026-03-01T15:03:00Z", root(), SUCCESS, **NO_MFA),
    sign_in(
        "2026-03-01T15:04:00Z", session(SSO, "lee@example.com", "aws-reserved/sso.amazonaws.com/"), SUCCESS
    ),
    sign_in("2026-03-01T15:05:00Z", user("kim"), None, **FAILED),
    sign_in("2026-03-01T15:06:00Z", {"type": "Root", "accountId": ACCOUNT}, FAILURE, **FAILED),
    sign_in("2026-03-01T15:06:30Z", {"type": "Root"}, FAILURE, **FAILED),
    event("2026-03-01T15:07:00Z", user("kim"), "signin:CheckMfa", eventType="AwsConsoleSignIn"),
    # Root, and callers that only look like root.
    event("2026-03-01T16:00:00Z", root(), "iam:CreateAccessKey", errorCode="LimitExceeded"),
    event("2026-03-01T16:01:00Z", root(invokedBy="backup.amazonaws.com"), "backup:StartBackupJob"),
    event("2026-03-01T16:02:00Z", root(), "kms:RotateKey", eventType="AwsServiceEvent"),
    event("2026-03-01T16:03:00Z", root() | {"type": None}, "ec2:RunInstances", userAgent=None),
    event(
        "2026-03-01T16:04:00Z",
        session("Rooty", "x", sessionContext={"assumedRoot": "true"}),
        "s3:PutBucketPolicy",
    ),
    event("2026-03-01T16:05:00Z", user("root"), "ec2:DescribeInstances"),
    # Callers.
    event("2026-03-01T17:00:00Z", session("Etl", "run-1"), "kms:Decrypt", readOnly=True),
    event("2026-03-01T17:01:00Z", session("Etl", "run-2"), "kms:Decrypt", readOnly=True),
    event(
        "2026-03-01T17:02:00Z",
        session(SSO, "lee@example.com", "aws-reserved/sso.amazonaws.com/"),
        "kms:Decrypt",
    ),
    event("2026-03-01T17:03:00Z", session(SSO, "김민수", "aws-reserved/sso.amazonaws.com/"), "kms:Decrypt"),
    event(
        "2026-03-01T17:04:00Z",
        session("AWSServiceRoleForAutoScaling", "AutoScaling", "aws-service-role/autoscaling.amazonaws.com/"),
        "ec2:RunInstances",
        sessionCredentialFromConsole="true",
    ),
    event("2026-03-01T17:05:00Z", service("lambda.amazonaws.com"), "kms:Decrypt"),
    event(
        "2026-03-01T17:06:00Z", {"accountId": ACCOUNT, "invokedBy": "config.amazonaws.com"}, "kms:RotateKey"
    ),
    event("2026-03-01T17:07:00Z", CROSS, "sts:AssumeRole"),
    event("2026-03-01T17:08:00Z", CROSS | {"principalId": "AROACROSSXXXXXXXXXXXX:b"}, "sts:AssumeRole"),
    event("2026-03-01T17:09:00Z", CROSS | {"principalId": "AIDACROSSXXXXXXXXXXXX"}, "sts:AssumeRole"),
    event("2026-03-01T17:10:00Z", FEDERATED, "ec2:DescribeInstances"),
    event("2026-03-01T17:11:00Z", PERSON, "ec2:DescribeInstances"),
    event("2026-03-01T17:12:00Z", WEB, "sts:AssumeRoleWithWebIdentity"),
    event(
        "2026-03-01T17:13:00Z",
        {"type": "Unknown", "principalId": "", "accountId": ""},
        "sts:AssumeRoleWithSAML",
    ),
    event("2026-03-01T17:14:00Z", session("Etl", "run-3", sessionContext={}), "kms:Decrypt"),
    event("2026-03-01T17:15:00Z", user("kim", invokedBy="athena.amazonaws.com"), "glue:GetTable"),
    # Denials, in the wording of several services, and failures that are not denials.
    event("2026-03-01T18:00:00Z", user("kim"), "ec2:RunInstances", errorCode="Client.UnauthorizedOperation"),
    event("2026-03-01T18:02:00Z", user("kim"), "ec2:RunInstances", errorCode="Client.UnauthorizedOperation"),
    event("2026-03-01T18:01:00Z", session("Etl", "run-4"), "kms:Decrypt", errorCode="AccessDeniedException"),
    event("2026-03-01T18:03:00Z", service("logs.amazonaws.com"), "kms:Decrypt", errorCode="AccessDenied"),
    event("2026-03-01T18:04:00Z", user("kim"), "sns:Publish", errorCode="AuthorizationErrorException"),
    event(
        "2026-03-01T18:05:00Z", user("kim"), "cognito-idp:InitiateAuth", errorCode="NotAuthorizedException"
    ),
    event("2026-03-01T18:06:00Z", user("kim"), "es:ESHttpGet", errorCode="ForbiddenException"),
    event("2026-03-01T18:07:00Z", user("kim"), "s3:ListBuckets", errorCode="VpceAccessDenied"),
    event("2026-03-01T18:08:00Z", user("kim"), "ec2:RunInstances", errorCode="Client.RequestLimitExceeded"),
    event(
        "2026-03-01T18:09:00Z",
        {"type": "AWSAccount", "accountId": OTHER},
        "kms:Decrypt",
        errorCode="AccessDenied",
    ),
    *denials(),
    # Objects.
    s3(
        "2026-03-01T19:00:00Z",
        user("bot"),
        "PutObject",
        "한글/a b.csv",
        "SigV2",
        requestID="PUTOBJECTSIGV2AA",
    ),
    s3("2026-03-01T19:00:30Z", user("bot"), "GetObject", "한글/a b.csv", "SigV2"),
    s3("2026-03-01T19:01:00Z", session("Etl", "run-5"), "CopyObject", "copy.csv"),
    s3("2026-03-01T19:02:00Z", session("Etl", "run-5"), "CompleteMultipartUpload", "big.bin"),
    s3("2026-03-01T19:03:00Z", session("Etl", "run-5"), "UploadPart", "big.bin"),
    s3("2026-03-01T19:04:00Z", user("bot"), "DeleteObjects", None, "SigV2"),
    s3("2026-03-01T19:04:00Z", user("bot"), "DeleteObject", "old.csv", errorCode="AccessDenied"),
    s3("2026-03-01T19:05:00Z", user("bot"), "HeadObject", "a.csv"),
    s3("2026-03-01T19:06:00Z", service("cloudtrail.amazonaws.com"), "PutObject", "AWSLogs/x.json.gz", ""),
    s3("2026-03-01T19:07:00Z", user("bot"), "PostObject", "form.bin"),
    s3("2026-03-01T19:08:00Z", user("bot"), "SelectObjectContent", "a.csv"),
    s3("2026-03-01T19:09:00Z", user("bot"), "PutObject", "onprem", eventSource="s3-outposts.amazonaws.com"),
    s3("2026-03-01T19:10:00Z", user("bot"), "GetObject", "express", eventSource="s3express.amazonaws.com"),
    s3("2026-03-01T19:11:00Z", user("bot"), "PutItem", "k", "SigV2", eventSource="dynamodb.amazonaws.com"),
    s3("2026-03-01T19:12:00Z", service("s3.amazonaws.com"), "GetObject", "replica", "SigV2"),
    # Anonymous callers.
    s3("2026-03-01T20:00:00Z", anonymous("anonymous", ""), "GetObject", "open.html", ""),
    s3("2026-03-01T20:01:00Z", anonymous("ANONYMOUS_PRINCIPAL", None), "GetObject", "open.html", ""),
    s3(
        "2026-03-01T20:02:00Z",
        anonymous("", "ANONYMOUS_PRINCIPAL"),
        "PutObject",
        "x",
        "",
        errorCode="AccessDenied",
    ),
    event("2026-03-01T20:03:00Z", anonymous("anonymous", "anonymous"), "sqs:SendMessage"),
    # Fields that compatibility views turn into structs.
    event(
        "2026-03-02T14:59:59Z",
        WEB,
        "sts:AssumeRoleWithWebIdentity",
        resources=[
            {"ARN": f"arn:aws:iam::{ACCOUNT}:role/Etl", "accountId": ACCOUNT, "type": "AWS::IAM::Role"},
            {"ARNPrefix": "arn:aws:s3:::audit/", "type": "AWS::S3::Object"},
        ],
        addendum={"reason": "UPDATED_DATA", "updatedFields": "userAgent", "originalEventID": "e-1"},
        tlsDetails={"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES", "clientProvidedHostHeader": "sts"},
        apiVersion="2011-06-15",
    ),
    event("2026-03-01T21:00:00Z", user("kim"), "ec2:DescribeInstances", resources=[], readOnly=True),
]
LATE_EVENTS = [
    event("2026-03-01T22:00:00Z", user("park"), "iam:ListUsers"),
    s3("2026-03-01T22:01:00Z", user("park"), "DeleteObject", "late.csv", "SigV2"),
]
OTHER_MONTH = [
    event("2026-02-27T15:00:00Z", user("choi"), "iam:ListUsers"),
    event("2026-02-28T14:59:59Z", session("Etl", "run-0"), "kms:Decrypt"),
    event(
        "2026-02-28T10:00:00Z",
        service("sns.amazonaws.com") | {"principalId": "sns.amazonaws.com"},
        "kms:Decrypt",
    ),
    event("2026-02-28T10:01:00Z", user("nobody"), "kms:RotateKey", eventType="AwsServiceEvent"),
    event("2026-02-28T10:02:00Z", anonymous("anonymous", "AIDAWHOEVER"), "sns:Publish"),
    event("2026-02-28T10:03:00Z", anonymous("ANONYMOUS_PRINCIPAL", "AIDAWHOSOEVER"), "sns:Publish"),
    event("2026-02-28T10:04:00Z", anonymous(OTHER, "anonymous"), "sns:Publish"),
]
NEVER_SHOWN = [event("2026-03-02T15:00:00Z", root(), "iam:CreateUser", errorCode="AccessDenied")]

numbers = count()


def line(
    time: str,
    operation: str,
    key: str = "-",
    status: int | str = 200,
    *,
    uri: str = "",
    who: str = BOT,
    ip: str = "203.0.113.9",
    error: str = "-",
    sent: int | str = "-",
    size: int | str = "-",
    times: str = "20 9",
    referer: str = '"-"',
    agent: str = '"aws-cli/2.15"',
    signature: str = "SigV4",
    bucket: str = "audit",
    request: str | None = None,
) -> str:
    """A line of an access log in the form with 27 fields."""
    method = operation.split(".")[1] if operation.count(".") > 1 else "POST"
    uri = uri or f'"{method} /{key if key != "-" else ""} HTTP/1.1"'
    request = request or f"REQUEST{next(numbers):09d}"
    kind = "AuthHeader" if signature != "-" else "-"
    return (
        f"{OWNER} {bucket} [{time} +0000] {ip} {who} {request} {operation} {key} {uri} {status} {error} "
        f"{sent} {size} {times} "
        f"{referer} {agent} - HOSTID= {signature} TLS_AES_128_GCM_SHA256 {kind} s3.amazonaws.com TLSv1.3 "
        f"- - ap-northeast-2"
    )


H15, H16, H17 = "01/Mar/2026:15:00:00", "01/Mar/2026:16:30:00", "01/Mar/2026:17:59:59"
BARE = {"referer": "-", "agent": "-", "uri": "-", "times": "- -"}
BY_S3 = {"who": "AmazonS3", "ip": "-", "signature": "-", "uri": '"-"', "times": "- -", "size": 10}
NOBODY = {"who": "-", "signature": "-"}
OAI = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1A2B3"

LINES = [
    line(H15, "REST.GET.OBJECT", "a%252Bb.csv", sent=100, size=100),
    line(
        H15, "REST.GET.OBJECT", "a%252Bb.csv", 206, sent=10, size=100, who=OAI, ip="2001:db8::1", times="5 4"
    ),
    line(H15, "REST.GET.OBJECT", "a%252Bb.csv", 304, size=100, times="- -"),
    line(H15, "REST.GET.OBJECT", "%25ED%2595%259C.csv", 403, error="AccessDenied", sent=243, **NOBODY),
    line(H15, "REST.GET.OBJECT", "wrong.csv", 403, error="SignatureDoesNotMatch", sent=300, who="-"),
    line(H15, "REST.GET.OBJECT", "gone.csv", 404, error="NoSuchKey", sent=280, agent='"a "quoted" agent"'),
    line(H15, "REST.GET.OBJECT", "torn.csv", "-", sent=7),
    line(H15, "REST.GET.ACL", "a.csv", sent=500),
    line(H15, "REST.GET.ACL", sent=500),
    line(H15, "REST.GET.POLICY", status=403, error="AccessDenied", sent=11, ip="198.51.100.4"),
    line(H15, "REST.GET.BUCKET", sent=900, signature="SigV2"),
    line(H15, "REST.GET.BUCKET", status=403, error="AccessDenied", sent=243, **NOBODY),
    line(H15, "REST.GET.BUCKETVERSIONS", sent=90),
    line(H15, "REST.GET.UPLOADS", sent=80),
    line(H15, "REST.GET.UPLOAD", "big.bin", sent=70),
    line(H15, "REST.HEAD.OBJECT", "a.csv", size=100),
    line(H15, "REST.HEAD.BUCKET"),
    line(H15, "REST.OPTIONS.PREFLIGHT", "a.csv", **NOBODY),
    line(H15, "WEBSITE.GET.OBJECT", "index.html", sent=60, size=60, **NOBODY),
    line(H15, "WEBSITE.GET.OBJECT", "-", 404, sent=50, **NOBODY),
    line(H15, "WEBSITE.HEAD.OBJECT", "index.html", size=60, **NOBODY),
    line(H15, "WEBSITE.POST.OBJECT", "index.html", 405, sent=50, **NOBODY),
    line(H15, "SOAP.GetObject", "a.csv", sent=40, signature="-"),
    line(H15, "SOAP.GetObject", "a.csv", sent=40, **NOBODY),
    line(H15, "SOAP.GetObject", "a.csv", sent=40, signature="SigV2"),
    line(H16, "REST.PUT.OBJECT", "new.csv", size=1000, signature="SigV2", request="PUTOBJECTSIGV2AA"),
    line(H16, "REST.PUT.OBJECT", "new.csv", 403, size=1000, error="AccessDenied", sent=243),
    line(H16, "REST.PUT.OBJECT", "slow.csv", 503, size=1000, error="SlowDown", sent=333),
    line(H16, "REST.PUT.PART", "big.bin", size=5242880, times="900 30"),
    line(H16, "REST.PUT.ACL", "new.csv"),
    line(H16, "REST.PUT.TAGGING"),
    line(H16, "REST.POST.UPLOADS", "big.bin", sent=300),
    line(H16, "REST.POST.UPLOAD", "big.bin", sent=300, size=5242880),
    line(H16, "REST.POST.OBJECT", "form.bin", 204, size=77),
    line(H16, "REST.POST.RESTORE", "cold.bin", 202),
    line(
        H16, "REST.POST.OBJECT", "a.csv", uri='"POST /a.csv?select&select-type=2 HTTP/1.1"', sent=12, size=100
    ),
    line(H16, "REST.SELECT.OBJECT", "a.csv", sent=13, size=100),
    line(H16, "REST.COPY.OBJECT", "copy.csv", sent=234, size=100),
    line(H16, "REST.COPY.OBJECT_GET", "a.csv", sent=100, size=100, signature="SigV2"),
    line(H16, "REST.COPY.OBJECT_GET", "open.csv", sent=100, size=100, **NOBODY),
    line(H16, "REST.COPY.PART_GET", "open.csv", sent=100, size=100, **NOBODY),
    line(H16, "REST.COPY.PART_GET", "a.csv", sent=100, size=100, signature="SigV2"),
    line(H16, "REST.COPY.PART", "big.bin", sent=234, size=100),
    line(H16, "REST.COPY.PART_GET", "a.csv", sent=100, size=100),
    line(H16, "REST.COPY.OBJECT_GET", "secret.csv", 403, error="AccessDenied", times="- -"),
    line(H16, "REST.DELETE.OBJECT", "old.csv", 204),
    line(H16, "REST.DELETE.UPLOAD", "big.bin", 204),
    line(H16, "REST.DELETE.POLICY", status=500, error="InternalError", sent=282),
    line(H16, "REST.POST.MULTI_OBJECT_DELETE", sent=400, signature="SigV2", request="MULTIDELETEAAAAA"),
    line(
        H16,
        "BATCH.DELETE.OBJECT",
        "Screen+Shot.png",
        204,
        signature="SigV2",
        request="MULTIDELETEAAAAA",
        **BARE,
    ),
    line(
        H16, "BATCH.DELETE.OBJECT", "kept.png", 403, error="AccessDenied", request="MULTIDELETEAAAAA", **BARE
    ),
    line(H17, "REST.GET.OBJECT", "only.csv", sent=1, bucket="audit-2"),
    # An hour with only internal requests of S3.
    line("01/Mar/2026:23:00:00", "S3.EXPIRE.OBJECT", "tmp/x", "-", **BY_S3, agent='"-"'),
    line("01/Mar/2026:23:00:00", "S3.TRANSITION_SIA.OBJECT", "tmp/z", "-", **BY_S3, agent='"-"'),
    line(
        "01/Mar/2026:23:00:00", "S3.COMPUTE.OBJECT.CHECKSUM", "tmp/y", "-", ip="-", size=10, **BARE, **NOBODY
    ),
    # The short form of old logs.
    f"{OWNER} audit [01/Mar/2026:18:00:00 +0000] 192.0.2.3 - 0123456789ABCDEF REST.GET.OBJECT old.gif "
    '"GET /old.gif HTTP/1.1" '
    '200 - 30 30 7 6 "http://example.com/a b" "Mozilla/4.0"',
]
LATE_LINES = [
    line("01/Mar/2026:22:00:00", "REST.GET.OBJECT", "late.csv", 403, error="AccessDenied", signature="SigV2")
]
OTHER_LINES = [line("28/Feb/2026:14:59:59", "REST.GET.OBJECT", "a%252Bb.csv", sent=1)]
NEVER_LINES = [line("02/Mar/2026:15:00:00", "REST.GET.OBJECT", "never.csv", 403, signature="SigV2", who="-")]


def write_events(folder: Path, delivered: str, events: Iterable[Event]) -> None:
    """Writes a CloudTrail file. Each event without an id gets its own."""
    time = datetime.strptime(delivered, "%Y%m%dT%H%M")
    name = f"{ACCOUNT}_CloudTrail_ap-northeast-2_{delivered}Z_{'A' * 16}.json.gz"
    path = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/ap-northeast-2/{time:%Y/%m/%d}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [{"eventID": f"{delivered}-{number}"} | found for number, found in enumerate(events)]
    path.write_bytes(gzip.compress(json.dumps({"Records": records}, ensure_ascii=False).encode()))


def write_lines(folder: Path, delivered: str, lines: Iterable[str]) -> None:
    """Writes a file of an access log."""
    time = datetime.strptime(delivered, "%Y%m%dT%H%M") + timedelta(seconds=1)
    path = folder / "access" / f"web-{time:%Y-%m-%d-%H-%M-%S}-{'B' * 16}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{found}\n" for found in lines), "utf-8")


def write_early(folder: Path) -> None:
    """Writes all objects except the late ones."""
    for delivered, events, lines in (
        ("20260228T1505", OTHER_MONTH, OTHER_LINES),
        ("20260302T0100", EVENTS, LINES),
        ("20260302T1505", NEVER_SHOWN, NEVER_LINES),
    ):
        write_events(folder, delivered, events)
        write_lines(folder, delivered, lines)


def write_late(folder: Path) -> None:
    """Writes the objects delivered after the first publication of the second of March."""
    write_events(folder, "20260302T1600", LATE_EVENTS)
    write_lines(folder, "20260302T1600", LATE_LINES)
