//! Every record and line of the real log excerpts in `tests/fixtures/public-logs` becomes a row (see its README).

use crate::harness::{Day, Table, Workdir};

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/public-logs");

fn publish(folder: &str, table: Table, day: &str) -> Day {
    let work = Workdir::new();
    let input = format!("{LOGS}/{folder}");
    let args = ["run", "--day", day, "--input", &input, "--output", "lake"];
    work.logmill(args).publishes(table)
}

#[test]
fn every_row_is_published_on_its_kst_day() {
    for (folder, table, day, rows) in [
        ("cloudtrail", Table::CLOUDTRAIL, "2023-07-10", 108),
        ("s3-access/hadoop_cloud_integration", Table::ACCESS, "2021-02-24", 42),
        ("s3-access/misc_s3", Table::ACCESS, "2026-03-30", 2),
        ("s3-access/request_log_analyzer", Table::ACCESS, "2010-03-04", 1),
        ("s3-access/request_log_analyzer", Table::ACCESS, "2013-09-18", 1),
        ("s3-access/suhaibaffan", Table::ACCESS, "2019-03-28", 3),
    ] {
        assert_eq!(publish(folder, table, day).ledger(), [rows, rows, 0, 0, 0], "{folder} on {day}");
    }
}

#[test]
fn all_lines_of_a_multi_object_delete_are_kept() {
    let day = publish("s3-access/hadoop_cloud_integration", Table::ACCESS, "2021-02-24");
    let of_one_request = day.values("request_id").into_iter().filter(|id| id == "5AE0EE628AF96B49").count();
    assert_eq!(of_one_request, 9, "the call and its eight keys");
}

#[test]
fn the_newest_field_and_a_masked_address_are_read() {
    let day = publish("s3-access/misc_s3", Table::ACCESS, "2026-03-30");
    assert!(day.values("remote_ip").contains(&"xx.xx.41.39".to_owned()));
    assert_eq!(day.values("parse_quality"), ["exact", "exact"]);
}
