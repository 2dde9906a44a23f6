//! What a run did, for people and for machines.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::console;
use super::exit::Exit;
use super::whole_file::WholeFile;
use crate::audit::freshness::{DayState, DayStatus};
use crate::convert::CountedOnly;
use crate::error::{Error, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::LeftGroup;
use crate::publish::Manifest;
use crate::road::{NotBuilt, PublishedTable, Registration};

const SUMMARY_VERSION: u32 = 1;

/// What a run did. New fields may come; a change of meaning raises the version.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    version: u32,
    logmill: &'static str,
    run: String,
    exit_code: u8,
    #[serde(flatten)]
    day: DaySummary,
    /// Earlier days that were made anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rebuilt: Vec<DaySummary>,
    /// Tables that are left out.
    not_built: Vec<NotBuilt>,
}

/// What became of the tables of a day.
#[derive(Debug, Serialize)]
pub(super) struct DaySummary {
    pub(super) day: KstDay,
    pub(super) tables: Vec<TableSummary>,
    pub(super) failed: Vec<FailedTable>,
}

/// What a backfill did.
#[derive(Debug, Serialize)]
pub(super) struct RangeSummary {
    version: u32,
    logmill: &'static str,
    run: String,
    from: KstDay,
    to: KstDay,
    exit_code: u8,
    /// The days that were made, or should have been.
    days: Vec<DaySummary>,
    /// Days of tables that needed nothing.
    left: u64,
    /// Days of tables that lack something, but would lose rows of objects that are gone.
    kept: Vec<KeptDay>,
    /// Tables that could not be looked at to their end.
    failed: Vec<FailedTable>,
    /// Tables that are left out.
    not_built: Vec<NotBuilt>,
}

/// What became of a table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TableSummary {
    pub(super) table: String,
    dataset: String,
    /// Objects that were read. Of those that were listed all others are left out.
    objects: u64,
    objects_listed: u64,
    objects_left: u64,
    /// What is left out, by reason.
    left: Vec<LeftGroup>,
    bytes: u64,
    #[serde(flatten)]
    pub(super) ledger: RowLedger,
    files: u64,
    file_bytes: u64,
    seconds: f64,
    provisional: bool,
    /// What may still come; `null` where the day is final.
    provisional_because: Option<String>,
    /// From when on a run of the day is final, UTC.
    complete_at: String,
    quarantine: Option<String>,
    /// Rejected rows that the quarantine has no room for, by reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counted_only: Vec<CountedOnly>,
    /// `null` without a catalog, and where it could not be told.
    catalog: Option<Registration>,
}

/// A table that was not published, or that the catalog does not show.
#[derive(Debug, Serialize)]
pub(super) struct FailedTable {
    pub(super) table: String,
    pub(super) published: bool,
    pub(super) error: String,
}

/// A day that a backfill has kept from losing rows.
#[derive(Debug, Serialize)]
struct KeptDay {
    day: KstDay,
    table: String,
    state: DayState,
    objects_gone: u64,
}

/// Removes the summary of an earlier run, so that nobody takes it for this one's, and makes sure that one can be written:
/// better before the work than after. A run that stops before its first table leaves none; one whose flags are invalid never
/// comes here.
pub(super) fn clear(json_to: Option<&str>) -> Result<()> {
    let Some(path) = json_to.filter(|path| *path != "-") else { return Ok(()) };
    let cleared = WholeFile::at(Path::new(path)).and_then(|file| file.check().and_then(|()| file.remove()));
    cleared.map_err(|cause| cannot_write(path, cause))
}

fn cannot_write(path: &str, cause: std::io::Error) -> Error {
    Error::unusable("cannot write the summary", cause).with("file", path).hint(
        "give --summary-json a file in a folder that exists and may be written to, or - for standard output",
    )
}

impl TableSummary {
    pub(super) fn new(published: &PublishedTable) -> Self {
        let PublishedTable { listed, manifest, quarantine, registration, seconds, .. } = published;
        Self {
            table: manifest.table.clone(),
            dataset: manifest.dataset.clone(),
            objects: listed.read,
            objects_listed: listed.listed,
            objects_left: listed.left_out(),
            left: listed.left.clone(),
            bytes: manifest.input_bytes,
            ledger: manifest.ledger,
            files: manifest.parts.len() as u64,
            file_bytes: manifest.parts.iter().map(|part| part.bytes).sum(),
            seconds: *seconds,
            provisional: manifest.provisional,
            provisional_because: still_to_come(manifest),
            complete_at: manifest.complete_at.clone(),
            quarantine: quarantine.clone(),
            counted_only: manifest.counted_only.clone(),
            catalog: registration.clone(),
        }
    }

    /// Where the rejected rows are, if there are any.
    fn rejected(&self) -> Option<String> {
        let counted_only: u64 = self.counted_only.iter().map(|counted| counted.rows).sum();
        let rows = console::count(self.ledger.quarantined);
        let kept = console::count(self.ledger.quarantined.saturating_sub(counted_only));
        Some(match self.quarantine.as_deref().map(console::shown) {
            Some(path) if counted_only == 0 => format!("{rows} rejected rows in {path}"),
            Some(path) => format!("{rows} rejected rows, the first {kept} in {path}"),
            None if counted_only > 0 => format!("{rows} rejected rows, none of them kept"),
            None => return None,
        })
    }

    fn megabytes_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.bytes as f64 / self.seconds / 1e6 } else { 0.0 }
    }
}

/// What of a day may come after its inputs were listed: the rest of the day, or late objects.
fn still_to_come(manifest: &Manifest) -> Option<String> {
    let listed_at = UtcInstant::parse_iso8601(&manifest.planned_at).filter(|_| manifest.provisional)?;
    let until = |end: UtcInstant| {
        let minutes = (end.0 - listed_at.0).max(0) / 60_000;
        format!("{} h {} min", minutes / 60, minutes % 60)
    };
    let day_ends = manifest.day.window().end;
    if listed_at < day_ends {
        return Some(format!("{} of the day are still to come", until(day_ends)));
    }
    let complete_at = UtcInstant::parse_iso8601(&manifest.complete_at)?;
    Some(format!("late objects may come for another {}, until {complete_at}", until(complete_at)))
}

/// What is left out, by reason, for people: `37 left out (34 hidden file, 3 of another time)`.
pub(super) fn left_out(groups: &[LeftGroup]) -> String {
    let mut reasons: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for group in groups {
        let why = if group.of_another_time { "of another time" } else { &group.why };
        let (objects, folders) = reasons.entry(why).or_default();
        *objects += group.objects;
        *folders += group.folders;
    }
    let list = |number: fn(&(u64, u64)) -> u64| {
        let all = reasons.iter().map(|(why, counts)| (*why, number(counts))).filter(|(_, count)| *count > 0);
        all.map(|(why, count)| format!("{} {why}", console::count(count))).collect::<Vec<_>>().join("; ")
    };
    let total = |number: fn(&(u64, u64)) -> u64| console::count(reasons.values().map(number).sum());
    let (objects, folders) = (list(|counts| counts.0), list(|counts| counts.1));
    let mut text = format!("{} left out", total(|counts| counts.0));
    if !objects.is_empty() {
        text += &format!(" ({objects})");
    }
    if !folders.is_empty() {
        text += &format!(", folders not entered: {} ({folders})", total(|counts| counts.1));
    }
    text
}

/// Where engines find a day, in one line for people.
pub(super) fn registered(registration: &Registration) -> String {
    let Registration { database, table, location, partition, .. } = registration;
    format!("{database}.{table}: partition {partition}, at {}", console::shown(location))
}

/// A column of the table for people.
struct SummaryColumn {
    name: &'static str,
    cell: fn(&TableSummary) -> String,
    /// Whether a table needs the column; it is shown when one does.
    is_needed: fn(&TableSummary) -> bool,
}

const fn column(name: &'static str, cell: fn(&TableSummary) -> String) -> SummaryColumn {
    SummaryColumn { name, cell, is_needed: |_| true }
}

const COLUMNS: [SummaryColumn; 14] = [
    column("table", |table| table.table.clone()),
    column("objects", |table| console::count(table.objects)),
    column("input", |table| console::size(table.bytes)),
    column("read", |table| console::count(table.ledger.read)),
    column("written", |table| console::count(table.ledger.written)),
    column("other day", |table| console::count(table.ledger.other_day)),
    column("duplicate", |table| console::count(table.ledger.duplicate)),
    column("quarantined", |table| console::count(table.ledger.quarantined)),
    SummaryColumn {
        name: "filtered",
        cell: |table| console::count(table.ledger.filtered),
        is_needed: |table| table.ledger.filtered > 0,
    },
    column("files", |table| console::count(table.files)),
    column("output", |table| console::size(table.file_bytes)),
    column("seconds", |table| format!("{:.1}", table.seconds)),
    column("MB/s", |table| format!("{:.1}", table.megabytes_per_second())),
    column("state", |table| if table.provisional { "provisional" } else { "final" }.to_owned()),
];

/// The table for people over tables of days; which day it is is said where there are several.
fn table_of(days: &[DaySummary], says_day: bool) -> String {
    let all = || days.iter().flat_map(|day| day.tables.iter().map(move |table| (day.day, table)));
    let columns: Vec<&SummaryColumn> =
        COLUMNS.iter().filter(|column| all().any(|(_, table)| (column.is_needed)(table))).collect();
    let names = || columns.iter().map(|column| column.name);
    let header: Vec<&str> = says_day.then_some("day").into_iter().chain(names()).collect();
    let numbers: Vec<&str> = names().filter(|name| *name != "table" && *name != "state").collect();
    let row = |(day, table): (KstDay, &TableSummary)| {
        let day = says_day.then(|| day.to_string());
        day.into_iter().chain(columns.iter().map(|column| (column.cell)(table))).collect()
    };
    console::table(&header, &numbers, all().map(row))
}

impl DaySummary {
    fn lines(&self) -> String {
        let mut text = String::new();
        text.extend(self.left_out().map(|line| format!("\n{line}")));
        text.extend(self.provisional().map(|line| format!("\n{line}")));
        for (table, rejected) in self.tables.iter().filter_map(|table| Some((table, table.rejected()?))) {
            text += &format!("\n{}: {rejected}", table.table);
        }
        if !text.is_empty() {
            text.push('\n');
        }
        for catalog in self.tables.iter().filter_map(|table| table.catalog.as_ref()) {
            text += &format!("\n{}", registered(catalog));
        }
        if self.tables.iter().any(|table| table.catalog.is_some()) {
            text.push('\n');
        }
        text
    }

    /// What listing has met beside the objects that were read.
    fn left_out(&self) -> impl Iterator<Item = String> {
        self.tables.iter().filter(|table| !table.left.is_empty()).map(|table| {
            let listed = console::counted(table.objects_listed, "object");
            let (read, left) = (console::count(table.objects), left_out(&table.left));
            format!("{}: {listed} listed = {read} read + {left}", table.table)
        })
    }

    /// Why tables of the day are not final.
    fn provisional(&self) -> impl Iterator<Item = String> {
        let why = |table: &TableSummary| {
            Some(format!("{}: provisional: {}", table.table, table.provisional_because.as_ref()?))
        };
        self.tables.iter().filter_map(why)
    }

    fn failures(&self) -> impl Iterator<Item = String> {
        self.failed.iter().map(|failed| format!("{} {}\n", self.day, failed.line()))
    }
}

impl FailedTable {
    fn line(&self) -> String {
        let what = if self.published { "published, but not registered" } else { "not published" };
        format!("{}: {what}", self.table)
    }
}

impl Summary {
    pub(super) fn new(
        run: String,
        exit: Exit,
        day: DaySummary,
        rebuilt: Vec<DaySummary>,
        not_built: Vec<NotBuilt>,
    ) -> Self {
        let (version, logmill) = (SUMMARY_VERSION, env!("CARGO_PKG_VERSION"));
        Self { version, logmill, run, exit_code: exit.code(), day, rebuilt, not_built }
    }

    /// The table for people.
    fn text(&self) -> String {
        let day = &self.day;
        let mut text = format!("KST day {}, run {}\n", day.day, self.run);
        if !day.tables.is_empty() {
            text.push('\n');
            text += &table_of(std::slice::from_ref(day), false);
        }
        text += &day.lines();
        for failed in &day.failed {
            text += &format!("\n{}\n", failed.line());
        }
        if !self.rebuilt.is_empty() {
            text += "\nDays before, for which objects have come since they were published:\n\n";
            text += &table_of(&self.rebuilt, true);
            for day in &self.rebuilt {
                text.extend(day.provisional().map(|line| format!("{} {line}\n", day.day)));
            }
            text.extend(self.rebuilt.iter().flat_map(DaySummary::failures));
        }
        text
    }

    /// Writes the JSON where it was asked for, and the table unless the JSON goes to standard output.
    pub(super) fn deliver(&self, json_to: Option<&str>, quiet: bool) -> Result<()> {
        deliver(self, || self.text(), json_to, quiet)
    }
}

impl RangeSummary {
    pub(super) fn new(
        run: String,
        days: DayRange,
        exit: Exit,
        made: Vec<DaySummary>,
        (left, kept): (u64, &[DayStatus]),
        failed: Vec<FailedTable>,
        not_built: Vec<NotBuilt>,
    ) -> Self {
        let (version, logmill) = (SUMMARY_VERSION, env!("CARGO_PKG_VERSION"));
        let (from, to) = (days.first, days.last);
        let kept_day = |status: &DayStatus| KeptDay {
            day: status.partition.day,
            table: status.partition.table.clone(),
            state: status.state,
            objects_gone: status.change.gone,
        };
        let kept = kept.iter().map(kept_day).collect();
        let (exit_code, days) = (exit.code(), made);
        Self { version, logmill, run, from, to, exit_code, days, left, kept, failed, not_built }
    }

    /// The table for people.
    fn text(&self) -> String {
        let mut text = format!("KST days {} to {}, run {}\n", self.from, self.to, self.run);
        let published = self.days.iter().map(|day| day.tables.len() as u64).sum();
        let failed = self.days.iter().map(|day| day.failed.len() as u64).sum();
        if published > 0 {
            text.push('\n');
            text += &table_of(&self.days, true);
        }
        for day in &self.days {
            text.extend(day.provisional().map(|line| format!("\n{} {line}", day.day)));
            let rejected = day.tables.iter().filter_map(|table| Some((table, table.rejected()?)));
            text.extend(
                rejected.map(|(table, rejected)| format!("\n{} {}: {rejected}", day.day, table.table)),
            );
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let counts = [
            (published, "published"),
            (self.left, "needed nothing"),
            (self.kept.len() as u64, "kept, since raw objects are gone"),
            (failed, "failed"),
        ];
        let counts = counts.iter().filter(|(count, what)| *count > 0 || *what == "published");
        let counts: Vec<String> =
            counts.map(|(count, what)| format!("{} {what}", console::count(*count))).collect();
        text += &format!("\ndays of tables: {}\n", counts.join(", "));
        text.extend(self.days.iter().flat_map(DaySummary::failures));
        text.extend(self.failed.iter().map(|failed| format!("{}: not gone through\n", failed.table)));
        text
    }

    /// Writes the JSON where it was asked for, and the table unless the JSON goes to standard output.
    pub(super) fn deliver(&self, json_to: Option<&str>, quiet: bool) -> Result<()> {
        deliver(self, || self.text(), json_to, quiet)
    }
}

/// Writes a summary as JSON where it was asked for, and as text unless the JSON goes to standard output.
pub(super) fn deliver(
    summary: &impl Serialize,
    text: impl FnOnce() -> String,
    json_to: Option<&str>,
    quiet: bool,
) -> Result<()> {
    let mut json = serde_json::to_string_pretty(summary)
        .map_err(|cause| Error::bug("cannot write the summary as JSON").caused_by(cause))?;
    json.push('\n');
    match json_to {
        Some("-") => return console::print(&json),
        Some(path) => WholeFile::at(Path::new(path))
            .and_then(|file| file.replace(&json))
            .map_err(|cause| cannot_write(path, cause))?,
        None => {}
    }
    if quiet { Ok(()) } else { console::print(&text()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::manifest;

    #[test]
    fn a_day_that_is_not_final_says_what_may_still_come() {
        for (listed_at, provisional, expected) in [
            ("2023-10-31T16:00:00Z", true, Some("23 h 0 min of the day are still to come")),
            ("2023-11-01T11:47:31Z", true, Some("3 h 12 min of the day are still to come")),
            (
                "2023-11-01T15:00:00Z",
                true,
                Some("late objects may come for another 24 h 0 min, until 2023-11-02T15:00:00Z"),
            ),
            (
                "2023-11-02T14:29:59Z",
                true,
                Some("late objects may come for another 0 h 30 min, until 2023-11-02T15:00:00Z"),
            ),
            ("2023-11-02T15:00:00Z", false, None),
        ] {
            let manifest = Manifest { planned_at: listed_at.to_owned(), provisional, ..manifest() };
            assert_eq!(still_to_come(&manifest).as_deref(), expected, "{listed_at}");
        }
    }
}
