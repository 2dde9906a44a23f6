//! `logmill schema`: the columns, for people, for Athena, for programs and as tables to deploy.

use serde_json::{Map, Value, json};

use super::args::{SchemaArgs, SchemaFormat};
use super::console;
use super::exit::Exit;
use crate::catalog::{CatalogColumn, TableDefinition};
use crate::dataset::{self, Dataset, Naming, TableSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;

pub(super) fn run(args: &SchemaArgs) -> Result<Exit> {
    let chosen: Vec<_> = dataset::ALL
        .into_iter()
        .filter(|dataset| args.dataset == "all" || args.dataset == dataset.name())
        .collect();
    if chosen.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("'{}' is no log type", args.dataset))
            .hint("cloudtrail, s3-access or all"));
    }
    let projected_from = first_day(args)?;
    let table = |dataset: &'static dyn Dataset| Table {
        dataset,
        schema: dataset.schema(args.naming.into(), &[]),
        projected_from,
    };
    let tables: Vec<Table> = chosen.into_iter().map(table).collect();
    let each = |show: fn(&Table) -> String| -> String { tables.iter().map(show).collect() };
    console::print(&match args.format {
        SchemaFormat::Table => each(text),
        SchemaFormat::Ddl => each(|table| ddl(&table.definition("${location}"))),
        SchemaFormat::Json => each(lines),
        SchemaFormat::CloudFormation => cloudformation(&tables),
    })?;
    Ok(Exit::Done)
}

/// The first day of a projection, which only a table of the catalog can have.
fn first_day(args: &SchemaArgs) -> Result<Option<KstDay>> {
    let Some(day) = &args.projection else { return Ok(None) };
    if matches!(args.format, SchemaFormat::Table | SchemaFormat::Json) {
        return Err(Error::new(ErrorKind::Usage, "--projection is a property of a table in the catalog")
            .hint("print the table with --format ddl or --format cloudformation"));
    }
    day.parse().map(Some)
}

/// A log type, its columns, and whether Athena is to compute its partitions.
struct Table {
    dataset: &'static dyn Dataset,
    schema: TableSchema,
    projected_from: Option<KstDay>,
}

impl Table {
    /// The table in the catalog, under its usual name; `lake` is the place of the lake.
    fn definition(&self, lake: &str) -> TableDefinition {
        let name = self.dataset.default_table();
        let description =
            format!("{} logs as logmill publishes them, one KST day a partition", self.dataset.name());
        let table = TableDefinition::new(name, &description, &self.schema, &format!("{lake}/{name}"));
        TableDefinition { projected_from: self.projected_from, ..table }
    }
}

fn text(Table { dataset, schema, .. }: &Table) -> String {
    let rows = schema.columns.iter().map(|column| {
        let name = column.named(schema.naming).into_owned();
        vec![name, column.column_type.hive().to_owned(), column.source(), column.meaning.to_string()]
    });
    let partition = ["proc_ymd", "string", "partition", "KST day, YYYYMMDD"].map(str::to_owned).to_vec();
    let table = console::table(&["column", "type", "source", "meaning"], &[], rows.chain([partition]));
    format!("{} ({} columns)\n\n{table}\n", dataset.default_table(), schema.columns.len())
}

fn lines(Table { dataset, schema, .. }: &Table) -> String {
    let line = |column: &dataset::Column| {
        json!({
            "dataset": dataset.name(),
            "column": column.named(schema.naming),
            "snake": column.named(Naming::Snake),
            "compact": column.named(Naming::Compact),
            "type": column.column_type.hive(),
            "json": column.column_type == dataset::ColumnType::Json,
            "source": column.source(),
            "meaning": column.meaning,
        })
        .to_string()
            + "\n"
    };
    schema.columns.iter().map(line).collect()
}

/// The statement that makes the table in Athena; `${location}` is to be filled in.
fn ddl(table: &TableDefinition) -> String {
    let column = |column: &CatalogColumn| {
        let comment = column.comment.replace('\'', "''");
        format!("  `{}` {} COMMENT '{comment}'", column.name, column.hive_type)
    };
    let columns: Vec<String> = table.columns.iter().map(column).collect();
    // EXTERNAL is what the statement itself says; engines reserve the word.
    let parameters = table.parameters().into_iter().filter(|(name, _)| name != "EXTERNAL");
    let properties: Vec<String> = parameters.map(|(name, value)| format!("'{name}'='{value}'")).collect();
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `{}` (\n{}\n)\nPARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')\n\
         STORED AS PARQUET\nLOCATION '{}'\nTBLPROPERTIES ({});\n\n",
        table.name,
        columns.join(",\n"),
        table.location,
        properties.join(", ")
    )
}

/// One template with all tables; database and lake are asked for when it is deployed.
fn cloudformation(tables: &[Table]) -> String {
    let resource = |table: &Table| {
        let definition = table.definition("${LakeLocation}");
        (logical_id(&definition.name), table_resource(&definition))
    };
    let template = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Tables of a logmill lake. Made by 'logmill schema --format cloudformation', not by hand.",
        "Parameters": {
            "DatabaseName": {
                "Type": "String",
                "Description": "Glue database of the tables; it has to exist.",
                "Default": "logs",
                "AllowedPattern": "^[a-z0-9_]{1,255}$",
                "ConstraintDescription": "lower-case letters, digits and underscores",
            },
            "LakeLocation": {
                "Type": "String",
                "Description": "Place of the lake, such as s3://bucket/prefix, without a slash at its end.",
                "AllowedPattern": "^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/]+)*$",
                "ConstraintDescription": "s3://bucket or s3://bucket/prefix, without a slash at its end",
            },
        },
        "Resources": tables.iter().map(resource).collect::<Map<_, _>>(),
    });
    format!("{template:#}\n")
}

/// The table as a resource; deleting the stack leaves it in the catalog.
fn table_resource(table: &TableDefinition) -> Value {
    let mut input = table.table_input();
    input["StorageDescriptor"]["Location"] = json!({"Fn::Sub": table.location});
    if let Some(template) = input["Parameters"].get_mut("storage.location.template") {
        // CloudFormation takes `${!x}` for what is to become `${x}`.
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

/// The name of a resource, which may hold letters and digits only: `s3_access` is `S3AccessTable`.
fn logical_id(table: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    table.split('_').map(word).collect::<String>() + "Table"
}
