//! The outcomes for the tables of a day.

use super::registration::Registration;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ListedObjects;
use crate::publish::Manifest;

/// A table whose day was published.
#[derive(Debug)]
pub struct PublishedTable {
    /// The counts of everything that the listing found.
    pub listed: ListedObjects,
    /// The manifest of the published day.
    pub manifest: Manifest,
    /// Address of the rejected rows, if any.
    pub quarantine: Option<String>,
    /// The registration in the catalog, if any.
    pub registration: Option<Registration>,
    /// Why registration in the catalog failed, if it did.
    pub not_registered: Option<Error>,
    /// How long the work took, in seconds.
    pub seconds: f64,
}

/// The outcomes for the tables of a day.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// Tables that were published.
    pub done: Vec<PublishedTable>,
    /// Failures with their tables, including failed registrations of published tables.
    pub failed: Vec<(String, Error)>,
}

impl Outcomes {
    /// Adds the outcome for a table.
    pub fn add(&mut self, table: &str, outcome: Result<PublishedTable>) {
        match outcome {
            Ok(mut published) => {
                let failure = published.not_registered.take();
                self.done.push(published);
                self.failed.extend(failure.map(|error| (table.to_owned(), error)));
            }
            Err(error) => self.failed.push((table.to_owned(), error)),
        }
    }

    /// Whether any table was published.
    #[must_use]
    pub fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether a table was published without rows.
    #[must_use]
    pub fn has_empty(&self) -> bool {
        self.done.iter().any(|done| done.manifest.ledger.written == 0)
    }

    pub(super) fn was_interrupted(&self) -> bool {
        self.failed.iter().any(|(_, error)| error.kind() == ErrorKind::Interrupted)
    }
}
