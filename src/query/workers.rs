//! The threads that run statements, and the wait for their work.

use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::future::{Either, select};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::spills::SpillFolder;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};

/// How often a wait checks for cancellation.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// How long abandoned work may take to end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The threads that run statements. They live as long as an engine or its rows need them.
#[derive(Debug)]
pub(super) struct Workers {
    runtime: Option<Runtime>,
    /// Woken at every interval by a thread of its own: the timers of the runtime rest while all its threads calculate.
    tick: Arc<Notify>,
    /// Removed after the threads have stopped.
    _spills: SpillFolder,
}

impl Workers {
    pub(super) fn new(runtime: Runtime, spills: SpillFolder) -> Result<Self> {
        let tick = Arc::new(Notify::new());
        let weak = Arc::downgrade(&tick);
        let ticking = move || {
            while let Some(tick) = weak.upgrade() {
                tick.notify_waiters();
                drop(tick);
                thread::sleep(CANCEL_INTERVAL);
            }
        };
        thread::Builder::new()
            .name("query tick".to_owned())
            .spawn(ticking)
            .map_err(|cause| Error::unusable("cannot start a thread", cause))?;
        Ok(Self { runtime: Some(runtime), tick, _spills: spills })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Give writers time to remove their spilled rows, but do not let a hanging request block the exit.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LAST_WAIT);
        }
    }
}

/// Waits for work of the runtime, and gives up on cancellation.
#[derive(Debug, Clone)]
pub(super) struct Waiter {
    pub(super) workers: Arc<Workers>,
    pub(super) cancel: Cancel,
}

impl Waiter {
    pub(super) fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let runtime = self.workers.runtime.as_ref().expect("the runtime exists until it is dropped");
        runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                let tick = pin!(self.workers.tick.notified());
                match select(work.as_mut(), tick).await {
                    Either::Left((outcome, _)) => return outcome,
                    Either::Right(_) => self.check()?,
                }
            }
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let interrupted = |_| {
            Error::new(ErrorKind::Interrupted, "interrupted").hint("run the query again: it changes nothing")
        };
        self.cancel.check().map_err(interrupted)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_wait_ends_although_all_threads_calculate() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (flag, is_over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let folder = tempfile::tempdir().unwrap();
        let spills = SpillFolder::below(folder.path()).unwrap();
        let busy = {
            let (flag, is_over) = (Arc::clone(&flag), Arc::clone(&is_over));
            runtime.spawn(async move {
                flag.store(true, Ordering::Relaxed);
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        };
        let waiter = Waiter {
            workers: Arc::new(Workers::new(runtime, spills).unwrap()),
            cancel: Cancel::from_flag(flag),
        };
        let error = waiter.wait(async { busy.await.map_err(|_| unreachable!()) }).unwrap_err();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
}
