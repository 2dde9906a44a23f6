//! Logs whose lines are JSON: the sample days of AWS WAF, of Route 53 Resolver and of access logs in JSON.

use std::fs;

use serde_json::Value;

use crate::harness::{DAY, Day, Table, Workdir, gz, text};

const WAF: Table = Table { dataset: "waf", name: "waf" };
const RESOLVER: Table = Table { dataset: "resolver-query", name: "resolver_query" };

/// The folder of a sample day.
fn sample(table: Table) -> String {
    let name = match table.dataset {
        "s3-access" => "tests/samples/access-json".to_owned(),
        dataset => format!("sample-data/{dataset}"),
    };
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn publish(work: &Workdir, table: Table, input: &str) -> Day {
    let run = ["run", "--day", DAY, "--input", input, "--output", "lake", "--dataset", table.dataset];
    work.logmill(run).args(["--max-reject-ratio", "5%"]).publishes(table)
}

/// The counts that the generator of the sample day tallied.
fn expected(table: Table) -> [u64; 5] {
    let expected = fs::read(format!("{}/expected.json", sample(table))).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    ["read", "written", "other_day", "duplicate", "quarantined"]
        .map(|count| expected[table.name][count].as_u64().unwrap())
}

#[test]
fn the_sample_days_have_the_expected_counts() {
    for table in [WAF, RESOLVER, Table::ACCESS] {
        let work = Workdir::new();
        let day = publish(&work, table, &sample(table));
        assert_eq!(day.ledger(), expected(table), "{}", table.name);
        assert!(expected(table).iter().all(|count| *count > 0), "{}", table.name);
    }
}

#[test]
fn secrets_of_signed_urls_are_masked_in_rows_and_in_the_quarantine() {
    let secret = "0123456789abcdef";
    for (table, column, good) in [
        (
            WAF,
            "http_request_args",
            r#"{"timestamp":1698796800000,"webaclId":"a","httpRequest":{"args":"X-Amz-Signature=@&a=b"}}"#,
        ),
        (
            Table::ACCESS,
            "request_uri",
            r#"{"request_time":"2023-11-01T00:00:00Z","bucket_name":"b","request_uri":"GET /?X-Amz-Signature=@&a=b HTTP/1.1"}"#,
        ),
    ] {
        let work = Workdir::new();
        let good = good.replace('@', secret);
        work.write("raw/a.log.gz", gz(format!("{good}\n{}", good.replace('}', ""))));
        let run = ["run", "--day", DAY, "--input", "raw", "--output", "lake", "--dataset", table.dataset];
        let day = work.logmill(run).args(["--max-reject-ratio", "60%"]).publishes(table);
        assert_eq!(day.ledger(), [2, 1, 0, 0, 1], "{}", table.name);
        let [cell] = &day.values(column)[..] else { panic!("one row") };
        assert!(cell.contains("X-Amz-Signature=REDACTED&a=b"), "{cell}");
        let [rejected] = &day.quarantine()[..] else { panic!("one rejected row") };
        assert_eq!(text(&rejected["reason"]), "truncated_json");
        assert!(!rejected.to_string().contains(secret), "{rejected}");
        assert!(rejected.to_string().contains("REDACTED"), "{rejected}");
    }
}

#[test]
fn requests_are_found_by_their_ids_and_inputs_by_discover() {
    let work = Workdir::new();
    let id = publish(&work, WAF, &sample(WAF)).values("http_request_request_id").remove(1);
    assert!(id.starts_with("1-"), "{id}");
    work.logmill(["why", "--day", DAY, "--request-id", &id, "--output", "lake"]).exits(0).prints(&[&id]);
    for (table, accounts) in [(WAF, 2), (RESOLVER, 2), (Table::ACCESS, 0)] {
        let found = work.logmill(["discover", "--input", &sample(table), "--format", "json"]).exits(0).stdout;
        let found: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
        let logs = found["log_types"].as_array().unwrap();
        let logs = logs.iter().find(|logs| text(&logs["dataset"]) == table.dataset).unwrap();
        assert_eq!(logs["accounts"]["names"].as_array().unwrap().len(), accounts, "{logs}");
    }
}

#[test]
fn a_mask_of_the_headers_covers_the_columns_of_single_headers() {
    let work = Workdir::new();
    let run = ["run", "--day", DAY, "--output", "lake", "--dataset", "waf", "--max-reject-ratio", "5%"];
    let day =
        work.logmill(run).args(["--input", &sample(WAF), "--redact", "httpRequest.headers"]).publishes(WAF);
    for (column, mask) in [
        ("header_host", "REDACTED"),
        ("header_user_agent", "REDACTED"),
        ("header_referer", "REDACTED"),
        ("http_request_headers", "\"REDACTED\""),
    ] {
        let values = day.values(column);
        assert!(values.iter().all(|value| value == mask || value == "-"), "{column}");
        assert!(values.iter().any(|value| value == mask), "{column}");
    }
}

#[test]
fn the_content_decides_which_log_type_reads_json_in_any_folder() {
    let work = Workdir::new();
    let access = r#"{"request_time":"2023-11-01T00:00:00Z","bucket_name":"b","request_id":"A"}"#;
    let waf = r#"{"timestamp":1698796800000,"webaclId":"a","action":"ALLOW"}"#;
    let query = r#"{"query_timestamp":"2023-11-01T00:00:00Z","query_name":"a."}"#;
    for folder in
        ["AWSLogs/111122223333/S3ServerAccessLogs/", "AWSLogs/111122223333/new/2023/11/01/", "copies/"]
    {
        work.write(&format!("raw/{folder}access.log.gz"), gz(format!("{access}\n").replace('A', folder)));
        work.write(&format!("raw/{folder}waf.log"), format!("{waf}\n").replace("ALLOW", folder));
        work.write(&format!("raw/{folder}dns.log"), format!("{query}\n").replace("a.", folder));
        work.write(&format!("raw/{folder}app.log"), "{\"level\":\"info\"}\n");
    }
    let run = ["run", "--day", DAY, "--input", "raw", "--output", "lake"];
    for (table, column) in [(WAF, "action"), (RESOLVER, "query_name"), (Table::ACCESS, "request_id")] {
        let day = work.logmill(run).args(["--dataset", table.dataset]).publishes(table);
        assert_eq!(day.values(column).len(), 3, "{}", table.name);
        assert_eq!(day.ledger(), [3, 3, 0, 0, 0], "{}", table.name);
    }
}

#[test]
fn streams_for_aws_waf_are_not_read_as_access_logs() {
    let work = Workdir::new();
    let name = "aws-waf-logs-shop-1-2023-11-01-03-00-00-0b9bd55b-6a3c-4b0b-9d6a-0c7c1c1f0e11";
    work.write(&format!("raw/2023/11/01/03/{name}"), "{\"timestamp\":1698807600000,\"webaclId\":\"a\"}\n");
    let plan = |dataset: &str| -> Value {
        let plan = ["plan", "--day", DAY, "--input", "raw", "--dataset", dataset, "--format", "json"];
        serde_json::from_str(&work.logmill(plan).exits(0).stdout).unwrap()
    };
    for (dataset, objects) in [("s3-access", 0), ("waf", 1)] {
        assert_eq!(plan(dataset)["tables"][0]["objects"].as_array().unwrap().len(), objects, "{dataset}");
    }
}

#[test]
fn values_of_records_can_be_promoted() {
    let work = Workdir::new();
    let source = format!("dataset = \"waf\"\ntable = \"waf\"\ninput = \"{}\"\n", sample(WAF));
    let promotion = "path = \"httpRequest.clientPort\"\ncolumn = \"client_port\"\ntype = \"text\"\n";
    work.write("logmill.toml", format!("[[source]]\n{source}\n[[source.promote]]\n{promotion}"));
    let run = ["run", "--day", DAY, "--config", "logmill.toml", "--output", "lake"];
    let day = work.logmill(run).args(["--max-reject-ratio", "5%"]).publishes(WAF);
    assert!(day.values("client_port").iter().any(|port| port == "1234"));
}

#[test]
fn equal_queries_are_rows_and_a_copy_of_an_object_gives_duplicates() {
    let work = Workdir::new();
    let name = "vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T0000Z_";
    let query = r#"{"query_timestamp":"2023-11-01T00:00:00Z","query_name":"a.example.com."}"#;
    for (folder, hash) in [
        ("AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b/2023/11/01", "0a1b"),
        ("copy", "0a1b"),
        ("copy", "0c1d"),
    ] {
        work.write(&format!("raw/{folder}/{name}{hash}.log.gz"), gz(format!("{query}\n{query}\n")));
    }
    let day = publish(&work, RESOLVER, "raw");
    assert_eq!(day.ledger(), [6, 4, 0, 2, 0]);
}

#[test]
fn a_day_of_queries_reads_the_objects_around_it() {
    let work = Workdir::new();
    let folder = "raw/AWSLogs/111122223333/vpcdnsquerylogs/vpc-0a1b";
    let query = r#"{"query_timestamp":"2023-11-01T00:00:00Z","query_name":"a.example.com."}"#;
    for (at, is_read) in [
        ("2023/10/31/vpc-0a1b_vpcdnsquerylogs_111122223333_20231031T1355Z", false),
        ("2023/10/31/vpc-0a1b_vpcdnsquerylogs_111122223333_20231031T1455Z", true),
        ("2023/11/01/vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T2055Z", true),
        ("2023/11/01/vpc-0a1b_vpcdnsquerylogs_111122223333_20231101T2100Z", false),
        ("2023/09/01/vpc-0a1b_vpcdnsquerylogs_111122223333_20230901T0000Z", false),
    ] {
        let name = query.replace("a.example.com.", if is_read { "read" } else { "left" });
        work.write(&format!("{folder}/{at}_0a1b.log.gz"), gz(format!("{name}\n")));
    }
    assert_eq!(publish(&work, RESOLVER, "raw").values("query_name"), ["read", "read"]);
}
