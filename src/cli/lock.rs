//! Who takes the lock of a day, as others are told, and waiting for one that somebody else has.

use std::thread;
use std::time::Duration;

use super::console::{self, Console};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::LockTaker;
use crate::store::lake::is_held;

/// How long to wait between two looks at a lock.
const LOOK_MS: u64 = 3000;
/// How often a pause looks whether it should end.
const CANCEL_LOOK_MS: u64 = 50;

/// Names this process for those who find the day held.
pub(super) fn taker(work: &str, run: &str, steals: bool) -> LockTaker {
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy();
    let process = std::process::id();
    let holder = format!("{work} {run} on {machine}, process {process}, since {}", console::now());
    LockTaker { run: run.to_owned(), holder, steals }
}

/// Takes a day, again and again while another run holds the day, until the time to wait is over.
pub(super) fn wait_for<T>(
    take: impl Fn() -> Result<T>,
    wait_ms: i64,
    console: Console,
    cancel: &Cancel,
) -> Result<T> {
    let until = UtcInstant(console::now().0 + wait_ms);
    let mut is_told = false;
    loop {
        let error = match take() {
            Err(error) if is_held(&error) && console::now() < until => error,
            taken => return taken,
        };
        if !is_told {
            let facts =
                ["table", "day", "holder"].map(|name| (name, error.fact(name).unwrap_or_default().into()));
            console.warn("waiting for another run to end", &facts);
            is_told = true;
        }
        pause(cancel)?;
    }
}

fn pause(cancel: &Cancel) -> Result<()> {
    for _ in 0..LOOK_MS / CANCEL_LOOK_MS {
        cancel.check()?;
        thread::sleep(Duration::from_millis(CANCEL_LOOK_MS));
    }
    cancel.check()
}
