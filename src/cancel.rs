//! A flag that asks all work to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Set by a signal and checked between units of work.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
}

impl Cancel {
    /// Wraps a flag that another part of the program sets.
    #[must_use]
    pub fn from_flag(flag: Arc<AtomicBool>) -> Self {
        Self { flag }
    }

    /// Allows new work after cancelled work has ended.
    pub fn clear(&self) {
        self.flag.store(false, Ordering::Relaxed);
    }

    /// Fails with [`ErrorKind::Interrupted`] once the flag is set.
    pub fn check(&self) -> Result<()> {
        if self.flag.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted").hint(
                "run the day again: this table was not published, and any earlier version of the day is unchanged",
            ));
        }
        Ok(())
    }
}
