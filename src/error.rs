//! The one error of the crate.
//!
//! The message is a lower-case fragment that names the failed operation. Facts are context pairs, and the cause is kept
//! as the source. Rows that cannot be decoded are values, not errors ([`crate::table::Rejection`]).

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::escape;

/// Result with the crate's error.
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of a failure: it decides the exit code and whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line, the environment or the config file is invalid.
    Usage,
    /// More rows were rejected than `--max-reject-ratio` allows: the day was not published.
    TooManyRejects,
    /// A folder or file cannot be read or written, or a published day does not match its manifest.
    Unusable,
    /// A permission, valid credentials or a bucket is missing: nothing is wrong with the data.
    Denied,
    /// The day is published but not registered in the catalog.
    NotRegistered,
    /// Another run holds the day, or a service is unavailable: retry later.
    Temporary,
    /// No input was found, and the caller asked to treat that as a failure.
    NoInput,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// An invariant of logmill does not hold: never the user's fault.
    Bug,
}

impl ErrorKind {
    /// A stable name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::TooManyRejects => "too_many_rejects",
            Self::Unusable => "unusable",
            Self::Denied => "denied",
            Self::NotRegistered => "not_registered",
            Self::Temporary => "temporary",
            Self::NoInput => "no_input",
            Self::Interrupted => "interrupted",
            Self::Bug => "bug",
        }
    }

    /// The exit code for this kind.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::Usage => 2,
            Self::TooManyRejects => 3,
            Self::Unusable | Self::Denied => 4,
            Self::NotRegistered => 6,
            Self::Temporary => 75,
            Self::NoInput => 99,
            Self::Interrupted => 130,
        }
    }
}

/// An error with its kind, facts, cause and next step.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error of a kind; `message` is a lower-case fragment, for example "cannot list the input".
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), context: Vec::new(), hint: None, source: None }
    }

    /// Reports an unusable input or output, with its cause. If the cause wraps an error of this crate, that error's kind
    /// and hint apply.
    pub fn unusable(message: impl Into<String>, cause: impl StdError + Send + Sync + 'static) -> Self {
        let mut error = Self::new(ErrorKind::Unusable, message);
        if let Some(ours) = our_error_in(&cause) {
            error.kind = ours.kind;
            error.hint.clone_from(&ours.hint);
        }
        error.caused_by(cause)
    }

    /// Reports a broken invariant.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message).hint("this is a bug in logmill: please report it with the log")
    }

    /// Wraps a failure that several days share as the error of one of them.
    pub fn of_day(day: impl fmt::Display, cause: &Arc<Self>) -> Self {
        Self::new(cause.kind, "cannot build the day").with("day", day).for_reason(cause)
    }

    /// Wraps the failure that ends the work on the days of a table.
    #[must_use]
    pub fn of_table(table: &str, cause: &Arc<Self>) -> Self {
        Self::new(cause.kind, "cannot process all days of the table").with("table", table).for_reason(cause)
    }

    /// Returns the same error once more, with facts and causes as text.
    #[must_use]
    pub fn again(&self) -> Self {
        let (message, hint) = (self.to_string(), self.hint.clone());
        Self { kind: self.kind, message, context: Vec::new(), hint, source: None }
    }

    fn for_reason(self, cause: &Arc<Self>) -> Self {
        Self { hint: cause.hint.clone(), ..self.caused_by(Arc::clone(cause)) }
    }

    /// Adds a fact, for example `("object", key)`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((name, value.to_string()));
        self
    }

    /// Adds the next step. A hint that was set closer to the cause takes precedence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(cause));
        self
    }

    /// The kind of the failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The next step, if known.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// A fact of this error, or of an error of this crate behind it.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        let own = self.context.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        own.or_else(|| our_error_in(self.source()?)?.fact(name))
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Temporary
    }
}

/// The error of this crate that other error types wrap, if any.
fn our_error_in<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let ours = wrapped.and_then(|inner| inner.downcast_ref::<Error>());
    let shared = || cause.downcast_ref::<Arc<Error>>().map(AsRef::as_ref);
    ours.or_else(|| cause.downcast_ref()).or_else(shared).or_else(|| our_error_in(cause.source()?))
}

impl fmt::Display for Error {
    /// Formats message, facts and causes in one line: `cannot read the object (object: a/b): permission denied`. Names may
    /// come from outside, so characters that a terminal obeys are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = escape::one_line(&self.message).into_owned();
        for (position, (name, value)) in self.context.iter().enumerate() {
            let value = escape::one_line(value);
            line += &format!("{}{name}: {value}", if position == 0 { " (" } else { ", " });
        }
        if !self.context.is_empty() {
            line.push(')');
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some libraries repeat the text of their cause.
            if !line.ends_with(&text) {
                line += &format!(": {text}");
            }
            // An error of this crate has already printed its causes.
            cause = error.source().filter(|_| !error.is::<Self>() && !error.is::<Arc<Self>>());
        }
        f.write_str(&line)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that repeats the text of its cause.
    #[derive(Debug)]
    struct Repeats(std::io::Error);

    impl fmt::Display for Repeats {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "external: {}", self.0)
        }
    }

    impl StdError for Repeats {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn an_error_reads_as_one_sentence_with_facts_and_cause() {
        let cause = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "permission denied");
        let error =
            Error::unusable("cannot read the object", cause).with("object", "a/b").with("day", "2023-11-01");
        assert_eq!(
            error.to_string(),
            "cannot read the object (object: a/b, day: 2023-11-01): permission denied"
        );
        let odd = Error::new(ErrorKind::Usage, "cannot read 'a\nb'").with("object", "c\n\u{1b}[31m");
        assert_eq!(odd.to_string(), "cannot read 'a\\nb' (object: c\\n\\u001b[31m)");
        assert!(!error.is_retryable());
        let repeated = Error::unusable("cannot write", Repeats(std::io::Error::other("disk is full")));
        assert_eq!(repeated.to_string(), "cannot write: external: disk is full");
        let of_day = Error::of_day("2023-11-01", &Arc::new(error.hint("fix it")));
        assert_eq!(
            of_day.to_string(),
            "cannot build the day (day: 2023-11-01): cannot read the object (object: a/b, day: 2023-11-01): \
             permission denied"
        );
        assert_eq!((of_day.next_step(), of_day.fact("object")), (Some("fix it"), Some("a/b")));
    }
}
