//! The settings of the engine: memory, spilled rows, and the rules that make it read SQL as Athena does.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::catalog::MemoryCatalogProviderList;
use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::Analyzer;
use datafusion::prelude::SessionConfig;

use super::failure::of_query;
use super::files::LakeFiles;
use super::functions::{self, Closures};
use super::meaning::AthenaMeaning;
use super::spills::SpillFolder;
use super::table::LAKE_URL;
use super::unnest::UnnestPlanner;
use super::zoned_gate::ZonedGate;
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::kst::DayRange;

/// How many memory consumers an out-of-memory error names.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(2);

/// Settings of an engine.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Number of threads that run a statement.
    pub threads: usize,
    /// Memory limit for rows, in bytes. Sorts, joins and groups that need more are spilled to disk.
    pub memory: usize,
    /// Local folder for spilled rows. It must exist if rows are spilled.
    pub scratch: PathBuf,
    /// The only days that statements see; `None` for all days.
    pub days: Option<DayRange>,
    /// The tables that views read, if any is of their log type. Otherwise they read all tables of the log type.
    pub chosen: Vec<String>,
    /// Cancels running work.
    pub cancel: Cancel,
}

/// Opens a session that reads the files of a lake.
pub(super) fn session(
    options: &EngineOptions,
    spills: &SpillFolder,
    files: &Arc<LakeFiles>,
) -> Result<SessionContext> {
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
    // As in Athena, a number with a point is a decimal.
    settings.sql_parser.parse_float_as_decimal = true;
    // As in Athena, NULL sorts last in both directions.
    "nulls_last".clone_into(&mut settings.sql_parser.default_null_ordering);
    // This rule names a column twice if a view over structs is grouped by a field of a struct.
    settings.optimizer.enable_leaf_expression_pushdown = false;
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    let conversions = Analyzer::new().rules;
    let last = [Arc::new(ZonedGate) as _, Arc::new(Closures) as _];
    let rules = [Arc::new(AthenaMeaning) as _].into_iter().chain(conversions).chain(last);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_analyzer_rules(rules.collect())
        .with_relation_planners(vec![Arc::new(UnnestPlanner)])
        .build();
    let context = SessionContext::new_with_state(state);
    let url = LAKE_URL.parse().map_err(|cause| Error::bug("the lake address is invalid").caused_by(cause))?;
    context.register_object_store(&url, Arc::clone(files) as _);
    functions::register(&context).map_err(of_query)?;
    Ok(context)
}

/// Opens a session that shares everything with another one except its tables.
pub(super) fn sibling(context: &SessionContext) -> Result<SessionContext> {
    let state = context.state();
    let config = state.config().clone().with_create_default_catalog_and_schema(true);
    let state = SessionStateBuilder::new_from_existing(state)
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .with_config(config)
        .build();
    let context = SessionContext::new_with_state(state);
    // A copied state can map the name of one of our functions to one of the engine, which has that name as an alias.
    functions::register(&context).map_err(of_query)?;
    Ok(context)
}
