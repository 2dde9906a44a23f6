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

use crate::dataset::key_origin::{KeyOrigin, value_of};
use crate::dataset::object_key::{self, KeyClaim, KeyTime, TimeInKey};
use crate::dataset::service_folder;
use crate::dataset::service_name::ServiceName;

/// How late an object can arrive. AWS states no limit.
pub(super) const LATENESS_HOURS: u32 = 6;

/// The service in folders and names.
pub(super) const SERVICE: &str = "vpcflowlogs";

/// How far the events can precede the time in a name. Records can be published late; AWS promises no limit.
const BEFORE_MS: i64 = 6 * 3_600_000;
/// How far the events can follow the time in a name.
const AFTER_MS: i64 = 600_000;

/// Returns the id of the flow log in the name of an object.
pub(super) fn flow_log(name: &str) -> Option<&str> {
    ServiceName::of(name, SERVICE).map(|found| found.source)
}

/// Claims a key.
pub(super) fn claim(path: &str) -> KeyClaim {
    match ServiceName::of(path, SERVICE) {
        Some(_) if object_key::is_parquet(path) => KeyClaim::NotMine(object_key::IN_PARQUET),
        Some(found) => KeyClaim::Mine(KeyTime::stretch(found.at, BEFORE_MS, AFTER_MS)),
        None => service_folder::claim(path, SERVICE),
    }
}

/// Returns the place of the time in the name of a log, after the part that all names of a flow log share.
pub(super) fn time_in_key(key: &str) -> Option<TimeInKey> {
    ServiceName::of(key, SERVICE).map(|found| found.time())
}

/// Whether a folder belongs to a region: `.../vpcflowlogs/region`.
pub(super) fn holds_days(folder: &str) -> bool {
    let (above, region) = object_key::split(folder);
    value_of(object_key::split(above).1) == SERVICE && value_of(region).contains('-')
}

/// Returns the account and region in the name of a log, or in its folders if the name has been changed.
pub(super) fn origin(path: &str) -> KeyOrigin<'_> {
    ServiceName::origin(path, SERVICE)
}
