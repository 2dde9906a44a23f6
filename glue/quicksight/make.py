"""Generates the templates of this folder from the tables in `dashboards.py`.

    python glue/quicksight/make.py

The analysis and the dashboard have the same sheets. Use the analysis to make changes by hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dashboards import DAY, DAY_EXPRESSION, MAIN, OTHERS, Dashboards, DataSet, Visual

WIDTH = 130
KNOWN = {name: data_set for made in (MAIN, *OTHERS.values()) for name, data_set in made.data_sets.items()}

Json = dict[str, Any]


# --- Visuals.


def column(data_set: str, name: str) -> Json:
    """A column of a data set, or its Korean day."""
    return {"DataSetIdentifier": data_set, "ColumnName": name}


def type_of(data_set: str, name: str) -> str:
    """Type of a column."""
    return "DATETIME" if name == DAY else KNOWN[data_set].types()[name]


def dimension(visual: Visual, name: str) -> Json:
    """A column by which rows are grouped."""
    field = {"FieldId": f"{visual.id}.{name}", "Column": column(visual.data_set, name)}
    match type_of(visual.data_set, name):
        case "DATETIME":
            granularity = "HOUR" if name.startswith("hour") else "DAY"
            return {"DateDimensionField": field | {"DateGranularity": granularity}}
        case "INTEGER":
            return {"NumericalDimensionField": field}
    return {"CategoricalDimensionField": field}


def measure(visual: Visual, value: str) -> Json:
    """An aggregated column. The default aggregation is the sum; another one follows the column name."""
    name, _, function = value.partition(":")
    field = {"FieldId": f"{visual.id}.{name}", "Column": column(visual.data_set, name)}
    if type_of(visual.data_set, name) == "DATETIME":
        return {"DateMeasureField": field | {"AggregationFunction": function}}
    aggregation = {"SimpleNumericalAggregation": function or "SUM"}
    return {"NumericalMeasureField": field | {"AggregationFunction": aggregation}}


def drawn(visual: Visual) -> Json:
    """A visual in QuickSight's definition format."""
    by = [dimension(visual, name) for name in visual.by.split()]
    values = [measure(visual, value) for value in visual.values.split()]
    colors = {"Colors": [dimension(visual, visual.color)]} if visual.color else {}
    most = {"ItemsLimit": visual.most, "OtherCategories": "EXCLUDE"}
    first = visual.values.split()[0].partition(":")[0]
    ranked = [{"FieldSort": {"FieldId": f"{visual.id}.{first}", "Direction": "DESC"}}]
    ascending = [{"FieldSort": {"FieldId": f"{visual.id}.{visual.by.split()[0]}", "Direction": "ASC"}}]
    match visual.kind:
        case "bar":
            wells = {"BarChartAggregatedFieldWells": {"Category": by, "Values": values} | colors}
            limit = {"CategoryItemsLimit": most} if visual.most else {}
            chart = {"SortConfiguration": {"CategorySort": ranked} | limit, "Orientation": "HORIZONTAL"}
            chart |= {"BarsArrangement": "STACKED"}
        case "line":
            wells = {"LineChartAggregatedFieldWells": {"Category": by, "Values": values} | colors}
            limit = {"ColorItemsLimitConfiguration": most} if visual.most else {}
            chart = {"SortConfiguration": {"CategorySort": ascending} | limit, "Type": "LINE"}
        case "pie":
            wells = {"PieChartAggregatedFieldWells": {"Category": by, "Values": values}}
            chart = {"SortConfiguration": {"CategorySort": ranked, "CategoryItemsLimit": most}}
        case "combo":
            bars, lines_ = values[:1], values[1:]
            wells = {
                "ComboChartAggregatedFieldWells": {"Category": by, "BarValues": bars, "LineValues": lines_}
            }
            chart = {"SortConfiguration": {"CategorySort": ascending}}
        case "table":
            wells = {"TableAggregatedFieldWells": {"GroupBy": by, "Values": values}}
            chart = {"SortConfiguration": {"RowSort": ranked}}
        case unknown:
            raise ValueError(unknown)
    name = "Table" if visual.kind == "table" else f"{visual.kind.capitalize()}Chart"
    title = {"Visibility": "VISIBLE", "FormatText": {"PlainText": visual.title}}
    return {
        f"{name}Visual": {
            "VisualId": visual.id,
            "Title": title,
            "ChartConfiguration": {"FieldWells": wells} | chart,
        }
    }


# --- Sheets.


def sheet_id(name: str) -> str:
    """The name of a sheet as an identifier."""
    return name.lower().replace(" ", "-")


def placed(visuals: list[Visual]) -> list[Json]:
    """Lays out visuals in rows of 36 columns, from the left."""
    elements, at, row = [], 0, 0
    for visual in visuals:
        if at + visual.width > 36:
            at, row = 0, row + 12
        elements.append(element(visual.id, "VISUAL", (at, visual.width), (row, 12)))
        at += visual.width
    return elements


def element(id_: str, kind: str, columns: tuple[int, int], rows: tuple[int, int]) -> Json:
    """A cell range of a grid: first column and width, first row and height."""
    across = {"ColumnIndex": columns[0], "ColumnSpan": columns[1]}
    return {"ElementId": id_, "ElementType": kind} | across | {"RowIndex": rows[0], "RowSpan": rows[1]}


# The date range that all sheets show: parameter, title, and default when a dashboard is opened.
SPAN = {
    "FirstDay": ("From (KST)", "addDateTime(-31, 'DD', truncDate('DD', now()))"),
    "LastDay": ("To (KST)", "addDateTime(1, 'DD', truncDate('DD', now()))"),
}


def sheet(name: str, visuals: list[Visual]) -> Json:
    """A sheet with its visuals and the date range above them."""
    id_ = sheet_id(name)
    controls, places = [], []
    for number, (parameter, (title, _)) in enumerate(SPAN.items()):
        control = f"{id_}-{parameter}"
        picker = {"ParameterControlId": control, "Title": title, "SourceParameterName": parameter}
        controls.append({"DateTimePicker": picker})
        places.append(element(control, "PARAMETER_CONTROL", (number * 4, 4), (0, 1)))
    return {
        "SheetId": id_,
        "Name": name,
        "ContentType": "INTERACTIVE",
        "ParameterControls": controls,
        "Visuals": [drawn(visual) for visual in visuals],
        "Layouts": [{"Configuration": {"GridLayout": {"Elements": placed(visuals)}}}],
        "SheetControlLayouts": [{"Configuration": {"GridLayout": {"Elements": places}}}],
    }


def time_filter(name: str, day: str, sheets: dict[str, list[Visual]]) -> Json:
    """Filters the rows of a data set to the date range, on every sheet that shows it."""
    within = {
        "FilterId": f"span-{name}",
        "Column": column(name, day),
        "NullOption": "NON_NULLS_ONLY",
        "RangeMinimumValue": {"Parameter": "FirstDay"},
        "RangeMaximumValue": {"Parameter": "LastDay"},
        "IncludeMinimum": True,
        "IncludeMaximum": True,
        "TimeGranularity": "DAY",
    }
    shown = [
        sheet_id(title)
        for title, visuals in sheets.items()
        if name in {visual.data_set for visual in visuals}
    ]
    scopes = [{"SheetId": id_, "Scope": "ALL_VISUALS"} for id_ in shown]
    return {
        "FilterGroupId": f"span-{name}",
        "CrossDataset": "SINGLE_DATASET",
        "Filters": [{"TimeRangeFilter": within}],
        "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": scopes}},
        "Status": "ENABLED",
    }


def declared(parameter: str, expression: str) -> Json:
    """A parameter with a default relative to the current date."""
    default = {"RollingDate": {"Expression": expression}}
    declaration = {"Name": parameter, "TimeGranularity": "DAY", "DefaultValues": default}
    return {"DateTimeParameterDeclaration": declaration}


def definition(made: Dashboards) -> Json:
    """The content of the analysis and the dashboard."""
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": name, "DataSetArn": {"Fn::GetAtt": [f"{logical(name)}DataSet", "Arn"]}}
            for name in made.data_sets
        ],
        "CalculatedFields": [
            {"DataSetIdentifier": name, "Name": DAY, "Expression": DAY_EXPRESSION}
            for name, data_set in made.data_sets.items()
            if data_set.day == DAY
        ],
        "ParameterDeclarations": [declared(name, expression) for name, (_, expression) in SPAN.items()],
        "FilterGroups": [
            time_filter(name, data_set.day, made.sheets)
            for name, data_set in made.data_sets.items()
            if data_set.day
        ],
        "Sheets": [sheet(name, visuals) for name, visuals in made.sheets.items()],
    }


# --- Resources.


def logical(name: str) -> str:
    """The name of a view in the form used for resource names."""
    return "".join(word.capitalize() for word in name.split("_"))


def actions(noun: str, verbs: str) -> list[str]:
    """Actions on one kind of resource; `+` is replaced by its name."""
    return [f"quicksight:{verb.replace('+', noun)}" for verb in verbs.split()]


OWNER = "Describe+ Describe+Permissions Update+ Update+Permissions Delete+"
OWNS = {
    "DataSource": actions("DataSource", f"{OWNER} Pass+"),
    "DataSet": actions(
        "DataSet",
        f"{OWNER} Pass+ CreateIngestion DescribeIngestion ListIngestions CancelIngestion "
        f"Put+RefreshProperties "
        "Describe+RefreshProperties Delete+RefreshProperties CreateRefreshSchedule DescribeRefreshSchedule "
        "ListRefreshSchedules UpdateRefreshSchedule DeleteRefreshSchedule",
    ),
    "Analysis": actions("Analysis", f"{OWNER} Query+ Restore+"),
    "Dashboard": actions("Dashboard", f"{OWNER} Query+ List+Versions Update+PublishedVersion"),
}


def resource(kind: str, name: str, properties: Json, **more: Any) -> Json:
    """A QuickSight resource. Its id is the prefix followed by `name`."""
    id_ = {"Fn::Sub": f"${{NamePrefix}}-{name}"}
    owner = {"Principal": {"Ref": "PrincipalArn"}, "Actions": OWNS[kind]}
    known = {"AwsAccountId": {"Ref": "AWS::AccountId"}, f"{kind}Id": id_, "Name": id_, "Permissions": [owner]}
    return {"Type": f"AWS::QuickSight::{kind}", "Properties": known | properties} | more


def data_set_id(name: str) -> str:
    """The id of a data set, after the prefix."""
    return name.replace("_", "-")


def data_set(name: str, loaded: DataSet) -> Json:
    """A view in SPICE."""
    columns = [{"Name": column_, "Type": type_} for column_, type_ in loaded.types().items()]
    table = {
        "DataSourceArn": {"Fn::GetAtt": ["AthenaDataSource", "Arn"]},
        "Catalog": "AwsDataCatalog",
        "Schema": {"Ref": "DatabaseName"},
        "Name": name,
        "InputColumns": columns,
    }
    properties: Json = {"ImportMode": "SPICE", "PhysicalTableMap": {"view": {"RelationalTable": table}}}
    if loaded.utc:
        window = {"ColumnName": loaded.utc, "Size": {"Ref": "LookbackDays"}, "SizeUnit": "DAY"}
        incremental = {"IncrementalRefresh": {"LookbackWindow": window}}
        properties["DataSetRefreshProperties"] = {"RefreshConfiguration": incremental}
    return resource("DataSet", data_set_id(name), properties)


def schedule(name: str, loaded: DataSet) -> Json:
    """Refreshes a data set daily, if a time is set."""
    frequency = {"Interval": "DAILY", "TimeOfTheDay": {"Ref": "RefreshAt"}, "TimeZone": "Asia/Seoul"}
    kind = "INCREMENTAL_REFRESH" if loaded.utc else "FULL_REFRESH"
    return {
        "Type": "AWS::QuickSight::RefreshSchedule",
        "Condition": "IsScheduled",
        "DependsOn": f"{logical(name)}DataSet",
        "Properties": {
            "AwsAccountId": {"Ref": "AWS::AccountId"},
            "DataSetId": {"Fn::Sub": f"${{NamePrefix}}-{data_set_id(name)}"},
            "Schedule": {"ScheduleId": "daily", "ScheduleFrequency": frequency, "RefreshType": kind},
        },
    }


PARAMETERS = {
    "PrincipalArn": {
        "Type": "String",
        "Description": "QuickSight user or group that owns the resources: "
        "arn:aws:quicksight:REGION:ACCOUNT:user/default/NAME",
        "AllowedPattern": "^arn:aws[a-z-]*:quicksight:[a-z0-9-]+:[0-9]{12}:(user|group)/.+$",
    },
    "DatabaseName": {
        "Type": "String",
        "Default": "logs",
        "Description": "Glue database with the views of glue/sql.",
    },
    "WorkGroup": {
        "Type": "String",
        "Default": "primary",
        "Description": "Athena workgroup with a result location.",
    },
    "NamePrefix": {
        "Type": "String",
        "Default": "logmill",
        "AllowedPattern": "^[A-Za-z0-9_-]{1,64}$",
        "Description": "Prefix of all ids and names.",
    },
    "LookbackDays": {
        "Type": "Number",
        "Default": 7,
        "MinValue": 2,
        "MaxValue": 366,
        "Description": "Days that an incremental refresh reloads; older days need a full refresh.",
    },
    "RefreshAt": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "^(([01][0-9]|2[0-3]):[0-5][0-9])?$",
        "Description": "Time of day in Asia/Seoul for a daily refresh, for example 06:00; empty if a job "
        "refreshes.",
    },
}


def template(made: Dashboards = MAIN) -> Json:
    """The whole template."""
    athena = {
        "Type": "ATHENA",
        "DataSourceParameters": {"AthenaParameters": {"WorkGroup": {"Ref": "WorkGroup"}}},
    }
    shown = {"Definition": definition(made)}
    prefix = PARAMETERS["NamePrefix"] | {"Default": made.prefix}
    loads = made.data_sets.items()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "QuickSight dashboards over the views of logmill. "
        "Generated by glue/quicksight/make.py; do not edit.",
        "Parameters": PARAMETERS | {"NamePrefix": prefix},
        "Conditions": {"IsScheduled": {"Fn::Not": [{"Fn::Equals": [{"Ref": "RefreshAt"}, ""]}]}},
        "Resources": {
            "AthenaDataSource": resource("DataSource", "athena", athena),
            **{f"{logical(name)}DataSet": data_set(name, loaded) for name, loaded in loads},
            **{f"{logical(name)}Schedule": schedule(name, loaded) for name, loaded in loads},
            "Analysis": resource("Analysis", "analysis", shown),
            "Dashboard": resource("Dashboard", "dashboard", shown),
        },
        "Outputs": {
            "DataSetIds": {
                "Description": "Data sets that a job refreshes.",
                "Value": {"Fn::Sub": ",".join(f"${{NamePrefix}}-{data_set_id(name)}" for name, _ in loads)},
            },
            "DashboardId": {"Value": {"Fn::Sub": "${NamePrefix}-dashboard"}},
        },
    }


# --- YAML.


def lines(value: Any, indent: int = 0, begun: int = 0) -> Iterator[str]:
    """A value as YAML. Short values are written as one line of JSON, after the `begun` characters of the line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (indent > 0 and indent + begun + len(flat) <= WIDTH):
        yield flat
        return
    members = value.items() if isinstance(value, dict) else (("-", part) for part in value)
    for name, part in members:
        head = "-" if name == "-" else f"{name}:"
        inner = list(lines(part, indent + 2, len(head)))
        if len(inner) == 1 and not inner[0].startswith(" "):
            yield f"{' ' * indent}{head} {inner[0]}"
        elif name == "-":
            yield f"{' ' * indent}- {inner[0].strip()}"
            yield from inner[1:]
        else:
            yield f"{' ' * indent}{head}"
            yield from inner


def text(made: Dashboards = MAIN) -> str:
    """The content of the file."""
    return "\n".join(lines(template(made))) + "\n"


if __name__ == "__main__":
    for made in (MAIN, *OTHERS.values()):
        Path(__file__).with_name(made.file).write_text(text(made), "utf-8")
