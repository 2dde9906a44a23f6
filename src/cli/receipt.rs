//! What stands in the place of a plan when its day is published and its shards are being removed.
//!
//! It is put there in one step before the first file goes, and stays: a `publish` or `convert` that comes late, or again after
//! it was killed, knows by it that nothing is left to do.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::exit::Exit;
use super::summary::{FailedTable, Summary};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{Plan, is_table_name};
use crate::publish::read_manifest;
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::{self, RunRecord};
use crate::road::DayRoad;
use crate::store::Lake;
use crate::store::lake::{Partition, is_run_name};

/// What the file begins with; no plan does.
const BEGINNING: &[u8] = b"{\"receipt\":";
/// The version of the file's form.
const RECEIPT_VERSION: u32 = 1;

/// A published plan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// Version of the file's form. It is the first field, and no plan has it.
    #[serde(rename = "receipt")]
    version: u32,
    /// Checksum of the plan.
    pub(super) plan: String,
    /// The day.
    pub(super) day: KstDay,
    /// The run that published it.
    pub(super) run: String,
    /// Address of the lake.
    output: String,
    /// The tables, all of which are published.
    pub(super) tables: Vec<String>,
    /// What the run has given as `--summary-json`.
    pub(super) summary: Value,
}

impl Receipt {
    /// Of a plan that a run has published.
    pub(super) fn of(plan: &Plan, id: &str, run: &str, lake: &dyn Lake, summary: &Summary) -> Result<Self> {
        let summary = serde_json::to_value(summary)
            .map_err(|cause| Error::bug("cannot write the summary as JSON").caused_by(cause))?;
        Ok(Self {
            version: RECEIPT_VERSION,
            plan: id.to_owned(),
            day: plan.day,
            run: run.to_owned(),
            output: lake.address(""),
            tables: plan.tables.iter().map(|table| table.spec.table.clone()).collect(),
            summary,
        })
    }

    /// Whether the content of a file is one, by its beginning.
    pub(super) fn is_one(content: &[u8]) -> bool {
        content.starts_with(BEGINNING)
    }

    /// Reads one.
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
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

    pub(super) fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string(self)
            .map_err(|cause| Error::bug("cannot write the receipt as JSON").caused_by(cause))?;
        Ok(json + "\n")
    }

    /// Fails if a lake does not have the days that it is for: another one was given, or they were removed.
    pub(super) fn check(&self, lake: &dyn Lake) -> Result<()> {
        for table in &self.tables {
            let partition = Partition { table: table.clone(), day: self.day };
            if !self.was_published(lake, &partition)? {
                return Err(Error::new(
                    ErrorKind::Unusable,
                    "the plan was published, but the day is not there",
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

    /// Whether its run is the day, or another one has replaced it since.
    fn was_published(&self, lake: &dyn Lake, partition: &Partition) -> Result<bool> {
        let Some(manifest) = read_manifest(lake, partition)? else { return Ok(false) };
        if manifest.run == self.run {
            return Ok(true);
        }
        let remembered = RunHistory::list(lake, partition)?;
        Ok(match remembered.report(&self.run)? {
            Some(report) => report.manifest.is_some(),
            // Only the last runs of a day are remembered: the lake may have forgotten this one.
            None => self.output == lake.address("") || remembered.may_have_forgotten(),
        })
    }

    /// Tells the catalog, if there is one, of the tables that nothing shows to be registered: the run may have had no catalog,
    /// or another run may have published the day since. The summary then says so.
    pub(super) fn register(&mut self, road: &DayRoad<'_>, lake: &dyn Lake, database: &str) -> Result<Exit> {
        let mut failures = Vec::new();
        for table in self.tables.clone() {
            let partition = Partition { table: table.clone(), day: self.day };
            let Some(manifest) = read_manifest(lake, &partition)? else { continue };
            if RunHistory::list(lake, &partition)?.is_registered(&manifest.run, database) {
                continue;
            }
            match road.register_again(&manifest) {
                Ok(registration) => self.note(&table, &json!(registration)),
                Err(error) => {
                    failures.push(Exit::from(error.kind()));
                    self.note_failure(&FailedTable { table, published: true, error: error.to_string() });
                }
            }
        }
        let exit = Exit::of_failures(&failures, true);
        self.summary["exit_code"] = exit.code().into();
        Ok(exit)
    }

    fn note(&mut self, table: &str, registration: &Value) {
        let tables = self.summary["tables"].as_array_mut().into_iter().flatten();
        for noted in tables.filter(|noted| noted["table"] == table) {
            noted["catalog"] = registration.clone();
        }
    }

    fn note_failure(&mut self, failed: &FailedTable) {
        if let Some(noted) = self.summary["failed"].as_array_mut() {
            noted.push(json!(failed));
        }
    }

    /// What is known of its run: the reports in the lake, with the errors that this run has met.
    pub(super) fn reports(&self, lake: &dyn Lake, met: &[RunRecord]) -> Result<Vec<RunRecord>> {
        let mut reports = Vec::new();
        for table in &self.tables {
            let partition = Partition { table: table.clone(), day: self.day };
            let met = met.iter().find(|met| met.table == *table);
            let known = run_record::report(lake, &partition, &self.run)?;
            reports.extend(
                known
                    .or_else(|| met.cloned())
                    .map(|report| RunRecord { error: met.and_then(|met| met.error.clone()), ..report }),
            );
        }
        Ok(reports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_known_by_its_beginning_and_read_as_it_was_written() {
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
