//! `logmill schema`: the columns, for people, for Athena and for programs.

use serde_json::json;

use super::args::{SchemaArgs, SchemaFormat};
use super::console;
use super::exit::Exit;
use crate::dataset::{self, Dataset, Naming, TableSchema};
use crate::error::{Error, ErrorKind, Result};

pub(super) fn run(args: &SchemaArgs) -> Result<Exit> {
    let chosen: Vec<_> = dataset::ALL
        .into_iter()
        .filter(|dataset| args.dataset == "all" || args.dataset == dataset.name())
        .collect();
    if chosen.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("'{}' is no log type", args.dataset))
            .hint("cloudtrail, s3-access or all"));
    }
    for dataset in chosen {
        let schema = dataset.schema(args.naming.into(), &[]);
        console::print(&match args.format {
            SchemaFormat::Table => text(dataset, &schema),
            SchemaFormat::Ddl => ddl(dataset.default_table(), &schema),
            SchemaFormat::Json => lines(dataset, &schema),
        })?;
    }
    Ok(Exit::Done)
}

fn text(dataset: &dyn Dataset, schema: &TableSchema) -> String {
    let rows = schema.columns.iter().map(|column| {
        let name = column.named(schema.naming).into_owned();
        vec![name, column.column_type.hive().to_owned(), column.source(), column.meaning.to_string()]
    });
    let partition = ["proc_ymd", "string", "partition", "KST day, YYYYMMDD"].map(str::to_owned).to_vec();
    let table = console::table(&["column", "type", "source", "meaning"], &[], rows.chain([partition]));
    format!("{} ({} columns)\n\n{table}\n", dataset.default_table(), schema.columns.len())
}

fn lines(dataset: &dyn Dataset, schema: &TableSchema) -> String {
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
fn ddl(table: &str, schema: &TableSchema) -> String {
    let column = |column: &dataset::Column| {
        let (name, hive) = (column.named(schema.naming), column.column_type.hive());
        format!("  `{name}` {hive} COMMENT '{}'", column.meaning.replace('\'', "''"))
    };
    let columns: Vec<String> = schema.columns.iter().map(column).collect();
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `{table}` (\n{}\n)\nPARTITIONED BY (`proc_ymd` string COMMENT 'KST day, YYYYMMDD')\n\
         STORED AS PARQUET\nLOCATION '${{location}}/{table}/'\nTBLPROPERTIES ('parquet.compression'='ZSTD');\n\n",
        columns.join(",\n")
    )
}
