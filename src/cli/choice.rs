//! Which of many days are made anew.

use super::args::{BackfillArgs, Only};
use crate::audit::freshness::DayStatus;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};

/// Which days are made.
pub(super) enum Rule {
    /// Those in one of these states, unless they were published at or after an instant.
    Only(Vec<Only>, Option<UtcInstant>),
    /// This one, and stale ones before.
    Lookback(KstDay),
}

/// What is to become of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is made.
    Make,
    /// It is left as it is.
    Leave,
    /// It is left, though it lacks something: it was made from objects that are gone, and would lose their rows.
    Keep,
}

impl Rule {
    pub(super) fn of(args: &BackfillArgs) -> Result<Self> {
        let only = if args.only.is_empty() { Only::BEHIND.to_vec() } else { args.only.clone() };
        let before = args.published_before.as_deref().map(|text| {
            UtcInstant::parse_iso8601(text).ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("'{text}' is no instant"))
                    .hint("write it as 2026-11-21T04:00:00Z")
            })
        });
        Ok(Self::Only(only, before.transpose()?))
    }

    pub(super) fn verdict(&self, status: &DayStatus) -> Verdict {
        let (is_wanted, loses) = match self {
            Self::Lookback(day) if status.partition.day == *day => return Verdict::Make,
            Self::Lookback(_) => (status.change.is_stale(), status.change.gone > 0),
            Self::Only(only, before) => {
                let published = status.manifest.as_ref();
                let at = published.and_then(|manifest| UtcInstant::parse_iso8601(&manifest.published_at));
                let is_old = at.zip(*before).is_none_or(|(at, before)| at < before);
                let is_wanted = is_old && only.iter().any(|only| only.takes(status));
                (is_wanted, status.change.gone > 0 && !only.contains(&Only::All))
            }
        };
        match (is_wanted, loses) {
            (true, false) => Verdict::Make,
            (true, true) => Verdict::Keep,
            (false, _) => Verdict::Leave,
        }
    }
}
