"""Compares ready queries of `glue/sql`, and old queries over compatibility views, with the raw logs."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

import meanings
from audit_day import FEBRUARY, MARCH, write_early, write_late
from aws import Aws
from catalog import Registered
from faults import running
from glue_sql import COMPATIBILITY, QUERIES, AthenaDatabase, Rows
from harness import SAMPLE_DATA, SAMPLE_DAY
from meanings import RawDays, moment, raw_days
from oracle import expected_day
from schema import columns

# The time at which "the last 24 hours" are queried. Half of the sample day is older.
NOW = datetime(2023, 11, 2, 3)
EARLIER_JOB = (
    "proc_ymd additionaleventdata apiversion awsregion errorcode errormessage eventid eventname "
    "eventsource eventtime "
    "eventtime_kst eventtype eventversion readonly recipientaccountid requestid requestparameters "
    "resources_arn "
    "resources_accountid resources_type responseelements sharedeventid sourceipaddress "
    "serviceeventdetails useragent "
    "useridentity_accesskeyid useridentity_accountid useridentity_arn useridentity_invokedby "
    "useridentity_principalid "
    "useridentity_sessioncontext_attributes_creationdate "
    "useridentity_sessioncontext_attributes_mfaauthenticated "
    "useridentity_sessioncontext_sessionissuer_accountid useridentity_sessioncontext_sessionissuer_arn "
    "useridentity_sessioncontext_sessionissuer_principalid useridentity_sessioncontext_sessionissuer_type "
    "useridentity_sessioncontext_sessionissuer_username useridentity_type useridentity_username "
    "useridentity_webidfederationdata_federatedprovider useridentity_webidfederationdata_attributes "
    "vpcendpointid"
).split()

Database = tuple[AthenaDatabase, RawDays]


@pytest.fixture(scope="module")
def sample_day(aws_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The sample day in Athena and raw."""
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        registered = Registered(aws, aws.lake(), aws.database())
        registered.run(source=SAMPLE_DATA)
        folder = tmp_path_factory.mktemp("athena")
        yield AthenaDatabase(registered, folder), raw_days(SAMPLE_DATA, [SAMPLE_DAY])


@pytest.fixture(scope="module")
def audit_days(
    aws_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AthenaDatabase, Path]]:
    """The audit days in Athena, and the folder of their raw logs."""
    source = tmp_path_factory.mktemp("audit")
    write_early(source)
    write_late(source)
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        registered = Registered(aws, aws.lake(), aws.database())
        for day in (FEBRUARY, MARCH):
            registered.run(source=source, day=day)
        yield AthenaDatabase(registered, tmp_path_factory.mktemp("athena")), source


# --- The ready queries.


def ranked(counts: Counter[Any], limit: int | None = None) -> Rows:
    """Counts in descending order, then by name, with NULL last."""
    rows = [(*(key if isinstance(key, tuple) else (key,)), number) for key, number in counts.items()]
    return sorted(rows, key=lambda row: (-row[-1], nulls_last(row[:-1])))[:limit]


def nulls_last(row: Iterable[Any]) -> list[tuple[bool, Any]]:
    """A sort key that puts NULL last."""
    return [(cell is None, cell if cell is not None else "") for cell in row]


def most_requested_objects(raw: RawDays) -> Rows:
    reads = [line for line in raw.lines if meanings.is_object_read(line)]
    bytes_: Counter[Any] = Counter()
    for line in reads:
        bytes_[line["bucket"], line["key_decoded"]] += line["bytes_sent"] or 0
    top = ranked(Counter((line["bucket"], line["key_decoded"]) for line in reads), 5)
    return [(bucket, key, number, bytes_[bucket, key]) for bucket, key, number in top]


def lines_of_media(raw: RawDays, what: str, wanted: Callable[[dict[str, Any]], bool]) -> Rows:
    return ranked(Counter(line[what] for line in raw.lines if line["bucket"] == "media" and wanted(line)))


def is_denied(line: dict[str, Any]) -> bool:
    return line["http_status"] == 403


def last_24_hours(raw: RawDays) -> list[dict[str, Any]]:
    """Lines with the old signature that a query at that time finds."""
    return [line for line in meanings.sigv2_lines(raw) if (NOW - meanings.utc(line)).total_seconds() < 86400]


def sigv2_user_agents(raw: RawDays) -> Rows:
    lines = last_24_hours(raw)
    found = ranked(Counter((line["bucket"], line["user_agent"]) for line in lines))
    addresses = {
        (bucket, agent): {
            line["remote_ip"] for line in lines if (line["bucket"], line["user_agent"]) == (bucket, agent)
        }
        for bucket, agent, _ in found
    }
    return [(bucket, agent, number, len(addresses[bucket, agent])) for bucket, agent, number in found]


def accesses(raw: RawDays, access: str, time: int, begin: datetime, end: datetime) -> Rows:
    """Rows of object_access within a range of one of its times."""
    rows = [row for row in meanings.object_access(raw) if row[3] == access and begin <= row[time] <= end]
    chosen = [(row[time], *row[4:]) for row in rows]
    return sorted(chosen, key=lambda row: nulls_last((row[0], row[2], row[3], row[4], row[5])))


def anonymous_between(raw: RawDays) -> Rows:
    rows = [row for row in meanings.anonymous_requests(raw) if row[0] == "cloudtrail"]
    chosen = [(row[2], row[6], row[5], *row[7:]) for row in rows]
    return sorted(chosen, key=lambda row: nulls_last((row[0], row[3], row[4])))


def callers_of_a_bucket(raw: RawDays) -> Rows:
    groups: dict[Any, list[datetime]] = {}
    for row in meanings.object_access(raw):
        if row[5] == "datalake-kr":
            groups.setdefault((row[7], row[3], row[4]), []).append(row[2])
    rows = [(*key, len(times), min(times), max(times)) for key, times in groups.items()]
    return sorted(rows, key=lambda row: (-row[3], nulls_last((row[0], row[2]))))


def sigv2_by_region(raw: RawDays) -> Rows:
    events = meanings.sigv2_events(raw)
    return ranked(
        Counter(event["user_identity_arn"] for event in events if event["aws_region"] == "ap-northeast-2")
    )


def sigv2_events(raw: RawDays) -> Rows:
    names = "event_name request_parameters aws_region source_ip_address user_agent".split()
    events = sorted(meanings.sigv2_events(raw), key=itemgetter("event_time", "event_id"))
    return [(meanings.utc(event), *(event[name] for name in names)) for event in events]


def access_log_preview(raw: RawDays) -> Rows:
    names = "bucket remote_ip requester operation key_decoded http_status bytes_sent user_agent".split()
    lines = sorted(raw.lines, key=itemgetter("request_time", "source_object", "source_record"))[:10]
    return [(meanings.kst(line), *(line[name] for name in names)) for line in lines]


def sigv2_preview(raw: RawDays) -> Rows:
    names = "bucket remote_ip operation key_decoded user_agent request_id".split()
    lines = sorted(meanings.sigv2_lines(raw), key=lambda line: (-line["request_time"], line["request_id"]))[
        :20
    ]
    return [(meanings.kst(line), *(line[name] for name in names)) for line in lines]


def bucket_metrics_by_hour(raw: RawDays) -> Rows:
    hours = [row for row in meanings.s3_requests_by_hour(raw) if row[3] == "media"]
    return [(row[2], *row[4:]) for row in sorted(hours, key=itemgetter(2))]


def users_by_service_and_day(raw: RawDays) -> Rows:
    rows = [(row[0], row[2], row[3], row[5]) for row in meanings.daily_users_by_service(raw) if row[3]]
    return sorted(rows, key=lambda row: (row[0], -row[2], row[1]))


SIGV2_FIELDS = ("remote_ip", "requester", "bucket", "operation", "user_agent")
UTC_SPAN = datetime(2023, 10, 31, 16), datetime(2023, 11, 1, 4)
KST_SPAN = datetime(2023, 11, 1, 9), datetime(2023, 11, 1, 18)
ANSWERS: dict[str, Callable[[RawDays], Rows]] = {
    "access_ip_list": lambda raw: lines_of_media(raw, "remote_ip", meanings.is_object_read),
    "access_log_preview": access_log_preview,
    "anonymous_requests_between": anonymous_between,
    "bucket_metrics_by_hour": bucket_metrics_by_hour,
    "callers_of_a_bucket": callers_of_a_bucket,
    "denied_ip_list": lambda raw: lines_of_media(raw, "remote_ip", is_denied),
    "denied_key_list": lambda raw: lines_of_media(raw, "key_decoded", is_denied),
    "most_requested_objects": most_requested_objects,
    "objects_got_between": lambda raw: accesses(raw, "get", 2, *KST_SPAN),
    "objects_put_between": lambda raw: accesses(raw, "put", 1, *UTC_SPAN),
    "requests_by_status_code": lambda raw: ranked(
        Counter(line["http_status"] for line in raw.lines if meanings.is_answered(line))
    ),
    "sigv2_events": sigv2_events,
    "sigv2_last_24_hours": lambda raw: ranked(
        Counter(tuple(line[name] for name in SIGV2_FIELDS) for line in last_24_hours(raw))
    ),
    "sigv2_preview": sigv2_preview,
    "sigv2_requesters": lambda raw: ranked(Counter(map(meanings.requester, meanings.sigv2_events(raw)))),
    "sigv2_requesters_of_a_region": sigv2_by_region,
    "sigv2_user_agents_last_24_hours": sigv2_user_agents,
    "users_and_events_by_month": lambda raw: sorted(meanings.monthly_users(raw)),
    "users_by_service_and_day": users_by_service_and_day,
}


@pytest.mark.parametrize("name", [query.name for query in QUERIES])
def test_a_query_over_the_sample_agrees_with_the_raw_logs(sample_day: Database, name: str) -> None:
    """In the order that the query defines."""
    athena, raw = sample_day
    (query,) = (query for query in QUERIES if query.name == name)
    expected = [rounded(row) for row in ANSWERS[name](raw)]
    assert expected, "the sample should have rows for it"
    assert [rounded(row) for row in athena.query(query.text, NOW)] == expected


def rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row with its means rounded to the digits on which engines agree."""
    return tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row)


def test_every_query_has_an_expected_answer() -> None:
    assert {query.name for query in QUERIES} == ANSWERS.keys()


def test_the_last_24_hours_are_only_a_part_of_the_sample(sample_day: Database) -> None:
    """Otherwise the tests of these queries would not notice a wrong filter."""
    _, raw = sample_day
    assert 0 < len(last_24_hours(raw)) < len(list(meanings.sigv2_lines(raw)))


def test_a_query_of_the_last_24_hours_finds_its_partitions(sample_day: Database) -> None:
    """24 hours can span two Korean days. The filter on the partition must not exclude any of the rows."""
    athena, raw = sample_day
    (query,) = (query for query in QUERIES if query.name == "sigv2_last_24_hours")
    for hour in range(24):
        now = datetime(2023, 11, 2, hour, 59)
        recent = [
            line for line in meanings.sigv2_lines(raw) if (now - meanings.utc(line)).total_seconds() < 86400
        ]
        assert sum(row[-1] for row in athena.query(query.text, now)) == len(recent), now


# --- Old queries over the compatibility views.


def test_the_spark_table_has_its_columns_and_types(sample_day: Database) -> None:
    athena, _ = sample_day
    found = athena.columns("SELECT * FROM cloudtrail_spark")
    assert list(found) == EARLIER_JOB
    lists = {"resources_arn", "resources_accountid", "resources_type"}
    assert {name for name, type_ in found.items() if type_ == "VARCHAR[]"} == lists
    assert [name for name, type_ in found.items() if type_ == "BOOLEAN"] == ["readonly"]
    assert {type_ for type_ in found.values()} == {"VARCHAR", "VARCHAR[]", "BOOLEAN"}


def test_the_spark_table_agrees_with_the_records(audit_days: tuple[AthenaDatabase, Path]) -> None:
    """Every value of every row, from the raw records."""
    athena, source = audit_days
    names = {column.name: column.snake for column in columns("cloudtrail", "compact")}
    rows = [row for day in (FEBRUARY, MARCH) for row in expected_day(source, day, "cloudtrail").rows.values()]
    expected = sorted(
        (tuple(earlier_cell(row, name, names) for name in EARLIER_JOB) for row in rows), key=itemgetter(6)
    )
    assert sorted(athena.query("SELECT * FROM cloudtrail_spark"), key=itemgetter(6)) == expected


def earlier_cell(row: dict[str, Any], name: str, names: dict[str, str]) -> Any:
    """A value as in the earlier job."""
    if name == "proc_ymd":
        return meanings.proc_ymd(row)
    if name == "eventtime_kst":
        return str(meanings.kst(row))
    value = row[names[name]]
    if value is not None and name in ("eventtime", "useridentity_sessioncontext_attributes_creationdate"):
        return moment(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    if value is not None and name == "useridentity_sessioncontext_attributes_mfaauthenticated":
        return str(value).lower()
    return value


def test_old_queries_of_the_spark_table_run(sample_day: Database) -> None:
    athena, raw = sample_day
    events = Counter(
        (event["event_source"], meanings.kst(event).strftime("%Y-%m-%d %H")) for event in raw.events
    )
    by_hour = (
        "SELECT eventsource, substr(eventtime_kst, 1, 13), count(eventid) FROM cloudtrail_spark GROUP BY 1, 2"
    )
    assert Counter({row[:2]: row[2] for row in athena.query(by_hour)}) == events
    people = (
        "SELECT count(DISTINCT useridentity_arn) FROM cloudtrail_spark WHERE proc_ymd LIKE '202311%' "
        "AND eventtime_kst LIKE '2023-11-01 %' AND readonly AND CAST(eventtime_kst AS timestamp) < "
        "TIMESTAMP '2023-11-02 00:00:00'"
    )
    arns = {event["user_identity_arn"] for event in raw.events if event["read_only"]} - {None}
    assert athena.query(people) == [(len(arns),)]


def test_structs_of_athenas_table_agree_with_the_records(audit_days: tuple[AthenaDatabase, Path]) -> None:
    athena, _ = audit_days
    (federated,) = athena.query(
        "SELECT useridentity.type, useridentity.principalid, useridentity.username, "
        "useridentity.onbehalfof.userid, "
        "useridentity.sessioncontext.webidfederationdata.federatedprovider, "
        "element_at(useridentity.sessioncontext.webidfederationdata.attributes, 'app:id'), "
        "cardinality(resources), resources[1].arn, resources[1].type, resources[2].arn, resources[2].type, "
        "addendum.reason, addendum.originaleventid, tlsdetails.tlsversion, "
        "tlsdetails.clientprovidedhostheader, apiversion "
        "FROM cloudtrail_athena WHERE eventtime = '2026-03-02T14:59:59Z'"
    )
    identity = ("WebIdentityUser", "accounts.google.com:app:1", "1", None, "accounts.google.com", "x")
    resources = (2, "arn:aws:iam::123456789012:role/Etl", "AWS::IAM::Role", None, "AWS::S3::Object")
    assert federated == (*identity, *resources, "UPDATED_DATA", "e-1", "TLSv1.3", "sts", "2011-06-15")
    plain = athena.query(
        "SELECT resources, readonly, sessioncredentialfromconsole, useridentity.onbehalfof.userid FROM "
        "cloudtrail_athena "
        "WHERE eventtime IN ('2026-03-01T21:00:00Z', '2026-03-01T17:04:00Z', '2026-03-01T17:11:00Z') "
        "ORDER BY eventtime"
    )
    assert plain == [(None, None, "true", None), (None, None, None, "user-1"), ([], "true", None, None)]
    session = athena.query(
        "SELECT DISTINCT useridentity.sessioncontext.sessionissuer.username, "
        "useridentity.sessioncontext.sessionissuer.type, "
        "useridentity.sessioncontext.attributes.mfaauthenticated, "
        "useridentity.sessioncontext.attributes.creationdate "
        "FROM cloudtrail_athena WHERE useridentity.principalid = 'AROAETLXXXXXXXXXXXXXX:run-1'"
    )
    assert session == [("Etl", "Role", "false", "2026-03-01T14:00:00Z")]


def test_old_queries_of_athenas_table_run(sample_day: Database) -> None:
    athena, raw = sample_day
    roles = Counter(
        event["user_identity_session_context_session_issuer_user_name"]
        for event in raw.events
        if "2023-10-31T18" <= f"{meanings.utc(event):%Y-%m-%dT%H:%M}" <= "2023-11-01T02"
    )
    by_role = (
        "SELECT useridentity.sessioncontext.sessionissuer.username AS role, count(*) FROM cloudtrail_athena "
        "WHERE eventtime BETWEEN '2023-10-31T18' AND '2023-11-01T02' GROUP BY "
        "useridentity.sessioncontext.sessionissuer.username"
    )
    assert dict(athena.query(by_role)) == roles
    old_signature = (
        "SELECT region, useridentity.arn, count(requestid) FROM cloudtrail_athena WHERE year = '2023' "
        "AND month = '11' AND day = '01' "
        "AND json_extract_scalar(additionaleventdata, '$.SignatureVersion') = 'SigV2' GROUP BY region, "
        "useridentity.arn"
    )
    november = [event for event in meanings.sigv2_events(raw) if meanings.utc(event) >= datetime(2023, 11, 1)]
    assert Counter({row[:2]: row[2] for row in athena.query(old_signature)}) == Counter(
        (event["aws_region"], event["user_identity_arn"]) for event in november
    )
    nobody = (
        "SELECT json_extract_scalar(requestparameters, '$.key') FROM cloudtrail_athena WHERE "
        "useridentity.accountid = 'anonymous' "
        "AND from_iso8601_timestamp(eventtime) >= from_iso8601_timestamp('2023-10-31T15:00:00Z') AND "
        "account = '123456789012'"
    )
    wanted = [event for event in raw.events if event["user_identity_account_id"] == "anonymous"]
    keys = Counter(
        json.loads(e["request_parameters"])["key"]
        for e in wanted
        if e["recipient_account_id"] == "123456789012"
    )
    assert Counter(key for (key,) in athena.query(nobody)) == keys
    assert keys


def test_athenas_table_of_access_logs_has_the_fields_of_the_lines(
    audit_days: tuple[AthenaDatabase, Path],
) -> None:
    """The fields of the raw line, split at its quotes and spaces, equal the columns of the view."""
    athena, source = audit_days
    found = {row[5:8]: row for row in athena.query("SELECT * FROM s3_access_athena WHERE tlsversion <> '-'")}
    lines = [line for path in (source / "access").iterdir() for line in path.read_text("utf-8").splitlines()]
    compared = 0
    for line in lines:
        fields = fields_of(line)
        if len(fields) != 27 or fields[2] > "02/Mar/2026:15" or 'a "quoted"' in line:
            continue
        row = found[fields[5], fields[6], fields[7]]
        assert list(map(as_logged, row[:27])) == fields
        assert row[27:] == ("2026/02/28", "20260228") if "28/Feb" in line else ("2026/03/01", "20260302")
        compared += 1
    assert compared > 40


def fields_of(line: str) -> list[str]:
    """The fields of a line whose quoted texts contain no quotes."""
    head, _, rest = line.partition(" [")
    time, _, rest = rest.partition("] ")
    parts = [
        part.split() if number % 2 == 0 else [f'"{part}"'] for number, part in enumerate(rest.split('"'))
    ]
    fields = [field for part in parts for field in part]
    if "CloudFront" in fields:
        at = next(number for number, field in enumerate(fields) if field.endswith("user/CloudFront"))
        fields[at : at + 5] = [" ".join(fields[at : at + 5])]
    return [*head.split(), time, *fields]


def as_logged(cell: Any) -> str:
    """A value as the line has it."""
    return "-" if cell is None else str(cell)


def test_old_queries_of_athenas_access_table_run(audit_days: tuple[AthenaDatabase, Path]) -> None:
    athena, source = audit_days
    lines = expected_day(source, MARCH, "s3_access").rows.values()
    failures = (
        "SELECT key, httpstatus, errorcode FROM s3_access_athena WHERE httpstatus LIKE '5%' "
        "AND \"timestamp\" BETWEEN '2026/03/01' AND '2026/03/02' ORDER BY httpstatus"
    )
    assert athena.query(failures) == [("-", "500", "InternalError"), ("slow.csv", "503", "SlowDown")]
    sent = (
        "SELECT coalesce(sum(bytessent), 0) FROM s3_access_athena WHERE remoteip = '203.0.113.9' AND "
        "parse_datetime(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z') BETWEEN "
        "parse_datetime('2026-03-01:16', 'yyyy-MM-dd:HH') "
        "AND parse_datetime('2026-03-01:17', 'yyyy-MM-dd:HH')"
    )
    of_hour = [line for line in lines if line["remote_ip"] == "203.0.113.9" and meanings.utc(line).hour == 16]
    assert athena.query(sent) == [(sum(line["bytes_sent"] or 0 for line in of_hour),)]
    deleted = (
        "SELECT key, requester FROM s3_access_athena "
        "WHERE operation LIKE '%DELETE%' AND key = 'Screen+Shot.png'"
    )
    assert athena.query(deleted) == [("Screen+Shot.png", "arn:aws:iam::123456789012:user/bot")]
    nobody = (
        "SELECT count(*) FROM s3_access_athena "
        "WHERE requester = '-' AND sigv = '-' AND aclrequired = '-' AND referrer = '\"-\"'"
    )
    assert athena.query(nobody) == [
        (
            sum(
                line["requester"] is None and line["signature_version"] is None and line["referer"] is None
                for line in lines
            )
            - 1,
        )
    ]
    quoted = "SELECT useragent, request_uri FROM s3_access_athena WHERE key = 'gone.csv'"
    assert athena.query(quoted) == [('"a "quoted" agent"', '"GET /gone.csv HTTP/1.1"')]


def test_compatibility_views_have_every_row(audit_days: tuple[AthenaDatabase, Path]) -> None:
    athena, _ = audit_days
    for view in COMPATIBILITY:
        table = view.name.rpartition("_")[0]
        assert athena.query(f"SELECT count(*) FROM {view.name}") == athena.query(
            f"SELECT count(*) FROM {table}"
        )
