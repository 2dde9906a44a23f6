//! Searches for an event: in the lake first, then in the raw logs.
//!
//! The search begins with the indexes of the published files. It continues with the rejected rows and with the days before
//! and after. If none of these has the id, it reads the raw objects that a run of the day would read.

use super::find::{find_quarantined, find_rows};
use super::freshness::last_failure;
use super::trace::{Fate, PublishedDay, Trace, add_raw};
use crate::convert::{self, ConvertOptions, RawQuery, search_raw};
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::plan::{TablePlan, TableSource, plan_table};
use crate::publish::run_history::RunHistory;
use crate::publish::run_record::RunRecord;
use crate::publish::{self, Manifest};
use crate::store::lake::{Partition, table_names};
use crate::store::{Connector, Lake};
use crate::table::{Identifier, IdentityKey, Naming, TableSchema};

/// The id to search for, and where to search.
pub struct IdSearch<'a> {
    /// The sources with raw logs.
    pub sources: &'a [TableSource],
    /// Opens the raw logs.
    pub connector: &'a Connector,
    /// The lake.
    pub lake: &'a dyn Lake,
    /// The day of the event.
    pub day: KstDay,
    /// What the id identifies.
    pub what: Identifier,
    /// The id.
    pub id: &'a str,
    /// The key for hashing row identities.
    pub identity_key: IdentityKey,
    /// The limits of reading raw objects, and the cancellation flag.
    pub options: ConvertOptions,
    /// Whether to search only the tables of the sources, without the other tables of the lake.
    pub only_sources: bool,
    /// Whether to read the raw objects even if another place has the id.
    pub deep: bool,
    /// Begins to show the progress of reading the raw objects of a plan.
    pub progress: &'a (dyn Fn(&TablePlan) -> Box<dyn convert::Progress> + Sync),
}

/// A table that may have the id.
struct SearchedTable<'a> {
    partition: Partition,
    dataset: &'static dyn Dataset,
    /// The source of its rows, if raw logs are given.
    source: Option<&'a TableSource>,
}

/// The result for a table.
pub struct IdFindings {
    /// The table and day.
    pub partition: Partition,
    /// The columns, named as in the published day.
    pub schema: TableSchema,
    /// The manifest of the published day.
    pub manifest: Option<Manifest>,
    /// The last run, if it failed.
    pub failure: Option<RunRecord>,
    /// The rows and objects that have the id.
    pub traces: Vec<Trace>,
    /// The raw objects that were searched; `None` if none were.
    pub raw: Option<RawSearch>,
}

/// The raw objects that were searched.
pub struct RawSearch {
    /// Their number.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first delivery time of the objects that a run of the day reads.
    pub from: UtcInstant,
    /// The end of these delivery times.
    pub until: UtcInstant,
    /// Addresses of the objects that could not be read completely.
    pub damaged: Vec<String>,
}

impl IdFindings {
    /// Returns the fate to report for the table.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let nothing = if self.raw.is_some() { Fate::Absent } else { Fate::Unknown };
        self.traces.iter().map(|trace| trace.fate).min().unwrap_or(nothing)
    }
}

/// Returns the log type of a day of a table, from its manifest or its last run record.
pub fn recorded_dataset(lake: &dyn Lake, partition: &Partition) -> Result<Option<&'static dyn Dataset>> {
    let name = match publish::read_manifest(lake, partition)? {
        Some(manifest) => Some(manifest.dataset),
        None => RunHistory::list(lake, partition)?.last()?.map(|record| record.dataset),
    };
    Ok(name.and_then(|name| dataset::named(&name)))
}

impl<'a> IdSearch<'a> {
    /// Returns the findings for each table. Runs on the current pool of workers.
    pub fn run(&self) -> Result<Vec<IdFindings>> {
        let tables = self.tables()?;
        let mut findings = tables.iter().map(|table| self.look(table)).collect::<Result<Vec<_>>>()?;
        let is_found = findings.iter().any(|table| !table.traces.is_empty());
        if self.deep || !is_found {
            let mut searched = tables.iter().zip(&mut findings);
            searched.try_for_each(|(table, findings)| self.look_into_raw_logs(table, findings))?;
        }
        Ok(findings)
    }

    /// Returns the tables of the sources that have raw logs or the day. Unless only the sources are wanted, adds the tables
    /// of the lake.
    fn tables(&self) -> Result<Vec<SearchedTable<'a>>> {
        let of_source = |source: &'a TableSource| SearchedTable {
            partition: source.spec.partition(self.day),
            dataset: source.spec.dataset.dataset(),
            source: Some(source).filter(|source| !source.spec.inputs.is_empty()),
        };
        let mut tables = Vec::new();
        for table in self.sources.iter().map(of_source) {
            if self.only_sources
                || table.source.is_some()
                || recorded_dataset(self.lake, &table.partition)?.is_some()
            {
                tables.push(table);
            }
        }
        let names = if self.only_sources { Vec::new() } else { table_names(self.lake)? };
        for table in names {
            if tables.iter().any(|known| known.partition.table == table) {
                continue;
            }
            let partition = Partition { table, day: self.day };
            if let Some(dataset) = recorded_dataset(self.lake, &partition)? {
                tables.push(SearchedTable { partition, dataset, source: None });
            }
        }
        let has_ids = |schema: TableSchema| schema.identifier(self.what).is_some();
        tables.retain(|table| has_ids(table.dataset.schema(Naming::Snake, &[])));
        if tables.is_empty() { Err(self.nothing_to_search()) } else { Ok(tables) }
    }

    fn nothing_to_search(&self) -> Error {
        Error::new(ErrorKind::Unusable, "no table with such ids has the day, and no raw logs are given")
            .with("day", self.day)
            .with("lake", self.lake.address(""))
            .hint("pass the raw logs with --input, or a config file with --config")
    }

    /// Returns the findings from the lake.
    fn look(&self, table: &SearchedTable<'_>) -> Result<IdFindings> {
        let SearchedTable { partition, dataset, source } = table;
        self.options.cancel.check()?;
        let manifest = publish::read_manifest(self.lake, partition)?;
        let failure = last_failure(self.lake, partition, manifest.as_ref())?;
        let naming = manifest.as_ref().map(|manifest| manifest.naming);
        let naming = naming.or(source.map(|source| source.spec.naming)).unwrap_or_default();
        let mut traces = self.published(partition, *dataset, manifest.as_ref(), Fate::InLake)?;
        let runs =
            [manifest.as_ref().map(|manifest| &manifest.run), failure.as_ref().map(|failed| &failed.run)];
        for run in runs.into_iter().flatten() {
            let rejected = find_quarantined(self.lake, partition, run, self.id)?;
            let rejected = rejected.into_iter().map(Trace::of_quarantined);
            let new: Vec<Trace> = rejected.filter(|trace| !traces.contains(trace)).collect();
            traces.extend(new);
        }
        if traces.is_empty() {
            traces = self.neighbours(partition, *dataset)?;
        }
        let (schema, partition) = (dataset.schema(naming, &[]), partition.clone());
        Ok(IdFindings { partition, schema, manifest, failure, traces, raw: None })
    }

    /// Adds the findings from the raw logs, if they are given.
    fn look_into_raw_logs(&self, table: &SearchedTable<'_>, findings: &mut IdFindings) -> Result<()> {
        if let Some(source) = table.source {
            let IdFindings { partition, manifest, traces, .. } = findings;
            findings.raw = Some(self.raw(source, partition, manifest.as_ref(), traces)?);
        }
        Ok(())
    }

    /// Returns the rows of a published day that have the id.
    fn published(
        &self,
        partition: &Partition,
        dataset: &dyn Dataset,
        manifest: Option<&Manifest>,
        fate: Fate,
    ) -> Result<Vec<Trace>> {
        let Some(manifest) = manifest else { return Ok(Vec::new()) };
        let schema = dataset.schema(manifest.naming, &manifest.promote);
        let rows = find_rows(self.lake, partition, manifest, &schema, self.what, self.id)?;
        Ok(rows.into_iter().map(|row| Trace::of_published(row, fate)).collect())
    }

    /// Returns the rows of the days before and after that have the id, if these days are published.
    fn neighbours(&self, partition: &Partition, dataset: &dyn Dataset) -> Result<Vec<Trace>> {
        let mut traces = Vec::new();
        for day in [self.day.previous(), self.day.next()] {
            let neighbour = Partition { day, ..partition.clone() };
            let manifest = publish::read_manifest(self.lake, &neighbour)?;
            traces.extend(self.published(&neighbour, dataset, manifest.as_ref(), Fate::OtherDay)?);
        }
        Ok(traces)
    }

    /// Searches the raw objects that a run of the day would read.
    fn raw(
        &self,
        source: &TableSource,
        partition: &Partition,
        manifest: Option<&Manifest>,
        traces: &mut Vec<Trace>,
    ) -> Result<RawSearch> {
        let mut plan = plan_table(source, self.day, self.connector)?;
        if let Some(manifest) = manifest {
            // The rules of the published run decide which rows were left out.
            plan.spec.filter.clone_from(&manifest.filter);
            plan.spec.promote.clone_from(&manifest.promote);
            plan.spec.naming = manifest.naming;
        }
        let query = RawQuery { what: self.what, id: self.id, identity_key: self.identity_key };
        let progress = (self.progress)(&plan);
        let found = search_raw(&plan, query, &self.options, self.connector, progress.as_ref())?;
        drop(progress);
        let damaged = found.damaged.iter().map(|place| plan.objects[*place].address.clone()).collect();
        let inputs = match manifest {
            Some(manifest) => publish::read_inputs(self.lake, partition, manifest)?,
            None => Vec::new(),
        };
        let published = manifest.map(|manifest| PublishedDay { manifest, inputs: &inputs });
        add_raw(traces, self.day, &plan.objects, found, published);
        Ok(RawSearch {
            objects: plan.objects.len() as u64,
            bytes: plan.bytes(),
            from: self.day.window().start,
            until: plan.complete_at(self.day),
            damaged,
        })
    }
}
