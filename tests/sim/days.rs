//! The table and the days of a simulation, and where their files are.

use crate::dataset;
use crate::plan::{PLAN_VERSION, Plan, TablePlan, TableSpec};
use crate::store::lake::Partition;
use crate::table::{ColumnType, Promotion};

pub(super) const TABLE: &str = "resolver_query";
const DATASET: &str = "resolver-query";
/// The name of the catalog's database.
pub(super) const DATABASE: &str = "logs";
/// The days, by their numbers. Many simulations have only the first one.
const DAYS: [&str; 3] = ["20231101", "20231102", "20231103"];
/// The most days of a simulation.
pub(super) const MOST_DAYS: usize = DAYS.len();

/// Below it are the plan and the shards.
pub(super) const STAGING: &str = "_work/";
/// The plan of the first day, and later its receipt.
pub(super) const PLAN: &str = "_work/plan.json";
/// Number of shards of that plan.
pub(super) const SHARDS: u32 = 2;

/// A day by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day(pub(super) usize);

impl Day {
    pub(super) fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }

    /// The day in the name of a partition, for example `20231101`.
    pub(super) fn value(self) -> &'static str {
        DAYS[self.0]
    }

    pub(super) fn of_value(value: &str) -> Option<Self> {
        DAYS.iter().position(|day| *day == value).map(Self)
    }

    /// The day of a file in the lake.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let (_, rest) = key.split_once("proc_ymd=")?;
        Self::of_value(rest.get(..8)?)
    }

    pub(super) fn partition(self) -> Partition {
        Partition { table: TABLE.to_owned(), day: self.value().parse().expect("a day") }
    }

    /// The folder of the day.
    pub(super) fn folder(self) -> String {
        format!("{TABLE}/proc_ymd={}", self.value())
    }

    /// The rows of the day, in order. Each shard of its plan has one.
    pub(super) fn rows(self) -> Vec<String> {
        (0..SHARDS).map(|shard| self.row(shard)).collect()
    }

    /// The rows of a shard.
    pub(super) fn row(self, shard: u32) -> String {
        format!("row {shard} of {}", self.value())
    }
}

/// Whether a file is the manifest of a day.
pub(super) fn is_manifest(key: &str) -> bool {
    key.starts_with("_manifests/")
}

/// Whether a file is the lock of a day.
pub(super) fn is_lock(key: &str) -> bool {
    key.starts_with("_locks/")
}

/// Whether a file is a part file.
pub(super) fn is_part(key: &str) -> bool {
    key.starts_with(TABLE)
}

/// What a run publishes. Runs of different `width` have different columns, as those of different versions of logmill.
pub(super) fn plan(width: usize) -> TablePlan {
    let spec = TableSpec::new(dataset::named(DATASET).expect("it is built in"), vec!["raw".to_owned()]);
    let names = ["first_new", "second_new"];
    let promotion = |name: &str| Promotion {
        column: name.to_owned(),
        path: format!("new.{name}"),
        column_type: ColumnType::Text,
    };
    // None, either, or both.
    let promote = names
        .into_iter()
        .enumerate()
        .filter(|(place, _)| width & (1 << place) != 0)
        .map(|(_, name)| promotion(name));
    let spec = TableSpec { promote: promote.collect(), ..spec };
    let (objects, left, counted) = (Vec::new(), Vec::new(), Vec::new());
    TablePlan { spec, requests: 0, objects, left, counted, proof: None }
}

/// The plan of the first day for shards.
pub(super) fn sharded_plan() -> String {
    let plan = Plan {
        version: PLAN_VERSION,
        day: Day(0).partition().day,
        planned_at: "2023-11-02T15:00:00Z".to_owned(),
        shards: SHARDS,
        identity_key: [1, 2, 3, 4],
        tables: vec![plan(0)],
    };
    serde_json::to_string(&plan).expect("a plan is JSON")
}

/// A part file names its run, so that a file of another run is recognised, and has a last line, so that it is known to be whole.
pub(super) fn content_of(path: &str, rows: &[String]) -> String {
    let lines = [path].into_iter().chain(rows.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    format!("{lines}\n{END}")
}

const END: &str = "end\n";

/// The rows of a part file; `None` if it is not whole or not the file of this path.
pub(super) fn rows_of<'c>(content: &'c [u8], path: &str) -> Option<Vec<&'c str>> {
    let text = std::str::from_utf8(content).ok()?;
    let rows = text.strip_prefix(path)?.strip_prefix('\n')?.strip_suffix(END)?;
    Some(rows.lines().collect())
}
