//! Compares a catalog table with its definition, and decides what to change or why the table cannot be changed.
//!
//! This code makes no requests and changes nothing.

use std::collections::BTreeMap;

use super::table::{CatalogColumn, SERDE, TableDefinition};
use crate::error::{Error, ErrorKind, Result};
use crate::store::lake::PARTITION_KEY;

/// How many reasons an error lists. Further reasons are counted.
const NAMED_REASONS: usize = 3;

/// A table as it exists in the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingTable {
    /// `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, ...; empty if the catalog does not have it.
    pub kind: String,
    /// The columns in the files.
    pub columns: Vec<CatalogColumn>,
    /// The columns in the paths.
    pub partition_keys: Vec<CatalogColumn>,
    /// Its folder.
    pub location: String,
    /// The Hive class that reads its rows.
    pub serde: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

impl ExistingTable {
    /// Whether Athena computes its partitions instead of querying the catalog.
    #[must_use]
    pub fn is_projected(&self) -> bool {
        let enabled = self.parameters.get("projection.enabled");
        enabled.is_some_and(|enabled| enabled.eq_ignore_ascii_case("true"))
    }
}

/// The hint for a table whose projection was not requested.
pub const PROJECTION_HINT: &str = "pass --projection DAY, or remove projection.enabled from the table";

/// The result of comparing a table with its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing needs to change.
    Same,
    /// The table needs this change.
    Differs(TableChange),
    /// It is a different table. Each reason is a sentence.
    Disagrees(Vec<String>),
    /// It uses partition projection although none was requested. One call without the option must not remove a projection
    /// that all others rely on.
    Projects,
}

/// The changes that a table needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableChange {
    /// New columns, which are added after the existing ones.
    pub columns: Vec<CatalogColumn>,
    /// Parameters with their new values. `None` removes a parameter.
    pub parameters: BTreeMap<String, Option<String>>,
}

/// Compares a table with its definition. Columns that only the catalog has are kept, because earlier days may have them,
/// except columns that the settings drop.
#[must_use]
pub fn compare(existing: &ExistingTable, wanted: &TableDefinition) -> Comparison {
    let mut reasons = other_kind(existing, wanted);
    if reasons.is_empty() {
        reasons = other_columns(existing, wanted);
    }
    if !reasons.is_empty() {
        return Comparison::Disagrees(reasons);
    }
    if existing.is_projected() && wanted.projected_from.is_none() {
        return Comparison::Projects;
    }
    let new = |column: &&CatalogColumn| find(&existing.columns, &column.name).is_none();
    let change = TableChange {
        columns: wanted.columns.iter().filter(new).cloned().collect(),
        parameters: changed_parameters(existing, wanted),
    };
    if change == TableChange::default() { Comparison::Same } else { Comparison::Differs(change) }
}

/// Returns the comparison, or an error if the table cannot be changed. The error lists the first reasons and counts the
/// others.
pub fn agreed(existing: &ExistingTable, wanted: &TableDefinition) -> Result<Comparison> {
    let refusal = |text: &str| Error::new(ErrorKind::Unusable, text).with("table", &wanted.name);
    match compare(existing, wanted) {
        Comparison::Disagrees(reasons) => {
            Err(refusal("the catalog has a different table with this name: nothing was changed")
                .with("why", first_of(&reasons))
                .hint("choose another --naming, --table or --database, or drop that table from the catalog (its files are kept)"))
        }
        Comparison::Projects => {
            Err(refusal("the catalog table uses partition projection: nothing was changed")
                .hint(PROJECTION_HINT))
        }
        other => Ok(other),
    }
}

/// Joins the first reasons and the number of further ones.
fn first_of(reasons: &[String]) -> String {
    let named = reasons[..reasons.len().min(NAMED_REASONS)].join("; ");
    match reasons.len().saturating_sub(NAMED_REASONS) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// Whether two Hive types are the same. Hive ignores case and spaces in types, and accepts `integer` for `int`.
#[must_use]
pub fn same_type(one: &str, other: &str) -> bool {
    let plain = |hive_type: &str| {
        let lower: String = hive_type.to_ascii_lowercase().split_whitespace().collect();
        if lower == "integer" { "int".to_owned() } else { lower }
    };
    plain(one) == plain(other)
}

/// Whether two addresses name the same folder.
#[must_use]
pub fn same_location(one: &str, other: &str) -> bool {
    let plain = |location: &str| {
        let location = location.trim_end_matches('/');
        let schemes = ["s3://", "s3a://", "s3n://"];
        let below = schemes.iter().find_map(|scheme| location.strip_prefix(scheme));
        below.unwrap_or(location).to_owned()
    };
    plain(one) == plain(other)
}

/// Finds a column by name. The catalog stores names in lower case, whatever case it was given.
#[must_use]
pub fn find<'a>(columns: &'a [CatalogColumn], name: &str) -> Option<&'a CatalogColumn> {
    columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

/// Returns why this is not a table of Parquet files at the wanted location.
fn other_kind(existing: &ExistingTable, wanted: &TableDefinition) -> Vec<String> {
    if existing.kind == "VIRTUAL_VIEW" {
        return vec!["it is a view".to_owned()];
    }
    let mut reasons = Vec::new();
    if let Some(format) = existing.parameters.get("table_type") {
        reasons.push(format!("its table format is {format}"));
    }
    if existing.serde != SERDE {
        reasons.push(format!("its SerDe is '{}', not that of Parquet", existing.serde));
    }
    if !same_location(&existing.location, &wanted.location) {
        reasons.push(format!("its location is {}, not {}", existing.location, wanted.location));
    }
    let keys: Vec<&CatalogColumn> = existing.partition_keys.iter().collect();
    if !matches!(keys[..], [key] if key.name.eq_ignore_ascii_case(PARTITION_KEY) && same_type(&key.hive_type, "string"))
    {
        let keys: Vec<String> = keys.iter().map(|key| format!("{} {}", key.name, key.hive_type)).collect();
        reasons.push(format!("it is partitioned by ({}), not by ({PARTITION_KEY} string)", keys.join(", ")));
    }
    reasons
}

/// Returns why columns of the existing table do not fit: another type, the name of the other naming, or left out by `drop_columns`.
fn other_columns(existing: &ExistingTable, wanted: &TableDefinition) -> Vec<String> {
    let mut reasons = Vec::new();
    for column in &wanted.columns {
        if let Some(found) = find(&existing.columns, &column.name)
            && !same_type(&found.hive_type, &column.hive_type)
        {
            reasons.push(format!("column {} is {}, not {}", column.name, found.hive_type, column.hive_type));
        }
    }
    for found in &existing.columns {
        if let Some(own) = wanted.other_names.get(&found.name.to_ascii_lowercase())
            && find(&existing.columns, own).is_none()
        {
            reasons.push(format!("it has column {}, but --naming now gives {own}", found.name));
        }
        if wanted.dropped.iter().any(|dropped| dropped.eq_ignore_ascii_case(&found.name)) {
            reasons.push(format!("it has column {}, which drop_columns leaves out", found.name));
        }
    }
    reasons
}

/// Returns the parameters to change. Only projection parameters are changed, and only if a projection is requested; any
/// others of an existing projection are removed.
fn changed_parameters(
    existing: &ExistingTable,
    wanted: &TableDefinition,
) -> BTreeMap<String, Option<String>> {
    if wanted.projected_from.is_none() {
        return BTreeMap::new();
    }
    let is_projection = |name: &str| name.starts_with("projection.") || name == "storage.location.template";
    let requested: BTreeMap<String, String> =
        wanted.parameters().into_iter().filter(|(name, _)| is_projection(name)).collect();
    let removed =
        existing.parameters.keys().filter(|name| is_projection(name) && !requested.contains_key(*name));
    let mut changed: BTreeMap<String, Option<String>> = removed.map(|name| (name.clone(), None)).collect();
    let new = requested.into_iter().filter(|(name, value)| existing.parameters.get(name) != Some(value));
    changed.extend(new.map(|(name, value)| (name, Some(value))));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::table::Naming;

    fn wanted() -> TableDefinition {
        let schema = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
        TableDefinition::new("s3_access", "", &schema, "s3://lake/logs/s3_access")
    }

    fn existing() -> ExistingTable {
        let key = CatalogColumn {
            name: PARTITION_KEY.to_owned(),
            hive_type: "string".to_owned(),
            comment: String::new(),
        };
        ExistingTable {
            kind: "EXTERNAL_TABLE".to_owned(),
            columns: wanted().columns,
            partition_keys: vec![key],
            location: wanted().location,
            serde: SERDE.to_owned(),
            parameters: wanted().parameters().into_iter().collect(),
        }
    }

    /// Returns the reasons for disagreement after a change to the table.
    fn reasons(change: impl Fn(&mut ExistingTable)) -> Vec<String> {
        let mut table = existing();
        change(&mut table);
        match compare(&table, &wanted()) {
            Comparison::Disagrees(reasons) => reasons,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_as_created_needs_no_change() {
        assert_eq!(compare(&existing(), &wanted()), Comparison::Same);
        let mut table = existing();
        for column in &mut table.columns {
            column.hive_type = column.hive_type.to_ascii_uppercase();
            column.comment.clear();
        }
        table.columns.push(CatalogColumn {
            name: "of_earlier_days".to_owned(),
            hive_type: "map<string,string>".to_owned(),
            comment: String::new(),
        });
        table.columns.reverse();
        table.location = table.location.trim_end_matches('/').replace("s3://", "s3a://");
        table.parameters.insert("owner".to_owned(), "somebody".to_owned());
        assert_eq!(compare(&table, &wanted()), Comparison::Same);
    }

    #[test]
    fn missing_columns_are_added_in_order() {
        let mut table = existing();
        table.columns.retain(|column| !["operation", "http_status"].contains(&column.name.as_str()));
        let Comparison::Differs(change) = compare(&table, &wanted()) else { panic!() };
        let names: Vec<_> = change.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["operation", "http_status"]);
        assert!(change.parameters.is_empty());
    }

    fn projected() -> TableDefinition {
        TableDefinition { projected_from: Some("2024-01-01".parse().unwrap()), ..wanted() }
    }

    /// Returns a table that was created with a projection and then changed by hand.
    fn existing_projected() -> ExistingTable {
        let mut table = existing();
        table.parameters = projected().parameters().into_iter().collect();
        table.parameters.insert("owner".to_owned(), "somebody".to_owned());
        table
    }

    #[test]
    fn projection_parameters_follow_the_request_and_other_parameters_are_kept() {
        let Comparison::Differs(change) = compare(&existing(), &projected()) else { panic!() };
        assert_eq!(change.parameters["projection.enabled"], Some("true".to_owned()));
        assert!(change.parameters.contains_key("storage.location.template"));

        let mut table = existing_projected();
        assert_eq!(compare(&table, &projected()), Comparison::Same);
        table.parameters.insert("projection.hour.type".to_owned(), "integer".to_owned());
        let Comparison::Differs(change) = compare(&table, &projected()) else { panic!() };
        assert_eq!(change.parameters, BTreeMap::from([("projection.hour.type".to_owned(), None)]));
    }

    #[test]
    fn a_projection_that_was_not_requested_is_kept() {
        let mut table = existing_projected();
        assert_eq!(compare(&table, &wanted()), Comparison::Projects);
        table.columns.pop();
        assert_eq!(compare(&table, &wanted()), Comparison::Projects, "also if columns are missing");
        table = existing_projected();
        for off in [Some("false"), None] {
            table.parameters.remove("projection.enabled");
            table.parameters.extend(off.map(|off| ("projection.enabled".to_owned(), off.to_owned())));
            assert_eq!(compare(&table, &wanted()), Comparison::Same, "{off:?}");
        }
    }

    #[test]
    fn a_different_table_of_the_same_name_is_described_by_every_difference() {
        let change_type = |table: &mut ExistingTable, name: &str| {
            let column = table.columns.iter_mut().find(|column| column.name == name).unwrap();
            column.hive_type = "double".to_owned();
        };
        let found = reasons(|table| {
            change_type(table, "http_status");
            change_type(table, "request_time");
        });
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|reason| reason.contains("is double, not")), "{found:?}");
        assert_eq!(reasons(|table| table.kind = "VIRTUAL_VIEW".to_owned()), ["it is a view"]);
        let found = reasons(|table| table.location = "s3://lake/logs/other/".to_owned());
        assert_eq!(found, ["its location is s3://lake/logs/other/, not s3://lake/logs/s3_access/"]);
        let found = reasons(|table| table.partition_keys[0].hive_type = "int".to_owned());
        assert_eq!(found, ["it is partitioned by (proc_ymd int), not by (proc_ymd string)"]);
        let found = reasons(|table| table.partition_keys.clear());
        assert_eq!(found, ["it is partitioned by (), not by (proc_ymd string)"]);
        let found =
            reasons(|table| drop(table.parameters.insert("table_type".to_owned(), "ICEBERG".to_owned())));
        assert_eq!(found, ["its table format is ICEBERG"]);
    }

    #[test]
    fn a_column_that_is_no_longer_written_is_refused() {
        let mut wanted = TableDefinition { dropped: vec!["host_id".to_owned()], ..wanted() };
        wanted.columns.retain(|column| column.name != "host_id");
        let Comparison::Disagrees(reasons) = compare(&existing(), &wanted) else { panic!() };
        assert_eq!(reasons, ["it has column host_id, which drop_columns leaves out"]);
        let mut table = existing();
        table.columns.retain(|column| column.name != "host_id");
        assert_eq!(compare(&table, &wanted), Comparison::Same);
    }

    #[test]
    fn the_other_naming_is_refused_and_not_mixed_in() {
        let compact = dataset::named("s3-access").unwrap().schema(Naming::Compact, &[]);
        let compact = TableDefinition::new("s3_access", "", &compact, "s3://lake/logs/s3_access");
        let found = reasons(|table| table.columns.clone_from(&compact.columns));
        assert!(found.len() > 5, "{found:?}");
        assert!(found[0].contains("but --naming now gives"), "{found:?}");
    }

    #[test]
    fn an_error_lists_three_reasons_and_counts_the_others() {
        for (changed, expected) in [
            (1, "column bucket_owner is double, not string"),
            (3, "; column request_time is double, not timestamp"),
            (4, "; and 1 more"),
            (7, "; and 4 more"),
        ] {
            let mut table = existing();
            table.columns[..changed].iter_mut().for_each(|column| column.hive_type = "double".to_owned());
            let error = agreed(&table, &wanted()).unwrap_err();
            let why = error.fact("why").unwrap();
            assert!(why.contains(expected) && error.kind() == ErrorKind::Unusable, "{why}");
            assert_eq!(why.matches("is double").count(), changed.min(NAMED_REASONS), "{why}");
            assert_eq!(why.contains(" more"), changed > NAMED_REASONS, "{why}");
        }
    }

    #[test]
    fn hive_types_are_compared_without_case_and_spaces() {
        for (one, other, same) in [
            ("bigint", "BIGINT", true),
            ("array<string>", "ARRAY< string >", true),
            ("int", "integer", true),
            ("int", "bigint", false),
        ] {
            assert_eq!(same_type(one, other), same, "{one} {other}");
        }
    }
}
