//! What lines of a time have: S3 has added fields over the years.

use std::ops::Range;

/// The fewest fields after the user agent in lines from an instant on (milliseconds since 1970), latest first. Host id to
/// TLS version came between December 2018 and June 2019, the version id with versioning in 2010 (history of AWS's page on
/// the format); a margin is left for regions that are late.
const FIELDS_AFTER_AGENT: [(i64, usize); 2] = [(1_561_939_200_000, SINCE_2019), (1_325_376_000_000, 1)];

/// The fields after the user agent of a line since the summer of 2019, at least.
pub(super) const SINCE_2019: usize = 7;

/// From February to April 2019. Lines of 14 and 20 March are known which name the caller; those of 5 February end before
/// the host id, those of 28 March name nobody.
pub(super) const NAMES_CALLER_MS: Range<i64> = 1_548_979_200_000..1_556_668_800_000;

/// The fewest fields after the user agent that a line of this time has.
pub(super) fn fewest_after_agent(request_time_ms: i64) -> usize {
    let known = FIELDS_AFTER_AGENT.iter().find(|(since, _)| request_time_ms >= *since);
    known.map_or(0, |(_, fields)| *fields)
}
