//! One database of the Glue catalog, with retries if other processes change it at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Partition, PartitionInput};

use super::refusal::Refusal;
use super::wire;
use crate::audit::ColumnStatistics;
use crate::catalog::change::{Comparison, ExistingTable, TableChange, agreed, find};
use crate::catalog::{
    Catalog, CatalogColumn, ExistingPartition, PartitionDefinition, PartitionState, Probe, TableDefinition,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::store::s3::Aws;

/// Maximum entries that one call creates or updates.
pub(super) const WRITE_BATCH: usize = 100;
/// Maximum attempts at a change if another process was faster, or if entries of a batch failed for now.
pub(super) const ATTEMPTS: u32 = 5;
/// Maximum attempts at an operation if the service is busy with the table. The SDK's own retries come on top.
const OPERATION_ATTEMPTS: u32 = 3;
/// The pause before the second attempt. Later pauses are longer.
const PAUSE: Duration = Duration::from_millis(300);

/// A database of the Glue catalog.
pub(crate) struct GlueCatalog {
    pub(super) aws: Arc<Aws>,
    pub(super) client: Client,
    pub(super) database: String,
    pub(super) pause: Duration,
    #[cfg(test)]
    pub(super) simulation: Option<super::simulation::Simulation>,
}

impl GlueCatalog {
    /// Opens a database. Makes no request yet.
    pub(in crate::catalog) fn open(aws: Arc<Aws>, database: &str) -> Result<Self> {
        let client = Client::new(&aws.config(None)?);
        let database = database.to_owned();
        Ok(Self {
            aws,
            client,
            database,
            pause: PAUSE,
            #[cfg(test)]
            simulation: None,
        })
    }

    /// The simulation that answers the requests, if any.
    #[cfg(test)]
    pub(super) fn simulation(&self) -> Option<&super::simulation::Simulation> {
        self.simulation.as_ref()
    }

    /// Returns the name of a table in errors.
    pub(super) fn named(&self, table: &str) -> String {
        format!("{}.{table}", self.database)
    }

    /// Waits for an operation, and repeats it if the catalog is busy. Every operation can safely run twice.
    fn retry<T>(&self, operation: impl AsyncFn() -> Result<T>) -> Result<T> {
        self.aws.wait(async {
            for attempt in 1..OPERATION_ATTEMPTS {
                match operation().await {
                    Err(error) if error.is_retryable() => self.pause(attempt).await,
                    outcome => return outcome,
                }
            }
            operation().await
        })
    }

    async fn pause(&self, attempt: u32) {
        #[cfg(test)]
        if let Some(simulation) = &self.simulation {
            return simulation.pause(self.pause * attempt);
        }
        tokio::time::sleep(self.pause * attempt).await;
    }

    /// Makes one attempt to update a table to its definition; `None` if another process changed it at the same time.
    async fn try_put_table(&self, wanted: &TableDefinition) -> Result<Option<Vec<CatalogColumn>>> {
        let Some(table) = self.get_table(&wanted.name).await? else {
            let created = self.create_table(wanted).await?;
            return Ok(created.then(|| wanted.columns.clone()));
        };
        let existing = wire::existing_table(&table);
        let Comparison::Differs(change) = agreed(&existing, wanted)? else {
            return Ok(Some(existing.columns));
        };
        let mut columns = existing.columns;
        columns.extend(change.columns.iter().cloned());
        // Partitions are updated first. If this run is killed in between, the next run finds the table unchanged and repeats
        // all of this.
        self.cascade(&wanted.name, &change).await?;
        let updated = self.update_table(table, &change).await?;
        Ok(updated.then_some(columns))
    }

    /// Adds new columns to all partitions that lack them, batch by batch.
    async fn cascade(&self, table: &str, change: &TableChange) -> Result<()> {
        if change.columns.is_empty() {
            return Ok(());
        }
        let listed = self.get_partitions(table, None, true).await?;
        let values: Vec<String> =
            listed.iter().map(|found| wire::value_of(found.values()).to_owned()).collect();
        for batch in values.chunks(WRITE_BATCH) {
            self.widen(table, batch, &change.columns).await?;
        }
        Ok(())
    }

    /// Adds columns to the partitions of a batch that lack them, until reading them back finds none without.
    async fn widen(&self, table: &str, batch: &[String], columns: &[CatalogColumn]) -> Result<()> {
        let mut values = batch.to_vec();
        for attempt in 1..=ATTEMPTS {
            // Glue replaces a whole partition unconditionally. If a run moves the partition between this lookup and the
            // update, the update restores the old location, and only the lake shows it (the doctor reports "dangling").
            // Therefore no other work is done between the two. If a run moves the partition after the update, the next lookup
            // finds it and adds the columns at its new location.
            let found = self.batch_get_partitions(table, &values).await?;
            let narrow = found.into_iter().filter_map(|found| widened(found, columns).transpose());
            let inputs = narrow.collect::<Result<Vec<_>>>()?;
            if inputs.is_empty() {
                return Ok(());
            }
            let refusals = self.update_partitions(table, &inputs).await?;
            if !self.retryable(table, refusals)?.is_empty() {
                self.pause(attempt).await;
            }
            values = inputs.iter().map(|input| wire::value_of(input.values()).to_owned()).collect();
        }
        Err(self.gave_up("cannot add new columns to the partitions", table))
    }

    /// Makes one attempt to create missing partitions and update differing ones.
    async fn try_put_partitions(
        &self,
        table: &str,
        wanted: &[&PartitionDefinition],
        states: &mut BTreeMap<KstDay, PartitionState>,
    ) -> Result<Vec<Refusal>> {
        let values: Vec<String> = wanted.iter().map(|definition| definition.value()).collect();
        let found = self.batch_get_partitions(table, &values).await?;
        let of = |value: &str| found.iter().find(|found| wire::value_of(found.values()) == value);
        let (mut new, mut old) = (Vec::new(), Vec::new());
        for definition in wanted {
            let state = match of(&definition.value()) {
                None => {
                    new.push(wire::partition_input(definition, None)?);
                    PartitionState::Created
                }
                Some(found) if !definition.is_held_by(&wire::existing_partition(found)) => {
                    old.push(wire::partition_input(definition, Some(found))?);
                    PartitionState::Updated
                }
                Some(_) => PartitionState::Unchanged,
            };
            // An earlier attempt whose answer was lost, or was a failure, may have updated this partition.
            states
                .entry(definition.day)
                .and_modify(|known| {
                    if state != PartitionState::Unchanged {
                        *known = state;
                    }
                })
                .or_insert(state);
        }
        let mut refusals = self.create_partitions(table, &new).await?;
        refusals.extend(self.update_partitions(table, &old).await?);
        Ok(refusals)
    }

    /// Returns the refused entries if all may succeed later. Fails with the first that will not.
    fn retryable(&self, table: &str, refusals: Vec<Refusal>) -> Result<Vec<Refusal>> {
        match refusals.iter().find(|refusal| !refusal.may_succeed_later()) {
            Some(lost) => Err(Error::new(ErrorKind::Denied, "the catalog refused a partition")
                .with("table", self.named(table))
                .with("partition", &lost.value)
                .with("code", &lost.code)
                .caused_by(std::io::Error::other(lost.message.clone()))),
            None => Ok(refusals),
        }
    }

    fn gave_up(&self, failing: &'static str, table: &str) -> Error {
        Error::new(ErrorKind::Temporary, failing)
            .with("table", self.named(table))
            .with("attempts", ATTEMPTS)
            .hint("try again later: another process keeps changing the table, or the service is throttling")
    }
}

impl Catalog for GlueCatalog {
    fn require_database(&self, create: bool) -> Result<()> {
        self.retry(async || {
            if self.has_database().await? {
                return Ok(());
            }
            if create {
                return self.create_database().await;
            }
            Err(Error::new(ErrorKind::Unusable, "the database does not exist in the catalog")
                .with("database", &self.database)
                .hint("create it with --create-database, or check --database and AWS_REGION"))
        })
    }

    fn table(&self, name: &str) -> Result<Option<ExistingTable>> {
        let table = self.retry(async || self.get_table(name).await)?;
        Ok(table.map(|table| wire::existing_table(&table)))
    }

    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>> {
        self.retry(async || {
            for attempt in 1..=ATTEMPTS {
                if let Some(columns) = Box::pin(self.try_put_table(wanted)).await? {
                    return Ok(columns);
                }
                self.pause(attempt).await;
            }
            Err(self.gave_up("cannot update the catalog table", &wanted.name))
        })
    }

    fn partitions(&self, table: &str, first: KstDay, last: KstDay) -> Result<Vec<ExistingPartition>> {
        let found = self.retry(async || self.get_partitions(table, Some((first, last)), true).await)?;
        Ok(found.iter().map(wire::existing_partition).collect())
    }

    fn put_partitions(&self, table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>> {
        self.retry(async || {
            let mut states = BTreeMap::new();
            let mut open: Vec<&PartitionDefinition> = wanted.iter().collect();
            for attempt in 1..=ATTEMPTS {
                let refusals = self.try_put_partitions(table, &open, &mut states).await?;
                let again = self.retryable(table, refusals)?;
                if again.is_empty() {
                    return Ok(wanted.iter().map(|definition| states[&definition.day]).collect());
                }
                open.retain(|definition| again.iter().any(|refusal| refusal.value == definition.value()));
                self.pause(attempt).await;
            }
            Err(self.gave_up("cannot register partitions", table))
        })
    }

    fn put_statistics(&self, table: &str, columns: &[ColumnStatistics], at: UtcInstant) -> Result<()> {
        self.retry(async || self.update_statistics(table, columns, at).await)
    }

    fn look_ups(&self, table: &str) -> Vec<Probe> {
        self.aws.wait_out(self.try_look_ups(table))
    }

    fn remove_partitions(&self, table: &str, days: &[KstDay]) -> Result<()> {
        let values: Vec<String> = days.iter().map(|day| day.proc_ymd()).collect();
        self.retry(async || {
            let mut open = values.clone();
            for attempt in 1..=ATTEMPTS {
                let refusals = self.delete_partitions(table, &open).await?;
                let refusals = refusals.into_iter().filter(|refusal| !refusal.is_of_missing()).collect();
                let again = self.retryable(table, refusals)?;
                if again.is_empty() {
                    return Ok(());
                }
                open = again.into_iter().map(|refusal| refusal.value).collect();
                self.pause(attempt).await;
            }
            Err(self.gave_up("cannot remove partitions", table))
        })
    }
}

/// Returns a partition with its missing columns added; `None` if it lacks none.
fn widened(partition: Partition, columns: &[CatalogColumn]) -> Result<Option<PartitionInput>> {
    let existing = wire::existing_partition(&partition);
    let lacks = |column: &&CatalogColumn| find(&existing.columns, &column.name).is_none();
    let new: Vec<CatalogColumn> = columns.iter().filter(lacks).cloned().collect();
    if new.is_empty() {
        return Ok(None);
    }
    wire::widened_partition(partition, &new).map(Some)
}

/// Opens a database of a simulated Glue.
#[cfg(test)]
pub(crate) fn simulated(
    aws: Arc<Aws>,
    database: &str,
    glue: Arc<dyn super::simulation::SimulatedGlue>,
) -> Box<dyn Catalog> {
    let simulation = Some(super::simulation::Simulation::new(glue));
    let (client, database) = (super::simulation::client(), database.to_owned());
    Box::new(GlueCatalog { aws, client, database, pause: PAUSE, simulation })
}
