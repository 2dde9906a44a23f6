//! The settings that the source, plan and manifest of a table share.

use serde::{Deserialize, Serialize};

use super::key_times::{Choice, KeyTimes, Midnight, Wanted};
use crate::dataset::{self, Dataset, KeyClaim, LogType, TableShape};
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::rules::{RedactRules, RowRules};
use crate::store::lake::Partition;
use crate::store::{Connector, SourceAccess, Store};
use crate::table::{Naming, Promotion, TableSchema};

/// The source of a table's rows, and how they are processed. A table in a plan file begins with these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// Name of the table.
    pub table: String,
    /// The log type.
    pub dataset: LogType,
    /// Folders, files or prefixes with raw logs.
    pub inputs: Vec<String>,
    /// How to access the inputs.
    #[serde(default)]
    pub access: SourceAccess,
    /// Naming scheme of the columns.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
    /// `snake_case` names of the columns that are not written, in the order of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop_columns: Vec<String>,
    /// Rules that leave rows out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Rules that mask values. A plan file without them masks the default values of all log types.
    #[serde(default = "all_default_redactions")]
    pub redact: RedactRules,
    /// How long after the day its late objects are still expected, in milliseconds.
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
            drop_columns: Vec::new(),
            filter: Vec::new(),
            redact: RedactRules::new(dataset.default_redactions()),
            lateness_ms: i64::from(dataset.default_lateness_hours()) * 3_600_000,
        }
    }

    /// Returns the columns that are decoded, including those that are not written.
    #[must_use]
    pub fn schema(&self) -> TableSchema {
        self.dataset.schema(self.naming, &self.promote)
    }

    /// Returns the properties that decide the published columns.
    #[must_use]
    pub fn shape(&self) -> TableShape {
        let (table, promote, drop_columns) =
            (self.table.clone(), self.promote.clone(), self.drop_columns.clone());
        TableShape { table, dataset: self.dataset, naming: self.naming, promote, drop_columns }
    }

    /// Returns the rules for its rows. Fails if a rule does not fit the columns.
    pub fn row_rules(&self, schema: &TableSchema) -> Result<RowRules> {
        Ok(RowRules::new(schema, &self.filter, &self.redact)?.dropping(schema, &self.drop_columns))
    }

    /// Opens the inputs, in their order.
    pub fn open_inputs(&self, connector: &Connector) -> Result<Vec<Box<dyn Store>>> {
        self.inputs.iter().map(|input| connector.store(input, &self.access)).collect()
    }

    /// Whether a run of a day would read an object if it existed, by the time in its address. Either meaning of midnight is
    /// enough.
    #[must_use]
    pub fn would_read(&self, address: &str, day: KstDay, key_times: KeyTimes) -> bool {
        let KeyClaim::Mine(time) = self.dataset.claim(address) else { return true };
        let wanted = Wanted::new(DayRange::only(day), self.lateness_ms, key_times);
        matches!(wanted.choose(time.widest(), Midnight::Either), Choice::Take(..))
    }

    /// Returns the partition of a day.
    #[must_use]
    pub fn partition(&self, day: KstDay) -> Partition {
        Partition { table: self.table.clone(), day }
    }
}

/// Returns the default redactions of all log types together.
fn all_default_redactions() -> RedactRules {
    let mut all = RedactRules::new(&[]);
    for dataset in dataset::all() {
        all.add(RedactRules::new(dataset.default_redactions()).texts());
    }
    all
}
