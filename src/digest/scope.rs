//! The day that digests should prove, and which of them it needs.

use super::document::LogFile;
use super::keys::PublicKeys;
use super::name::LogName;
use crate::kst::{UtcInstant, UtcWindow};

/// How long after the window a missing digest at its end is only late, in milliseconds.
const LATE_MS: i64 = 24 * 3_600_000;
pub(super) const HOUR_MS: i64 = 3_600_000;

/// The day that digests should prove.
#[derive(Debug, Clone, Copy)]
pub struct DayScope<'a> {
    /// The day.
    pub day: UtcWindow,
    /// The day and its lateness: the deliveries that a run reads, and the time that digests have to cover.
    pub deliveries: UtcWindow,
    /// When the digests were listed.
    pub listed_at: UtcInstant,
    /// The keys to check signatures with.
    pub keys: Option<&'a PublicKeys>,
}

impl DayScope<'_> {
    /// The ends of the digests to list. One more hour on both sides finds a log file whose clock is an hour off, and the
    /// digests that carry the signatures of the last ones.
    #[must_use]
    pub fn digest_ends(&self) -> UtcWindow {
        let UtcWindow { start, end } = self.deliveries;
        UtcWindow { start: start.plus_ms(-HOUR_MS), end: end.plus_ms(3 * HOUR_MS) }
    }

    /// Whether a run of the day has to read a log file: it was delivered in time, or it holds events of the day.
    pub(super) fn needs(&self, file: &LogFile, digest: UtcWindow) -> bool {
        let events = file.events();
        let holds_events = events.map(|(oldest, newest)| oldest < self.day.end && newest >= self.day.start);
        match LogName::parse(&file.object) {
            Some(log) => self.deliveries.contains(log.delivered_at) || holds_events == Some(true),
            None => holds_events.unwrap_or_else(|| digest.overlaps(self.deliveries)),
        }
    }

    pub(super) fn is_long_over(&self) -> bool {
        self.listed_at > self.deliveries.end.plus_ms(LATE_MS)
    }
}
