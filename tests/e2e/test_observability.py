"""The output of a run matches docs/observability.md, and its numbers are consistent."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aws import Aws
from catalog import Registered
from faults import ACCESS_DENIED
from harness import DATASETS, NAMED, REPOSITORY, SAMPLE_DATA, SAMPLE_DAY, balanced, logmill, partition
from small_day import few_objects

PAGE = REPOSITORY / "docs" / "observability.md"
OF_A_RUN = {"every one", "of a day"}
OF_A_TABLE = OF_A_RUN | {"of a table"}
FIELDS_OF_EVENTS = {
    # Logged before the run has started.
    "not_built": {"every one"},
    # Logged after the run.
    "no_logs": {"every one"},
    "planned": OF_A_TABLE,
    "read": OF_A_TABLE,
    "written": OF_A_TABLE,
    "published": OF_A_TABLE,
    "registered": OF_A_TABLE,
    "cleaned": OF_A_TABLE,
    "failed": OF_A_TABLE,
    "left out": OF_A_TABLE,
    "finished": OF_A_RUN,
}
# A trail with digests, which name an altered and a missing file.
TRAIL = ("--input", "sample-trail/damaged", "--public-keys", "sample-trail/keys.json")
OF_DIGESTS = {"DaysProved", "FilesNamed", "FilesAltered", "FilesMissing", "FilesUnnamed"}
STEPS = ["planned", "read", "written", "published"]
COUNTS = ("read", "written", "other_day", "duplicate", "quarantined", "filtered")
Event = dict[str, Any]


def section(title: str) -> list[list[str]]:
    """The cells of the tables in a section of the page, without their heads."""
    text = PAGE.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    heads = {place - 1 for place, row in enumerate(rows) if set("".join(row)) <= set("-| ")}
    cells = [row for place, row in enumerate(rows) if not {place, place - 1} & heads]
    assert cells, f"the section {title} needs a table"
    return [[cell.strip() for cell in row] for row in cells]


def names(cell: str) -> list[str]:
    """The names formatted as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def documented_events() -> dict[str, set[str]]:
    """The fields by event, or by group of events, as the page lists them."""
    fields: dict[str, set[str]] = {}
    for event, field, _ in section("Events"):
        fields.setdefault(event.strip("`"), set()).update(names(field))
    return fields


def run_json(*arguments: str | Path, **how: Any) -> list[Event]:
    """The events of a run."""
    result = logmill(*arguments, "--log-format", "json", **how)
    return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The events of a run whose tables are refused."""
    lake = tmp_path_factory.mktemp("refused")
    arguments = ("run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, *NAMED, "--output", lake)
    return run_json(*arguments, "--max-reject-ratio", "0", code=3)


@pytest.fixture(scope="module")
def warned(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """The events of runs over damage, the folder of one date, an altered trail, and a day without objects."""
    raw, lake = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("lake")
    (raw / "x_CloudTrail_r_20231101T0310Z_x.json.gz").write_bytes(gzip.compress(b'{"Records":[{'))
    (raw / "notes").write_text("no log")
    (raw / "x_CloudTrail_r_20231101T0310Z_z.json.gz").symlink_to("nowhere")
    event = '{"eventTime":"2023-11-01T00:00:00Z","eventID":"a"}'
    good = raw / "x_CloudTrail_r_20231101T0310Z_y.json.gz"
    good.write_bytes(gzip.compress(f'{{"Records":[{event}]}}'.encode()))
    (lake / "_runs").write_text("no folder")
    arguments = ("run", "--day", SAMPLE_DAY, "--dataset", "cloudtrail", "--input", raw, "--output", lake)
    events = run_json(*arguments, "--max-reject-ratio", "1")
    dated = raw / "2023" / "11" / "01"
    dated.mkdir(parents=True)
    good.rename(dated / good.name)
    arguments = ("run", "--day", SAMPLE_DAY, "--input", dated, "--output", lake)
    events += run_json(*arguments, "--max-reject-ratio", "1")
    quiet = ("run", "--day", "2020-01-01", "--dataset", "cloudtrail", "--input", SAMPLE_DATA, "--output", lake)
    unproved = ("run", "--day", SAMPLE_DAY, "--dataset", "cloudtrail", *TRAIL)
    events += run_json(*unproved, "--output", tmp_path_factory.mktemp("unproved"))
    return events + run_json(*quiet)


@pytest.fixture
def registered(catalog: Registered) -> tuple[Registered, list[Event], dict[str, Any]]:
    """A published and registered day, its events and its summary."""
    source = catalog.aws.source(few_objects())
    arguments = ("run", "--day", SAMPLE_DAY, "--input", source, "--output", catalog.lake.url, "-vv")
    given = (*arguments, *catalog.options, "--create-database", "--summary-json", "-")
    result = catalog.aws.logmill(*given, "--log-format", "json")
    events = [json.loads(line) for line in result.stderr.splitlines()]
    return catalog, [event for event in events if event["event"] != "not_built"], json.loads(result.stdout)


def test_all_events_and_fields_are_defined_and_all_defined_ones_occur(
    registered: tuple[Registered, list[Event], dict[str, Any]], failed: list[Event], warned: list[Event]
) -> None:
    defined, messages = documented_events(), {}
    assert defined.keys() == FIELDS_OF_EVENTS.keys() | OF_A_TABLE | {"warnings"}
    shared = set().union(*(defined[group] for group in OF_A_TABLE))
    for event in [*registered[1], *failed, *warned]:
        name = "warnings" if event["level"] == "warn" else event["event"]
        assert name in defined, f"an undefined event: {event}"
        expected = defined[name].union(*(defined[group] for group in FIELDS_OF_EVENTS.get(name, OF_A_TABLE)))
        if name == "warnings":
            assert event.keys() <= expected
        else:
            assert event.keys() == expected, event
        messages.setdefault(name, set()).update(event.keys() - shared)
    assert messages == {name: fields - shared for name, fields in defined.items() if name not in OF_A_TABLE}


def test_the_events_of_a_table_follow_its_steps_to_the_end(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    _, events, summary = registered
    for table in DATASETS:
        steps = [event["event"] for event in events if event.get("table") == table]
        steps = [step for step in steps if step in FIELDS_OF_EVENTS and step != "left out"]
        assert steps == [*STEPS, "registered", "cleaned"]
    assert [event["event"] for event in events].count("finished") == 1
    finished = events[-1]
    assert (finished["event"], finished["exit_code"], finished["level"]) == ("finished", 0, "info")
    assert {event["run"] for event in events} == {summary["run"]}
    assert {event["day"] for event in events} == {SAMPLE_DAY}


def test_events_agree_with_the_summary(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    _, events, summary = registered
    total = dict.fromkeys((*COUNTS, "objects", "bytes", "files", "file_bytes"), 0)
    requests = 0
    for table in summary["tables"]:
        planned, read, written, published = (
            next(event for event in events if (event["event"], event.get("table")) == (step, table["table"]))
            for step in STEPS
        )
        assert planned["dataset"] == table["dataset"] == DATASETS[table["table"]]
        assert planned["objects"] == read["objects"] == table["objects"]
        assert (planned["bytes"], planned["left"]) == (table["bytes"], table["objects_left"])
        requests += planned["requests"]
        assert read["rows"] == table["read"]
        assert (written["files"], written["bytes"]) == (table["files"], table["file_bytes"])
        assert written["rows"] == table["written"]
        assert published["ledger"] == {name: table[name] for name in COUNTS}
        assert published["provisional"] == table["provisional"]
        total = {name: total[name] + table[name] for name in total}
    # Tables share pages, so one alone may send no request.
    assert requests > 0
    finished = events[-1]
    assert finished["ledger"] == {name: total[name] for name in COUNTS}
    assert (finished["objects"], finished["input_bytes"]) == (total["objects"], total["bytes"])
    assert (finished["files"], finished["file_bytes"]) == (total["files"], total["file_bytes"])
    assert (finished["published"], finished["failed"]) == (len(DATASETS), 0)


def test_a_failure_is_logged_once_with_its_kind_and_ends_the_run(failed: list[Event]) -> None:
    failures = [event for event in failed if event["event"] == "failed"]
    assert [event["table"] for event in failures] == sorted(DATASETS)
    assert {(event["level"], event["kind"], event["exit_code"]) for event in failures} == {
        ("error", "too_many_rejects", 3)
    }
    finished = failed[-1]
    assert (finished["level"], finished["exit_code"]) == ("error", 3)
    assert (finished["published"], finished["failed"], finished["objects"]) == (0, len(DATASETS), 0)


def test_a_run_in_s3_records_the_etags_of_the_objects_it_read(
    aws: Aws, registered: tuple[Registered, list[Event], dict[str, Any]]
) -> None:
    lake, summary = registered[0].lake, registered[2]
    run = summary["run"]
    for table in DATASETS:
        folder = f"_runs/{table}/{partition(SAMPLE_DAY)}"
        record = json.loads(lake.get(f"{folder}/{run}.json"))
        assert record["manifest"] == lake.manifest(table)
        assert record["outcome"] == "published"
        assert record["seconds"].keys() == {"plan", "read", "write", "publish", "register", "clean"}
        copy = lake.get(f"{folder}/{run}.inputs.jsonl.gz")
        assert copy == lake.get(lake.manifest(table)["inputs_file"]["path"])
        inputs = [json.loads(line) for line in gzip.decompress(copy).splitlines()]
        assert inputs
        for line in inputs:
            bucket, key = line["object"].removeprefix("s3://").split("/", 1)
            assert aws.s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"') == line["etag"]
    lake.assert_clean()


def test_an_unregistered_day_counts_as_published_and_failed(
    catalog: Registered, tmp_path: Path
) -> None:
    """In its run record, its events and its metrics alike."""
    file, source = tmp_path / "logmill.prom", catalog.aws.source(few_objects())
    arguments = ("run", "--day", SAMPLE_DAY, "--input", source, "--output", catalog.lake.url)
    given = (*arguments, *catalog.options, "--metrics-file", file, "--emf", "--log-format", "json")
    catalog.aws.proxy.rule(ACCESS_DENIED, operation="CreateTable")
    result = catalog.aws.logmill(*given, "--create-database", code=6)
    events = [json.loads(line) for line in result.stderr.splitlines()]
    for table in DATASETS:
        [path] = [path for path in catalog.lake.history() if re.match(rf"_runs/{table}/.*Z-\w+\.json", path)]
        record = json.loads(catalog.lake.get(path))
        assert record["manifest"] == catalog.lake.manifest(table)
        assert (record["outcome"], record["error"]["kind"]) == ("published", "not_registered")
        assert "register" not in record["seconds"]
        steps = [event["event"] for event in events if event.get("table") == table and "event" in event]
        assert steps == [*STEPS, "failed"]
        [line] = [line for line in emf_lines(result.stderr) if line["table"] == table]
        assert (line["DaysPublished"], line["Failures"]) == (1, 1)
    assert (events[-1]["published"], events[-1]["failed"], events[-1]["exit_code"]) == (2, 2, 6)
    found = metrics(file)
    for table in DATASETS:
        assert found["logmill_run_days"][of_table(table, outcome="published")] == 1
        assert found["logmill_run_failures"][of_table(table, reason="not_registered")] == 1
    assert found["logmill_last_success_timestamp_seconds"] == {}
    assert set(found["logmill_last_run_exit_code"].values()) == {6}


def test_the_fields_of_a_run_record_match_their_definition(
    registered: tuple[Registered, list[Event], dict[str, Any]],
) -> None:
    lake, run = registered[0].lake, registered[2]["run"]
    defined = [name for fields, _ in section("Run records") for name in names(fields)]
    # Present only if some rows are not kept.
    defined.remove("counted_only")
    record = json.loads(lake.get(f"_runs/cloudtrail/{partition(SAMPLE_DAY)}/{run}.json"))
    assert list(record) == defined


def test_a_run_record_is_written_like_every_other_object(catalog: Registered) -> None:
    """With the configured encryption, tags and grants."""
    aws, lake = catalog.aws, catalog.lake
    aws.run(lake, "--sse", "s3", "--tag", "team=data", source=aws.source(few_objects()))
    assert lake.history()
    for path in lake.history():
        key = {"Bucket": lake.bucket, "Key": lake.below + path}
        assert aws.s3.head_object(**key)["ServerSideEncryption"] == "AES256"
        assert aws.s3.get_object_tagging(**key)["TagSet"] == [{"Key": "team", "Value": "data"}]


def metrics(file: Path) -> dict[str, dict[frozenset[tuple[str, str]], float]]:
    """Values by labels and metric, as an independent parser reads the file."""
    text = file.read_text("utf-8")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.count("# TYPE ") == text.count("# HELP ") == len(families)
    for family in families.values():
        assert family.type == "gauge"
        assert family.documentation
        assert all(sample.name == family.name for sample in family.samples)
        assert len({frozenset(sample.labels.items()) for sample in family.samples}) == len(family.samples)
    return {
        name: {frozenset(sample.labels.items()): sample.value for sample in family.samples}
        for name, family in families.items()
    }


def of_table(table: str, **labels: str) -> frozenset[tuple[str, str]]:
    """The labels of a series of a table."""
    return frozenset({"table": table, "dataset": DATASETS[table], **labels}.items())


def run_with_metrics(
    file: Path, lake: Path, *options: str | Path, day: str = SAMPLE_DAY, code: int = 0
) -> tuple[dict[str, Any], dict[str, dict[frozenset[tuple[str, str]], float]]]:
    """The summary of a run of the sample, and its metrics."""
    arguments = ("run", "--day", day, "--input", SAMPLE_DATA, *NAMED, "--output", lake, "--quiet", *options)
    result = logmill(*arguments, "--metrics-file", file, "--summary-json", "-", code=code)
    assert [path.name for path in file.parent.iterdir() if path.name != lake.name] == [file.name]
    return balanced(result.stdout), metrics(file)


def test_all_metrics_are_defined_with_labels_and_all_defined_ones_are_written(tmp_path: Path) -> None:
    file, lake = tmp_path / "logmill.prom", tmp_path / "lake"
    rows = section("Metrics for Prometheus")
    defined = {names(metric)[0]: set(names(labels)) for metric, labels, _ in rows}
    written: dict[str, set[str]] = {name: set() for name in run_with_metrics(file, lake)[1]}
    for code, options in ((0, ("1", *TRAIL)), (3, ("0",))):
        _, found = run_with_metrics(file, lake, "--max-reject-ratio", *options, code=code)
        for name, series in found.items():
            for labels in series:
                written[name] = {label for label, _ in labels}
    assert written == defined


def test_metrics_agree_with_the_summary(tmp_path: Path) -> None:
    summary, found = run_with_metrics(tmp_path / "logmill.prom", tmp_path / "lake")
    assert found["logmill_exit_code"] == {frozenset(): 0}
    assert found["logmill_build_info"] == {frozenset({("version", summary["logmill"])}): 1}
    for entry in summary["tables"]:
        table = entry["table"]
        single = {
            "last_run_exit_code": 0,
            "newest_day_timestamp_seconds": 1698764400,
            "newest_day_provisional": 0,
            "run_rows_read": entry["read"],
            "run_objects": entry["objects"],
            "run_input_bytes": entry["bytes"],
            "run_output_files": entry["files"],
            "run_output_bytes": entry["file_bytes"],
        }
        for name, value in single.items():
            assert found[f"logmill_{name}"][of_table(table)] == value, name
        outcomes = [name for name in COUNTS if name != "read"]
        rows = {name: found["logmill_run_rows"][of_table(table, outcome=name)] for name in outcomes}
        assert rows == {name: entry[name] for name in outcomes}
        assert sum(rows.values()) == entry["read"]
        days = found["logmill_run_days"]
        assert days[of_table(table, outcome="published")] == 1
        assert days[of_table(table, outcome="failed")] == 0
        last = found["logmill_last_run_timestamp_seconds"][of_table(table)]
        assert found["logmill_last_success_timestamp_seconds"][of_table(table)] == last > 1.7e9
    assert found["logmill_run_failures"] == {}


def test_a_failed_run_keeps_the_last_success(tmp_path: Path) -> None:
    """So does a run on other tables."""
    file, lake = tmp_path / "logmill.prom", tmp_path / "lake"
    _, before = run_with_metrics(file, lake)
    success = before["logmill_last_success_timestamp_seconds"]
    assert success.keys() == {of_table(table) for table in DATASETS}
    _, after = run_with_metrics(file, lake, "--max-reject-ratio", "0", code=3)
    assert after["logmill_last_success_timestamp_seconds"] == success
    assert after["logmill_newest_day_timestamp_seconds"] == before["logmill_newest_day_timestamp_seconds"]
    assert after["logmill_exit_code"] == {frozenset(): 3}
    for table in DATASETS:
        assert after["logmill_last_run_exit_code"][of_table(table)] == 3
        assert after["logmill_run_failures"] == {
            of_table(name, reason="too_many_rejects"): 1 for name in DATASETS
        }
        assert after["logmill_run_rows_read"][of_table(table)] == 0
    _, last = run_with_metrics(file, lake, "--dataset", "cloudtrail")
    newer = last["logmill_last_success_timestamp_seconds"]
    assert newer[of_table("s3_access")] == success[of_table("s3_access")]
    assert newer[of_table("cloudtrail")] > success[of_table("cloudtrail")]
    assert last["logmill_last_run_exit_code"] == {of_table("cloudtrail"): 0}


def test_an_earlier_day_does_not_replace_the_newest_day(tmp_path: Path) -> None:
    """Its provisional state is kept as well."""
    file, lake = tmp_path / "logmill.prom", tmp_path / "lake"
    _, today = run_with_metrics(file, lake, day="today")
    newest, provisional = "logmill_newest_day_timestamp_seconds", "logmill_newest_day_provisional"
    assert set(today[provisional].values()) == {1}
    assert min(today[newest].values()) > 1698764400
    _, after = run_with_metrics(file, lake)
    assert (after[newest], after[provisional]) == (today[newest], today[provisional])


def test_publishing_shards_writes_metrics_too(tmp_path: Path) -> None:
    plan, file = tmp_path / "plan.json", tmp_path / "logmill.prom"
    given = ("--day", SAMPLE_DAY, "--input", SAMPLE_DATA, "--dataset", "s3-access", "--format", "json")
    plan.write_text(logmill("plan", *given).stdout)
    logmill("convert", "--plan", plan, "--staging", tmp_path / "staging")
    publish = ("publish", "--plan", plan, "--staging", tmp_path / "staging", "--output", tmp_path / "lake")
    logmill(*publish, env={"LOGMILL_METRICS_FILE": str(file)})
    steps = metrics(file)["logmill_run_step_seconds"]
    assert steps.keys() == {of_table("s3_access", step=step) for step in ("write", "publish", "clean")}


def test_an_unwritable_metrics_file_is_refused_before_the_run(tmp_path: Path) -> None:
    """A device is refused because a file would replace it. Failures at the end of a run are only warnings."""
    lake = tmp_path / "lake"
    arguments = ("run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, "--output", lake, "--metrics-file")
    for file in (tmp_path / "missing" / "x.prom", tmp_path, Path("/dev/null")):
        assert "--metrics-file" in logmill(*arguments, file, code=2).stderr
    assert not lake.exists()
    messages = logmill(*arguments, "/proc/logmill.prom").stderr
    assert "cannot write the metrics" in messages
    assert (lake / "cloudtrail").exists()


UNITS = {"Seconds", "Bytes", "Count", "Percent", "Bytes/Second", "Count/Second", "None"}


def assert_is_emf(line: dict[str, Any]) -> dict[str, str]:
    """Asserts what AWS's specification of the format requires. Returns the unit of each metric."""
    assert len(json.dumps(line)) < 256 * 1024
    metadata = line["_aws"]
    assert isinstance(metadata["Timestamp"], int)
    assert 1.7e12 < metadata["Timestamp"] < 1e13, "milliseconds since the epoch"
    [directive] = metadata["CloudWatchMetrics"]
    assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
    assert 0 < len(directive["Namespace"]) <= 1024
    assert not directive["Namespace"].startswith(":")
    assert directive["Dimensions"]
    for dimensions in directive["Dimensions"]:
        assert len(dimensions) <= 30
        for name in dimensions:
            assert isinstance(line[name], str)
            assert 0 < len(line[name]) <= 1024
    assert 0 < len(directive["Metrics"]) <= 100
    units = {}
    for metric in directive["Metrics"]:
        assert metric.keys() == {"Name", "Unit"}
        assert 0 < len(metric["Name"]) <= 1024
        assert metric["Unit"] in UNITS
        value = line[metric["Name"]]
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        units[metric["Name"]] = metric["Unit"]
    assert len(units) == len(directive["Metrics"]), "a name occurs more than once"
    return units


def emf_lines(stderr: str) -> list[dict[str, Any]]:
    """The lines in the Embedded Metric Format."""
    lines = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


@pytest.mark.parametrize("way", [("--quiet",), ("--log-format", "json"), ("-v",)])
def test_each_table_and_day_has_a_line_for_cloudwatch(tmp_path: Path, way: tuple[str, ...]) -> None:
    """At any log level."""
    of_all = {names(metric)[0]: unit for metric, unit, _ in section("Metrics for CloudWatch")}
    defined = {name: unit for name, unit in of_all.items() if name not in OF_DIGESTS}
    trail = ("run", "--day", SAMPLE_DAY, "--dataset", "cloudtrail", *TRAIL, "--output", tmp_path / "trail")
    [line] = emf_lines(logmill(*trail, *way, "--emf").stderr)
    assert assert_is_emf(line) == of_all
    assert [line[name] for name in of_all if name in OF_DIGESTS] == [0, 11, 1, 1, 0]
    arguments = ("run", "--day", SAMPLE_DAY, "--input", SAMPLE_DATA, *NAMED, "--output", tmp_path / "lake", *way)
    result = logmill(*arguments, "--emf", "--summary-json", "-")
    summary = balanced(result.stdout)
    lines = {line["table"]: line for line in emf_lines(result.stderr)}
    assert lines.keys() == DATASETS.keys()
    for entry in summary["tables"]:
        line = lines[entry["table"]]
        assert assert_is_emf(line) == defined
        rows = [line[name] for name in defined if name.startswith("Rows")]
        assert rows == [entry[name] for name in COUNTS]
        assert (line["Objects"], line["InputBytes"]) == (entry["objects"], entry["bytes"])
        assert (line["OutputFiles"], line["OutputBytes"]) == (entry["files"], entry["file_bytes"])
        assert (line["DaysPublished"], line["Failures"], line["DaysProvisional"]) == (1, 0, 0)
        assert (line["day"], line["run"], line["dataset"]) == (SAMPLE_DAY, summary["run"], entry["dataset"])
    refused = logmill(*arguments, "--max-reject-ratio", "0", code=3, env={"LOGMILL_EMF": "1"})
    failed = emf_lines(refused.stderr)
    assert len(failed) == len(DATASETS)
    for line in failed:
        assert list(assert_is_emf(line)) == list(defined)[:3]
        assert (line["DaysPublished"], line["Failures"]) == (0, 1)
        assert (line["outcome"], line["error"]) == ("failed", "too_many_rejects")
    assert emf_lines(logmill(*arguments).stderr) == []
