//! A day as its three places have it: raw logs, lake and catalog; and what is wrong when they disagree.
//!
//! Facts go in and findings come out; nothing is asked here.

use std::collections::BTreeSet;

use super::change::{Comparison, StandingTable, compare, find, same_location, same_type};
use super::partition::RUN_PARAMETER;
use super::{CatalogColumn, PARTITION_KEY, StandingPartition, TableDefinition};
use crate::audit::freshness::InputsChange;
use crate::kst::KstDay;
use crate::plan::PlannedObject;
use crate::publish::{InputLine, Manifest};
use crate::store::lake::is_run_name;

/// What the three places say about a day of a table.
#[derive(Debug, Clone)]
pub struct DayFacts<'a> {
    /// The day.
    pub day: KstDay,
    /// What a run would read now; `None` where no input is given.
    pub planned: Option<Vec<PlannedObject>>,
    /// The day in the lake; `None` where it was never published.
    pub published: Option<PublishedFacts>,
    /// The catalog; `None` where there is none.
    pub catalog: Option<CatalogFacts<'a>>,
    /// Files in the lake that nobody needs any more.
    pub leftovers: usize,
}

/// A published day.
#[derive(Debug, Clone)]
pub struct PublishedFacts {
    /// Its manifest.
    pub manifest: Manifest,
    /// The objects that its run has read.
    pub inputs: Vec<InputLine>,
    /// Address of the folder of its run.
    pub location: String,
    /// Files of the manifest that are not in the lake.
    pub lost: Vec<String>,
    /// The columns that its files have.
    pub columns: Vec<CatalogColumn>,
    /// Its table as the catalog should know it.
    pub table: TableDefinition,
}

/// The day in the catalog.
#[derive(Debug, Clone)]
pub struct CatalogFacts<'a> {
    /// The table.
    pub table: Option<&'a StandingTable>,
    /// The partition.
    pub partition: Option<StandingPartition>,
    /// Whether Athena computes partitions.
    pub projected: bool,
    /// Address of the folder of the table in the lake.
    pub folder: &'a str,
}

/// Something that is wrong with a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// There are raw logs, but the day was never published.
    Missing {
        /// Their number.
        objects: usize,
    },
    /// There are raw logs that the published day has not read.
    Stale {
        /// Their number.
        objects: usize,
        /// The first of them.
        first: String,
    },
    /// Files of the published day are gone.
    Lost {
        /// The files, below the day.
        files: Vec<String>,
    },
    /// The catalog does not know the published day.
    NotRegistered,
    /// The catalog shows something else than the published day.
    Dangling {
        /// What it shows.
        location: String,
    },
    /// The catalog shows a day that was never published.
    Orphaned {
        /// What it shows.
        location: String,
        /// Whether a run of logmill registered it and it lies in the folder of the table, so that nobody else can mean it.
        ours: bool,
    },
    /// The table of the catalog does not fit the files.
    Schema {
        /// Each reason in a sentence.
        reasons: Vec<String>,
        /// What mends it.
        repair: Repair,
    },
    /// Files of other runs lie in the day.
    Leftovers {
        /// Their number.
        files: usize,
    },
}

/// What mends a table that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// Registering the day.
    Register,
    /// A projection that is asked for, or that is no more.
    Projection,
    /// A person who knows which of the two is right.
    Person,
}

impl Finding {
    /// The word for people and machines.
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

    /// What it is, in a sentence.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Missing { objects } => format!("{objects} raw objects, but the day was never published"),
            Self::Stale { objects, first } => {
                format!("{objects} raw objects are not in the published day, the first is {first}")
            }
            Self::Lost { files } => format!("files of the published day are gone: {}", files.join(", ")),
            Self::NotRegistered => "the catalog does not know the published day".to_owned(),
            Self::Dangling { location } => {
                format!("the catalog shows {location}, which is not the published run")
            }
            Self::Orphaned { location, .. } => {
                format!("the catalog shows {location}, but the day was never published")
            }
            Self::Schema { reasons, .. } => reasons.join("; "),
            Self::Leftovers { files } => format!("{files} files of other runs"),
        }
    }

    /// Whether only a run over the raw logs can mend it.
    #[must_use]
    pub fn needs_run(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Stale { .. } | Self::Lost { .. })
    }

    /// Whether registering the day mends it.
    #[must_use]
    pub fn needs_register(&self) -> bool {
        matches!(
            self,
            Self::NotRegistered | Self::Dangling { .. } | Self::Schema { repair: Repair::Register, .. }
        )
    }
}

/// What is wrong with a day, the gravest first.
#[must_use]
pub fn diagnose(facts: &DayFacts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(raw_against_lake(facts));
    if let Some(published) = &facts.published
        && !published.lost.is_empty()
    {
        findings.push(Finding::Lost { files: published.lost.clone() });
    }
    if let Some(catalog) = &facts.catalog {
        findings.extend(lake_against_catalog(facts.published.as_ref(), catalog));
        findings.extend(files_against_table(facts.published.as_ref(), catalog));
    }
    if facts.leftovers > 0 {
        findings.push(Finding::Leftovers { files: facts.leftovers });
    }
    findings
}

fn raw_against_lake(facts: &DayFacts<'_>) -> Option<Finding> {
    let planned = facts.planned.as_ref().filter(|planned| !planned.is_empty())?;
    let Some(published) = &facts.published else { return Some(Finding::Missing { objects: planned.len() }) };
    let change = InputsChange::between(planned.iter(), &published.inputs, |_| true);
    let objects = usize::try_from(change.new + change.changed).unwrap_or(usize::MAX);
    Some(Finding::Stale { objects, first: change.example? })
}

fn lake_against_catalog(published: Option<&PublishedFacts>, catalog: &CatalogFacts<'_>) -> Option<Finding> {
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

/// Whether a run registered a partition: it says so itself, or shows the folder of a run of its day. What lies outside the
/// folder of the table may be a day of another lake.
fn is_ours(partition: &StandingPartition, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let Some(below) = partition.location.strip_prefix(folder).and_then(|below| below.strip_prefix('/'))
    else {
        return false;
    };
    let day = format!("{PARTITION_KEY}={}/", partition.value);
    let shows_run = below.strip_prefix(&day).is_some_and(|run| is_run_name(run.trim_end_matches('/')));
    shows_run || partition.parameters.contains_key(RUN_PARAMETER)
}

/// Types and names in the footers, and the definition of the table, against the table as it stands.
fn files_against_table(published: Option<&PublishedFacts>, catalog: &CatalogFacts<'_>) -> Option<Finding> {
    let (published, table) = (published?, catalog.table?);
    let (mut reasons, mut repair) = match compare(table, &published.table) {
        Comparison::Same => (Vec::new(), Repair::Register),
        Comparison::Disagrees(reasons) => (reasons, Repair::Person),
        Comparison::Projects => (
            vec!["the table projects its partitions, which nobody has asked for".to_owned()],
            Repair::Projection,
        ),
        Comparison::Differs(change) => {
            let columns = change.columns.iter().map(|column| format!("the table lacks {}", column.name));
            let parameters = change.parameters.keys().map(|name| format!("its parameter {name} differs"));
            (columns.chain(parameters).collect(), Repair::Register)
        }
    };
    let defined: BTreeSet<&str> = published.table.columns.iter().map(|column| column.name.as_str()).collect();
    for column in &published.columns {
        let reason = match find(&table.columns, &column.name) {
            None if defined.contains(column.name.as_str()) => continue,
            None => format!("the files have {}, which the table lacks", column.name),
            Some(found) if same_type(&found.hive_type, &column.hive_type) => continue,
            Some(found) => {
                format!(
                    "{} is {} in the files and {} in the table",
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
    use crate::catalog::partition::tests::{definition, standing};
    use crate::catalog::table::SERDE;
    use crate::dataset;
    use crate::ledger::RowLedger;
    use crate::table::Naming;

    const FOLDER: &str = "s3://lake/s3_access/";

    fn table() -> TableDefinition {
        let schema = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
        TableDefinition::new("s3_access", "", &schema, FOLDER)
    }

    fn standing_table() -> StandingTable {
        let key = CatalogColumn {
            name: "proc_ymd".to_owned(),
            hive_type: "string".to_owned(),
            comment: String::new(),
        };
        StandingTable {
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

    /// A day that is as it should be in all three places.
    fn good(table: &StandingTable) -> DayFacts<'_> {
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
                partition: Some(standing(&wanted)),
                projected: false,
                folder: FOLDER,
            }),
            leftovers: 0,
        }
    }

    /// The words about a good day after a change.
    fn words(change: impl Fn(&mut DayFacts<'_>)) -> Vec<&'static str> {
        let table = standing_table();
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
    fn each_disagreement_has_its_word() {
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
    fn objects_that_came_later_or_have_changed_make_a_day_stale() {
        for object in [object("s3://raw/b", 5), object("s3://raw/a", 6)] {
            let found = words(|facts| facts.planned.as_mut().unwrap().push(object.clone()));
            assert_eq!(found, ["stale"]);
        }
        assert_eq!(words(|facts| facts.planned.as_mut().unwrap().clear()), [""; 0], "raw logs may expire");
    }

    #[test]
    fn with_a_projection_no_partition_is_missed() {
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
    fn only_what_a_run_has_registered_in_the_folder_of_the_table_is_ours_to_remove() {
        let table = standing_table();
        let check = |location: &str, says_run: bool, expected: bool| {
            let mut facts = good(&table);
            facts.published = None;
            let partition = catalog(&mut facts).partition.as_mut().unwrap();
            partition.location = location.to_owned();
            if !says_run {
                partition.parameters.remove(RUN_PARAMETER);
            }
            let found = diagnose(&facts);
            let ours = matches!(found[1], Finding::Orphaned { ours: true, .. });
            assert_eq!(ours, expected, "{location} {says_run}");
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
    fn columns_that_differ_are_told_and_only_missing_ones_can_be_mended() {
        let check = |facts: &DayFacts<'_>, expected: &[&str], expected_mend: Repair| {
            let found = diagnose(facts);
            let [Finding::Schema { reasons, repair }] = &found[..] else { panic!("{found:?}") };
            assert_eq!(reasons, expected);
            assert_eq!(*repair, expected_mend);
        };
        let mut narrow = standing_table();
        narrow.columns.retain(|column| column.name != "operation");
        check(&good(&narrow), &["the table lacks operation"], Repair::Register);

        let mut projected = standing_table();
        projected.parameters.insert("projection.enabled".to_owned(), "TRUE".to_owned());
        let mut facts = good(&projected);
        catalog(&mut facts).projected = true;
        let reason = "the table projects its partitions, which nobody has asked for";
        check(&facts, &[reason], Repair::Projection);

        let table = standing_table();
        let mut facts = good(&table);
        let column = &mut published(&mut facts).columns[0];
        column.hive_type = "double".to_owned();
        let reason = format!("{} is double in the files and string in the table", column.name);
        check(&facts, &[&reason], Repair::Person);
    }
}
