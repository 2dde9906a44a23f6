//! The engine: tables and views of one lake, and statements over them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::Analyzer;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;

use super::failure::{lacks_column, of_query};
use super::files::LakeFiles;
use super::meaning::AthenaMeaning;
use super::rows::{RowStream, Rows, Scanned, Waiter, Workers};
use super::spills::SpillFolder;
use super::table::{Days, LAKE_URL, LakeTable, NamedDays, days_of};
use super::views::{VIEWS, View};
use super::zoned_gate::ZonedGate;
use super::{functions, statement, types};
use crate::cancel::Cancel;
use crate::dataset::{self, Dataset};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::nearest::nearest_name;
use crate::store::Lake;
use crate::table::{Naming, Promotion, TableSchema};

/// Stack of a worker: plans of views over views are walked recursively.
const STACK_BYTES: usize = 16 << 20;

/// Consumers of memory that are named when there is not enough.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(2);

/// A table that is known whether or not the lake has it yet.
#[derive(Clone)]
pub struct KnownTable {
    /// Its name.
    pub name: String,
    /// Its log type.
    pub dataset: &'static dyn Dataset,
    /// How its columns are called as long as no day is published.
    pub naming: Naming,
    /// JSON values with columns of their own, as long as no day is published.
    pub promote: Vec<Promotion>,
}

impl KnownTable {
    /// The tables that exist without settings: one a log type.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        let table = |dataset: &'static dyn Dataset| Self {
            name: dataset.default_table().to_owned(),
            dataset,
            naming: Naming::Snake,
            promote: Vec::new(),
        };
        dataset::all().map(table).collect()
    }
}

/// How an engine works.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Threads that work on a statement.
    pub threads: usize,
    /// Bytes of rows that may wait in memory; sorts, joins and groups beyond that are spilled.
    pub memory: usize,
    /// Folder of this machine for what is spilled; it must exist when something is.
    pub scratch: PathBuf,
    /// The only days that are there, where not all are wanted.
    pub days: Option<DayRange>,
    /// Asks the work to stop.
    pub cancel: Cancel,
}

/// Answers statements over one lake. Days are seen as they were when a statement first needed them.
pub struct Engine {
    lake: Arc<dyn Lake>,
    files: Arc<LakeFiles>,
    tables: Vec<LakeTableSource>,
    days: Option<DayRange>,
    context: SessionContext,
    waiter: Waiter,
}

/// A table that can be named.
struct LakeTableSource {
    name: String,
    known: Option<KnownTable>,
    /// Its days, once it was named.
    days: Mutex<Option<TableDays>>,
    named: Arc<NamedDays>,
}

/// Days of a table that a statement names, though not all are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpublishedDays<'e> {
    /// The table.
    pub table: &'e str,
    /// How many of them are not published.
    pub missing: usize,
    /// How many are named.
    pub named: usize,
    /// The first that is not published.
    pub first: KstDay,
}

/// The days of a table.
#[derive(Clone)]
struct TableDays {
    all: Days,
    /// Those of them that are wanted.
    wanted: Days,
}

impl Engine {
    /// Opens a lake: its tables are listed, and nothing else is read before a statement names one.
    pub fn open(lake: Arc<dyn Lake>, known: &[KnownTable], options: &EngineOptions) -> Result<Self> {
        let mut names = lake.names("")?;
        names.retain(|name| !name.starts_with(['_', '.']));
        names.extend(known.iter().map(|table| table.name.clone()));
        names.sort();
        names.dedup();
        let source = |name: String| LakeTableSource {
            known: known.iter().find(|table| table.name == name).cloned(),
            days: Mutex::default(),
            named: Arc::new(NamedDays::among(options.days)),
            name,
        };
        let tables = names.into_iter().map(source).collect();
        let files = Arc::new(LakeFiles::new(Arc::clone(&lake)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads)
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|cause| Error::unusable("cannot start the threads of the query", cause))?;
        let spills = SpillFolder::below(&options.scratch)?;
        let context = session(options, &spills, &files)?;
        let waiter =
            Waiter { workers: Arc::new(Workers::new(runtime, spills)), cancel: options.cancel.clone() };
        Ok(Self { lake, files, tables, days: options.days, context, waiter })
    }

    /// Answers a statement with all its rows.
    pub fn sql(&self, sql: &str) -> Result<Rows> {
        self.stream(sql)?.collect()
    }

    /// Answers a statement with its rows as they come.
    pub fn stream(&self, sql: &str) -> Result<RowStream> {
        let before = self.scanned();
        let plan = self.plan(sql)?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(of_query)?;
        let plan = types::described(plan).map_err(of_query)?;
        let frame = DataFrame::new(self.context.state(), plan);
        let waiter = self.waiter.clone();
        let said = |error| self.files.failure().unwrap_or_else(|| of_query(error));
        let stream = waiter.wait(async { frame.execute_stream().await.map_err(said) })?;
        Ok(RowStream::new(stream, waiter, Arc::clone(&self.files), before))
    }

    /// What was read since the engine was opened.
    #[must_use]
    pub fn scanned(&self) -> Scanned {
        self.files.scanned()
    }

    /// Of the tables that were named, those without a day among the wanted ones.
    pub fn tables_without_days(&self) -> impl Iterator<Item = &str> {
        let is_without = |table: &&LakeTableSource| {
            let days = table.days.lock().unwrap_or_else(PoisonError::into_inner);
            days.as_ref().is_some_and(|days| days.wanted.known.is_empty())
        };
        self.tables.iter().filter(is_without).map(|table| table.name.as_str())
    }

    /// Days that conditions on `proc_ymd` name without all of them being published, by table. Conditions that leave the
    /// first or the last day open name none.
    pub fn unpublished_days(&self) -> impl Iterator<Item = UnpublishedDays<'_>> {
        self.tables.iter().filter_map(|table| {
            let (missing, named, first) = table.named.unpublished()?;
            Some(UnpublishedDays { table: &table.name, missing, named, first })
        })
    }

    /// Tables with a condition on `proc_ymd` that no day fits, whether it is published or not.
    pub fn tables_that_no_day_fits(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().filter(|table| table.named.fit_none()).map(|table| table.name.as_str())
    }

    /// Of the tables that were named, those with the name of a view, which cannot be read beside them.
    pub fn tables_over_views(&self) -> impl Iterator<Item = &str> {
        let is_named =
            |table: &&LakeTableSource| table.days.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let is_view = |name: &&str| VIEWS.iter().any(|view| view.name == *name);
        self.tables.iter().filter(is_named).map(|table| table.name.as_str()).filter(is_view)
    }

    /// Names of the tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Plans a statement, with all tables and views that it names.
    fn plan(&self, sql: &str) -> Result<LogicalPlan> {
        let statement = statement::parse(sql, &self.context.state())?;
        let named = self.named_in(&statement)?;
        for name in &named {
            self.make_known(name)?;
        }
        if statement::lists_tables(&statement) {
            self.make_all_known()?;
        }
        let state = self.context.state();
        let plan = |statement| async { Ok(state.statement_to_plan(statement).await) };
        match self.waiter.wait(plan(statement.clone()))? {
            Err(error) if lacks_column(&error) && self.widen(&named)? => {
                let state = self.context.state();
                self.waiter.wait(async { state.statement_to_plan(statement).await.map_err(of_query) })
            }
            planned => planned.map_err(of_query),
        }
    }

    fn named_in(&self, statement: &Statement) -> Result<Vec<String>> {
        let references = self.context.state().resolve_table_references(statement).map_err(of_query)?;
        let of_lake = references.iter().filter(|reference| reference.schema() != Some("information_schema"));
        Ok(of_lake.map(|reference| reference.table().to_owned()).collect())
    }

    /// Makes a table or view known to the engine, where there is one of that name.
    fn make_known(&self, name: &str) -> Result<()> {
        if self.context.table_exist(name).map_err(of_query)? {
            return Ok(());
        }
        if let Some(table) = self.table(name) {
            let days = self.days_of(table)?;
            return match self.schema_of(table, &days, false)? {
                Some(provider) => self.register(name, provider),
                None => Err(self.no_such_table(name)),
            };
        }
        match VIEWS.iter().find(|view| view.name == name) {
            Some(view) => self.make_view_known(view),
            // For example generate_series(1, 10).
            None if self.context.table_function(name).is_ok() => Ok(()),
            None => Err(self.no_such_table(name)),
        }
    }

    fn make_view_known(&self, view: &View) -> Result<()> {
        let read = self.tables_read_by(view)?;
        let (mut is_there, mut is_compact) = (false, false);
        for name in &read {
            let newest = if let Some(table) = self.table(name) {
                self.days_of(table)?.all.newest()?
            } else {
                // One log of two: the other one has no rows.
                self.make_default_known(name)?;
                None
            };
            is_there |= newest.is_some();
            is_compact |= newest.is_some_and(|manifest| manifest.naming == Naming::Compact);
        }
        if !is_there {
            return Err(self.nothing_to_view(view, &read)?);
        }
        let plan = self.plan(view.query());
        let plan = plan.map_err(|cause| {
            if is_compact && cause.kind() == ErrorKind::Usage {
                return Error::new(ErrorKind::Usage, "the view needs the snake names of columns")
                    .with("view", view.name)
                    .with("tables", read.join(", "))
                    .hint("these days have compact names: publish them with --naming snake for the views")
                    .caused_by(cause);
            }
            let hint = cause.next_step().map(str::to_owned);
            let error = Error::new(cause.kind(), "the view cannot be made over this lake")
                .with("view", view.name)
                .caused_by(cause);
            hint.into_iter().fold(error, Error::hint)
        })?;
        self.register(view.name, Arc::new(ViewTable::new(plan, Some(view.query().to_owned()))))
    }

    fn table(&self, name: &str) -> Option<&LakeTableSource> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The tables that a view reads, also through other views.
    fn tables_read_by(&self, view: &View) -> Result<Vec<String>> {
        let mut tables = Vec::new();
        for name in self.named_in(&statement::parse(view.query(), &self.context.state())?)? {
            match VIEWS.iter().find(|other| other.name == name && self.table(&name).is_none()) {
                Some(other) => tables.extend(self.tables_read_by(other)?),
                None => tables.push(name),
            }
        }
        tables.sort();
        tables.dedup();
        Ok(tables)
    }

    /// Makes a table of a log known that neither the lake nor the settings have.
    fn make_default_known(&self, name: &str) -> Result<()> {
        let known = KnownTable::defaults().into_iter().find(|known| known.name == name);
        let table =
            LakeTableSource { name: name.to_owned(), known, days: Mutex::default(), named: Arc::default() };
        let days = self.days_of(&table)?;
        match self.schema_of(&table, &days, false)? {
            Some(provider) => self.register(name, provider),
            None => Ok(()),
        }
    }

    /// The error about a view of whose tables none has a day.
    fn nothing_to_view(&self, view: &View, read: &[String]) -> Result<Error> {
        let mut others = Vec::new();
        for table in &self.tables {
            let newest = self.days_of(table)?.all.newest()?;
            let log = newest.and_then(|manifest| dataset::named(&manifest.dataset));
            if log.is_some_and(|log| read.iter().any(|name| name == log.default_table())) {
                others.push(table.name.as_str());
            }
        }
        let error = Error::new(ErrorKind::Usage, "the view reads a table that has no published day")
            .with("view", view.name)
            .with("table", read.join(", "))
            .with("lake", self.lake.address(""));
        Ok(if others.is_empty() {
            error.hint("publish a day with 'logmill run'")
        } else {
            error.hint(format!("of that log the lake has {}, which the views do not read", others.join(", ")))
        })
    }

    /// For listings: folders that are not tables, and views over missing tables, are left out.
    fn make_all_known(&self) -> Result<()> {
        let names = self.tables().chain(VIEWS.iter().map(|view| view.name));
        for name in names {
            match self.make_known(name) {
                Err(error) if error.kind() != ErrorKind::Usage => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn register(&self, name: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
        self.context.deregister_table(name).map_err(of_query)?;
        self.context.register_table(name, provider).map_err(of_query)?;
        Ok(())
    }

    /// The published days of a table.
    fn days_of(&self, table: &LakeTableSource) -> Result<TableDays> {
        let mut known = table.days.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(days) = &*known {
            return Ok(days.clone());
        }
        let all = days_of(self.lake.as_ref(), &table.name)?;
        let all = Days::new(Arc::clone(&self.lake), &table.name, all);
        let wanted = all.among(|day| self.days.is_none_or(|wanted| wanted.contains(day)));
        Ok(known.insert(TableDays { all, wanted }).clone())
    }

    /// A table with the columns of its newest day, or of all its days; `None` for a folder that is not a table.
    fn schema_of(
        &self,
        table: &LakeTableSource,
        days: &TableDays,
        of_all_days: bool,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let mut manifests =
            if of_all_days { days.wanted.all()? } else { days.wanted.newest()?.into_iter().collect() };
        if manifests.is_empty() {
            // A table is what it is on the days that are not wanted.
            manifests.extend(days.all.newest()?);
        }
        let mut schemas: Vec<TableSchema> = Vec::new();
        let mut log_type = table.known.as_ref().map(|known| known.dataset);
        for manifest in &manifests {
            let dataset =
                dataset::require(&manifest.dataset).map_err(|error| error.with("table", &manifest.table))?;
            log_type = Some(log_type.unwrap_or(dataset));
            schemas.push(dataset.schema(manifest.naming, &manifest.promote));
        }
        if let (true, Some(known)) = (schemas.is_empty(), &table.known) {
            schemas.push(known.dataset.schema(known.naming, &known.promote));
        }
        let provider = |dataset| {
            let table = LakeTable::new(
                days.wanted.clone(),
                Arc::clone(&self.files),
                dataset,
                &schemas,
                Arc::clone(&table.named),
            );
            Arc::new(table) as Arc<dyn TableProvider>
        };
        Ok(log_type.map(provider))
    }

    /// Gives tables the columns that only older days have; whether there was anything to do.
    fn widen(&self, names: &[String]) -> Result<bool> {
        let mut has_widened = false;
        for table in self.tables.iter().filter(|table| names.contains(&table.name)) {
            let days = self.days_of(table)?;
            if let Some(provider) = self.schema_of(table, &days, true)? {
                self.register(&table.name, provider)?;
                has_widened = true;
            }
        }
        Ok(has_widened)
    }

    fn no_such_table(&self, name: &str) -> Error {
        let names: Vec<&str> = self.tables().chain(VIEWS.iter().map(|view| view.name)).collect();
        let near = nearest_name(name, names.into_iter()).map(|known| format!("did you mean {known}? "));
        Error::new(ErrorKind::Usage, format!("unknown table or view '{name}'"))
            .with("lake", self.lake.address(""))
            .hint(format!("{}SHOW TABLES lists them", near.unwrap_or_default()))
    }
}

fn session(options: &EngineOptions, spills: &SpillFolder, files: &Arc<LakeFiles>) -> Result<SessionContext> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(options.memory), NAMED_CONSUMERS);
    let disk = DiskManagerBuilder::default().with_mode(match spills.path() {
        Some(folder) => DiskManagerMode::Directories(vec![folder.to_owned()]),
        None => DiskManagerMode::Disabled,
    });
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(of_query)?;
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads)
        .with_information_schema(true)
        .with_create_default_catalog_and_schema(true);
    let settings = config.options_mut();
    settings.sql_parser.collect_spans = true;
    // As in Athena, in both directions.
    "nulls_last".clone_into(&mut settings.sql_parser.default_null_ordering);
    // It names a column twice where a view over structs is grouped by a field of one.
    settings.optimizer.enable_leaf_expression_pushdown = false;
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    let conversions = Analyzer::new().rules;
    let rules =
        [Arc::new(AthenaMeaning) as _].into_iter().chain(conversions).chain([Arc::new(ZonedGate) as _]);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_analyzer_rules(rules.collect())
        .build();
    let context = SessionContext::new_with_state(state);
    let url =
        LAKE_URL.parse().map_err(|cause| Error::bug("the address of the lake is none").caused_by(cause))?;
    context.register_object_store(&url, Arc::clone(files) as _);
    functions::register(&context);
    Ok(context)
}
