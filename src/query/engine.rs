//! The SQL engine over the tables and views of one lake.

mod listings;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::ViewTable;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;

use super::failure::{lacks_column, of_query};
use super::files::LakeFiles;
use super::rows::{RowStream, Rows, Waiter, Workers};
use super::scanned::Scanned;
use super::session::{EngineOptions, session};
use super::spills::SpillFolder;
use super::table::{Days, FILE_COLUMNS, LakeTable, NamedDays};
use super::views::{VIEWS, View};
use super::{statement, types, unnest};
use crate::dataset::{self, LogType, TableShape};
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
    tables: Vec<LakeTableSource>,
    days: Option<DayRange>,
    context: SessionContext,
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
    named: Arc<NamedDays>,
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
        let mut names = table_names(lake.as_ref())?;
        names.extend(known.iter().map(|table| table.table.clone()));
        names.sort();
        names.dedup();
        let source = |name: String| LakeTableSource {
            known: known.iter().find(|known| known.table == name).cloned(),
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
            .map_err(|cause| Error::unusable("cannot start the query threads", cause))?;
        let spills = SpillFolder::below(&options.scratch)?;
        let context = session(options, &spills, &files)?;
        let waiter =
            Waiter { workers: Arc::new(Workers::new(runtime, spills)), cancel: options.cancel.clone() };
        Ok(Self { lake, files, tables, days: options.days, context, waiter, prepared: Mutex::default() })
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
            days.as_ref().is_some_and(|days| days.wanted.known.is_empty())
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
        let is_named =
            |table: &&LakeTableSource| table.days.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let is_view = |name: &&str| VIEWS.iter().any(|view| view.name == *name);
        self.tables.iter().filter(is_named).map(|table| table.name.as_str()).filter(is_view)
    }

    /// Returns the names of the tables, in order.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Plans a statement and registers the tables and views that it names.
    fn plan(&self, sql: &str) -> Result<Planned> {
        let statement::Parsed { statement, names } = statement::parse(sql)?;
        let named = self.named_in(&statement)?;
        for name in &named {
            self.make_known(name)?;
        }
        let shows_files = FILE_COLUMNS.iter().any(|column| sql.contains(&format!("\"{column}\"")));
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
        Ok(Planned { plan: unnest::joined(plan).map_err(of_query)?, names })
    }

    /// Registers tables with the columns about files.
    fn show_files(&self, names: &[String]) -> Result<()> {
        for table in self.tables.iter().filter(|table| names.contains(&table.name)) {
            let days = self.days_of(table)?;
            if let Some(provider) = self.provider_of(table, &days, false, true)? {
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
            let days = self.days_of(table)?;
            return match self.schema_of(table, &days, false)? {
                Some(provider) => self.register(name, provider),
                None => Err(self.no_such_table(name)),
            };
        }
        match VIEWS.iter().find(|view| view.name == name) {
            Some(view) => self.make_view_known(view),
            // A table function, for example generate_series(1, 10).
            None if self.context.table_function(name).is_ok() => Ok(()),
            None => Err(self.no_such_table(name)),
        }
    }

    fn make_view_known(&self, view: &View) -> Result<()> {
        let read = self.tables_read_by(view)?;
        let (mut has_day, mut is_compact) = (false, false);
        for name in &read {
            let newest = if let Some(table) = self.table(name) {
                self.days_of(table)?.all.newest()?
            } else {
                // A view over two logs counts the one without a table as empty.
                self.make_default_known(name)?;
                None
            };
            has_day |= newest.is_some();
            is_compact |= newest.is_some_and(|manifest| manifest.naming == Naming::Compact);
        }
        if !has_day {
            return Err(self.no_published_day(view, &read)?);
        }
        let plan = self.plan(view.query());
        let plan = plan.map_err(|cause| {
            if is_compact && cause.kind() == ErrorKind::Usage {
                return Error::new(ErrorKind::Usage, "the view needs the snake names of its columns")
                    .with("view", view.name)
                    .with("tables", read.join(", "))
                    .hint("the days have compact column names: publish them with --naming snake to use the views")
                    .caused_by(cause);
            }
            let hint = cause.next_step().map(str::to_owned);
            let error = Error::new(cause.kind(), "cannot create the view over this lake")
                .with("view", view.name)
                .caused_by(cause);
            hint.into_iter().fold(error, Error::hint)
        })?;
        self.register(view.name, Arc::new(ViewTable::new(plan.plan, Some(view.query().to_owned()))))
    }

    fn table(&self, name: &str) -> Option<&LakeTableSource> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Returns the tables that a view reads, directly or through other views.
    fn tables_read_by(&self, view: &View) -> Result<Vec<String>> {
        let mut tables = Vec::new();
        for name in self.named_in(&statement::parse(view.query())?.statement)? {
            match VIEWS.iter().find(|other| other.name == name && self.table(&name).is_none()) {
                Some(other) => tables.extend(self.tables_read_by(other)?),
                None => tables.push(name),
            }
        }
        tables.sort();
        tables.dedup();
        Ok(tables)
    }

    /// Registers the default table of a log type that neither the lake nor the settings have.
    fn make_default_known(&self, name: &str) -> Result<()> {
        let dataset = dataset::all().find(|dataset| dataset.default_table() == name);
        let known = dataset.map(TableShape::default_of);
        let table =
            LakeTableSource { name: name.to_owned(), known, days: Mutex::default(), named: Arc::default() };
        let days = self.days_of(&table)?;
        match self.schema_of(&table, &days, false)? {
            Some(provider) => self.register(name, provider),
            None => Ok(()),
        }
    }

    /// Builds the error for a view whose tables have no published day.
    fn no_published_day(&self, view: &View, read: &[String]) -> Result<Error> {
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
            error.hint(format!(
                "the lake has this log type in other tables, which the views do not read: {}",
                others.join(", ")
            ))
        })
    }

    /// Registers everything that a listing shows. Skips folders that are not tables and views over missing tables.
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
        self.provider_of(table, days, of_all_days, false)
    }

    fn provider_of(
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

#[cfg(test)]
mod tests;
