//! Who is told how a run goes on.

use serde_json::Value;

use crate::convert;
use crate::error::Error;
use crate::kst::KstDay;
use crate::publish::run_record::RunRecord;

/// A named value of a message.
pub type Field = (&'static str, Value);

/// What a message is about.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// The run.
    pub run: &'a str,
    /// The day.
    pub day: KstDay,
    /// The table.
    pub table: &'a str,
    /// Its log type, once the work on the table has begun.
    pub dataset: Option<String>,
}

/// What is about to be done, and how much of it there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Bytes of raw objects are read.
    Read(u64),
    /// Rows are written to part files.
    Write(u64),
    /// Days of a range are worked through.
    Days(usize),
}

/// Is told how a run goes on, from one thread at a time.
pub trait Observer: Sync {
    /// A step of a table and day is done.
    fn step(&self, about: &About<'_>, step: &str, facts: &[Field]);

    /// Somebody should look at something.
    fn warn(&self, about: &About<'_>, text: &str, facts: &[Field]);

    /// An object is left out. There can be many of them.
    fn left_out(&self, about: &About<'_>, object: &str, why: &str);

    /// Another run holds a day, and this one waits for it.
    fn waiting(&self, held: &Error);

    /// Something has failed.
    fn failed(&self, about: &About<'_>, error: &Error);

    /// The work on a table and day has ended.
    fn ended(&self, report: &RunRecord);

    /// Begins to show how far some work on a table is, until the value is dropped.
    fn progress(&self, table: &str, work: Work) -> Box<dyn Progress>;
}

/// Shows how far some work is.
pub trait Progress: convert::Observer {
    /// A day of a range is done, or needs no work.
    fn day_done(&self);
}

/// Tells nobody.
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

impl convert::Observer for Silent {
    fn object_done(&self, _: u64, _: u64) {}
    fn rows_written(&self, _: u64) {}
}

impl Progress for Silent {
    fn day_done(&self) {}
}
