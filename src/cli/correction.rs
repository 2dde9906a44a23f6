//! Better suggestions for flags and commands that do not exist.
//!
//! clap compares spellings, so it suggests `--dataset` for `--date`. This file replaces its suggestion if it knows what the
//! word means; otherwise that of clap remains.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use super::console;
use super::synonyms::{COMMANDS, FLAGS, Meant, REPEATED};
use crate::kst::KstDay;
use crate::nearest::nearest_name;

/// Replaces the suggestion of an error about the arguments if a better one is known.
pub(super) fn corrected(error: Error, arguments: &[String]) -> Error {
    let mut program = super::command();
    program.build();
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.as_str()),
        _ => None,
    };
    let found = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let is_near = error.get(ContextKind::SuggestedSubcommand).is_some();
            let typed = named(ContextKind::InvalidSubcommand);
            let tip = typed.and_then(|typed| of_command(typed, is_near, &program));
            tip.map(|tip| (tip, program))
        }
        ErrorKind::UnknownArgument => command_of(arguments, &program).and_then(|command| {
            let typed = named(ContextKind::InvalidArg)?;
            let tip = if typed.starts_with('-') {
                of_flag(typed, arguments, &command)
            } else {
                of_value(typed, &command)
            };
            tip.map(|tip| (tip, command))
        }),
        ErrorKind::ArgumentConflict => {
            let typed = named(ContextKind::InvalidArg).filter(|typed| {
                error.get(ContextKind::PriorArg) == Some(&ContextValue::String((*typed).to_owned()))
            });
            typed.and_then(of_repeated).zip(command_of(arguments, &program))
        }
        _ => None,
    };
    match found {
        Some((tip, command)) => with_tip(error, tip, command),
        None => error,
    }
}

/// Replaces the suggestion, and the usage line, which may name the argument that clap suggested.
fn with_tip(mut error: Error, tip: String, mut command: Command) -> Error {
    for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        error.remove(kind);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
    error
}

/// The command among the arguments.
fn command_of(arguments: &[String], program: &Command) -> Option<Command> {
    arguments.iter().skip(1).find_map(|argument| program.find_subcommand(argument)).cloned()
}

/// What a word means that is in the place of a command. `is_near` if clap knows a command of a similar name.
fn of_command(typed: &str, is_near: bool, program: &Command) -> Option<String> {
    if let Some(day) = day(typed) {
        return Some(format!("to build this day, use 'logmill run --day {day}'"));
    }
    if is_place(typed) {
        return Some(format!("to build a day of these logs, use 'logmill run --input {typed}'"));
    }
    let first = typed.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let known = || program.get_subcommands().map(Command::get_name);
    let synonym = COMMANDS.iter().find(|(words, _)| words.contains(&first.as_str())).map(|(_, meant)| *meant);
    let meant = synonym.filter(|meant| meant.starts_with('-') || known().any(|name| name == *meant));
    let near = || nearest_name(&first, known()).filter(|_| !is_near);
    meant.or_else(near).map(|meant| format!("use 'logmill {meant}'"))
}

/// What a flag means that the command does not have.
fn of_flag(typed: &str, arguments: &[String], command: &Command) -> Option<String> {
    if typed[1..].starts_with(|letter: char| letter.is_ascii_digit()) {
        return Some("write a day as 2023-11-01, yesterday or today".to_owned());
    }
    let word = plain(typed);
    let did_you_mean = |flag: &str| format!("did you mean '--{flag}'?");
    if has(command, &word) {
        return Some(did_you_mean(&word));
    }
    let of_one_dash = |argument: &String| {
        let is_typed = argument.starts_with(typed) && !argument.starts_with("--");
        Some(plain(argument)).filter(|word| is_typed && word.len() > 1 && has(command, word))
    };
    if let Some(long) = arguments.iter().find_map(of_one_dash) {
        return Some(did_you_mean(&long));
    }
    let rows = FLAGS.iter().filter(|(words, _)| words.contains(&word.as_str()));
    rows.map(|(_, meant)| meant).find_map(|meant| match meant {
        Meant::Flag(flag) => has(command, flag.split(' ').next()?).then(|| did_you_mean(flag)),
        Meant::Advice(on, advice) => {
            (on.is_empty() || on.contains(&command.get_name())).then(|| (*advice).to_owned())
        }
    })
}

/// What to do instead of passing a flag twice.
fn of_repeated(typed: &str) -> Option<String> {
    let flag = typed.split(' ').next().unwrap_or_default();
    let (_, tip) = REPEATED.iter().find(|(known, _)| *known == flag)?;
    Some((*tip).to_owned())
}

/// What a value means that stands without a flag.
fn of_value(typed: &str, command: &Command) -> Option<String> {
    let (flag, value) = if let Some(day) = day(typed) {
        ("day", day)
    } else if is_place(typed) {
        ("input", typed.to_owned())
    } else {
        return None;
    };
    has(command, flag).then(|| format!("did you mean '--{flag} {value}'?"))
}

/// The name of a flag, without dashes and value, in the spelling of flags.
fn plain(argument: &str) -> String {
    let name = argument.split('=').next().unwrap_or_default();
    name.trim_start_matches('-').to_ascii_lowercase().replace('_', "-")
}

fn has(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|argument| argument.get_long() == Some(flag))
}

/// A text that is a day, as it was typed.
fn day(text: &str) -> Option<String> {
    KstDay::parse(text, console::now()).is_ok().then(|| text.to_owned())
}

/// Whether a text looks like a folder or an address.
fn is_place(text: &str) -> bool {
    text.contains('/') && !text.contains(' ')
}
