//! Counts what listings find while they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of objects that the listings of a process have found so far. Clones share the number.
#[derive(Debug, Clone, Default)]
pub struct ListingCount(Arc<AtomicU64>);

impl ListingCount {
    /// Counts objects.
    pub fn add(&self, objects: u64) {
        self.0.fetch_add(objects, Ordering::Relaxed);
    }

    /// Returns the number of objects.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
