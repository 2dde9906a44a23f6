//! Exit codes: one table for the binary, the documentation and the tests.

use crate::error::ErrorKind;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A defect of logmill.
    Bug = 1,
    /// Invalid command line, environment or config file.
    Usage = 2,
    /// More rows were rejected than allowed, or digests do not prove the day: nothing was published.
    TooManyRejects = 3,
    /// Input or output unusable, or a published day does not match its manifest or would lose rows.
    Unusable = 4,
    /// Some days or tables failed; others were published or failed differently.
    SomeFailed = 5,
    /// Published, but not registered in the catalog.
    NotRegistered = 6,
    /// Retry later.
    Temporary = 75,
    /// No rows with `--fail-on-empty`, or `why` did not find the event.
    NoInput = 99,
    /// Ctrl-C or SIGTERM: only tables in the summary were published.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, as the documentation prints it.
    pub const TABLE: [(Self, &'static str); 10] = [
        (Self::Done, "done"),
        (Self::Bug, "a defect of logmill: please report it"),
        (Self::Usage, "invalid command line, environment or config file"),
        (Self::TooManyRejects, "too many rejected rows, or no required proof: nothing was published"),
        (
            Self::Unusable,
            "input or output unusable, or a published day does not match its manifest or would lose rows",
        ),
        (
            Self::SomeFailed,
            "some days or tables failed, while others were published or failed in another way",
        ),
        (Self::NotRegistered, "published, but not registered in the catalog"),
        (Self::Temporary, "another run holds the day, or a service is unavailable: retry later"),
        (
            Self::NoInput,
            "no rows, and --fail-on-empty was given; or 'logmill why' has not found the event in the lake",
        ),
        (Self::Interrupted, "interrupted by Ctrl-C or SIGTERM: only tables in the summary were published"),
    ];

    /// The exit code of a command over several tables.
    ///
    /// If every table failed in the same way, it is the code of that failure. If some tables succeeded, or the failures
    /// differ, it is [`SomeFailed`](Self::SomeFailed). If every failure is [`NotRegistered`](Self::NotRegistered), it is that.
    #[must_use]
    pub fn of_failures(failures: &[Self], some_done: bool) -> Self {
        match failures.first() {
            None => Self::Done,
            Some(_) if failures.contains(&Self::Interrupted) => Self::Interrupted,
            Some(_) if failures.iter().all(|failure| *failure == Self::NotRegistered) => Self::NotRegistered,
            Some(first) if !some_done && failures.iter().all(|failure| failure == first) => *first,
            Some(_) => Self::SomeFailed,
        }
    }

    /// The number for the shell.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        let of_kind = |(exit, _): &(Self, _)| exit.code() == kind.exit_code();
        Self::TABLE.iter().find(|entry| of_kind(entry)).map_or(Self::Bug, |(exit, _)| *exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_tables_end_with_one_code() {
        use Exit::{Done, Interrupted, NotRegistered, SomeFailed, Temporary, Unusable};
        for (failures, some_done, expected) in [
            (&[][..], true, Done),
            (&[NotRegistered, NotRegistered], false, NotRegistered),
            (&[NotRegistered], true, NotRegistered),
            (&[Unusable, Unusable], false, Unusable),
            (&[Unusable], true, SomeFailed),
            (&[Unusable, NotRegistered], false, SomeFailed),
            (&[Unusable, Temporary], false, SomeFailed),
            (&[Unusable, Interrupted], true, Interrupted),
        ] {
            assert_eq!(Exit::of_failures(failures, some_done), expected, "{failures:?} {some_done}");
        }
    }
}
