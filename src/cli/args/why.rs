//! Arguments of `logmill why`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgGroup, ArgMatches, Args, Command, FromArgMatches};

use super::day::DayArg;
use super::formats::TextFormat;
use super::groups::{ExistingLakeArgs, ReadArgs, SourceArgs};
use crate::dataset::{self, Dataset};
use crate::table::{Identifier, Naming};

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
    pub(in crate::cli) lake: ExistingLakeArgs,
    #[command(flatten)]
    pub(in crate::cli) read: ReadArgs,
}

/// One id, of any kind that a log type declares.
#[derive(Debug)]
pub(in crate::cli) struct IdArgs {
    what: Identifier,
    id: String,
}

impl IdArgs {
    /// The kind of id, and the id.
    pub(in crate::cli) fn given(&self) -> (Identifier, &str) {
        (self.what, &self.id)
    }
}

impl Args for IdArgs {
    fn augment_args(command: Command) -> Command {
        let flags = dataset::identifiers().into_iter().map(|what| {
            Arg::new(what.flag())
                .long(what.flag())
                .value_name("ID")
                .value_parser(NonEmptyStringValueParser::new())
                .help(format!("Find rows by {} (log types: {})", what.words(), log_types_with(what)))
        });
        let flags: Vec<Arg> = flags.collect();
        let one = ArgGroup::new("id").args(flags.iter().map(Arg::get_id)).required(true).multiple(false);
        command.args(flags).group(one)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for IdArgs {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given = |what: Identifier| {
            let id = matches.get_one::<String>(what.flag())?.clone();
            Some(Self { what, id })
        };
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingRequiredArgument);
        dataset::identifiers().into_iter().find_map(given).ok_or_else(missing)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The log types that declare a kind of id.
fn log_types_with(what: Identifier) -> String {
    let declares = |dataset: &&dyn Dataset| dataset.schema(Naming::Snake, &[]).identifier(what).is_some();
    dataset::all().filter(declares).map(Dataset::name).collect::<Vec<_>>().join(", ")
}
