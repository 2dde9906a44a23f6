//! What a run did, for people and for machines.

use std::fs;

use serde::Serialize;

use super::catalog::CatalogSummary;
use super::console;
use super::exit::Exit;
use crate::error::{Error, Result};
use crate::kst::KstDay;
use crate::ledger::RowLedger;
use crate::plan::TablePlan;
use crate::publish::Manifest;

const SUMMARY_VERSION: u32 = 1;

/// What a run did. New fields may come; a change of meaning raises the version.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    version: u32,
    logmill: &'static str,
    run: String,
    day: KstDay,
    exit_code: u8,
    tables: Vec<TableSummary>,
    failed: Vec<FailedTable>,
}

/// What became of a table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TableSummary {
    pub(super) table: String,
    dataset: String,
    objects: u64,
    objects_left: u64,
    bytes: u64,
    #[serde(flatten)]
    pub(super) ledger: RowLedger,
    files: u64,
    file_bytes: u64,
    seconds: f64,
    provisional: bool,
    quarantine: Option<String>,
    /// `null` without a catalog, and where it could not be told.
    catalog: Option<CatalogSummary>,
}

/// A table that was not published, or that the catalog does not show.
#[derive(Debug, Serialize)]
pub(super) struct FailedTable {
    pub(super) table: String,
    pub(super) published: bool,
    pub(super) error: String,
}

/// Removes the summary of an earlier run, so that nobody takes it for this one's, and makes sure that one can be written:
/// better before the work than after.
pub(super) fn clear(json_to: Option<&str>) -> Result<()> {
    match json_to {
        None | Some("-") => Ok(()),
        Some(path) => fs::File::create(path).map(|_| ()).map_err(|cause| cannot_write(path, cause)),
    }
}

fn cannot_write(path: &str, cause: std::io::Error) -> Error {
    Error::unusable("cannot write the summary", cause)
        .with("file", path)
        .hint("give --summary-json a file in a folder that exists, or - for standard output")
}

impl TableSummary {
    pub(super) fn new(
        plan: &TablePlan,
        manifest: &Manifest,
        quarantine: Option<String>,
        catalog: Option<CatalogSummary>,
        seconds: f64,
    ) -> Self {
        Self {
            table: plan.table.clone(),
            dataset: plan.dataset.clone(),
            objects: plan.objects.len() as u64,
            objects_left: plan.left.len() as u64,
            bytes: plan.bytes(),
            ledger: manifest.ledger,
            files: manifest.parts.len() as u64,
            file_bytes: manifest.parts.iter().map(|part| part.bytes).sum(),
            seconds,
            provisional: manifest.provisional,
            quarantine,
            catalog,
        }
    }

    fn row(&self) -> Vec<String> {
        let ledger = &self.ledger;
        let rate = if self.seconds > 0.0 { self.bytes as f64 / self.seconds / 1e6 } else { 0.0 };
        let mut row = vec![self.table.clone(), console::count(self.objects), console::size(self.bytes)];
        row.extend(
            [ledger.read, ledger.written, ledger.other_day, ledger.duplicate, ledger.quarantined]
                .map(console::count),
        );
        row.extend([
            console::count(self.files),
            console::size(self.file_bytes),
            format!("{:.1}", self.seconds),
            format!("{rate:.1}"),
            if self.provisional { "provisional" } else { "final" }.to_owned(),
        ]);
        row
    }
}

const HEADER: [&str; 13] = [
    "table",
    "objects",
    "input",
    "read",
    "written",
    "other day",
    "duplicate",
    "quarantined",
    "files",
    "output",
    "seconds",
    "MB/s",
    "state",
];

impl Summary {
    pub(super) fn new(
        run: String,
        day: KstDay,
        exit: Exit,
        tables: Vec<TableSummary>,
        failed: Vec<FailedTable>,
    ) -> Self {
        let (version, logmill) = (SUMMARY_VERSION, env!("CARGO_PKG_VERSION"));
        Self { version, logmill, run, day, exit_code: exit.code(), tables, failed }
    }

    /// The table for people.
    fn text(&self) -> String {
        let mut text = format!("KST day {}, run {}\n", self.day, self.run);
        if !self.tables.is_empty() {
            text.push('\n');
            text += &console::table(&HEADER, &HEADER[1..12], self.tables.iter().map(TableSummary::row));
        }
        for table in self.tables.iter().filter(|table| table.quarantine.is_some()) {
            let path = table.quarantine.as_deref().unwrap_or_default();
            text += &format!(
                "\n{}: {} rejected rows in {path}",
                table.table,
                console::count(table.ledger.quarantined)
            );
        }
        if self.tables.iter().any(|table| table.quarantine.is_some()) {
            text.push('\n');
        }
        for catalog in self.tables.iter().filter_map(|table| table.catalog.as_ref()) {
            text += &format!("\n{}", catalog.line());
        }
        if self.tables.iter().any(|table| table.catalog.is_some()) {
            text.push('\n');
        }
        for FailedTable { table, published, .. } in &self.failed {
            let what = if *published { "published, but not registered" } else { "not published" };
            text += &format!("\n{table}: {what}\n");
        }
        text
    }

    /// Writes the JSON where it was asked for, and the table unless the JSON goes to standard output.
    pub(super) fn deliver(&self, json_to: Option<&str>, quiet: bool) -> Result<()> {
        let mut json = serde_json::to_string_pretty(self)
            .map_err(|cause| Error::bug("cannot write the summary as JSON").caused_by(cause))?;
        json.push('\n');
        match json_to {
            Some("-") => return console::print(&json),
            Some(path) => fs::write(path, json).map_err(|cause| cannot_write(path, cause))?,
            None => {}
        }
        if quiet { Ok(()) } else { console::print(&self.text()) }
    }
}
