//! Arguments of `logmill query`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::days::DaysArgs;
use super::groups::ExistingLakeArgs;

/// `query`.
#[derive(Debug, Args)]
pub(in crate::cli) struct QueryArgs {
    /// One statement: SELECT, WITH, EXPLAIN, DESCRIBE or SHOW
    ///
    /// [default: standard input; on a terminal, a shell]
    #[arg(value_name = "SQL", conflicts_with = "file")]
    pub(in crate::cli) sql: Option<String>,
    /// File with the statement, or - for standard input
    #[arg(long, short, value_name = "FILE|-")]
    pub(in crate::cli) file: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Output format; json prints one object per row, and parquet needs --to-file
    ///
    /// [default: table on a terminal, the extension of --to-file, otherwise csv]
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<QueryFormat>,
    /// Put ' before CSV texts that a spreadsheet could take for formulas
    ///
    /// These begin with =, +, -, @, a tab or a line end. Numbers are not changed.
    #[arg(long)]
    pub(in crate::cli) csv_safe: bool,
    /// File for the rows; it appears once complete and replaces an existing file
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) to_file: Option<PathBuf>,
    /// Maximum number of rows to show as a table; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(in crate::cli) max_rows: usize,
    #[command(flatten)]
    pub(in crate::cli) lake: ExistingLakeArgs,
}

/// Format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum QueryFormat {
    Table,
    Csv,
    Json,
    Parquet,
}
