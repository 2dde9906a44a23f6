//! Logs of load balancers: the sample day in `sample-data/load-balancers`, whose folders hold the logs of all kinds of load balancers.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{AccessLine, DAY, Day, Table, Workdir, gz, text};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/load-balancers");
const ACCESS: Table = Table { dataset: "alb-access", name: "alb_access" };
const CONNECTION: Table = Table { dataset: "alb-connection", name: "alb_connection" };
const NLB: Table = Table { dataset: "nlb-access", name: "nlb_access" };
const CLB: Table = Table { dataset: "clb-access", name: "clb_access" };

fn publish(work: &Workdir, table: Table, input: &str) -> Day {
    let run = ["run", "--day", DAY, "--input", input, "--output", "lake", "--dataset", table.dataset];
    work.logmill(run).args(["--max-reject-ratio", "5%"]).publishes(table)
}

/// The counts that the generator of the sample day tallied.
fn expected(table: Table) -> [u64; 5] {
    let expected: Value =
        serde_json::from_slice(&fs::read(format!("{SAMPLE}/expected.json")).unwrap()).unwrap();
    ["read", "written", "other_day", "duplicate", "quarantined"]
        .map(|count| expected[table.name][count].as_u64().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn the_sample_day_has_the_expected_counts() {
    for table in [ACCESS, CONNECTION, NLB, CLB] {
        let work = Workdir::new();
        let day = publish(&work, table, SAMPLE);
        assert_eq!(day.ledger(), expected(table), "{}", table.name);
        let reasons: Vec<String> =
            day.quarantine().iter().map(|line| text(&line["reason"]).to_owned()).collect();
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(reasons.contains(&"missing_fields".to_owned()), "{reasons:?}");
        assert_eq!(day.values("event_time").first().unwrap()[..10], *"2023-10-31");
    }
}

#[test]
fn logs_of_other_kinds_are_left_out_with_their_reasons() {
    let work = Workdir::new();
    let balancer = "123456789012_elasticloadbalancing_ap-northeast-2";
    for table in [ACCESS, NLB, CLB] {
        let plan = ["plan", "--day", DAY, "--input", SAMPLE, "--format", "json", "--dataset", table.dataset];
        let plan: Value = serde_json::from_str(&work.logmill(plan).exits(0).stdout).unwrap();
        let left = plan["tables"][0]["left"].as_array().unwrap().iter();
        let left: Vec<&Value> = left.filter(|left| left["of_another_time"] == false).collect();
        for (front, reason, of) in [
            ("conn_log_", "connection log of an Application Load Balancer", CONNECTION.name),
            (&format!("{balancer}_app."), "access log of an Application Load Balancer", ACCESS.name),
            ("health_check_log_", "health check log of a load balancer", ""),
            (&format!("{balancer}_net."), "access log of a Network Load Balancer", NLB.name),
            (&format!("{balancer}_old-"), "access log of a Classic Load Balancer", CLB.name),
            ("ELBAccessLogTestFile", "test file of a load balancer, no records", ""),
        ] {
            let name = |left: &Value| text(&left["address"]).rsplit('/').next().unwrap().to_owned();
            let mut of_kind = left.iter().filter(|left| name(left).starts_with(front)).peekable();
            assert_eq!(of_kind.peek().is_none(), of == table.name, "{front} of {}", table.name);
            assert!(of_kind.all(|left| text(&left["why"]).contains(reason)), "{front}: {left:?}");
        }
    }
}

#[test]
fn copies_without_folders_and_with_other_names_give_the_same_rows() {
    let work = Workdir::new();
    for path in files(Path::new(SAMPLE)) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let content = fs::read(&path).unwrap();
        let mut lines = Vec::new();
        let is_gzip = flate2::read::GzDecoder::new(&content[..]).read_to_end(&mut lines).is_ok();
        // The content of two objects does not begin with a line of a load balancer.
        let first = String::from_utf8_lossy(&lines[..lines.len().min(200)]).into_owned();
        if first.starts_with("delivery agent") || first.contains("arn:aws:iam::1234567") {
            continue;
        }
        work.write(&format!("flat/{name}"), &content);
        if is_gzip && name.contains("_app.") && !name.contains("_log_") {
            work.write(&format!("renamed/{}", name.replace(['_', 'Z'], "")), &content);
        }
    }
    let of = |input: &str| publish(&Workdir::new(), ACCESS, input).values("trace_id");
    let [flat, renamed] = ["flat", "renamed"].map(|input| of(work.path(input).to_str().unwrap()));
    assert_eq!(flat.len(), of(SAMPLE).len() - 5 - 4, "all lines but those of two objects");
    assert_eq!(renamed, flat, "the content shows the log type, and every day reads names without a time");
}

#[test]
fn a_run_that_names_no_log_type_builds_the_tables_of_the_logs_that_it_finds() {
    for dataset in [&[][..], &["--dataset", "all"]] {
        let work = Workdir::new();
        let run = work.logmill(["run", "--day", DAY, "--input", SAMPLE, "--output", "lake"]).args(dataset);
        run.args(["--max-reject-ratio", "5%"])
            .exits(0)
            .says(&["info: not built: the inputs hold no cloudtrail"]);
        let tables = ["alb_access", "alb_connection", "cloudtrail", "s3_access"];
        let built = tables.map(|table| work.path(&format!("lake/{table}")).exists());
        assert_eq!(built, [true, true, false, false]);
    }
}

/// The types of load balancers share folders of dates, so the folder of another day does not tell which type has logs.
#[test]
fn a_folder_of_another_day_does_not_prove_that_a_log_type_occurs() {
    let work = Workdir::new();
    let key = |day: &str| {
        let name = format!(
            "111122223333_elasticloadbalancing_us-east-1_app.web.0a1b_{}T0300Z_192.0.2.7_a.log",
            day.replace('/', "")
        );
        format!("raw/AWSLogs/111122223333/elasticloadbalancing/us-east-1/{day}/{name}")
    };
    let sample = files(Path::new(SAMPLE))
        .into_iter()
        .find(|path| path.to_str().unwrap().contains("_app.shop"))
        .unwrap();
    let mut lines = String::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(sample).unwrap()).read_to_string(&mut lines).unwrap();
    let line = lines
        .lines()
        .next()
        .unwrap()
        .replace("2023-10-31", "2023-11-01")
        .replace("2023-11-01T14", "2023-11-01T02");
    work.write(&key("2023/11/01"), &line);
    work.write(&key("2023/06/01"), line.replace("2023-11-01", "2023-06-01"));
    let run = |day| work.logmill(["run", "--day", day, "--input", "raw", "--output", "lake"]);
    let built = || {
        let tables =
            fs::read_dir(work.path("lake")).map(|entries| entries.map(|entry| entry.unwrap().file_name()));
        let mut tables: Vec<_> =
            tables.into_iter().flatten().filter(|name| !name.to_str().unwrap().starts_with('_')).collect();
        tables.sort();
        tables
    };
    run("2023-11-03")
        .exits(4)
        .says(&["the inputs hold no logs of these days: nothing was changed", "discover"]);
    assert!(built().is_empty(), "{:?}", built());
    run("2023-11-01").exits(0);
    assert_eq!(built(), ["alb_access"]);
    // A table that was published before gets its empty day.
    run("2023-11-03").exits(0).says(&["info: not built: the inputs hold no"]);
    assert_eq!(built(), ["alb_access"]);
    assert!(work.path("lake/alb_access/proc_ymd=20231103").exists());
}

/// A log keeps the folder in which AWS delivered it. Its content decides.
#[test]
fn a_renamed_log_in_the_folder_of_its_service_is_read() {
    let work = Workdir::new();
    let folder = "AWSLogs/111122223333/elasticloadbalancing/ap-northeast-2/2023/11/01";
    let name = "111122223333_elasticloadbalancing_ap-northeast-2_app.back-office.9b1c6d2e8f7a0345_20231101T1405Z_198.51.100.9_PtyqJ6aX.log.gz";
    let log = fs::read(format!("{SAMPLE}/{folder}/{name}")).unwrap();
    work.write(&format!("raw/{folder}/renamed.log.gz"), log);
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--format", "json"]).exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["tables"][0]["table"], "alb_access");
    assert_eq!(plan["tables"][0]["objects"][0]["key"], format!("{folder}/renamed.log.gz"));
    let discovered = work.logmill(["discover", "--input", "raw", "--format", "json"]).exits(0);
    assert!(discovered.stdout.contains("alb-access"), "{discovered}");
}

#[test]
fn cloudtrail_does_not_claim_logs_of_load_balancers_outside_their_folders() {
    let work = Workdir::new();
    let lines = gz("{\"Records\":[]}");
    for name in [
        "111122223333_elasticloadbalancing_ap-northeast-2_app.web.0a_20231101T0310Z_192.0.2.7_1ab.log.gz",
        "conn_log_111122223333_elasticloadbalancing_ap-northeast-2_app.web.0a_20231101T0310Z_192.0.2.7_1ab.log.gz",
        "health_check_log_111122223333_elasticloadbalancing_ap-northeast-2_app.web.0a_20231101T0310Z_192.0.2.7_1ab.log.gz",
        "111122223333_elasticloadbalancing_ap-northeast-2_net.tcp.0a_20231101T0310Z_1ab.log.gz",
        "111122223333_elasticloadbalancing_ap-northeast-2_old_20231101T0310Z_192.0.2.7_1ab.log",
    ] {
        work.write(&format!("raw/copies/{name}"), &lines);
    }
    let plan =
        work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.exits(0).stdout).unwrap();
    let table = &plan["tables"][0];
    assert_eq!(table["objects"].as_array().unwrap().len(), 0, "{table}");
    assert_eq!(table["left"].as_array().unwrap().len(), 5, "{table}");
}

#[test]
fn requests_and_connections_are_found_by_their_ids() {
    for (table, column) in [(ACCESS, "trace_id"), (CONNECTION, "conn_trace_id")] {
        let work = Workdir::new();
        let id = publish(&work, table, SAMPLE).values(column).pop().unwrap();
        work.logmill(["why", "--day", DAY, "--request-id", &id, "--output", "lake"]).exits(0).prints(&[&id]);
    }
}

#[test]
fn discover_finds_all_log_types() {
    let found = Workdir::new().logmill(["discover", "--input", SAMPLE, "--format", "json"]).exits(0).stdout;
    let found: Value = serde_json::from_str(found.lines().next().unwrap()).unwrap();
    let logs = found["log_types"].as_array().unwrap();
    assert_eq!(
        logs.iter().map(|logs| text(&logs["dataset"])).collect::<Vec<_>>(),
        ["alb-access", "alb-connection", "nlb-access", "clb-access"]
    );
    for logs in logs {
        assert_eq!(logs["accounts"]["names"], serde_json::json!(["111122223333", "123456789012"]), "{logs}");
        assert_eq!(logs["regions"]["names"], serde_json::json!(["ap-northeast-2"]), "{logs}");
    }
}

#[cfg(feature = "query")]
#[test]
fn sql_reads_numbers_lists_and_times() {
    let work = Workdir::new();
    publish(&work, ACCESS, SAMPLE);
    let rows = |sql: &str| -> Vec<Value> {
        let outcome = work.logmill(["query", "--output", "lake", "--format", "json", sql]).exits(0);
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let of_status = rows("SELECT elb_status_code, count(*) AS n FROM alb_access GROUP BY 1 ORDER BY 1");
    let all: u64 = of_status.iter().map(|row| row["n"].as_u64().unwrap()).sum();
    assert_eq!(all, expected(ACCESS)[1]);
    let waf = rows("SELECT count(*) AS n FROM alb_access WHERE contains(actions_executed, 'waf')");
    assert!(waf[0]["n"].as_u64().unwrap() > 10, "{waf:?}");
    let slow =
        rows("SELECT max(target_processing_time) AS s FROM alb_access WHERE target_processing_time >= 0");
    assert!(slow[0]["s"].as_f64().unwrap() > 0.1, "{slow:?}");
}

#[cfg(feature = "query")]
#[test]
fn a_report_has_figures_of_load_balancers_if_the_lake_has_their_table() {
    let work = Workdir::new();
    publish(&work, NLB, SAMPLE);
    let page = |threads: &str| {
        let report = ["report", "--day", DAY, "--output", "lake", "--to-file", "-", "--threads", threads];
        work.logmill(report).exits(0).stdout
    };
    assert!(!page("1").contains("Application Load Balancers"));
    publish(&work, ACCESS, SAMPLE);
    let html = page("1");
    for id in ["alb-access-over-time", "balancer-errors", "slow-targets", "balancer-clients"] {
        assert!(html.contains(&format!("<article id=\"{id}\"")), "{id}");
    }
    assert_eq!(page("3"), html);
}

/// The table of ALB does not search the folder of VPC flow logs, whatever is in it.
#[test]
fn logs_in_the_folder_of_another_service_are_counted() {
    let work = Workdir::new();
    let folder = "raw/AWSLogs/111122223333/vpcflowlogs/us-east-1/2023/11/01";
    let is_wanted =
        |path: &PathBuf| path.display().to_string().contains("_app.shop.50dc6c495c0c9188_20231101T03");
    let log = files(Path::new(SAMPLE)).into_iter().find(is_wanted).unwrap();
    let name = log.file_name().unwrap().to_str().unwrap().to_owned();
    for name in [&*name, "renamed.log.gz"] {
        work.write(&format!("{folder}/{name}"), fs::read(&log).unwrap());
    }
    let run = || work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]);
    let no_logs = [
        "hold no logs of a known log type",
        &format!("misplaced: {folder}/{name}"),
        "move logs of alb-access",
    ];
    run().exits(4).says(&no_logs);
    let expected = json!([{"dataset": "alb-access", "objects": 2, "first": format!("{folder}/{name}")}]);
    let discover = || work.logmill(["discover", "--input", "raw"]);
    let found: Value = serde_json::from_str(&discover().args(["--format", "json"]).exits(0).stdout).unwrap();
    assert_eq!(found["misplaced"], expected);
    let line = format!("misplaced alb-access logs: 2 objects, for example {folder}/{name}: move them");
    discover().exits(0).prints(&[&line]);

    work.access("A", format!("{}\n", AccessLine::of("R")));
    let finished = run().finishes(0);
    assert_eq!(finished.summary["misplaced"], expected);
    let why = "the inputs hold no alb-access logs outside the folders of other services";
    let not_built = finished.summary["not_built"].as_array().unwrap();
    assert!(not_built.iter().any(|left| left["dataset"] == "alb-access" && left["why"] == why));

    // A table that is built counts them in its ledger of objects, and warns.
    let flow = "version account-id start end\n2 111122223333 1698807600 1698807660\n";
    work.write(
        &format!("{folder}/111122223333_vpcflowlogs_us-east-1_fl-0a_20231101T0300Z_0a1b2c3d.log.gz"),
        gz(flow),
    );
    let finished = run().finishes(0);
    assert_eq!(finished.summary["misplaced"], json!([]));
    let tables = finished.summary["tables"].as_array().unwrap();
    let flows = tables.iter().find(|table| table["table"] == "vpc_flow").unwrap();
    let left = flows["left"].as_array().unwrap();
    let why = "log of another log type, whose table does not search the folder of this service";
    assert!(left.iter().any(|group| group["why"] == why && group["objects"] == 2), "{left:?}");
    run()
        .args(["--allow-empty"])
        .exits(0)
        .says(&["warn: skipped objects that may be logs table=vpc_flow", why]);
}
