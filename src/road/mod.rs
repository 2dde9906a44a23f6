//! The road: how days become public, step by step.
//!
//! A [`Road`] is one run of the program over one lake. [`DayRoad`] takes one table and day from its plan to the catalog;
//! [`backfill`] takes many days of a table, reads each raw object once, and decides which days need work. What people get to
//! see goes through an [`Observer`]; the clock is handed in. Nothing here prints or reads the environment.

pub mod backfill;
mod day;
mod lock;
mod observer;
mod outcomes;
mod range;
mod rebuild;
mod registration;
mod steps;
mod tables;
mod warnings;

pub use day::DayRoad;
pub use lock::lock_taker;
pub use observer::{About, Field, Observer, Progress, Silent, Work};
pub use outcomes::{Outcomes, PublishedTable, each_table};
pub use rebuild::{DaySelector, Decision, RebuildRule};
pub use registration::{CatalogOptions, Registrar, Registration, RegistrationWarning};
pub use tables::{NotBuilt, Tables};

use self::steps::RunRecords;
use crate::cancel::Cancel;
use crate::convert::ConvertOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;
use crate::publish::PublishOptions;
use crate::publish::run_record::RunRecord;
use crate::store::{Connector, Lake};

/// Tells the time.
pub type Clock = fn() -> UtcInstant;

/// How a run works; what it works on stands in the sources of its tables.
#[derive(Debug, Clone)]
pub struct RoadOptions {
    /// How objects become part files.
    pub convert: ConvertOptions,
    /// What is decided before a day is published.
    pub publish: PublishOptions,
    /// How long the files of a superseded run stay, in milliseconds.
    pub grace_ms: i64,
    /// How long to wait for a day that another run holds, in milliseconds.
    pub wait_ms: i64,
    /// Whether to take a day from a run that holds it.
    pub steals: bool,
}

impl RoadOptions {
    /// The command line's defaults: a run that neither waits for a day nor steals it.
    #[must_use]
    pub fn new(convert: ConvertOptions) -> Self {
        let grace_ms = 3_600_000;
        Self { convert, publish: PublishOptions::default(), grace_ms, wait_ms: 0, steals: false }
    }
}

/// One run of the program.
pub struct Road<'a> {
    /// Where days are published.
    pub lake: &'a dyn Lake,
    /// What opens the inputs.
    pub connector: &'a Connector,
    /// The catalog to update, if any.
    pub registrar: Option<&'a Registrar>,
    /// How the run works.
    pub options: RoadOptions,
    /// Who is told of each step.
    pub observer: &'a dyn Observer,
    /// The clock.
    pub clock: Clock,
    /// The name of the run: the folder of its files.
    pub run: String,
    /// When the run began.
    pub started_at: UtcInstant,
    reports: RunRecords,
}

impl<'a> Road<'a> {
    /// A run that begins now.
    pub fn new(
        lake: &'a dyn Lake,
        connector: &'a Connector,
        registrar: Option<&'a Registrar>,
        options: RoadOptions,
        observer: &'a dyn Observer,
        clock: Clock,
    ) -> Result<Self> {
        let started_at = clock();
        let (run, reports) = (run_name(started_at)?, RunRecords::default());
        Ok(Self { lake, connector, registrar, options, observer, clock, run, started_at, reports })
    }

    /// What is known of each table and day so far.
    #[must_use]
    pub fn reports(&self) -> Vec<RunRecord> {
        self.reports.all()
    }

    /// Seconds since the run began.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds_since(self.started_at)
    }

    /// The database in which days are to be registered, if any.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.registrar.map(|registrar| registrar.options.database.as_str())
    }

    fn now(&self) -> UtcInstant {
        (self.clock)()
    }

    /// Seconds since an instant; none if the clock was set back meanwhile.
    fn seconds_since(&self, began: UtcInstant) -> f64 {
        (self.now().0 - began.0).max(0) as f64 / 1000.0
    }

    fn cancel(&self) -> &Cancel {
        &self.options.convert.cancel
    }
}

/// The name of a run: when it began, and some random digits.
pub fn run_name(started_at: UtcInstant) -> Result<String> {
    let time: String = started_at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    Ok(format!("{time}Z-{:08x}", random()? & 0xffff_ffff))
}

/// The time by the clock that dates the files of a lake, as far as it can be known. The clock of this machine may be ahead of
/// it.
pub fn time_at(lake: &dyn Lake, clock: Clock) -> Result<UtcInstant> {
    Ok(lake.now()?.unwrap_or_else(clock))
}

/// A secret for the identities of rows.
pub fn identity_key() -> Result<[u64; 4]> {
    Ok([random()?, random()?, random()?, random()?])
}

/// Random bits for names and secrets.
fn random() -> Result<u64> {
    getrandom::u64()
        .map_err(|cause| Error::new(ErrorKind::Bug, "the system gives no random numbers").caused_by(cause))
}
