//! The warnings of a run about a day.

use serde_json::json;

use super::Reporter;
use crate::convert::Gathered;
use crate::digest::{DayProof, ExceptionKind, FileLedger, Verdict};
use crate::ledger::RowLedger;
use crate::plan::{LeftObject, NO_KEYS, TablePlan, TableSource, UNRECOGNISED, WARNED_REASONS};
use crate::publish::{CommittedDay, Replacement};

/// How many damaged objects are listed. Further ones are counted.
const DAMAGE_LINES: usize = 10;

impl Reporter<'_> {
    /// Warns of skipped objects that may be logs, with one message per reason. If tables share inputs, the first of them
    /// reports an object.
    pub(super) fn warn_of_left<'l>(&self, source: &TableSource, left: impl Iterator<Item = &'l LeftObject>) {
        let (table, left): (_, Vec<&LeftObject>) = (&source.spec.table, left.collect());
        for why in WARNED_REASONS {
            let is_new =
                |left: &&&LeftObject| left.why == why && source.contents.is_first_report(&left.address);
            let mut of_reason = left.iter().filter(is_new);
            let Some(first) = of_reason.next() else { continue };
            let objects = json!(1 + of_reason.count());
            let mut fields = vec![("objects", objects), ("first", json!(first.address))];
            if why == UNRECOGNISED {
                let message = "skipped objects that do not match the log type by key or content";
                self.warn(table, message, &fields);
            } else {
                fields.push(("why", why.into()));
                self.warn(table, "skipped objects that may be logs", &fields);
            }
        }
    }

    /// Warns if the listing found no object of the day.
    pub(super) fn warn_of_no_object(&self, plan: &TablePlan) {
        let listed = plan.listed();
        let Some(most) = listed.left.iter().max_by_key(|group| (group.objects, group.folders)) else {
            return;
        };
        if listed.read > 0 {
            return;
        }
        let text = match listed.listed {
            0 => "no objects chosen for the day".to_owned(),
            1 => "0 of 1 object chosen".to_owned(),
            met => format!("0 of {met} objects chosen"),
        };
        let folders: u64 = listed.left.iter().map(|group| group.folders).sum();
        let fields = [
            ("listed", json!(listed.listed)),
            ("folders_not_entered", json!(folders)),
            ("most_left_out", json!(most.why)),
            ("first", json!(most.first)),
        ];
        self.warn(&plan.spec.table, &text, &fields);
    }

    /// Reports each object that is left out.
    pub(super) fn report_left_out(&self, plan: &TablePlan) {
        for left in &plan.left {
            self.road.observer.left_out(&self.about(&plan.spec.table), &left.address, &left.why);
        }
    }

    /// Warns of names that do not follow the naming of AWS.
    pub(super) fn warn_of_names(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let newer = || gathered.objects.iter().filter(|object| object.newer_than_name > 0);
        if let Some(first) = newer().next() {
            let rows: u64 = newer().map(|object| object.newer_than_name).sum();
            self.warn(
                &plan.spec.table,
                "rows are newer than the time in the name of their object: these names do not show delivery times, so other \
                 objects may have been left out by mistake",
                &[
                    ("rows", rows.into()),
                    ("objects", newer().count().into()),
                    ("first", first.object.address.clone().into()),
                    ("hint", "pass --ignore-key-times to read objects regardless of the times in their names".into()),
                ],
            );
        }
    }

    /// Warns if the new day has fewer rows than the published one.
    pub(super) fn warn_of_loss(&self, table: &str, lost: Option<Replacement>) {
        let Some(rows) = lost else { return };
        self.warn(
            table,
            "the day has fewer rows than the published one",
            &[
                ("rows_published", rows.before.into()),
                ("rows_now", rows.after.into()),
                ("explained", rows.explained.into()),
            ],
        );
    }

    /// Warns of damaged objects.
    pub(super) fn warn_of_damage(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let damaged: Vec<_> = gathered.objects.iter().filter(|object| object.damage.is_some()).collect();
        for object in damaged.iter().take(DAMAGE_LINES) {
            let RowLedger { read, quarantined, .. } = object.ledger;
            let kept = read.saturating_sub(quarantined);
            self.warn(
                &plan.spec.table,
                "damaged object: kept the readable rows, quarantined the rest",
                &[
                    ("object", object.object.address.clone().into()),
                    ("rows", kept.into()),
                    ("quarantined", quarantined.into()),
                ],
            );
        }
        if damaged.len() > DAMAGE_LINES {
            let more = damaged.len() - DAMAGE_LINES;
            let text = "more damaged objects";
            self.warn(&plan.spec.table, text, &[("objects", more.into())]);
        }
    }

    /// Warns once if AWS gave no keys to check the digests of a source with.
    pub(super) fn warn_of_keys(&self, source: &TableSource) {
        let Some(refusal) = source.digests.ring.take_refusal() else { return };
        let [text, hint] = NO_KEYS;
        let fields = [("why", refusal.to_string().into()), ("hint", hint.into())];
        self.warn(&source.spec.table, text, &fields);
    }

    /// Warns if digests do not prove the day. Without public keys, no proof is expected, and only the summary has the verdict.
    pub(super) fn warn_of_proof(&self, table: &str, proof: Option<&DayProof>) {
        let Some(proof) = proof.filter(|proof| proof.verdict != Verdict::Proved) else { return };
        let worst = proof.worst_exception();
        if worst.is_some_and(|one| one.kind == ExceptionKind::Unchecked) {
            return;
        }
        let FileLedger { named, right, altered, missing } = proof.files;
        let mut fields = vec![
            ("verdict", json!(proof.verdict)),
            ("named", named.into()),
            ("right", right.into()),
            ("altered", altered.into()),
            ("missing", missing.into()),
        ];
        if let Some(one) = worst {
            fields.push(("first", one.object.as_str().into()));
            fields.push(("why", one.detail.as_str().into()));
        }
        self.warn(table, "digests do not prove the day", &fields);
    }

    /// Warns of errors after the commit.
    pub(super) fn warn_of_trouble(&self, table: &str, committed: &CommittedDay<'_>) {
        for error in committed.trouble() {
            self.warn(table, &error.to_string(), &[("hint", error.next_step().into())]);
        }
    }

    /// Warns of rejected rows that did not fit into the quarantine.
    pub(super) fn warn_of_counted_only(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let counted_only = gathered.counted_only();
        if counted_only.is_empty() {
            return;
        }
        let rows: u64 = counted_only.iter().map(|counted| counted.rows).sum();
        self.warn(
            &plan.spec.table,
            "the quarantine is full: further rejected rows are only counted",
            &[
                ("rows", rows.into()),
                ("reasons", json!(counted_only)),
                ("hint", "raise --max-quarantine to keep more".into()),
            ],
        );
    }
}
