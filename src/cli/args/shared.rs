//! Flags that several commands take.

use clap::Args;

use super::groups::{CatalogArgs, LakeArgs, PublishSettings, ReadArgs, SourceArgs};
use crate::cli::settings::flags::Flags;

/// How a day is published.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Publishing")]
pub(in crate::cli) struct WriteArgs {
    #[command(flatten)]
    pub(in crate::cli) settings: PublishSettings,
    /// Take over a day that another run holds: that run loses its work and exits with 75
    #[arg(long)]
    pub(in crate::cli) steal: bool,
    /// Write the summary as JSON to a file, or to standard output with -
    #[arg(long, value_name = "FILE|-")]
    pub(in crate::cli) summary_json: Option<String>,
}

/// Arguments of the commands that plan, convert, publish and register.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct RoadArgs {
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
    #[command(flatten)]
    pub(in crate::cli) write: WriteArgs,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
    #[command(flatten)]
    pub(in crate::cli) catalog: CatalogArgs,
}

impl RoadArgs {
    /// The flags that are settings.
    pub(in crate::cli) fn flags(&self) -> Flags {
        let Self { source, lake, write, read, catalog } = self;
        Flags::of([&**source, lake, &write.settings, read, catalog])
            .with_sources()
            .publishing()
            .stealing(write.steal)
    }
}
