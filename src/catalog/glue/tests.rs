//! The calls to Glue, tested with scripted answers that emulators do not give.

mod script;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::script::{Reply, Script, ok, refused};
use crate::audit::{ColumnStatistics, ValueStatistics};
use crate::catalog::partition::tests::definition;
use crate::catalog::{
    Catalog, PartitionDefinition, PartitionState, Registered, RegistrationOptions, TableDefinition, foresee,
    register,
};
use crate::dataset;
use crate::error::ErrorKind;
use crate::kst::{KstDay, UtcInstant};
use crate::store::{Lake, LocalLake};
use crate::table::{ColumnType, Naming};

fn wanted() -> TableDefinition {
    let schema = dataset::named("s3-access").unwrap().schema(Naming::Snake, &[]);
    TableDefinition::new("s3_access", "Access logs", &schema, "s3://lake/s3_access")
}

/// Returns the `GetTable` answer for a table without its last `missing` columns, with fields that only Glue sets.
fn table(version: &str, missing: usize) -> Value {
    let mut table = wanted().table_input();
    let columns = table["StorageDescriptor"]["Columns"].as_array_mut().unwrap();
    columns.truncate(columns.len() - missing);
    table["Description"] = json!("what a person wrote");
    table["Owner"] = json!("somebody");
    table["Retention"] = json!(7);
    table["ViewOriginalText"] = json!("kept");
    table["Parameters"]["team"] = json!("data");
    table["DatabaseName"] = json!("logs");
    table["CreatedBy"] = json!("arn:aws:iam::123456789012:user/somebody");
    table["CreateTime"] = json!(1_700_000_000.0);
    table["IsRegisteredWithLakeFormation"] = json!(false);
    table["VersionId"] = json!(version);
    json!({"Table": table})
}

fn days(count: usize) -> Vec<KstDay> {
    let first: KstDay = "2023-11-01".parse().unwrap();
    std::iter::successors(Some(first), |day| Some(day.next())).take(count).collect()
}

fn definitions(count: usize) -> Vec<PartitionDefinition> {
    days(count).iter().map(|day| definition(&day.to_string())).collect()
}

/// Returns a partition as Glue returns it.
fn existing(definition: &PartitionDefinition, location: &str) -> Value {
    let column =
        |column: &crate::catalog::CatalogColumn| json!({"Name": column.name, "Type": column.hive_type});
    let parameters: BTreeMap<&String, &String> = definition.parameters.iter().collect();
    json!({
        "Values": [definition.value()],
        "Parameters": parameters,
        "StorageDescriptor": {
            "Location": location,
            "Columns": definition.columns.iter().map(column).collect::<Vec<_>>(),
        },
    })
}

fn error_of(value: &str, code: &str) -> Value {
    json!({"PartitionValues": [value], "ErrorDetail": {"ErrorCode": code, "ErrorMessage": "as scripted"}})
}

#[test]
fn a_table_that_another_process_changed_is_looked_up_again() {
    let (catalog, script) = Script::play(vec![
        ok("GetTable", table("1", 2)),
        ok("GetPartitions", json!({"Partitions": []})),
        refused("UpdateTable", "ConcurrentModificationException"),
        ok("GetTable", table("2", 1)),
        ok("GetPartitions", json!({"Partitions": []})),
        ok("UpdateTable", json!({})),
    ]);
    let columns = catalog.put_table(&wanted()).unwrap();
    assert_eq!(columns.len(), wanted().columns.len());
    let asked = script.asked();
    assert_eq!((&asked[2]["VersionId"], &asked[2]["SkipArchive"]), (&json!("1"), &json!(true)));
    assert_eq!(asked[5]["VersionId"], "2");
    let input = asked[5]["TableInput"].as_object().unwrap();
    assert_eq!(input["StorageDescriptor"]["Columns"].as_array().unwrap().len(), columns.len());
    for (field, value) in [
        ("Description", json!("what a person wrote")),
        ("Owner", json!("somebody")),
        ("Retention", json!(7)),
        ("ViewOriginalText", json!("kept")),
        ("TableType", json!("EXTERNAL_TABLE")),
    ] {
        assert_eq!(input[field], value, "{field}");
    }
    assert_eq!(input["Parameters"]["team"], "data");
    for field in ["DatabaseName", "CreateTime", "CreatedBy", "VersionId", "IsRegisteredWithLakeFormation"] {
        assert!(!input.contains_key(field), "only Glue sets {field}");
    }
}

#[test]
fn a_table_that_keeps_changing_is_a_temporary_error() {
    let round = || [ok("GetTable", table("1", 1)), ok("GetPartitions", json!({}))];
    let rounds = (0..5)
        .flat_map(|_| round().into_iter().chain([refused("UpdateTable", "ConcurrentModificationException")]));
    let (catalog, script) = Script::play(rounds.collect());
    assert_eq!(catalog.put_table(&wanted()).unwrap_err().kind(), ErrorKind::Temporary);
    assert_eq!(script.asked().len(), 15);
}

#[test]
fn a_table_that_another_process_creates_first_is_compared() {
    let (catalog, script) = Script::play(vec![
        refused("GetTable", "EntityNotFoundException"),
        refused("CreateTable", "AlreadyExistsException"),
        ok("GetTable", table("0", 0)),
    ]);
    assert_eq!(catalog.put_table(&wanted()).unwrap().len(), wanted().columns.len());
    assert_eq!(script.asked()[1]["TableInput"], wanted().table_input(), "both ways to create a table agree");
}

#[test]
fn column_names_match_in_the_lower_case_of_glue() {
    let mut upper = wanted();
    for column in &mut upper.columns {
        column.name = column.name.to_ascii_uppercase();
    }
    let (catalog, script) = Script::play(vec![ok("GetTable", table("0", 0))]);
    let columns = catalog.put_table(&upper).unwrap();
    assert_eq!(columns[0].name, wanted().columns[0].name);
    assert_eq!(script.asked().len(), 1);
}

#[test]
fn a_different_table_of_the_same_name_is_not_changed() {
    let mut other = table("0", 0);
    other["Table"]["TableType"] = json!("VIRTUAL_VIEW");
    let (catalog, script) = Script::play(vec![ok("GetTable", other)]);
    let error = catalog.put_table(&wanted()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.to_string().contains("it is a view"), "{error}");
    assert_eq!(script.asked().len(), 1);
}

#[test]
fn a_projection_that_was_not_requested_is_reported_and_kept() {
    let mut projected = table("0", 1);
    projected["Table"]["Parameters"]["projection.enabled"] = json!("true");
    let (catalog, script) = Script::play(vec![ok("GetTable", projected)]);
    let error = catalog.put_table(&wanted()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.to_string().contains("uses partition projection"), "{error}");
    assert!(error.next_step().unwrap().contains("pass --projection DAY"), "{error}");
    assert_eq!(script.asked().len(), 1);
}

/// Returns a partition without its last column, with a field that only Glue sets.
fn narrow(definition: &PartitionDefinition, location: &str) -> Value {
    let mut partition = existing(definition, location);
    partition["StorageDescriptor"]["Columns"].as_array_mut().unwrap().pop();
    partition["CreationTime"] = json!(1_700_000_000.0);
    partition
}

/// Returns a refused entry of an update.
fn refused_update(value: &str, code: &str) -> Value {
    let mut error = error_of(value, code);
    error["PartitionValueList"] = error["PartitionValues"].take();
    error
}

#[test]
fn new_columns_reach_every_partition_page_by_page_and_batch_by_batch() {
    let definitions = definitions(120);
    let wide: Vec<Value> = definitions.iter().map(|day| existing(day, &day.location)).collect();
    let mut partitions: Vec<Value> = definitions.iter().map(|day| narrow(day, &day.location)).collect();
    // One partition already has the column and is not changed.
    partitions[0] = wide[0].clone();
    let errors = [
        refused_update("20240227", "InternalServiceException"),
        refused_update("20240228", "EntityNotFoundException"),
    ];
    let still = [&wide[100..118], &partitions[118..119]].concat();
    let (catalog, script) = Script::play(vec![
        ok("GetTable", table("4", 1)),
        ok("GetPartitions", json!({"Partitions": partitions[..70], "NextToken": "more"})),
        ok("GetPartitions", json!({"Partitions": partitions[70..]})),
        ok("BatchGetPartition", json!({"Partitions": partitions[..100]})),
        ok("BatchUpdatePartition", json!({})),
        ok("BatchGetPartition", json!({"Partitions": wide[1..100]})),
        ok("BatchGetPartition", json!({"Partitions": partitions[100..]})),
        ok("BatchUpdatePartition", json!({"Errors": errors})),
        ok("BatchGetPartition", json!({"Partitions": still})),
        ok("BatchUpdatePartition", json!({})),
        ok("BatchGetPartition", json!({"Partitions": wide[118..119]})),
        ok("UpdateTable", json!({})),
    ]);
    catalog.put_table(&wanted()).unwrap();
    let asked = script.asked();
    assert_eq!((asked[1].get("NextToken"), &asked[2]["NextToken"]), (None, &json!("more")));
    assert_eq!(asked[1]["ExcludeColumnSchema"], true);
    let looked_up = |place: usize| asked[place]["PartitionsToGet"].as_array().unwrap().len();
    assert_eq!([3, 5, 6, 8, 10].map(looked_up), [100, 99, 20, 20, 1]);
    let entries = |place: usize| asked[place]["Entries"].as_array().unwrap().len();
    assert_eq!([4, 7, 9].map(entries), [99, 20, 1]);
    let input = &asked[9]["Entries"][0]["PartitionInput"];
    assert_eq!(input["Values"], json!(["20240227"]));
    assert_eq!(
        input["StorageDescriptor"]["Columns"].as_array().unwrap().last().unwrap()["Name"],
        wanted().columns.last().unwrap().name
    );
    assert_eq!(input["Parameters"]["logmill.rows"], "7");
}

#[test]
fn new_columns_follow_a_day_that_another_run_moves() {
    let days = definitions(2);
    let at =
        |days: [(&str, bool); 2]| {
            let all = definitions(2);
            let found = all.iter().zip(days).map(|(day, (location, is_wide))| {
                if is_wide { existing(day, location) } else { narrow(day, location) }
            });
            json!({"Partitions": found.collect::<Vec<_>>()})
        };
    let (catalog, script) = Script::play(vec![
        ok("GetTable", table("4", 1)),
        ok("GetPartitions", at([("s3://first/", false), ("s3://same/", false)])),
        // Moved since it was listed: the update writes the new location.
        ok("BatchGetPartition", at([("s3://second/", false), ("s3://same/", false)])),
        ok("BatchUpdatePartition", json!({})),
        // Moved again, by a run that did not know the column.
        ok("BatchGetPartition", at([("s3://third/", false), ("s3://same/", true)])),
        ok("BatchUpdatePartition", json!({})),
        ok("BatchGetPartition", json!({"Partitions": [existing(&days[0], "s3://third/")]})),
        ok("UpdateTable", json!({})),
    ]);
    catalog.put_table(&wanted()).unwrap();
    let asked = script.asked();
    let locations = |place: usize| -> Vec<&str> {
        let entries = asked[place]["Entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["PartitionInput"]["StorageDescriptor"]["Location"].as_str().unwrap())
            .collect()
    };
    assert_eq!(locations(3), ["s3://second/", "s3://same/"]);
    assert_eq!(locations(5), ["s3://third/"]);
    assert_eq!(asked[6]["PartitionsToGet"], json!([{"Values": ["20231101"]}]));
}

#[test]
fn a_range_of_days_is_listed_page_by_page_without_columns() {
    let days = definitions(3);
    let (catalog, script) = Script::play(vec![
        ok("GetPartitions", json!({"Partitions": [existing(&days[0], "s3://a/")], "NextToken": "1"})),
        ok("GetPartitions", json!({"Partitions": [], "NextToken": "2"})),
        ok("GetPartitions", json!({"Partitions": [existing(&days[1], "s3://b/")]})),
    ]);
    let found = catalog.partitions("s3_access", days[0].day, days[2].day).unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.value.as_str(), found.location.as_str())).collect();
    assert_eq!(found, [("20231101", "s3://a/"), ("20231102", "s3://b/")]);
    let asked = script.asked();
    assert_eq!(asked[0]["Expression"], "proc_ymd >= '20231101' AND proc_ymd <= '20231103'");
    assert_eq!(asked[0]["ExcludeColumnSchema"], true);
    assert_eq!((&asked[1]["NextToken"], &asked[2]["NextToken"]), (&json!("1"), &json!("2")));
}

#[test]
fn a_table_that_does_not_exist_has_no_partitions() {
    let (catalog, script) = Script::play(vec![refused("GetPartitions", "EntityNotFoundException")]);
    assert!(catalog.partitions("s3_access", days(1)[0], days(1)[0]).unwrap().is_empty());
    assert_eq!(script.asked().len(), 1);
}

#[test]
fn many_partitions_are_created_in_batches_of_a_hundred() {
    let definitions = definitions(250);
    let (catalog, script) = Script::play(vec![
        ok("BatchGetPartition", json!({"Partitions": []})),
        ok("BatchCreatePartition", json!({})),
        ok("BatchCreatePartition", json!({})),
        ok("BatchCreatePartition", json!({"Errors": []})),
    ]);
    let states = catalog.put_partitions("s3_access", &definitions).unwrap();
    assert!(states.iter().all(|state| *state == PartitionState::Created) && states.len() == 250);
    let asked = script.asked();
    assert_eq!(asked[0]["PartitionsToGet"].as_array().unwrap().len(), 250);
    let created = asked[1..].iter().map(|call| call["PartitionInputList"].as_array().unwrap().len());
    assert_eq!(created.collect::<Vec<_>>(), [100, 100, 50]);
    let input = &asked[1]["PartitionInputList"][0];
    assert_eq!(input["StorageDescriptor"]["Location"], definitions[0].location);
    assert_eq!(input["Parameters"]["logmill.run"], "20231102T000000Z-0000000a");
}

#[test]
fn refused_partitions_are_looked_up_and_retried() {
    let days = definitions(4);
    let mut kept = existing(&days[1], "s3://older/");
    kept["Parameters"]["owner"] = json!("somebody");
    let (catalog, script) = Script::play(vec![
        ok("BatchGetPartition", json!({"Partitions": [existing(&days[3], &days[3].location)]})),
        ok(
            "BatchCreatePartition",
            json!({"Errors": [
                error_of("20231102", "AlreadyExistsException"),
                error_of("20231103", "InternalServiceException"),
            ]}),
        ),
        ok("BatchGetPartition", json!({"Partitions": [kept]})),
        ok("BatchCreatePartition", json!({})),
        ok("BatchUpdatePartition", json!({})),
    ]);
    let states = catalog.put_partitions("s3_access", &days).unwrap();
    assert_eq!(
        states,
        [
            PartitionState::Created,
            PartitionState::Updated,
            PartitionState::Created,
            PartitionState::Unchanged,
        ]
    );
    let asked = script.asked();
    assert_eq!(asked[2]["PartitionsToGet"], json!([{"Values": ["20231102"]}, {"Values": ["20231103"]}]));
    let entry = &asked[4]["Entries"][0];
    assert_eq!(entry["PartitionValueList"], json!(["20231102"]));
    assert_eq!(entry["PartitionInput"]["StorageDescriptor"]["Location"], days[1].location);
    assert_eq!(entry["PartitionInput"]["Parameters"]["owner"], "somebody");
}

#[test]
fn a_partition_that_disappears_during_an_update_is_created_again() {
    let days = definitions(1);
    let mut gone = error_of("20231101", "EntityNotFoundException");
    gone["PartitionValueList"] = gone["PartitionValues"].take();
    let (catalog, script) = Script::play(vec![
        ok("BatchGetPartition", json!({"Partitions": [existing(&days[0], "s3://older/")]})),
        ok("BatchUpdatePartition", json!({"Errors": [gone]})),
        ok("BatchGetPartition", json!({"Partitions": []})),
        ok("BatchCreatePartition", json!({})),
    ]);
    assert_eq!(catalog.put_partitions("s3_access", &days).unwrap(), [PartitionState::Created]);
    assert_eq!(script.asked().len(), 4);
}

#[test]
fn a_permanent_refusal_names_the_partition() {
    let (catalog, script) = Script::play(vec![
        ok("BatchGetPartition", json!({})),
        ok("BatchCreatePartition", json!({"Errors": [error_of("20231101", "InvalidInputException")]})),
    ]);
    let error = catalog.put_partitions("s3_access", &definitions(1)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("20231101") && text.contains("InvalidInputException"), "{text}");
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn unprocessed_keys_are_looked_up_again() {
    let days = definitions(3);
    let (catalog, script) = Script::play(vec![
        ok(
            "BatchGetPartition",
            json!({
                "Partitions": [existing(&days[0], &days[0].location)],
                "UnprocessedKeys": [{"Values": ["20231102"]}, {"Values": ["20231103"]}],
            }),
        ),
        ok(
            "BatchGetPartition",
            json!({"Partitions": [existing(&days[1], &days[1].location), existing(&days[2], &days[2].location)]}),
        ),
    ]);
    let states = catalog.put_partitions("s3_access", &days).unwrap();
    assert_eq!(states, [PartitionState::Unchanged; 3]);
    assert_eq!(script.asked()[1]["PartitionsToGet"].as_array().unwrap().len(), 2);
}

#[test]
fn keys_that_glue_never_processes_are_treated_as_new() {
    let unprocessed = || ok("BatchGetPartition", json!({"UnprocessedKeys": [{"Values": ["20231101"]}]}));
    let (catalog, script) =
        Script::play(vec![unprocessed(), unprocessed(), ok("BatchCreatePartition", json!({}))]);
    let states = catalog.put_partitions("s3_access", &definitions(1)).unwrap();
    assert_eq!(states, [PartitionState::Created]);
    assert_eq!(script.asked().len(), 3);
}

#[test]
fn partitions_are_removed_in_batches_of_25_and_missing_ones_are_not_retried() {
    let (catalog, script) = Script::play(vec![
        ok("BatchDeletePartition", json!({"Errors": [error_of("20231101", "EntityNotFoundException")]})),
        ok("BatchDeletePartition", json!({"Errors": [error_of("20231127", "ThrottlingException")]})),
        ok("BatchDeletePartition", json!({})),
    ]);
    catalog.remove_partitions("s3_access", &days(30)).unwrap();
    let asked = script.asked();
    let sizes = asked.iter().map(|call| call["PartitionsToDelete"].as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [25, 5, 1]);
}

#[test]
fn a_database_is_created_only_on_request() {
    let missing = || refused("GetDatabase", "EntityNotFoundException");
    let (catalog, script) = Script::play(vec![missing()]);
    let error = catalog.require_database(false).unwrap_err();
    assert!(error.next_step().unwrap().contains("--create-database"), "{error}");
    assert_eq!(script.asked().len(), 1);
    let (catalog, script) = Script::play(vec![missing(), ok("CreateDatabase", json!({}))]);
    catalog.require_database(true).unwrap();
    assert_eq!(script.asked()[1]["DatabaseInput"]["Name"], "logs");
}

#[test]
fn a_denied_call_names_the_missing_permission() {
    let (catalog, script) = Script::play(vec![
        ok("BatchGetPartition", json!({})),
        refused("BatchCreatePartition", "AccessDeniedException"),
    ]);
    let error = catalog.put_partitions("s3_access", &definitions(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.next_step().unwrap().contains("glue:BatchCreatePartition"), "{error}");
    assert!(error.to_string().contains("logs.s3_access"), "{error}");
    assert_eq!(script.asked().len(), 2);
}

#[test]
fn statistics_are_sent_in_batches_of_25() {
    let text = ValueStatistics::Texts { bytes: 10, longest: 4, count: 4 };
    let column =
        |place: usize| ColumnStatistics { name: format!("c{place}"), nulls: 1, distinct: 2, values: text };
    let mut columns: Vec<ColumnStatistics> = (0..30).map(column).collect();
    columns[0].values = ValueStatistics::Numbers { min: -3, max: 9, column_type: ColumnType::Int };
    columns[1].values = ValueStatistics::Times { min: -1, max: 1_700_000_000_999 };
    columns[2].values = ValueStatistics::Flags { trues: 5, falses: 0 };
    let call = "UpdateColumnStatisticsForTable";
    let (catalog, script) = Script::play(vec![ok(call, json!({})), ok(call, json!({}))]);
    catalog.put_statistics("s3_access", &columns, UtcInstant(1_700_000_000_000)).unwrap();
    let asked = script.asked();
    let lists: Vec<_> = asked.iter().map(|call| call["ColumnStatisticsList"].as_array().unwrap()).collect();
    assert_eq!((lists[0].len(), lists[1].len()), (25, 5));
    let data = |place: usize| lists[0][place]["StatisticsData"].clone();
    let long = |min: i64, max: i64| {
        json!({"Type": "LONG", "LongColumnStatisticsData": {
            "MinimumValue": min, "MaximumValue": max, "NumberOfNulls": 1, "NumberOfDistinctValues": 2,
        }})
    };
    assert_eq!((data(0), data(1)), (long(-3, 9), long(-1, 1_700_000_000)));
    assert_eq!(
        data(2)["BooleanColumnStatisticsData"],
        json!({"NumberOfTrues": 5, "NumberOfFalses": 0, "NumberOfNulls": 1})
    );
    assert_eq!(
        data(3)["StringColumnStatisticsData"],
        json!({"MaximumLength": 4, "AverageLength": 2.5, "NumberOfNulls": 1, "NumberOfDistinctValues": 2})
    );
    let types: Vec<_> = lists[0][..4].iter().map(|column| column["ColumnType"].as_str().unwrap()).collect();
    assert_eq!(types, ["int", "timestamp", "boolean", "string"]);
}

#[test]
fn refused_statistics_name_the_column() {
    let refusal = json!({"Errors": [{
        "ColumnStatistics": {"ColumnName": "c", "ColumnType": "int", "AnalyzedTime": 1.0},
        "Error": {"ErrorCode": "InvalidInputException", "ErrorMessage": "as scripted"},
    }]});
    let (catalog, script) = Script::play(vec![ok("UpdateColumnStatisticsForTable", refusal)]);
    let values = ValueStatistics::Numbers { min: 0, max: 9, column_type: ColumnType::Int };
    let column = ColumnStatistics { name: "c".to_owned(), nulls: 0, distinct: 1, values };
    let error = catalog.put_statistics("s3_access", &[column], UtcInstant(0)).unwrap_err();
    assert!(error.to_string().contains("column: c, code: InvalidInputException"), "{error}");
    assert_eq!(script.asked().len(), 1);
}

/// Registers a day of an empty lake. Returns the result and the requests.
fn registered(options: RegistrationOptions, replies: Vec<Reply>) -> (Registered, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let lake = LocalLake::open(folder.path().to_str().unwrap()).unwrap();
    let (catalog, script) = Script::play(replies);
    let registered = register(&catalog, &lake, &crate::publish::tests::manifest(), options).unwrap();
    (registered, script.asked())
}

/// The replies of a database that exists and creates the table.
fn first_table_of_the_database() -> [Reply; 3] {
    [
        ok("GetDatabase", json!({"Database": {"Name": "logs"}})),
        refused("GetTable", "EntityNotFoundException"),
        ok("CreateTable", json!({})),
    ]
}

#[test]
fn a_first_day_creates_database_and_table_and_then_the_partition() {
    let options = RegistrationOptions { create_database: true, ..RegistrationOptions::default() };
    let (registered, asked) = registered(
        options,
        vec![
            refused("GetDatabase", "EntityNotFoundException"),
            ok("CreateDatabase", json!({})),
            refused("GetTable", "EntityNotFoundException"),
            ok("CreateTable", json!({})),
            ok("BatchGetPartition", json!({})),
            ok("BatchCreatePartition", json!({})),
        ],
    );
    assert_eq!(registered.partition, PartitionState::Created);
    assert!(registered.location.ends_with("/s3_access/proc_ymd=20231101/20231102T000000Z-0000000a/"));
    assert_eq!(asked[5]["PartitionInputList"][0]["StorageDescriptor"]["Location"], registered.location);
}

#[test]
fn with_a_projection_no_partition_is_registered() {
    let options = RegistrationOptions { projected_from: Some(days(1)[0]), ..RegistrationOptions::default() };
    let (registered, asked) = registered(options, first_table_of_the_database().into());
    assert_eq!(registered.partition, PartitionState::Projected);
    assert!(registered.location.ends_with("/s3_access/proc_ymd=20231101/"), "{}", registered.location);
    let parameters = &asked[2]["TableInput"]["Parameters"];
    assert_eq!(parameters["projection.proc_ymd.range"], "20231101,NOW+1DAY");
}

#[test]
fn statistics_are_not_sent_if_a_later_day_is_registered() {
    let options =
        RegistrationOptions { statistics_at: Some(UtcInstant(0)), ..RegistrationOptions::default() };
    let later = &definitions(2)[1];
    let partition = [
        ok("GetPartitions", json!({"Partitions": [existing(later, &later.location)]})),
        ok("BatchGetPartition", json!({})),
        ok("BatchCreatePartition", json!({})),
    ];
    let replies = first_table_of_the_database().into_iter().chain(partition).collect();
    let (registered, asked) = registered(options, replies);
    assert!(registered.without_statistics.is_none());
    assert_eq!(asked[3]["Expression"], "proc_ymd >= '20231102' AND proc_ymd <= '99991231'");
}

/// Returns the result of `foresee` for a day that is not built yet.
fn foreseen(options: RegistrationOptions, replies: Vec<Reply>) -> crate::error::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let lake = LocalLake::open(folder.path().to_str().unwrap()).unwrap();
    let (catalog, script) = Script::play(replies);
    let manifest = crate::publish::tests::manifest();
    let outcome = foresee(&catalog, &lake, &manifest.shape().unwrap(), options);
    script.asked();
    outcome
}

/// Returns the table of that day, with other types for its first columns.
fn table_of_other_types(lake: &str, changed: usize) -> Value {
    let mut table = wanted().table_input();
    table["StorageDescriptor"]["Location"] = json!(lake);
    let columns = table["StorageDescriptor"]["Columns"].as_array_mut().unwrap();
    columns.iter_mut().take(changed).for_each(|column| column["Type"] = json!("double"));
    json!({"Table": table})
}

#[test]
fn a_refusal_of_registration_is_foreseen() {
    let options = RegistrationOptions::default();
    let error =
        foreseen(options, vec![ok("GetTable", table_of_other_types("s3://elsewhere/", 0))]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.fact("why").unwrap().contains("its location is s3://elsewhere/"), "{error}");
    let missing = ["GetTable", "GetDatabase"].map(|call| refused(call, "EntityNotFoundException"));
    let error = foreseen(options, missing.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.next_step().unwrap().contains("--create-database"), "{error}");
    let denied = refused("GetTable", "AccessDeniedException");
    assert_eq!(foreseen(options, vec![denied]).unwrap_err().kind(), ErrorKind::Denied);
}

#[test]
fn a_table_that_does_not_exist_yet_is_accepted() {
    let missing = || refused("GetTable", "EntityNotFoundException");
    let database = ok("GetDatabase", json!({"Database": {"Name": "logs"}}));
    foreseen(RegistrationOptions::default(), vec![missing(), database]).unwrap();
    let options = RegistrationOptions { create_database: true, ..RegistrationOptions::default() };
    foreseen(options, vec![missing()]).unwrap();
}

#[test]
fn an_existing_table_takes_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let lake = LocalLake::open(folder.path().to_str().unwrap()).unwrap();
    let manifest = crate::publish::tests::manifest();
    for (changed, refused) in [(0, false), (4, true)] {
        let place = lake.address("s3_access");
        let (catalog, script) = Script::play(vec![ok("GetTable", table_of_other_types(&place, changed))]);
        let outcome = foresee(&catalog, &lake, &manifest.shape().unwrap(), RegistrationOptions::default());
        let why = outcome.err().and_then(|error| error.fact("why").map(str::to_owned));
        assert_eq!(why.as_ref().is_some_and(|why| why.ends_with("; and 1 more")), refused, "{why:?}");
        assert_eq!(script.asked().len(), 1);
    }
}
