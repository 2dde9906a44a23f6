//! What can be typed about a query.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LakeArgs;
use super::days::DaysArgs;

/// `query`.
#[derive(Debug, Args)]
pub(in crate::cli) struct QueryArgs {
    /// One statement: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW
    #[arg(value_name = "SQL", required_unless_present = "file", conflicts_with = "file")]
    pub(in crate::cli) sql: Option<String>,
    /// File with the statement, or - for standard input
    #[arg(long, short, value_name = "FILE|-")]
    pub(in crate::cli) file: Option<String>,
    /// The only KST day that is there: 2023-11-01, 20231101, yesterday or today
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to", "last"])]
    pub(in crate::cli) day: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Form of the output; json is one object a row, parquet needs --to-file [default: table on a terminal, what the
    /// name of the file says, else csv]
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<QueryFormat>,
    /// Put ' before texts in CSV that a spreadsheet would take for formulas: those that begin with =, +, -, @, a tab or a
    /// line end; numbers stay as they are [default: off]
    #[arg(long)]
    pub(in crate::cli) csv_safe: bool,
    /// File for the rows, there only when all have come; what is there is replaced
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to_file: Option<PathBuf>,
    /// Rows of a table that are shown at most; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(in crate::cli) max_rows: usize,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
}

/// Form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum QueryFormat {
    Table,
    Csv,
    Json,
    Parquet,
}
