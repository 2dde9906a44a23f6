//! Arguments of `logmill certify`.

use clap::{Args, ValueEnum};

use super::days::DaysArgs;
use super::groups::ExistingLakeArgs;

/// `certify`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CertifyArgs {
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Compare a certificate with the lake instead of issuing one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["day", "from", "to", "last", "format", "lang", "table"])]
    pub(in crate::cli) verify: Option<String>,
    /// Table to certify [default: every table of the lake that has one of the days]
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) table: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = CertificateFormat::Text)]
    pub(in crate::cli) format: CertificateFormat,
    /// Language of text and html
    #[arg(long, value_enum, default_value_t = CertificateLang::En)]
    pub(in crate::cli) lang: CertificateLang,
    #[command(flatten)]
    pub(in crate::cli) lake: ExistingLakeArgs,
}

/// The format of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CertificateFormat {
    /// Plain text.
    Text,
    /// JSON, on one line.
    Json,
    /// One page that prints on A4 and carries the JSON.
    Html,
}

/// The language of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CertificateLang {
    /// English.
    En,
    /// Korean.
    Ko,
}
