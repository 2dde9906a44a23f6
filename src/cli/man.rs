//! `logmill man`: manual pages, generated from the help texts.

use clap_mangen::Man;

use super::console;
use super::exit::Exit;
use crate::error::{Error, ErrorKind, Result};

/// Prints the manual page of the program, or of one command.
pub(super) fn run(name: Option<&str>) -> Result<Exit> {
    console::print_as_is(&page(name)?)?;
    Ok(Exit::Done)
}

fn page(name: Option<&str>) -> Result<String> {
    // Builds the full names of the commands, and adds the global options to each of them.
    let mut program = super::command().disable_help_subcommand(true);
    program.build();
    let command = match name {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("unknown command '{name}'"))
                .hint("list the commands with 'logmill --help'")
        })?,
    };
    let mut text = Vec::new();
    Man::new(command)
        .render(&mut text)
        .map_err(|error| Error::new(ErrorKind::Io, "cannot format the manual page").because(error))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
