//! Whether an input holds logs of a log type.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::place::parents;
use crate::dataset::Dataset;

/// Whether an input holds logs of a log type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// It holds none.
    No,
    /// Folders of other days may hold some, or only other objects.
    Perhaps,
    /// It does.
    Yes,
}

/// Logs of a log type that no table reads: they are in the folder of a service that the table of their type does not search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MisplacedLogs {
    /// Name of the log type.
    pub dataset: &'static str,
    /// Number of objects.
    pub objects: u64,
    /// The first address.
    pub first: String,
}

/// The addresses of the misplaced logs that searches have met, by log type.
#[derive(Debug, Default)]
pub struct Misplaced(BTreeMap<&'static str, BTreeSet<String>>);

/// What a search of inputs for a log type has found.
#[derive(Debug)]
pub struct HeldLogs {
    /// Whether they hold logs of the log type.
    pub held: Held,
    /// Misplaced logs of other log types. They are complete only if the inputs hold no logs of this type, because the search
    /// stops at the first one.
    pub misplaced: Misplaced,
}

impl Misplaced {
    /// Adds an object.
    pub(super) fn add(&mut self, dataset: &'static str, address: String) {
        self.0.entry(dataset).or_default().insert(address);
    }

    /// Adds the objects that another search has met. Searches of several log types can meet the same ones.
    pub fn extend(&mut self, others: Self) {
        others.0.into_iter().for_each(|(dataset, found)| self.0.entry(dataset).or_default().extend(found));
    }

    /// Counts the objects of each log type.
    #[must_use]
    pub fn counts(&self) -> Vec<MisplacedLogs> {
        let first = |found: &BTreeSet<String>| found.first().cloned().unwrap_or_default();
        let count = |(dataset, found): (&&'static str, &BTreeSet<String>)| MisplacedLogs {
            dataset,
            objects: found.len() as u64,
            first: first(found),
        };
        self.0.iter().map(count).collect()
    }
}

impl MisplacedLogs {
    /// Adds these logs to those of their log type. Each object must be added once.
    pub(super) fn add_to(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|known| known.dataset == self.dataset) {
            Some(known) => {
                known.objects += self.objects;
                known.first = std::mem::take(&mut known.first).min(self.first);
            }
            None => all.push(self),
        }
    }
}

impl Held {
    /// Judges a folder of other dates, which is not entered, by the folders above it: the log type divides one of them by date.
    pub(super) fn below(folder: &str, dataset: &dyn Dataset) -> Self {
        match parents(folder).any(|above| dataset.holds_days(above)) {
            true if dataset.shares_folders() => Self::Perhaps,
            true => Self::Yes,
            false => Self::No,
        }
    }
}
