//! What can be typed about one event.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::{DayArg, LakeArgs, ReadArgs, SourceArgs};
use crate::table::Identifier;

/// `why`.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    #[command(flatten)]
    pub(in crate::cli) day: DayArg,
    #[command(flatten)]
    pub(in crate::cli) id: IdArgs,
    /// Search the raw logs also when the published day has the event: shows what repeats it
    #[arg(long)]
    pub(in crate::cli) deep: bool,
    /// Form of the output; json is one document
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
    /// Id of the event, of CloudTrail
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    event_id: Option<String>,
    /// Id of the request, of CloudTrail or access logs
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    request_id: Option<String>,
}

impl IdArgs {
    /// The one that was given.
    pub(in crate::cli) fn given(&self) -> (Identifier, &str) {
        match (&self.event_id, &self.request_id) {
            (Some(id), _) => (Identifier::EventId, id),
            (None, id) => (Identifier::RequestId, id.as_deref().unwrap_or_default()),
        }
    }
}

/// Text or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TextFormat {
    Text,
    Json,
}
