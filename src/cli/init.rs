//! `logmill init`: writes a config file for the logs that inputs hold.

use std::io::{self, Write};
use std::path::Path;

use super::args::{GlobalArgs, InitArgs};
use super::command_line::{CommandLine, closed};
use super::config_file::DEFAULT_NAME;
use super::context::Context;
use super::exit::Exit;
use super::settings::{Flags, Settings, config_name, rows};
use super::{console, discover};
use crate::dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::discovery::{Discovery, FoundLogs};
use crate::store::{Draft, SourceAccess};

pub(super) fn run(args: &InitArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let name = config_name(&global.settings, &context.environment);
    let path = Path::new(&name);
    if path.symlink_metadata().is_ok() {
        return Err(exists(path));
    }
    let flags = Flags::of([&*args.place, &*args.lake]).with_sources().publishing();
    let settings = Settings::without_file(&global.settings, &flags, context.environment.clone())?;
    settings.output()?;
    let discovery = discover::look(&settings, context)?;
    if discovery.found.is_empty() {
        return Err(nothing_found(&discovery));
    }
    write_new(path, &file_text(&settings, &discovery))?;
    console::print(&report(&name, &discovery))?;
    Ok(Exit::Done)
}

fn exists(path: &Path) -> Error {
    Error::new(ErrorKind::Usage, "the config file already exists")
        .with("file", path.display())
        .hint("pass another name with --config, or show the settings in effect with 'logmill config'")
}

fn nothing_found(discovery: &Discovery) -> Error {
    let inputs = &discovery.inputs;
    let discover = CommandLine::new("discover").reading(inputs);
    Error::new(ErrorKind::Unusable, "the inputs hold no logs of a known type: no file was written")
        .with("inputs", inputs.join(", "))
        .with("looked for", dataset::names())
        .with("objects", discovery.listed)
        .hint(format!("check the path; '{}' shows what it holds", discover.text()))
}

/// Writes a file that does not exist yet, as a whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let draft = Draft::of(path, ".")?;
        draft.file().write_all(text.as_bytes())?;
        draft.keep_new()
    };
    write().map_err(|cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => Error::unusable("cannot write the config file", cause)
            .with("file", path.display())
            .hint("pass a path in an existing, writable folder with --config"),
    })
}

fn file_text(settings: &Settings, discovery: &Discovery) -> String {
    let mut text = format!(
        "# Settings of logmill. docs/settings.md lists all keys; 'logmill config' shows the settings in effect.\n\
         # Flags and LOGMILL_ variables override this file. Relative paths begin in the folder in which logmill runs.\n\n\
         [lake]\n# {}\noutput = {}\n\n",
        rows::OUTPUT.help(),
        quoted(settings.lake_address())
    );
    text += &match &settings.catalog {
        Some(catalog) => format!(
            "# Registers each published day, for Athena.\n[catalog]\ndatabase = {}\n# {}\n# create_database = true\n",
            quoted(&catalog.database),
            rows::CREATE_DATABASE.help()
        ),
        None => {
            "# Registers each published day, for Athena.\n# [catalog]\n# database = \"logs\"\n".to_owned()
        }
    };
    let access = settings.sources.first().map(|source| source.spec.access.clone()).unwrap_or_default();
    text + &discovery.found.iter().map(|logs| source_text(logs, &access)).collect::<String>()
}

/// The section of a log type.
fn source_text(logs: &FoundLogs, access: &SourceAccess) -> String {
    let dataset = logs.dataset;
    let inputs: Vec<String> = logs.inputs.iter().map(|input| quoted(input)).collect();
    let input = if let [only] = &inputs[..] { only.clone() } else { format!("[{}]", inputs.join(", ")) };
    let mut text = format!(
        "\n# Found: {}\n[[source]]\ndataset = {}\ntable = {}\ninput = {input}\n",
        about(logs),
        quoted(dataset.name()),
        quoted(dataset.default_table())
    );
    if let Some(role) = &access.role_arn {
        text += &format!("role_arn = {}\n", quoted(role));
    }
    if access.requester_pays {
        text += "requester_pays = true\n";
    }
    if let Some(owner) = &access.expected_bucket_owner {
        text += &format!("expected_bucket_owner = {}\n", quoted(owner));
    }
    let lateness = format!("{}h", dataset.default_lateness_hours());
    text + &format!("# {}\n# lateness = {}\n", rows::LATENESS.help(), quoted(&lateness))
}

/// One line about the logs that were found.
fn about(logs: &FoundLogs) -> String {
    let (objects, bytes) = (console::counted(logs.objects, "object"), console::size(logs.bytes));
    let days = match logs.days {
        None => String::new(),
        Some(days) if days.first == days.last => format!(", KST day {}", days.first),
        Some(days) => format!(", KST days {days}"),
    };
    format!("{objects}, {bytes}{days}")
}

/// A TOML string. JSON has the same escapes, except that it leaves DEL as it is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn report(name: &str, discovery: &Discovery) -> String {
    let mut text = format!("created {}\n\n", console::shown(name));
    for logs in &discovery.found {
        text += &format!("{}: {}\n", logs.dataset, about(logs));
    }
    text += "\nnext:\n";
    for line in next_commands(name, discovery) {
        text += &format!("  {}\n", console::shown(line.text()));
    }
    text
}

/// Returns the commands to type next: the plan of a whole day, a backfill of all days that are over, and their state.
fn next_commands(name: &str, discovery: &Discovery) -> Vec<CommandLine> {
    let with_config =
        |line: CommandLine| if name == DEFAULT_NAME { line } else { line.with("--config", name) };
    let yesterday = KstDay::of(console::now()).previous();
    let Some(days) = discovery.days().and_then(|days| closed(days, yesterday)) else {
        return vec![with_config(CommandLine::new("config"))];
    };
    let whole_day = discovery.complete_day().unwrap_or(days.last).clamp(days.first, days.last);
    let plan = CommandLine::new("plan").with("--day", &whole_day.to_string());
    let lines = [plan, CommandLine::new("backfill").over(days), CommandLine::new("status").over(days)];
    lines.into_iter().map(with_config).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_a_toml_string_with_the_same_meaning() {
        let all: String = (0..0x300).filter_map(char::from_u32).collect();
        for text in ["s3://logs/a", "", "a\"b\\c", "\u{7f}\u{1b}\r\n\t", &all] {
            let written = format!("key = {}", quoted(text));
            let read: toml::Table = toml::from_str(&written).unwrap();
            assert_eq!(read["key"].as_str(), Some(text), "{written}");
        }
    }
}
