//! The names of logs of load balancers and of flow logs: `account_service_region_source_YYYYMMDDThhmmZ_...`.

use super::key_origin::{KeyOrigin, is_account, is_region};
use super::object_key::{self, TimeInKey};
use crate::kst::UtcInstant;

const PATTERN: &str = "YYYYMMDDThhmmZ";

/// The facts in the name of a log.
pub(super) struct ServiceName<'n> {
    /// The text before the account.
    pub(super) prefix: &'n str,
    /// The load balancer or the flow log.
    pub(super) source: &'n str,
    pub(super) at: UtcInstant,
    account: &'n str,
    region: &'n str,
    /// Start of the time.
    start: usize,
}

impl<'n> ServiceName<'n> {
    /// Reads a name, or the name at the end of a path.
    pub(super) fn of(path: &'n str, service: &str) -> Option<Self> {
        let name = object_key::split(path).1;
        let (front, rest) = name.match_indices(service).find_map(|(at, _)| {
            Some((name[..at].strip_suffix('_')?, name[at + service.len()..].strip_prefix('_')?))
        })?;
        let mut parts = rest.splitn(4, '_');
        let (region, source, time) = (parts.next()?, parts.next()?, parts.next()?);
        let at = (time.len() == PATTERN.len())
            .then(|| object_key::time_by_pattern(time.as_bytes(), PATTERN))??;
        let (prefix, account) = front.split_at_checked(front.len().checked_sub(12)?)?;
        let start = path.len() - rest.len() + region.len() + source.len() + 2;
        is_account(account).then_some(Self { prefix, source, at, account, region, start })
    }

    /// Returns the place of the time, after the part that all names of a source share.
    pub(super) fn time(&self) -> TimeInKey {
        TimeInKey { start: self.start, pattern: PATTERN, may_name_event_day: false }
    }

    /// Returns the account and region in a name, or in the folders of a path if the name has been changed.
    pub(super) fn origin(path: &'n str, service: &str) -> KeyOrigin<'n> {
        Self::of(path, service).map_or_else(
            || KeyOrigin::of_service(path, service),
            |found| KeyOrigin {
                account: Some(found.account),
                region: Some(found.region).filter(|region| is_region(region)),
                bucket: None,
            },
        )
    }
}
