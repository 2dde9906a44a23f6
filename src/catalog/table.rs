//! The definition of a catalog table, derived from the table's schema.
//!
//! Sources for its fields and values: AWS Glue API, `TableInput`; Athena, "Creating tables".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kst::KstDay;
use crate::store::lake::PARTITION_KEY;
use crate::table::{Naming, TableSchema};

/// The Hive class that reads Parquet files.
pub(super) const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
/// The Hive class that writes Parquet files. The catalog requires it too.
pub(super) const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
/// The Hive class that maps Parquet columns to Hive columns by name.
pub(super) const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// A column of a catalog table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogColumn {
    /// Name, in lower case.
    pub name: String,
    /// Hive type.
    pub hive_type: String,
    /// Its meaning, at most [`MAX_COMMENT_BYTES`](crate::table::column::MAX_COMMENT_BYTES) long.
    pub comment: String,
}

/// The wanted state of a table in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Name of the table.
    pub name: String,
    /// Description of its content.
    pub description: String,
    /// The columns in the files, in order.
    pub columns: Vec<CatalogColumn>,
    /// Folder of the table, ending with `/`.
    pub location: String,
    /// The names of columns under the other naming, if they differ, each with its name here.
    pub other_names: BTreeMap<String, String>,
    /// Columns that are not written, so that the table must not have them either.
    pub dropped: Vec<String>,
    /// The first day of a partition projection, if Athena should compute partitions instead of querying the catalog.
    pub projected_from: Option<KstDay>,
}

impl TableDefinition {
    /// Creates the table of a schema. `location` is its folder.
    #[must_use]
    pub fn new(name: &str, description: &str, schema: &TableSchema, location: &str) -> Self {
        let columns = schema.columns.iter().map(|column| CatalogColumn {
            name: column.named(schema.naming).into_owned(),
            hive_type: column.column_type.hive().to_owned(),
            comment: column.meaning.to_string(),
        });
        let other = match schema.naming {
            Naming::Snake => Naming::Compact,
            Naming::Compact => Naming::Snake,
        };
        let other_names = schema
            .columns
            .iter()
            .map(|column| (column.named(other).into_owned(), column.named(schema.naming).into_owned()));
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            columns: columns.collect(),
            location: format!("{}/", location.trim_end_matches('/')),
            other_names: other_names.filter(|(other, own)| other != own).collect(),
            dropped: Vec::new(),
            projected_from: None,
        }
    }

    /// Returns the parameters of the table.
    #[must_use]
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters: Vec<(&str, String)> = vec![
            ("EXTERNAL", "TRUE".to_owned()),
            ("classification", "parquet".to_owned()),
            ("compressionType", "zstd".to_owned()),
            ("typeOfData", "file".to_owned()),
        ];
        if let Some(first) = self.projected_from {
            // NOW is the UTC time of the query, and a KST day begins before its UTC date.
            let range = format!("{},NOW+1DAY", first.proc_ymd());
            parameters.extend([
                ("projection.enabled", "true".to_owned()),
                ("projection.proc_ymd.format", "yyyyMMdd".to_owned()),
                ("projection.proc_ymd.interval", "1".to_owned()),
                ("projection.proc_ymd.interval.unit", "DAYS".to_owned()),
                ("projection.proc_ymd.range", range),
                ("projection.proc_ymd.type", "date".to_owned()),
                ("storage.location.template", format!("{}proc_ymd=${{proc_ymd}}/", self.location)),
            ]);
        }
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Returns the table as the JSON of Glue's `TableInput`.
    #[must_use]
    pub fn table_input(&self) -> Value {
        let column = |column: &CatalogColumn| json!({"Name": column.name, "Type": column.hive_type, "Comment": column.comment});
        let parameters: serde_json::Map<String, Value> =
            self.parameters().into_iter().map(|(name, value)| (name, value.into())).collect();
        json!({
            "Name": self.name,
            "Description": self.description,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": PARTITION_KEY, "Type": "string", "Comment": "KST day, YYYYMMDD"}],
            "StorageDescriptor": {
                "Columns": self.columns.iter().map(column).collect::<Vec<_>>(),
                "Location": self.location,
                "InputFormat": INPUT_FORMAT,
                "OutputFormat": OUTPUT_FORMAT,
                "Compressed": true,
                "NumberOfBuckets": -1,
                "SerdeInfo": {"SerializationLibrary": SERDE, "Parameters": {"serialization.format": "1"}},
            },
        })
    }
}
