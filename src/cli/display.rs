//! The lines of progress at the bottom of the terminal, which messages must not overwrite.

use indicatif::MultiProgress;

use crate::store::ListingCount;

/// The lines of progress of this process.
#[derive(Debug, Default)]
pub(super) struct Display {
    /// The lines.
    pub(super) lines: MultiProgress,
    /// The number of objects that listings have found.
    pub(super) listed: ListingCount,
}

impl Display {
    /// Returns the display of this process, which remains until it ends.
    pub(super) fn of_process() -> &'static Self {
        Box::leak(Box::default())
    }
}
