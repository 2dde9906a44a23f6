//! `logmill man`: manual pages, generated from the help texts.

use clap_mangen::Man;

use super::console;
use super::exit::Exit;
use crate::error::{Error, ErrorKind, Result};
use crate::nearest::nearest_name;

/// The program and its version, in the footer of each page.
const SOURCE: &str = concat!("logmill ", env!("CARGO_PKG_VERSION"));

/// Prints the manual page of the program, or of one command.
pub(super) fn run(name: Option<&str>) -> Result<Exit> {
    console::print_as_is(&page(name)?)?;
    Ok(Exit::Done)
}

fn page(name: Option<&str>) -> Result<String> {
    // Sets the full name of each command, and adds the global options to it.
    let mut program = super::command().disable_help_subcommand(true);
    program.build();
    let command = match name {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| unknown(&program, name))?,
    };
    let mut text = Vec::new();
    let page = Man::new(command).source(SOURCE).manual("logmill");
    page.render(&mut text).map_err(|cause| Error::unusable("cannot format the manual page", cause))?;
    // The generator's heading for examples, states and exit codes.
    Ok(String::from_utf8_lossy(&text).replace(".SH EXTRA\n", ".SH NOTES\n"))
}

fn unknown(program: &clap::Command, name: &str) -> Error {
    let hint = match nearest_name(name, program.get_subcommands().map(clap::Command::get_name)) {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "list the commands with 'logmill --help'".to_owned(),
    };
    Error::new(ErrorKind::Usage, format!("unknown command '{name}'")).hint(hint)
}
