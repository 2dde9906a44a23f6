//! Arguments of `logmill report`.

use clap::{Args, ValueEnum};

use super::days::DaysArgs;
use super::groups::ExistingLakeArgs;

/// `report`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Language in which the page opens; the reader can switch it
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub(in crate::cli) lang: Lang,
    /// File for the page, or - for standard output; an existing file is replaced
    ///
    /// [default: logmill-report-DAYS.html in this folder]
    #[arg(long, value_name = "FILE|-")]
    pub(in crate::cli) to_file: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) lake: ExistingLakeArgs,
}

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Lang {
    /// English.
    En,
    /// Korean.
    Ko,
}
