//! A progress bar: bytes, rows, rate and time left.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::{self, Console};
use crate::convert;
use crate::road::{Progress, Work};

/// Draws the progress of one table.
pub(super) struct Bar {
    drawn: ProgressBar,
    work: Work,
    bytes: AtomicU64,
    rows: AtomicU64,
}

impl Bar {
    /// Starts a bar. It is drawn only on a terminal.
    pub(super) fn begin(console: Console, table: &str, work: Work) -> Self {
        let (length, form) = match work {
            Work::Read(bytes) => (
                bytes,
                "{prefix:12} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg} ETA {eta}",
            ),
            Work::Write(rows) => {
                (rows, "{prefix:12} [{bar:30}] {human_pos}/{human_len} rows written {per_sec} ETA {eta}")
            }
            Work::Days(days) => (days as u64, "{prefix:12} [{bar:30}] {pos}/{len} days, {msg} ETA {eta}"),
        };
        let target = if console.draws_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(length), target).with_prefix(table.to_owned());
        bar.set_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { drawn: bar, work, bytes: AtomicU64::new(0), rows: AtomicU64::new(0) }
    }
}

impl Progress for Bar {
    fn day_done(&self) {
        self.drawn.inc(1);
    }
}

impl convert::Progress for Bar {
    fn object_done(&self, bytes: u64, rows: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let read = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let rows = format!("{} read", console::counted(rows, "row"));
        if matches!(self.work, Work::Days(_)) {
            let millis = u64::try_from(self.drawn.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = console::size(read.saturating_mul(1000) / millis);
            self.drawn.set_message(format!("{}, {rate}/s, {rows}", console::size(read)));
        } else {
            self.drawn.inc(bytes);
            self.drawn.set_message(rows);
        }
    }

    fn rows_written(&self, rows: u64) {
        if matches!(self.work, Work::Write(_)) {
            self.drawn.inc(rows);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}
