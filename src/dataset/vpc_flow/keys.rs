//! The keys of VPC flow logs.
//!
//! ```text
//! [prefix/]AWSLogs/[o-org/]account/vpcflowlogs/region/YYYY/MM/DD/[hh/]
//! [prefix/]AWSLogs/aws-account-id=account/aws-service=vpcflowlogs/aws-region=region/year=YYYY/month=MM/day=DD/[hour=hh/]
//!   account_vpcflowlogs_region_flowlog_YYYYMMDDTHHmmZ_hash.log.gz
//! ```
//!
//! The name alone identifies the log, so that a copy without its folders is read too. The time in the name is the UTC end of
//! an interval of five minutes in which the records were published. Their flows can begin an aggregation interval of ten
//! minutes before it, and end a few minutes after it. Objects that end in `.parquet` are deliveries in Parquet.
//! Source: AWS, "Flow log files", and objects of AWS.

use crate::dataset::key_origin::{KeyOrigin, is_account, is_region, value_of};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder;
use crate::kst::UtcInstant;

/// How late an object can arrive. AWS states no limit.
pub(super) const LATENESS_HOURS: u32 = 6;

/// The service in folders and names.
pub(super) const SERVICE: &str = "vpcflowlogs";
const PATTERN: &str = "YYYYMMDDThhmmZ";

/// How far the events can precede the time in a name. Records can be published late; AWS promises no limit.
const BEFORE_MS: i64 = 6 * 3_600_000;
/// How far the events can follow the time in a name.
const AFTER_MS: i64 = 600_000;

/// The facts in the name of a log.
struct Name<'n> {
    account: &'n str,
    region: &'n str,
    flow_log: &'n str,
    at: UtcInstant,
    /// Start of the time in the name.
    start: usize,
    is_parquet: bool,
}

impl<'n> Name<'n> {
    fn of(name: &'n str) -> Option<Self> {
        let (prefix, rest) = name.split_once("_vpcflowlogs_")?;
        let mut parts = rest.splitn(4, '_');
        let (region, flow_log, time) = (parts.next()?, parts.next()?, parts.next()?);
        let at = (time.len() == PATTERN.len())
            .then(|| object_key::time_by_pattern(time.as_bytes(), PATTERN))??;
        let account = prefix.get(prefix.len().checked_sub(12)?..).filter(|account| is_account(account))?;
        let start = name.len() - rest.len() + region.len() + flow_log.len() + 2;
        let is_parquet = name.split('.').any(|part| part == "parquet");
        Some(Self { account, region, flow_log, at, start, is_parquet })
    }
}

/// Returns the id of the flow log in the name of an object.
pub(super) fn flow_log(name: &str) -> Option<&str> {
    Name::of(name).map(|name| name.flow_log)
}

/// Claims a key.
pub(super) fn claim(path: &str) -> KeyClaim {
    let (folder, name) = object_key::split(path);
    match Name::of(name) {
        Some(found) if found.is_parquet => {
            KeyClaim::NotMine("flow log in Parquet, which is not read: only flow logs in text are")
        }
        Some(found) => KeyClaim::Mine(KeyTime::stretch(found.at, BEFORE_MS, AFTER_MS)),
        None if name.is_empty() && service_folder::is_of_other(folder, SERVICE) => {
            KeyClaim::NotMine(service_folder::OTHER_SERVICE)
        }
        None => KeyClaim::Unclear,
    }
}

/// Returns the place of the time in the name of a log, after the part that all names of a flow log share.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    let name = object_key::split(key).1;
    let start = key.len() - name.len() + Name::of(name)?.start;
    Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: false })
}

/// Whether a folder belongs to a region: `.../vpcflowlogs/region`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, region) = object_key::split(folder);
    value_of(object_key::split(above).1) == SERVICE && value_of(region).contains('-')
}

/// Returns the account and region in the name of a log, or in its folders if the name has been changed.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    match Name::of(object_key::split(path).1) {
        Some(found) => KeyOrigin {
            account: Some(found.account),
            region: Some(found.region).filter(|region| is_region(region)),
            bucket: None,
        },
        None => KeyOrigin::of_service(path, SERVICE),
    }
}
