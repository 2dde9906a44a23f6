//! Compares a day in its three places (raw logs, lake and catalog) and reports every disagreement.
//!
//! This code works on facts that the caller has collected. It makes no requests.

use std::collections::BTreeSet;

use super::change::{Comparison, ExistingTable, compare, find, same_location, same_type};
use super::partition::RUN_PARAMETER;
use super::{CatalogColumn, ExistingPartition, TableDefinition};
use crate::audit::freshness::InputsChange;
use crate::kst::KstDay;
use crate::plan::PlannedObject;
use crate::publish::{InputLine, Manifest};
use crate::store::lake::{PARTITION_KEY, is_run_name};

/// The facts about a day of a table in its three places.
#[derive(Debug, Clone)]
pub struct DayFacts<'a> {
    /// The day.
    pub day: KstDay,
    /// The objects that a run would read now; `None` if no input is given.
    pub planned: Option<Vec<PlannedObject>>,
    /// The day in the lake; `None` if it was never published.
    pub published: Option<PublishedFacts>,
    /// The day in the catalog; `None` if no catalog is given.
    pub catalog: Option<CatalogFacts<'a>>,
    /// Number of files in the lake that are no longer needed.
    pub leftovers: usize,
}

/// A published day.
#[derive(Debug, Clone)]
pub struct PublishedFacts {
    /// Its manifest.
    pub manifest: Manifest,
    /// The objects that its run read.
    pub inputs: Vec<InputLine>,
    /// Address of the folder of its run.
    pub location: String,
    /// Files in the manifest that are missing from the lake.
    pub lost: Vec<String>,
    /// The columns of its files.
    pub columns: Vec<CatalogColumn>,
    /// The wanted definition of its table in the catalog.
    pub table: TableDefinition,
}

/// The day in the catalog.
#[derive(Debug, Clone)]
pub struct CatalogFacts<'a> {
    /// The table.
    pub table: Option<&'a ExistingTable>,
    /// The partition.
    pub partition: Option<ExistingPartition>,
    /// Whether Athena computes partitions.
    pub projected: bool,
    /// Address of the folder of the table in the lake.
    pub folder: &'a str,
}

/// A problem with a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Raw logs exist, but the day was never published.
    Missing {
        /// Number of raw objects.
        objects: usize,
    },
    /// Raw logs exist that the published day has not read.
    Stale {
        /// Number of raw objects.
        objects: usize,
        /// The first of these objects.
        first: String,
    },
    /// Files of the published day are missing.
    Lost {
        /// The files, below the day.
        files: Vec<String>,
    },
    /// The catalog does not have the published day.
    NotRegistered,
    /// The catalog shows another location than the published day.
    Dangling {
        /// The location in the catalog.
        location: String,
    },
    /// The catalog shows a day that was never published.
    Orphaned {
        /// The location in the catalog.
        location: String,
        /// Whether a run of logmill registered it inside the folder of the table, so that removing it is safe.
        ours: bool,
    },
    /// The catalog table does not match the files.
    Schema {
        /// Each reason is a sentence.
        reasons: Vec<String>,
        /// How to repair it.
        repair: Repair,
    },
    /// The day contains files of other runs.
    Leftovers {
        /// Number of files.
        files: usize,
    },
}

/// How to repair a table that does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Registering the day repairs it.
    Register,
    /// The projection must be requested, or removed from the table.
    Projection,
    /// A person must decide which side is right.
    Person,
}

impl Finding {
    /// Returns the name to display, which is also its stable name.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Stale { .. } => "stale",
            Self::Lost { .. } => "lost",
            Self::NotRegistered => "not registered",
            Self::Dangling { .. } => "dangling",
            Self::Orphaned { .. } => "orphaned",
            Self::Schema { .. } => "schema",
            Self::Leftovers { .. } => "leftovers",
        }
    }

    /// Describes the problem in a sentence.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Missing { objects } => {
                format!("the day was never published, but it has raw objects: {objects}")
            }
            Self::Stale { objects, first } => {
                format!("raw objects that are not in the published day: {objects}, first: {first}")
            }
            Self::Lost { files } => format!("files of the published day are missing: {}", files.join(", ")),
            Self::NotRegistered => "the catalog does not have the published day".to_owned(),
            Self::Dangling { location } => {
                format!("the catalog shows {location}, which is not the published run")
            }
            Self::Orphaned { location, .. } => {
                format!("the catalog shows {location}, but the day was never published")
            }
            Self::Schema { reasons, .. } => reasons.join("; "),
            Self::Leftovers { files } => format!("files of other runs: {files}"),
        }
    }

    /// Whether registering the day repairs it.
    #[must_use]
    pub fn needs_register(&self) -> bool {
        matches!(
            self,
            Self::NotRegistered | Self::Dangling { .. } | Self::Schema { repair: Repair::Register, .. }
        )
    }
}

/// Returns the problems of a day, the most serious first.
#[must_use]
pub fn diagnose(facts: &DayFacts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(compare_raw_and_lake(facts));
    if let Some(published) = &facts.published
        && !published.lost.is_empty()
    {
        findings.push(Finding::Lost { files: published.lost.clone() });
    }
    if let Some(catalog) = &facts.catalog {
        findings.extend(compare_lake_and_catalog(facts.published.as_ref(), catalog));
        findings.extend(compare_files_and_table(facts.published.as_ref(), catalog));
    }
    if facts.leftovers > 0 {
        findings.push(Finding::Leftovers { files: facts.leftovers });
    }
    findings
}

fn compare_raw_and_lake(facts: &DayFacts<'_>) -> Option<Finding> {
    let planned = facts.planned.as_ref().filter(|planned| !planned.is_empty())?;
    let Some(published) = &facts.published else { return Some(Finding::Missing { objects: planned.len() }) };
    let change = InputsChange::between(planned.iter(), &published.inputs, |_| true);
    let objects = usize::try_from(change.new + change.changed).unwrap_or(usize::MAX);
    Some(Finding::Stale { objects, first: change.example? })
}

fn compare_lake_and_catalog(
    published: Option<&PublishedFacts>,
    catalog: &CatalogFacts<'_>,
) -> Option<Finding> {
    if catalog.projected {
        return (published.is_some() && catalog.table.is_none()).then_some(Finding::NotRegistered);
    }
    match (published, &catalog.partition) {
        (None, None) => None,
        (Some(_), None) => Some(Finding::NotRegistered),
        (Some(published), Some(partition)) => (!same_location(&partition.location, &published.location))
            .then(|| Finding::Dangling { location: partition.location.clone() }),
        (None, Some(partition)) => Some(Finding::Orphaned {
            ours: is_ours(partition, catalog.folder),
            location: partition.location.clone(),
        }),
    }
}

/// Whether a run registered a partition: its parameters name a run, or its location is the folder of a run of its day. A
/// location outside the folder of the table may be a day of another lake.
fn is_ours(partition: &ExistingPartition, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let Some(below) = partition.location.strip_prefix(folder).and_then(|below| below.strip_prefix('/'))
    else {
        return false;
    };
    let day = format!("{PARTITION_KEY}={}/", partition.value);
    let shows_run = below.strip_prefix(&day).is_some_and(|run| is_run_name(run.trim_end_matches('/')));
    shows_run || partition.parameters.contains_key(RUN_PARAMETER)
}

/// Compares the definition of the table, and the names and types in the file footers, with the existing table.
fn compare_files_and_table(
    published: Option<&PublishedFacts>,
    catalog: &CatalogFacts<'_>,
) -> Option<Finding> {
    let (published, table) = (published?, catalog.table?);
    let (mut reasons, mut repair) = match compare(table, &published.table) {
        Comparison::Same => (Vec::new(), Repair::Register),
        Comparison::Disagrees(reasons) => (reasons, Repair::Person),
        Comparison::Projects => (
            vec!["the table uses partition projection, but none was requested".to_owned()],
            Repair::Projection,
        ),
        Comparison::Differs(change) => {
            let columns =
                change.columns.iter().map(|column| format!("the table lacks column {}", column.name));
            let parameters =
                change.parameters.keys().map(|name| format!("the table parameter {name} differs"));
            (columns.chain(parameters).collect(), Repair::Register)
        }
    };
    let defined: BTreeSet<&str> = published.table.columns.iter().map(|column| column.name.as_str()).collect();
    for column in &published.columns {
        let reason = match find(&table.columns, &column.name) {
            None if defined.contains(column.name.as_str()) => continue,
            None => format!("the files have column {}, but the table does not", column.name),
            Some(found) if same_type(&found.hive_type, &column.hive_type) => continue,
            Some(found) => {
                format!(
                    "column {} is {} in the files but {} in the table",
                    column.name, column.hive_type, found.hive_type
                )
            }
        };
        repair = Repair::Person;
        reasons.push(reason);
    }
    (!reasons.is_empty()).then_some(Finding::Schema { reasons, repair })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::partition::tests::{definition, existing};
    use crate::catalog::table::SERDE;
    use crate::dataset;
    use crate::ledger::RowLedger;
    use crate::table::Naming;

    const FOLDER: &str = "s3://lake/s3_access/";

    fn table() -> TableDefinition {
        let schema = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
        TableDefinition::new("s3_access", "", &schema, FOLDER)
    }

    fn existing_table() -> ExistingTable {
        let key = CatalogColumn {
            name: "proc_ymd".to_owned(),
            hive_type: "string".to_owned(),
            comment: String::new(),
        };
        ExistingTable {
            kind: "EXTERNAL_TABLE".to_owned(),
            columns: table().columns,
            partition_keys: vec![key],
            location: FOLDER.to_owned(),
            serde: SERDE.to_owned(),
            parameters: BTreeMap::new(),
        }
    }

    fn object(address: &str, bytes: u64) -> PlannedObject {
        let (address, key, why) = (address.to_owned(), address.to_owned(), "".into());
        PlannedObject { address, input: 0, key, bytes, etag: None, why, events_until_ms: None, shard: 0 }
    }

    /// Returns a day without problems in all three places.
    fn good(table: &ExistingTable) -> DayFacts<'_> {
        let wanted = definition("2023-11-01");
        let ledger = RowLedger::default();
        let published = PublishedFacts {
            manifest: crate::publish::tests::manifest(),
            inputs: vec![InputLine {
                object: "s3://raw/a".to_owned(),
                bytes: 5,
                etag: None,
                damaged: false,
                unread: false,
                newer_than_name: 0,
                counted_only: BTreeMap::new(),
                ledger,
            }],
            location: wanted.location.clone(),
            lost: Vec::new(),
            columns: wanted.columns.clone(),
            table: self::table(),
        };
        DayFacts {
            day: wanted.day,
            planned: Some(vec![object("s3://raw/a", 5)]),
            published: Some(published),
            catalog: Some(CatalogFacts {
                table: Some(table),
                partition: Some(existing(&wanted)),
                projected: false,
                folder: FOLDER,
            }),
            leftovers: 0,
        }
    }

    /// Returns the names of the problems that a good day has after a change.
    fn words(change: impl Fn(&mut DayFacts<'_>)) -> Vec<&'static str> {
        let table = existing_table();
        let mut facts = good(&table);
        change(&mut facts);
        diagnose(&facts).iter().map(Finding::word).collect()
    }

    fn catalog<'f, 'a>(facts: &'f mut DayFacts<'a>) -> &'f mut CatalogFacts<'a> {
        facts.catalog.as_mut().unwrap()
    }

    fn published<'f>(facts: &'f mut DayFacts<'_>) -> &'f mut PublishedFacts {
        facts.published.as_mut().unwrap()
    }

    #[test]
    fn each_disagreement_has_its_own_name() {
        assert_eq!(words(|_| {}), [""; 0]);
        assert_eq!(words(|facts| facts.planned = None), [""; 0]);
        assert_eq!(words(|facts| facts.catalog = None), [""; 0]);
        let never = |facts: &mut DayFacts<'_>| facts.published = None;
        assert_eq!(words(never), ["missing", "orphaned"]);
        let unknown = |facts: &mut DayFacts<'_>| {
            never(facts);
            catalog(facts).partition = None;
        };
        assert_eq!(words(unknown), ["missing"]);
        let nothing = |facts: &mut DayFacts<'_>| {
            unknown(facts);
            facts.planned = Some(Vec::new());
        };
        assert_eq!(words(nothing), [""; 0]);
        assert_eq!(words(|facts| catalog(facts).partition = None), ["not registered"]);
        assert_eq!(words(|facts| published(facts).location.push_str("newer/")), ["dangling"]);
        assert_eq!(words(|facts| published(facts).lost.push("part".to_owned())), ["lost"]);
        assert_eq!(words(|facts| facts.leftovers = 3), ["leftovers"]);
    }

    #[test]
    fn objects_that_arrived_later_or_have_changed_make_a_day_stale() {
        for object in [object("s3://raw/b", 5), object("s3://raw/a", 6)] {
            let found = words(|facts| facts.planned.as_mut().unwrap().push(object.clone()));
            assert_eq!(found, ["stale"]);
        }
        assert_eq!(words(|facts| facts.planned.as_mut().unwrap().clear()), [""; 0], "raw logs may expire");
    }

    #[test]
    fn with_a_projection_no_partition_is_missing() {
        let projected = |facts: &mut DayFacts<'_>| {
            catalog(facts).projected = true;
            catalog(facts).partition = None;
        };
        assert_eq!(words(projected), [""; 0]);
        let without_table = |facts: &mut DayFacts<'_>| {
            projected(facts);
            catalog(facts).table = None;
        };
        assert_eq!(words(without_table), ["not registered"]);
    }

    #[test]
    fn only_partitions_that_a_run_registered_in_the_folder_of_the_table_are_ours() {
        let table = existing_table();
        let check = |location: &str, names_run: bool, expected: bool| {
            let mut facts = good(&table);
            facts.published = None;
            let partition = catalog(&mut facts).partition.as_mut().unwrap();
            partition.location = location.to_owned();
            if !names_run {
                partition.parameters.remove(RUN_PARAMETER);
            }
            let found = diagnose(&facts);
            let ours = matches!(found[1], Finding::Orphaned { ours: true, .. });
            assert_eq!(ours, expected, "{location} {names_run}");
        };
        let run = "20231102T000000Z-0000000a";
        check(&format!("s3://lake/s3_access/proc_ymd=20231101/{run}/"), false, true);
        check(&format!("s3://lake/s3_access/proc_ymd=20231101/{run}"), true, true);
        check("s3://lake/s3_access/proc_ymd=20231101/", true, true);
        check("s3://lake/s3_access/proc_ymd=20231101/", false, false);
        check("s3://lake/s3_access/by-hand/", false, false);
        check(&format!("s3://lake/s3_access/proc_ymd=20231102/{run}/"), false, false);
        check(&format!("s3://lake/s3_access_old/proc_ymd=20231101/{run}/"), true, false);
        check(&format!("s3://other/s3_access/proc_ymd=20231101/{run}/"), true, false);
    }

    #[test]
    fn differing_columns_are_reported_and_registering_repairs_only_missing_ones() {
        let check = |facts: &DayFacts<'_>, expected: &[&str], expected_repair: Repair| {
            let found = diagnose(facts);
            let [Finding::Schema { reasons, repair }] = &found[..] else { panic!("{found:?}") };
            assert_eq!(reasons, expected);
            assert_eq!(*repair, expected_repair);
        };
        let mut narrow = existing_table();
        narrow.columns.retain(|column| column.name != "operation");
        check(&good(&narrow), &["the table lacks column operation"], Repair::Register);

        let mut projected = existing_table();
        projected.parameters.insert("projection.enabled".to_owned(), "TRUE".to_owned());
        let mut facts = good(&projected);
        catalog(&mut facts).projected = true;
        let reason = "the table uses partition projection, but none was requested";
        check(&facts, &[reason], Repair::Projection);

        let table = existing_table();
        let mut facts = good(&table);
        let column = &mut published(&mut facts).columns[0];
        column.hive_type = "double".to_owned();
        let reason = format!("column {} is double in the files but string in the table", column.name);
        check(&facts, &[&reason], Repair::Person);
    }
}
