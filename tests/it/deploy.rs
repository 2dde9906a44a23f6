//! Deployment files: the committed tables match the schema of the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use logmill::dataset::{self, Dataset};
use serde_json::Value;

use crate::harness::{Table, Workdir, text};

/// The committed template, and the command that regenerates it.
const TABLES: (&str, &str) = ("glue/cloudformation/tables.json", "make glue-tables");

/// The config file of the committed template.
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/glue/tables.toml");

/// The folder of the statements for Athena.
const SQL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/glue/sql");

/// The first day of the committed projections. A deployment replaces it.
const FIRST_DAY: &str = "2020-01-01";

/// The maximum size of a template, in bytes, that can be deployed without uploading it to a bucket.
const MAX_BYTES: usize = 51_200;

fn template(args: &[&str]) -> String {
    Workdir::new()
        .logmill(["schema", "--config", CONFIG, "--format", "cloudformation"])
        .args(args)
        .exits(0)
        .stdout
}

fn resources(args: &[&str]) -> Vec<(String, Value)> {
    let template: Value = serde_json::from_str(&template(args)).unwrap();
    template["Resources"].as_object().unwrap().clone().into_iter().collect()
}

#[test]
fn the_committed_tables_match_the_schema() {
    let (file, command) = TABLES;
    let committed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default();
    let printed = template(&[]);
    let at = (1..).zip(committed.lines().zip(printed.lines())).find(|(_, (old, new))| old != new);
    assert!(committed == printed, "{file} does not match the schema: regenerate it with `{command}`; {at:?}");
    assert!(printed.len() <= MAX_BYTES && printed.ends_with("}\n"), "{} bytes", printed.len());
}

/// The folder in `glue/sql` for the statements of a log type, and the namings of its table: a folder of the log type's own with
/// views over `snake_case` names, or else the folder of the tables that can replace earlier ones.
fn folder_of(dataset: &str) -> (String, &'static [&'static str]) {
    let kinds = fs::read_dir(SQL).unwrap().map(|entry| entry.unwrap().path());
    let mut kinds = kinds.filter(|kind| kind.join("views").is_dir());
    let is_own = |kind: &str| dataset == kind || dataset.starts_with(&format!("{kind}-"));
    match kinds.find_map(|kind| kind.file_name()?.to_str().filter(|kind| is_own(kind)).map(str::to_owned)) {
        Some(kind) => (format!("{kind}/tables"), &["snake"]),
        None => ("tables".to_owned(), &["snake", "compact"]),
    }
}

/// One statement per file, for each log type and naming, with registered partitions and with a projection. No other files
/// exist.
#[test]
fn the_committed_statements_match_the_schema() {
    let mut expected = BTreeMap::<String, Vec<String>>::new();
    for dataset in dataset::all().map(Dataset::name) {
        let (folder, namings) = folder_of(dataset);
        for naming in namings {
            for (partitions, option) in
                [("registered", &[][..]), ("projection", &["--projection", FIRST_DAY])]
            {
                let file = format!("{}.{naming}.{partitions}.sql", dataset.replace('-', "_"));
                let chosen = ["schema", "--format", "ddl", "--dataset", dataset, "--naming", naming];
                let printed = Workdir::new().logmill(chosen).args(option).exits(0).stdout;
                let committed =
                    fs::read_to_string(Path::new(SQL).join(&folder).join(&file)).unwrap_or_default();
                assert!(
                    committed == printed,
                    "{file} does not match the schema: regenerate it with `make glue-tables`"
                );
                assert_eq!(printed.matches(";\n").count(), 1, "{file}");
                expected.entry(folder.clone()).or_default().push(file);
            }
        }
    }
    assert!(expected.len() > 5, "{expected:?}");
    for (folder, mut expected) in expected {
        let entries = fs::read_dir(Path::new(SQL).join(folder)).unwrap();
        let mut files: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        expected.sort();
        assert_eq!(files, expected);
    }
}

#[test]
fn a_template_holds_the_chosen_tables_with_their_columns() {
    let ids = |args: &[&str]| resources(args).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(ids(&[]), ["CloudtrailTable", "S3AccessTable"]);
    for (table, resource) in [(Table::CLOUDTRAIL, "CloudtrailTable"), (Table::ACCESS, "S3AccessTable")] {
        assert_eq!(ids(&["--dataset", table.dataset]), [resource]);
        for naming in ["snake", "compact"] {
            let chosen = ["--dataset", table.dataset, "--naming", naming];
            let lines = Workdir::new().logmill(["schema", "--format", "json"]).args(chosen).exits(0).stdout;
            let expected: Vec<String> = lines
                .lines()
                .map(|line| text(&serde_json::from_str::<Value>(line).unwrap()["column"]).to_owned())
                .collect();
            let (_, resource) = &resources(&chosen)[0];
            let columns = &resource["Properties"]["TableInput"]["StorageDescriptor"]["Columns"];
            let columns: Vec<&str> = columns.as_array().unwrap().iter().map(|it| text(&it["Name"])).collect();
            assert_eq!(columns, expected, "{naming}");
        }
    }
}

/// The template takes only the location as a parameter, and leaves no other `${`.
#[test]
fn a_template_takes_the_location_of_its_tables() {
    for (table, (_, mut resource)) in [Table::CLOUDTRAIL, Table::ACCESS].into_iter().zip(resources(&[])) {
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&"Retain".into(), &"Retain".into())
        );
        let location = resource["Properties"]["TableInput"]["StorageDescriptor"]["Location"].take();
        assert_eq!(location["Fn::Sub"], format!("${{LakeLocation}}/{}/", table.name));
        assert!(!resource.to_string().contains("${"));
    }
}

/// The template also sets `EXTERNAL`, which the statement implies.
#[test]
fn statement_and_template_set_the_same_table_properties() {
    for (table, (_, resource)) in [Table::CLOUDTRAIL, Table::ACCESS].into_iter().zip(resources(&[])) {
        let ddl =
            Workdir::new().logmill(["schema", "--format", "ddl", "--dataset", table.dataset]).exits(0).stdout;
        let (_, properties) = ddl.split_once("TBLPROPERTIES (").unwrap();
        let parameters = resource["Properties"]["TableInput"]["Parameters"].as_object().unwrap();
        let expected: Vec<String> = parameters
            .iter()
            .filter(|(name, _)| *name != "EXTERNAL")
            .map(|(name, value)| format!("'{name}'='{}'", text(value)))
            .collect();
        assert_eq!(properties, format!("{});\n\n", expected.join(", ")));
        assert!(expected.len() > 1, "{expected:?}");
    }
}

/// Athena fills in `${proc_ymd}`, so it must stay in the table. The deployment fills in the location.
#[test]
fn statement_and_template_contain_the_projection() {
    let projection = ["--projection", "2023-11-01"];
    for (table, (_, resource)) in [Table::CLOUDTRAIL, Table::ACCESS].into_iter().zip(resources(&projection)) {
        let parameters = &resource["Properties"]["TableInput"]["Parameters"];
        let day = format!("{}/proc_ymd=${{!proc_ymd}}/", table.name);
        assert_eq!(parameters["storage.location.template"]["Fn::Sub"], format!("${{LakeLocation}}/{day}"));
        assert_eq!(parameters["projection.proc_ymd.range"], "20231101,NOW+1DAY");
        let chosen = ["schema", "--format", "ddl", "--dataset", table.dataset];
        Workdir::new().logmill(chosen).args(projection).exits(0).prints(&[
            "'projection.enabled'='true', 'projection.proc_ymd.format'='yyyyMMdd'",
            "'projection.proc_ymd.range'='20231101,NOW+1DAY'",
            &format!("'storage.location.template'='${{location}}/{}/proc_ymd=${{proc_ymd}}/'", table.name),
        ]);
    }
}

#[test]
fn a_table_in_markdown_shows_both_names_and_escapes_bars() {
    let work = Workdir::new();
    work.write(
        "logmill.toml",
        "[[source]]\ndataset = \"cloudtrail\"\ntable = \"trail\"\n\
         promote = [{ column = \"either\", path = \"requestParameters.a|b\" }]\n",
    );
    work.logmill(["schema", "--format", "markdown"]).exits(0).prints(&[
        "## `trail`\n\nLog type `cloudtrail`, 80 columns and the partition.\n",
        "| `event_time_kst` | `eventtime_kst` | timestamp | event time + 9 h | ",
        "| `either` | `either` | string | requestParameters.a\\|b | Promoted from requestParameters.a\\|b |\n",
        "| `request_parameters` | `requestparameters` | string (JSON) | requestParameters | ",
    ]);
}

#[test]
fn a_projection_needs_a_catalog_format() {
    for format in ["table", "json", "markdown"] {
        Workdir::new()
            .logmill(["schema", "--format", format, "--projection", "2023-11-01"])
            .exits(2)
            .says(&["--projection applies only to catalog tables", "hint:", "--format ddl"]);
    }
    let wrong = ["schema", "--format", "ddl", "--projection", "tomorrowish"];
    Workdir::new().logmill(wrong).exits(2).says(&["'tomorrowish' is not a day"]);
}
