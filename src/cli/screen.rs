//! What a stream can show: its width and colours, and text that is ready for it.
//!
//! A pipe or a file gets neither colours nor a width. `NO_COLOR` and `TERM=dumb` turn colours off on a terminal too;
//! `CLICOLOR_FORCE` turns them on anywhere. The parser of the command line follows the same variables.

use std::io::IsTerminal;
use std::ops::AddAssign;
use std::os::fd::AsFd;

use clap::builder::styling::{AnsiColor, Style, Styles};
use unicode_width::UnicodeWidthStr;

use crate::escape;

/// The width that is assumed if a terminal reports none.
const USUAL_WIDTH: usize = 80;

/// The styles of help and of errors about arguments.
pub(super) const HELP_STYLES: Styles = Styles::styled()
    .header(Style::new().bold().underline())
    .usage(Style::new().bold().underline())
    .error(AnsiColor::Red.on_default().bold())
    .invalid(AnsiColor::Magenta.on_default().bold())
    .valid(Style::new().bold())
    .literal(Style::new().bold());

/// The meaning of a coloured text. Each has a colour that is readable on black and on white, unlike yellow, cyan and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Needs attention.
    Attention,
    /// Failed or wrong.
    Bad,
    /// A heading, or a word to find.
    Strong,
    /// Of little importance.
    Faint,
}

impl Tone {
    fn codes(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Attention => "1;35",
            Self::Bad => "1;31",
            Self::Strong => "1",
            Self::Faint => "2",
        }
    }
}

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screen {
    /// Whether a person reads the stream.
    pub(super) is_terminal: bool,
    /// Whether lines can be drawn again, which progress needs.
    pub(super) redraws: bool,
    /// Columns of the terminal; `None` if lines can have any length.
    pub(super) width: Option<usize>,
    has_colours: bool,
}

impl Screen {
    /// Returns what a stream of this process can show.
    pub(super) fn of(stream: &(impl IsTerminal + AsFd)) -> Self {
        let size = || rustix::termios::tcgetwinsize(stream).ok();
        let columns = stream.is_terminal().then(|| size().map_or(0, |size| usize::from(size.ws_col)));
        Self::by_environment(columns, &|name| std::env::var(name).ok())
    }

    /// `columns` is the width that the terminal reports, or 0 if it reports none; `None` for a pipe or a file.
    fn by_environment(columns: Option<usize>, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).filter(|value| !value.is_empty());
        let redraws = columns.is_some() && value("TERM").as_deref() != Some("dumb");
        let is_forced = value("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let is_wanted = redraws && value("CLICOLOR").as_deref() != Some("0");
        let wished = value("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
        let width = |columns| if columns > 0 { columns } else { USUAL_WIDTH };
        Self {
            is_terminal: columns.is_some(),
            redraws,
            width: columns.map(|columns| wished.unwrap_or_else(|| width(columns))),
            has_colours: value("NO_COLOR").is_none() && (is_forced || is_wanted),
        }
    }

    /// Breaks each line of a text between words if it is wider than the terminal. A word, such as a path, is never split.
    pub(super) fn wrap(self, text: &str) -> Shown {
        self.wrap_under(text, 2)
    }

    /// Breaks lines as [`Screen::wrap`] does. The lines after the first begin at a column.
    pub(super) fn wrap_under(self, text: &str, column: usize) -> Shown {
        let text = escape::lines(text);
        let Some(width) = self.width else { return Shown(text.into_owned()) };
        Shown(text.split('\n').map(|line| wrapped(line, width, column)).collect::<Vec<_>>().join("\n"))
    }

    /// Colours a text within a line.
    pub(super) fn paint(self, tone: Tone, text: &str) -> Shown {
        let text = escape::one_line(text);
        let is_painted = self.has_colours && !text.is_empty();
        Shown(if is_painted { format!("\u{1b}[{}m{text}\u{1b}[0m", tone.codes()) } else { text.into_owned() })
    }
}

/// Returns the number of lines of the terminal behind standard output, if it reports one.
#[cfg(feature = "query")]
pub(super) fn rows_of_terminal() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_row)).filter(|rows| *rows > 0)
}

/// Breaks a line between words, and begins the lines after the first at the column `indent`.
fn wrapped(line: &str, width: usize, indent: usize) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (number, word) in line.split(' ').enumerate() {
        let letters = word.width();
        // A word that no line can hold remains where it is.
        let is_too_long = indent + letters > width && column <= indent;
        if number > 0 && column + 1 + letters > width && !is_too_long {
            text += &format!("\n{:indent$}", "");
            column = indent;
        } else if number > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += letters;
    }
    text
}

/// Text that is ready for its stream: other text in it is escaped, and only [`Screen::paint`] adds escape sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown(String);

impl Shown {
    /// Escapes text of one or more lines.
    pub(super) fn of(text: &str) -> Self {
        Self(escape::lines(text).into_owned())
    }

    /// Returns the text, to be written as it is.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str> + ?Sized> AddAssign<&T> for Shown {
    fn add_assign(&mut self, text: &T) {
        self.0 += &escape::lines(text.as_ref());
    }
}

impl AddAssign for Shown {
    fn add_assign(&mut self, text: Self) {
        self.0 += &text.0;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A terminal of this width.
    pub(in crate::cli) fn terminal(columns: usize, variables: &[(&str, &str)]) -> Screen {
        screen(Some(columns), variables)
    }

    /// A pipe.
    pub(in crate::cli) fn pipe() -> Screen {
        screen(None, &[])
    }

    fn screen(columns: Option<usize>, variables: &[(&str, &str)]) -> Screen {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Screen::by_environment(columns, &|name| value(name).map(str::to_owned))
    }

    #[test]
    fn only_a_terminal_that_can_and_may_has_colours() {
        for (columns, variables, expected) in [
            (Some(80), &[("TERM", "xterm")][..], true),
            (Some(80), &[], true),
            (None, &[("TERM", "xterm")], false),
            (Some(80), &[("TERM", "dumb")], false),
            (Some(80), &[("NO_COLOR", "0")], false),
            (Some(80), &[("NO_COLOR", "")], true),
            (Some(80), &[("CLICOLOR", "0")], false),
            (None, &[("CLICOLOR_FORCE", "1")], true),
            (None, &[("CLICOLOR_FORCE", "0")], false),
            (None, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ] {
            let shown = screen(columns, variables).paint(Tone::Good, "published");
            let expected = if expected { "\u{1b}[32mpublished\u{1b}[0m" } else { "published" };
            assert_eq!(shown.as_str(), expected, "{columns:?} {variables:?}");
        }
    }

    #[test]
    fn a_dumb_terminal_redraws_nothing_and_keeps_its_width() {
        let dumb = terminal(100, &[("TERM", "dumb")]);
        assert_eq!((dumb.is_terminal, dumb.redraws, dumb.width), (true, false, Some(100)));
    }

    #[test]
    fn the_width_is_that_of_columns_or_of_the_terminal() {
        for (columns, variables, expected) in [
            (Some(120), &[][..], Some(120)),
            (Some(0), &[], Some(80)),
            (Some(120), &[("COLUMNS", "60")], Some(60)),
            (Some(120), &[("COLUMNS", "wide")], Some(120)),
            (Some(120), &[("COLUMNS", "0")], Some(120)),
            (None, &[("COLUMNS", "60")], None),
        ] {
            assert_eq!(screen(columns, variables).width, expected, "{columns:?} {variables:?}");
        }
    }

    #[test]
    fn lines_wrap_between_words_on_a_terminal() {
        let text = "three: of another time\n\npath /a/very/long/path\n";
        assert_eq!(pipe().wrap(text).as_str(), text);
        assert_eq!(terminal(80, &[]).wrap(text).as_str(), text);
        let expected = "three: of\n  another\n  time\n\npath\n  /a/very/long/path\n";
        assert_eq!(terminal(12, &[]).wrap(text).as_str(), expected);
    }

    #[test]
    fn wrapped_lines_begin_at_a_column_and_wide_letters_count_twice() {
        let shown = |width, text: &str| terminal(width, &[]).wrap_under(text, 6).as_str().to_owned();
        assert_eq!(shown(16, "why   one two three"), "why   one two\n      three");
        assert_eq!(shown(12, "why   /a/long/path b"), "why   /a/long/path\n      b");
        assert_eq!(
            shown(16, "why   \u{d55c}\u{ae00} \u{d55c}\u{ae00} \u{d55c}"),
            "why   \u{d55c}\u{ae00} \u{d55c}\u{ae00}\n      \u{d55c}"
        );
    }

    #[test]
    fn text_from_outside_cannot_colour() {
        let mut text = Shown::of("\u{1b}[31ma\n");
        text += "\u{1b}[0mb";
        text += terminal(80, &[]).paint(Tone::Strong, "\u{1b}[31m\nc");
        assert_eq!(text.as_str(), "\\u001b[31ma\n\\u001b[0mb\u{1b}[1m\\u001b[31m\\nc\u{1b}[0m");
    }
}
