//! Decides whether a new version of a day may replace the published one. No day loses all or most of its rows by accident.
//!
//! The decision is based on row counts. Deleted raw objects and a new filter explain a loss. A wrong, empty or unmounted
//! input explains nothing, and neither does an object that exists but was skipped.

use std::collections::HashSet;

use super::inputs::{InputLine, renamed};
use super::manifest::Manifest;
use crate::dataset::object_key;
use crate::error::{Error, ErrorKind};
use crate::kst::KstDay;
use crate::ledger::RowLedger;
use crate::plan::{KeyTimes, TablePlan, rest_below};
use crate::store::lake::Partition;

/// How far a published day may shrink when it is replaced.
#[derive(Debug, Clone, Copy)]
pub struct ShrinkLimits {
    /// Whether an empty day may replace a day with rows.
    pub allow_empty: bool,
    /// The share of its rows, from 0 to 1, that a day may lose without explanation. 1 allows any loss.
    pub max_shrink: f64,
}

/// The row counts of a day before and after its replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement {
    /// Rows of the published day.
    pub before: u64,
    /// Rows of the day that replaces it.
    pub after: u64,
    /// Rows whose loss is explained: their raw objects were deleted, or a new filter leaves them out.
    pub explained: u64,
}

/// Why a day may not be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objection {
    /// It would become empty.
    Emptied,
    /// It would lose more rows than allowed.
    Shrunk,
}

impl ShrinkLimits {
    /// Returns the objection against a replacement, if any.
    pub(super) fn objection(self, rows: Replacement) -> Option<Objection> {
        let Replacement { before, after, .. } = rows;
        match after {
            _ if before == 0 => None,
            0 => Some(Objection::Emptied).filter(|_| !self.allow_empty),
            _ => Some(Objection::Shrunk).filter(|_| rows.unexplained() > self.max_shrink * before as f64),
        }
    }

    /// Builds the error for an objection, with both row counts and what to do next.
    pub(super) fn refusal(self, objection: Objection, rows: Replacement, partition: &Partition) -> Error {
        let (message, hint) = match objection {
            Objection::Emptied => (
                "the day would become empty: not published",
                "check the inputs ('logmill plan' lists the objects it found), or pass --allow-empty to publish an empty day",
            ),
            Objection::Shrunk => (
                "the day would lose too many of its rows: not published",
                "check the inputs ('logmill plan' lists the objects it found), or allow the loss with --max-shrink, for example 100%",
            ),
        };
        let error = Error::new(ErrorKind::Unusable, message)
            .with("table", &partition.table)
            .with("day", partition.day)
            .with("rows_published", rows.before)
            .with("rows_now", rows.after)
            .hint(hint);
        match objection {
            Objection::Emptied => error,
            Objection::Shrunk => error
                .with("explained", rows.explained)
                .with("lost", percent(rows.unexplained() / rows.before as f64))
                .with("allowed", percent(self.max_shrink)),
        }
    }
}

impl Replacement {
    /// Returns how many rows fewer the new day has.
    pub(super) fn lost(self) -> u64 {
        self.before.saturating_sub(self.after)
    }

    /// Returns how many lost rows have no explanation.
    fn unexplained(self) -> f64 {
        self.lost().saturating_sub(self.explained) as f64
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Counts the rows that a changed filter leaves out, beyond those that the filter of the published day left out.
pub(super) fn newly_filtered(old: &Manifest, plan: &TablePlan, ledger: &RowLedger) -> u64 {
    if old.filter == plan.spec.filter { 0 } else { ledger.filtered.saturating_sub(old.ledger.filtered) }
}

/// Counts the rows of a published day whose raw objects no longer exist, although the plan looked for them.
///
/// An object counts as deleted only if its folder, whatever the date, still contains another object that the published day
/// read: an unmounted folder explains nothing. An object that the listing found and skipped, for example a dangling link,
/// does not count as deleted, and neither do objects below it. Renamed inputs are treated as the same inputs only if they
/// still contain one of the objects.
pub(super) fn gone_rows(old: &Manifest, read: Vec<InputLine>, plan: &TablePlan, day: KstDay) -> u64 {
    let there: HashSet<&str> = plan.objects.iter().map(|object| object.address.as_str()).collect();
    let is_there = |line: &InputLine| there.contains(line.object.as_str());
    let now = renamed(read.clone(), &old.inputs, &plan.spec.inputs);
    let moved = read.iter().zip(&now).filter(|(then, now)| then.object != now.object);
    let is_renamed = moved.map(|(_, now)| now).any(is_there);
    let lines = if is_renamed { now } else { read };
    let kept: HashSet<&str> =
        lines.iter().filter(|line| is_there(line)).map(|line| series(&line.object)).collect();
    // If key times are not trusted, the plan reads more than the names suggest, and fewer losses are explained here. That
    // is the safe direction.
    let would_read = |address: &str| plan.spec.would_read(address, day, KeyTimes::Trusted);
    let was_looked_for = |address: &str| {
        let is_below = plan.spec.inputs.iter().any(|input| rest_below(input, address).is_some());
        is_below && kept.contains(series(address)) && would_read(address)
    };
    let met: HashSet<&str> = plan.left.iter().map(|left| left.address.trim_end_matches('/')).collect();
    let was_met = |address: &str| {
        let mut ends = address.match_indices('/').map(|(end, _)| end).chain([address.len()]);
        ends.any(|end| met.contains(&address[..end]))
    };
    let gone =
        lines.iter().filter(|line| !is_there(line) && was_looked_for(&line.object) && !was_met(&line.object));
    gone.map(|line| line.ledger.written).sum()
}

/// Returns the folder of an object, without a date at its end.
fn series(address: &str) -> &str {
    object_key::without_date(object_key::split(address).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::plan::{PlannedObject, TableSpec};
    use crate::publish::inputs::tests::line;
    use crate::publish::manifest::tests::manifest;

    const STRICT: ShrinkLimits = ShrinkLimits { allow_empty: false, max_shrink: 0.5 };

    #[test]
    fn a_day_loses_rows_only_if_the_loss_is_small_explained_or_allowed() {
        use Objection::{Emptied, Shrunk};
        let check = |limits: ShrinkLimits, (before, after, explained), expected: Option<Objection>| {
            let rows = Replacement { before, after, explained };
            assert_eq!(limits.objection(rows), expected, "{limits:?} {rows:?}");
        };
        let allow_empty = ShrinkLimits { allow_empty: true, ..STRICT };
        let any_loss = ShrinkLimits { max_shrink: 1.0, ..STRICT };
        let no_loss = ShrinkLimits { max_shrink: 0.0, ..STRICT };
        for (limits, rows, expected) in [
            (STRICT, (0, 0, 0), None),
            (STRICT, (0, 9, 0), None),
            (STRICT, (10, 11, 0), None),
            (STRICT, (10, 5, 0), None),
            (STRICT, (10, 4, 0), Some(Shrunk)),
            (STRICT, (10, 4, 1), None),
            (STRICT, (10, 1, 3), Some(Shrunk)),
            (STRICT, (10, 1, 99), None),
            (STRICT, (10, 0, 0), Some(Emptied)),
            (STRICT, (10, 0, 10), Some(Emptied)),
            (STRICT, (1, 0, 0), Some(Emptied)),
            (allow_empty, (10, 0, 0), None),
            (allow_empty, (10, 1, 0), Some(Shrunk)),
            (any_loss, (10, 1, 0), None),
            (any_loss, (10, 0, 0), Some(Emptied)),
            (no_loss, (10, 9, 0), Some(Shrunk)),
            (no_loss, (10, 9, 1), None),
            (no_loss, (10, 10, 0), None),
        ] {
            check(limits, rows, expected);
        }
    }

    #[test]
    fn a_refusal_reports_both_row_counts_and_the_next_step() {
        let partition = Partition { table: "s3_access".to_owned(), day: "2023-11-01".parse().unwrap() };
        let rows = Replacement { before: 657, after: 5, explained: 2 };
        let refusal = STRICT.refusal(Objection::Shrunk, rows, &partition);
        assert_eq!(refusal.kind(), ErrorKind::Unusable);
        let text = refusal.to_string();
        for fact in
            ["rows_published: 657", "rows_now: 5", "explained: 2", "lost: 98.93 %", "allowed: 50.00 %"]
        {
            assert!(text.contains(fact), "{fact} in {text}");
        }
        assert!(refusal.next_step().unwrap().contains("--max-shrink"));
        let emptied = STRICT.refusal(Objection::Emptied, Replacement { after: 0, ..rows }, &partition);
        assert!(emptied.to_string().contains("rows_now: 0"), "{emptied}");
        assert!(emptied.next_step().unwrap().contains("--allow-empty"));
    }

    fn plan(inputs: &[&str], objects: &[(u32, &str)]) -> TablePlan {
        let object = |(input, address): &(u32, &str)| PlannedObject {
            address: (*address).to_owned(),
            input: *input,
            key: String::new(),
            bytes: 1,
            etag: None,
            why: "".into(),
            events_until_ms: None,
            shard: 0,
            named: false,
        };
        let s3_access = dataset::named("s3-access").unwrap();
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        let spec = TableSpec { lateness_ms: 0, ..TableSpec::new(s3_access, inputs) };
        let objects = objects.iter().map(object).collect();
        TablePlan { spec, requests: 0, objects, left: Vec::new(), counted: Vec::new(), proof: None }
    }

    fn read(objects: &[(&str, u64)]) -> Vec<InputLine> {
        let ledger = |written| RowLedger { written, ..RowLedger::default() };
        objects.iter().map(|(object, written)| line(object, 1, None, ledger(*written))).collect()
    }

    #[test]
    fn deleted_objects_explain_the_loss_of_their_rows() {
        const NOON: &str = "2023-11-01-03-00-00-A";
        const ONE: &str = "2023-11-01-04-00-00-B";
        const TOO_LATE: &str = "2023-11-01-16-00-00-C";
        let at = |folder: &str, name: &str| format!("{folder}/{name}");
        let check =
            |then: &[&str], old: &[(String, u64)], now: &[&str], there: &[(u32, String)], expected| {
                let inputs = then.iter().map(|input| (*input).to_owned()).collect();
                let old: Vec<(&str, u64)> =
                    old.iter().map(|(object, rows)| (object.as_str(), *rows)).collect();
                let there: Vec<(u32, &str)> =
                    there.iter().map(|(input, object)| (*input, object.as_str())).collect();
                let manifest = Manifest { inputs, ..manifest() };
                let found = gone_rows(&manifest, read(&old), &plan(now, &there), manifest.day);
                assert_eq!(found, expected, "{old:?} in {then:?}, now {there:?} in {now:?}");
            };
        let old = [(at("logs", NOON), 3), (at("logs", ONE), 4), (at("logs", TOO_LATE), 5)];
        // With the current lateness, the plan would not look for the last one.
        check(&["logs"], &old, &["logs"], &[(0, at("logs", ONE))], 3);
        check(&["logs"], &old, &["logs"], &[(0, at("logs", NOON)), (0, at("logs", ONE))], 0);
        // No object of the published day is left: the folder may be a different one.
        check(&["logs"], &old, &["logs"], &[(0, at("logs", "2023-11-01-05-00-00-D"))], 0);
        // The same folder under another name, which still contains one object; and another folder.
        check(&["logs"], &old, &["/data/logs/"], &[(0, at("/data/logs", ONE))], 3);
        check(&["logs"], &old, &["/other"], &[(0, at("/other", "2023-11-01-05-00-00-D"))], 0);
        // One of two inputs does not exist: its objects do not count as deleted.
        let two = [(at("a", NOON), 3), (at("b", NOON), 4), (at("b", ONE), 5)];
        check(&["a", "b"], &two, &["a", "b"], &[(0, at("a", NOON))], 0);
        check(&["a", "b"], &two, &["a", "b"], &[(0, at("a", NOON)), (1, at("b", NOON))], 5);
        check(&["a", "b"], &two, &["a"], &[(0, at("a", ONE))], 0);
        // The same holds for a folder below an input.
        check(&["."], &two, &["."], &[(0, at("a", NOON))], 0);
    }

    #[test]
    fn a_skipped_entry_is_not_deleted_and_neither_are_objects_below_it() {
        let [one, two] = ["raw/2023/11/01/2023-11-01-03-00-00-A", "raw/2023/11/01/2023-11-01-04-00-00-B"];
        let kept = "raw/2023/10/31/2023-10-31-16-00-00-C";
        let old = read(&[(kept, 1), (one, 3), (two, 4)]);
        let check = |met: &[&str], expected| {
            let left = |address: &&str| crate::plan::LeftObject {
                address: (*address).to_owned(),
                bytes: 0,
                why: "".into(),
                of_another_time: false,
            };
            let plan = TablePlan { left: met.iter().map(left).collect(), ..plan(&["raw"], &[(0, kept)]) };
            assert_eq!(gone_rows(&manifest(), old.clone(), &plan, manifest().day), expected, "{met:?}");
        };
        check(&[], 7);
        check(&[one], 4);
        check(&[one, two], 0);
        check(&["raw/2023/11/01"], 0);
        check(&["raw/2023/11/"], 0);
        check(&["raw/2023/11/0", "raw/2023/11/01/2023"], 7);
    }

    #[test]
    fn only_a_new_filter_explains_the_rows_that_it_leaves_out() {
        let ledger = RowLedger { filtered: 9, ..RowLedger::default() };
        let plan = plan(&["logs"], &[]);
        assert_eq!(newly_filtered(&manifest(), &plan, &ledger), 0);
        let spec = TableSpec { filter: vec!["key is null".to_owned()], ..plan.spec.clone() };
        let new = TablePlan { spec, ..plan };
        assert_eq!(newly_filtered(&manifest(), &new, &ledger), 9);
        let same = Manifest { filter: new.spec.filter.clone(), ..manifest() };
        assert_eq!(newly_filtered(&same, &new, &ledger), 0);
        // Rows that an earlier filter left out were not published either, so they explain no loss.
        for (left_out, expected) in [(0, 9), (4, 5), (9, 0), (30, 0)] {
            let ledger_then = RowLedger { filtered: left_out, ..manifest().ledger };
            let respelt =
                Manifest { filter: vec!["key in ('a')".to_owned()], ledger: ledger_then, ..manifest() };
            assert_eq!(newly_filtered(&respelt, &new, &ledger), expected, "{left_out}");
        }
    }
}
