//! The receipt of a plan, which replaces the plan file once the day is published and before its shards are removed.
//!
//! It is written atomically before the first file is removed, and it is kept. It shows a late `publish` or `convert`, or one
//! that is repeated after it was killed, that no work is left.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::convert::Staging;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{Plan, is_table_name};
use crate::publish::read_manifest;
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::{self, RunRecord};
use crate::road::{DayRoad, Registration};
use crate::store::Lake;
use crate::store::lake::{Partition, is_run_name};

/// The first bytes of the file. No plan begins with them.
const BEGINNING: &[u8] = b"{\"receipt\":";
/// The version of the file format.
const RECEIPT_VERSION: u32 = 1;

/// A registration of a table whose day was already published.
#[derive(Debug)]
pub struct Repeated {
    /// The table.
    pub table: String,
    /// The registration. `None` without a catalog.
    pub registration: Result<Option<Registration>>,
}

/// A published plan.
#[derive(Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of the file format. This is the first field, and no plan has it.
    #[serde(rename = "receipt")]
    version: u32,
    /// Checksum of the plan.
    pub plan: String,
    /// The day.
    pub day: KstDay,
    /// The run that published it.
    pub run: String,
    /// Address of the lake.
    output: String,
    /// The published tables.
    pub tables: Vec<String>,
    /// The JSON summary of the run, as `--summary-json` prints it.
    pub summary: Value,
}

impl Receipt {
    /// Creates the receipt of a plan that a run has published, with the JSON summary of the run.
    #[must_use]
    pub fn of(plan: &Plan, id: &str, run: &str, lake: &dyn Lake, summary: Value) -> Self {
        Self {
            version: RECEIPT_VERSION,
            plan: id.to_owned(),
            day: plan.day,
            run: run.to_owned(),
            output: lake.address(""),
            tables: plan.tables.iter().map(|table| table.spec.table.clone()).collect(),
            summary,
        }
    }

    /// Returns whether the content of a file is a receipt. Only its beginning is compared.
    #[must_use]
    pub fn is_one(content: &[u8]) -> bool {
        content.starts_with(BEGINNING)
    }

    /// Reads a receipt.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let unusable = || {
            Error::new(ErrorKind::Usage, "cannot read the receipt of a published plan")
                .hint("create a new plan with 'logmill plan --plan FILE'")
        };
        let receipt: Self = serde_json::from_slice(json).map_err(|cause| unusable().caused_by(cause))?;
        let is_known = receipt.version == RECEIPT_VERSION
            && is_run_name(&receipt.run)
            && receipt.tables.iter().all(|table| is_table_name(table));
        if is_known { Ok(receipt) } else { Err(unusable().with("version", receipt.version)) }
    }

    /// Returns the content of the file.
    pub fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string(self)
            .map_err(|cause| Error::bug("cannot write the receipt as JSON").caused_by(cause))?;
        Ok(json + "\n")
    }

    /// Fails if the lake lacks the published days: it is another lake, or they were removed.
    pub fn check(&self, lake: &dyn Lake) -> Result<()> {
        for table in &self.tables {
            let partition = Partition { table: table.clone(), day: self.day };
            if !self.was_published(lake, &partition)? {
                return Err(Error::new(
                    ErrorKind::Unusable,
                    "the plan was published, but the day is not in the lake",
                )
                .with("table", table)
                .with("day", self.day)
                .with("published_to", &self.output)
                .with("output", lake.address(""))
                .hint("pass the --output to which it was published, or create a new plan and convert it"));
            }
        }
        Ok(())
    }

    /// Returns whether its run is the live run of a day, or was live until another run replaced it.
    fn was_published(&self, lake: &dyn Lake, partition: &Partition) -> Result<bool> {
        let Some(manifest) = read_manifest(lake, partition)? else { return Ok(false) };
        if manifest.run == self.run {
            return Ok(true);
        }
        let history = RunHistory::list(lake, partition)?;
        Ok(match history.record(&self.run)? {
            Some(record) => record.manifest.is_some(),
            // The lake keeps only the records of the last runs of a day, and may have dropped this one.
            None => self.output == lake.address("") || history.may_have_forgotten(),
        })
    }

    /// Registers each table that is not recorded as registered: the run may have had no catalog, or another run may have
    /// published the day since. Returns the outcome for each of these tables.
    pub fn register(&self, road: &DayRoad<'_>, lake: &dyn Lake, database: &str) -> Result<Vec<Repeated>> {
        let mut outcomes = Vec::new();
        for table in &self.tables {
            let partition = Partition { table: table.clone(), day: self.day };
            let Some(manifest) = read_manifest(lake, &partition)? else { continue };
            if !RunHistory::list(lake, &partition)?.is_registered(&manifest.run, database) {
                outcomes
                    .push(Repeated { table: table.clone(), registration: road.register_again(&manifest) });
            }
        }
        Ok(outcomes)
    }

    /// Returns the records of its run from the lake, with the errors of the current run in `current`.
    pub fn run_records(&self, lake: &dyn Lake, current: &[RunRecord]) -> Result<Vec<RunRecord>> {
        let mut records = Vec::new();
        for table in &self.tables {
            let partition = Partition { table: table.clone(), day: self.day };
            let current = current.iter().find(|current| current.table == *table);
            let error = current.and_then(|current| current.error.clone());
            let known = run_record::read(lake, &partition, &self.run)?;
            records.extend(known.or_else(|| current.cloned()).map(|record| RunRecord { error, ..record }));
        }
        Ok(records)
    }

    /// Removes the shards of its plan.
    pub fn remove_shards(&self, staging: &Staging) -> Result<()> {
        self.tables.iter().try_for_each(|table| staging.remove(table, &self.plan))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_receipt_is_recognised_by_its_beginning_and_reads_back_unchanged() {
        let receipt = Receipt {
            version: RECEIPT_VERSION,
            plan: "abc".to_owned(),
            day: "2023-11-01".parse().unwrap(),
            run: "20231102T000000Z-0000000a".to_owned(),
            output: "lake".to_owned(),
            tables: vec!["cloudtrail".to_owned()],
            summary: json!({"run": "x"}),
        };
        let written = receipt.to_json().unwrap();
        assert!(Receipt::is_one(written.as_bytes()) && !Receipt::is_one(b"{\"version\":1}"));
        let read = Receipt::from_json(written.as_bytes()).unwrap();
        assert_eq!(read.to_json().unwrap(), written);
        for (field, value) in [
            ("receipt", json!(2)),
            ("run", json!("../x")),
            ("tables", json!(["../x"])),
            ("day", json!("yesterday")),
        ] {
            let mut changed: Value = serde_json::from_str(&written).unwrap();
            changed[field] = value;
            assert!(Receipt::from_json(changed.to_string().as_bytes()).is_err(), "{field}");
        }
    }
}
