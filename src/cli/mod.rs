//! The command line: the only part that prints, reads the environment, the clock and the config file.

mod announcer;
mod args;
mod conclusion;
mod config_file;
mod console;
mod emf;
pub mod exit;
mod metrics;
mod plan_file;
mod progress;
mod receipt;
mod settings;
mod shard;
mod summary;
mod tables;
mod whole_file;

mod backfill;
mod clean;
mod config;
mod convert;
mod diff;
mod doctor;
mod forecast;
mod inspect;
#[cfg(feature = "query")]
mod new_file;
mod plan;
mod publish;
#[cfg(feature = "query")]
mod query;
mod register;
#[cfg(feature = "query")]
mod report;
mod run;
mod schema;
mod status;
mod verify;
mod why;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::error::ErrorKind as ClapErrorKind;
use clap::{CommandFactory, Parser};

use self::announcer::Announcer;
use self::args::{Cli, Command, GlobalArgs};
use self::console::Console;
use self::exit::Exit;
use self::settings::{Flags, Settings};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::escape;
use crate::store::proxies::ProxyVariables;
use crate::store::{ConnectionOptions, Connector, Recovered};

/// The command to run, also for documentation and completions.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => run_command(&cli),
        Err(error) => {
            let kind = error.kind();
            print_usage(error);
            match kind {
                ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            }
        }
    };
    ExitCode::from(exit.code())
}

/// Prints help, or what is wrong with the arguments. The text quotes them: it is that of the same arguments, escaped.
fn print_usage(error: clap::Error) {
    let shown = |argument: OsString| escape::one_line(&argument.to_string_lossy()).into_owned();
    let escaped = Cli::try_parse_from(std::env::args_os().map(shown));
    let _ = escaped.err().unwrap_or(error).print();
}

/// Every day that is open holds files, and every spilled run is one: the limit is raised as far as it may be.
fn allow_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: what does not fit fails where it is opened, with its own error.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}

/// What every command is given.
struct Context {
    console: Console,
    cancel: Cancel,
    environment: BTreeMap<String, String>,
    connection: ConnectionOptions,
}

impl Context {
    /// What opens inputs and lakes.
    fn connector(&self, settings: &Settings) -> Connector {
        let console = self.console;
        Connector::new(self.cancel.clone(), settings.lake.scratch.clone(), self.connection.clone())
            .on_recovered(move |recovered| tell_of_recovered(console, recovered))
    }

    /// Who tells people of a run.
    fn announcer(&self, settings: &Settings) -> Announcer {
        Announcer { console: self.console, emf: settings.watch.emf }
    }

    fn settings(&self, global: &GlobalArgs, flags: &Flags<'_>) -> Result<Settings> {
        Settings::resolve(global, flags, self.environment.clone())
    }
}

/// Tells of a day that a killed run had set aside.
fn tell_of_recovered(console: Console, Recovered { partition, error }: &Recovered) {
    let about = [("table", partition.table.as_str().into()), ("day", partition.day.to_string().into())];
    match error {
        None => console.warn("a run was killed while it replaced the day: the old day is back", &about),
        Some(error) => {
            let why = [("cause", error.to_string().into()), ("hint", error.next_step().into())];
            console.warn(
                "a killed run has set the day aside, and it cannot be brought back",
                &[about, why].concat(),
            );
        }
    }
}

/// Runs a command; a panic, whose message has been printed by then, is a defect of ours.
fn run_command(cli: &Cli) -> Exit {
    std::panic::catch_unwind(|| settle_and_dispatch(cli)).unwrap_or(Exit::Bug)
}

fn settle_and_dispatch(cli: &Cli) -> Exit {
    // Also what is wrong with the settings is said in the wanted form.
    let GlobalArgs { quiet, verbose, .. } = cli.global;
    let mut console = Console { format: settings::LogFormat::Text, quiet, verbose };
    allow_open_files();
    let settled = environment().and_then(|environment| {
        console.format = settings::wanted_log_format(&cli.global, &environment);
        summary::clear(summary_json(&cli.command))?;
        let settings = Settings::resolve(&cli.global, &Flags::default(), environment.clone())?;
        console.format = settings.log_format;
        Ok(Context { console, cancel: listen_for_signals()?, environment, connection: connection_options() })
    });
    settled.and_then(|context| dispatch(cli, &context)).unwrap_or_else(|error| {
        console.error(&error);
        error.kind().into()
    })
}

/// Where a command is to put its summary.
fn summary_json(command: &Command) -> Option<&str> {
    let write = match command {
        Command::Run(args) => &args.road.write,
        Command::Backfill(args) if !args.dry_run => &args.road.write,
        Command::Publish(args) => &args.write,
        _ => return None,
    };
    write.summary_json.as_deref()
}

/// The variables that are ours.
fn environment() -> Result<BTreeMap<String, String>> {
    let mut ours = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("LOGMILL_")) else { continue };
        let value = value.into_string().map_err(|_| {
            Error::new(ErrorKind::Usage, "a setting in the environment is not UTF-8").with("variable", name)
        })?;
        ours.insert(name.to_owned(), value);
    }
    Ok(ours)
}

/// What the usual variables say that the SDK does not read itself.
fn connection_options() -> ConnectionOptions {
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ConnectionOptions {
        ca_bundle: std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(Into::into),
        max_attempts: std::env::var("AWS_MAX_ATTEMPTS").ok().and_then(|attempts| attempts.parse().ok()),
        path_style: has("AWS_ENDPOINT_URL") || has("AWS_ENDPOINT_URL_S3"),
        proxies: ProxyVariables::read(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        }),
    }
}

fn dispatch(cli: &Cli, context: &Context) -> Result<Exit> {
    let global = &cli.global;
    match &cli.command {
        Command::Run(args) => run::run(args, global, context),
        Command::Backfill(args) => backfill::run(args, global, context),
        Command::Status(args) => status::run(args, global, context),
        Command::Diff(args) => diff::run(args, global, context),
        Command::Why(args) => why::run(args, global, context),
        #[cfg(feature = "query")]
        Command::Query(args) => query::run(args, global, context),
        #[cfg(feature = "query")]
        Command::Report(args) => report::run(args, global, context),
        Command::Plan(args) => plan::run(args, global, context),
        Command::Convert(args) => convert::run(args, global, context),
        Command::Publish(args) => publish::run(args, global, context),
        Command::Register(args) => register::run(args, global, context),
        Command::Inspect(args) => inspect::run(args, global, context),
        Command::Schema(args) => schema::run(args, global, context),
        Command::Verify(args) => verify::run(args, global, context),
        Command::Clean(args) => clean::run(args, global, context),
        Command::Doctor(args) => doctor::run(args, global, context),
        Command::Config(args) => config::run(args, global, context),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command(), "logmill", &mut script);
            console::print_as_is(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
    }
}

/// The first Ctrl-C or SIGTERM asks the work to stop and clean up; a second one ends the process at once.
fn listen_for_signals() -> Result<Cancel> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let code = i32::from(Exit::Interrupted.code());
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|cause| Error::bug("cannot listen for signals").caused_by(cause))?;
    }
    Ok(Cancel::from_flag(flag))
}

/// Runs `work` on a pool of workers.
fn on_workers<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|cause| Error::unusable("cannot start the workers", cause).with("threads", threads))?;
    Ok(pool.install(work))
}
