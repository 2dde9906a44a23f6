//! `logmill schema`: shows the columns as a table, as Athena DDL, as JSON, as Markdown or as a `CloudFormation` template.

use serde_json::{Map, Value, json};

use super::args::{GlobalArgs, SchemaArgs, SchemaFormat};
use super::console;
use super::context::Context;
use super::exit::Exit;
use super::grid::Grid;
use super::screen::{Screen, Shown};
use super::settings::{Flags, Settings, rows};
use crate::catalog::{CatalogColumn, TableDefinition};
use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::TableSource;
use crate::table::{Column, ColumnType, Naming, TableSchema};

pub(super) fn run(args: &SchemaArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    // The tables as a run with the same file, environment and flags publishes them.
    let settings = context.settings(global, &Flags::of([&*args.settings]).with_sources())?;
    let projected_from = first_day(args, &settings)?;
    let table = |source: &TableSource| Table {
        name: source.spec.table.clone(),
        dataset: source.spec.dataset.dataset(),
        schema: source.spec.shape().schema(),
        projected_from,
    };
    let tables: Vec<Table> = settings.sources.iter().map(table).collect();
    let lake = lake_of_catalog(&settings);
    let each = |show: &dyn Fn(&Table) -> String| -> String { tables.iter().map(show).collect() };
    let screen = context.console.out;
    console::print(&match args.format {
        SchemaFormat::Table => {
            tables.iter().try_for_each(|table| console::print_shown(&text(table, screen)))?;
            return Ok(Exit::Done);
        }
        SchemaFormat::Ddl => each(&|table| ddl(&table.definition(lake.unwrap_or("${location}")))),
        SchemaFormat::Json => each(&lines),
        SchemaFormat::Markdown => tables.iter().map(markdown).collect::<Vec<_>>().join("\n"),
        SchemaFormat::CloudFormation => {
            let database = settings.catalog.as_ref().map(|catalog| catalog.database.as_str());
            cloudformation(&tables, database, lake)
        }
    })?;
    Ok(Exit::Done)
}

/// Returns the first day of the partition projection. Only a catalog table can have one.
fn first_day(args: &SchemaArgs, settings: &Settings) -> Result<Option<KstDay>> {
    let Some(day) = args.settings.one(&rows::PROJECTION) else {
        return Ok(settings.catalog.as_ref().and_then(|catalog| catalog.projected_from));
    };
    if matches!(args.format, SchemaFormat::Table | SchemaFormat::Json | SchemaFormat::Markdown) {
        return Err(Error::new(ErrorKind::Usage, "--projection applies only to catalog tables")
            .hint("pass --format ddl or --format cloudformation"));
    }
    day.parse().map(Some)
}

/// Returns the address of the lake if query engines can reach it.
fn lake_of_catalog(settings: &Settings) -> Option<&str> {
    let lake = settings.lake_address().trim_end_matches('/');
    lake.starts_with("s3://").then_some(lake)
}

/// A table, its columns, and the first day of its partition projection.
struct Table {
    name: String,
    dataset: &'static dyn Dataset,
    schema: TableSchema,
    projected_from: Option<KstDay>,
}

impl Table {
    /// Returns the catalog definition of the table. `lake` is the address of the lake.
    fn definition(&self, lake: &str) -> TableDefinition {
        let name = &self.name;
        let description =
            format!("{} logs published by logmill, one partition per KST day", self.dataset.name());
        let table = TableDefinition::new(name, &description, &self.schema, &format!("{lake}/{name}"));
        TableDefinition { projected_from: self.projected_from, ..table }
    }
}

/// Columns that a narrow terminal hides, the least important first.
const SPARE: [&str; 2] = ["source", "type"];

fn text(Table { name, schema, .. }: &Table, screen: Screen) -> Shown {
    let rows = schema.columns.iter().map(|column| {
        let name = column.named(schema.naming).into_owned();
        vec![name, column.column_type.hive().to_owned(), column.source(), column.meaning.to_string()]
    });
    let partition = ["proc_ymd", "string", "partition", "KST day, YYYYMMDD"].map(str::to_owned).to_vec();
    let grid = Grid::new(&["column", "type", "source", "meaning"], &[], rows.chain([partition]));
    let mut text = Shown::of(&format!("{name} ({} columns)\n\n", schema.columns.len()));
    text += Grid { spare: &SPARE, prose: Some("meaning"), ..grid }.text(screen);
    text += "\n";
    text
}

fn lines(Table { name, dataset, schema, .. }: &Table) -> String {
    let line = |column: &Column| {
        json!({
            "dataset": dataset.name(),
            "table": name,
            "column": column.named(schema.naming),
            "snake": column.named(Naming::Snake),
            "compact": column.named(Naming::Compact),
            "type": column.column_type.hive(),
            "json": column.column_type == ColumnType::Json,
            "source": column.source(),
            "meaning": column.meaning,
        })
        .to_string()
            + "\n"
    };
    schema.columns.iter().map(line).collect()
}

/// Returns a section of Markdown with every column under both namings.
fn markdown(Table { name, dataset, schema, .. }: &Table) -> String {
    // A cell ends at a bar, even inside code.
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |column: &Column| {
        let [snake, compact] = [Naming::Snake, Naming::Compact].map(|naming| column.named(naming));
        let json = if column.column_type == ColumnType::Json { " (JSON)" } else { "" };
        let (hive, source) = (column.column_type.hive(), cell(&column.source()));
        format!("| `{snake}` | `{compact}` | {hive}{json} | {source} | {} |\n", cell(&column.meaning))
    };
    let rows: String = schema.columns.iter().map(row).collect();
    format!(
        "## `{name}`\n\nLog type `{}`, {} columns and the partition.\n\n\
         | column | compact name | type | source | meaning |\n|---|---|---|---|---|\n{rows}\
         | `proc_ymd` | `proc_ymd` | string | partition | KST day, YYYYMMDD |\n",
        dataset.name(),
        schema.columns.len()
    )
}

/// Returns the Athena statement that creates the table. Without a lake in S3, it has the placeholder `${location}`.
fn ddl(table: &TableDefinition) -> String {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let column = |column: &CatalogColumn| {
        format!("  `{}` {} COMMENT {}", column.name, column.hive_type, text(&column.comment))
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    // The statement already says EXTERNAL, and engines reserve the property.
    let parameters = table.parameters().into_iter().filter(|(name, _)| name != "EXTERNAL");
    let properties: Vec<String> =
        parameters.map(|(name, value)| format!("'{name}'={}", text(&value))).collect();
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `{}` (\n{}\n)\nPARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')\n\
         STORED AS PARQUET\nLOCATION {}\nTBLPROPERTIES ({});\n\n",
        table.name,
        columns.join(",\n"),
        text(&table.location),
        properties.join(", ")
    )
}

/// Returns one template with all tables. Database and lake are parameters, with the settings as defaults.
fn cloudformation(tables: &[Table], database: Option<&str>, lake: Option<&str>) -> String {
    let mut resources = Map::new();
    for table in tables {
        let definition = table.definition("${LakeLocation}");
        let id = free_id(&resources, &logical_id(&definition.name));
        resources.insert(id, table_resource(&definition));
    }
    let mut template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Tables of a logmill lake. Generated by 'logmill schema --format cloudformation': do not edit.",
        "Parameters": {
            "DatabaseName": {
                "Type": "String",
                "Description": "Glue database of the tables; it must exist.",
                "Default": "logs",
                "AllowedPattern": "^[a-z0-9_]{1,255}$",
                "ConstraintDescription": "lower-case letters, digits and underscores",
            },
            "LakeLocation": {
                "Type": "String",
                "Description": "Address of the lake, for example s3://bucket/prefix, without a trailing slash.",
                "AllowedPattern": "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*$",
                "ConstraintDescription": "s3://bucket or s3://bucket/prefix, without a trailing slash",
            },
        },
        "Resources": resources,
    });
    for (parameter, value) in [("DatabaseName", database), ("LakeLocation", lake)] {
        if let Some(value) = value {
            template["Parameters"][parameter]["Default"] = value.into();
        }
    }
    format!("{template:#}\n")
}

/// Returns the table as a resource. Deleting the stack keeps the table in the catalog.
fn table_resource(table: &TableDefinition) -> Value {
    let mut input = table.table_input();
    input["StorageDescriptor"]["Location"] = json!({"Fn::Sub": table.location});
    if let Some(template) = input["Parameters"].get_mut("storage.location.template") {
        // CloudFormation turns `${!x}` into a literal `${x}`.
        *template = json!({"Fn::Sub": format!("{}proc_ymd=${{!proc_ymd}}/", table.location)});
    }
    json!({
        "Type": "AWS::Glue::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "DatabaseName": {"Ref": "DatabaseName"},
            "TableInput": input,
        },
    })
}

/// Returns the name of a resource, which may contain only letters and digits: `S3AccessTable` for `s3_access`.
fn logical_id(table: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    table.split('_').map(word).collect::<String>() + "Table"
}

/// Returns an unused resource name. Table names that differ only in `_`, such as `trail_1` and `trail1`, have the same id.
fn free_id(taken: &Map<String, Value>, id: &str) -> String {
    let numbered = (2..).map(|number| format!("{id}{number}"));
    let mut candidates = std::iter::once(id.to_owned()).chain(numbered);
    candidates.find(|id| !taken.contains_key(id)).unwrap_or_default()
}
