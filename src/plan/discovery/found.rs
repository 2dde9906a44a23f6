//! The logs of one log type in the inputs, as counts and names.

use super::names::Names;
use crate::dataset::{KeyOrigin, LogType};
use crate::kst::{DayRange, KstDay, UtcInstant};

/// The logs of one log type.
#[derive(Debug, Clone)]
pub struct FoundLogs {
    /// The log type.
    pub dataset: LogType,
    /// The inputs that hold them.
    pub inputs: Vec<String>,
    /// Accounts that keys show.
    pub accounts: Names,
    /// Regions that keys show.
    pub regions: Names,
    /// Source buckets that keys show.
    pub buckets: Names,
    /// The first and last KST day that the objects can feed; `None` if no key has a time.
    pub days: Option<DayRange>,
    /// The first and last time of an event or a delivery that keys show.
    pub times: Option<(UtcInstant, UtcInstant)>,
    /// Number of objects.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Objects among them that can feed any day, because their keys have no time.
    pub undated: u64,
    /// Objects among them that take a request to read, because they are in a bucket.
    pub fetched: u64,
    /// Number of requests that one listing of these inputs takes.
    pub requests: u64,
}

impl FoundLogs {
    pub(super) fn none(dataset: LogType) -> Self {
        let names = Names::default;
        Self {
            dataset,
            inputs: Vec::new(),
            accounts: names(),
            regions: names(),
            buckets: names(),
            days: None,
            times: None,
            objects: 0,
            bytes: 0,
            undated: 0,
            fetched: 0,
            requests: 0,
        }
    }

    /// Counts an object.
    pub(super) fn add(&mut self, bytes: u64, origin: KeyOrigin<'_>) {
        self.objects += 1;
        self.bytes += bytes;
        self.accounts.add(origin.account);
        self.regions.add(origin.region);
        self.buckets.add(origin.bucket);
    }

    /// Adds what another input holds.
    pub(super) fn merge(&mut self, input: &str, other: &Self) {
        if other.objects == 0 {
            return;
        }
        self.inputs.push(input.to_owned());
        self.accounts.merge(&other.accounts);
        self.regions.merge(&other.regions);
        self.buckets.merge(&other.buckets);
        self.days = self.days.into_iter().chain(other.days).reduce(DayRange::joined);
        let joined = |one: (UtcInstant, UtcInstant), other: (UtcInstant, UtcInstant)| {
            (one.0.min(other.0), one.1.max(other.1))
        };
        self.times = self.times.into_iter().chain(other.times).reduce(joined);
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.undated += other.undated;
        self.fetched += other.fetched;
        self.requests += other.requests;
    }

    /// Returns the last day whose end other logs follow, or the only day.
    pub(super) fn complete_day(&self) -> Option<KstDay> {
        let (first, last) = self.times?;
        Some(KstDay::of(last).previous().max(KstDay::of(first)))
    }
}
