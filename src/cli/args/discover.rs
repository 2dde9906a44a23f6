//! Arguments of the commands that look at inputs before the first run.

use clap::Args;

use super::formats::TextFormat;
use super::groups::{NewLakeArgs, PlaceArgs};

/// `discover`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiscoverArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub(in crate::cli) format: TextFormat,
}

/// `init`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    #[command(flatten)]
    pub(in crate::cli) place: PlaceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: NewLakeArgs,
}
