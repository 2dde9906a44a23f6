"""The deployed files: templates with their functions resolved, and policy documents."""

import json
import re
from functools import cache
from typing import Any

from cfnlint.decode import decode

from harness import REPOSITORY

TEMPLATES = REPOSITORY / "glue" / "cloudformation"
POLICIES = REPOSITORY / "glue" / "iam"
TRUST = "cross-account-log-reader-trust"
POLICY_OF = {
    "log-reader": "LogReaderPolicy",
    "assume-log-reader": "AssumeLogReaderPolicy",
    "lake-writer": "LakeWriterPolicy",
    "catalog": "CatalogPolicy",
}
# The placeholders of the policy documents, as parameters of a template.
PLACEHOLDERS = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "REGION",
    "AWS::URLSuffix": "amazonaws.com",
    "AccessLogBucketName": "ACCESS_LOG_BUCKET",
    "AccessLogPrefix": "ACCESS_LOG_PREFIX",
    "CloudTrailBucketName": "CLOUDTRAIL_BUCKET",
    "CloudTrailKmsKeyArn": "arn:aws:kms:REGION:123456789012:key/CLOUDTRAIL_KEY",
    "CloudTrailPrefix": "CLOUDTRAIL_PREFIX",
    "DatabaseName": "DATABASE",
    "JobRoleName": "JOB_ROLE",
    "LakeBucketName": "LAKE_BUCKET",
    "LakeKmsKeyArn": "arn:aws:kms:REGION:123456789012:key/LAKE_KEY",
    "LakeLocation": "s3://LAKE_BUCKET/LAKE_PREFIX",
    "LakePrefix": "LAKE_PREFIX",
    "LogReaderRoleArn": "arn:aws:iam::210987654321:role/LOG_READER_ROLE",
}
NO_VALUE = {"Ref": "AWS::NoValue"}

Statement = dict[str, Any]


@cache
def template(name: str) -> dict[str, Any]:
    """A template, with the short forms of functions written out."""
    content, problems = decode(str(TEMPLATES / name))
    assert not problems, problems
    return json.loads(json.dumps(content))


def resolved(value: Any, *, optional: bool = True) -> Any:
    """A part of a template as it is deployed, with every condition true or every condition false."""
    match value:
        case {"Fn::If": [_, yes, no]}:
            return resolved(yes if optional else no, optional=optional)
        case {"Ref": name} if value != NO_VALUE:
            return PLACEHOLDERS[name]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([\w:]+)\}", lambda found: PLACEHOLDERS[found[1]], text)
        case dict() if value != NO_VALUE:
            return {name: resolved(part, optional=optional) for name, part in value.items()}
        case list():
            parts = [resolved(part, optional=optional) for part in value]
            return [part for part in parts if part != NO_VALUE]
    return value


def deployed_policy(document: str, *, optional: bool = True) -> list[Statement]:
    """The statements that the lake's template grants in a policy."""
    policy = template("lake.yaml")["Resources"][POLICY_OF[document]]["Properties"]["PolicyDocument"]
    return resolved(policy, optional=optional)["Statement"]


def policy(document: str) -> list[Statement]:
    """The statements of a policy document."""
    content = json.loads((POLICIES / f"{document}.json").read_text("utf-8"))
    assert content.keys() == {"Version", "Statement"}
    assert content["Version"] == "2012-10-17"
    return content["Statement"]
