"""Templates and policies: valid by AWS's own data, as narrow as possible, and consistent with each other.

Existing IAM actions and their kinds of resources come from the data in cfn-lint, which follows AWS's Service
Authorization Reference.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint.data.AdditionalSpecs
import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from api_limits import objections
from deployment import (
    PLACEHOLDERS,
    POLICIES,
    POLICY_OF,
    TEMPLATES,
    TRUST,
    Statement,
    deployed_policy,
    policy,
    resolved,
    template,
)
from harness import DATASETS, REPOSITORY, logmill

REGIONS = ["ap-northeast-2", "us-east-1"]
MOST_BYTES_OF_A_POLICY = 6144
# Kinds of resource names that are not used here: access points, and catalogs other than that of the account.
UNUSED_RESOURCES = {"accesspoint", "accesspointobject", "catalog"}
# Actions on nothing that has a name.
UNRESTRICTED = ["cloudtrail:ListPublicKeys"]
ALWAYS_GRANTED = {
    "lake-writer": ["ListLake", "ListLakeUploads", "WriteLakeFiles", "DeleteLakeFiles"],
    "catalog": ["ReadDatabase", "ReadTables", "WriteTables", "WritePartitions"],
}


@cache
def iam() -> dict[str, Any]:
    """Actions and kinds of resources by service. Actions are in lower case."""
    folder = Path(cfnlint.data.AdditionalSpecs.__file__).parent
    return json.loads((folder / "Policies.json").read_text("utf-8"))


def kinds_of_resources(action: str) -> dict[str, list[str]]:
    """The kinds of resources to which an action can be restricted, with the patterns of their ARNs."""
    service, name = action.split(":")
    known = iam()[service]
    assert name.lower() in known["Actions"], f"{action} does not exist"
    kinds = known["Actions"][name.lower()].get("Resources", [])
    return {kind: known["Resources"][kind]["ARNFormats"] for kind in kinds}


def is_of_kind(arn: str, patterns: list[str]) -> bool:
    """Whether an ARN matches a kind of resources."""
    return any(re.fullmatch(re.sub(r"\$\{\w+\}", "[^:]*", pattern), arn) for pattern in patterns)


def statements() -> list[Statement]:
    """Every statement of every policy document."""
    return [statement for document in POLICY_OF for statement in policy(document)]


@pytest.mark.parametrize("name", ["lake.yaml", "tables.json"])
def test_cfn_lint_finds_nothing(name: str) -> None:
    options = ManualArgs(regions=REGIONS, include_checks=["I"])
    assert [str(found) for found in lint_file(TEMPLATES / name, options)] == []


def test_every_template_and_policy_is_covered() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {"lake.yaml", "tables.json"}
    assert {path.stem for path in POLICIES.iterdir()} == {*POLICY_OF, TRUST}
    managed = [
        name
        for name, resource in template("lake.yaml")["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    assert sorted(managed) == sorted(POLICY_OF.values())


def test_the_lake_is_private_encrypted_and_outlives_its_stack() -> None:
    resources = template("lake.yaml")["Resources"]
    for name in ("LakeBucket", "LakeBucketPolicy", "Database"):
        assert (resources[name]["DeletionPolicy"], resources[name]["UpdateReplacePolicy"]) == ("Retain",) * 2
    bucket = resources["LakeBucket"]["Properties"]
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    for optional, algorithm in ((True, "aws:kms"), (False, "AES256")):
        (rule,) = resolved(bucket["BucketEncryption"], optional=optional)["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == algorithm
    (refusal,) = resources["LakeBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refusal["Effect"], refusal["Principal"], refusal["Action"]) == ("Deny", "*", "s3:*")
    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("document", POLICY_OF)
def test_the_template_grants_what_the_document_grants(document: str) -> None:
    assert deployed_policy(document) == policy(document)


@pytest.mark.parametrize("document", ALWAYS_GRANTED)
def test_optional_permissions_are_granted_only_on_request(document: str) -> None:
    granted = [statement["Sid"] for statement in deployed_policy(document, optional=False)]
    assert granted == ALWAYS_GRANTED[document]
    parameters = template("lake.yaml")["Parameters"]
    switches = [name for name in parameters if name.startswith("May")]
    assert switches
    assert {parameters[name]["Default"] for name in switches} == {"false"}
    assert {parameters[name]["Default"] for name in parameters if name.endswith("Arn")} == {""}


@pytest.mark.parametrize("document", [*POLICY_OF, TRUST])
def test_statements_allow_named_actions_and_have_names(document: str) -> None:
    for statement in policy(document):
        assert statement["Effect"] == "Allow"
        assert re.fullmatch(r"[A-Z][A-Za-z]+", statement["Sid"])
        assert not [action for action in statement["Action"] if "*" in action or "?" in action]
    sids = [statement["Sid"] for statement in policy(document)]
    assert len(set(sids)) == len(sids)


def test_only_an_action_that_cannot_be_restricted_covers_every_resource() -> None:
    for statement in statements():
        if statement["Action"] == UNRESTRICTED:
            assert statement["Resource"] == ["*"]
            continue
        for arn in statement["Resource"]:
            service, place = re.fullmatch(r"arn:aws:(\w+):(.*)", arn).groups()
            assert re.fullmatch(r"s3|glue|kms|iam", service), arn
            assert re.match(r"[^*]*[A-Za-z]{3}", place), f"{statement['Sid']}: {arn}"


def test_every_action_exists_and_fits_its_resources() -> None:
    for statement in statements():
        for action in statement["Action"]:
            kinds = kinds_of_resources(action)
            assert bool(kinds) == (action not in UNRESTRICTED), f"{action} cannot be restricted"
            if not kinds:
                continue
            for kind in kinds.keys() - UNUSED_RESOURCES:
                assert any(is_of_kind(arn, kinds[kind]) for arn in statement["Resource"]), (action, kind)
            for arn in statement["Resource"]:
                assert any(is_of_kind(arn, patterns) for patterns in kinds.values()), (action, arn)


def test_list_actions_name_buckets_and_read_actions_name_objects() -> None:
    """S3's pattern for buckets also matches the ARN of an object."""
    for statement in statements():
        of_bucket = [action.startswith("s3:ListBucket") for action in statement["Action"]]
        if all(action.startswith("s3:") for action in statement["Action"]):
            assert all("/" not in arn for arn in statement["Resource"]) == all(of_bucket), statement["Sid"]
            assert all(of_bucket) == any(of_bucket), statement["Sid"]


def test_the_job_writes_and_deletes_only_below_the_lake() -> None:
    written = [
        arn
        for statement in statements()
        for arn in statement["Resource"]
        if re.search(r"s3:(Put|Delete|Abort)", " ".join(statement["Action"]))
    ]
    assert set(written) == {"arn:aws:s3:::LAKE_BUCKET/LAKE_PREFIX/*"}


@pytest.mark.parametrize("document", [*POLICY_OF, TRUST])
def test_a_policy_is_short_enough_for_iam(document: str) -> None:
    packed = json.dumps(policy(document), separators=(",", ":"))
    assert len(packed) < MOST_BYTES_OF_A_POLICY // 2


def test_the_trust_policy_allows_one_role() -> None:
    (statement,) = policy(TRUST)
    assert kinds_of_resources(*statement["Action"]).keys() == {"role"}
    role = f"arn:aws:iam::{PLACEHOLDERS['AWS::AccountId']}:role/{PLACEHOLDERS['JobRoleName']}"
    assert statement["Principal"] == {"AWS": role}


def test_the_readme_explains_every_statement() -> None:
    readme = (REPOSITORY / "glue" / "README.md").read_text("utf-8")
    for name in [statement["Sid"] for statement in statements()]:
        assert f"`{name}`" in readme, name
    for name in template("lake.yaml")["Parameters"]:
        if name.startswith("May") or name.endswith("Arn"):
            assert f"`{name}`" in readme, name


@pytest.mark.parametrize("naming", ["snake", "compact"])
def test_glue_accepts_the_tables(naming: str) -> None:
    config = str(REPOSITORY / "glue" / "tables.toml")
    schema = logmill("schema", "--config", config, "--format", "cloudformation", "--naming", naming)
    printed = json.loads(schema.stdout)
    names = set()
    for resource in printed["Resources"].values():
        request = resolved(resource["Properties"])
        assert objections("glue", "CreateTable", request) == []
        names.add(request["TableInput"]["Name"])
        location = request["TableInput"]["StorageDescriptor"]["Location"]
        assert location == f"s3://LAKE_BUCKET/LAKE_PREFIX/{request['TableInput']['Name']}/"
    assert names == set(DATASETS)


@pytest.mark.parametrize(
    ("changed", "objection"),
    [
        ({"Name": ""}, "valid min length: 1"),
        ({"Surname": "x"}, "Unknown parameter"),
        ({"Retention": "x"}, "Invalid type"),
        ({"Retention": -1}, "valid min value: 0"),
        ({"Name": "n" * 256}, "256 is not in 1 to 255"),
        ({"Description": "d" * 2049}, "2049 is not in 0 to 2048"),
        ({"PartitionKeys": [{"Name": "a\nb"}]}, "does not match"),
        ({"PartitionKeys": [{"Name": "k", "Comment": "한" * 256}]}, "256 is not in 0 to 255"),
        ({"Parameters": {"k" * 256: "v"}}, "256 is not in 1 to 255"),
        ({"ViewDefinition": {"Representations": [{"Dialect": "LATIN"}]}}, "is not one of"),
    ],
)
def test_the_validator_finds_what_glue_refuses(changed: dict[str, Any], objection: str) -> None:
    fine = {"Name": "한글 🙂", "PartitionKeys": [{"Name": "k", "Type": "string"}]}
    assert objections("glue", "CreateTable", {"DatabaseName": "d", "TableInput": fine}) == []
    found = objections("glue", "CreateTable", {"DatabaseName": "d", "TableInput": fine | changed})
    assert len(found) == 1
    assert objection in found[0]


def test_the_created_role_itself_grants_nothing() -> None:
    """Its permissions come from the policies, which are compared with the documents."""
    role = template("lake.yaml")["Resources"]["JobRole"]
    assert role["Properties"].keys() == {"Description", "AssumeRolePolicyDocument"}
    assert role["Condition"] == "MakesJobRole"
