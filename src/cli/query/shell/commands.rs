//! The commands of the shell.

use super::{Next, Shell};
use crate::cli::args::QueryFormat;
use crate::cli::console;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest_name;
use crate::query::{EXAMPLES, Example};

/// A command.
pub(super) struct DotCommand {
    pub(super) name: &'static str,
    argument: &'static str,
    help: &'static str,
    run: fn(&mut Shell<'_>, &str) -> Result<Next>,
}

/// The commands, in the order of `.help`.
pub(super) const COMMANDS: &[DotCommand] = &[
    DotCommand { name: ".tables", argument: "", help: "List tables and views", run: tables },
    DotCommand {
        name: ".schema",
        argument: "[TABLE]",
        help: "Show the columns of a table or view, or of all tables",
        run: schema,
    },
    DotCommand {
        name: ".examples",
        argument: "[NAME]",
        help: "List example statements, or edit one",
        run: examples,
    },
    DotCommand {
        name: ".format",
        argument: "[FORMAT]",
        help: "Show rows as table, csv or json",
        run: format,
    },
    DotCommand {
        name: ".timer",
        argument: "[on|off]",
        help: "Print the time and the bytes read of each statement",
        run: timer,
    },
    DotCommand { name: ".help", argument: "", help: "List the commands", run: help },
    DotCommand { name: ".quit", argument: "", help: "Leave, as Ctrl-D does", run: |_, _| Ok(Next::Leave) },
];

/// Other spellings of commands.
const SYNONYMS: &[(&str, &str)] = &[
    (".exit", ".quit"),
    ("exit", ".quit"),
    ("quit", ".quit"),
    ("\\q", ".quit"),
    ("help", ".help"),
    (".columns", ".schema"),
    (".describe", ".schema"),
    (".views", ".tables"),
    (".mode", ".format"),
];

/// The formats of rows, and their names.
pub(super) const FORMATS: [(&str, QueryFormat); 3] =
    [("table", QueryFormat::Table), ("csv", QueryFormat::Csv), ("json", QueryFormat::Json)];

/// Runs a command with its argument.
pub(super) fn run(shell: &mut Shell<'_>, text: &str) -> Result<Next> {
    let text = text.trim_end_matches([';', ' ']);
    let (word, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let word = word.to_ascii_lowercase();
    let name = SYNONYMS.iter().find(|(typed, _)| *typed == word).map_or(word.as_str(), |(_, name)| *name);
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let near = nearest_name(name, COMMANDS.iter().map(|command| command.name));
        let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        return Err(usage(
            format!("unknown command '{name}'"),
            format!("{near}use .help to list the commands"),
        ));
    };
    (command.run)(shell, argument.trim())
}

fn usage(message: String, hint: String) -> Error {
    Error::new(ErrorKind::Usage, message).hint(hint)
}

fn tables(shell: &mut Shell<'_>, _: &str) -> Result<Next> {
    shell.answer("SHOW TABLES").map(|()| Next::Prompt)
}

fn schema(shell: &mut Shell<'_>, table: &str) -> Result<Next> {
    let describe = |table: &str| format!("DESCRIBE \"{}\"", table.to_ascii_lowercase().replace('"', "\"\""));
    if !table.is_empty() {
        return shell.answer(&describe(table)).map(|()| Next::Prompt);
    }
    let tables: Vec<String> = shell.engine.borrow().tables().map(str::to_owned).collect();
    for table in tables {
        console::print_line(&table)?;
        shell.answer(&describe(&table))?;
    }
    Ok(Next::Prompt)
}

fn examples(shell: &mut Shell<'_>, name: &str) -> Result<Next> {
    if let Some(example) = EXAMPLES.iter().find(|example| example.name == name) {
        example.statement().clone_into(&mut shell.begun);
        return Ok(Next::Prompt);
    }
    if !name.is_empty() {
        let near = nearest_name(name, EXAMPLES.iter().map(|example| example.name));
        let near = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
        return Err(usage(format!("unknown example '{name}'"), format!("{near}use .examples to list them")));
    }
    let widest = EXAMPLES.iter().map(|example| example.name.len()).max().unwrap_or_default();
    let line = |example: &Example| format!("{:widest$}  {}\n", example.name, example.title());
    let screen = shell.context.console.out;
    console::print_shown(&screen.wrap_under(&EXAMPLES.iter().map(line).collect::<String>(), widest + 2))?;
    Ok(Next::Prompt)
}

fn format(shell: &mut Shell<'_>, name: &str) -> Result<Next> {
    let is_meant = |(known, _): &&(&str, QueryFormat)| known.eq_ignore_ascii_case(name);
    match FORMATS.iter().find(is_meant) {
        Some((_, format)) => shell.form.format = *format,
        None if name.is_empty() => {
            let current = FORMATS.iter().find(|(_, format)| *format == shell.form.format);
            console::print_line(current.map_or("parquet", |(name, _)| *name))?;
        }
        None => {
            let names = FORMATS.map(|(name, _)| name).join(", ");
            return Err(usage(format!("invalid format '{name}'"), format!("use one of {names}")));
        }
    }
    Ok(Next::Prompt)
}

fn timer(shell: &mut Shell<'_>, given: &str) -> Result<Next> {
    shell.times_statements = match given.to_ascii_lowercase().as_str() {
        "on" => true,
        "off" => false,
        "" => !shell.times_statements,
        _ => return Err(usage(format!("invalid value '{given}' for .timer"), "use on or off".to_owned())),
    };
    Ok(Next::Prompt)
}

fn help(shell: &mut Shell<'_>, _: &str) -> Result<Next> {
    let called = |command: &DotCommand| format!("{} {}", command.name, command.argument);
    let widest = COMMANDS.iter().map(|command| called(command).len()).max().unwrap_or_default();
    let lines = COMMANDS.iter().map(|command| format!("{:widest$}  {}\n", called(command), command.help));
    let text = lines.collect::<String>() + "Any other text is SQL, and ends with ';'.\n";
    console::print_shown(&shell.context.console.out.wrap_under(&text, widest + 2))?;
    Ok(Next::Prompt)
}
