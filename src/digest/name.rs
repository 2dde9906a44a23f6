//! Names of digests and of the log files that they name.
//!
//! `account_CloudTrail-Digest_region_trail_home-region_YYYYMMDDTHHMMSSZ.json.gz`, with `_backfill` before `.json.gz` for a
//! digest of late log files. The trail may contain `_`, so names are read from both ends.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kst::UtcInstant;

const SUFFIX: &str = ".json.gz";
const BACKFILL: &str = "_backfill";
const DIGEST: &str = "CloudTrail-Digest";
const LOG: &str = "CloudTrail";

/// What all digests of a chain share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainName {
    /// The account whose events the log files hold.
    pub account: String,
    /// The region of the events.
    pub region: String,
    /// The trail.
    pub trail: String,
    /// The region in which the trail was created.
    pub home_region: String,
    /// Whether these are digests of late log files. They form a chain of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backfill: bool,
}

/// The name of a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DigestName {
    /// Its chain.
    pub chain: ChainName,
    /// The end of the time that it covers.
    pub end: UtcInstant,
}

/// The name of a log file: `account_CloudTrail_region_YYYYMMDDTHHmmZ_unique.json.gz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogName<'a> {
    /// The account.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// The UTC minute of delivery.
    pub delivered_at: UtcInstant,
}

impl DigestName {
    /// Reads the last part of a path; `None` if it does not name a digest.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let stem = file_name(path).strip_suffix(SUFFIX)?;
        let (stem, backfill) = stem.strip_suffix(BACKFILL).map_or((stem, false), |stem| (stem, true));
        let (account, rest) = stem.split_once('_').filter(|(account, _)| is_account(account))?;
        let (kind, rest) = rest.split_once('_')?;
        let (region, rest) = rest.split_once('_').filter(|_| kind == DIGEST)?;
        let (rest, end) = rest.rsplit_once('_')?;
        let (trail, home_region) = rest.rsplit_once('_')?;
        let end = instant(end, "YYYYMMDDTHHMMSSZ")?;
        if [region, trail, home_region].iter().any(|part| part.is_empty()) {
            return None;
        }
        let [account, region, trail, home_region] = [account, region, trail, home_region].map(str::to_owned);
        Some(Self { chain: ChainName { account, region, trail, home_region, backfill }, end })
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.backfill { " (backfill)" } else { "" };
        write!(f, "{} {} {}{kind}", self.account, self.region, self.trail)
    }
}

impl<'a> LogName<'a> {
    /// Reads the last part of a path; `None` if it does not name a log file of CloudTrail.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Self> {
        let mut parts = file_name(path).split('_');
        let (account, kind, region, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let delivered_at = instant(time, "YYYYMMDDTHHMMZ")?;
        (is_account(account) && kind == LOG).then_some(Self { account, region, delivered_at })
    }
}

/// Returns the last part of a path.
#[must_use]
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads `20231101T000000Z`, or the same without seconds, as the pattern says.
fn instant(text: &str, pattern: &str) -> Option<UtcInstant> {
    let fits = |(given, wanted): (u8, u8)| match wanted {
        b'T' | b'Z' => given == wanted,
        _ => given.is_ascii_digit(),
    };
    if text.len() != pattern.len() || !text.bytes().zip(pattern.bytes()).all(fits) {
        return None;
    }
    let seconds = if pattern.len() == 16 { &text[13..15] } else { "00" };
    let [year, month, day] = [&text[..4], &text[4..6], &text[6..8]];
    let [hour, minute] = [&text[9..11], &text[11..13]];
    UtcInstant::parse_iso8601(&format!("{year}-{month}-{day}T{hour}:{minute}:{seconds}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_from_both_ends_of_its_name() {
        for (trail, backfill) in [("trail", ""), ("my_trail-2_x", ""), ("t", "_backfill")] {
            let name = format!(
                "AWSLogs/o-x/111122223333/CloudTrail-Digest/us-east-1/2023/11/01/111122223333_CloudTrail-Digest_us-east-1_{trail}_ap-northeast-2_20231101T100000Z{backfill}.json.gz"
            );
            let found = DigestName::parse(&name).unwrap();
            assert_eq!(found.end, UtcInstant::parse_iso8601("2023-11-01T10:00:00Z").unwrap());
            let ChainName { account, region, trail: of, home_region, backfill: late } = found.chain;
            assert_eq!([&*account, &*region, &*of], ["111122223333", "us-east-1", trail]);
            assert_eq!((home_region.as_str(), late), ("ap-northeast-2", !backfill.is_empty()));
        }
    }

    #[test]
    fn other_names_are_neither_digests_nor_logs() {
        for name in [
            "111122223333_CloudTrail_us-east-1_20231101T1000Z_x.json.gz",
            "11112222333_CloudTrail-Digest_us-east-1_t_us-east-1_20231101T100000Z.json.gz",
            "111122223333_CloudTrail-Digest_us-east-1_us-east-1_20231101T100000Z.json.gz",
            "111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20231301T100000Z.json.gz",
            "111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20231101T100000Z.json",
            "111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_-0231101T100000Z.json.gz",
            "",
        ] {
            assert_eq!(DigestName::parse(name), None, "{name}");
        }
        assert_eq!(LogName::parse("../../etc/passwd"), None);
        let log = LogName::parse("a/111122223333_CloudTrail_us-east-1_20231101T1005Z_x_y.json.gz").unwrap();
        assert_eq!((log.account, log.region), ("111122223333", "us-east-1"));
        assert_eq!(log.delivered_at, UtcInstant::parse_iso8601("2023-11-01T10:05:00Z").unwrap());
    }
}
