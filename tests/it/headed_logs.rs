//! CloudFront and VPC flow logs, whose header lines name the fields: the sample days in `sample-data`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{DAY, Day, Table, Workdir, gz, text};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data");
const CLOUDFRONT: Table = Table { dataset: "cloudfront", name: "cloudfront" };
const FLOWS: Table = Table { dataset: "vpc-flow", name: "vpc_flow" };
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const FLOW: &str = "2 123456789012 eni-0123456789abcdef0 10.0.0.1 203.0.113.9 49152 443 6 20 4249 1698807600 1698807660 ACCEPT OK";

fn sample(table: Table) -> String {
    format!("{SAMPLES}/{}", table.dataset)
}

fn publish(work: &Workdir, table: Table, input: &str) -> Day {
    let run = ["run", "--day", DAY, "--input", input, "--output", "lake", "--dataset", table.dataset];
    work.logmill(run).args(["--max-reject-ratio", "5%"]).publishes(table)
}

/// The counts that the generator of the sample day tallied.
fn expected(table: Table) -> [u64; 5] {
    let expected: Value =
        serde_json::from_slice(&fs::read(format!("{}/expected.json", sample(table))).unwrap()).unwrap();
    ["read", "written", "other_day", "duplicate", "quarantined"]
        .map(|count| expected[table.name][count].as_u64().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What a plan of the day leaves out: the addresses and reasons.
fn left(work: &Workdir, table: Table, input: &str) -> Vec<(String, String)> {
    let plan = ["plan", "--day", DAY, "--input", input, "--dataset", table.dataset, "--format", "json"];
    let plan: Value = serde_json::from_str(&work.logmill(plan).exits(0).stdout).unwrap();
    let left = plan["tables"][0]["left"].as_array().unwrap().clone();
    left.iter().map(|left| (text(&left["address"]).to_owned(), text(&left["why"]).to_owned())).collect()
}

#[test]
fn the_sample_days_have_the_expected_counts() {
    for (table, reasons) in [
        (CLOUDFRONT, ["missing_fields", "missing_fields", "rtmp"]),
        (FLOWS, ["missing_fields", "missing_fields", "transit_gateway"]),
    ] {
        let work = Workdir::new();
        let day = publish(&work, table, &sample(table));
        assert_eq!(day.ledger(), expected(table), "{}", table.name);
        let mut found: Vec<String> =
            day.quarantine().iter().map(|line| text(&line["reason"]).to_owned()).collect();
        found.sort();
        assert_eq!(found, reasons, "{}", table.name);
    }
}

#[test]
fn copies_without_folders_give_the_same_rows() {
    for (table, column) in [(CLOUDFRONT, "x_edge_request_id"), (FLOWS, "interface_id")] {
        let work = Workdir::new();
        for path in files(Path::new(&sample(table))) {
            let name = path.file_name().unwrap().to_str().unwrap();
            work.write(&format!("flat/{name}"), fs::read(&path).unwrap());
        }
        let of = |input: &str| {
            let mut values = publish(&Workdir::new(), table, input).values(column);
            values.sort();
            values
        };
        assert_eq!(of(work.path("flat").to_str().unwrap()), of(&sample(table)), "{}", table.name);
    }
}

#[test]
fn deliveries_in_parquet_are_left_out_for_one_reason_by_every_command() {
    let reason = "file in Parquet: only logs in text and JSON are read";
    let work = Workdir::new();
    for name in [
        "AWSLogs/123456789012/vpcflowlogs/us-east-1/2023/11/01/123456789012_vpcflowlogs_us-east-1_fl-1_20231101T0305Z_0a1b.log.parquet",
        "copies/123456789012_vpcflowlogs_us-east-1_fl-1_20231101T0305Z_0a1b.log.parquet",
        "AWSLogs/123456789012/CloudFront/E2ABCDEFGHIJKL.2023-11-01-03.0a1b2c3d.parquet",
        "cdn/E2ABCDEFGHIJKL.2023-11-01-03.0a1b2c3d.parquet",
        "AWSLogs/123456789012/vpcdnsquerylogs/vpc-1/2023/11/01/vpc-1_vpcdnsquerylogs_123456789012_20231101T0305Z_0a1b.log.parquet",
        "access/part-0.parquet",
    ] {
        work.write(&format!("raw/{name}"), b"PAR1 not a table PAR1");
    }
    let name = "123456789012_vpcflowlogs_us-east-1_fl-1_20231101T0305Z_0a1b.log.gz";
    work.write(&format!("raw/{name}"), gz(format!("{HEADER}\n{FLOW}\n")));
    let found = work.logmill(["discover", "--input", "raw", "--format", "json"]).exits(0).stdout;
    let found: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    // Folders of other services are not entered.
    let of_reason = |left: &Value| -> u64 {
        let groups = left.as_array().unwrap().iter().filter(|group| group["objects"] != 0);
        groups
            .map(|group| {
                assert_eq!(text(&group["why"]), reason, "{left}");
                group["objects"].as_u64().unwrap()
            })
            .sum()
    };
    assert_eq!(of_reason(&found["left"]), 6);
    // Of all log types, only the one with a log in text occurs.
    let plan = ["plan", "--day", DAY, "--input", "raw", "--format", "json"];
    let plan: Value = serde_json::from_str(&work.logmill(plan).exits(0).stdout).unwrap();
    assert_eq!(plan["tables"].as_array().unwrap().len(), 1, "{plan}");
    for (table, expected) in [(CLOUDFRONT, 4), (FLOWS, 4), (Table::CLOUDTRAIL, 3)] {
        let left = left(&work, table, "raw");
        let of_parquet: Vec<_> = left.iter().filter(|(address, _)| address.ends_with(".parquet")).collect();
        assert_eq!(of_parquet.len(), expected, "{left:?}");
        assert!(of_parquet.iter().all(|(_, why)| why == reason), "{left:?}");
    }
    assert_eq!(of_reason(&publish(&work, FLOWS, "raw").summary["left"]), 4);
}

#[test]
fn folders_of_other_dates_are_not_listed() {
    let work = Workdir::new();
    let hive = "raw/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1";
    let plain = "raw/AWSLogs/123456789012/vpcflowlogs/us-east-1";
    let content = gz(format!("{HEADER}\n{FLOW}\n"));
    let mut of_the_day = 0;
    for (number, folder) in [
        format!("{hive}/year=2023/month=10/day=25/hour=03"),
        format!("{hive}/year=2022/month=11/day=01/hour=03"),
        format!("{hive}/year=2023/month=11/day=01/hour=03"),
        format!("{plain}/2023/11/01/03"),
        format!("{plain}/2023/09/01"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("123456789012_vpcflowlogs_us-east-1_fl-{number}_20231101T0305Z_0a1b.log.gz");
        work.write(&format!("{folder}/{name}"), &content);
        of_the_day += usize::from(folder.contains("/01/03") || folder.contains("2023/month=11"));
    }
    let left = left(&work, FLOWS, "raw");
    for folder in ["/year=2023/month=10/day=25/", "/year=2022/", "/2023/09/"] {
        assert!(left.iter().any(|(address, _)| address.ends_with(folder)), "{folder}: {left:?}");
    }
    assert_eq!(publish(&work, FLOWS, "raw").ledger(), [2, of_the_day as u64, 0, 0, 0]);
}

#[test]
fn a_header_does_not_reach_into_the_next_object() {
    let work = Workdir::new();
    let name =
        |number: u32| format!("raw/123456789012_vpcflowlogs_us-east-1_fl-1_20231101T0305Z_{number}.log.gz");
    work.write(&name(1), gz(format!("{HEADER} vpc-id\n{}", format!("{FLOW} vpc-1\n").repeat(60))));
    work.write(&name(2), gz(format!("{FLOW} vpc-2\n")));
    work.write(&name(3), gz(format!("{FLOW}\n{FLOW}\n")));
    let run = ["run", "--day", DAY, "--input", "raw", "--output", "lake", "--dataset", "vpc-flow"];
    let day = work.logmill(run).args(["--threads", "1", "--max-reject-ratio", "5%"]).publishes(FLOWS);
    assert_eq!(day.ledger(), [63, 62, 0, 0, 1], "equal rows are real, and the second object has no header");
    assert_eq!(text(&day.quarantine()[0]["reason"]), "too_many_fields");
}

#[test]
fn requests_are_found_by_their_ids_and_signatures_are_masked() {
    let work = Workdir::new();
    let day = publish(&work, CLOUDFRONT, &sample(CLOUDFRONT));
    let id = day.values("x_edge_request_id").pop().unwrap();
    work.logmill(["why", "--day", DAY, "--request-id", &id, "--output", "lake"]).exits(0).prints(&[&id]);
    let queries = day.values("cs_uri_query");
    assert!(queries.iter().any(|query| query == "Signature=REDACTED&Key-Pair-Id=K1EXAMPLE"), "{queries:?}");
    assert!(day.values("distribution_id").contains(&"E2ABCDEFGHIJKL".to_owned()));
}

#[test]
fn discover_finds_both_log_types() {
    for table in [CLOUDFRONT, FLOWS] {
        let discover = ["discover", "--input", &sample(table), "--format", "json"];
        let found = Workdir::new().logmill(discover).exits(0).stdout;
        let found: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
        let logs = found["log_types"].as_array().unwrap();
        assert_eq!(logs.iter().map(|logs| text(&logs["dataset"])).collect::<Vec<_>>(), [table.dataset]);
    }
}

#[test]
fn a_run_that_names_no_log_type_builds_the_tables_that_it_finds() {
    let work = Workdir::new();
    let run = ["run", "--day", DAY, "--output", "lake", "--max-reject-ratio", "5%", "--quiet"];
    work.logmill(run).args(["--input", &sample(FLOWS), "--input", &sample(CLOUDFRONT)]).exits(0);
    let tables = ["cloudfront", "vpc_flow", "cloudtrail", "s3_access", "alb_access"];
    let built = tables.map(|table| work.path(&format!("lake/{table}")).exists());
    assert_eq!(built, [true, true, false, false, false]);
}
