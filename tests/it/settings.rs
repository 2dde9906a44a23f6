//! Settings: where they come from, which one wins, and what is said about those that make no sense.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{AccessLine, Call, DAY, Table, Workdir, document, event, text};

/// Value and origin of every setting in force.
fn in_force(call: Call<'_>) -> BTreeMap<String, (String, String)> {
    let lines = call.args(["--format", "json"]).exits(0).stdout;
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let [name, value, from] = ["name", "value", "from"].map(|key| text(&line[key]).to_owned());
        (name, (value, from))
    };
    lines.lines().map(line).collect()
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let work = Workdir::new();
    work.write(
        "logmill.toml",
        "threads = 3\nmemory = \"300MiB\"\nmax_reject_ratio = 0.5\nmax_shrink = 0.1\nallow_empty = true\nmetrics_file = \"a.prom\"\nemf = true\n[lake]\noutput = \"/by-file\"\n",
    );
    let config = work.logmill(["config", "--threads", "7"]);
    let settings = in_force(config.env("LOGMILL_THREADS", "5").env("LOGMILL_MEMORY", "500MiB"));
    for (name, value, from) in [
        ("threads", "7", "--threads"),
        ("memory", "500MiB", "LOGMILL_MEMORY"),
        ("max_reject_ratio", "0.5", "logmill.toml"),
        ("max_shrink", "0.1", "logmill.toml"),
        ("allow_empty", "true", "logmill.toml"),
        ("metrics_file", "a.prom", "logmill.toml"),
        ("emf", "true", "logmill.toml"),
        ("output", "/by-file", "logmill.toml"),
        ("max_object_size", "4 GiB", "default"),
        ("max_quarantine", "256 MiB", "default"),
        ("cloudtrail.lateness", "6h", "default"),
        ("s3_access.lateness", "24h", "default"),
    ] {
        assert_eq!(settings[name], (value.to_owned(), from.to_owned()), "{name}");
    }
    work.logmill(["config"]).exits(0).prints(&["setting", "threads", "logmill.toml"]);
}

#[test]
fn every_setting_can_come_from_the_environment() {
    let work = Workdir::new();
    for (name, value) in [
        ("threads", "5"),
        ("memory", "300MiB"),
        ("max_object_size", "1GiB"),
        ("target_file_size", "1MiB"),
        ("max_reject_ratio", "2%"),
        ("max_quarantine", "1GiB"),
        ("allow_empty", "true"),
        ("max_shrink", "20%"),
        ("fail_on_empty", "true"),
        ("log_format", "json"),
        ("metrics_file", "/metrics/logmill.prom"),
        ("emf", "true"),
        ("output", "/lake"),
        ("wait", "30m"),
        ("dataset", "s3-access"),
        ("s3_access.lateness", "12h"),
        ("s3_access.naming", "compact"),
        ("s3_access.input", "/logs"),
    ] {
        let own = name.rsplit('.').next().unwrap();
        let variable = format!("LOGMILL_{}", own.to_uppercase());
        let settings = in_force(work.logmill(["config"]).env(&variable, value));
        assert_eq!(settings[name], (value.to_owned(), variable), "{name}");
    }
}

#[test]
fn a_flag_can_turn_off_what_the_config_file_turns_on() {
    let work = Workdir::new();
    let file = "emf = true\n[catalog]\ndatabase = \"d\"\ncreate_database = true\ncolumn_statistics = true\n[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\nignore_key_times = true\nrequester_pays = true\n";
    work.write("logmill.toml", file);
    for setting in [
        "cloudtrail.ignore_key_times",
        "cloudtrail.requester_pays",
        "emf",
        "create_database",
        "column_statistics",
    ] {
        let flag = format!("--{}", setting.trim_start_matches("cloudtrail.").replace('_', "-"));
        for (given, value) in
            [(flag.clone(), "true"), (format!("{flag}=true"), "true"), (format!("{flag}=false"), "false")]
        {
            let settings = in_force(work.logmill(["config", &given]));
            assert_eq!(settings[setting], (value.to_owned(), flag.clone()), "{given}");
        }
        let settings = in_force(work.logmill(["config"]));
        assert_eq!(settings[setting], ("true".to_owned(), "logmill.toml".to_owned()));
    }
}

#[test]
fn a_config_file_can_hold_all_of_a_run() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({"requestParameters": {"roleArn": "arn:role"}}))]));
    work.write("more/access.log", format!("{}\n", AccessLine::of("ID")));
    let file = r#"
        memory = "256MiB"
        threads = 2
        [lake]
        output = "lake"
        wait = "1m"
        [[source]]
        dataset = "cloudtrail"
        input = ["raw"]
        table = "trail"
        promote = [{ column = "role_arn", path = "requestParameters.roleArn" }]
        [[source]]
        dataset = "s3-access"
        input = "more"
    "#;
    work.write("etc/logmill.toml", file);
    let run = || work.logmill(["run", "--day", DAY, "--config", "etc/logmill.toml", "--output", "lake"]);
    let finished = run().finishes(0);
    let day = finished.day(Table { dataset: "cloudtrail", name: "trail" });
    assert_eq!(day.row("event_id", "id")["role_arn"], "arn:role");
    assert_eq!(finished.day(Table::ACCESS).values("request_id"), ["ID"]);
    // One of the sources alone.
    let one = run().args(["--table", "trail"]).finishes(0);
    assert_eq!(one.summary["tables"].as_array().unwrap().len(), 1);
}

#[test]
fn a_promoted_column_has_the_name_that_was_given() {
    for naming in ["snake", "compact"] {
        let work = Workdir::new();
        work.cloudtrail("a", document([event("id", json!({}))]));
        let promote = r#"[{ column = "my_bucket", path = "requestParameters.bucketName" }]"#;
        work.write("logmill.toml", format!("[[source]]\ndataset = \"cloudtrail\"\npromote = {promote}\n"));
        let day = work.run(Table::CLOUDTRAIL).args(["--naming", naming]).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.rows()[0].get("my_bucket"), Some(&json!("results")), "with {naming} names");
        let mut columns = day.columns();
        columns.sort();
        assert!(
            columns.windows(2).all(|pair| pair[0] != pair[1]),
            "no two columns share a name: {columns:?}"
        );
    }
}

#[test]
fn an_unknown_key_in_the_config_file_is_named() {
    for (file, key) in [
        ("memry = \"1GiB\"", "memry"),
        ("[lake]\noutput = \"x\"\nbucket = \"y\"", "bucket"),
        ("[[source]]\ndataset = \"cloudtrail\"\nlatness = \"6h\"", "latness"),
        (
            "[[source]]\ndataset = \"cloudtrail\"\npromote = [{ column = \"a\", path = \"b\", kind = \"text\" }]",
            "kind",
        ),
    ] {
        let work = Workdir::new();
        work.write("logmill.toml", file);
        work.logmill(["config"]).exits(2).says(&[key, "logmill.toml", "hint:"]);
    }
}

#[test]
fn a_config_file_that_makes_no_sense_is_refused() {
    for (file, said) in [
        ("memory = ", "logmill.toml"),
        ("[[source]]\ndataset = \"elb\"", "unknown log type 'elb'"),
        ("[[source]]\ninput = \"x\"", "dataset"),
        ("[[source]]\ndataset = \"cloudtrail\"\ntable = \"My Table\"", "'My Table' is no table name"),
        ("[[source]]\ndataset = \"cloudtrail\"\n[[source]]\ndataset = \"cloudtrail\"", "same table"),
        (
            "[[source]]\ndataset = \"cloudtrail\"\npromote = [{ column = \"event_id\", path = \"a\" }]",
            "event_id",
        ),
        (
            "[[source]]\ndataset = \"s3-access\"\npromote = [{ column = \"a\", path = \"a\" }]",
            "holds no JSON",
        ),
    ] {
        let work = Workdir::new();
        work.write("logmill.toml", file);
        work.logmill(["config"]).exits(2).says(&[said]);
    }
    Workdir::new().logmill(["config", "--config", "missing.toml"]).exits(2).says(&["missing.toml"]);
}

#[test]
fn a_value_that_makes_no_sense_is_refused_with_what_would_do() {
    for (args, said) in [
        (&["--threads", "0"], &["'0'", "threads", "1 to 1024", "--threads"][..]),
        (&["--threads", "many"], &["'many'", "threads"]),
        (&["--memory", "1KiB"], &["'1KiB'", "memory", "64MiB"]),
        (&["--memory", "plenty"], &["'plenty'", "256MiB"]),
        (&["--max-reject-ratio", "2"], &["'2'", "max_reject_ratio", "1% or 0.01"]),
        (&["--max-reject-ratio", "-1"], &["-1"]),
        (&["--max-reject-ratio", "NaN"], &["'NaN'", "max_reject_ratio"]),
        (&["--max-shrink", "101%"], &["'101%'", "max_shrink", "1% or 0.01"]),
        (&["--lateness", "long"], &["'long'", "lateness", "6h or 90m"]),
        (&["--lateness", "9000d"], &["'9000d'", "a year"]),
        (&["--naming", "camel"], &["'camel'", "snake or compact"]),
        (&["--dataset", "elb"], &["'elb'", "cloudtrail, s3-access or all"]),
        (&["--table", "both"], &["--table", "hint:", "--dataset"]),
        (&["--log-format", "xml"], &["'xml'", "text or json"]),
        (&["--output", "lake/x"], &["no input is given", "hint:", "--input"]),
    ] {
        let work = Workdir::new();
        work.logmill(["run", "--day", DAY]).args(args).exits(2).says(said);
        assert_eq!(work.files("").len(), 0, "nothing is written");
    }
    let work = Workdir::new();
    let call = work.logmill(["config"]).env("LOGMILL_THREADS", "0");
    call.exits(2).says(&["'0'", "threads", "LOGMILL_THREADS"]);
    work.logmill(["run", "--day", DAY, "--input", "raw"]).exits(2).says(&["no output is given", "--output"]);
}

#[test]
fn a_day_that_is_in_no_calendar_is_refused() {
    let work = Workdir::new();
    for day in [
        "2023-02-30",
        "20230230",
        "2023-13-01",
        "2023-1-1",
        "23-11-01",
        "tomorrow",
        "",
        "2023-11-01T00:00:00Z",
    ] {
        for command in ["run", "plan", "verify"] {
            let mut call = work.logmill([command, "--day", day]);
            if command != "verify" {
                call = call.args(["--input", "raw"]);
            }
            if command != "plan" {
                call = call.args(["--output", "lake"]);
            }
            call.exits(2).says(&[&format!("'{day}' is not a day"), "hint:", "2023-11-01"]);
        }
    }
    for day in ["2023-11-01", "20231101"] {
        let plan = work.logmill(["plan", "--day", day, "--input", "raw", "--dataset", "all"]).exits(0);
        plan.prints(&["KST day 2023-11-01"]);
    }
}
