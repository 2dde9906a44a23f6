//! Collects the facts about each day of each table from the three places.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Places;
use crate::catalog::change::ExistingTable;
use crate::catalog::diagnosis::{CatalogFacts, DayFacts, Finding, PublishedFacts, diagnose};
use crate::catalog::{self, CatalogColumn, ExistingPartition, RegistrationOptions};
use crate::cli::clean;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::{PlannedObject, TableSource, plan_table};
use crate::publish::{self, Manifest};
use crate::road::Registrar;
use crate::store::Lake;
use crate::store::lake::{INPUTS, MANIFEST, Partition, run_of};

/// A table with the days that were checked.
pub(super) struct TableDiagnosis {
    pub(super) table: String,
    /// The table in the catalog.
    pub(super) existing: Option<ExistingTable>,
    pub(super) days: Vec<DayDiagnosis>,
}

/// The findings about a day.
pub(super) struct DayDiagnosis {
    pub(super) partition: Partition,
    /// Number and size of the raw objects that a run would read; `None` if no input is given.
    pub(super) planned: Option<(u64, u64)>,
    pub(super) published: Option<Manifest>,
    pub(super) registered: Option<ExistingPartition>,
    pub(super) projected: bool,
    pub(super) findings: Vec<Finding>,
    /// Why the day could not be checked.
    pub(super) failed: Option<Error>,
}

/// Checks the days of all tables of the sources and of the lake, or of the one table in `only`.
pub(super) fn tables(
    places: &Places<'_>,
    only: Option<&str>,
    days: &[KstDay],
) -> Result<Vec<TableDiagnosis>> {
    let with_inputs = places.settings.sources.iter().filter(|source| !source.spec.inputs.is_empty());
    let mut names: BTreeSet<String> = with_inputs.map(|source| source.spec.table.clone()).collect();
    for name in places.lake.names("")? {
        if only.is_none_or(|only| only == name) && is_ours(places, &name)? {
            names.insert(name);
        }
    }
    names.retain(|name| only.is_none_or(|only| only == name));
    if let Some(registrar) = places.registrar {
        registrar.catalog.require_database(false)?;
    }
    names.into_iter().map(|table| check_table(places, table, days)).collect()
}

/// Returns whether a folder of the lake is a table of logmill: a source names it, or one of its days has a manifest. Other
/// tables may share the bucket and the database.
fn is_ours(places: &Places<'_>, name: &str) -> Result<bool> {
    if name.starts_with(['_', '.']) {
        return Ok(false);
    }
    if places.settings.sources.iter().any(|source| source.spec.table == name) {
        return Ok(true);
    }
    let mut days = places.lake.names(name)?;
    days.retain(|day| day.starts_with("proc_ymd="));
    // The newest day is the most likely to be complete.
    days.sort_unstable_by(|one, other| other.cmp(one));
    for day in days {
        places.context.cancel.check()?;
        if places.lake.read(&format!("{name}/{day}/{MANIFEST}"))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_table(places: &Places<'_>, table: String, days: &[KstDay]) -> Result<TableDiagnosis> {
    let (mut existing, mut partitions) = (None, BTreeMap::new());
    if let (Some(registrar), Some(first), Some(last)) = (places.registrar, days.first(), days.last()) {
        existing = registrar.catalog.table(&table)?;
        let found = registrar.catalog.partitions(&table, *first, *last)?;
        partitions.extend(found.into_iter().map(|found| (found.value.clone(), found)));
    }
    let inspection = TableInspection {
        places,
        table: &table,
        existing: existing.as_ref(),
        folder: places.lake.address(&table),
    };
    let mut diagnoses = Vec::new();
    for day in days {
        places.context.cancel.check()?;
        diagnoses.push(inspection.inspect_day(*day, partitions.remove(&day.proc_ymd()))?);
    }
    Ok(TableDiagnosis { table, existing, days: diagnoses })
}

/// Checks the days of one table.
struct TableInspection<'a> {
    places: &'a Places<'a>,
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
        let lake = self.places.lake;
        let published = publish::read_manifest(lake, partition)?;
        let published = published.map(|manifest| self.published(partition, manifest)).transpose()?;
        let shown = registered.iter().filter_map(|found| run_of(&found.location)).collect();
        let options = clean::clean_options(self.places.settings, clean::UNKNOWN_MS, lake)?;
        Ok(DayFacts {
            day: partition.day,
            planned: self.planned(partition.day)?,
            published,
            leftovers: publish::leftovers(lake, partition, options, &shown)?.files.len(),
            catalog: self.places.registrar.map(|_| CatalogFacts {
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
        let Some(source) = self.places.settings.sources.iter().find(is_mine) else { return Ok(None) };
        Ok(Some(plan_table(source, day, self.places.connector)?.objects))
    }

    fn published(&self, partition: &Partition, manifest: Manifest) -> Result<PublishedFacts> {
        let lake = self.places.lake;
        let options =
            self.places.registrar.map_or_else(RegistrationOptions::default, Registrar::registration_options);
        let column = |(name, hive_type)| CatalogColumn { name, hive_type, comment: String::new() };
        Ok(PublishedFacts {
            inputs: publish::read_inputs(lake, partition, &manifest)?,
            location: format!("{}/{}/", lake.address(&partition.to_string()), manifest.run),
            lost: lost(lake, partition, &manifest)?,
            columns: crate::audit::part_columns(lake, partition, &manifest)?
                .into_iter()
                .map(column)
                .collect(),
            table: catalog::definition(lake, &manifest.shape()?, options),
            manifest,
        })
    }

    fn is_projected(&self) -> bool {
        let wanted = self
            .places
            .registrar
            .is_some_and(|registrar| registrar.registration_options().projected_from.is_some());
        wanted || self.existing.is_some_and(ExistingTable::is_projected)
    }
}

/// Returns the files of the manifest that are not in the lake.
fn lost(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<String>> {
    let mut present = BTreeSet::new();
    for folder in [manifest.run.as_str(), INPUTS] {
        let names = lake.names(&format!("{partition}/{folder}"))?;
        present.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
    }
    let paths = manifest.parts.iter().map(|part| &part.path).chain([&manifest.inputs_file.path]);
    Ok(paths.filter(|path| !present.contains(*path)).cloned().collect())
}
