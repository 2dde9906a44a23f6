//! Describes the holder of a day's lock, and waits for a lock that another run holds.

use std::thread;
use std::time::Duration;

use super::Road;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::LockTaker;
use crate::store::lake::is_held;

/// The pause between two attempts at a lock.
const RETRY_MS: u64 = 3000;
/// How often a pause checks for cancellation.
const CANCEL_INTERVAL_MS: u64 = 50;

/// Describes this process to other runs that want the same day.
#[must_use]
pub fn lock_taker(work: &str, run: &str, steals: bool, now: UtcInstant) -> LockTaker {
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy();
    let process = std::process::id();
    let holder = format!("{work} {run} on {machine}, process {process}, since {now}");
    LockTaker { run: run.to_owned(), holder, steals }
}

impl Road<'_> {
    /// Takes a day. While another run holds it, tries again until `wait_ms` have passed.
    pub(super) fn wait_for<T>(&self, take: impl Fn() -> Result<T>, wait_ms: i64) -> Result<T> {
        let until = UtcInstant(self.now().0 + wait_ms);
        let mut is_reported = false;
        loop {
            let error = match take() {
                Err(error) if is_held(&error) && self.now() < until => error,
                taken => {
                    if is_reported {
                        // A run that waited must see what arrived during the wait.
                        self.connector.list_again();
                    }
                    return taken;
                }
            };
            if !is_reported {
                self.observer.waiting(&error);
                is_reported = true;
            }
            pause(self.cancel())?;
        }
    }
}

fn pause(cancel: &Cancel) -> Result<()> {
    for _ in 0..RETRY_MS / CANCEL_INTERVAL_MS {
        cancel.check()?;
        thread::sleep(Duration::from_millis(CANCEL_INTERVAL_MS));
    }
    cancel.check()
}
