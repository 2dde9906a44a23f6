"""QuickSight as code: the template matches its tables, AWS accepts it, and its columns exist in the views."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import make
import pytest
from cfnlint import lint_file
from cfnlint.config import ManualArgs
from cfnlint.decode import decode

from api_limits import objections
from aws import Aws
from catalog import Registered
from dashboards import MAIN, OTHERS, Dashboards
from faults import running
from glue_sql import VIEWS, AthenaDatabase
from harness import DATASETS, REPOSITORY
from log_tables import QUICKSIGHT_TYPES
from test_deployment import REGIONS

FOLDER = REPOSITORY / "glue" / "quicksight"
ACCOUNT = "123456789012"
ARN = f"arn:aws:quicksight:ap-northeast-2:{ACCOUNT}"
DEPLOYED = {
    "AWS::AccountId": ACCOUNT,
    "DatabaseName": "logs",
    "LookbackDays": 7,
    "NamePrefix": "logmill",
    "PrincipalArn": f"{ARN}:user/default/kim",
    "RefreshAt": "06:00",
    "WorkGroup": "primary",
}
# The types that a field of a visual may have.
FIELD_TYPES = {
    "CategoricalDimensionField": {"STRING"},
    "DateDimensionField": {"DATETIME"},
    "DateMeasureField": {"DATETIME"},
    "NumericalDimensionField": {"INTEGER", "DECIMAL"},
    "NumericalMeasureField": {"INTEGER", "DECIMAL"},
    "TimeRangeFilter": {"DATETIME"},
}
DAY = "day_kst"
# The maximum size in bytes of a template that is uploaded to a bucket.
MOST_BYTES = 1_000_000

Json = dict[str, Any]


def committed() -> Json:
    """The template as CloudFormation reads it."""
    return json.loads(decoded())


@cache
def decoded() -> str:
    """The template as JSON."""
    content, problems = decode(str(FOLDER / "dashboards.yaml"))
    assert not problems, problems
    return json.dumps(content)


def deployed(value: Any) -> Any:
    """A part of the template with its functions resolved."""
    match value:
        case {"Ref": name}:
            return DEPLOYED[name]
        case {"Fn::Sub": text}:
            for name, replacement in DEPLOYED.items():
                text = text.replace(f"${{{name}}}", str(replacement))
            return text
        case {"Fn::GetAtt": [resource, "Arn"]}:
            return f"{ARN}:thing/{resource}"
        case dict():
            return {name: deployed(part) for name, part in value.items()}
        case list():
            return [deployed(part) for part in value]
    return value


def resources(kind: str) -> dict[str, Json]:
    """The resources of a kind as they are deployed."""
    found = committed()["Resources"].items()
    return {
        name: deployed(it["Properties"]) for name, it in found if it["Type"] == f"AWS::QuickSight::{kind}"
    }


def requests() -> Iterator[tuple[str, Json]]:
    """The calls that CloudFormation makes for the resources."""
    for kind in ("DataSource", "DataSet", "Analysis", "Dashboard"):
        for properties in resources(kind).values():
            refresh = properties.pop("DataSetRefreshProperties", None)
            yield f"Create{kind}", properties
            if refresh:
                known = {name: properties[name] for name in ("AwsAccountId", "DataSetId")}
                yield "PutDataSetRefreshProperties", known | {"DataSetRefreshProperties": refresh}
    for properties in resources("RefreshSchedule").values():
        frequency = properties["Schedule"]["ScheduleFrequency"]
        frequency["Timezone"] = frequency.pop("TimeZone")
        yield "CreateRefreshSchedule", properties


def walked(value: Any) -> Iterator[tuple[str, Json]]:
    """Every named object inside a value."""
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, dict):
                yield name, part
            yield from walked(part)
    elif isinstance(value, list):
        for part in value:
            yield from walked(part)


@pytest.fixture(scope="module")
def athena(aws_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AthenaDatabase]:
    """The views over the sample day."""
    with running(aws_server) as proxy:
        aws = Aws(aws_server, proxy)
        registered = Registered(aws, aws.lake(), aws.database())
        registered.run(source="sample-data")
        yield AthenaDatabase(registered, tmp_path_factory.mktemp("athena"))


def column_types(athena: AthenaDatabase, view: str) -> dict[str, str]:
    """The columns of a view with their QuickSight types."""
    found = athena.columns(f"SELECT * FROM {view}")
    return {name: QUICKSIGHT_TYPES[type_] for name, type_ in found.items()}


# --- The template.


def test_the_committed_template_matches_the_tables() -> None:
    assert (FOLDER / "dashboards.yaml").read_text("utf-8") == make.text(), "run glue/quicksight/make.py"
    assert committed() == make.template()
    assert len(make.text().encode()) < MOST_BYTES


def test_cfn_lint_finds_nothing() -> None:
    options = ManualArgs(regions=REGIONS, include_checks=["I"])
    assert [str(found) for found in lint_file(FOLDER / "dashboards.yaml", options)] == []


def test_cfn_lint_knows_quicksight(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(make.text().replace('"SPICE"', '"SPICY"').replace('"VISIBLE"', '"SEEN"'), "utf-8")
    found = [str(match) for match in lint_file(wrong, ManualArgs(regions=["us-east-1"]))]
    assert any("SPICY" in text for text in found)
    assert any("SEEN" in text for text in found)


def test_quicksight_accepts_every_resource() -> None:
    calls = list(requests())
    for operation, request in calls:
        assert objections("quicksight", operation, request) == [], operation
    # A data source, data sets, refresh properties for all but one, schedules, analysis and dashboard.
    assert len(calls) == 1 + 3 * len(MAIN.data_sets) - 1 + 2


@pytest.mark.parametrize(
    ("wrong", "objection"),
    [
        ({"Status": "ON"}, "is not one of"),
        ({"FilterGroupId": "has blanks"}, "does not match"),
        ({"Filters": "all"}, "Invalid type"),
        ({"Extra": 1}, "Unknown parameter"),
    ],
)
def test_the_validator_finds_what_quicksight_refuses(wrong: Json, objection: str) -> None:
    (request,) = resources("Dashboard").values()
    request["Definition"]["FilterGroups"][0] |= wrong
    (found,) = objections("quicksight", "CreateDashboard", request)
    assert objection in found


def test_moto_accepts_the_resources_that_it_supports(aws: Aws) -> None:
    """Data source, data sets, dashboard, and the refresh that a job starts."""
    quicksight = aws.client("quicksight")
    for name, properties in resources("DataSource").items():
        assert quicksight.create_data_source(**properties)["Status"] == 200, name
    for properties in resources("DataSet").values():
        refresh = properties.pop("DataSetRefreshProperties", None)
        assert quicksight.create_data_set(**properties)["DataSetId"] == properties["DataSetId"]
        assert (refresh is None) == (properties["DataSetId"] == "logmill-monthly-users")
        ingestion = {"AwsAccountId": ACCOUNT, "DataSetId": properties["DataSetId"], "IngestionId": "run-1"}
        assert quicksight.create_ingestion(**ingestion)["IngestionId"] == "run-1"
    (dashboard,) = resources("Dashboard").values()
    quicksight.create_dashboard(**dashboard)
    found = quicksight.describe_dashboard(AwsAccountId=ACCOUNT, DashboardId="logmill-dashboard")["Dashboard"]
    assert found["Name"] == "logmill-dashboard"


def test_a_schedule_is_created_only_if_a_time_is_given() -> None:
    template = committed()
    schedules = [it for it in template["Resources"].values() if it["Type"].endswith("RefreshSchedule")]
    assert len(schedules) == len(MAIN.data_sets)
    assert {it["Condition"] for it in schedules} == {"IsScheduled"}
    assert template["Parameters"]["RefreshAt"]["Default"] == ""
    kinds = {it["DataSetId"]: it["Schedule"]["RefreshType"] for it in resources("RefreshSchedule").values()}
    incremental = {
        it["DataSetId"] for it in resources("DataSet").values() if "DataSetRefreshProperties" in it
    }
    assert {id_ for id_, kind in kinds.items() if kind == "INCREMENTAL_REFRESH"} == incremental


def test_the_outputs_name_the_data_sets_that_a_job_refreshes() -> None:
    ids = deployed(committed()["Outputs"]["DataSetIds"]["Value"]).split(",")
    assert ids == [it["DataSetId"] for it in resources("DataSet").values()]


def test_the_readme_lists_the_data_sets_of_each_table() -> None:
    """As the Airflow package needs it: the data sets whose view reads the table."""
    readme = (FOLDER / "README.md").read_text("utf-8")
    (messages,) = re.findall(r'"quicksight_data_sets": (\{.*?\})\n```', readme, re.S)
    expected = {
        table: {
            f"logmill-{view.name.replace('_', '-')}"
            for view in VIEWS
            if view.name in MAIN.data_sets and f"FROM {table}\n" in view.sql
        }
        for table in DATASETS
    }
    assert {table: set(ids) for table, ids in json.loads(messages).items()} == expected


# --- The templates of other log types.


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_template_matches_its_tables_and_is_accepted(other: Dashboards) -> None:
    path = FOLDER / other.file
    assert path.read_text("utf-8") == make.text(other), "run glue/quicksight/make.py"
    assert [str(found) for found in lint_file(path, ManualArgs(regions=["us-east-1"]))] == []
    ids = set()
    for it in make.template(other)["Resources"].values():
        kind, properties = it["Type"].removeprefix("AWS::QuickSight::"), deployed(it["Properties"])
        if kind != "RefreshSchedule":
            properties.pop("DataSetRefreshProperties", None)
            assert objections("quicksight", f"Create{kind}", properties) == []
            ids.add(properties["Name"])
    assert len(ids) == len(other.data_sets) + 3
    visuals = [visual for visuals in other.sheets.values() for visual in visuals]
    assert {visual.data_set for visual in visuals} == other.data_sets.keys()
    assert len({visual.id for visual in visuals}) == len(visuals)
    for visual in visuals:
        fields = f"{visual.by} {visual.values} {visual.color}".split()
        known = {*other.data_sets[visual.data_set].types(), make.DAY}
        assert {field.partition(":")[0] for field in fields} <= known, visual.title


def test_a_data_set_belongs_to_one_template() -> None:
    names = [name for made in (MAIN, *OTHERS.values()) for name in made.data_sets]
    assert len(set(names)) == len(names) == len(make.KNOWN)
    assert len({made.prefix for made in (MAIN, *OTHERS.values())}) == len(OTHERS) + 1


# --- The columns.


@pytest.mark.parametrize("name", MAIN.data_sets)
def test_a_data_set_has_the_columns_of_its_view(athena: AthenaDatabase, name: str) -> None:
    assert name in {view.name for view in VIEWS}
    (data_set,) = (
        it for it in resources("DataSet").values() if it["DataSetId"].endswith(name.replace("_", "-"))
    )
    (table,) = data_set["PhysicalTableMap"].values()
    relation = table["RelationalTable"]
    assert (relation["Schema"], relation["Name"]) == ("logs", name)
    columns = {column["Name"]: column["Type"] for column in relation["InputColumns"]}
    assert list(columns.items()) == list(column_types(athena, name).items())


@pytest.mark.parametrize("name", MAIN.data_sets)
def test_new_days_are_found_by_a_column_in_utc(athena: AthenaDatabase, name: str) -> None:
    """QuickSight counts its window back from now in UTC. A column in Korean time is nine hours ahead."""
    (data_set,) = (
        it for it in resources("DataSet").values() if it["DataSetId"].endswith(name.replace("_", "-"))
    )
    if "DataSetRefreshProperties" not in data_set:
        assert not [column for column in column_types(athena, name) if column.endswith("_utc")]
        return
    refresh = data_set["DataSetRefreshProperties"]["RefreshConfiguration"]["IncrementalRefresh"]
    column = refresh["LookbackWindow"]["ColumnName"]
    assert column.endswith("_utc")
    days = athena.query(f"SELECT min({column}), max({column}) FROM {name}")
    assert "2023-10-31 15:00:00" <= str(days[0][0]) <= str(days[0][1]) < "2023-11-01 15:00:00"


def test_every_field_is_a_column_of_the_right_type(athena: AthenaDatabase) -> None:
    seen = Counter()
    for kind in ("Analysis", "Dashboard"):
        (properties,) = resources(kind).values()
        definition = properties["Definition"]
        calculated = {
            (it["DataSetIdentifier"], it["Name"]): it["Expression"] for it in definition["CalculatedFields"]
        }
        for (view, _), expression in calculated.items():
            assert expression == "addDateTime(9, 'HH', {day_utc})"
            assert column_types(athena, view)["day_utc"] == "DATETIME"
        for field, content in walked(definition):
            if "Column" not in content:
                continue
            view, name = content["Column"]["DataSetIdentifier"], content["Column"]["ColumnName"]
            type_ = "DATETIME" if (view, name) in calculated else column_types(athena, view)[name]
            assert type_ in FIELD_TYPES[field], (field, view, name)
            seen[field] += 1
    assert seen.keys() == FIELD_TYPES.keys()
    assert seen.total() > 100


def test_ids_are_unique_and_every_reference_exists() -> None:
    (properties,) = resources("Dashboard").values()
    definition = properties["Definition"]
    data_sets = {it["Identifier"] for it in definition["DataSetIdentifierDeclarations"]}
    sheets = {sheet["SheetId"]: sheet for sheet in definition["Sheets"]}
    assert len(sheets) == len(definition["Sheets"]) == 5
    used = {
        content["Column"]["DataSetIdentifier"] for _, content in walked(definition) if "Column" in content
    }
    assert used == data_sets == MAIN.data_sets.keys()
    visuals = [
        content for sheet in sheets.values() for visual in sheet["Visuals"] for content in visual.values()
    ]
    assert len({visual["VisualId"] for visual in visuals}) == len(visuals)
    fields = [content["FieldId"] for name, content in walked(definition) if name.endswith("Field")]
    assert len(set(fields)) == len(fields)
    for visual in visuals:
        own = {content["FieldId"] for name, content in walked(visual) if name.endswith("Field")}
        sorted_by = {content["FieldId"] for name, content in walked(visual) if name == "FieldSort"}
        assert sorted_by <= own, visual["VisualId"]
        assert (
            len(
                {
                    content["Column"]["DataSetIdentifier"]
                    for _, content in walked(visual)
                    if "Column" in content
                }
            )
            == 1
        )
    for group in definition["FilterGroups"]:
        scopes = group["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"]
        assert {scope["SheetId"] for scope in scopes} <= sheets.keys()
        assert scopes
    parameters = {
        content["Name"] for name, content in walked(definition) if name == "DateTimeParameterDeclaration"
    }
    filters = {content["Parameter"] for name, content in walked(definition) if name.startswith("Range")}
    pickers = {
        content["SourceParameterName"] for name, content in walked(definition) if name == "DateTimePicker"
    }
    assert parameters == filters == pickers == {"FirstDay", "LastDay"}


def test_visuals_do_not_overlap_on_their_sheets() -> None:
    (properties,) = resources("Dashboard").values()
    for sheet in properties["Definition"]["Sheets"]:
        (layout,) = sheet["Layouts"]
        elements = layout["Configuration"]["GridLayout"]["Elements"]
        shown = [content["VisualId"] for visual in sheet["Visuals"] for content in visual.values()]
        assert [element["ElementId"] for element in elements] == shown
        cells = [
            (row, column)
            for element in elements
            for row in range(element["RowIndex"], element["RowIndex"] + element["RowSpan"])
            for column in range(element["ColumnIndex"], element["ColumnIndex"] + element["ColumnSpan"])
        ]
        assert len(set(cells)) == len(cells), sheet["Name"]
        assert max(column for _, column in cells) < 36
        (controls,) = sheet["SheetControlLayouts"]
        ids = [element["ElementId"] for element in controls["Configuration"]["GridLayout"]["Elements"]]
        assert ids == [
            control["DateTimePicker"]["ParameterControlId"] for control in sheet["ParameterControls"]
        ]


def test_the_dashboard_shows_every_required_figure() -> None:
    """Including the sixteen metrics of a bucket."""
    drawn = {visual.data_set for visuals in MAIN.sheets.values() for visual in visuals}
    assert drawn == MAIN.data_sets.keys()
    (hours,) = (visuals for name, visuals in MAIN.sheets.items() if name == "S3 requests")
    metrics = {value.partition(":")[0] for visual in hours for value in visual.values.split()}
    every = set(MAIN.data_sets["s3_requests_by_hour"].types())
    assert metrics == every - {"proc_ymd", "hour_utc", "hour_kst", "bucket"}
    assert len(metrics) == 16


def test_the_readme_names_every_sheet_and_parameter() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    sheets = [name for made in (MAIN, *OTHERS.values()) for name in (made.file, *made.sheets)]
    for name in [*sheets, *committed()["Parameters"]]:
        assert name in readme, name
    assert len(readme.splitlines()) < 80, "the steps should fit on one screen"
