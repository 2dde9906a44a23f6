//! Groups of flags that are settings. Their help, defaults and variables come from the table of settings.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::cli::settings::given::Given;
use crate::cli::settings::rows;
use crate::cli::settings::setting::{Setting, Syntax};

/// A group: a type with the values of its settings, and their flags under a heading of the help.
macro_rules! groups {
    ($flag:expr; $($(#[$doc:meta])* $group:ident($heading:literal, $($row:ident),*);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(in crate::cli) struct $group(Given);

        impl $group {
            const SETTINGS: &'static [&'static Setting] = &[$(&rows::$row),*];
        }

        impl std::ops::Deref for $group {
            type Target = Given;

            fn deref(&self) -> &Given {
                &self.0
            }
        }

        impl Args for $group {
            fn augment_args(command: Command) -> Command {
                command.args(Self::SETTINGS.iter().filter_map(|setting| arg(setting, $flag, $heading)))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $group {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Ok(Self(given(Self::SETTINGS, matches)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                self.0.extend(&given(Self::SETTINGS, matches));
                Ok(())
            }
        }
    )*};
}

groups! {
    Setting::flag;
    /// Settings of every command.
    GlobalSettings("Global options", CONFIG, THREADS, MEMORY, LOG_FORMAT);
    /// Which raw logs, and how they are read.
    SourceArgs("Sources", INPUT, DATASET, TABLE, LATENESS, IGNORE_KEY_TIMES, NAMING, ROLE_ARN, REQUESTER_PAYS,
        EXPECTED_BUCKET_OWNER, FILTER, REDACT, DROP_COLUMNS, DIGESTS, PUBLIC_KEYS, DIGEST_ORIGIN);
    /// Which raw logs, for a command without tables.
    PlaceArgs("Sources", INPUT, ROLE_ARN, REQUESTER_PAYS, EXPECTED_BUCKET_OWNER);
    /// The lake and the catalog of a new config file.
    NewLakeArgs("Lake", OUTPUT, DATABASE);
    /// The lake to which days are published.
    LakeArgs("Lake", OUTPUT, SCRATCH);
    /// How a day is published.
    PublishSettings("Publishing", TARGET_FILE_SIZE, MAX_REJECT_RATIO, MAX_QUARANTINE, ALLOW_EMPTY, MAX_SHRINK,
        REQUIRE_PROOF, FAIL_ON_EMPTY, GRACE, WAIT, SSE, KMS_KEY, STORAGE_CLASS, TAG, ACL, METRICS_FILE, EMF);
    /// How raw objects are read.
    ReadArgs("Reading", MAX_OBJECT_SIZE);
    /// The catalog.
    CatalogArgs("Catalog", CATALOG, DATABASE, CREATE_DATABASE, PROJECTION, COLUMN_STATISTICS);
    /// How a shard is converted.
    ShardSettings("Shard", SCRATCH, MAX_QUARANTINE);
    /// How long superseded runs are kept.
    GraceArgs("Publishing", GRACE);
}

groups! {
    Setting::flag_of_reader;
    /// A lake of published days.
    ExistingLakeArgs("Lake", OUTPUT, SCRATCH);
    /// The tables whose columns are shown.
    SchemaSettings("Tables", DATASET, TABLE, NAMING, DROP_COLUMNS, OUTPUT, PROJECTION);
}

/// The argument of a setting, if it has a flag. It also accepts the name that the flag has in other commands.
fn arg(
    setting: &'static Setting,
    flag: fn(&Setting) -> Option<String>,
    heading: &'static str,
) -> Option<Arg> {
    let plain = |flag: String| flag.trim_start_matches('-').to_owned();
    let long = plain(flag(setting)?);
    let others = [setting.flag(), setting.flag_of_reader()].into_iter().flatten().map(plain);
    let arg = Arg::new(setting.name)
        .aliases(others.filter(|other| *other != long).collect::<Vec<_>>())
        .long(long)
        .help(short_help(setting))
        .long_help(long_help(setting))
        .help_heading(heading)
        .global(GlobalSettings::SETTINGS.iter().any(|global| global.name == setting.name));
    Some(match setting.syntax {
        Syntax::Value(name) => arg.value_name(name),
        Syntax::OptionalValue(name, missing) => {
            arg.value_name(name).num_args(0..=1).default_missing_value(missing)
        }
        Syntax::List(name) => arg.value_name(name).action(ArgAction::Append),
        Syntax::Switch => {
            let arg = arg.value_name("BOOL").value_parser(["true", "false"]).num_args(0..=1);
            arg.require_equals(true).default_missing_value("true")
        }
        Syntax::NoFlag | Syntax::Tables => return None,
    })
}

/// What `-h` prints: one line, default and variable.
fn short_help(setting: &Setting) -> String {
    format!("{} [{}]", setting.help(), facts(setting).join("; "))
}

/// What `--help` prints.
fn long_help(setting: &Setting) -> String {
    let mut paragraphs = vec![setting.help()];
    paragraphs.extend(Some(setting.details()).filter(|details| !details.is_empty()));
    let facts: Vec<String> = facts(setting).iter().map(|fact| format!("[{fact}]")).collect();
    paragraphs.push(facts.join("\n"));
    paragraphs.join("\n\n")
}

fn facts(setting: &Setting) -> Vec<String> {
    let default = setting.default_text().map(|text| format!("default: {text}"));
    let variable = setting.variable().map(|name| format!("env: {name}"));
    default.into_iter().chain(variable).collect()
}

/// The values that were typed.
fn given(settings: &[&'static Setting], matches: &ArgMatches) -> Given {
    let mut given = Given::default();
    for setting in settings {
        if matches.value_source(setting.name) == Some(ValueSource::CommandLine) {
            let values = matches.get_many::<String>(setting.name).into_iter().flatten().cloned();
            given.insert(setting, values.collect());
        }
    }
    given
}
