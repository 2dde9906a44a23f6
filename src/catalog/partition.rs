//! The definition of a catalog partition, derived from a published day.

use std::collections::BTreeMap;

use super::change::{find, same_location, same_type};
use super::table::CatalogColumn;
use crate::kst::KstDay;
use crate::publish::{self, Manifest};

/// The parameter that names the run of a partition.
pub const RUN_PARAMETER: &str = "logmill.run";

/// The wanted state of a partition in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDefinition {
    /// The day.
    pub day: KstDay,
    /// Folder of the run, ending with `/`. One call that changes it switches the partition to a new run.
    pub location: String,
    /// The columns of the table.
    pub columns: Vec<CatalogColumn>,
    /// Its parameters, which describe the day.
    pub parameters: BTreeMap<String, String>,
}

/// A partition as it exists in the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingPartition {
    /// Its value: a day, for example `20231101`, unless another program registered it.
    pub value: String,
    /// Its folder.
    pub location: String,
    /// Its columns. Empty if they were not requested.
    pub columns: Vec<CatalogColumn>,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

impl PartitionDefinition {
    /// Creates the partition of a published day. `folder` is the address of the day in the lake.
    #[must_use]
    pub fn new(manifest: &Manifest, folder: &str, columns: Vec<CatalogColumn>) -> Self {
        let location = run_location(folder, &manifest.run);
        let rows = publish::rows_of(&manifest.parts).to_string();
        let bytes = manifest.parts.iter().map(|part| part.bytes).sum::<u64>().to_string();
        // Hive and Spark know the last three.
        let parameters = [
            ("logmill.rows", rows.clone()),
            ("logmill.bytes", bytes.clone()),
            (RUN_PARAMETER, manifest.run.clone()),
            ("logmill.version", manifest.logmill.clone()),
            ("numFiles", manifest.parts.len().to_string()),
            ("numRows", rows),
            ("totalSize", bytes),
        ];
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { day: manifest.day, location, columns, parameters }
    }

    /// Returns the value of the partition key.
    #[must_use]
    pub fn value(&self) -> String {
        self.day.proc_ymd()
    }

    /// Whether an existing partition already matches the definition.
    #[must_use]
    pub fn is_held_by(&self, existing: &ExistingPartition) -> bool {
        let has_column = |column: &CatalogColumn| {
            find(&existing.columns, &column.name)
                .is_some_and(|found| same_type(&found.hive_type, &column.hive_type))
        };
        same_location(&existing.location, &self.location)
            && self.columns.len() == existing.columns.len()
            && self.columns.iter().all(has_column)
            && self.parameters.iter().all(|(name, value)| existing.parameters.get(name) == Some(value))
    }
}

/// Returns the location of a run. `folder` is the address of its day in the lake.
#[must_use]
pub fn run_location(folder: &str, run: &str) -> String {
    format!("{}/{run}/", folder.trim_end_matches('/'))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::catalog::TableDefinition;
    use crate::dataset;
    use crate::table::Naming;

    fn manifest(day: &str) -> Manifest {
        Manifest { day: day.parse().unwrap(), ..crate::publish::tests::manifest() }
    }

    pub(in crate::catalog) fn definition(day: &str) -> PartitionDefinition {
        let schema = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
        let table = TableDefinition::new("s3_access", "", &schema, "s3://lake/s3_access");
        let folder = format!("s3://lake/s3_access/proc_ymd={}", day.replace('-', ""));
        PartitionDefinition::new(&manifest(day), &folder, table.columns)
    }

    pub(in crate::catalog) fn existing(definition: &PartitionDefinition) -> ExistingPartition {
        ExistingPartition {
            value: definition.value(),
            location: definition.location.clone(),
            columns: definition.columns.clone(),
            parameters: definition.parameters.clone(),
        }
    }

    #[test]
    fn a_partition_shows_the_folder_of_its_run() {
        let wanted = definition("2023-11-01");
        assert_eq!(wanted.value(), "20231101");
        assert_eq!(wanted.location, "s3://lake/s3_access/proc_ymd=20231101/20231102T000000Z-0000000a/");
        assert_eq!(wanted.parameters["logmill.rows"], "7");
        assert_eq!(wanted.parameters["totalSize"], "1234");
        assert_eq!(wanted.parameters[RUN_PARAMETER], "20231102T000000Z-0000000a");
    }

    #[test]
    fn a_partition_is_unchanged_only_if_location_columns_and_own_parameters_match() {
        let wanted = definition("2023-11-01");
        let check = |change: &dyn Fn(&mut ExistingPartition), expected: bool| {
            let mut found = existing(&wanted);
            change(&mut found);
            assert_eq!(wanted.is_held_by(&found), expected, "{found:?}");
        };
        check(&|_| {}, true);
        check(&|found| drop(found.parameters.insert("other".to_owned(), "1".to_owned())), true);
        check(&|found| found.columns[0].comment.clear(), true);
        check(&|found| found.location.push_str("older/"), false);
        check(&|found| drop(found.columns.pop()), false);
        check(&|found| found.columns[0].hive_type = "double".to_owned(), false);
        check(&|found| drop(found.parameters.insert("numRows".to_owned(), "8".to_owned())), false);
        check(&|found| drop(found.parameters.remove("logmill.bytes")), false);
    }
}
