//! Whether a day that is being read can still be published. It cannot once so much is rejected that no remaining row can bring
//! the rejected share down to the limit.

use std::sync::Mutex;

use crate::ledger::RowLedger;
use crate::table::Damage;

/// Maximum number of bytes that one byte of gzip can become: a match of 258 bytes takes two bits.
const MAX_INFLATION: u64 = 1032;
/// Maximum number of bytes of an object that are decoded beyond the limit of its size.
const BEYOND_LIMIT_BYTES: u64 = 128 << 20;

/// The counts of a day while its objects are read. Its objects are judged as they were listed.
#[derive(Debug)]
pub(super) struct Outlook {
    max_reject_ratio: f64,
    min_row_bytes: u64,
    max_object_bytes: u64,
    /// Bytes of all objects as stored.
    stored_bytes: u64,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    rejected: u64,
    /// Rows that were not rejected, of finished objects.
    accepted: u64,
    /// The maximum number of rows in unfinished objects.
    to_come: u64,
    /// Stored bytes of damaged objects that are finished.
    damaged_bytes: u64,
}

impl Outlook {
    /// Creates the counts of an unread day with objects of these stored sizes.
    pub(super) fn new(
        sizes: impl Iterator<Item = u64>,
        max_reject_ratio: f64,
        min_row_bytes: u64,
        max_object_bytes: u64,
    ) -> Self {
        let so_far = Mutex::default();
        let mut outlook = Self { max_reject_ratio, min_row_bytes, max_object_bytes, stored_bytes: 0, so_far };
        let mut to_come = 0_u64;
        for bytes in sizes {
            to_come = to_come.saturating_add(outlook.most_rows(bytes));
            outlook.stored_bytes = outlook.stored_bytes.saturating_add(bytes);
        }
        outlook.so_far = Mutex::new(SoFar { to_come, ..SoFar::default() });
        outlook
    }

    /// The maximum number of rows of an object. An object listed as empty may not be a file, and may never end.
    fn most_rows(&self, stored_bytes: u64) -> u64 {
        let limit = self.max_object_bytes.saturating_add(BEYOND_LIMIT_BYTES);
        let unpacked = if stored_bytes == 0 { limit } else { stored_bytes.saturating_mul(MAX_INFLATION) };
        unpacked.min(limit) / self.min_row_bytes.max(1) + 1
    }

    /// Counts rejected rows; returns whether the day is lost, whatever the remaining rows are.
    pub(super) fn exceeds_limit_with(&self, rejected: u64) -> bool {
        let mut so_far = self.so_far.lock().expect("a worker that panics ends the process");
        so_far.rejected += rejected;
        let read = so_far.rejected.saturating_add(so_far.accepted).saturating_add(so_far.to_come);
        let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        share(so_far.rejected, read) > self.max_reject_ratio
            || share(so_far.damaged_bytes, self.stored_bytes) > self.max_reject_ratio
    }

    /// Counts all rows of a finished object.
    pub(super) fn object_done(&self, stored_bytes: u64, ledger: RowLedger, damage: Damage) {
        let mut so_far = self.so_far.lock().expect("a worker that panics ends the process");
        so_far.accepted += ledger.read - ledger.quarantined;
        so_far.to_come = so_far.to_come.saturating_sub(self.most_rows(stored_bytes));
        so_far.damaged_bytes += if damage.is_some() { stored_bytes } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW_BYTES: u64 = 10;

    fn outlook(sizes: &[u64], ratio: f64) -> Outlook {
        Outlook::new(sizes.iter().copied(), ratio, ROW_BYTES, 1 << 30)
    }

    fn ledger(accepted: u64, quarantined: u64) -> RowLedger {
        RowLedger { read: accepted + quarantined, written: accepted, quarantined, ..RowLedger::default() }
    }

    #[test]
    fn a_day_is_lost_once_too_few_rows_remain() {
        // An object of 100 bytes has at most 10,321 rows.
        let day = outlook(&[100, 100], 0.5);
        assert!(!day.exceeds_limit_with(20_642));
        assert!(day.exceeds_limit_with(1));
        // The rows of a finished object are known.
        let day = outlook(&[100, 100], 0.5);
        assert!(!day.exceeds_limit_with(10_000));
        day.object_done(100, ledger(5, 10_000), Damage::None);
        assert!(!day.exceeds_limit_with(326));
        assert!(day.exceeds_limit_with(1));
    }

    #[test]
    fn a_day_is_lost_once_damaged_objects_exceed_the_allowed_bytes() {
        let day = outlook(&[100, 300], 0.25);
        day.object_done(100, ledger(5, 1), Damage::Content);
        assert!(!day.exceeds_limit_with(1), "a quarter, which is allowed");
        let day = outlook(&[100, 299], 0.25);
        day.object_done(100, ledger(5, 1), Damage::Unread);
        assert!(day.exceeds_limit_with(1));
    }

    #[test]
    fn an_object_has_no_more_rows_than_its_size_allows_and_an_unknown_size_allows_the_maximum() {
        let limit = ((1 << 30) + BEYOND_LIMIT_BYTES) / ROW_BYTES + 1;
        for (bytes, most) in [(1, 104), (100, 10_321), (0, limit), (1 << 40, limit), (u64::MAX, limit)] {
            assert_eq!(outlook(&[bytes], 0.0).most_rows(bytes), most, "{bytes}");
        }
        assert!(
            !outlook(&[u64::MAX, u64::MAX], 1.0).exceeds_limit_with(u64::MAX),
            "everything may be rejected"
        );
    }
}
