//! The environment of a command.

use std::collections::BTreeMap;

use super::announcer::Announcer;
use super::args::GlobalArgs;
use super::console::Console;
use super::settings::{Flags, Settings};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::store::{ConnectionOptions, Connector, Recovered};

/// The environment of a command: messages, signals, variables and connections.
pub(super) struct Context {
    pub(super) console: Console,
    pub(super) cancel: Cancel,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) connection: ConnectionOptions,
}

impl Context {
    /// Opens inputs and lakes.
    pub(super) fn connector(&self, settings: &Settings) -> Connector {
        let console = self.console;
        Connector::new(self.cancel.clone(), settings.lake.scratch.clone(), self.connection.clone())
            .counting(self.console.display.listed.clone())
            .on_recovered(move |recovered| warn_of_recovered(console, recovered))
    }

    /// Reports the progress of a run.
    pub(super) fn announcer(&self, settings: &Settings) -> Announcer {
        Announcer { console: self.console, emf: settings.watch.emf }
    }

    /// Resolves the settings of a command.
    pub(super) fn settings(&self, global: &GlobalArgs, flags: &Flags) -> Result<Settings> {
        Settings::resolve(&global.settings, flags, self.environment.clone())
    }
}

/// Warns about a day that a killed run set aside.
fn warn_of_recovered(console: Console, Recovered { partition, error }: &Recovered) {
    let about = [("table", partition.table.as_str().into()), ("day", partition.day.to_string().into())];
    match error {
        None => console.warn("a run was killed while it replaced the day: the old day is back", &about),
        Some(error) => {
            let why = [("cause", error.to_string().into()), ("hint", error.next_step().into())];
            console.warn(
                "a killed run has set the day aside, and it cannot be restored",
                &[about, why].concat(),
            );
        }
    }
}

/// Runs `work` on a pool of workers.
pub(super) fn on_workers<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|cause| Error::unusable("cannot start the workers", cause).with("threads", threads))?;
    Ok(pool.install(work))
}
