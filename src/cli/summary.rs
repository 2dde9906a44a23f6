//! The summary of a run, as text and as JSON. [`super::range_summary`] is that of a backfill.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::console::{self, Console};
use super::exit::Exit;
use super::grid::Grid;
use super::proof::ProofSummary;
use super::screen::{Screen, Shown, Tone};
use super::whole_file::WholeFile;
use crate::audit::freshness::{DayState, DayStatus};
use crate::convert::CountedOnly;
use crate::digest::Verdict;
use crate::error::{Error, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::ledger::RowLedger;
use crate::plan::LeftGroup;
use crate::publish::Manifest;
use crate::road::backfill::LookedBack;
use crate::road::{Outcomes, PublishedTable, Registration, Unread};

pub(super) const SUMMARY_VERSION: u32 = 1;

/// The summary of a run. New fields may be added. A change of meaning raises the version.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    version: u32,
    logmill: &'static str,
    run: String,
    exit_code: u8,
    #[serde(flatten)]
    day: DaySummary,
    /// Earlier days that were rebuilt, or failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rebuilt: Vec<DaySummary>,
    /// Earlier days that need a rebuild, but would lose rows of deleted objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept: Vec<KeptDay>,
    /// Tables that were not built, and logs that no table reads.
    #[serde(flatten)]
    unread: Unread,
}

/// The outcome of each table of a day.
#[derive(Debug, Serialize)]
pub(super) struct DaySummary {
    pub(super) day: KstDay,
    pub(super) tables: Vec<TableSummary>,
    pub(super) failed: Vec<FailedTable>,
}

/// The outcome of a published table.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TableSummary {
    pub(super) table: String,
    dataset: String,
    /// Objects that were read. All other listed objects were left out.
    objects: u64,
    objects_listed: u64,
    objects_left: u64,
    /// Objects and folders that were left out, by reason.
    left: Vec<LeftGroup>,
    bytes: u64,
    #[serde(flatten)]
    pub(super) ledger: RowLedger,
    files: u64,
    file_bytes: u64,
    seconds: f64,
    provisional: bool,
    /// What may still arrive; `null` if the day is final.
    provisional_because: Option<String>,
    /// The UTC time from which a run of the day is final.
    complete_at: String,
    quarantine: Option<String>,
    /// Rejected rows beyond the limit of the quarantine, by reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counted_only: Vec<CountedOnly>,
    /// What digests prove; absent without digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<ProofSummary>,
    /// `null` without a catalog, and if the registration failed.
    catalog: Option<Registration>,
}

/// A table that was not published, or not registered.
#[derive(Debug, Serialize)]
pub(super) struct FailedTable {
    pub(super) table: String,
    pub(super) published: bool,
    pub(super) error: String,
}

/// A day that was not rebuilt, to keep its rows.
#[derive(Debug, Serialize)]
pub(super) struct KeptDay {
    day: KstDay,
    table: String,
    state: DayState,
    objects_gone: u64,
}

/// What happened to a day that was kept.
pub(super) const NOT_REBUILT: &str = "not rebuilt because raw objects were deleted";

impl KeptDay {
    pub(super) fn of(status: &DayStatus) -> Self {
        Self {
            day: status.partition.day,
            table: status.partition.table.clone(),
            state: status.state,
            objects_gone: status.change.gone,
        }
    }
}

/// Removes the summary of an earlier run, so that it is not mistaken for that of this run. Fails before any work is done if
/// a summary cannot be written. A run that stops before its first table leaves no summary. A run with invalid flags ends
/// before this point.
pub(super) fn clear(json_to: Option<&str>) -> Result<()> {
    let Some(path) = json_to.filter(|path| *path != "-") else { return Ok(()) };
    let cleared = WholeFile::at(Path::new(path)).and_then(|file| file.check().and_then(|()| file.remove()));
    cleared.map_err(|cause| cannot_write(path, cause))
}

fn cannot_write(path: &str, cause: std::io::Error) -> Error {
    Error::unusable("cannot write the summary", cause)
        .with("file", path)
        .hint("pass --summary-json a path in an existing, writable folder, or - for standard output")
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
            provisional_because: may_still_arrive(manifest),
            complete_at: manifest.complete_at.clone(),
            quarantine: quarantine.clone(),
            counted_only: manifest.counted_only.clone(),
            proof: manifest.proof.as_ref().map(ProofSummary::of),
            catalog: registration.clone(),
        }
    }

    fn state(&self) -> &'static str {
        match &self.proof {
            Some(proof) if proof.verdict == Verdict::Proved => Verdict::Proved.word(),
            _ if self.provisional => "provisional",
            _ => "final",
        }
    }

    /// Describes where the rejected rows are, if there are any.
    fn rejected(&self) -> Option<String> {
        let counted_only: u64 = self.counted_only.iter().map(|counted| counted.rows).sum();
        let rows = console::counted(self.ledger.quarantined, "rejected row");
        let kept = console::count(self.ledger.quarantined.saturating_sub(counted_only));
        Some(match self.quarantine.as_deref().map(console::shown) {
            Some(path) if counted_only == 0 => format!("{rows} in {path}"),
            Some(path) => format!("{rows}, the first {kept} in {path}"),
            None if counted_only > 0 => format!("{rows}, none kept"),
            None => return None,
        })
    }

    fn megabytes_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.bytes as f64 / self.seconds / 1e6 } else { 0.0 }
    }
}

/// Describes what may arrive after the inputs of a day were listed: the rest of the day, or late objects.
fn may_still_arrive(manifest: &Manifest) -> Option<String> {
    let listed_at = UtcInstant::parse_iso8601(&manifest.planned_at).filter(|_| manifest.provisional)?;
    let until = |end: UtcInstant| {
        let minutes = (end.0 - listed_at.0).max(0) / 60_000;
        format!("{} h {} min", minutes / 60, minutes % 60)
    };
    let day_ends = manifest.day.window().end;
    if listed_at < day_ends {
        return Some(format!("listed {} before the end of the day", until(day_ends)));
    }
    let complete_at = UtcInstant::parse_iso8601(&manifest.complete_at)?;
    Some(format!("late objects may still arrive for {}, until {complete_at}", until(complete_at)))
}

/// Formats what was left out, by reason: `37 left out (hidden file: 34; of another time: 3)`.
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
        all.map(|(why, count)| format!("{why}: {}", console::count(count))).collect::<Vec<_>>().join("; ")
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

/// The number of tables from which a reason that all share is shown once.
const MANY_TABLES: usize = 3;

/// Returns what every table leaves out for the same reason and in the same number, if there are many tables. Times are left to
/// the tables, because their lateness differs.
fn shared_by_all(tables: &[TableSummary]) -> Vec<LeftGroup> {
    let Some((first, others)) = tables.split_first().filter(|_| tables.len() >= MANY_TABLES) else {
        return Vec::new();
    };
    let is_shared = |group: &&LeftGroup| {
        !group.of_another_time
            && others.iter().all(|table| table.left.iter().any(|other| are_alike(group, other)))
    };
    first.left.iter().filter(is_shared).cloned().collect()
}

/// Returns the groups with the shared ones as one.
fn without(groups: &[LeftGroup], shared: &[LeftGroup]) -> Vec<LeftGroup> {
    let is_own = |group: &&LeftGroup| !shared.iter().any(|other| are_alike(group, other));
    let own = groups.iter().filter(is_own).cloned();
    let as_all = shared.iter().map(|group| LeftGroup { why: "as every table".to_owned(), ..group.clone() });
    own.chain(as_all).collect()
}

fn are_alike(group: &LeftGroup, other: &LeftGroup) -> bool {
    (&group.why, group.objects, group.folders) == (&other.why, other.objects, other.folders)
}

/// Describes in one line where engines find a day.
pub(super) fn registered(registration: &Registration) -> String {
    let Registration { database, table, location, partition, .. } = registration;
    format!("{database}.{table}: partition {partition}, at {}", console::shown(location))
}

/// A column of the text summary.
struct SummaryColumn {
    name: &'static str,
    cell: fn(&TableSummary) -> String,
    /// Whether a table needs the column. The column is shown if any table needs it.
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
    column("state", |table| table.state().to_owned()),
];

/// Columns that a narrow terminal hides, the least important first.
const SPARE: [&str; 11] = [
    "MB/s",
    "seconds",
    "other day",
    "files",
    "input",
    "duplicate",
    "output",
    "objects",
    "filtered",
    "read",
    "quarantined",
];

/// Formats the published tables of some days, with a column for the day if `shows_day` is set.
pub(super) fn table_of(days: &[DaySummary], shows_day: bool, screen: Screen) -> Shown {
    let all = || days.iter().flat_map(|day| day.tables.iter().map(move |table| (day.day, table)));
    let columns: Vec<&SummaryColumn> =
        COLUMNS.iter().filter(|column| all().any(|(_, table)| (column.is_needed)(table))).collect();
    let names = || columns.iter().map(|column| column.name);
    let header: Vec<&str> = shows_day.then_some("day").into_iter().chain(names()).collect();
    let numbers: Vec<&str> = names().filter(|name| *name != "table" && *name != "state").collect();
    let row = |(day, table): (KstDay, &TableSummary)| {
        let day = shows_day.then(|| day.to_string());
        day.into_iter().chain(columns.iter().map(|column| (column.cell)(table))).collect()
    };
    Grid { spare: &SPARE, ..Grid::new(&header, &numbers, all().map(row)) }.text(screen)
}

impl DaySummary {
    fn lines(&self) -> String {
        let mut text = String::new();
        text.extend(self.left_out().map(|line| format!("\n{line}")));
        text.extend(self.provisional().map(|line| format!("\n{line}")));
        text.extend(self.proofs().map(|line| format!("\n{line}")));
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

    /// Describes the objects that were listed, read and left out. What many tables leave out alike comes first.
    fn left_out(&self) -> impl Iterator<Item = String> {
        let shared = shared_by_all(&self.tables);
        let of_all = (!shared.is_empty()).then(|| format!("every table: {}", left_out(&shared)));
        let of_table = move |table: &TableSummary| {
            let listed = console::counted(table.objects_listed, "object");
            let (read, left) = (console::count(table.objects), left_out(&without(&table.left, &shared)));
            format!("{}: {listed} listed = {read} read + {left}", table.table)
        };
        of_all.into_iter().chain(self.tables.iter().filter(|table| !table.left.is_empty()).map(of_table))
    }

    /// Describes why tables of the day are provisional.
    fn provisional(&self) -> impl Iterator<Item = String> {
        let why = |table: &TableSummary| {
            Some(format!("{}: provisional: {}", table.table, table.provisional_because.as_ref()?))
        };
        self.tables.iter().filter_map(why)
    }

    /// Describes what digests prove about tables of the day.
    fn proofs(&self) -> impl Iterator<Item = String> {
        let line = |table: &TableSummary| Some(format!("{}: {}", table.table, table.proof.as_ref()?.line()));
        self.tables.iter().filter_map(line)
    }

    /// Writes a line for each table that failed.
    pub(super) fn failures(&self, screen: Screen) -> Shown {
        let mut text = Shown::default();
        for failed in self.failed.chunk_by(FailedTable::is_alike) {
            text += &format!("{} ", self.day);
            text += FailedTable::line(failed, screen);
            text += "\n";
        }
        text
    }
}

impl FailedTable {
    /// Whether two tables failed for one reason, for example inputs without logs.
    fn is_alike(&self, other: &Self) -> bool {
        (self.published, &self.error) == (other.published, &other.error)
    }

    /// Formats tables that failed for one reason.
    fn line(tables: &[Self], screen: Screen) -> Shown {
        let is_published = tables.iter().all(|table| table.published);
        let what = if is_published { "published, but not registered" } else { "not published" };
        let names: Vec<&str> = tables.iter().map(|table| table.table.as_str()).collect();
        let mut text = Shown::of(&format!("{}: ", names.join(", ")));
        text += screen.paint(Tone::Bad, what);
        text
    }
}

impl Summary {
    pub(super) fn new(
        run: String,
        exit: Exit,
        day: DaySummary,
        earlier: &LookedBack,
        unread: Unread,
    ) -> Self {
        let (version, logmill) = (SUMMARY_VERSION, env!("CARGO_PKG_VERSION"));
        let rebuilt = summaries(&earlier.days);
        let kept = earlier.kept.iter().map(KeptDay::of).collect();
        Self { version, logmill, run, exit_code: exit.code(), day, rebuilt, kept, unread }
    }

    /// Formats the summary as text.
    fn text(&self, screen: Screen) -> Shown {
        let day = &self.day;
        let mut text = Shown::of(&format!("KST day {}, run {}\n", day.day, self.run));
        if !day.tables.is_empty() {
            text += "\n";
            text += table_of(std::slice::from_ref(day), false, screen);
        }
        text += screen.wrap(&day.lines());
        for failed in day.failed.chunk_by(FailedTable::is_alike) {
            text += "\n";
            text += FailedTable::line(failed, screen);
            text += "\n";
        }
        text += self.earlier_days(screen);
        text += screen.wrap(&other_services(&self.unread));
        text
    }

    /// Formats the earlier days that were rebuilt, failed or were kept.
    fn earlier_days(&self, screen: Screen) -> Shown {
        let mut text = Shown::default();
        if self.rebuilt.iter().any(|day| !day.tables.is_empty()) {
            text += screen.wrap("\nEarlier days rebuilt for objects that arrived after publication:\n\n");
            text += table_of(&self.rebuilt, true, screen);
            text += screen.wrap(&notes(&self.rebuilt));
        }
        let failures = self.rebuilt.iter().map(|day| day.failures(screen));
        for (number, failure) in failures.filter(|failure| *failure != Shown::default()).enumerate() {
            text += if number == 0 { "\n" } else { "" };
            text += failure;
        }
        if !self.kept.is_empty() {
            let kept = console::counted(self.kept.len() as u64, "earlier table-day");
            text += screen.wrap(&format!("\n{kept} {NOT_REBUILT}\n"));
        }
        text
    }

    /// Writes the JSON to `json_to`, if given. Prints the text unless the JSON goes to standard output.
    pub(super) fn deliver(&self, json_to: Option<&str>, console: Console) -> Result<()> {
        deliver(self, || self.text(console.out), json_to, console.quiet)
    }
}

/// Names the services of AWS whose logs no table reads, and the log types of misplaced logs, one in a line.
pub(super) fn other_services(unread: &Unread) -> String {
    let mut text = String::new();
    for logs in &unread.other_services {
        let counts = [(logs.folders, "folder"), (logs.objects, "object")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what)| console::counted(*count, what)).collect();
        let (counts, first) = (counts.join(", "), console::shown(&logs.first));
        text += &format!("\n{}: left out, because no table reads it ({counts}; {first})", logs.service);
    }
    for logs in &unread.misplaced {
        let (count, first) = (console::counted(logs.objects, "object"), console::shown(&logs.first));
        text += &format!(
            "\n{}: left out in the folder of another service, which its table does not search ({count}; {first})",
            logs.dataset
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Describes days that are provisional, what digests prove, and rejected rows.
pub(super) fn notes(days: &[DaySummary]) -> String {
    let mut text = String::new();
    for day in days {
        text.extend(day.provisional().map(|line| format!("\n{} {line}", day.day)));
        text.extend(day.proofs().map(|line| format!("\n{} {line}", day.day)));
        let rejected = day.tables.iter().filter_map(|table| Some((table, table.rejected()?)));
        text.extend(rejected.map(|(table, rejected)| format!("\n{} {}: {rejected}", day.day, table.table)));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Formats the days of a walk.
pub(super) fn summaries(days: &BTreeMap<KstDay, Outcomes>) -> Vec<DaySummary> {
    days.iter().map(|(day, outcomes)| DaySummary::new(*day, outcomes)).collect()
}

/// Writes a summary as JSON to `json_to`, if given. Prints it as text unless the JSON goes to standard output.
pub(super) fn deliver(
    summary: &impl Serialize,
    text: impl FnOnce() -> Shown,
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
    if quiet { Ok(()) } else { console::print_shown(&text()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::manifest;

    #[test]
    fn a_provisional_day_shows_what_may_still_arrive() {
        for (listed_at, provisional, expected) in [
            ("2023-10-31T16:00:00Z", true, Some("listed 23 h 0 min before the end of the day")),
            ("2023-11-01T11:47:31Z", true, Some("listed 3 h 12 min before the end of the day")),
            (
                "2023-11-01T15:00:00Z",
                true,
                Some("late objects may still arrive for 24 h 0 min, until 2023-11-02T15:00:00Z"),
            ),
            (
                "2023-11-02T14:29:59Z",
                true,
                Some("late objects may still arrive for 0 h 30 min, until 2023-11-02T15:00:00Z"),
            ),
            ("2023-11-02T15:00:00Z", false, None),
        ] {
            let manifest = Manifest { planned_at: listed_at.to_owned(), provisional, ..manifest() };
            assert_eq!(may_still_arrive(&manifest).as_deref(), expected, "{listed_at}");
        }
    }

    #[test]
    fn what_many_tables_leave_out_alike_is_shown_once() {
        let group = |why: &str, objects, of_another_time| LeftGroup {
            why: why.to_owned(),
            objects,
            folders: 0,
            bytes: 0,
            first: "a".to_owned(),
            of_another_time,
        };
        let unknown = group("unknown", 19, false);
        let own = |objects| vec![unknown.clone(), group("other", objects, false), group("late", 3, true)];
        assert_eq!(left_out(&own(2)), "24 left out (of another time: 3; other: 2; unknown: 19)");
        let shared = vec![unknown.clone()];
        assert_eq!(
            left_out(&without(&own(2), &shared)),
            "24 left out (as every table: 19; of another time: 3; other: 2)"
        );
        assert_eq!(without(&own(2), &[]), own(2));
    }
}
