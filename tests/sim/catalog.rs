//! A catalog in memory with one partition. Each call takes a turn, and its answer can be lost.

use std::sync::Arc;

use super::PARTITION;
use super::world::{Failure, SECOND, State, World};
use crate::audit::ColumnStatistics;
use crate::catalog::{
    Catalog, CatalogColumn, ExistingPartition, ExistingTable, PartitionDefinition, PartitionState, Probe,
    TableDefinition,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};
use crate::store::lake::run_of;

/// Attempts at a call whose answer is lost. Every call can safely run twice.
const ATTEMPTS: u32 = 3;

/// The catalog, as one actor sees it.
pub(super) struct SimulatedCatalog {
    pub(super) world: Arc<World>,
    pub(super) me: usize,
}

impl SimulatedCatalog {
    fn call<T>(&self, name: &str, call: impl Fn(&mut State) -> T) -> Result<T> {
        for _ in 0..ATTEMPTS {
            match self.world.call(self.me, name, &call) {
                Ok(answer) => return Ok(answer),
                Err(Failure::Dead) => return Err(Error::new(ErrorKind::Denied, "the process is dead")),
                Err(Failure::Lost) => self.world.pause(self.me, SECOND),
            }
        }
        Err(Error::new(ErrorKind::Temporary, "the catalog does not answer"))
    }
}

/// Switches the partition to a run.
fn show(state: &mut State, location: &str) {
    let run = run_of(location).expect("the location of a run");
    let published = state.promises.published.get(&run).map(|(published, _)| published.files.clone());
    let parts = published.unwrap_or_default();
    let is_missing =
        |file: &&String| file.starts_with(PARTITION) && !state.bucket.objects.contains_key(*file);
    if let Some(missing) = parts.iter().find(is_missing) {
        state.promises.violated(format!("the catalog shows {run}, but {missing} does not exist"));
    }
    if state.shown.as_ref() != Some(&run)
        && let Some(old) = state.shown.replace(run)
    {
        state.promises.no_longer_shown(old, state.now);
    }
}

impl Catalog for SimulatedCatalog {
    fn require_database(&self, _: bool) -> Result<()> {
        Ok(())
    }

    fn table(&self, _: &str) -> Result<Option<ExistingTable>> {
        Ok(None)
    }

    fn put_table(&self, wanted: &TableDefinition) -> Result<Vec<CatalogColumn>> {
        self.call("put table", |_| ())?;
        Ok(wanted.columns.clone())
    }

    fn partitions(&self, _: &str, _: KstDay, _: KstDay) -> Result<Vec<ExistingPartition>> {
        let shown = self.call("get partitions", |state| state.shown.clone())?;
        let partition = |run: String| {
            let location = format!("s3://lake/{PARTITION}/{run}/");
            ExistingPartition { value: "20231101".to_owned(), location, ..ExistingPartition::default() }
        };
        Ok(shown.map(partition).into_iter().collect())
    }

    fn put_partitions(&self, _: &str, wanted: &[PartitionDefinition]) -> Result<Vec<PartitionState>> {
        for partition in wanted {
            let name = format!("show {}", partition.location);
            self.call(&name, |state| show(state, &partition.location))?;
        }
        Ok(vec![PartitionState::Updated; wanted.len()])
    }

    fn put_statistics(&self, _: &str, _: &[ColumnStatistics], _: UtcInstant) -> Result<()> {
        Ok(())
    }

    fn look_ups(&self, _: &str) -> Vec<Probe> {
        Vec::new()
    }

    fn remove_partitions(&self, _: &str, _: &[KstDay]) -> Result<()> {
        Ok(())
    }
}
