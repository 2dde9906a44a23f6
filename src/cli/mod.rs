//! The command line: the only part that prints and reads the environment, the clock and the config file.

mod announcer;
mod args;
mod command_line;
mod conclusion;
mod config_file;
mod console;
mod context;
mod correction;
mod display;
mod emf;
mod existing_lake;
pub mod exit;
mod grid;
mod metrics;
mod next_steps;
mod pace;
mod progress;
mod proof;
mod proposal;
mod published_days;
mod range_summary;
mod request_cost;
mod screen;
pub mod settings;
mod shard;
mod summary;
mod synonyms;
mod tables;
mod whole_file;

mod backfill;
mod certify;
mod clean;
mod config;
mod convert;
mod diff;
mod discover;
mod doctor;
mod forecast;
mod init;
mod inspect;
mod man;
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
mod version;
mod why;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::error::ErrorKind as ClapErrorKind;
use clap::{CommandFactory, Parser};

use self::args::{Cli, Command, GlobalArgs};
use self::console::Console;
use self::context::Context;
use self::exit::Exit;
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::escape;
use crate::store::ConnectionOptions;
use crate::store::proxies::ProxyVariables;

/// The command line, for documentation and completions.
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
            if kind == ClapErrorKind::DisplayVersion && version::wants_details(std::env::args_os()) {
                let _ = console::print_as_is(&version::details());
            }
            match kind {
                ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            }
        }
    };
    ExitCode::from(exit.code())
}

/// Prints help, or an error about the arguments. Since it quotes them, it is made from the same arguments, escaped.
fn print_usage(error: clap::Error) {
    let shown = |argument: OsString| escape::one_line(&argument.to_string_lossy()).into_owned();
    let arguments: Vec<String> = std::env::args_os().map(shown).collect();
    let escaped = Cli::try_parse_from(&arguments).err().unwrap_or(error);
    let _ = correction::corrected(escaped, &arguments).print();
}

/// Raises the limit of open files as far as allowed: each open day has files, and each spilled run is one.
fn allow_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: a file beyond the limit fails when it is opened, with its own error.
    let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
}

/// Runs a command. A panic of any thread is a defect of logmill: it ends the process, and the next run removes what this
/// one left, as after a kill. Releases do not unwind the stack, so that their binary is smaller.
fn run_command(cli: &Cli) -> Exit {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(Exit::Bug.code().into());
    }));
    settle_and_dispatch(cli)
}

fn settle_and_dispatch(cli: &Cli) -> Exit {
    let GlobalArgs { quiet, verbose, settings: ref global } = cli.global;
    let mut console = Console::of_process(quiet, verbose);
    allow_open_files();
    let settled = environment().and_then(|environment| {
        // Errors about the settings below already have the wanted format.
        console.format = settings::wanted_log_format(global, &environment);
        summary::clear(summary_json(&cli.command))?;
        settings::environment::refuse_unknown(&environment)?;
        if !matches!(cli.command, Command::Init(_)) {
            console.format = settings::message_format(global, environment.clone())?;
        }
        Ok(Context {
            console,
            cancel: listen_for_signals(&cli.command)?,
            environment,
            connection: connection_options(),
        })
    });
    settled.and_then(|context| dispatch(cli, &context)).unwrap_or_else(|error| {
        console.error(&error);
        error.kind().into()
    })
}

/// Where a command writes its summary.
fn summary_json(command: &Command) -> Option<&str> {
    let write = match command {
        Command::Run(args) => &args.road.write,
        Command::Backfill(args) if !args.dry_run => &args.road.write,
        Command::Publish(args) => &args.write,
        _ => return None,
    };
    write.summary_json.as_deref()
}

/// The environment variables of logmill.
fn environment() -> Result<BTreeMap<String, String>> {
    let mut ours = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(settings::setting::PREFIX)) else {
            continue;
        };
        let value = value.into_string().map_err(|_| {
            Error::new(ErrorKind::Usage, "the value of an environment variable is not UTF-8")
                .with("variable", name)
        })?;
        ours.insert(name.to_owned(), value);
    }
    Ok(ours)
}

/// Reads the usual AWS and proxy variables that the SDK does not read itself.
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
        Command::Discover(args) => discover::run(args, global, context),
        Command::Init(args) => init::run(args, global, context),
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
        Command::Certify(args) => certify::run(args, global, context),
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
        Command::Man { of } => man::run(of.as_deref()),
    }
}

/// The first Ctrl-C or SIGTERM asks the work to stop and clean up; a second one ends the process at once. In a shell, every
/// Ctrl-C only stops a statement, and SIGTERM ends the process.
fn listen_for_signals(command: &Command) -> Result<Cancel> {
    let flag = Arc::new(AtomicBool::new(false));
    if opens_shell(command) {
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&flag)).map_err(of_signals)?;
        return Ok(Cancel::from_flag(flag));
    }
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let code = i32::from(Exit::Interrupted.code());
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(of_signals)?;
    }
    Ok(Cancel::from_flag(flag))
}

fn of_signals(cause: std::io::Error) -> Error {
    Error::bug("cannot listen for signals").caused_by(cause)
}

#[cfg(feature = "query")]
fn opens_shell(command: &Command) -> bool {
    matches!(command, Command::Query(args) if query::opens_shell(args))
}

#[cfg(not(feature = "query"))]
fn opens_shell(_: &Command) -> bool {
    false
}
