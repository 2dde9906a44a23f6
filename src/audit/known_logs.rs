//! The first and the last day of a table that have logs, as far as they are known.

use std::cell::RefCell;

use super::freshness::{DayState, DayStatus};
use crate::error::Result;
use crate::kst::KstDay;
use crate::publish::manifest::Manifest;
use crate::store::Lake;
use crate::store::lake::{days_of, first_day_with};

/// The beginning and the end of a table: the first and the last day with a known raw object or a published day.
///
/// Days are noted as they are inspected. The lake is queried for its published days only if needed.
pub struct KnownLogs<'a> {
    lake: &'a dyn Lake,
    table: String,
    /// The first day that was noted.
    first: Option<KstDay>,
    /// The last day that was noted.
    last: Option<KstDay>,
    /// The first published day in the lake.
    first_published: Answer,
    /// The last published day in the lake.
    last_published: Answer,
}

/// A published day of the lake, which is read at most once, and only if needed.
#[derive(Clone, Copy)]
enum Answer {
    NotAsked,
    Day(Option<KstDay>),
}

impl<'a> KnownLogs<'a> {
    /// Starts without any known day.
    #[must_use]
    pub fn new(lake: &'a dyn Lake, table: &str) -> Self {
        let table = table.to_owned();
        Self {
            lake,
            table,
            first: None,
            last: None,
            first_published: Answer::NotAsked,
            last_published: Answer::NotAsked,
        }
    }

    /// Takes a day into account.
    pub fn note(&mut self, status: &DayStatus) {
        let day = status.partition.day;
        let has_logs = status.objects > 0 || status.manifest.as_ref().is_some_and(has_logs);
        let noted = has_logs.then_some(day);
        // Names of earlier logs show that the table has begun, but not when it ended.
        let first = noted.or_else(|| status.logs_before.then(|| day.previous()));
        self.first = self.first.into_iter().chain(first).min();
        self.last = self.last.max(noted);
    }

    /// Changes a missing day without raw objects to `NoLogs` if it is before all known logs.
    pub fn settle(&mut self, status: &mut DayStatus) -> Result<()> {
        if status.has_no_logs() && !self.has_logs_before(status.partition.day)? {
            status.state = DayState::NoLogs;
        }
        Ok(())
    }

    /// Whether a raw object of an earlier day, or an earlier published day, is known.
    pub fn has_logs_before(&mut self, day: KstDay) -> Result<bool> {
        if self.first.is_some_and(|first| first < day) {
            return Ok(true);
        }
        let published = match self.first_published {
            Answer::Day(published) => published,
            Answer::NotAsked => first_published(self.lake, &self.table)?,
        };
        self.first_published = Answer::Day(published);
        Ok(published.is_some_and(|published| published < day))
    }

    /// Whether a raw object of a later day, or a later published day, is known.
    pub fn has_logs_after(&mut self, day: KstDay) -> Result<bool> {
        if self.last.is_some_and(|last| last > day) {
            return Ok(true);
        }
        let published = match self.last_published {
            Answer::Day(published) => published,
            Answer::NotAsked => last_published(self.lake, &self.table)?,
        };
        self.last_published = Answer::Day(published);
        Ok(published.is_some_and(|published| published > day))
    }

    /// The last day that was noted.
    #[must_use]
    pub fn last(&self) -> Option<KstDay> {
        self.last
    }
}

/// Whether a published day has read a log. A day that was published empty by mistake does not begin the table.
fn has_logs(manifest: &Manifest) -> bool {
    manifest.inputs_file.objects > 0
}

/// Returns the first published day of a table that has read a log.
pub fn first_published(lake: &dyn Lake, table: &str) -> Result<Option<KstDay>> {
    first_day_with(lake, table, days_of(lake, table)?.into_iter(), shows_logs)
}

/// Returns the manifest of the newest published day of a table whose manifest can be read.
pub fn newest_manifest(lake: &dyn Lake, table: &str) -> Result<Option<Manifest>> {
    let newest = RefCell::new(None);
    let is_readable = |manifest| {
        newest.replace(Manifest::from_json(manifest).ok());
        newest.borrow().is_some()
    };
    first_day_with(lake, table, days_of(lake, table)?.into_iter().rev(), is_readable)?;
    Ok(newest.into_inner())
}

/// Returns the last published day of a table that has read a log.
fn last_published(lake: &dyn Lake, table: &str) -> Result<Option<KstDay>> {
    first_day_with(lake, table, days_of(lake, table)?.into_iter().rev(), shows_logs)
}

/// Whether a manifest shows that its day has read a log. One that cannot be read may.
fn shows_logs(manifest: Vec<u8>) -> bool {
    Manifest::from_json(manifest).as_ref().map_or(true, has_logs)
}
