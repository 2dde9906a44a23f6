//! The protocol of shards: one plan, many processes that convert, and one that publishes.
//!
//! An attempt at a shard checks the plan before and after it becomes the result of the shard. A published plan is replaced
//! with its [`Receipt`] before the first shard is removed, so each command can be repeated.

mod plan_file;
mod receipt;

pub use plan_file::{PlanFile, PlanId, PlanState, Planned, staging};
pub use receipt::{Receipt, Repeated};

use super::{Observer, Work};
use crate::convert::{self, Attempt, ConvertOptions, DayTarget, Leg, Residency, Scattered, Staging};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Plan, TablePlan};
use crate::store::{Connector, Scratch};

/// The outcome of an attempt at a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The attempt is the result of its shard.
    Kept {
        /// Number of records and lines that were found.
        rows_read: u64,
    },
    /// The plan was published in the meantime. The attempt left nothing behind.
    TooLate,
}

/// Converts shards of a plan into a staging location.
pub struct ShardWork<'a> {
    /// The location of the plan.
    pub plan_file: &'a PlanFile<'a>,
    /// The plan.
    pub plan: &'a Plan,
    /// Identifies the plan.
    pub plan_id: &'a PlanId,
    /// Collects the shards.
    pub staging: &'a Staging,
    /// Opens the inputs.
    pub connector: &'a Connector,
    /// Options for converting objects.
    pub options: ConvertOptions,
    /// Shows the progress.
    pub observer: &'a dyn Observer,
}

impl ShardWork<'_> {
    /// Converts a shard of a table. `run` is a name that no other attempt has.
    ///
    /// If the plan is published in the meantime, the working folder may be gone as well, which can make the conversion fail.
    /// Such a failure counts as too late.
    pub fn convert(&self, table: &TablePlan, shard: u32, run: &str) -> Result<AttemptOutcome> {
        let attempt = Attempt { table: &table.spec.table, shard, run, plan: &self.plan_id.id };
        self.unless_published(|| self.try_convert(table, &attempt))
    }

    /// Makes an attempt. A failure after the plan was published counts as too late.
    pub(super) fn unless_published(
        &self,
        attempt: impl FnOnce() -> Result<AttemptOutcome>,
    ) -> Result<AttemptOutcome> {
        match attempt() {
            Err(_) if matches!(self.plan_file.state(self.plan_id), Ok(PlanState::Published)) => {
                Ok(AttemptOutcome::TooLate)
            }
            done => done,
        }
    }

    fn try_convert(&self, table: &TablePlan, attempt: &Attempt<'_>) -> Result<AttemptOutcome> {
        let scratch = self.staging.scratch(attempt)?;
        let own = table.objects.iter().filter(|object| object.shard == attempt.shard);
        let progress =
            self.observer.progress(&table.spec.table, Work::Read(own.map(|object| object.bytes).sum()));
        let target = DayTarget { day: self.plan.day, scratch: scratch.path() };
        let leg = Leg::of_plan(table, target, self.plan.identity_key, Some(attempt.shard));
        // Another process reads the rows, so none are kept in memory.
        let found =
            convert::scatter(&leg, &Residency::none(), &self.options, self.connector, progress.as_ref())?;
        self.keep_rows(found.into_iter().next().unwrap_or_default(), &scratch, attempt)
    }

    /// Makes the rows of an attempt the result of its shard, if they are still wanted.
    pub(super) fn keep_rows(
        &self,
        scattered: Scattered,
        scratch: &Scratch,
        attempt: &Attempt<'_>,
    ) -> Result<AttemptOutcome> {
        let rows_read = scattered.rows_read();
        let is_kept = self.keep(scattered, scratch, attempt)?;
        Ok(if is_kept { AttemptOutcome::Kept { rows_read } } else { AttemptOutcome::TooLate })
    }

    /// Makes an attempt the result of its shard, unless the plan is already published. Checks the plan again afterwards,
    /// because a publish in between may already have removed the shards.
    fn keep(&self, scattered: Scattered, scratch: &Scratch, attempt: &Attempt<'_>) -> Result<bool> {
        if !self.is_wanted(attempt)? {
            return Ok(false);
        }
        scattered.keep(self.staging, scratch, attempt)?;
        let is_wanted = self.is_wanted(attempt);
        if !matches!(is_wanted, Ok(true)) {
            self.staging.withdraw(attempt)?;
        }
        is_wanted
    }

    /// Returns whether the plan still needs its shards.
    fn is_wanted(&self, attempt: &Attempt<'_>) -> Result<bool> {
        match self.plan_file.state(self.plan_id)? {
            PlanState::Unchanged => Ok(true),
            PlanState::Published => Ok(false),
            PlanState::Replaced => {
                Err(Error::new(ErrorKind::Usage, "the plan was replaced while its shard was converted")
                    .with("table", attempt.table)
                    .with("shard", attempt.shard)
                    .hint("convert the shard of the new plan"))
            }
        }
    }
}
