//! Decides which of many days are rebuilt.

use crate::audit::freshness::{DayState, DayStatus};
use crate::kst::{KstDay, UtcInstant};
use crate::plan::Order;

/// Selects days by their state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaySelector {
    /// Never published, except days before the first log.
    Missing,
    /// Published, but objects have arrived or changed since.
    Stale,
    /// The last run of the day failed.
    Failed,
    /// Published with other settings of the source: naming, promote, `drop_columns`, filter or redact.
    Outdated,
    /// Every day.
    All,
}

impl DaySelector {
    /// The default: every day that a run would change.
    pub const BEHIND: [Self; 3] = [Self::Missing, Self::Stale, Self::Failed];

    /// Whether a day with this status is selected.
    fn takes(self, status: &DayStatus) -> bool {
        match self {
            Self::Missing => status.manifest.is_none() && status.state != DayState::NoLogs,
            // Includes days whose last run failed.
            Self::Stale => status.change.is_stale(),
            Self::Failed => status.state == DayState::Failed,
            Self::Outdated => !status.other_settings.is_empty(),
            Self::All => true,
        }
    }
}

/// Which days are rebuilt.
#[derive(Debug, Clone)]
pub enum RebuildRule {
    /// Days in one of these states, unless they were published at or after an instant.
    Only(Vec<DaySelector>, Option<UtcInstant>),
    /// This day, and stale days before it.
    Lookback(KstDay),
}

/// Where a range of days ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeEnd {
    /// With its last day. A day without logs is published as empty.
    Named,
    /// With the last day that has logs, because no end was named. Later days that were never published are not built: whether
    /// they are empty, or their logs have not arrived, is unknown.
    LastLog,
}

/// The days of a walk.
#[derive(Debug, Clone, Copy)]
pub struct WantedDays<'a> {
    /// The days.
    pub days: &'a [KstDay],
    /// Their order.
    pub order: Order,
    /// Where they end.
    pub end: RangeEnd,
}

/// The decision about a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is rebuilt.
    Build,
    /// It is not selected.
    Skip,
    /// It is selected but kept, because raw objects behind some of its rows were deleted: a rebuild would lose these rows.
    Keep,
}

impl RebuildRule {
    /// Decides about a day with this status.
    #[must_use]
    pub fn decision(&self, status: &DayStatus) -> Decision {
        let (is_wanted, loses) = match self {
            Self::Lookback(day) if status.partition.day == *day => return Decision::Build,
            Self::Lookback(_) => (status.change.is_stale(), status.change.gone > 0),
            Self::Only(wanted, before) => {
                let published = status.manifest.as_ref();
                let at = published.and_then(|manifest| UtcInstant::parse_iso8601(&manifest.published_at));
                let is_old = at.zip(*before).is_none_or(|(at, before)| at < before);
                let is_wanted = is_old && wanted.iter().any(|wanted| wanted.takes(status));
                (is_wanted, status.change.gone > 0 && !wanted.contains(&DaySelector::All))
            }
        };
        match (is_wanted, loses) {
            (true, false) => Decision::Build,
            (true, true) => Decision::Keep,
            (false, _) => Decision::Skip,
        }
    }
}
