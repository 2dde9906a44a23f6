//! Removes what killed and superseded runs left behind.

use std::collections::BTreeSet;

use super::{Registrar, lock_taker, run_name};
use crate::error::Result;
use crate::kst::KstDay;
use crate::publish::{self, CleanOptions, Leftovers};
use crate::store::lake::{LOCKS, Partition, days_of, is_held, is_table_folder, run_of, table_names};
use crate::store::{DayLock, Lake};

/// The folder of a local lake in which runs leave unfinished work, by table.
const STAGING: &str = "_staging";

/// Removes leftovers of runs, or only lists them.
pub struct Cleaner<'a> {
    /// The lake.
    pub lake: &'a dyn Lake,
    /// When files can be removed.
    pub options: CleanOptions,
    /// Whether to only list what would be removed.
    pub dry: bool,
}

/// The outcome for one table and day. A dry run only lists what would be removed.
#[derive(Debug)]
pub enum CleanedDay {
    /// Skipped, because a run holds the day.
    Held,
    /// The unfinished work of a killed run was removed from a folder.
    Swept,
    /// Nothing was removed, because a run has just published the day.
    JustPublished(Leftovers),
    /// The files were removed.
    Removed(Leftovers),
}

impl Cleaner<'_> {
    /// Returns all tables that can have leftovers. A local lake keeps unfinished work of all tables in one folder.
    pub fn tables(&self, unfinished: &[Partition]) -> Result<Vec<String>> {
        let mut tables =
            if self.lake.keeps_runs() { table_names(self.lake)? } else { self.lake.names(STAGING)? };
        tables.retain(|table| is_table_folder(table));
        // A first run that was killed may have left only uploads and its lock.
        tables.extend(unfinished.iter().map(|partition| partition.table.clone()));
        tables.extend(self.lake.names(LOCKS)?);
        tables.sort();
        tables.dedup();
        Ok(tables)
    }

    /// Returns the days of a table that can contain leftovers of runs, in order.
    pub fn days(&self, table: &str, unfinished: &[Partition]) -> Result<Vec<KstDay>> {
        let days_in = |folder: &str| -> Result<BTreeSet<KstDay>> {
            let names = self.lake.names(&format!("{folder}/{table}"))?;
            Ok(names.iter().filter_map(|name| Partition::day_of_file(name)).collect())
        };
        let mut days = if self.lake.keeps_runs() { days_of(self.lake, table)? } else { days_in(STAGING)? };
        days.extend(days_in(LOCKS)?);
        days.extend(
            unfinished.iter().filter(|partition| partition.table == table).map(|partition| partition.day),
        );
        Ok(days.into_iter().collect())
    }

    /// Cleans one partition, unless a run holds it. `shown` are the runs that a catalog shows. A dry run puts no lock into a
    /// bucket.
    pub fn clean_day(&self, partition: &Partition, shown: &BTreeSet<String>) -> Result<CleanedDay> {
        let needs_lock = !(self.dry && self.lake.keeps_runs());
        let _lock = match needs_lock.then(|| self.lock(partition)).transpose() {
            Err(error) if is_held(&error) => return Ok(CleanedDay::Held),
            lock => lock?,
        };
        if !self.dry {
            self.lake.sweep(partition)?;
        }
        if !self.lake.keeps_runs() {
            return Ok(CleanedDay::Swept);
        }
        let leftovers = publish::leftovers(self.lake, partition, self.options, shown)?;
        let is_removed = self.dry || leftovers.remove(self.lake, partition)?;
        Ok(if is_removed { CleanedDay::Removed(leftovers) } else { CleanedDay::JustPublished(leftovers) })
    }

    fn lock(&self, partition: &Partition) -> Result<Box<dyn DayLock>> {
        let now = self.options.now;
        self.lake.lock(partition, &lock_taker("logmill clean", &run_name(now)?, false, now))
    }
}

/// Returns the runs of a table that the catalog shows on some days, which are in order.
pub fn shown_runs(registrar: Option<&Registrar>, table: &str, days: &[KstDay]) -> Result<BTreeSet<String>> {
    let (Some(registrar), Some(first), Some(last)) = (registrar, days.first(), days.last()) else {
        return Ok(BTreeSet::new());
    };
    let partitions = registrar.catalog.partitions(table, *first, *last)?;
    Ok(partitions.iter().filter_map(|partition| run_of(&partition.location)).collect())
}
