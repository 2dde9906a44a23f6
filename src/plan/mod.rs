//! Finds the raw objects that can hold the events of a KST day.
//!
//! `listing` lists the inputs of a table, and [`key_times`] decides by the time in each key. For one day, the result is a
//! [`Plan`]: a list of objects in address order, which many machines can share as shards. For a range of days, `range`
//! lists every object once and hands the objects out in legs. [`discovery`] shows what inputs hold, without a day.

mod check;
mod content;
mod dated;
mod digest_folders;
mod digest_keys;
mod digest_options;
mod digests;
pub mod discovery;
mod file_name;
mod held;
mod key_ring;
pub mod key_times;
mod list;
mod listed;
mod listing;
mod named_objects;
mod place;
mod range;
mod services;
mod source;
mod table_spec;

pub use check::MAX_SHARDS;
pub use content::KnownContents;
pub use dated::{DatedInput, lone_dates};
pub use digest_options::{DigestMode, DigestOptions, KeySource};
pub use digests::{DayDigests, ProvedDay};
pub use held::{Held, HeldLogs, Misplaced, MisplacedLogs};
pub use key_ring::{KeyRing, NO_KEYS};
pub use key_times::KeyTimes;
pub use list::{holds_logs, plan_proved, plan_table};
pub use listed::{LeftGroup, ListedObjects};
pub use range::{DayObjects, Order, RangeLeg, RangePlanner, SharedObject};
pub use services::{ServiceLogs, other_services};
pub use source::TableSource;
pub(crate) use source::{are_same_inputs, one_spelling, rest_below};
pub use table_spec::TableSpec;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::dataset::LogType;
use crate::digest::PlannedProof;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::store::local::{LEADS_IN_A_CIRCLE, LEADS_NOWHERE, LEADS_TO_A_FOLDER, NOT_UTF8};
use crate::store::{ObjectMeta, Store};

/// The version of the plan file that this program writes and reads.
pub const PLAN_VERSION: u32 = 1;

/// The reason for skipping an object that may still be a log. The run prints a warning.
pub const UNRECOGNISED: &str = "neither key nor content matches a known log type";

/// The reason for skipping an object that cannot be read for lack of permission, and whose name does not identify it as a
/// log.
pub const UNREADABLE: &str = "it cannot be read, and its name contains no time";

/// The reason for skipping a log that no table reads, because the table of its log type does not search the folder.
pub const MISPLACED: &str = "log of another log type, whose table does not search the folder of this service";

/// Reasons for which a log may have been skipped. The run prints a warning for each.
pub const WARNED_REASONS: [&str; 7] =
    [UNRECOGNISED, UNREADABLE, MISPLACED, NOT_UTF8, LEADS_NOWHERE, LEADS_IN_A_CIRCLE, LEADS_TO_A_FOLDER];

/// The plan of one KST day, for all its tables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the file format.
    pub version: u32,
    /// The day.
    pub day: KstDay,
    /// When the inputs were listed, UTC. Objects that arrived later are not in the plan.
    pub planned_at: String,
    /// Number of shards that share the objects.
    pub shards: u32,
    /// The key for hashing row identities, random for each plan.
    pub identity_key: [u64; 4],
    /// One plan per table.
    pub tables: Vec<TablePlan>,
}

/// The plan of one KST day of one table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TablePlan {
    /// The table. The file holds its fields directly, not nested.
    #[serde(flatten)]
    pub spec: TableSpec,
    /// Number of requests that listing the inputs took.
    #[serde(default)]
    pub requests: u64,
    /// The objects to read, in address order.
    pub objects: Vec<PlannedObject>,
    /// The objects and folders that are left out, in address order.
    pub left: Vec<LeftObject>,
    /// Further objects and folders that are left out. They are only counted, because a range of days does not list them one
    /// by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<LeftGroup>,
    /// What digests say about the day, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<PlannedProof>,
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
    /// Its `ETag` in S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Why it was chosen.
    pub why: Cow<'static, str>,
    /// The latest possible time of its events, in milliseconds UTC, if its name has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_until_ms: Option<i64>,
    /// The shard that reads it, from 0.
    pub shard: u32,
    /// Whether a digest names it, so that its text is hashed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
}

/// An object or folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftObject {
    /// Its address; a folder's ends with `/`.
    pub address: String,
    /// Its size. 0 for a folder, because the listing did not enter it.
    pub bytes: u64,
    /// Why it was left out.
    pub why: Cow<'static, str>,
    /// Whether it is left out because the time in its name or folder is outside the window.
    #[serde(default)]
    pub of_another_time: bool,
}

impl PlannedObject {
    fn new(store: &dyn Store, input: u32, found: listing::Found) -> Self {
        let (address, object) = (store.address(&found.object.key), found.object);
        let ObjectMeta { key, bytes, etag } = object;
        let events_until_ms = found.events_until.map(|until| until.0);
        Self {
            address,
            input,
            key,
            bytes,
            etag,
            why: found.why.into(),
            events_until_ms,
            shard: 0,
            named: false,
        }
    }

    /// A log file that only a digest names, because it was delivered after the lateness.
    fn late(input: u32, address: String, meta: ObjectMeta) -> Self {
        let ObjectMeta { key, bytes, etag } = meta;
        Self {
            address,
            input,
            key,
            bytes,
            etag,
            why: "named by a digest, with events of the day".into(),
            events_until_ms: None,
            shard: 0,
            named: true,
        }
    }

    /// Returns the metadata by which its store finds it.
    #[must_use]
    pub fn meta(&self) -> ObjectMeta {
        ObjectMeta { key: self.key.clone(), bytes: self.bytes, etag: self.etag.clone() }
    }
}

impl Plan {
    /// Returns when the inputs were listed.
    pub fn planned_at(&self) -> Result<UtcInstant> {
        UtcInstant::parse_iso8601(&self.planned_at).ok_or_else(|| {
            Error::new(ErrorKind::Usage, "the plan has no valid creation time")
                .with("planned_at", &self.planned_at)
        })
    }

    /// Reads a plan file.
    pub fn from_json(mut json: Vec<u8>) -> Result<Self> {
        let unusable = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Usage, "not a plan file")
                .caused_by(std::io::Error::other(cause))
                .hint("pass a file that 'logmill plan --plan FILE' wrote; if it is damaged, create it again")
        };
        let mut reader = simd_json::Deserializer::from_slice(&mut json)
            .map_err(|_| unusable("its content is not complete JSON".into()))?;
        let plan = Self::deserialize(&mut reader).map_err(|cause| {
            reader.restart();
            let known = PlanHead::deserialize(&mut reader).map_or(Ok(()), |head| head.check());
            known.err().unwrap_or_else(|| {
                unusable(match cause.error() {
                    // Its own form is that of a debugger.
                    simd_json::ErrorType::Serde(why) => why.clone().into(),
                    _ => cause.into(),
                })
            })
        })?;
        check_version(plan.version)?;
        match check::implausible(&plan) {
            Some(what) => Err(Error::new(ErrorKind::Usage, format!("invalid plan: {what}"))
                .hint("create the plan again with 'logmill plan --plan FILE'")),
            None => Ok(plan),
        }
    }

    /// Distributes the objects among `shards`, so that each shard gets about the same number of bytes.
    ///
    /// The largest objects are assigned first, each to the shard with the fewest bytes. Equal inputs give equal shards.
    pub fn assign_shards(&mut self, shards: u32) {
        self.shards = shards;
        for table in &mut self.tables {
            let mut load = vec![0_u64; shards as usize];
            let mut by_size: Vec<&mut PlannedObject> = table.objects.iter_mut().collect();
            by_size.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.address.cmp(&b.address)));
            for object in by_size {
                let least = (0..load.len()).min_by_key(|shard| load[*shard]).unwrap_or_default();
                // Opening an empty object also has a cost.
                load[least] += object.bytes + 1;
                object.shard = u32::try_from(least).unwrap_or_default();
            }
        }
    }
}

/// The fields of a plan file that show whether another version of logmill wrote it.
#[derive(Deserialize)]
struct PlanHead {
    version: u32,
    tables: Vec<TableHead>,
}

#[derive(Deserialize)]
struct TableHead {
    dataset: String,
}

impl PlanHead {
    fn check(&self) -> Result<()> {
        check_version(self.version)?;
        self.tables.iter().try_for_each(|table| LogType::require(&table.dataset).map(drop))
    }
}

fn check_version(version: u32) -> Result<()> {
    if version == PLAN_VERSION {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, "another version of logmill created the plan")
        .with("version", version)
        .hint("create the plan again with this version"))
}

/// Whether Athena accepts a name without quotes. The name is also used for a folder.
#[must_use]
pub fn is_table_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=255).contains(&name.len()) && name.bytes().all(good) && !name.starts_with('_')
}

impl AsRef<TableSpec> for TablePlan {
    fn as_ref(&self) -> &TableSpec {
        &self.spec
    }
}

impl TablePlan {
    /// Returns the number of bytes to read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.objects.iter().fold(0, |sum, object| sum.saturating_add(object.bytes))
    }

    /// Returns the counts of everything that the listing found.
    #[must_use]
    pub fn listed(&self) -> ListedObjects {
        let left = self.left.iter().map(LeftGroup::of);
        ListedObjects::count(self.objects.len(), left.chain(self.counted.iter().cloned()))
    }

    /// Fails if the plan skips an object that may be a log but cannot be read for lack of permission. Only its content could
    /// identify it. An unreadable object with a time in its name fails the day as well, and permissions can change whenever
    /// a credential expires.
    pub fn check_readable(&self) -> Result<()> {
        let mut unreadable = self.left.iter().filter(|left| left.why == UNREADABLE);
        let Some(first) = unreadable.next() else { return Ok(()) };
        Err(Error::new(ErrorKind::Denied, "cannot detect whether an object is a log: access denied")
            .with("table", &self.spec.table)
            .with("object", &first.address)
            .with("objects", 1 + unreadable.count())
            .hint(
                "grant this user read access (restore the object first if it is archived), or move it out of the input; \
                 a plan for shards must then be created again",
            ))
    }

    /// Returns the time from which no late object of the day is expected any more.
    #[must_use]
    pub fn complete_at(&self, day: KstDay) -> UtcInstant {
        day.window().end.plus_ms(self.spec.lateness_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan file with every field that has a default, and with every field of a table.
    const FULL: &str = concat!(
        r#"{"version":1,"day":"2023-11-01","planned_at":"2023-11-02T00:00:00Z","shards":2,"#,
        r#""identity_key":[1,2,3,18446744073709551615],"tables":["#,
        r#"{"table":"trail","dataset":"cloudtrail","inputs":["s3://raw/trail/","/logs"],"#,
        r#""access":{"role_arn":"arn:aws:iam::111122223333:role/logs","requester_pays":true,"#,
        r#""expected_bucket_owner":"111122223333"},"naming":"compact","#,
        r#""promote":[{"column":"instance_id","path":"requestParameters.instanceId","type":"text"}],"#,
        r#""filter":["event_name in ('GetObject')"],"redact":["?Signature","requestParameters.secret"],"#,
        r#""lateness_ms":86400000,"requests":3,"objects":[{"address":"s3://raw/trail/a.gz","input":0,"#,
        r#""key":"a.gz","bytes":7,"etag":"e","why":"delivered","events_until_ms":9,"shard":1},"#,
        r#"{"address":"/logs/b.gz","input":1,"key":"b.gz","bytes":8,"why":"named","shard":0}],"#,
        r#""left":[{"address":"/logs/c","bytes":5,"why":"other","of_another_time":true}],"#,
        r#""counted":[{"why":"other","objects":1,"folders":2,"bytes":3,"first":"/logs/d"}]},"#,
        r#"{"table":"s3_access","dataset":"s3-access","inputs":["/access"],"access":{},"naming":"snake","#,
        r#""promote":[],"redact":[],"lateness_ms":0,"requests":0,"objects":[],"left":[]}]}"#,
    );

    fn rewritten(plan: &str) -> String {
        serde_json::to_string(&Plan::from_json(plan.as_bytes().to_vec()).unwrap()).unwrap()
    }

    #[test]
    fn a_plan_file_is_written_as_it_was_read() {
        assert_eq!(rewritten(FULL), FULL);
    }

    #[test]
    fn a_plan_file_without_the_newer_fields_gets_their_defaults() {
        let before = r#"{"version":1,"day":"2023-11-01","planned_at":"","shards":1,"identity_key":[0,0,0,0],"tables":["#;
        let short = r#"{"table":"t","dataset":"cloudtrail","unknown":{"a":[1,{}]},"inputs":[],"naming":"snake","promote":[],"lateness_ms":0,"objects":[],"left":[]}]}"#;
        let whole = concat!(
            r#"{"table":"t","dataset":"cloudtrail","inputs":[],"access":{},"naming":"snake","promote":[],"#,
            r#""redact":["responseElements.credentials.sessionToken","?X-Amz-Signature","?X-Amz-Credential","#,
            r#""?X-Amz-Security-Token","?Signature","?AWSAccessKeyId","?CloudFront-Signature"],"lateness_ms":0,"requests":0,"#,
            r#""objects":[],"left":[]}]}"#,
        );
        assert_eq!(rewritten(&format!("{before}{short}")), format!("{before}{whole}"));
    }

    #[test]
    fn a_plan_file_of_another_version_is_refused() {
        let check = |from: &str, to: &str, kind, message: &str| {
            let plan = FULL.replace(from, to);
            assert_ne!(plan, FULL);
            let error = Plan::from_json(plan.into_bytes()).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().starts_with(message), "{error}");
        };
        let (elb, other) = ("unknown log type 'elb' (known: ", "another version of logmill created the plan");
        check(r#""dataset":"s3-access""#, r#""dataset":"elb""#, ErrorKind::Unusable, elb);
        check(r#""version":1"#, r#""version":2"#, ErrorKind::Usage, other);
        // Another version may have other fields.
        check(r#""version":1,"day""#, r#""version":2,"days""#, ErrorKind::Usage, other);
        check(r#""dataset":"s3-access""#, r#""dataset":7"#, ErrorKind::Usage, "not a plan file");
    }

    #[test]
    fn a_deeply_nested_field_of_a_table_is_harmless() {
        let of_depth =
            |depth: usize| format!(r#""unknown":{}{},"filter""#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(rewritten(&FULL.replace(r#""filter""#, &of_depth(1000))), FULL);
        let too_deep = FULL.replace(r#""filter""#, &of_depth(1 << 20));
        assert_eq!(Plan::from_json(too_deep.into_bytes()).unwrap_err().kind(), ErrorKind::Usage);
    }
}
