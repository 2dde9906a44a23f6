//! The SQL engine over the tables and views of one lake.

mod listings;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;

use super::failure::{lacks_column, of_query};
use super::files::LakeFiles;
use super::rows::{RowStream, Rows};
use super::scanned::Scanned;
use super::session::{EngineOptions, session, sibling};
use super::spills::SpillFolder;
use super::table::{Days, LakeTable, NamedDays};
use super::views::{VIEWS, View};
use super::workers::{Waiter, Workers};
use super::{file_columns, log_types, statement, ties, types, unnest};
use crate::dataset::{self, Dataset, LogType, TableShape};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::nearest::nearest_name;
use crate::store::Lake;
use crate::store::lake::{days_of, table_names};
use crate::table::{Naming, TableSchema};

/// Stack size of a worker thread. Plans of nested views are walked recursively.
const STACK_BYTES: usize = 16 << 20;

/// Runs statements over one lake. Every statement sees a day as it was when a statement first needed it.
pub struct Engine {
    lake: Arc<dyn Lake>,
    files: Arc<LakeFiles>,
    /// The tables of the settings.
    known: Vec<TableShape>,
    tables: Vec<LakeTableSource>,
    days: Option<DayRange>,
    /// The tables that the views read, if any is of their log type.
    chosen: Vec<String>,
    context: SessionContext,
    /// Where the default table of a log type means all its tables. The views are planned here.
    by_log_type: SessionContext,
    waiter: Waiter,
    /// Prepared statements by name.
    prepared: Mutex<HashMap<String, String>>,
}

/// A plan, and the names under which its columns are shown if they differ.
struct Planned {
    plan: LogicalPlan,
    names: BTreeMap<String, String>,
}

/// A table that statements can name.
struct LakeTableSource {
    name: String,
    /// Its columns before it has a day, if the settings name the table.
    known: Option<TableShape>,
    /// Its days, loaded when a statement first names the table.
    days: Mutex<Option<TableDays>>,
    /// Whether a statement reads the table.
    is_read: AtomicBool,
    named: Arc<NamedDays>,
}

impl LakeTableSource {
    fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Relaxed)
    }
}

/// Days of a table that statements name although some of them are not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpublishedDays<'e> {
    /// The table.
    pub table: &'e str,
    /// Number of named days that are not published.
    pub missing: usize,
    /// Number of named days.
    pub named: usize,
    /// The first named day that is not published.
    pub first: KstDay,
}

/// The days of a table.
#[derive(Clone)]
struct TableDays {
    all: Days,
    /// The days within [`EngineOptions::days`].
    wanted: Days,
}

impl Engine {
    /// Opens a lake and lists its tables. Reads nothing more until a statement names a table.
    pub fn open(lake: Arc<dyn Lake>, known: &[TableShape], options: &EngineOptions) -> Result<Self> {
        let tables = tables_of(lake.as_ref(), known, options.days)?;
        let files = Arc::new(LakeFiles::new(Arc::clone(&lake)));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads)
            .thread_name("query")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|cause| Error::unusable("cannot start the query threads", cause))?;
        let spills = SpillFolder::below(&options.scratch)?;
        let context = session(options, &spills, &files)?;
        let by_log_type = sibling(&context)?;
        let workers = Arc::new(Workers::new(runtime, spills)?);
        let waiter = Waiter { workers, cancel: options.cancel.clone() };
        let (known, days, chosen) = (known.to_vec(), options.days, options.chosen.clone());
        let prepared = Mutex::default();
        Ok(Self { lake, files, known, tables, days, chosen, context, by_log_type, waiter, prepared })
    }

    /// Forgets tables and days, so that later statements see the lake as it is when they begin.
    pub fn refresh(&mut self) -> Result<()> {
        for context in [&self.context, &self.by_log_type] {
            for name in registered(context) {
                context.deregister_table(name.as_str()).map_err(of_query)?;
            }
        }
        self.files.failure();
        self.tables = tables_of(self.lake.as_ref(), &self.known, self.days)?;
        Ok(())
    }

    /// Runs a statement and returns all its rows.
    pub fn sql(&self, sql: &str) -> Result<Rows> {
        self.stream(sql)?.collect()
    }

    /// Runs a statement and streams its rows.
    pub fn stream(&self, sql: &str) -> Result<RowStream> {
        let before = self.scanned();
        let Planned { plan, names } = self.plan(&self.asked(sql)?)?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(of_query)?;
        let plan = types::described(plan).map_err(of_query)?;
        let frame = DataFrame::new(self.context.state(), plan);
        let waiter = self.waiter.clone();
        let to_ours = |error| self.files.failure().unwrap_or_else(|| of_query(error));
        let stream = waiter.wait(async { frame.execute_stream().await.map_err(to_ours) })?;
        Ok(RowStream::new(stream, &names, waiter, Arc::clone(&self.files), before))
    }

    /// Returns the amount read since the engine was opened.
    #[must_use]
    pub fn scanned(&self) -> Scanned {
        self.files.scanned()
    }

    /// Returns the named tables that have no day within [`EngineOptions::days`].
    pub fn tables_without_days(&self) -> impl Iterator<Item = &str> {
        let is_without = |table: &&LakeTableSource| {
            let days = table.days.lock().unwrap_or_else(PoisonError::into_inner);
            table.is_read() && days.as_ref().is_some_and(|days| days.wanted.known.is_empty())
        };
        self.tables.iter().filter(is_without).map(|table| table.name.as_str())
    }

    /// Returns, per table, the days that conditions on `proc_ymd` name if some of them are not published. Conditions with an
    /// open first or last day name none.
    pub fn unpublished_days(&self) -> impl Iterator<Item = UnpublishedDays<'_>> {
        self.tables.iter().filter_map(|table| {
            let (missing, named, first) = table.named.unpublished()?;
            Some(UnpublishedDays { table: &table.name, missing, named, first })
        })
    }

    /// Returns the tables with a condition on `proc_ymd` that no day satisfies, published or not.
    pub fn unmatched_tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().filter(|table| table.named.fit_none()).map(|table| table.name.as_str())
    }

    /// Returns the named tables that hide a view of the same name.
    pub fn tables_over_views(&self) -> impl Iterator<Item = &str> {
        let is_view = |name: &&str| view_named(name).is_some() || log_types::of_relation(name).is_some();
        self.tables.iter().filter(|table| table.is_read()).map(|table| table.name.as_str()).filter(is_view)
    }

    /// Returns the names of the tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Returns the names of the tables, the views and the relations over all tables of a log type.
    #[must_use]
    pub fn relations(&self) -> Vec<String> {
        let views = VIEWS.iter().map(|view| view.name.to_owned());
        self.tables()
            .map(str::to_owned)
            .chain(views)
            .chain(dataset::all().map(log_types::relation_of))
            .collect()
    }

    /// Returns the names of the columns of a table or view.
    pub fn columns(&self, name: &str) -> Result<Vec<String>> {
        self.make_known(name)?;
        let provider =
            self.waiter.wait(async { self.context.table_provider(name).await.map_err(of_query) })?;
        Ok(provider.schema().fields().iter().map(|field| field.name().clone()).collect())
    }

    /// Returns the names of the functions, sorted.
    #[must_use]
    pub fn functions(&self) -> Vec<String> {
        let state = self.context.state();
        let scalar = state.scalar_functions().keys();
        let mut names: Vec<String> = scalar
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Plans a statement and registers the tables and views that it names.
    fn plan(&self, sql: &str) -> Result<Planned> {
        let statement::Parsed { statement, names } = statement::parse(sql)?;
        let named = self.named_in(&statement)?;
        for name in &named {
            self.make_known(name)?;
        }
        let shows_files = file_columns::are_named_in(sql);
        if shows_files {
            self.show_files(&named)?;
        }
        if statement::lists_tables(&statement) {
            self.make_all_known()?;
        }
        let state = self.context.state();
        let plan = |statement| async { Ok(state.statement_to_plan(statement).await) };
        let plan = match self.waiter.wait(plan(statement.clone()))? {
            Err(error) if lacks_column(&error) && self.widen(&named)? => {
                let state = self.context.state();
                self.waiter.wait(async { state.statement_to_plan(statement).await.map_err(of_query) })?
            }
            planned => planned.map_err(of_query)?,
        };
        if shows_files {
            named.iter().try_for_each(|name| {
                self.context.deregister_table(name.as_str()).map(drop).map_err(of_query)
            })?;
        }
        let plan = unnest::joined(plan).and_then(ties::resolved).map_err(of_query)?;
        Ok(Planned { plan, names })
    }

    /// Registers tables with the columns about files.
    fn show_files(&self, names: &[String]) -> Result<()> {
        for table in self.tables.iter().filter(|table| names.contains(&table.name)) {
            let days = self.days_of(table)?;
            if let Some(provider) = self.with_columns(table, &days, false, true)? {
                self.register(&table.name, provider)?;
            }
        }
        Ok(())
    }

    fn named_in(&self, statement: &Statement) -> Result<Vec<String>> {
        let references = self.context.state().resolve_table_references(statement).map_err(of_query)?;
        let of_lake = references.iter().filter(|reference| reference.schema() != Some("information_schema"));
        Ok(of_lake.map(|reference| reference.table().to_owned()).collect())
    }

    /// Registers the table or view of a name with the engine, or fails if the lake has neither.
    fn make_known(&self, name: &str) -> Result<()> {
        if self.context.table_exist(name).map_err(of_query)? {
            return Ok(());
        }
        if let Some(table) = self.table(name) {
            return match self.provider_of(table)? {
                Some(provider) => self.register(name, provider),
                None => Err(self.no_such_table(name)),
            };
        }
        if let Some(view) = view_named(name) {
            return self.register(name, self.view(view)?);
        }
        match log_types::of_relation(name) {
            Some(log_type) if self.tables_with(log_type)?.is_empty() => {
                Err(self.no_published_day(name, &[log_type.default_table().to_owned()]))
            }
            Some(log_type) => self.register(name, self.relation(log_type)?),
            // A table function, for example generate_series(1, 10).
            None if self.context.table_function(name).is_ok() => Ok(()),
            None => Err(self.no_such_table(name)),
        }
    }

    /// Plans a view over all tables of the log types that it reads.
    fn view(&self, view: &View) -> Result<Arc<dyn TableProvider>> {
        let read = self.log_types_read_by(view)?;
        let mut published = Vec::new();
        for log_type in &read {
            published.push(self.tables_with(*log_type)?.len());
        }
        // A view over two logs counts the one without a table as empty.
        if published.iter().all(|tables| *tables == 0) {
            let tables: Vec<String> =
                read.iter().map(|log_type| log_type.default_table().to_owned()).collect();
            return Err(self.no_published_day(view.name, &tables));
        }
        let shows_tables = published.iter().any(|tables| *tables > 1);
        let plan = self.plan_by_log_type(view.query(), shows_tables).map_err(|cause| {
            let hint = cause.next_step().map(str::to_owned);
            let error = Error::new(cause.kind(), "cannot create the view over this lake")
                .with("view", view.name)
                .caused_by(cause);
            hint.into_iter().fold(error, Error::hint)
        })?;
        Ok(Arc::new(ViewTable::new(plan, Some(view.query().to_owned()))))
    }

    /// Plans a statement whose tables are log types.
    fn plan_by_log_type(&self, sql: &str, shows_tables: bool) -> Result<LogicalPlan> {
        let context = &self.by_log_type;
        let mut statement = statement::parse(sql)?.statement;
        if shows_tables {
            log_types::show_log_table(&mut statement);
        }
        for name in self.named_in(&statement)? {
            if context.table_exist(name.as_str()).map_err(of_query)? {
                continue;
            }
            let provider = match (view_named(&name), log_types::of_default_table(&name)) {
                (Some(view), _) => self.view(view)?,
                (None, Some(log_type)) => self.relation(log_type)?,
                (None, None) => return Err(self.no_such_table(&name)),
            };
            context.register_table(name.as_str(), provider).map_err(of_query)?;
        }
        let state = context.state();
        let plan = self.waiter.wait(async { state.statement_to_plan(statement).await.map_err(of_query) })?;
        unnest::joined(plan).map_err(of_query)
    }

    fn table(&self, name: &str) -> Option<&LakeTableSource> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Returns the log types that a view reads, directly or through other views.
    fn log_types_read_by(&self, view: &View) -> Result<Vec<&'static dyn Dataset>> {
        let mut read: Vec<&'static dyn Dataset> = Vec::new();
        for name in self.named_in(&statement::parse(view.query())?.statement)? {
            let found = match view_named(&name) {
                Some(other) => self.log_types_read_by(other)?,
                None => log_types::of_default_table(&name).into_iter().collect(),
            };
            read.extend(found);
        }
        read.sort_by_key(|log_type| log_type.name());
        read.dedup_by_key(|log_type| log_type.name());
        Ok(read)
    }

    /// Returns the tables of a log type that views read and that have a published day. A table with the default name of
    /// another log type is not looked at.
    fn tables_with(&self, log_type: &dyn Dataset) -> Result<Vec<&LakeTableSource>> {
        let is_of_type = |table: &LakeTableSource| {
            table.known.as_ref().is_some_and(|known| known.dataset.name() == log_type.name())
        };
        let is_chosen = |table: &LakeTableSource| is_of_type(table) && self.chosen.contains(&table.name);
        let only_chosen = self.tables.iter().any(is_chosen);
        let mut found = Vec::new();
        for table in self.tables.iter().filter(|table| !only_chosen || is_chosen(table)) {
            let of_default = log_types::of_default_table(&table.name);
            if of_default.is_some_and(|other| other.name() != log_type.name()) {
                continue;
            }
            let newest = self.days_of(table)?.all.newest()?;
            if newest.is_some_and(|manifest| manifest.dataset == log_type.name()) {
                found.push(table);
            }
        }
        Ok(found)
    }

    /// Builds the relation over all tables of a log type. Without any, it is empty.
    fn relation(&self, log_type: &'static dyn Dataset) -> Result<Arc<dyn TableProvider>> {
        let mut found = self.tables_with(log_type)?;
        let default = default_table(log_type);
        if found.is_empty() {
            found.push(self.table(log_type.default_table()).unwrap_or(&default));
        }
        let mut tables = Vec::new();
        for table in found {
            if let Some(provider) = self.complete_provider_of(table, log_type)? {
                tables.push((table.name.clone(), provider));
            }
        }
        log_types::relation(log_type, tables).map_err(of_query)
    }

    /// Builds a table with all columns of its log type, as far as any of its days has them.
    fn complete_provider_of(
        &self,
        table: &LakeTableSource,
        log_type: &dyn Dataset,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let days = self.days_of(table)?;
        let provider = self.provider_of(table)?;
        let is_complete =
            |provider: &Arc<dyn TableProvider>| log_types::is_complete(&provider.schema(), log_type);
        if provider.as_ref().is_some_and(is_complete) && !days.wanted.changes_naming()? {
            return Ok(provider);
        }
        self.schema_of(table, &days, true)
    }

    /// Builds a table with the columns of its newest day; `None` if the folder is not a table.
    fn provider_of(&self, table: &LakeTableSource) -> Result<Option<Arc<dyn TableProvider>>> {
        table.is_read.store(true, Ordering::Relaxed);
        self.schema_of(table, &self.days_of(table)?, false)
    }

    /// Builds the error for a view whose tables have no published day.
    fn no_published_day(&self, view: &str, read: &[String]) -> Error {
        Error::new(ErrorKind::Usage, "the view reads a table that has no published day")
            .with("view", view)
            .with("table", read.join(", "))
            .with("lake", self.lake.address(""))
            .hint("publish a day with 'logmill run'")
    }

    /// Registers everything that a listing shows. Skips folders that are not tables and views over missing tables.
    fn make_all_known(&self) -> Result<()> {
        let mut names: Vec<String> = self.tables().map(str::to_owned).collect();
        names.extend(VIEWS.iter().map(|view| view.name.to_owned()));
        for log_type in dataset::all() {
            if self.has_other_tables(log_type)? {
                names.push(log_types::relation_of(log_type));
            }
        }
        for name in names {
            match self.make_known(&name) {
                Err(error) if error.kind() != ErrorKind::Usage => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the default table is not the only table of a log type, or has other column names.
    fn has_other_tables(&self, log_type: &dyn Dataset) -> Result<bool> {
        let found = self.tables_with(log_type)?;
        let [table] = found.as_slice() else { return Ok(!found.is_empty()) };
        let newest = self.days_of(table)?.all.newest()?;
        Ok(table.name != log_type.default_table()
            || newest.is_some_and(|manifest| manifest.naming != Naming::Snake))
    }

    fn register(&self, name: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
        self.context.deregister_table(name).map_err(of_query)?;
        self.context.register_table(name, provider).map_err(of_query)?;
        Ok(())
    }

    /// Returns the published days of a table.
    fn days_of(&self, table: &LakeTableSource) -> Result<TableDays> {
        let mut known = table.days.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(days) = &*known {
            return Ok(days.clone());
        }
        let all = days_of(self.lake.as_ref(), &table.name)?.into_iter().collect();
        let all = Days::new(Arc::clone(&self.lake), &table.name, all);
        let wanted = all.among(|day| self.days.is_none_or(|wanted| wanted.contains(day)));
        Ok(known.insert(TableDays { all, wanted }).clone())
    }

    /// Builds a table with the columns of its newest day or of all its days; `None` if the folder is not a table.
    fn schema_of(
        &self,
        table: &LakeTableSource,
        days: &TableDays,
        of_all_days: bool,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.with_columns(table, days, of_all_days, false)
    }

    fn with_columns(
        &self,
        table: &LakeTableSource,
        days: &TableDays,
        of_all_days: bool,
        shows_files: bool,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let mut manifests =
            if of_all_days { days.wanted.all()? } else { days.wanted.newest()?.into_iter().collect() };
        if manifests.is_empty() {
            // Days outside the range still define the columns.
            manifests.extend(days.all.newest()?);
        }
        let mut schemas: Vec<TableSchema> = Vec::new();
        let mut log_type = table.known.as_ref().map(|known| known.dataset);
        for manifest in &manifests {
            let shape = manifest.shape()?;
            log_type = log_type.or(Some(shape.dataset));
            schemas.push(shape.schema());
        }
        if let (true, Some(known)) = (schemas.is_empty(), &table.known) {
            schemas.push(known.schema());
        }
        let provider = |log_type: LogType| {
            let table = LakeTable::new(
                days.wanted.clone(),
                Arc::clone(&self.files),
                log_type.dataset(),
                &schemas,
                Arc::clone(&table.named),
                shows_files,
            );
            Arc::new(table) as Arc<dyn TableProvider>
        };
        Ok(log_type.map(provider))
    }

    /// Adds the columns that only older days have. Returns whether any table was registered again.
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
            .hint(format!("{}use SHOW TABLES to list tables and views", near.unwrap_or_default()))
    }
}

/// Lists the tables of a lake and those of the settings.
fn tables_of(lake: &dyn Lake, known: &[TableShape], days: Option<DayRange>) -> Result<Vec<LakeTableSource>> {
    let mut names = table_names(lake)?;
    names.extend(known.iter().map(|table| table.table.clone()));
    names.sort();
    names.dedup();
    let source = |name: String| LakeTableSource {
        known: known.iter().find(|known| known.table == name).cloned(),
        days: Mutex::default(),
        is_read: AtomicBool::new(false),
        named: Arc::new(NamedDays::among(days)),
        name,
    };
    Ok(names.into_iter().map(source).collect())
}

/// The default table of a log type that neither the lake nor the settings have.
fn default_table(log_type: &'static dyn Dataset) -> LakeTableSource {
    LakeTableSource {
        name: log_type.default_table().to_owned(),
        known: Some(TableShape::default_of(log_type)),
        days: Mutex::default(),
        is_read: AtomicBool::new(false),
        named: Arc::default(),
    }
}

fn view_named(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}

/// The names of the tables and views that an engine's session knows.
fn registered(context: &SessionContext) -> Vec<String> {
    let state = context.state();
    let defaults = &state.config_options().catalog;
    let catalog = context.catalog(&defaults.default_catalog);
    let schema = catalog.and_then(|catalog| catalog.schema(&defaults.default_schema));
    schema.map(|schema| schema.table_names()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
