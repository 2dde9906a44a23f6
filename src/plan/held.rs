//! Whether an input holds logs of a log type.

use super::place::parents;
use crate::dataset::Dataset;

/// Whether an input holds logs of a log type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// It holds none.
    No,
    /// Folders of other days may hold some, or only other objects.
    Perhaps,
    /// It does.
    Yes,
}

impl Held {
    /// Judges a folder of other dates, which is not entered, by the folders above it: the log type divides one of them by date.
    pub(super) fn below(folder: &str, dataset: &dyn Dataset) -> Self {
        match parents(folder).any(|above| dataset.holds_days(above)) {
            true if dataset.shares_folders() => Self::Perhaps,
            true => Self::Yes,
            false => Self::No,
        }
    }
}
