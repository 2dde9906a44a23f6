//! An estimate of the time that reading raw logs takes.

use std::time::Duration;

use super::console;
use crate::publish::run_record::{RunOutcome, RunRecord};

/// Assumed read rate of one thread if there are no earlier runs: gzipped CloudTrail on a small machine.
const ASSUMED_BYTES_PER_SECOND: f64 = 5e6;

/// The speed of earlier runs.
#[derive(Default)]
pub(super) struct Pace {
    bytes: f64,
    seconds: f64,
    runs: u64,
}

impl Pace {
    /// Adds the run of a published day, if it has a run record.
    pub(super) fn learn(&mut self, record: Option<&RunRecord>) {
        let record = record.filter(|record| record.outcome == RunOutcome::Published);
        if let Some(RunRecord { input_bytes, seconds, .. }) = record {
            self.bytes += *input_bytes as f64;
            self.seconds += [seconds.read, seconds.write, seconds.publish].into_iter().flatten().sum::<f64>();
            self.runs += 1;
        }
    }

    /// Returns the expected time of reading `bytes`, and where the estimate comes from.
    pub(super) fn forecast(&self, bytes: u64, threads: usize) -> String {
        let is_known = self.bytes > 0.0 && self.seconds > 0.0;
        let (rate, source) = if is_known {
            (
                self.bytes / self.seconds,
                format!("at the pace of {}", console::counted(self.runs, "earlier run")),
            )
        } else {
            (ASSUMED_BYTES_PER_SECOND * threads as f64, "assuming 5 MB/s per thread".to_owned())
        };
        let time = Duration::from_secs(Duration::from_secs_f64(bytes as f64 / rate).as_secs() + 1);
        format!("{}, {source}", humantime::format_duration(time))
    }
}
