//! Inspects published days by reading them.
//!
//! Nothing here writes. [`verify()`] reads a whole day back. [`freshness`] compares days with the current raw logs, and
//! [`StatusReader`] does so for many days. [`KnownLogs`] finds where the logs of a table begin and end. [`find_rows`] and [`Trace`] follow one event, and [`why`] searches every place for
//! it. [`DayDiff`] compares two runs of a day. [`column_statistics`](fn@column_statistics) summarises the
//! columns of a day.

mod column_statistics;
mod day_diff;
mod find;
pub mod freshness;
mod known_logs;
mod part_columns;
mod part_reader;
mod range_status;
mod row_diff;
mod run_diff;
mod trace;
mod verify;
pub mod why;

pub use column_statistics::{ColumnStatistics, ValueStatistics, column_statistics};
pub use day_diff::DayDiff;
pub use find::{PublishedRow, find_quarantined, find_rows};
pub use known_logs::{KnownLogs, first_published, newest_manifest};
pub use part_columns::part_columns;
pub use range_status::{RangeStatus, StatusReader};
pub use row_diff::{RowChange, RowCounts, RowDiff, RowDiffOptions, RowExample, has_files, row_diff};
pub use run_diff::{
    ObjectChange, ObjectDiff, PublishedRuns, RunVersion, SettingDiff, object_diffs, setting_diffs,
};
pub use trace::{Fate, PublishedDay, Trace, add_raw};
pub use verify::{Finding, verify};
