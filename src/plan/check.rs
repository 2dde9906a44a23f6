//! Checks that a plan file is plausible. Later code uses its numbers as indexes and adds them up without further checks.

use std::path::{Component, Path};

use super::{Plan, PlannedObject, TablePlan, TableSpec, is_table_name};
use crate::kst::DAY_MS;
use crate::ledger::MAX_COUNT;

/// Maximum number of shards in a plan.
pub const MAX_SHARDS: u32 = 100_000;
/// Maximum number of objects in a table. Rows refer to them with 32 bits.
const MAX_OBJECTS: usize = u32::MAX as usize;
/// Maximum lateness, in milliseconds.
const MAX_LATENESS_MS: i64 = 36_525 * DAY_MS;

/// Describes the first implausible value of the plan, if any.
pub(super) fn implausible(plan: &Plan) -> Option<String> {
    if !(1..=MAX_SHARDS).contains(&plan.shards) {
        return Some(format!("invalid number of shards: {}", plan.shards));
    }
    let repeated = |place: usize| {
        plan.tables[..place].iter().any(|other| other.spec.table == plan.tables[place].spec.table)
    };
    if let Some(place) = (0..plan.tables.len()).find(|place| repeated(*place)) {
        return Some(format!("duplicate table '{}'", plan.tables[place].spec.table));
    }
    plan.tables.iter().find_map(|table| of_table(table, plan.shards))
}

fn of_table(table: &TablePlan, shards: u32) -> Option<String> {
    let TableSpec { table: name, lateness_ms, .. } = &table.spec;
    if !is_table_name(name) {
        return Some(format!("invalid table name '{name}'"));
    }
    if !(0..=MAX_LATENESS_MS).contains(lateness_ms) || table.objects.len() > MAX_OBJECTS {
        return Some(format!("table '{name}': the lateness is invalid, or it has too many objects"));
    }
    let bad = table.objects.iter().find(|object| !is_plausible(object, table, shards));
    if let Some(object) = bad {
        return Some(format!("table '{name}': invalid entry for object '{}'", object.address));
    }
    let left = table.left.iter().map(|left| left.bytes);
    let counted = table.counted.iter().flat_map(|group| [group.objects, group.folders, group.bytes]);
    let number = left.chain(counted).find(|number| *number > MAX_COUNT)?;
    Some(format!("table '{name}': the number {number} is too large"))
}

fn is_plausible(object: &PlannedObject, table: &TablePlan, shards: u32) -> bool {
    let Some(input) = table.spec.inputs.get(object.input as usize) else { return false };
    let is_inside = input.starts_with("s3://") || is_below(&object.key);
    is_inside && object.bytes <= MAX_COUNT && object.shard < shards
}

/// Whether a path stays below its folder.
fn is_below(path: &str) -> bool {
    Path::new(path).components().all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;

    fn plan() -> Value {
        json!({
            "version": 1, "day": "2023-11-01", "planned_at": "2023-11-02T00:00:00Z", "shards": 2,
            "identity_key": [1, 2, 3, u64::MAX],
            "tables": [{
                "table": "cloudtrail", "dataset": "cloudtrail", "inputs": ["raw"], "naming": "snake", "promote": [],
                "lateness_ms": 0, "left": [],
                "objects": [{
                    "address": "raw/a/b.gz", "input": 0, "key": "a/b.gz", "bytes": 1, "why": "", "shard": 1,
                }],
            }],
        })
    }

    #[test]
    fn an_implausible_plan_is_rejected() {
        assert_eq!(Plan::from_json(plan().to_string().into_bytes()).unwrap().shards, 2);
        let left = json!([{"address": "x", "bytes": u64::MAX, "why": ""}]);
        for (pointer, value) in [
            ("/shards", json!(0)),
            ("/shards", json!(u32::MAX)),
            ("/tables/0/table", json!("../cloudtrail")),
            ("/tables/0/lateness_ms", json!(i64::MAX)),
            ("/tables/0/lateness_ms", json!(-1)),
            ("/tables/0/left", left),
            ("/tables/0/objects/0/input", json!(1)),
            ("/tables/0/objects/0/shard", json!(2)),
            ("/tables/0/objects/0/bytes", json!(u64::MAX)),
            ("/tables/0/objects/0/key", json!("../../etc/passwd")),
            ("/tables/0/objects/0/key", json!("/etc/passwd")),
        ] {
            let mut changed = plan();
            *changed.pointer_mut(pointer).unwrap() = value;
            let error = Plan::from_json(changed.to_string().into_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{pointer}");
        }
        let deep = format!("{{\"unknown\": {}", "[".repeat(1 << 20));
        assert_eq!(Plan::from_json(deep.into_bytes()).unwrap_err().kind(), ErrorKind::Usage);
    }
}
