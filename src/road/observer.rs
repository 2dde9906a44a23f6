//! Receives the messages and progress of a run.

use serde_json::Value;

use crate::convert;
use crate::error::Error;
use crate::kst::KstDay;
use crate::publish::run_record::RunRecord;

/// A named value of a message.
pub type Field = (&'static str, Value);

/// The subject of a message.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The run.
    pub run: &'a str,
    /// The day.
    pub day: KstDay,
    /// The table.
    pub table: &'a str,
    /// The log type, once the work on the table has begun.
    pub dataset: Option<String>,
}

/// Upcoming work, and its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Listing raw objects, of unknown number. The [`Connector`](crate::store::Connector) counts them.
    List,
    /// Reading raw objects, in bytes.
    Read(u64),
    /// Merging rows and finding duplicates.
    Merge,
    /// Writing rows to part files, in rows.
    Write(u64),
    /// Making the part files public.
    Publish,
    /// Registering the day in the catalog.
    Register,
    /// Processing the days of a range, in days.
    Days(usize),
}

/// Receives the messages and progress of a run, from one thread at a time. The progress of a range of days and that of a
/// step of one of its days are shown at the same time.
pub trait Observer: Sync {
    /// Reports a finished step of a table and day.
    fn step(&self, about: &About<'_>, step: &str, fields: &[Field]);

    /// Reports a warning that needs attention.
    fn warn(&self, about: &About<'_>, text: &str, fields: &[Field]);

    /// Reports an object that is left out. This can happen many times.
    fn left_out(&self, about: &About<'_>, object: &str, why: &str);

    /// Reports that this run waits for a day that another run holds.
    fn waiting(&self, held: &Error);

    /// Reports a failure.
    fn failed(&self, about: &About<'_>, error: &Error);

    /// Reports one failure of several tables.
    fn refused(&self, about: &[About<'_>], error: &Error) {
        for about in about {
            self.failed(about, error);
        }
    }

    /// Reports that the work on a table and day has ended.
    fn ended(&self, record: &RunRecord);

    /// Shows the progress of some work until the returned value is dropped. `subject` is a table, or a table and day.
    fn progress(&self, subject: &str, work: Work) -> Box<dyn Progress>;
}

/// Shows the progress of some work: objects and rows, as [`convert::Progress`], and the days of a range.
pub trait Progress: convert::Progress {
    /// Counts a day of a range that is done or needs no work.
    fn day_done(&self);
}

/// An observer that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&self, _: &About<'_>, _: &str, _: &[Field]) {}
    fn warn(&self, _: &About<'_>, _: &str, _: &[Field]) {}
    fn left_out(&self, _: &About<'_>, _: &str, _: &str) {}
    fn waiting(&self, _: &Error) {}
    fn failed(&self, _: &About<'_>, _: &Error) {}
    fn ended(&self, _: &RunRecord) {}
    fn progress(&self, _: &str, _: Work) -> Box<dyn Progress> {
        Box::new(Self)
    }
}

impl convert::Progress for Silent {
    fn object_done(&self, _: u64, _: u64) {}
    fn rows_written(&self, _: u64) {}
}

impl Progress for Silent {
    fn day_done(&self) {}
}
