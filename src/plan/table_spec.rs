//! What a table is made of: the settings that its source, its plan and its manifest share.

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, LogType, TableShape};
use crate::error::Result;
use crate::kst::KstDay;
use crate::rules::{RedactRules, RowRules};
use crate::store::lake::Partition;
use crate::store::{Connector, SourceAccess, Store};
use crate::table::{Naming, Promotion, TableSchema};

/// Where the rows of a table come from and what becomes of them. A table in a plan file begins with these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: LogType,
    /// Folders, files or prefixes with raw logs.
    pub inputs: Vec<String>,
    /// How the inputs are reached.
    #[serde(default)]
    pub access: SourceAccess,
    /// Naming scheme of the columns.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
    /// Rules that leave rows out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Rules that mask values; a plan file without them uses the default ones.
    #[serde(default)]
    pub redact: RedactRules,
    /// How long after its end a day still waits for late objects, in milliseconds.
    pub lateness_ms: i64,
}

impl TableSpec {
    /// Returns the default table of a log type, with all rows of these inputs.
    #[must_use]
    pub fn new(dataset: &'static dyn Dataset, inputs: Vec<String>) -> Self {
        Self {
            table: dataset.default_table().to_owned(),
            dataset: dataset.into(),
            inputs,
            access: SourceAccess::default(),
            naming: Naming::Snake,
            promote: Vec::new(),
            filter: Vec::new(),
            redact: RedactRules::default(),
            lateness_ms: i64::from(dataset.default_lateness_hours()) * 3_600_000,
        }
    }

    /// Returns the columns.
    #[must_use]
    pub fn schema(&self) -> TableSchema {
        self.dataset.schema(self.naming, &self.promote)
    }

    /// Returns what decides the columns.
    #[must_use]
    pub fn shape(&self) -> TableShape {
        let (table, promote) = (self.table.clone(), self.promote.clone());
        TableShape { table, dataset: self.dataset, naming: self.naming, promote }
    }

    /// Returns the rules for its rows. Fails if a rule does not fit the columns.
    pub fn row_rules(&self, schema: &TableSchema) -> Result<RowRules> {
        RowRules::new(schema, &self.filter, &self.redact)
    }

    /// Opens the inputs, in their order.
    pub fn open_inputs(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        self.inputs.iter().map(|input| connector.store(input, &self.access)).collect()
    }

    /// Returns the partition of a day.
    #[must_use]
    pub fn partition(&self, day: KstDay) -> Partition {
        Partition { table: self.table.clone(), day }
    }
}
