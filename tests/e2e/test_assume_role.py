"""Log buckets of other accounts: each source is read with its role, and the lake is written without one."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from aws import CONFIGURED, CREDENTIALS, Aws, sample_objects, table_of
from faults import ACCESS_DENIED, EXPIRED_TOKEN, FaultProxy, Request
from harness import DATASETS, Published

OURS = CREDENTIALS["AWS_ACCESS_KEY_ID"]
ROLE = "arn:aws:iam::{account}:role/log-reader"
ROLES = {"cloudtrail": ROLE.format(account="111122223333"), "s3_access": ROLE.format(account="444455556666")}


def issued(proxy: FaultProxy) -> dict[str, set[str]]:
    """The access keys issued for each role."""
    keys: dict[str, set[str]] = {}
    for seen in proxy.requests("AssumeRole"):
        keys.setdefault(seen.query["RoleArn"], set()).add(access_key(proxy.answers[seen.number].body))
    return keys


def access_key(body: bytes) -> str:
    """The access key in an STS answer."""
    found = ElementTree.fromstring(body).find(".//{*}AccessKeyId")
    assert found is not None
    assert found.text
    return found.text


def keys_of(requests: list[Request]) -> set[str]:
    """The access keys that signed requests. Requests of a role also carry its session token."""
    assert requests
    for request in requests:
        assert ("x-amz-security-token" in request.headers) == (request.access_key != OURS)
    return {request.access_key for request in requests}


def test_a_source_is_read_with_its_role_and_the_lake_is_written_without_it(
    aws: Aws, proxy: FaultProxy, raw_sample: str, sample: Published
) -> None:
    lake = aws.lake()
    summary = aws.run(lake, "--role-arn", ROLES["cloudtrail"], source=raw_sample)
    assert keys_of(proxy.requests("AssumeRole")) == {OURS}
    assert issued(proxy).keys() == {ROLES["cloudtrail"]}
    raw_bucket = raw_sample.split("/")[2]
    assert keys_of(proxy.requests(path=f"{raw_bucket}*")) <= issued(proxy)[ROLES["cloudtrail"]]
    assert keys_of(proxy.requests(path=f"{lake.bucket}*")) == {OURS}
    for table in DATASETS:
        assert table_of(summary, table)["written"] == sample.ledger(table)["written"]


@pytest.fixture
def two_accounts(aws: Aws, tmp_path: Path) -> tuple[dict[str, str], Path]:
    """A bucket for each log type, and a config file with a role for each."""
    sources, lines = {}, []
    for table, dataset in DATASETS.items():
        objects = {key: body for key, body in sample_objects().items() if key.startswith(dataset)}
        sources[table] = aws.source(objects)
        lines += ["[[source]]", f'dataset = "{dataset}"', f'input = "{sources[table]}"']
        lines += [f'role_arn = "{ROLES[table]}"', ""]
    config = tmp_path / "logmill.toml"
    config.write_text("\n".join(lines))
    return {table: source.split("/")[2] for table, source in sources.items()}, config


def test_each_source_has_its_own_role(
    aws: Aws, proxy: FaultProxy, two_accounts: tuple[dict[str, str], Path], sample: Published
) -> None:
    buckets, config = two_accounts
    summary = aws.run(aws.lake(), "--config", config, source=CONFIGURED)
    keys = issued(proxy)
    assert keys.keys() == set(ROLES.values())
    for table, role in ROLES.items():
        assert keys_of(proxy.requests(path=f"{buckets[table]}*")) <= keys[role]
        assert table_of(summary, table)["written"] == sample.ledger(table)["written"]


def test_a_plan_stores_the_roles_of_its_sources(
    aws: Aws, proxy: FaultProxy, two_accounts: tuple[dict[str, str], Path], tmp_path: Path
) -> None:
    """Every machine that converts a shard reads with the role of the source."""
    buckets, config = two_accounts
    plan = tmp_path / "plan.json"
    arguments = ("--config", config, "--day", "2023-11-01", "--format", "json")
    plan.write_text(aws.logmill("plan", *arguments).stdout)
    proxy.forget()
    aws.logmill("convert", "--plan", plan, "--shard", "0", "--staging", tmp_path / "staging")
    keys = issued(proxy)
    assert keys.keys() == set(ROLES.values())
    for table, role in ROLES.items():
        assert keys_of(proxy.requests("GetObject", f"{buckets[table]}*")) <= keys[role]


def test_the_error_names_a_role_that_cannot_be_assumed(aws: Aws, proxy: FaultProxy, raw_sample: str) -> None:
    proxy.rule(ACCESS_DENIED, operation="AssumeRole")
    lake = aws.lake()
    messages = aws.failing_run(lake, "--role-arn", ROLES["cloudtrail"], source=raw_sample, code=4)
    assert ROLES["cloudtrail"] in messages
    assert "AccessDenied" in messages or "Access Denied" in messages
    assert "sts:AssumeRole" in messages
    assert lake.paths() == set()


def test_expired_credentials_of_a_role_are_not_used_forever(
    aws: Aws, proxy: FaultProxy, raw_sample: str
) -> None:
    """The error names them, and does not mention a damaged log."""
    bucket = raw_sample.split("/")[2]
    proxy.rule(EXPIRED_TOKEN, operation="GetObject", path=f"{bucket}*")
    lake = aws.lake()
    messages = aws.failing_run(lake, "--role-arn", ROLES["cloudtrail"], source=raw_sample, code=4)
    assert "credentials" in messages
    assert lake.readers() == {}
