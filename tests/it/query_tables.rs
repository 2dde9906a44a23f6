//! The views over lakes with other names: compact columns, tables with names of their own, and several tables of a log type.
//!
//! The sample day is published three times. The engine runs in this process, because every view is asked in every lake.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use logmill::cancel::Cancel;
use logmill::dataset;
use logmill::query::{Engine, EngineOptions, Rows, VIEWS};
use logmill::store::LocalLake;

use crate::harness::{DAY, Workdir};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");

/// The conditions that divide the tables of two log types in two.
const DIVIDED: [(&str, &str); 2] = [("cloudtrail", "recipient_account_id"), ("s3-access", "bucket")];

fn publish(work: &Workdir, lake: &str, config: &str) {
    work.write("tables.toml", config);
    let run =
        ["run", "--day", DAY, "--input", SAMPLE, "--output", lake, "--config", "tables.toml", "--quiet"];
    work.logmill(run).args(["--max-reject-ratio", "5%"]).finishes(0);
}

/// Each log type in a table with another name, or in two tables that share its rows.
fn own_names() -> String {
    let section = |dataset: &str, table: &str, rest: &str| {
        format!("[[source]]\ndataset = \"{dataset}\"\ntable = \"{table}\"\n{rest}\n")
    };
    let of_log_type = |name: &str| match DIVIDED.iter().find(|(divided, _)| *divided == name) {
        None => section(name, &format!("own_{}", name.replace('-', "_")), ""),
        Some((_, column)) => {
            let value = if *column == "bucket" { "web-kr" } else { "123456789012" };
            let stem = name.replace('-', "_");
            section(name, &format!("{stem}_a"), &format!("filter = [\"{column} = '{value}'\"]"))
                + &section(
                    name,
                    &format!("{stem}_b"),
                    &format!("filter = [\"{column} != '{value}'\"]\nnaming = \"compact\""),
                )
        }
    };
    dataset::all().map(|log_type| of_log_type(log_type.name())).collect()
}

fn engine(work: &Workdir, lake: &str) -> Engine {
    let lake = LocalLake::open(work.path(lake).to_str().unwrap()).unwrap();
    let options = EngineOptions {
        threads: 2,
        memory: 256 << 20,
        scratch: std::env::temp_dir(),
        days: None,
        chosen: Vec::new(),
        cancel: Cancel::default(),
    };
    Engine::open(Arc::new(lake), &[], &options).unwrap()
}

/// The rows as texts, sorted, without the last `extra` columns.
fn texts(rows: &Rows, extra: usize) -> Vec<Vec<String>> {
    let of_batch = |batch: &RecordBatch| {
        let options = FormatOptions::new().with_null("NULL");
        let columns = &batch.columns()[..batch.num_columns() - extra];
        let columns: Vec<_> = columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
            .collect();
        let row = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>();
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    };
    let mut texts: Vec<Vec<String>> = rows.batches.iter().flat_map(of_batch).collect();
    texts.sort();
    texts
}

fn columns(rows: &Rows) -> Vec<&str> {
    rows.schema.fields().iter().map(|field| field.name().as_str()).collect()
}

#[test]
fn every_view_gives_the_same_rows_over_any_names() {
    let work = Workdir::new();
    publish(&work, "snake", "");
    publish(&work, "compact", "[[source]]\nnaming = \"compact\"\n");
    publish(&work, "own", &own_names());
    let [snake, compact, own] = ["snake", "compact", "own"].map(|lake| engine(&work, lake));
    let mut with_tables = Vec::new();
    for view in VIEWS {
        let sql = format!("SELECT * FROM {}", view.name);
        let [expected, compact, own] = [&snake, &compact, &own]
            .map(|engine| engine.sql(&sql).unwrap_or_else(|error| panic!("{}: {error}", view.name)));
        assert_eq!(columns(&compact), columns(&expected), "{}", view.name);
        assert_eq!(texts(&compact, 0), texts(&expected, 0), "{}", view.name);
        let extra = usize::from(columns(&own).last() == Some(&"log_table"));
        assert_eq!(columns(&own)[..columns(&own).len() - extra], columns(&expected)[..], "{}", view.name);
        assert_eq!(texts(&own, extra), texts(&expected, 0), "{}", view.name);
        with_tables.extend((extra == 1).then_some(view.name));
    }
    // Rows of a log show their table; counts and users are those of all tables.
    for view in
        ["cloudtrail_athena", "cloudtrail_spark", "s3_access_athena", "console_logins", "anonymous_requests"]
    {
        assert!(with_tables.contains(&view), "{view} in {with_tables:?}");
    }
    assert!(
        !with_tables.contains(&"monthly_users") && !with_tables.contains(&"waf_athena"),
        "{with_tables:?}"
    );
    let shown = |sql: &str| texts(&own.sql(sql).unwrap(), 0).concat().join(" ");
    assert_eq!(
        shown("SELECT log_table, count(*) FROM cloudtrail_athena GROUP BY 1"),
        shown("SELECT log_table, count(*) FROM all_cloudtrail WHERE proc_ymd = '20231101' GROUP BY 1")
    );
    assert_eq!(
        shown("SELECT DISTINCT log_table FROM all_s3_access WHERE remote_ip IS NOT NULL"),
        "s3_access_a s3_access_b"
    );
    let relations = |engine: &Engine| texts(&engine.sql("SHOW TABLES").unwrap(), 0).concat().join(" ");
    assert!(relations(&own).contains("all_cloudtrail") && relations(&compact).contains("all_waf"));
    assert!(!relations(&snake).contains("all_"), "the default tables are enough");
}
