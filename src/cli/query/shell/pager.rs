//! A pager for tables that do not fit the terminal.

use std::env;
use std::io::{self, Write};
use std::process::{Command, ExitStatus, Stdio};

use unicode_width::UnicodeWidthStr;

use crate::cli::screen::{Screen, rows_of_terminal};

/// The pager if `PAGER` is not set. It cuts lines at the edge and scrolls sideways.
const USUAL: &str = "less -S";

/// The exit code of a shell that does not find the program.
const NOT_FOUND: i32 = 127;

/// Whether a text fits the terminal, with room for the next prompt.
pub(super) fn fits(text: &str, screen: Screen) -> bool {
    let (mut lines, mut widest) = (0, 0);
    for line in text.lines() {
        lines += 1;
        widest = widest.max(line.width());
    }
    screen.width.is_none_or(|width| widest <= width) && rows_of_terminal().is_none_or(|rows| lines + 2 < rows)
}

/// Shows a text in the pager. Returns whether it did: an empty `PAGER` means that none is wanted.
pub(super) fn show(text: &str) -> bool {
    let pager = env::var("PAGER").unwrap_or_else(|_| USUAL.to_owned());
    let shown = if pager.trim().is_empty() { None } else { run(&pager, text).ok() };
    shown.is_some_and(|status| status.code() != Some(NOT_FOUND))
}

fn run(pager: &str, text: &str) -> io::Result<ExitStatus> {
    let mut child = Command::new("sh").args(["-c", pager]).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A pager that is left early closes its input.
        let _ = input.write_all(text.as_bytes());
    }
    child.wait()
}
