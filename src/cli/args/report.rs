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
    /// [default: report-DAYS.html in this folder]
    #[arg(long, value_name = "FILE|-")]
    pub(in crate::cli) to_file: Option<String>,
    /// Open the page in a browser
    #[arg(long)]
    pub(in crate::cli) open: bool,
    /// Show only this account (repeatable)
    ///
    /// Applies to CloudTrail and AWS WAF. Logs without accounts are left out.
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    pub(in crate::cli) account: Vec<String>,
    /// Show only this bucket (repeatable)
    ///
    /// Applies to CloudTrail and S3 access logs. Logs without buckets are left out.
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub(in crate::cli) bucket: Vec<String>,
    /// Show only this caller, by its ARN or id (repeatable)
    ///
    /// In CloudTrail, a role stands for its sessions. S3 access logs name the session. Logs without callers are left out.
    #[arg(long, value_name = "ARN", help_heading = "Filters")]
    pub(in crate::cli) principal: Vec<String>,
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
