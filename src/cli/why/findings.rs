//! A search for an event, and what it found.

use crate::audit::{Fate, Trace};
use crate::cli::context::Context;
use crate::cli::settings::Settings;
use crate::dataset::Dataset;
use crate::kst::{KstDay, UtcInstant};
use crate::plan::TableSource;
use crate::publish::Manifest;
use crate::publish::run_record::RunRecord;
use crate::store::lake::Partition;
use crate::store::{Connector, Lake};
use crate::table::{Identifier, TableSchema};

/// The id to search for, and where to search.
pub(super) struct IdSearch<'a> {
    pub(super) settings: &'a Settings,
    pub(super) connector: &'a Connector,
    pub(super) lake: &'a dyn Lake,
    pub(super) context: &'a Context,
    pub(super) day: KstDay,
    pub(super) what: Identifier,
    pub(super) id: &'a str,
}

/// A table that may have the id.
pub(super) struct SearchedTable<'a> {
    pub(super) partition: Partition,
    pub(super) dataset: &'static dyn Dataset,
    /// The source of its rows, if raw logs are given.
    pub(super) source: Option<&'a TableSource>,
}

/// The result for a table.
pub(super) struct Findings {
    pub(super) partition: Partition,
    pub(super) schema: TableSchema,
    pub(super) manifest: Option<Manifest>,
    /// The last run, if it failed.
    pub(super) failure: Option<RunRecord>,
    pub(super) traces: Vec<Trace>,
    pub(super) raw: Option<RawSearch>,
}

/// The raw objects that were searched.
pub(super) struct RawSearch {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    /// The delivery times of the objects that a run of the day reads.
    pub(super) from: UtcInstant,
    pub(super) until: UtcInstant,
    /// Addresses of the objects that could not be read completely.
    pub(super) damaged: Vec<String>,
}

impl Findings {
    /// Returns the fate to report for the table.
    pub(super) fn fate(&self) -> Fate {
        let nothing = if self.raw.is_some() { Fate::Absent } else { Fate::Unknown };
        self.traces.iter().map(|trace| trace.fate).min().unwrap_or(nothing)
    }
}
