//! From a KST day to the raw objects that can hold its events.
//!
//! [`listing`] looks at the inputs of a table and [`choose`] decides by the time in each key. For one day the result is a
//! [`Plan`]: a list of objects in the order of their addresses, which many machines can share as shards. For a range of
//! days [`range`] lists every object once and hands them out in legs.

mod check;
mod dated;
mod file_name;
pub mod key_times;
mod list;
mod listed;
mod listing;
mod place;
mod range;
mod source;

pub use check::MOST_SHARDS;
pub use dated::{DatedInput, lone_dates};
pub use key_times::KeyTimes;
pub use list::{holds_logs, plan_table};
pub use listed::{LeftGroup, ListedObjects};
pub use range::{DayObjects, Order, RangeLeg, RangePlanner, SharedObject};
pub use source::TableSource;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::rules::RedactRules;
use crate::store::local::{LEADS_IN_A_CIRCLE, LEADS_NOWHERE, LEADS_TO_A_FOLDER, NOT_UTF8};
use crate::store::{ObjectMeta, SourceAccess, Store};
use crate::table::{Naming, Promotion};

/// The version of the plan file that this program writes and reads.
pub const PLAN_VERSION: u32 = 1;

/// Why an object is left that may be a log all the same: people are warned of it.
pub const UNRECOGNISED: &str = "neither key nor content are of this log type";

/// Why an object is left out that may not be read, and whose name does not tell that it is a log.
pub const UNREADABLE: &str = "it may not be read, and its name tells no time";

/// Reasons for which logs may be left out, so that a person is told of them.
pub const TOLD: [&str; 6] =
    [UNRECOGNISED, UNREADABLE, NOT_UTF8, LEADS_NOWHERE, LEADS_IN_A_CIRCLE, LEADS_TO_A_FOLDER];

/// What one KST day needs, for all its tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the file's form.
    pub version: u32,
    /// The day.
    pub day: KstDay,
    /// When the inputs were listed, UTC: what comes later is not in the plan.
    pub planned_at: String,
    /// Number of shards among which the objects are dealt out.
    pub shards: u32,
    /// The secret of the row identities, drawn for this plan.
    pub identity_key: [u64; 4],
    /// One plan a table.
    pub tables: Vec<TablePlan>,
}

/// What one KST day of one table needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TablePlan {
    /// Name of the table.
    pub table: String,
    /// Name of the dataset.
    pub dataset: String,
    /// Addresses of the inputs.
    pub inputs: Vec<String>,
    /// How the inputs are reached.
    #[serde(default)]
    pub access: SourceAccess,
    /// How the columns are called.
    pub naming: Naming,
    /// JSON values with columns of their own.
    pub promote: Vec<Promotion>,
    /// Rules by which rows are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Which values are masked; a plan without this field masks what any log type masks by default.
    #[serde(default = "all_default_redactions")]
    pub redact: RedactRules,
    /// How long after the day its objects are awaited, in milliseconds.
    pub lateness_ms: i64,
    /// Requests that listing the inputs has cost.
    #[serde(default)]
    pub requests: u64,
    /// The objects to read, in the order of their addresses.
    pub objects: Vec<PlannedObject>,
    /// The objects and folders left out, in the order of their addresses.
    pub left: Vec<LeftObject>,
    /// What else is left out and only counted: a range of days names none of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<LeftGroup>,
}

/// The default redactions of every log type together.
fn all_default_redactions() -> RedactRules {
    let mut all = RedactRules::new(&[]);
    for dataset in dataset::all() {
        all.add(RedactRules::new(dataset.default_redactions()).texts());
    }
    all
}

/// An object to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// Its address: input and key.
    pub address: String,
    /// Index of its input.
    pub input: u32,
    /// Its key below the input.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// What S3 calls the version of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Why it was chosen.
    pub why: Cow<'static, str>,
    /// The last instant, milliseconds UTC, at which its events can have happened if its name says when it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_until_ms: Option<i64>,
    /// The shard that reads it, from 0.
    pub shard: u32,
}

/// An object or folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftObject {
    /// Its address; a folder's ends with `/`.
    pub address: String,
    /// Its size; 0 for a folder, which was not looked into.
    pub bytes: u64,
    /// Why it was left out.
    pub why: Cow<'static, str>,
    /// Whether it is left out since its name or folder is of another time.
    #[serde(default)]
    pub of_another_time: bool,
}

impl PlannedObject {
    fn new(store: &dyn Store, input: u32, found: listing::Found) -> Self {
        let (address, object) = (store.address(&found.object.key), found.object);
        let ObjectMeta { key, bytes, etag } = object;
        let events_until_ms = found.events_until.map(|until| until.0);
        Self { address, input, key, bytes, etag, why: found.why.into(), events_until_ms, shard: 0 }
    }

    /// What its store needs to find it.
    #[must_use]
    pub fn meta(&self) -> ObjectMeta {
        ObjectMeta { key: self.key.clone(), bytes: self.bytes, etag: self.etag.clone() }
    }
}

impl Plan {
    /// When the inputs were listed.
    pub fn planned_at(&self) -> Result<UtcInstant> {
        UtcInstant::parse_iso8601(&self.planned_at).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "the plan does not say when it was made")
                .with("planned_at", &self.planned_at)
        })
    }

    /// Reads a plan file.
    pub fn from_json(mut json: Vec<u8>) -> Result<Self> {
        let unusable = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Usage, "cannot read the plan")
                .caused_by(std::io::Error::other(cause))
                .hint("make the plan anew with 'logmill plan --format json'")
        };
        let plan: Self = simd_json::serde::from_slice(&mut json).map_err(|cause| unusable(cause.into()))?;
        if plan.version != PLAN_VERSION {
            return Err(Error::new(ErrorKind::Usage, "the plan was made by another version of logmill")
                .with("version", plan.version)
                .hint("create the plan again with this version"));
        }
        match check::implausible(&plan) {
            Some(what) => Err(unusable(what.into())),
            None => Ok(plan),
        }
    }

    /// Deals the objects out among `shards`, so that each gets about the same number of bytes.
    ///
    /// The largest objects are dealt first, each to the shard that has least; equal inputs give equal shards.
    pub fn deal(&mut self, shards: u32) {
        self.shards = shards;
        for table in &mut self.tables {
            let mut load = vec![0_u64; shards as usize];
            let mut by_size: Vec<&mut PlannedObject> = table.objects.iter_mut().collect();
            by_size.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.address.cmp(&b.address)));
            for object in by_size {
                let least = (0..load.len()).min_by_key(|shard| load[*shard]).unwrap_or_default();
                // An empty object still costs something to open.
                load[least] += object.bytes + 1;
                object.shard = u32::try_from(least).unwrap_or_default();
            }
        }
    }
}

/// Whether Athena takes a name without quotes; it becomes a folder's name too.
#[must_use]
pub fn is_table_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=255).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('_')
}

impl TablePlan {
    /// Bytes to read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.iter().fold(0, |sum, object| sum.saturating_add(object.bytes))
    }

    /// What listing the inputs has met.
    #[must_use]
    pub fn listed(&self) -> ListedObjects {
        let left = self.left.iter().map(LeftGroup::of);
        ListedObjects::count(self.objects.len(), left.chain(self.counted.iter().cloned()))
    }

    /// Fails if an object is left out that may not be read and may be a log: only its content could tell. One with a time in
    /// its name would fail the day as well; and what may be read can change with every credential that expires.
    pub fn check_readable(&self) -> Result<()> {
        let mut unreadable = self.left.iter().filter(|left| left.why == UNREADABLE);
        let Some(first) = unreadable.next() else { return Ok(()) };
        Err(Error::new(ErrorKind::Denied, "cannot tell whether an object is a log: it may not be read")
            .with("table", &self.table)
            .with("object", &first.address)
            .with("objects", 1 + unreadable.count())
            .hint(
                "let this user read it (restore it first if it is archived), or move it out of the input; a plan for shards \
                 must then be created again",
            ))
    }

    /// From when on no object that is still awaited can hold events of the day.
    #[must_use]
    pub fn complete_at(&self, day: KstDay) -> UtcInstant {
        day.window().end.plus_ms(self.lateness_ms)
    }
}
