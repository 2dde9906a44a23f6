//! The progress of a listing whose length is not known.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::console::{self, Console};

/// Draws the number of objects so far, on a terminal only.
pub(super) struct Spinner {
    drawn: ProgressBar,
    objects: AtomicU64,
}

impl Spinner {
    /// Starts to draw.
    pub(super) fn begin(console: Console) -> Self {
        let drawn = ProgressBar::new_spinner();
        drawn.set_draw_target(if console.draws_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        drawn.set_message("listing");
        drawn.tick();
        Self { drawn, objects: AtomicU64::new(0) }
    }

    /// Adds objects.
    pub(super) fn add(&self, objects: u64) {
        let objects = self.objects.fetch_add(objects, Ordering::Relaxed) + objects;
        self.drawn.set_message(format!("{} listed", console::counted(objects, "object")));
        self.drawn.tick();
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}
