//! Arguments of `logmill why`.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::day::DayArg;
use super::formats::TextFormat;
use super::groups::{LakeArgs, ReadArgs, SourceArgs};
use crate::table::Identifier;

/// `why`.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    #[command(flatten)]
    pub(in crate::cli) day: DayArg,
    #[command(flatten)]
    pub(in crate::cli) id: IdArgs,
    /// Search the raw logs even if the published day has the event, to find its duplicates
    #[arg(long)]
    pub(in crate::cli) deep: bool,
    /// Output format; json prints one document
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    pub(in crate::cli) format: TextFormat,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

/// One id.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct IdArgs {
    /// Event ID, in CloudTrail
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    event_id: Option<String>,
    /// Request ID, in CloudTrail or access logs
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    request_id: Option<String>,
}

impl IdArgs {
    /// The id that was given, and its kind.
    pub(in crate::cli) fn given(&self) -> (Identifier, &str) {
        match (&self.event_id, &self.request_id) {
            (Some(id), _) => (Identifier::EventId, id),
            (None, id) => (Identifier::RequestId, id.as_deref().unwrap_or_default()),
        }
    }
}
