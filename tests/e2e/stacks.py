"""CloudFormation, as far as the lake needs it: creates the resources of a stack on the local server."""

import json
import re
from typing import Any

from cfnlint.decode import decode

from aws import ACCOUNT, REGION, Aws
from harness import REPOSITORY

PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = {"Ref": "AWS::NoValue"}
# The property that names a resource in references to it.
NAMES = {"AWS::S3::Bucket": "BucketName", "AWS::Glue::Database": "DatabaseInput.Name"}


def template_of(path: str) -> dict[str, Any]:
    """A template, with the short forms of functions written out."""
    content, problems = decode(str(REPOSITORY / path))
    assert not problems, problems
    return json.loads(json.dumps(content))


def parameters_of(path: str, given: dict[str, str]) -> dict[str, str]:
    """The parameters of a stack. Each parameter without a default must be given, and no unknown one."""
    known = template_of(path)["Parameters"]
    assert given.keys() <= known.keys(), f"{path} has no parameters {given.keys() - known.keys()}"
    defaults = {name: str(entry["Default"]) for name, entry in known.items() if "Default" in entry}
    values = defaults | given
    assert values.keys() == known.keys(), f"{path} needs parameters {known.keys() - values.keys()}"
    for name, value in given.items():
        pattern = known[name].get("AllowedPattern", "")
        assert re.search(pattern, value), f"{path}: {name}={value} does not match {pattern}"
    return values


class Stack:
    """A template with its parameters, and the resources that result."""

    def __init__(self, path: str, given: dict[str, str]) -> None:
        self.template = template_of(path)
        self.parameters = parameters_of(path, given)
        wanted = self.template["Resources"].items()
        self.resources = {name: entry for name, entry in wanted if self.holds(entry.get("Condition"))}

    def holds(self, condition: Any) -> bool:
        """Whether a condition is true."""
        match condition:
            case None:
                return True
            case str():
                return self.holds(self.template["Conditions"][condition])
            case {"Condition": name}:
                return self.holds(name)
            case {"Fn::Not": [other]}:
                return not self.holds(other)
            case {"Fn::Or": others}:
                return any(map(self.holds, others))
            case {"Fn::Equals": [one, other]}:
                return self.value(one) == self.value(other)
        raise AssertionError(f"unknown condition: {condition}")

    def value(self, part: Any) -> Any:
        """A part of the template, with its functions resolved."""
        match part:
            case {"Fn::If": [condition, yes, no]}:
                return self.value(yes if self.holds(condition) else no)
            case {"Ref": name} if part != NO_VALUE:
                return self.named(name)
            case {"Fn::Sub": text}:
                worked_out = re.sub(r"\$\{([\w:.]+)\}", lambda found: self.named(found[1]), text)
                return worked_out.replace("${!", "${")
            case {"Fn::GetAtt": [name, attribute]}:
                return self.named(f"{name}.{attribute}")
            case dict() if part != NO_VALUE:
                values = {name: self.value(inner) for name, inner in part.items()}
                return {name: value for name, value in values.items() if value != NO_VALUE}
            case list():
                return [value for value in map(self.value, part) if value != NO_VALUE]
        return part

    def named(self, name: str) -> str:
        """The value of a reference."""
        known = self.parameters | PSEUDO
        if name in known:
            return known[name]
        resource, _, attribute = name.partition(".")
        entry = self.template["Resources"][resource]
        value = self.value(entry["Properties"])
        for step in NAMES.get(entry["Type"], "").split("."):
            value = value[step] if step else resource
        return f"arn:aws:s3:::{value}" if attribute == "Arn" else value

    def properties(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type that are created."""
        of_kind = {name: entry for name, entry in self.resources.items() if entry["Type"] == kind}
        return {name: self.value(entry["Properties"]) for name, entry in of_kind.items()}

    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        outputs = self.template.get("Outputs", {}).items()
        return {
            name: self.value(each["Value"]) for name, each in outputs if self.holds(each.get("Condition"))
        }

    def granted(self, policy: str) -> set[str]:
        """The resources that a policy covers."""
        statements = self.properties("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]["Statement"]
        return {resource for statement in statements for resource in statement["Resource"]}

    def make(self, aws: Aws) -> None:
        """Creates buckets, databases and tables."""
        for bucket in self.properties("AWS::S3::Bucket").values():
            place = {"LocationConstraint": REGION}
            aws.s3.create_bucket(Bucket=bucket["BucketName"], CreateBucketConfiguration=place)
        for database in self.properties("AWS::Glue::Database").values():
            aws.glue.create_database(DatabaseInput=database["DatabaseInput"])
        for table in self.properties("AWS::Glue::Table").values():
            aws.glue.create_table(DatabaseName=table["DatabaseName"], TableInput=table["TableInput"])
