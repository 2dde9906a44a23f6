//! Arguments of `logmill diff`.

use clap::Args;

use super::day::DayArg;
use super::formats::TextFormat;
use super::groups::ExistingLakeArgs;

/// `diff`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    #[command(flatten)]
    pub(in crate::cli) day: DayArg,
    /// First run: its ID, live for the published run or previous for the run before it
    #[arg(value_name = "RUN_A", default_value = "previous")]
    pub(in crate::cli) a: String,
    /// Second run
    #[arg(value_name = "RUN_B", default_value = "live")]
    pub(in crate::cli) b: String,
    #[command(flatten)]
    pub(in crate::cli) lake: ExistingLakeArgs,
    /// Table to compare [default: every table of the lake that has both runs]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) table: Option<String>,
    /// Most raw objects and rows to show; all are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit: usize,
    /// Output format; json prints one line per table
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub(in crate::cli) format: TextFormat,
}
