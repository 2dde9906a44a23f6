//! The row ledger, which accounts for every row once.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The largest number that a stored file may contain: 256 TiB, or as many rows. Sums of many thousands of them cannot
/// overflow.
pub(crate) const MAX_COUNT: u64 = 1 << 48;

/// Row counts by outcome, for one object, one table and day, or a whole run.
///
/// A ledger balances when `read = written + other_day + duplicate + quarantined + filtered`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLedger {
    /// Records or lines found in the raw objects; blank lines are not counted.
    pub read: u64,
    /// Rows in the published files.
    pub written: u64,
    /// Rows whose event time is outside the KST day.
    pub other_day: u64,
    /// Rows of the day that repeat an earlier one.
    pub duplicate: u64,
    /// Rows, or remains of a damaged object, that could not be decoded.
    pub quarantined: u64,
    /// Rows excluded by a filter.
    #[serde(default)]
    pub filtered: u64,
}

impl RowLedger {
    /// Whether every row read is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let rest = [self.other_day, self.duplicate, self.quarantined, self.filtered];
        let sum = rest.into_iter().try_fold(self.written, u64::checked_add);
        sum == Some(self.read)
    }
}

impl AddAssign for RowLedger {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
        self.other_day += other.other_day;
        self.duplicate += other.duplicate;
        self.quarantined += other.quarantined;
        self.filtered += other.filtered;
    }
}
