//! What a run warns of on the road of a day.

use serde_json::json;

use super::DayRoad;
use crate::convert::Gathered;
use crate::plan::{LeftObject, TOLD, TablePlan, UNRECOGNISED};
use crate::publish::{CommittedDay, Replacement};

/// Damaged objects that are named one by one.
const DAMAGE_LINES: usize = 10;

impl DayRoad<'_> {
    /// Tells of objects that are left out, though they may be logs: one message a reason.
    pub(super) fn warn_of_left<'l>(&self, table: &str, left: impl Iterator<Item = &'l LeftObject>) {
        let left: Vec<&LeftObject> = left.collect();
        for why in TOLD {
            let mut of_reason = left.iter().filter(|left| left.why == why);
            let Some(first) = of_reason.next() else { continue };
            let objects = json!(1 + of_reason.count());
            let mut facts = vec![("objects", objects), ("first", json!(first.address))];
            if why == UNRECOGNISED {
                let message = "objects are left out, since neither key nor content tell that they are logs";
                self.warn(table, message, &facts);
            } else {
                facts.push(("why", why.into()));
                self.warn(table, "objects are left out that may be logs", &facts);
            }
        }
    }

    /// Tells of a listing in which nothing is of the day.
    pub(super) fn warn_of_no_object(&self, plan: &TablePlan) {
        let listed = plan.listed();
        let Some(most) = listed.left.iter().max_by_key(|group| (group.objects, group.folders)) else {
            return;
        };
        if listed.read > 0 {
            return;
        }
        let text = match listed.listed {
            0 => "no object is chosen for the day".to_owned(),
            1 => "0 of 1 object chosen".to_owned(),
            met => format!("0 of {met} objects chosen"),
        };
        let folders: u64 = listed.left.iter().map(|group| group.folders).sum();
        let mostly = json!({
            "objects": most.objects, "folders": most.folders, "why": most.why, "first": most.first,
        });
        let facts =
            [("listed", listed.listed.into()), ("folders_not_entered", folders.into()), ("mostly", mostly)];
        self.warn(&plan.spec.table, &text, &facts);
    }

    /// Tells each object that is left out.
    pub(super) fn tell_left_out(&self, plan: &TablePlan) {
        for left in &plan.left {
            self.road.observer.left_out(&self.about(&plan.spec.table), &left.address, &left.why);
        }
    }

    /// Tells of names that are not what AWS writes.
    pub(super) fn warn_of_names(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let newer = || gathered.objects.iter().filter(|object| object.newer_than_name > 0);
        if let Some(first) = newer().next() {
            let rows: u64 = newer().map(|object| object.newer_than_name).sum();
            self.warn(
                &plan.spec.table,
                "rows are newer than the time in the name of their object: such names are not delivery times, and other \
                 objects may have been left out for theirs",
                &[
                    ("rows", rows.into()),
                    ("objects", newer().count().into()),
                    ("first", first.object.address.clone().into()),
                    ("hint", "--ignore-key-times reads objects whatever their names say".into()),
                ],
            );
        }
    }

    /// Warns of rows that the published day has and the new one lacks.
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

    /// Names the objects that are damaged.
    pub(super) fn warn_of_damage(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let damaged: Vec<_> = gathered.objects.iter().filter(|object| object.damage.is_some()).collect();
        for object in damaged.iter().take(DAMAGE_LINES) {
            self.warn(
                &plan.spec.table,
                "object is damaged: what could be read of it counts, the rest is quarantined",
                &[("object", object.object.address.clone().into()), ("rows", object.ledger.read.into())],
            );
        }
        if damaged.len() > DAMAGE_LINES {
            let more = damaged.len() - DAMAGE_LINES;
            let text = "more objects are damaged";
            self.warn(&plan.spec.table, text, &[("objects", more.into())]);
        }
    }

    /// Tells what went wrong after the commit.
    pub(super) fn warn_of_trouble(&self, table: &str, committed: &CommittedDay<'_>) {
        for error in committed.trouble() {
            self.warn(table, &error.to_string(), &[("hint", error.next_step().into())]);
        }
    }

    /// Tells of rejected rows that are not kept.
    pub(super) fn warn_of_counted_only(&self, plan: &TablePlan, gathered: &Gathered<'_>) {
        let counted_only = gathered.counted_only();
        if counted_only.is_empty() {
            return;
        }
        let rows: u64 = counted_only.iter().map(|counted| counted.rows).sum();
        self.warn(
            &plan.spec.table,
            "rejected rows are only counted: the quarantine has no room for them",
            &[
                ("rows", rows.into()),
                ("reasons", json!(counted_only)),
                ("hint", "--max-quarantine keeps more".into()),
            ],
        );
    }
}
