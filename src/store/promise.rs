//! A behaviour of a store that runs rely on, and whether a store shows it.

use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};

/// How much two clocks may differ in milliseconds: those of machines, and that of a store.
pub(super) const CLOCKS_DIFFER_MS: i64 = 5 * 60_000;

/// How much depends on a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it, a day can be lost, mixed or not published at all.
    Required,
    /// Without it, days are safe, but something else does not work.
    Useful,
}

/// A behaviour that runs rely on.
#[derive(Debug, PartialEq, Eq)]
pub struct Promise {
    /// A short name, which is unique among the promises of a kind of store.
    pub name: &'static str,
    /// How much depends on it.
    pub need: Need,
    /// What relies on it.
    pub purpose: &'static str,
    /// What happens on a store that does not keep it.
    pub broken: &'static str,
    /// What to do then.
    pub next: &'static str,
}

/// What a check has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The store keeps the promise.
    Kept,
    /// The store does not keep it: what it did instead.
    Broken(String),
    /// The check could not be made: why.
    Untried(String),
}

impl Seen {
    /// [`Kept`](Self::Kept) if a condition holds, otherwise what the store did.
    pub(super) fn if_so(holds: bool, otherwise: &str) -> Self {
        if holds { Self::Kept } else { Self::Broken(otherwise.to_owned()) }
    }

    /// A failed request shows that the store lacks something, unless it was not allowed or the service was unavailable.
    fn of_failure(error: &Error) -> Self {
        let is_unknown = error.fact("code") == Some("NotImplemented");
        match error.kind() {
            ErrorKind::Denied | ErrorKind::Temporary if !is_unknown => Self::Untried(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// A promise, and whether a store keeps it.
#[derive(Debug)]
pub struct Tried {
    /// The promise.
    pub promise: &'static Promise,
    /// What its check has seen.
    pub seen: Seen,
}

impl Tried {
    /// Whether a store that does this cannot hold a lake: a required promise is broken or could not be tried.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.promise.need == Need::Required && self.seen != Seen::Kept
    }
}

/// A promise with the check that shows it on a subject: a lake, a bucket or a folder.
pub struct Case<S> {
    /// The promise.
    pub promise: Promise,
    /// Whether the check needs only a few small files, so that it may run on a store of a user.
    pub is_small: bool,
    /// Tries it. Each check uses names of its own.
    pub check: fn(&S) -> Result<Seen>,
}

/// Runs the checks of a table in order. Fails only if the process is asked to stop.
pub fn try_cases<S: 'static>(
    subject: &S,
    cases: impl IntoIterator<Item = &'static Case<S>>,
    cancel: &Cancel,
) -> Result<Vec<Tried>> {
    let mut tried = Vec::new();
    for case in cases {
        cancel.check()?;
        let seen = match (case.check)(subject) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => Seen::of_failure(&error),
            Ok(seen) => seen,
        };
        tried.push(Tried { promise: &case.promise, seen });
    }
    Ok(tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_request_breaks_a_promise_unless_it_was_not_allowed_or_not_answered() {
        let error = |kind| Error::new(kind, "failed");
        let broken = Seen::Broken("failed".to_owned());
        for (error, expected) in [
            (error(ErrorKind::Unusable), broken.clone()),
            (error(ErrorKind::Denied), Seen::Untried("failed".to_owned())),
            (error(ErrorKind::Temporary), Seen::Untried("failed".to_owned())),
        ] {
            assert_eq!(Seen::of_failure(&error), expected);
        }
        let unknown = error(ErrorKind::Temporary).with("code", "NotImplemented");
        assert!(matches!(Seen::of_failure(&unknown), Seen::Broken(_)));
    }
}
