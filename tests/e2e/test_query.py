"""`logmill query` gives the same results as DuckDB over the same files, from a folder and from S3."""

import csv
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow.parquet
import pytest
from aws import Aws, S3Lake
from glue_sql import COMPATIBILITY, DIFFERENCES, QUERIES, VIEWS, Rows, java_datetime, translated
from harness import DATASETS, SAMPLE_DATA, SAMPLE_DAY, Lake, Published, binary, environment, logmill

# Typical statements in Athena's dialect.
STATEMENTS = (
    "SELECT event_source, event_name, count(*) AS events FROM cloudtrail GROUP BY 1, 2",
    "SELECT count(*), count(error_code), count(DISTINCT source_ip_address), min(event_time), "
    "max(event_time_kst) FROM cloudtrail",
    "SELECT bucket, http_status, sum(bytes_sent), avg(total_time) FROM s3_access GROUP BY bucket, "
    "http_status",
    "SELECT json_extract_scalar(request_parameters, '$.bucketName') AS bucket, count(*) FROM cloudtrail"
    " GROUP BY 1",
    "SELECT event_id, resources_arn, read_only FROM cloudtrail WHERE cardinality(resources_arn) > 1",
    "SELECT proc_ymd, date_trunc('hour', request_time) AS hour, count(*) FROM s3_access WHERE proc_ymd "
    "= '20231101' GROUP BY 1, 2",
    "SELECT c.event_name, s.operation, count(*) FROM cloudtrail c JOIN s3_access s ON c.bucket_name = "
    "s.bucket GROUP BY 1, 2",
    "SELECT key, bytes_sent, rank() OVER (PARTITION BY bucket ORDER BY bytes_sent DESC, request_id) "
    "FROM s3_access WHERE bytes_sent IS NOT NULL",
    "SELECT eventtime, eventname, json_extract_scalar(requestparameters, '$.key') AS object, "
    "useridentity.arn FROM cloudtrail_athena WHERE eventname = 'PutObject' AND eventtime BETWEEN "
    "'2023-10-31T15:00:00Z' AND '2023-11-01T03:00:00Z'",
    "SELECT useridentity.arn, count(requestid) AS requests FROM cloudtrail_athena WHERE eventsource = "
    "'s3.amazonaws.com' AND json_extract_scalar(additionaleventdata, '$.SignatureVersion') = 'SigV2' "
    "GROUP BY useridentity.arn",
    "SELECT useridentity.sessioncontext.sessionissuer.username, element_at(resources, 1).arn FROM "
    "cloudtrail_athena",
    "SELECT requestdatetime, operation FROM s3_access_athena WHERE parse_datetime(requestdatetime, "
    "'dd/MMM/yyyy:HH:mm:ss Z') < parse_datetime('2023-11-01:00', 'yyyy-MM-dd:HH')",
    "SELECT event_name FROM cloudtrail WHERE event_name LIKE 'Get%' UNION SELECT operation FROM s3_access",
    "SELECT date_format(event_time, '%Y-%m-%dT%H:%i:%sZ'), substr(event_name, 1, 3) || '-' FROM cloudtrail",
)
# Conditions that all events of the sample day meet: in Seoul, all of them are on 1 November 2023.
ON_THE_DAY = (
    "date(event_time AT TIME ZONE 'Asia/Seoul') = date '2023-11-01'",
    "CAST(event_time AT TIME ZONE 'Asia/Seoul' AS date) = date '2023-11-01'",
    "date(at_timezone(event_time, '+09:00')) = date '2023-11-01'",
    "CAST(event_time AT TIME ZONE 'Asia/Seoul' AS varchar) LIKE '2023-11-01 %'",
    "date_format(event_time AT TIME ZONE 'Asia/Seoul', '%Y%m%d') = proc_ymd",
    "format_datetime(event_time AT TIME ZONE 'Asia/Seoul', 'yyyyMMdd') = '20231101'",
    "date_trunc('day', event_time AT TIME ZONE 'Asia/Seoul') = timestamp '2023-11-01 00:00:00 Asia/Seoul'",
    "day(event_time AT TIME ZONE 'Asia/Seoul') = 1",
    "EXTRACT(DAY FROM event_time AT TIME ZONE 'Asia/Seoul') = 1",
    "event_time >= timestamp '2023-11-01 00:00:00 Asia/Seoul' AND event_time < "
    "timestamp '2023-11-02 00:00:00 Asia/Seoul'",
    "event_time >= with_timezone(timestamp '2023-11-01 00:00:00', 'Asia/Seoul') AND event_time < "
    "with_timezone(timestamp '2023-11-02 00:00:00', 'Asia/Seoul')",
    "event_time AT TIME ZONE 'Asia/Seoul' BETWEEN from_iso8601_timestamp('2023-11-01T00:00:00+09:00') "
    "AND from_iso8601_timestamp('2023-11-01T23:59:59+09:00')",
    "CAST(event_time AT TIME ZONE 'Asia/Seoul' AS timestamp) = event_time_kst",
)
# Zones with whole, half and quarter hours of offset, and with daylight saving of an hour and of half an hour.
ZONES = ("Asia/Seoul", "Asia/Kathmandu", "America/New_York", "America/St_Johns", "Australia/Lord_Howe")

# Queries of the last 24 hours depend on the current time.
READY = [statement for statement in QUERIES if "last_24_hours" not in statement.name]

Ask = Callable[[str], Rows]


@pytest.fixture(scope="module")
def peer(sample: Published) -> duckdb.DuckDBPyConnection:
    """DuckDB over the files of the sample day, with all views."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in DATASETS:
        files = [str(part) for part in sample.lake.parts(name)]
        connection.execute(
            f"CREATE TABLE {name} AS FROM read_parquet({files}, hive_partitioning = true, "
            "hive_types = {'proc_ymd': VARCHAR})"
        )
    for difference in DIFFERENCES:
        connection.execute(difference)
    connection.create_function("java_datetime", java_datetime, ["VARCHAR", "VARCHAR"], "TIMESTAMP")
    for view in VIEWS + COMPATIBILITY:
        connection.execute(translated(view.text))
    return connection


@pytest.fixture
def s3_lake(aws: Aws) -> S3Lake:
    """The sample day in a bucket."""
    lake = aws.lake()
    aws.run(lake, source=SAMPLE_DATA)
    return lake


def answer(sql: str, lake: Lake, folder: Path) -> Rows:
    """The rows of a result written as a Parquet file."""
    file = folder / "answer.parquet"
    logmill("query", "--output", lake.root, "--to-file", file, sql)
    return rows_of(file)


def rows_of(file: Path) -> Rows:
    """The rows of a Parquet file."""
    return [tuple(row.values()) for row in unique_names(pyarrow.parquet.read_table(file)).to_pylist()]


def unique_names(table: Any) -> Any:
    """The table with numbers as column names, because two columns can have the same name."""
    return table.rename_columns([str(number) for number in range(table.num_columns)])


def comparable(rows: Rows) -> list[str]:
    """Rows in a fixed order, with numbers rounded to the digits on which engines agree."""
    return sorted(repr(tuple(map(plain, row))) for row in rows)


def plain(value: Any) -> Any:
    """A value without engine-specific details of its type."""
    match value:
        case float():
            return f"{value:.9g}"
        case datetime():
            return value.replace(tzinfo=None).isoformat()
        case {} if not value:
            # The same holds for an empty one.
            return []
        case dict():
            return {name: plain(part) for name, part in value.items()}
        case list():
            # A map is returned as a list of pairs.
            if value and all(isinstance(pair, tuple) for pair in value):
                return {name: plain(part) for name, part in value}
            return [plain(part) for part in value]
        case _:
            return value


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_statement_agrees_with_duckdb(
    sql: str, sample: Published, peer: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Over the same files, row by row."""
    ours = answer(sql, sample.lake, tmp_path)
    theirs = peer.execute(translated(sql)).fetchall()
    assert theirs, "the statement returns no rows"
    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("name", [view.name for view in VIEWS + COMPATIBILITY])
def test_a_view_agrees_with_duckdb(
    name: str, sample: Published, peer: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The text of the view is the same; sqlglot translates it for DuckDB."""
    ours = answer(f"SELECT * FROM {name}", sample.lake, tmp_path)
    theirs = peer.execute(f"SELECT * FROM {name}").fetchall()
    assert theirs
    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("name", [statement.name for statement in READY])
def test_a_ready_query_agrees_with_duckdb(
    name: str, sample: Published, peer: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """In the same order if the query defines one. Ties may have another order."""
    (statement,) = [statement for statement in READY if statement.name == name]
    ours = answer(statement.sql, sample.lake, tmp_path)
    theirs = peer.execute(translated(statement.text)).fetchall()
    if "LIMIT" in statement.text and "ORDER BY" not in statement.text:
        assert len(ours) == len(theirs)
    else:
        assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("condition", ON_THE_DAY)
def test_the_sample_day_has_its_events_by_the_clock_in_seoul(
    condition: str, sample: Published, tmp_path: Path
) -> None:
    """Of 1,430 events, 559 are before midnight UTC."""
    count = answer(f"SELECT count(*) FROM cloudtrail WHERE {condition}", sample.lake, tmp_path)
    assert count == [(1430,)]


@pytest.mark.parametrize("zone", ZONES)
def test_time_zones_agree_with_those_of_python(zone: str, sample: Published, tmp_path: Path) -> None:
    """At 1,214 instants of 2023, about seven hours apart."""
    first, end, apart = 1_672_531_200, 1_704_067_200, 25_980
    sql = f"""SELECT CAST(t AS varchar) AS a, date(t) AS b, hour(t) AS c, minute(t) AS d,
        CAST(t AS timestamp) AS e, to_iso8601(t) AS f
        FROM (SELECT from_unixtime(value, '{zone}') AS t FROM generate_series({first}, {end}, {apart}))"""
    found = sorted(answer(sql, sample.lake, tmp_path), key=lambda row: row[5])
    clocks = [
        datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))
        for seconds in range(first, end + 1, apart)
    ]
    expected = [
        (
            f"{clock:%Y-%m-%d %H:%M:%S}.000 {zone}",
            clock.date(),
            clock.hour,
            clock.minute,
            clock.replace(tzinfo=None),
            clock.isoformat(timespec="milliseconds"),
        )
        for clock in clocks
    ]
    assert len(expected) == 1214
    assert found == sorted(expected, key=lambda row: row[5])


def test_a_lake_in_s3_agrees_with_a_folder(
    aws: Aws, s3_lake: S3Lake, sample: Published, tmp_path: Path
) -> None:
    """The query reads ranges of the files that manifests name, with the credentials of a run."""
    # Files of a killed run do not belong to the day.
    aws.put(s3_lake.bucket, {f"{s3_lake.below}cloudtrail/proc_ymd=20231101/x/part-00000.parquet": b"x"})
    for sql in (*STATEMENTS[:4], "SELECT * FROM monthly_users", "SELECT * FROM sigv2_requests"):
        file = tmp_path / "s3.parquet"
        messages = aws.logmill("query", "--output", s3_lake.url, "--to-file", file, sql).stderr
        assert comparable(rows_of(file)) == comparable(answer(sql, sample.lake, tmp_path)), messages


def test_the_columns_about_files_agree_with_s3(aws: Aws, s3_lake: S3Lake) -> None:
    """Path, size and `Last-Modified`, as S3 lists them."""
    sql = 'SELECT DISTINCT "$path" AS path, "$file_size" AS size, "$file_modified_time" AS time FROM cloudtrail'
    result = aws.logmill("query", "--output", s3_lake.url, "--format", "json", sql)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    listed = aws.s3.list_objects_v2(Bucket=s3_lake.bucket)["Contents"]
    expected = [
        {
            "path": f"s3://{s3_lake.bucket}/{item['Key']}",
            "size": item["Size"],
            "time": f"{item['LastModified'].astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        }
        for item in listed
        if item["Key"].startswith(f"{s3_lake.below}cloudtrail/")
    ]
    for row in rows:
        # Only some stores list milliseconds.
        row["time"] = row["time"].removesuffix(" UTC")[:19]
    assert expected
    assert sorted(rows, key=str) == sorted(expected, key=str)


# Decimals, whose quotients DuckDB makes doubles: what DuckDB is asked instead has the digits of Trino's rules.
DECIMALS = (
    (
        "SELECT bucket, 100.0 * count_if(http_status >= 400) / count(*) FROM s3_access GROUP BY bucket",
        "SELECT bucket, round(100.0 * count(*) FILTER (http_status >= 400) / count(*), 1)::DECIMAL(30, 1) "
        "FROM s3_access GROUP BY bucket",
    ),
    (
        "SELECT sum(bytes_sent * 0.25), max(total_time + 1.5), min(total_time - 0.05) FROM s3_access",
        "SELECT sum(bytes_sent * 0.25), max(total_time + 1.5), min(total_time - 0.05) FROM s3_access",
    ),
    (
        "SELECT count(*) FROM s3_access WHERE total_time > 1.5 AND bytes_sent / 1024.00 >= 2.5",
        "SELECT count(*) FROM s3_access WHERE total_time > 1.5 AND round(bytes_sent / 1024.0, 2) >= 2.5",
    ),
)


@pytest.mark.parametrize(("sql", "peers"), DECIMALS)
def test_decimals_agree_with_duckdb(
    sql: str, peers: str, sample: Published, peer: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Products, sums and comparisons of decimals are the same in both; quotients are rounded for the comparison."""
    assert comparable(answer(sql, sample.lake, tmp_path)) == comparable(peer.execute(peers).fetchall())


def test_unselected_days_are_not_read(aws: Aws, s3_lake: S3Lake) -> None:
    """Neither their manifests nor their footers are read."""
    sql = "SELECT event_id FROM cloudtrail WHERE proc_ymd = '20231102'"
    result = aws.logmill("query", "--output", s3_lake.url, "--format", "csv", sql)
    assert result.stdout == "event_id\n"
    assert "scanned 0 B of 0 files" in result.stderr


def test_a_missing_bucket_is_reported(aws: Aws) -> None:
    """The exit code is that of an unusable output."""
    result = aws.logmill(
        "query", "--output", "s3://no-such-bucket-here/lake", "SELECT 1 FROM cloudtrail", code=4
    )
    assert "no-such-bucket-here" in result.stderr


def test_every_output_format_has_the_same_rows(sample: Published, tmp_path: Path) -> None:
    """CSV, JSON lines and Parquet contain the same values."""
    columns = "event_id, event_name, event_time, read_only, user_agent"
    sql = f"SELECT {columns} FROM cloudtrail ORDER BY event_id, event_time"
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        logmill("query", "--output", sample.lake.root, "--to-file", tmp_path / name, sql)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        from_csv = list(csv.DictReader(file))
    lines = (tmp_path / "a.jsonl").read_text("utf-8").splitlines()
    from_json = [json.loads(line) for line in lines]
    from_parquet = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert len(from_csv) == len(from_json) == len(from_parquet) == sample.ledger("cloudtrail")["written"]
    for text, value, cell in zip(from_csv, from_json, from_parquet, strict=True):
        time = f"{cell['event_time']:%Y-%m-%d %H:%M:%S}.000"
        assert text["event_id"] == value["event_id"] == cell["event_id"]
        assert text["event_time"] == value["event_time"] == time
        assert value["read_only"] == cell["read_only"]
        assert text["user_agent"] == (value["user_agent"] or "") == (cell["user_agent"] or "")


def test_a_closed_output_is_not_an_error(sample: Published) -> None:
    """As with `| head -1`."""
    query = "query --quiet --format csv 'SELECT * FROM cloudtrail, s3_access'"
    command = f"'{binary()}' {query} --output '{sample.lake.root}' | head -1"
    shell = ["bash", "-o", "pipefail", "-c", command]
    result = subprocess.run(
        shell, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("event_version,") or result.stdout.count("\n") == 1


def test_a_query_can_be_limited_to_a_day(sample: Published) -> None:
    """`--day` excludes all other days."""
    for day, rows in ((SAMPLE_DAY, sample.ledger("s3_access")["written"]), ("2023-11-02", 0)):
        count = logmill(
            "query", "--output", sample.lake.root, "--day", day, "SELECT count(*) AS n FROM s3_access"
        )
        assert count.stdout == f"n\n{rows}\n"
