//! Mends what can be mended without the raw logs: the catalog is told, and what nobody needs is removed.

use std::collections::BTreeSet;

use super::Places;
use super::gather::{DayDiagnosis, TableDiagnosis};
use crate::catalog::change::{Comparison, compare};
use crate::catalog::diagnosis::{Finding, Repair};
use crate::catalog::{self, PARTITION_KEY};
use crate::cli::clean::{self, Cleaner, PrintLine};
use crate::error::{ErrorKind, Result};
use crate::publish::Manifest;
use crate::road::Registrar;
use crate::store::lake::run_of;

/// Whether a finding can be mended here.
pub(super) fn can_fix(finding: &Finding) -> bool {
    match finding {
        Finding::Orphaned { ours, .. } => *ours,
        Finding::Leftovers { .. } => true,
        _ => finding.needs_register(),
    }
}

/// Mends all that can be mended, or says with which calls it would; returns whether something failed.
pub(super) fn run(places: &Places<'_>, tables: &[TableDiagnosis], dry: bool, say: PrintLine) -> Result<bool> {
    let mut said = BTreeSet::new();
    let mut failed = false;
    for table in tables {
        for day in &table.days {
            places.context.cancel.check()?;
            let outcome =
                if dry { rehearse(places, table, day, &mut said, say) } else { repair(places, day, say) };
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

fn repair(places: &Places<'_>, day: &DayDiagnosis, say: PrintLine) -> Result<()> {
    if let Some((registrar, manifest)) = to_register(places, day) {
        let registration = registrar.register_again(places.lake, manifest)?;
        places.context.console.warn_of_registration(&registration);
        say(&crate::cli::summary::registered(&registration))?;
    }
    if let Some(registrar) = to_remove(places, day) {
        registrar.catalog.remove_partitions(&day.partition.table, &[day.partition.day])?;
        let database = &registrar.options.database;
        say(&format!("{database}.{}: partition {} removed", day.partition.table, value(day)))?;
    }
    sweep(places, day, false, say)
}

/// Prints each call that would be made, those about a whole table once.
fn rehearse(
    places: &Places<'_>,
    table: &TableDiagnosis,
    day: &DayDiagnosis,
    said: &mut BTreeSet<String>,
    say: PrintLine,
) -> Result<()> {
    let mut calls = Vec::new();
    if let Some((registrar, manifest)) = to_register(places, day) {
        let name = format!("{}.{}", registrar.options.database, table.table);
        let wanted = catalog::definition(places.lake, manifest, registrar.rules())?;
        match table.standing.as_ref().map(|standing| compare(standing, &wanted)) {
            None => calls.push(format!("CreateTable {name} at {}", wanted.location)),
            Some(Comparison::Differs(change)) => {
                let columns: Vec<&str> = change.columns.iter().map(|column| column.name.as_str()).collect();
                if !columns.is_empty() {
                    calls.push(format!(
                        "BatchUpdatePartition {name}, all partitions: new columns {}",
                        columns.join(", ")
                    ));
                }
                let parameters: Vec<&str> = change.parameters.keys().map(String::as_str).collect();
                calls.push(format!("UpdateTable {name}: {}", [columns, parameters].concat().join(", ")));
            }
            Some(_) => {}
        }
        let call = match (day.projected, &day.registered) {
            (true, _) => None,
            (false, None) => Some("BatchCreatePartition"),
            (false, Some(_)) => Some("BatchUpdatePartition"),
        };
        let location = places.lake.address(&format!("{}/{}/", day.partition, manifest.run));
        calls.extend(call.map(|call| format!("{call} {name} {}: location {location}", value(day))));
    }
    if let Some(registrar) = to_remove(places, day) {
        let database = &registrar.options.database;
        calls.push(format!("BatchDeletePartition {database}.{} {}", table.table, value(day)));
    }
    for call in calls {
        if said.insert(call.clone()) {
            say(&format!("would call {call}"))?;
        }
    }
    sweep(places, day, true, say)
}

/// The published day that the catalog is to be told of, if it is.
fn to_register<'a>(places: &Places<'a>, day: &'a DayDiagnosis) -> Option<(&'a Registrar, &'a Manifest)> {
    let is_wanted = day.findings.iter().any(Finding::needs_register);
    // The catalog is not sent to files that are gone, nor to a table that would refuse it.
    let is_hopeless = day.findings.iter().any(|finding| match finding {
        Finding::Schema { repair, .. } => *repair != Repair::Register,
        Finding::Lost { .. } => true,
        _ => false,
    });
    if !is_wanted || is_hopeless {
        return None;
    }
    Some((places.registrar?, day.published.as_ref()?))
}

fn to_remove<'a>(places: &Places<'a>, day: &DayDiagnosis) -> Option<&'a Registrar> {
    let is_ours = |finding: &Finding| matches!(finding, Finding::Orphaned { ours: true, .. });
    places.registrar.filter(|_| day.findings.iter().any(is_ours))
}

fn sweep(places: &Places<'_>, day: &DayDiagnosis, dry: bool, say: PrintLine) -> Result<()> {
    if !day.findings.iter().any(|finding| matches!(finding, Finding::Leftovers { .. })) {
        return Ok(());
    }
    let rules = clean::rules(places.settings, clean::UNKNOWN_MS, places.lake)?;
    // What the catalog has shown until now may still be read: it stays until the next time.
    let shown = day.registered.iter().filter_map(|found| run_of(&found.location)).collect();
    Cleaner::new(places.lake, rules, dry, say).clean_day(&day.partition, &shown)
}

fn value(day: &DayDiagnosis) -> String {
    format!("{PARTITION_KEY}={}", day.partition.day.proc_ymd())
}
