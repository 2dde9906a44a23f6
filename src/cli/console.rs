//! Output: data on standard output, messages on standard error.
//!
//! All output passes through [`escape`], so text from logs and object names can neither control a terminal nor end a line.
//! Values within a line of text also pass through [`shown`].

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::display::Display;
use super::exit::Exit;
use super::screen::{Screen, Shown, Tone};
use super::settings::LogFormat;
use crate::error::{Error, Result};
use crate::escape;
use crate::kst::UtcInstant;
pub(super) use crate::road::Field;
use crate::road::{Registration, RegistrationWarning};

/// Writes messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Console {
    pub(super) format: LogFormat,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    /// What standard output can show.
    pub(super) out: Screen,
    /// What standard error can show.
    pub(super) err: Screen,
    /// The lines of progress.
    pub(super) display: &'static Display,
}

/// The severity of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Error => Tone::Bad,
            Self::Warn => Tone::Attention,
            Self::Info | Self::Debug => Tone::Strong,
        }
    }
}

impl Console {
    /// Creates the console of this process, for text messages.
    pub(super) fn of_process(quiet: bool, verbose: u8) -> Self {
        let (out, err) = (Screen::of(&io::stdout()), Screen::of(&io::stderr()));
        Self { format: LogFormat::Text, quiet, verbose, out, err, display: Display::of_process() }
    }

    /// Returns whether progress may be drawn.
    pub(super) fn draws_progress(self) -> bool {
        self.advises() && self.err.redraws
    }

    /// Returns whether a person reads the messages and wants advice.
    pub(super) fn advises(self) -> bool {
        !self.quiet && self.format == LogFormat::Text && self.err.is_terminal
    }

    /// Logs a step of the work: always as JSON, as text only with `-v`.
    pub(super) fn step(self, event: &str, fields: &[Field]) {
        if self.logs_steps() {
            self.message(Level::Info, event, fields);
        }
    }

    /// Logs information that needs no action.
    pub(super) fn info(self, event: &str, fields: &[Field]) {
        self.message(Level::Info, event, fields);
    }

    /// Logs something that needs attention.
    pub(super) fn warn(self, event: &str, fields: &[Field]) {
        self.message(Level::Warn, event, fields);
    }

    /// Logs the warnings of a registration.
    pub(super) fn warn_of_registration(self, registration: &Registration) {
        for RegistrationWarning { text, cause, hint } in &registration.warnings {
            let table = ("table", registration.table.clone().into());
            self.warn(text, &[table, ("cause", cause.clone().into()), ("hint", hint.clone().into())]);
        }
    }

    /// Logs a detail, only with `-vv`.
    pub(super) fn debug(self, event: &str, fields: &[Field]) {
        if self.verbose > 1 {
            self.message(Level::Debug, event, fields);
        }
    }

    /// Prints an error with its hint.
    pub(super) fn error(self, error: &Error) {
        self.failed(error, Vec::new());
    }

    /// Prints an error with its hint. In JSON, the fields of `about` come first.
    pub(super) fn failed(self, error: &Error, about: Vec<Field>) {
        match self.format {
            LogFormat::Text => {
                let mut text = self.err.paint(Tone::Bad, "logmill:");
                // A cause from a library may have several lines. Indented, they do not look like separate messages.
                text += &format!(" {}", error.to_string().trim_end().replace('\n', "\n  "));
                if let Some(hint) = error.next_step() {
                    text += "\n  ";
                    text += self.err.paint(Tone::Strong, "hint:");
                    text += &format!(" {}", shown(hint));
                }
                self.write(&text);
            }
            LogFormat::Json => {
                let mut fields = about;
                fields.extend([
                    ("error", error.to_string().into()),
                    ("kind", error.kind().name().into()),
                    ("exit_code", Exit::from(error.kind()).code().into()),
                    ("hint", error.next_step().into()),
                ]);
                self.message(Level::Error, "failed", &fields);
            }
        }
    }

    /// Logs the last step, at the level `error` if the exit code is not 0.
    pub(super) fn finished(self, exit: Exit, fields: &[Field]) {
        if self.logs_steps() {
            let level = if exit == Exit::Done { Level::Info } else { Level::Error };
            self.message(level, "finished", fields);
        }
    }

    fn logs_steps(self) -> bool {
        self.verbose > 0 || self.format == LogFormat::Json
    }

    fn message(self, level: Level, event: &str, fields: &[Field]) {
        if self.quiet && level != Level::Error {
            return;
        }
        match self.format {
            LogFormat::Text => {
                let mut text = self.err.paint(level.tone(), &format!("{}:", level.name()));
                text += &format!(" {event}");
                for (name, value) in fields.iter().flat_map(|(name, value)| as_text(name, value)) {
                    // The colour shows where the sentence ends.
                    text += " ";
                    text += self.err.paint(Tone::Faint, &format!("{name}="));
                    text += &value;
                }
                self.write(&text);
            }
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("at".to_owned(), now().to_string().into());
                line.insert("level".to_owned(), level.name().into());
                line.insert("event".to_owned(), event.into());
                line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
                self.write(&Shown::of(&Value::Object(line).to_string()));
            }
        }
    }

    /// Writes a line to standard error, above the lines of progress.
    pub(super) fn write(self, line: &Shown) {
        self.display.lines.suspend(|| {
            // If standard error is closed, the failure cannot be reported.
            let _ = writeln!(io::stderr().lock(), "{}", line.as_str());
        });
    }
}

/// Formats a field as names and values. JSON has every field; a person needs no empty ones, and reads the members of an object
/// as fields.
fn as_text(name: &str, value: &Value) -> Vec<(String, String)> {
    let named = |value: &str| vec![(name.to_owned(), shown(value).into_owned())];
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => named(text),
        Value::Object(members) => members.iter().flat_map(|(name, value)| as_text(name, value)).collect(),
        Value::Array(values) if values.iter().any(Value::is_object) => {
            values.iter().flat_map(|value| as_text(name, value)).collect()
        }
        Value::Array(values) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            named(&values.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        other => named(&other.to_string()),
    }
}

/// Returns the current time. No other code reads the clock.
pub(super) fn now() -> UtcInstant {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcInstant(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Escapes a value for use within a line.
pub(super) fn shown(value: &str) -> Cow<'_, str> {
    escape::one_line(value)
}

/// Writes text or JSON to standard output. A reader that stops early, such as `head`, is not an error.
pub(super) fn print(text: &str) -> Result<()> {
    print_as_is(&escape::lines(text))
}

/// Writes text that is ready to standard output.
pub(super) fn print_shown(text: &Shown) -> Result<()> {
    print_as_is(text.as_str())
}

/// Writes a line to standard output, with line ends in it escaped.
pub(super) fn print_line(line: &str) -> Result<()> {
    print_as_is(&(shown(line) + "\n"))
}

/// Writes data that only programs read, such as pages and scripts, to standard output without escaping.
pub(super) fn print_as_is(data: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::unusable("cannot write to standard output", cause))
        }
        _ => Ok(()),
    }
}

/// Formats a count with its noun: `1 object`, `2,000 objects`.
pub(super) fn counted(number: u64, name: &str) -> String {
    format!("{} {name}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Formats a count with thousands separators: `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// Formats a size: `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_for_a_person_have_no_json() {
        for (value, expected) in [
            (Value::Null, ""),
            ("a\nb".into(), "name=a\\nb"),
            (3.into(), "name=3"),
            (true.into(), "name=true"),
            (json!({"read": 4, "left": null, "why": "late"}), "read=4 why=late"),
            (json!(["a", "b", 1]), "name=a, b, 1"),
            (json!([]), "name="),
            (
                json!([{"reason": "x", "rows": 1}, {"reason": "y", "rows": 2}]),
                "reason=x rows=1 reason=y rows=2",
            ),
        ] {
            let fields = as_text("name", &value);
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(fields.join(" "), expected, "{value}");
        }
    }

    #[test]
    fn counts_have_thousands_separators() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), expected);
        }
    }
}
