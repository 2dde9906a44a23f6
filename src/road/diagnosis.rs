//! Collects the facts about each day of each table from raw logs, lake and catalog, and decides what can be repaired.

use std::collections::{BTreeMap, BTreeSet};

use super::Registrar;
use crate::audit::part_columns;
use crate::cancel::Cancel;
use crate::catalog::change::ExistingTable;
use crate::catalog::diagnosis::{CatalogFacts, DayFacts, Finding, PublishedFacts, Repair, diagnose};
use crate::catalog::{self, CatalogColumn, ExistingPartition, RegistrationOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{PlannedObject, TableSource, plan_table};
use crate::publish::{self, CleanOptions, Manifest};
use crate::store::lake::{Partition, days_of, run_of, table_names};
use crate::store::{Connector, Lake};

/// A table with the days that were checked.
pub struct TableDiagnosis {
    /// Name of the table.
    pub table: String,
    /// The table in the catalog.
    pub existing: Option<ExistingTable>,
    /// The days.
    pub days: Vec<DayDiagnosis>,
}

/// The findings about a day.
pub struct DayDiagnosis {
    /// The table and day.
    pub partition: Partition,
    /// Number and size of the raw objects that a run would read; `None` if no input is given.
    pub planned: Option<(u64, u64)>,
    /// The manifest of the published day.
    pub published: Option<Manifest>,
    /// The partition in the catalog.
    pub registered: Option<ExistingPartition>,
    /// Whether Athena computes the partitions of the table.
    pub projected: bool,
    /// What does not match.
    pub findings: Vec<Finding>,
    /// Why the day could not be checked.
    pub failed: Option<Error>,
}

impl DayDiagnosis {
    /// Returns the published day, if it must be registered.
    #[must_use]
    pub fn to_register(&self) -> Option<&Manifest> {
        let is_wanted = self.findings.iter().any(Finding::needs_register);
        // A day is not registered if its files are lost or if the catalog table does not match.
        let cannot_register = self.findings.iter().any(|finding| match finding {
            Finding::Schema { repair, .. } => *repair != Repair::Register,
            Finding::Lost { .. } => true,
            _ => false,
        });
        self.published.as_ref().filter(|_| is_wanted && !cannot_register)
    }

    /// Whether the partition in the catalog must be removed.
    #[must_use]
    pub fn must_unregister(&self) -> bool {
        self.findings.iter().any(|finding| matches!(finding, Finding::Orphaned { ours: true, .. }))
    }

    /// Whether files must be removed from the lake.
    #[must_use]
    pub fn has_leftovers(&self) -> bool {
        self.findings.iter().any(|finding| matches!(finding, Finding::Leftovers { .. }))
    }
}

/// Returns whether a finding can be repaired without the raw logs.
#[must_use]
pub fn can_repair(finding: &Finding) -> bool {
    match finding {
        Finding::Orphaned { ours, .. } => *ours,
        Finding::Leftovers { .. } => true,
        _ => finding.needs_register(),
    }
}

/// Compares the three places: raw logs, lake and catalog.
pub struct DayChecker<'a> {
    /// The raw logs.
    pub sources: &'a [TableSource],
    /// Opens the raw logs.
    pub connector: &'a Connector,
    /// The lake.
    pub lake: &'a dyn Lake,
    /// The catalog, if one is configured.
    pub registrar: Option<&'a Registrar>,
    /// Stops the check.
    pub cancel: &'a Cancel,
    /// Returns the limits for removing files of runs, at the current time.
    pub clean_options: &'a dyn Fn() -> Result<CleanOptions>,
}

impl DayChecker<'_> {
    /// Checks the days of all tables of the sources and of the lake, or of the one table in `only`.
    pub fn tables(&self, only: Option<&str>, days: &[KstDay]) -> Result<Vec<TableDiagnosis>> {
        let with_inputs = self.sources.iter().filter(|source| !source.spec.inputs.is_empty());
        let mut names: BTreeSet<String> = with_inputs.map(|source| source.spec.table.clone()).collect();
        for name in table_names(self.lake)? {
            if only.is_none_or(|only| only == name) && self.is_ours(&name)? {
                names.insert(name);
            }
        }
        names.retain(|name| only.is_none_or(|only| only == name));
        if let Some(registrar) = self.registrar {
            registrar.catalog.require_database(false)?;
        }
        names.into_iter().map(|table| self.check_table(table, days)).collect()
    }

    /// Returns whether a folder of the lake is a table of logmill: a source names it, or one of its days has a manifest.
    /// Other tables may share the bucket and the database.
    fn is_ours(&self, name: &str) -> Result<bool> {
        if self.sources.iter().any(|source| source.spec.table == name) {
            return Ok(true);
        }
        // The newest day is the most likely to be complete.
        for day in days_of(self.lake, name)?.into_iter().rev() {
            self.cancel.check()?;
            let partition = Partition { table: name.to_owned(), day };
            if self.lake.manifest(&partition)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn check_table(&self, table: String, days: &[KstDay]) -> Result<TableDiagnosis> {
        let (mut existing, mut partitions) = (None, BTreeMap::new());
        if let (Some(registrar), Some(first), Some(last)) = (self.registrar, days.first(), days.last()) {
            existing = registrar.catalog.table(&table)?;
            let found = registrar.catalog.partitions(&table, *first, *last)?;
            partitions.extend(found.into_iter().map(|found| (found.value.clone(), found)));
        }
        let inspection = TableInspection {
            checker: self,
            table: &table,
            existing: existing.as_ref(),
            folder: self.lake.address(&table),
        };
        let mut diagnoses = Vec::new();
        for day in days {
            self.cancel.check()?;
            diagnoses.push(inspection.inspect_day(*day, partitions.remove(&day.proc_ymd()))?);
        }
        Ok(TableDiagnosis { table, existing, days: diagnoses })
    }
}

/// Checks the days of one table.
struct TableInspection<'a> {
    checker: &'a DayChecker<'a>,
    table: &'a str,
    existing: Option<&'a ExistingTable>,
    /// Address of the table in the lake.
    folder: String,
}

impl TableInspection<'_> {
    /// Checks a day. Returns a failure as part of the diagnosis, except an interruption, which ends the command.
    fn inspect_day(&self, day: KstDay, registered: Option<ExistingPartition>) -> Result<DayDiagnosis> {
        let partition = Partition { table: self.table.to_owned(), day };
        match self.facts(&partition, registered.clone()) {
            Ok(facts) => {
                let findings = diagnose(&facts);
                let bytes = |planned: &Vec<PlannedObject>| planned.iter().map(|object| object.bytes).sum();
                Ok(DayDiagnosis {
                    partition,
                    planned: facts.planned.as_ref().map(|planned| (planned.len() as u64, bytes(planned))),
                    published: facts.published.map(|published| published.manifest),
                    registered,
                    projected: self.is_projected(),
                    findings,
                    failed: None,
                })
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => Ok(DayDiagnosis {
                partition,
                planned: None,
                published: None,
                registered,
                projected: self.is_projected(),
                findings: Vec::new(),
                failed: Some(error),
            }),
        }
    }

    fn facts(&self, partition: &Partition, registered: Option<ExistingPartition>) -> Result<DayFacts<'_>> {
        let lake = self.checker.lake;
        let published = publish::read_manifest(lake, partition)?;
        let published = published.map(|manifest| self.published(partition, manifest)).transpose()?;
        let shown = registered.iter().filter_map(|found| run_of(&found.location)).collect();
        let clean_options = (self.checker.clean_options)()?;
        Ok(DayFacts {
            day: partition.day,
            planned: self.planned(partition.day)?,
            published,
            leftovers: publish::leftovers(lake, partition, clean_options, &shown)?.files.len(),
            catalog: self.checker.registrar.map(|_| CatalogFacts {
                table: self.existing,
                partition: registered,
                projected: self.is_projected(),
                folder: &self.folder,
            }),
        })
    }

    fn planned(&self, day: KstDay) -> Result<Option<Vec<PlannedObject>>> {
        let is_mine =
            |source: &&TableSource| source.spec.table == self.table && !source.spec.inputs.is_empty();
        let Some(source) = self.checker.sources.iter().find(is_mine) else { return Ok(None) };
        Ok(Some(plan_table(source, day, self.checker.connector)?.objects))
    }

    fn published(&self, partition: &Partition, manifest: Manifest) -> Result<PublishedFacts> {
        let lake = self.checker.lake;
        let options =
            self.checker.registrar.map_or_else(RegistrationOptions::default, Registrar::registration_options);
        let column = |(name, hive_type)| CatalogColumn { name, hive_type, comment: String::new() };
        Ok(PublishedFacts {
            inputs: publish::read_inputs(lake, partition, &manifest)?,
            location: catalog::run_location(&lake.address(&partition.to_string()), &manifest.run),
            lost: lost(lake, partition, &manifest)?,
            columns: part_columns(lake, partition, &manifest)?.into_iter().map(column).collect(),
            table: catalog::definition(lake, &manifest.shape()?, options),
            manifest,
        })
    }

    fn is_projected(&self) -> bool {
        let wanted = self
            .checker
            .registrar
            .is_some_and(|registrar| registrar.registration_options().projected_from.is_some());
        wanted || self.existing.is_some_and(ExistingTable::is_projected)
    }
}

/// Returns the files of the manifest that are not in the lake.
fn lost(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<String>> {
    let inputs = &manifest.inputs_file;
    let parts = manifest.parts.iter().map(|part| (&part.path, format!("{partition}/{}", part.path)));
    let mut lost: Vec<(&String, String)> = parts.chain([(&inputs.path, inputs.place(partition))]).collect();
    let folder_of = |place: &str| place.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let folders: BTreeSet<String> = lost.iter().filter_map(|(_, place)| folder_of(place)).collect();
    for folder in folders {
        let names = lake.names(&folder)?.into_iter();
        let present: BTreeSet<String> = names.map(|name| format!("{folder}/{name}")).collect();
        lost.retain(|(_, place)| !present.contains(place));
    }
    Ok(lost.into_iter().map(|(path, _)| path.clone()).collect())
}
