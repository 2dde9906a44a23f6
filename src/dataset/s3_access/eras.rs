//! The eras of the log format: S3 has added fields over the years.

use std::ops::Range;

/// The fewest fields after the user agent in lines since an instant (milliseconds since 1970), latest first. S3 added the
/// fields from host id to TLS version between December 2018 and June 2019, and the version id with versioning in 2010
/// (history of AWS's page on the format). The instants leave a margin for late regions.
const FIELDS_AFTER_AGENT: [(i64, usize); 2] = [(1_561_939_200_000, SINCE_2019), (1_325_376_000_000, 1)];

/// The fewest fields after the user agent in lines since the summer of 2019.
pub(super) const SINCE_2019: usize = 7;

/// The time in which lines may name the caller, from February to April 2019. Known lines of 14 and 20 March name the
/// caller. Lines of 5 February end before the host id, and lines of 28 March name no caller.
pub(super) const NAMES_CALLER_MS: Range<i64> = 1_548_979_200_000..1_556_668_800_000;

/// Returns the fewest fields after the user agent in lines of a time.
pub(super) fn min_after_agent(request_time_ms: i64) -> usize {
    let known = FIELDS_AFTER_AGENT.iter().find(|(since, _)| request_time_ms >= *since);
    known.map_or(0, |(_, fields)| *fields)
}
