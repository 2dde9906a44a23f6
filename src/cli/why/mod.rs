//! `logmill why`: finds an event, or explains why it is not in the lake.
//!
//! The search begins with the indexes of the published files. It continues with the rejected rows and with the days before and
//! after. If none of these has the id, it reads the raw objects that a run of the day would read. [`show`] prints the result.

mod findings;
mod show;

use self::findings::{Findings, IdSearch, RawSearch, SearchedTable};
use super::args::{GlobalArgs, WhyArgs};
use super::console;
use super::context::{Context, on_workers};
use super::exit::Exit;
use super::progress::Bar;
use super::settings::{Flags, rows};
use crate::audit::freshness::last_failure;
use crate::audit::{Fate, PublishedDay, Trace, add_raw};
use crate::convert::{RawQuery, search_raw};
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{TableSource, plan_table};
use crate::publish::run_history::RunHistory;
use crate::publish::{self, Manifest};
use crate::road::{Work, identity_key};
use crate::store::Lake;
use crate::store::lake::Partition;
use crate::table::TableSchema;

pub(super) fn run(args: &WhyArgs, global: &GlobalArgs, context: &Context) -> Result<Exit> {
    let day = KstDay::parse(&args.day.day, console::now())?;
    let named = dataset_of_lone_table(args, day, global, context)?;
    let mut flags = Flags::of([&*args.source, &args.lake, &args.read]).with_sources();
    if let Some(dataset) = named {
        flags = flags.or(&rows::DATASET, dataset.name());
    }
    let is_narrowed = flags.has(&rows::TABLE) || flags.has(&rows::DATASET);
    let settings = context.settings(global, &flags)?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    let (what, id) = args.id.given();
    let search =
        IdSearch { settings: &settings, connector: &connector, lake: lake.as_ref(), context, day, what, id };
    let tables = search.tables(is_narrowed)?;
    let mut findings = tables.iter().map(|table| search.look(table)).collect::<Result<Vec<_>>>()?;
    let answers = findings.iter().any(|table| !table.traces.is_empty());
    if args.deep || !answers {
        let mut searched = tables.iter().zip(&mut findings);
        searched.try_for_each(|(table, findings)| search.look_into_raw_logs(table, findings))?;
    }
    show::print(&search, &findings, args.format)?;
    let is_found = findings.iter().any(|table| table.fate() == Fate::InLake);
    Ok(if is_found { Exit::Done } else { Exit::NoInput })
}

/// Returns the source flags. A table that is named without a log type gets the log type that the lake records.
fn dataset_of_lone_table(
    args: &WhyArgs,
    day: KstDay,
    global: &GlobalArgs,
    context: &Context,
) -> Result<Option<&'static dyn Dataset>> {
    let (Some(table), None) = (args.source.one(&rows::TABLE), args.source.one(&rows::DATASET)) else {
        return Ok(None);
    };
    let settings = context.settings(global, &Flags::of([&*args.lake]))?;
    let connector = context.connector(&settings);
    let lake = connector.lake(settings.output()?, &settings.lake.access)?;
    dataset_of(lake.as_ref(), &Partition { table, day })
}

/// Returns the log type of a day of a table, from its manifest or its last run record.
fn dataset_of(lake: &dyn Lake, partition: &Partition) -> Result<Option<&'static dyn Dataset>> {
    let name = match publish::read_manifest(lake, partition)? {
        Some(manifest) => Some(manifest.dataset),
        None => RunHistory::list(lake, partition)?.last()?.map(|record| record.dataset),
    };
    Ok(name.and_then(|name| dataset::named(&name)))
}

impl<'a> IdSearch<'a> {
    /// Returns the tables of the sources that have raw logs or the day. Unless a table or log type is named, adds the tables
    /// of the lake.
    fn tables(&self, is_narrowed: bool) -> Result<Vec<SearchedTable<'a>>> {
        let of_source = |source: &'a TableSource| SearchedTable {
            partition: source.spec.partition(self.day),
            dataset: source.spec.dataset.dataset(),
            source: Some(source).filter(|source| !source.spec.inputs.is_empty()),
        };
        let mut tables = Vec::new();
        for table in self.settings.sources.iter().map(of_source) {
            if is_narrowed || table.source.is_some() || dataset_of(self.lake, &table.partition)?.is_some() {
                tables.push(table);
            }
        }
        let names = if is_narrowed { Vec::new() } else { self.lake.names("")? };
        for table in names.into_iter().filter(|name| !name.starts_with(['_', '.'])) {
            if tables.iter().any(|known| known.partition.table == table) {
                continue;
            }
            let partition = Partition { table, day: self.day };
            if let Some(dataset) = dataset_of(self.lake, &partition)? {
                tables.push(SearchedTable { partition, dataset, source: None });
            }
        }
        let has_ids = |schema: TableSchema| schema.identifier(self.what).is_some();
        tables.retain(|table| has_ids(table.dataset.schema(crate::table::Naming::Snake, &[])));
        if tables.is_empty() {
            let error = Error::new(
                ErrorKind::Unusable,
                "no table with such ids has the day, and no raw logs are given",
            );
            return Err(error
                .with("day", self.day)
                .with("lake", self.lake.address(""))
                .hint("pass the raw logs with --input, or a config file with --config"));
        }
        Ok(tables)
    }

    /// Returns the findings from the lake.
    fn look(&self, table: &SearchedTable<'_>) -> Result<Findings> {
        let SearchedTable { partition, dataset, source } = table;
        self.context.cancel.check()?;
        let manifest = publish::read_manifest(self.lake, partition)?;
        let failure = last_failure(self.lake, partition, manifest.as_ref())?;
        let naming = manifest.as_ref().map(|manifest| manifest.naming);
        let naming = naming.or(source.map(|source| source.spec.naming)).unwrap_or_default();
        let mut traces = self.published(partition, *dataset, manifest.as_ref(), Fate::InLake)?;
        let runs =
            [manifest.as_ref().map(|manifest| &manifest.run), failure.as_ref().map(|failed| &failed.run)];
        for run in runs.into_iter().flatten() {
            let rejected = crate::audit::find_quarantined(self.lake, partition, run, self.id)?;
            let rejected = rejected.into_iter().map(Trace::of_quarantined);
            let new: Vec<Trace> = rejected.filter(|trace| !traces.contains(trace)).collect();
            traces.extend(new);
        }
        if traces.is_empty() {
            traces = self.neighbours(partition, *dataset)?;
        }
        let (schema, partition) = (dataset.schema(naming, &[]), partition.clone());
        Ok(Findings { partition, schema, manifest, failure, traces, raw: None })
    }

    /// Adds the findings from the raw logs, if they are given.
    fn look_into_raw_logs(&self, table: &SearchedTable<'_>, findings: &mut Findings) -> Result<()> {
        if let Some(source) = table.source {
            let Findings { partition, manifest, traces, .. } = findings;
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
        let find = || crate::audit::find_rows(self.lake, partition, manifest, &schema, self.what, self.id);
        let rows = on_workers(self.settings.threads, find)??;
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
        let query = RawQuery { what: self.what, id: self.id, identity_key: identity_key()? };
        let options = self.settings.convert_options(&self.context.cancel);
        let progress = Bar::begin(self.context.console, &plan.spec.table, Work::Read(plan.bytes()));
        let found = on_workers(self.settings.threads, || {
            search_raw(&plan, query, &options, self.connector, &progress)
        })??;
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
