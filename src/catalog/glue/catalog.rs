//! One database of the Glue catalog, and what is done when somebody else changes it at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Partition, PartitionInput};

use super::refusal::Refusal;
use super::wire;
use crate::audit::ColumnStatistics;
use crate::catalog::change::{Comparison, StandingTable, TableChange, agreed, find};
use crate::catalog::{
    Catalog, CatalogColumn, PartitionDefinition, PartitionState, Probe, StandingPartition, TableDefinition,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::store::s3::Aws;

/// The most entries that one call creates or updates.
pub(super) const WRITE_BATCH: usize = 100;
/// How often a change is tried again when somebody else was faster, or some entries of a batch failed for now.
pub(super) const ATTEMPTS: u32 = 5;
/// How often an operation is begun when the service is busy with the table, also after the retries of the SDK.
const OPERATION_ATTEMPTS: u32 = 3;
/// Before the second attempt; the next pauses are longer.
const PAUSE: Duration = Duration::from_millis(300);

/// A database of the Glue catalog.
pub(in crate::catalog) struct GlueCatalog {
    pub(super) aws: Arc<Aws>,
    pub(super) client: Client,
    pub(super) database: String,
    pub(super) pause: Duration,
}

impl GlueCatalog {
    /// Opens a database; nothing is asked yet.
    pub(in crate::catalog) fn open(aws: Arc<Aws>, database: &str) -> Result<Self> {
        let client = Client::new(&aws.config(None)?);
        Ok(Self { aws, client, database: database.to_owned(), pause: PAUSE })
    }

    /// What errors call a table.
    pub(super) fn named(&self, table: &str) -> String {
        format!("{}.{table}", self.database)
    }

    /// Waits for an operation, and begins it anew when the catalog is busy: all of them may be done twice.
    fn insist<T>(&self, operation: impl AsyncFn() -> Result<T>) -> Result<T> {
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
        tokio::time::sleep(self.pause * attempt).await;
    }

    /// One attempt to bring a table to its definition; `None` when somebody else has changed it meanwhile.
    async fn try_put_table(&self, wanted: &TableDefinition) -> Result<Option<Vec<CatalogColumn>>> {
        let Some(table) = self.get_table(&wanted.name).await? else {
            let made = self.create_table(wanted).await?;
            return Ok(made.then(|| wanted.columns.clone()));
        };
        let standing = wire::standing_table(&table);
        let Comparison::Differs(change) = agreed(&standing, wanted)? else {
            return Ok(Some(standing.columns));
        };
        let mut columns = standing.columns;
        columns.extend(change.columns.iter().cloned());
        // Partitions come first: a run that is killed in between finds the table as it was and does all of this again.
        self.cascade(&wanted.name, &change).await?;
        let updated = self.update_table(table, &change).await?;
        Ok(updated.then_some(columns))
    }

    /// Adds new columns to all partitions of a table that lack them, batch by batch.
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

    /// Adds columns to those of a batch of partitions that lack them, until a look at what was written finds none.
    async fn widen(&self, table: &str, batch: &[String], columns: &[CatalogColumn]) -> Result<()> {
        let mut values = batch.to_vec();
        for attempt in 1..=ATTEMPTS {
            // Glue replaces a partition whole and unconditionally: when a run moves it between this look and the update, the
            // old location stands again, and only the lake tells (the doctor calls it dangling). So nothing lies between the
            // two. What a run moves after the update is seen by the next look, and widened where it stands then.
            let found = self.batch_get_partitions(table, &values).await?;
            let narrow = found.into_iter().filter_map(|found| widened(found, columns).transpose());
            let inputs = narrow.collect::<Result<Vec<_>>>()?;
            if inputs.is_empty() {
                return Ok(());
            }
            let refusals = self.update_partitions(table, &inputs).await?;
            if !self.those_to_try_again(table, refusals)?.is_empty() {
                self.pause(attempt).await;
            }
            values = inputs.iter().map(|input| wire::value_of(input.values()).to_owned()).collect();
        }
        Err(self.gave_up("cannot add new columns to the partitions", table))
    }

    /// One attempt to bring partitions to their definitions: those that are not there yet, or not as they should be.
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
                Some(found) if !definition.is_held_by(&wire::standing_partition(found)) => {
                    old.push(wire::partition_input(definition, Some(found))?);
                    PartitionState::Updated
                }
                Some(_) => PartitionState::Unchanged,
            };
            // An attempt whose answer was lost, or was a failure, may have been what made it as it should be.
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

    /// Those of the refused entries that may succeed later; fails with the first that will not.
    fn those_to_try_again(&self, table: &str, refusals: Vec<Refusal>) -> Result<Vec<Refusal>> {
        match refusals.iter().find(|refusal| !refusal.may_succeed_later()) {
            Some(lost) => Err(Error::new(ErrorKind::Denied, "the catalog refuses a partition")
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
            .hint("somebody else keeps changing the table, or the service throttles: try again later")
    }
}

impl Catalog for GlueCatalog {
    fn require_database(&self, create: bool) -> Result<()> {
        self.insist(async || {
            if self.has_database().await? {
                return Ok(());
            }
            if create {
                return self.create_database().await;
            }
            Err(Error::new(ErrorKind::Unusable, "the catalog has no such database")
                .with("database", &self.database)
                .hint("make it with --create-database, or check --database and AWS_REGION"))
        })
    }

    fn table(&self, name: &str) -> Result<Option<StandingTable>> {
        let table = self.insist(async || self.get_table(name).await)?;
        Ok(table.map(|table| wire::standing_table(&table)))
    }

    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>> {
        self.insist(async || {
            for attempt in 1..=ATTEMPTS {
                if let Some(columns) = self.try_put_table(wanted).await? {
                    return Ok(columns);
                }
                self.pause(attempt).await;
            }
            Err(self.gave_up("cannot update the table of the catalog", &wanted.name))
        })
    }

    fn partitions(&self, table: &str, first: KstDay, last: KstDay) -> Result<Vec<StandingPartition>> {
        let found = self.insist(async || self.get_partitions(table, Some((first, last)), true).await)?;
        Ok(found.iter().map(wire::standing_partition).collect())
    }

    fn put_partitions(&self, table: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>> {
        self.insist(async || {
            let mut states = BTreeMap::new();
            let mut open: Vec<&PartitionDefinition> = wanted.iter().collect();
            for attempt in 1..=ATTEMPTS {
                let refusals = self.try_put_partitions(table, &open, &mut states).await?;
                let again = self.those_to_try_again(table, refusals)?;
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
        self.insist(async || self.update_statistics(table, columns, at).await)
    }

    fn look_ups(&self, table: &str) -> Vec<Probe> {
        self.aws.wait_out(self.try_look_ups(table))
    }

    fn remove_partitions(&self, table: &str, days: &[KstDay]) -> Result<()> {
        let values: Vec<String> = days.iter().map(|day| day.proc_ymd()).collect();
        self.insist(async || {
            let mut open = values.clone();
            for attempt in 1..=ATTEMPTS {
                let refusals = self.delete_partitions(table, &open).await?;
                let refusals = refusals.into_iter().filter(|refusal| !refusal.is_of_missing()).collect();
                let again = self.those_to_try_again(table, refusals)?;
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

/// A partition with those of the columns that it lacks, if it lacks any.
fn widened(partition: Partition, columns: &[CatalogColumn]) -> Result<Option<PartitionInput>> {
    let standing = wire::standing_partition(&partition);
    let lacks = |column: &&CatalogColumn| find(&standing.columns, &column.name).is_none();
    let new: Vec<CatalogColumn> = columns.iter().filter(lacks).cloned().collect();
    if new.is_empty() {
        return Ok(None);
    }
    wire::widened_partition(partition, &new).map(Some)
}
