//! Columns about the file of a row, as in Athena. They are not part of `SELECT *`, and a table has them only in statements that
//! name one.

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;

use super::zone::UTC;
use crate::kst::UtcInstant;

/// Their names.
pub(super) const FILE_COLUMNS: [&str; 4] = ["$path", "$file_size", MODIFIED, "$partition"];

/// When the file was written, by the clock of its file system or of S3. Only this column needs a listing.
pub(super) const MODIFIED: &str = "$file_modified_time";

/// What the columns tell about a file.
pub(super) struct FileFacts {
    pub(super) address: String,
    pub(super) bytes: u64,
    /// `None` if no column needs it.
    pub(super) written_at: Option<UtcInstant>,
    /// The folder of the day: `proc_ymd=20231101`.
    pub(super) folder: String,
}

/// Whether a statement names one of the columns.
pub(super) fn are_named_in(sql: &str) -> bool {
    FILE_COLUMNS.iter().any(|column| sql.contains(&format!("\"{column}\"")))
}

/// Returns the fields of the columns.
pub(super) fn fields() -> [Field; 4] {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into()));
    let [path, size, modified, partition] = FILE_COLUMNS;
    [
        Field::new(path, DataType::Utf8, false),
        Field::new(size, DataType::Int64, false),
        Field::new(modified, time, true),
        Field::new(partition, DataType::Utf8, false),
    ]
}

/// Returns the values of the columns for a file.
pub(super) fn values(file: FileFacts) -> [ScalarValue; 4] {
    let written_at = file.written_at.map(|instant| instant.0);
    [
        ScalarValue::from(file.address),
        ScalarValue::from(i64::try_from(file.bytes).unwrap_or(i64::MAX)),
        ScalarValue::TimestampMillisecond(written_at, Some(UTC.into())),
        ScalarValue::from(file.folder),
    ]
}
