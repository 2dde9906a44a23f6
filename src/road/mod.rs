//! The road: the steps that make days public, in order.
//!
//! A [`Road`] is one run of the program over one lake. [`DayRoad`] takes one table and day from its plan to the catalog.
//! [`backfill`] takes many days of a table, reads each raw object once, and decides which days need work. [`shards`] shares
//! the work on a day between processes. All messages go through an [`Observer`], and the caller supplies the clock. Nothing
//! here prints or reads the environment.

pub mod backfill;
pub mod clean;
mod day;
pub mod diagnosis;
mod lock;
mod observer;
mod outcomes;
mod range;
mod rebuild;
mod registration;
mod reporter;
pub mod shards;
#[cfg(feature = "aws")]
#[cfg(test)]
#[path = "../../tests/sim/mod.rs"]
mod sim;
mod steps;
mod tables;
mod warnings;

pub use day::{DayRoad, each_table};
pub use lock::lock_taker;
pub use observer::{About, Field, Observer, Progress, Silent, Work};
pub use outcomes::{Outcomes, PublishedTable};
pub use rebuild::{DaySelector, Decision, RangeEnd, RebuildRule, WantedDays};
pub use registration::{CatalogOptions, Registrar, Registration, RegistrationWarning};
pub use reporter::Reporter;
pub use tables::{NotBuilt, Refusal, Tables, Unread};

use self::steps::RunRecords;
use crate::cancel::Cancel;
use crate::convert::ConvertOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::publish::PublishOptions;
use crate::publish::run_record::RunRecord;
use crate::store::{Connector, Lake};

/// Returns the current time.
pub type Clock = fn() -> UtcInstant;

/// Options of a run. The sources of its tables define what it works on.
#[derive(Debug, Clone)]
pub struct RoadOptions {
    /// Options for converting objects to part files.
    pub convert: ConvertOptions,
    /// The limits that a day must meet before it is published.
    pub publish: PublishOptions,
    /// How long the files of a superseded run are kept, in milliseconds.
    pub grace_ms: i64,
    /// How long to wait for a day that another run holds, in milliseconds.
    pub wait_ms: i64,
    /// Whether to take over a day that another run holds.
    pub steals: bool,
}

impl RoadOptions {
    /// The command line's defaults: the run does not wait for a day or take it over.
    #[must_use]
    pub fn new(convert: ConvertOptions) -> Self {
        let grace_ms = 3_600_000;
        Self { convert, publish: PublishOptions::default(), grace_ms, wait_ms: 0, steals: false }
    }
}

/// One run of the program.
pub struct Road<'a> {
    /// The lake in which days are published.
    pub lake: &'a dyn Lake,
    /// Opens the inputs.
    pub connector: &'a Connector,
    /// The catalog to update, if any.
    pub registrar: Option<&'a Registrar>,
    /// The options of the run.
    pub options: RoadOptions,
    /// Receives each step.
    pub observer: &'a dyn Observer,
    /// The clock.
    pub clock: Clock,
    /// The name of the run, which is also the name of its folder.
    pub run: String,
    /// When the run began.
    pub started_at: UtcInstant,
    records: RunRecords,
}

impl<'a> Road<'a> {
    /// Starts a run now.
    pub fn new(
        lake: &'a dyn Lake,
        connector: &'a Connector,
        registrar: Option<&'a Registrar>,
        options: RoadOptions,
        observer: &'a dyn Observer,
        clock: Clock,
    ) -> Result<Self> {
        let started_at = clock();
        connector.share_listings(started_at);
        let (run, records) = (run_name(started_at)?, RunRecords::default());
        Ok(Self { lake, connector, registrar, options, observer, clock, run, started_at, records })
    }

    /// Returns the run records of each table and day so far.
    #[must_use]
    pub fn records(&self) -> Vec<RunRecord> {
        self.records.all()
    }

    /// Returns the seconds since the run began.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds_since(self.started_at)
    }

    /// Returns the database in which days are registered, if any.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.registrar.map(|registrar| registrar.options.database.as_str())
    }

    fn now(&self) -> UtcInstant {
        (self.clock)()
    }

    /// Returns the seconds since an instant; 0 if the clock was set back in the meantime.
    fn seconds_since(&self, began: UtcInstant) -> f64 {
        (self.now().0 - began.0).max(0) as f64 / 1000.0
    }

    fn cancel(&self) -> &Cancel {
        &self.options.convert.cancel
    }
}

/// Returns a new run name: the start time and random hexadecimal digits.
pub fn run_name(started_at: UtcInstant) -> Result<String> {
    let time: String = started_at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    Ok(format!("{time}Z-{:08x}", random()? & 0xffff_ffff))
}

/// Returns the time by the clock that dates the files of a lake, because the clock of this machine may be ahead of it. Uses
/// the local clock if the lake's clock is unknown.
pub fn time_at(lake: &dyn Lake, clock: Clock) -> Result<UtcInstant> {
    Ok(lake.now()?.unwrap_or_else(clock))
}

/// Returns a random key for hashing row identities.
pub fn identity_key() -> Result<[u64; 4]> {
    Ok([random()?, random()?, random()?, random()?])
}

/// Returns random bits for names and keys.
fn random() -> Result<u64> {
    getrandom::u64().map_err(|cause| {
        Error::new(ErrorKind::Bug, "cannot get random numbers from the system").caused_by(cause)
    })
}
