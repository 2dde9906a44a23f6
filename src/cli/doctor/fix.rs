//! Repairs what can be repaired without the raw logs: registers days, and removes partitions and files that are not needed.

use std::collections::BTreeSet;

use super::places::Places;
use crate::catalog;
use crate::catalog::change::{Comparison, TableChange, compare};
use crate::cli::clean::{self, PrintLine};
use crate::error::{ErrorKind, Result};
use crate::road::clean::Cleaner;
use crate::road::diagnosis::{DayDiagnosis, TableDiagnosis};
use crate::store::lake::run_of;

/// Repairs every finding that can be repaired, or prints the calls that would do so. Returns whether a repair failed.
pub(super) fn run(
    places: &Places<'_>,
    tables: &[TableDiagnosis],
    dry: bool,
    print: PrintLine,
) -> Result<bool> {
    let mut printed = BTreeSet::new();
    let mut failed = false;
    for table in tables {
        for day in &table.days {
            places.context.cancel.check()?;
            let outcome = if dry {
                rehearse(places, table, day, &mut printed, print)
            } else {
                repair(places, day, print)
            };
            match outcome {
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    places.context.console.error(&error);
                    failed = true;
                }
                Ok(()) => {}
            }
        }
    }
    Ok(failed)
}

fn repair(places: &Places<'_>, day: &DayDiagnosis, print: PrintLine) -> Result<()> {
    if let (Some(registrar), Some(manifest)) = (places.registrar, day.to_register()) {
        let registration = registrar.register_again(places.lake, manifest)?;
        places.context.console.warn_of_registration(&registration);
        print(&crate::cli::summary::registered(&registration))?;
    }
    if let Some(registrar) = places.registrar.filter(|_| day.must_unregister()) {
        registrar.catalog.remove_partitions(&day.partition.table, &[day.partition.day])?;
        let database = &registrar.options.database;
        print(&format!("{database}.{}: partition {} removed", day.partition.table, day.partition.folder()))?;
    }
    sweep(places, day, false, print)
}

/// Prints each call that a repair would make. A call about a whole table is printed once.
fn rehearse(
    places: &Places<'_>,
    table: &TableDiagnosis,
    day: &DayDiagnosis,
    printed: &mut BTreeSet<String>,
    print: PrintLine,
) -> Result<()> {
    let mut calls = registering_calls(places, table, day)?;
    if let Some(registrar) = places.registrar.filter(|_| day.must_unregister()) {
        let database = &registrar.options.database;
        calls.push(format!("BatchDeletePartition {database}.{} {}", table.table, day.partition.folder()));
    }
    for call in calls {
        if printed.insert(call.clone()) {
            print(&format!("would call {call}"))?;
        }
    }
    sweep(places, day, true, print)
}

/// Returns the calls that would register a day, if it must be registered.
fn registering_calls(places: &Places<'_>, table: &TableDiagnosis, day: &DayDiagnosis) -> Result<Vec<String>> {
    let (Some(registrar), Some(manifest)) = (places.registrar, day.to_register()) else {
        return Ok(Vec::new());
    };
    let name = format!("{}.{}", registrar.options.database, table.table);
    let wanted = catalog::definition(places.lake, &manifest.shape()?, registrar.registration_options());
    let mut calls = match table.existing.as_ref().map(|existing| compare(existing, &wanted)) {
        None => vec![format!("CreateTable {name} at {}", wanted.location)],
        Some(Comparison::Differs(change)) => updating_calls(&name, &change),
        Some(_) => Vec::new(),
    };
    let call = match (day.projected, &day.registered) {
        (true, _) => return Ok(calls),
        (false, None) => "BatchCreatePartition",
        (false, Some(_)) => "BatchUpdatePartition",
    };
    let address = places.lake.address(&day.partition.to_string());
    let location = catalog::run_location(&address, &manifest.run);
    calls.push(format!("{call} {name} {}: location {location}", day.partition.folder()));
    Ok(calls)
}

/// Returns the calls that would make a change to a table.
fn updating_calls(name: &str, change: &TableChange) -> Vec<String> {
    let columns: Vec<&str> = change.columns.iter().map(|column| column.name.as_str()).collect();
    let parameters: Vec<&str> = change.parameters.keys().map(String::as_str).collect();
    let update = format!("UpdateTable {name}: {}", [&columns[..], &parameters].concat().join(", "));
    let widen = format!("BatchUpdatePartition {name}, all partitions: new columns {}", columns.join(", "));
    if columns.is_empty() { vec![update] } else { vec![widen, update] }
}

fn sweep(places: &Places<'_>, day: &DayDiagnosis, dry: bool, print: PrintLine) -> Result<()> {
    if !day.has_leftovers() {
        return Ok(());
    }
    let options = clean::default_options(places.settings, places.lake)?;
    // Queries may still read the run that the catalog showed until now, so it is kept until the next call.
    let shown = day.registered.iter().filter_map(|found| run_of(&found.location)).collect();
    let cleaned = Cleaner { lake: places.lake, options, dry }.clean_day(&day.partition, &shown)?;
    clean::print_day(&day.partition, &cleaned, dry, print)
}
