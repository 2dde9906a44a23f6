//! A table of the lake for DataFusion: its schema, and the days and files that a scan reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result as DataFusionResult, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema as ScanSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::days::{self, TimeColumns};
use super::file_columns::{self, FileFacts};
use super::files::{LakeFiles, meta};
use crate::convert::PartFile;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::publish::{self, Manifest};
use crate::store::Lake;
use crate::store::lake::Partition;
use crate::table::{Origin, TableSchema};

/// The address under which DataFusion finds the files of the lake.
pub(super) const LAKE_URL: &str = "lake://lake/";

/// When files were written, by their path below the lake.
type WriteTimes = HashMap<String, UtcInstant>;

/// A table of the lake.
pub(super) struct LakeTable {
    days: Days,
    files: Arc<LakeFiles>,
    /// The columns of the files, without the partition column.
    columns: SchemaRef,
    schema: SchemaRef,
    /// Whether the table has the columns about files.
    shows_files: bool,
    times: TimeColumns,
    /// Days that statements have named.
    named: Arc<NamedDays>,
}

/// Days of a table that statements name in their conditions on `proc_ymd`.
#[derive(Debug, Default)]
pub(super) struct NamedDays {
    /// The only days to record; `None` for all days.
    among: Option<DayRange>,
    /// Each named day, and whether it is published.
    days: Mutex<BTreeMap<KstDay, bool>>,
    /// Whether some condition is satisfied by no day.
    fit_none: AtomicBool,
}

impl NamedDays {
    /// Starts without named days, and will record only those within a range.
    pub(super) fn among(among: Option<DayRange>) -> Self {
        Self { among, ..Self::default() }
    }

    fn add(&self, named: &[KstDay], is_published: impl Fn(KstDay) -> bool) {
        self.fit_none.fetch_or(named.is_empty(), Ordering::Relaxed);
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recorded = |day: &&KstDay| self.among.is_none_or(|among| among.contains(**day));
        days.extend(named.iter().filter(is_recorded).map(|day| (*day, is_published(*day))));
    }

    /// Whether some condition has a form that no day satisfies.
    pub(super) fn fit_none(&self) -> bool {
        self.fit_none.load(Ordering::Relaxed)
    }

    /// Returns the number of named days that are not published, the number of named days, and the first unpublished one.
    pub(super) fn unpublished(&self) -> Option<(usize, usize, KstDay)> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = days.iter().filter(|(_, is_published)| !**is_published).map(|(day, _)| *day);
        let first = missing.next()?;
        Some((missing.count() + 1, days.len(), first))
    }
}

/// The published days of a table. Each manifest is read once, so that all statements of an engine see the same days.
#[derive(Clone)]
pub(super) struct Days {
    lake: Arc<dyn Lake>,
    table: String,
    /// The days that have a folder, in order.
    pub(super) known: Arc<Vec<KstDay>>,
    manifests: Arc<Mutex<HashMap<KstDay, Option<Arc<Manifest>>>>>,
}

impl Days {
    pub(super) fn new(lake: Arc<dyn Lake>, table: &str, days: Vec<KstDay>) -> Self {
        Self { lake, table: table.to_owned(), known: Arc::new(days), manifests: Arc::default() }
    }

    /// Returns a subset of the days. Both share the manifests that were read.
    pub(super) fn among(&self, is_wanted: impl Fn(KstDay) -> bool) -> Self {
        let wanted = self.known.iter().copied().filter(|day| is_wanted(*day)).collect();
        Self { known: Arc::new(wanted), ..self.clone() }
    }

    /// Returns the manifest of a day; `None` if the day was never published.
    fn manifest(&self, day: KstDay) -> Result<Option<Arc<Manifest>>> {
        let known = || self.manifests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(manifest) = known().get(&day) {
            return Ok(manifest.clone());
        }
        let manifest = publish::read_manifest(self.lake.as_ref(), &self.partition(day))?.map(Arc::new);
        Ok(known().entry(day).or_insert(manifest).clone())
    }

    /// Returns the manifest of the newest published day.
    pub(super) fn newest(&self) -> Result<Option<Arc<Manifest>>> {
        let newest_first = self.known.iter().rev();
        newest_first.map(|day| self.manifest(*day)).find_map(Result::transpose).transpose()
    }

    /// Returns the manifests of all published days, newest first.
    pub(super) fn all(&self) -> Result<Vec<Arc<Manifest>>> {
        let newest_first = self.known.iter().rev();
        newest_first.map(|day| self.manifest(*day)).filter_map(Result::transpose).collect()
    }

    /// Whether the first and the last published day name their columns differently.
    pub(super) fn changes_naming(&self) -> Result<bool> {
        let oldest =
            self.known.iter().map(|day| self.manifest(*day)).find_map(Result::transpose).transpose()?;
        let (oldest, newest) =
            (oldest.map(|manifest| manifest.naming), self.newest()?.map(|newest| newest.naming));
        Ok(oldest != newest)
    }

    /// Returns the manifests of some days in their order, and fetches many at once.
    async fn of(&self, days: &[KstDay]) -> DataFusionResult<Vec<Arc<Manifest>>> {
        use futures::stream::{self, StreamExt, TryStreamExt};
        /// Number of manifests to fetch at once.
        const AT_ONCE: usize = 32;
        let read = |day: KstDay| {
            let days = self.clone();
            async move {
                let read = tokio::task::spawn_blocking(move || days.manifest(day)).await;
                let read = read.map_err(|cause| DataFusionError::External(Box::new(cause)))?;
                read.map_err(|cause| DataFusionError::External(Box::new(cause)))
            }
        };
        let manifests = stream::iter(days.to_vec()).map(read).buffered(AT_ONCE);
        manifests.try_filter_map(async |manifest| Ok(manifest)).try_collect().await
    }

    /// Returns when the files of some days were written, by their path below the lake.
    async fn write_times(&self, manifests: &[Arc<Manifest>]) -> DataFusionResult<WriteTimes> {
        let (days, manifests) = (self.clone(), manifests.to_vec());
        let listed = tokio::task::spawn_blocking(move || days.listed(&manifests)).await;
        let listed = listed.map_err(|cause| DataFusionError::External(Box::new(cause)))?;
        listed.map_err(|cause| DataFusionError::External(Box::new(cause)))
    }

    fn listed(&self, manifests: &[Arc<Manifest>]) -> Result<WriteTimes> {
        let mut times = WriteTimes::new();
        for manifest in manifests {
            let folders: BTreeSet<&str> =
                manifest.parts.iter().filter_map(|part| Some(part.path.rsplit_once('/')?.0)).collect();
            for folder in folders {
                let folder = format!("{}/{folder}", self.partition(manifest.day));
                let entries = self.lake.entries(&folder)?.into_iter();
                times.extend(entries.map(|entry| (format!("{folder}/{}", entry.name), entry.written_at)));
            }
        }
        Ok(times)
    }

    fn partition(&self, day: KstDay) -> Partition {
        Partition { table: self.table.clone(), day }
    }
}

impl LakeTable {
    /// Builds a table with the columns of `schemas`, in order from the newest day to the oldest. If days define a column
    /// differently, the newest day counts.
    pub(super) fn new(
        days: Days,
        files: Arc<LakeFiles>,
        dataset: &dyn Dataset,
        schemas: &[TableSchema],
        named: Arc<NamedDays>,
        shows_files: bool,
    ) -> Self {
        let mut columns: Vec<Field> = Vec::new();
        for field in schemas.iter().flat_map(TableSchema::fields) {
            if !columns.iter().any(|known| known.name() == field.name()) {
                columns.push(as_view(field));
            }
        }
        let times = time_columns(schemas.first(), dataset);
        let of_files = shows_files.then(file_columns::fields).into_iter().flatten();
        let whole =
            columns.iter().cloned().chain([days::partition_field()]).chain(of_files).collect::<Vec<_>>();
        let [columns, schema] = [columns, whole].map(|fields| Arc::new(Schema::new(fields)));
        Self { days, files, columns, schema, shows_files, times, named }
    }

    /// Returns the files of some days. They are listed only if a column about their times is read.
    async fn files_of(
        &self,
        manifests: &[Arc<Manifest>],
        projection: Option<&Vec<usize>>,
    ) -> DataFusionResult<Vec<PartitionedFile>> {
        let is_time = |column: &usize| self.schema.field(*column).name() == file_columns::MODIFIED;
        let needs_times = self.shows_files && projection.is_none_or(|columns| columns.iter().any(is_time));
        let written = if needs_times { self.days.write_times(manifests).await? } else { WriteTimes::new() };
        let of_day = |manifest: &Arc<Manifest>| {
            manifest.parts.iter().map(|part| self.file(manifest, part, &written)).collect::<Vec<_>>()
        };
        Ok(manifests.iter().flat_map(of_day).collect())
    }

    fn file(&self, manifest: &Manifest, part: &PartFile, written: &WriteTimes) -> PartitionedFile {
        let partition = self.days.partition(manifest.day);
        let path = Path::from(format!("{partition}/{}", part.path));
        self.files.expect_size(&path, part.bytes);
        let mut file = PartitionedFile::new_from_meta(meta(&path, part.bytes));
        file.partition_values = vec![ScalarValue::from(manifest.day.proc_ymd())];
        if self.shows_files {
            file.partition_values.extend(file_columns::values(FileFacts {
                address: self.days.lake.address(path.as_ref()),
                bytes: part.bytes,
                written_at: written.get(path.as_ref()).copied(),
                folder: partition.folder(),
            }));
        }
        file.with_statistics(Arc::new(self.statistics(part)))
    }

    /// Returns what the manifest records about a file.
    fn statistics(&self, part: &PartFile) -> Statistics {
        let mut known = Statistics::new_unknown(&self.columns);
        known.num_rows = exactly(part.rows);
        let bounds = [&part.min_event_time, &part.max_event_time].map(|time| UtcInstant::parse_iso8601(time));
        if let [Some(min), Some(max)] = bounds {
            let utc = [min.0, max.0];
            let kst = [min, max].map(UtcInstant::kst_wall_clock_ms);
            for (name, bounds) in [(&self.times.utc, utc), (&self.times.kst, kst)] {
                if let Ok(position) = self.columns.index_of(name) {
                    let column = &mut known.column_statistics[position];
                    [column.min_value, column.max_value] = bounds
                        .map(|time| Precision::Exact(ScalarValue::TimestampMillisecond(Some(time), None)));
                }
            }
        }
        known
    }
}

fn exactly(count: u64) -> Precision<usize> {
    usize::try_from(count).map_or(Precision::Absent, Precision::Exact)
}

/// Reads texts as views into the pages, which the engine processes fastest.
pub(super) fn as_view(field: Field) -> Field {
    match field.data_type() {
        DataType::Utf8 => field.with_data_type(DataType::Utf8View),
        _ => field,
    }
}

fn time_columns(schema: Option<&TableSchema>, dataset: &dyn Dataset) -> TimeColumns {
    let fallback = || dataset.schema(crate::table::Naming::Snake, &[]);
    let schema = schema.cloned().unwrap_or_else(fallback);
    let named = |column: &crate::table::Column| column.named(schema.naming).into_owned();
    let kst = schema.columns.iter().find(|column| column.origin == Origin::EventTimeKst);
    TimeColumns { utc: named(&schema.columns[schema.event_time]), kst: kst.map(named).unwrap_or_default() }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if days::is_about_days(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let wanted = days::wanted(&self.days.known, filters, &self.schema, &self.times, session)?;
        let manifests = self.days.of(&wanted).await?;
        // A day that other conditions exclude counts as published if it has a folder.
        let is_published = |day| {
            if wanted.contains(&day) {
                return manifests.iter().any(|manifest| manifest.day == day);
            }
            self.days.known.binary_search(&day).is_ok()
        };
        if let Some(named) = days::named(filters, session) {
            self.named.add(&named, is_published);
        }
        let files = self.files_of(&manifests, projection).await?;
        if files.is_empty() {
            let projected = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(projected)));
        }
        let rows = manifests.iter().map(|manifest| publish::rows_of(&manifest.parts)).sum();
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = exactly(rows);
        let of_files = self.shows_files.then(file_columns::fields).into_iter().flatten();
        let partitions: Vec<_> =
            [days::partition_field()].into_iter().chain(of_files).map(Arc::new).collect();
        let columns = ScanSchema::builder(Arc::clone(&self.columns));
        let columns = columns.with_table_partition_cols(partitions).build();
        let options = TableParquetOptions {
            global: session.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let footers = session.runtime_env().cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(Arc::clone(&self.files) as _, footers);
        let source = ParquetSource::new(columns)
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(reader));
        let groups = FileGroup::new(files).split_files(session.config().target_partitions());
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::parse(LAKE_URL)?, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl fmt::Debug for LakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LakeTable({}, {} days)", self.days.table, self.days.known.len())
    }
}
