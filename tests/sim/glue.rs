//! Glue in memory: one table with a version, and its partitions. A batch can fail for some of its entries, and every answer can
//! be lost.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_glue::error::ErrorMetadata;
use aws_sdk_glue::operation as of;
use aws_sdk_glue::types::{
    Database, ErrorDetail, Partition, PartitionError, PartitionInput, PartitionValueList, Table, TableInput,
};

use super::Broken;
use super::days::{DATABASE, Day, TABLE, plan};
use super::port::{Refused, broken_connection, refusal};
use super::world::{Failure, SECOND, State, World};
use crate::catalog::TableDefinition;
use crate::catalog::glue::simulation::{self, Outcome, SimulatedGlue, builders};
use crate::store::lake::run_of;

/// Attempts of the SDK at a call. There are more in production; with few, more calls fail.
const ATTEMPTS: u32 = 2;

const MISSING: &str = "EntityNotFoundException";
const EXISTS: &str = "AlreadyExistsException";
const CHANGED: &str = "ConcurrentModificationException";
const THROTTLED: &str = "ThrottlingException";
/// What an entry of a batch is refused with, although another attempt can succeed.
const NOT_NOW: &str = "InternalServiceException";

/// The catalog.
#[derive(Default)]
pub(super) struct Glue {
    table: Option<Table>,
    version: u32,
    partitions: BTreeMap<String, Partition>,
    /// The most partitions in a page of a listing.
    page: usize,
}

impl Glue {
    pub(super) fn new(page: usize) -> Self {
        Self { page, ..Self::default() }
    }

    /// The run that it shows for a day.
    pub(super) fn shown(&self, day: Day) -> Option<String> {
        self.partitions.get(day.value()).and_then(location_of).and_then(run_of)
    }

    /// What must hold once no process changes it: each partition has the columns of the table.
    pub(super) fn defect(&self) -> Option<String> {
        let width = columns_of(self.table.as_ref()?.storage_descriptor()?);
        let narrow = self
            .partitions
            .iter()
            .find(|(_, found)| found.storage_descriptor().map(columns_of).as_ref() != Some(&width));
        narrow.map(|(value, _)| format!("partition {value} has other columns than its table"))
    }

    /// Puts the table that an earlier version of logmill has created.
    pub(super) fn begin(&mut self) {
        let definition = TableDefinition::new(TABLE, "", &plan(0).spec.schema(), "s3://lake/resolver_query");
        self.put_table(&simulation::table_input(&definition));
    }

    fn put_table(&mut self, input: &TableInput) {
        self.version += 1;
        let table = Table::builder()
            .name(input.name())
            .version_id(self.version.to_string())
            .set_table_type(input.table_type().map(str::to_owned))
            .set_parameters(input.parameters().cloned())
            .set_partition_keys(Some(input.partition_keys().to_vec()))
            .set_storage_descriptor(input.storage_descriptor().cloned());
        self.table = Some(table.build().expect("it has a name"));
    }
}

fn location_of(partition: &Partition) -> Option<&str> {
    partition.storage_descriptor()?.location()
}

fn columns_of(storage: &aws_sdk_glue::types::StorageDescriptor) -> Vec<&str> {
    storage.columns().iter().map(aws_sdk_glue::types::Column::name).collect()
}

/// Replaces or creates a partition.
fn put_partition(state: &mut State, input: &PartitionInput) {
    let value = input.values()[0].clone();
    let partition = Partition::builder()
        .set_values(Some(input.values().to_vec()))
        .set_parameters(input.parameters().cloned())
        .set_storage_descriptor(input.storage_descriptor().cloned())
        .build();
    let before = Day::of_value(&value).and_then(|day| state.glue.shown(day));
    let location = location_of(&partition).unwrap_or_default().to_owned();
    state.glue.partitions.insert(value.clone(), partition);
    let (Some(day), Some(run)) = (Day::of_value(&value), run_of(&location)) else {
        return state.promises.violated("the catalog shows a folder that is not a run");
    };
    if let Some(missing) = state.promises.missing_file(day, &run, &state.bucket) {
        state.promises.violated(format!("the catalog shows {run}, but {missing} does not exist"));
    }
    if before.as_ref() != Some(&run) {
        state.promises.shows(day, run, before, state.now);
    }
}

/// Glue, as one actor sees it.
pub(super) struct GluePort {
    pub(super) world: Arc<World>,
    pub(super) me: usize,
    pub(super) broken: Broken,
}

impl fmt::Debug for GluePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glue port {}", self.me)
    }
}

/// An answer, or the code of a refusal.
type Answered<T> = Result<T, &'static str>;

impl GluePort {
    /// Makes a call with the retries of the SDK.
    fn call<T, E>(
        &self,
        name: &str,
        error: fn(ErrorMetadata) -> E,
        call: impl Fn(&mut State) -> Answered<T>,
    ) -> Result<T, Refused<E>> {
        let mut attempt = 1;
        loop {
            let answer = self.world.call(self.me, name, |state| {
                if state.draw_outage(3.0) { Err(THROTTLED) } else { call(state) }
            });
            let may_retry = matches!(answer, Err(Failure::Lost) | Ok(Err(THROTTLED)));
            if may_retry && attempt < ATTEMPTS {
                self.world.pause(self.me, SECOND);
                attempt += 1;
                continue;
            }
            return match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(code)) => {
                    let metadata = ErrorMetadata::builder().code(code).build();
                    Err(refusal(error(metadata), 400))
                }
                Err(failure) => Err(broken_connection(failure)),
            };
        }
    }

    /// Changes partitions one by one. Some fail for now, and the others do not.
    fn change(
        &self,
        name: &str,
        state: &mut State,
        inputs: &[PartitionInput],
        refusal: impl Fn(bool) -> Option<&'static str>,
    ) -> Vec<(Vec<String>, ErrorDetail)> {
        let mut details = Vec::new();
        for input in inputs {
            let is_known = state.glue.partitions.contains_key(&input.values()[0]);
            let code = if state.draw_outage(2.0) { Some(NOT_NOW) } else { refusal(is_known) };
            let line = || format!("{name} {:?}: {}", input.values(), code.unwrap_or("done"));
            state.note(self.me, line);
            match code {
                None => put_partition(state, input),
                Some(NOT_NOW) if self.broken == Broken::BatchErrors => {}
                Some(code) => details.push((input.values().to_vec(), detail(code))),
            }
        }
        details
    }
}

fn detail(code: &str) -> ErrorDetail {
    ErrorDetail::builder().error_code(code).error_message("simulated").build()
}

/// The days of the filter of a listing: `proc_ymd >= '20231101' AND proc_ymd <= '20231102'`.
fn is_wanted(expression: Option<&String>, value: &str) -> bool {
    let Some(expression) = expression else { return true };
    let mut bounds = expression.split('\'').skip(1).step_by(2);
    let (first, last) = (bounds.next().expect("a first day"), bounds.next().expect("a last day"));
    (first..=last).contains(&value)
}

impl SimulatedGlue for GluePort {
    fn database(&self, _: &builders::GetDatabase) -> Outcome<builders::GetDatabase> {
        let database = Database::builder().name(DATABASE).build().expect("it has a name");
        // The only call without an effect on anything: it takes no turn.
        Ok(of::get_database::GetDatabaseOutput::builder().database(database).build())
    }

    fn create_database(&self, _: &builders::CreateDatabase) -> Outcome<builders::CreateDatabase> {
        unreachable!("the database exists")
    }

    fn table(&self, _: &builders::GetTable) -> Outcome<builders::GetTable> {
        let found = self.call("get table", of::get_table::GetTableError::generic, |state| {
            state.glue.table.clone().ok_or(MISSING)
        })?;
        Ok(of::get_table::GetTableOutput::builder().table(found).build())
    }

    fn create_table(&self, request: &builders::CreateTable) -> Outcome<builders::CreateTable> {
        let input = request.get_table_input().as_ref().expect("it has a table");
        self.call("create table", of::create_table::CreateTableError::generic, |state| {
            if state.glue.table.is_some() {
                return Err(EXISTS);
            }
            state.glue.put_table(input);
            Ok(())
        })?;
        Ok(of::create_table::CreateTableOutput::builder().build())
    }

    fn update_table(&self, request: &builders::UpdateTable) -> Outcome<builders::UpdateTable> {
        let input = request.get_table_input().as_ref().expect("it has a table");
        self.call("update table", of::update_table::UpdateTableError::generic, |state| {
            let known = state.glue.table.as_ref().ok_or(MISSING)?;
            let is_current = request.get_version_id().as_deref() == known.version_id();
            if !is_current {
                return Err(CHANGED);
            }
            let kept = input.storage_descriptor().map(columns_of).unwrap_or_default();
            let old = known.storage_descriptor().map(columns_of).unwrap_or_default();
            if let Some(lost) = old.iter().find(|column| !kept.contains(column)) {
                let promise = format!("the table lost column {lost}");
                state.promises.violated(promise);
            }
            state.glue.put_table(input);
            Ok(())
        })?;
        Ok(of::update_table::UpdateTableOutput::builder().build())
    }

    fn partitions(&self, request: &builders::GetPartitions) -> Outcome<builders::GetPartitions> {
        let is_light = request.get_exclude_column_schema().unwrap_or_default();
        let after = request.get_next_token().clone().unwrap_or_default();
        let (found, next) =
            self.call("get partitions", of::get_partitions::GetPartitionsError::generic, |state| {
                if state.glue.table.is_none() {
                    return Err(MISSING);
                }
                let is_listed =
                    |value: &str| value > &*after && is_wanted(request.get_expression().as_ref(), value);
                let mut listed = state.glue.partitions.iter().filter(|(value, _)| is_listed(value));
                let page: Vec<(&String, &Partition)> = listed.by_ref().take(state.glue.page).collect();
                let next = listed.next().and(page.last()).map(|(value, _)| (*value).clone());
                Ok((page.into_iter().map(|(_, found)| found.clone()).collect::<Vec<_>>(), next))
            })?;
        let shown = found.into_iter().map(|mut partition| {
            if let Some(storage) = partition.storage_descriptor.as_mut().filter(|_| is_light) {
                storage.columns = None;
            }
            partition
        });
        let output = of::get_partitions::GetPartitionsOutput::builder().set_partitions(Some(shown.collect()));
        Ok(output.set_next_token(next).build())
    }

    fn batch_get(&self, request: &builders::BatchGet) -> Outcome<builders::BatchGet> {
        let wanted = request.get_partitions_to_get().as_deref().unwrap_or_default();
        let (found, open) =
            self.call("look up", of::batch_get_partition::BatchGetPartitionError::generic, |state| {
                if state.glue.table.is_none() {
                    return Err(MISSING);
                }
                let (mut found, mut open) = (Vec::new(), Vec::<PartitionValueList>::new());
                for key in wanted {
                    if state.draw_outage(4.0) {
                        open.push(key.clone());
                    } else {
                        found.extend(state.glue.partitions.get(&key.values()[0]).cloned());
                    }
                }
                Ok((found, open))
            })?;
        let output = of::batch_get_partition::BatchGetPartitionOutput::builder();
        Ok(output.set_partitions(Some(found)).set_unprocessed_keys(Some(open)).build())
    }

    fn batch_create(&self, request: &builders::BatchCreate) -> Outcome<builders::BatchCreate> {
        let inputs = request.get_partition_input_list().as_deref().unwrap_or_default();
        let error = of::batch_create_partition::BatchCreatePartitionError::generic;
        let refused = self.call("create", error, |state| {
            Ok(self.change("create", state, inputs, |is_known| is_known.then_some(EXISTS)))
        })?;
        let errors = refused.into_iter().map(|(values, detail)| {
            PartitionError::builder().set_partition_values(Some(values)).error_detail(detail).build()
        });
        let output = of::batch_create_partition::BatchCreatePartitionOutput::builder();
        Ok(output.set_errors(Some(errors.collect())).build())
    }

    fn batch_update(&self, request: &builders::BatchUpdate) -> Outcome<builders::BatchUpdate> {
        let entries = request.get_entries().as_deref().unwrap_or_default();
        let inputs: Vec<PartitionInput> =
            entries.iter().filter_map(|entry| entry.partition_input().cloned()).collect();
        let error = of::batch_update_partition::BatchUpdatePartitionError::generic;
        let refused = self.call("update", error, |state| {
            Ok(self.change("update", state, &inputs, |is_known| (!is_known).then_some(MISSING)))
        })?;
        let errors = refused.into_iter().map(|(values, detail)| {
            let error = aws_sdk_glue::types::BatchUpdatePartitionFailureEntry::builder();
            error.set_partition_value_list(Some(values)).error_detail(detail).build()
        });
        let output = of::batch_update_partition::BatchUpdatePartitionOutput::builder();
        Ok(output.set_errors(Some(errors.collect())).build())
    }

    fn batch_delete(&self, _: &builders::BatchDelete) -> Outcome<builders::BatchDelete> {
        unreachable!("no process removes partitions of {TABLE}")
    }

    fn update_statistics(&self, _: &builders::UpdateStatistics) -> Outcome<builders::UpdateStatistics> {
        unreachable!("no process sends statistics")
    }

    fn pause(&self, time: Duration) {
        self.world.pause(self.me, i64::try_from(time.as_millis()).expect("it is a few seconds"));
    }
}
