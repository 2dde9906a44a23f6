//! The messages and run records of a run.

use super::Road;
use super::tables::Refusal;
use crate::error::Error;
use crate::kst::KstDay;
use crate::plan::TableSource;

/// Reports the work on the tables of a day, or on a walk over many days. `steps` and `warnings` have the messages.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    pub(super) road: &'a Road<'a>,
    /// The day that messages and run records name. For a walk, this is its last day.
    pub(super) day: KstDay,
}

impl<'a> Reporter<'a> {
    /// Creates the reporter of a walk over days.
    #[must_use]
    pub fn of_walk(road: &'a Road<'a>, days: &[KstDay]) -> Self {
        let last = days.iter().max().copied();
        Self { road, day: last.unwrap_or_else(|| KstDay::of(road.started_at)) }
    }

    /// Reports that the work on a table failed as a whole, not because of one day.
    pub fn record_walk(&self, source: &TableSource, error: &Error) {
        let spec = &source.spec;
        if self.run_record(&spec.table).is_some() {
            return self.road.observer.failed(&self.about(&spec.table), error);
        }
        self.open_record(&spec.partition(self.day), spec.dataset.name());
        self.end(&spec.table, Some(error));
    }

    /// Reports tables that fail for one reason before the work on them begins.
    pub fn record_refusal(&self, refusal: &Refusal) {
        let tables = || refusal.sources.iter().map(|source| source.spec.table.as_str());
        for source in &refusal.sources {
            self.open_record(&source.spec.partition(self.day), source.spec.dataset.name());
        }
        let about: Vec<_> = tables().map(|table| self.about(table)).collect();
        self.road.observer.refused(&about, &refusal.error);
        tables().for_each(|table| self.end_record(table, Some(&refusal.error)));
    }
}
