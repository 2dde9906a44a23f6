//! A bar for people who wait: bytes, rows, rate, time left.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::{self, Console};
use crate::convert::Observer;

/// Draws the work on one table.
pub(super) struct Progress {
    bar: ProgressBar,
    counts: Counts,
    bytes: AtomicU64,
    rows: AtomicU64,
}

/// What a bar grows by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Bytes,
    Rows,
    Days,
}

impl Progress {
    /// A bar over the bytes of the objects; drawn only where somebody can see it.
    pub(super) fn reading(console: Console, table: &str, bytes: u64) -> Self {
        let form = "{prefix:12} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg} ETA {eta}";
        Self::new(console, table, Counts::Bytes, bytes, form)
    }

    /// A bar over the rows that are to be written.
    pub(super) fn writing(console: Console, table: &str, rows: u64) -> Self {
        let form = "{prefix:12} [{bar:30}] {human_pos}/{human_len} rows written {per_sec} ETA {eta}";
        Self::new(console, table, Counts::Rows, rows, form)
    }

    /// A bar over days, with what is read of them.
    pub(super) fn days(console: Console, table: &str, days: usize) -> Self {
        let form = "{prefix:12} [{bar:30}] {pos}/{len} days, {msg} ETA {eta}";
        Self::new(console, table, Counts::Days, days as u64, form)
    }

    /// A day is done, or need not be.
    pub(super) fn day_done(&self) {
        self.bar.inc(1);
    }

    fn new(console: Console, table: &str, counts: Counts, length: u64, form: &str) -> Self {
        let target = if console.draws_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(length), target).with_prefix(table.to_owned());
        bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, counts, bytes: AtomicU64::new(0), rows: AtomicU64::new(0) }
    }
}

impl Observer for Progress {
    fn object_done(&self, bytes: u64, rows: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let read = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let rows = format!("{} rows read", console::count(rows));
        if self.counts == Counts::Days {
            let millis = u64::try_from(self.bar.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = console::size(read.saturating_mul(1000) / millis);
            self.bar.set_message(format!("{}, {rate}/s, {rows}", console::size(read)));
        } else {
            self.bar.inc(bytes);
            self.bar.set_message(rows);
        }
    }

    fn rows_written(&self, rows: u64) {
        if self.counts == Counts::Rows {
            self.bar.inc(rows);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
