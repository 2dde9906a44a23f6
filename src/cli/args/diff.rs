//! What can be typed about two runs of a day.

use clap::Args;

use super::{DayArg, LakeArgs, TextFormat};

/// `diff`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    #[command(flatten)]
    pub(in crate::cli) day: DayArg,
    /// The first run: its id, live for the published one, or previous for the one before it
    #[arg(value_name = "RUN_A", default_value = "previous")]
    pub(in crate::cli) a: String,
    /// The second run
    #[arg(value_name = "RUN_B", default_value = "live")]
    pub(in crate::cli) b: String,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
    /// Table to look at [default: every table of the lake that has both runs]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) table: Option<String>,
    /// Raw objects and rows that are shown at most; all are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) limit: usize,
    /// Form of the output; json is one line a table
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub(in crate::cli) format: TextFormat,
}
