//! Promoted columns: invalid promotions are refused, and the schema in every format matches the files.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::harness::{DAY, Outcome, Table, Workdir, document, event, text};

/// Writes `logmill.toml` with promotions: column, path, type.
fn promote(work: &Workdir, promotions: &[[&str; 3]]) {
    let one = |[column, path, kind]: &[&str; 3]| {
        let [column, path] = [column, path].map(|value| Value::from(*value).to_string());
        format!("{{ column = {column}, path = {path}, type = \"{kind}\" }}")
    };
    let list: Vec<String> = promotions.iter().map(one).collect();
    let list = list.join(", ");
    work.write("logmill.toml", format!("[[source]]\ndataset = \"cloudtrail\"\npromote = [{list}]\n"));
}

/// Runs over one event with these promotions.
fn run(promotions: &[[&str; 3]]) -> Outcome {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    promote(&work, promotions);
    let outcome = work.run(Table::CLOUDTRAIL).wait();
    assert_eq!(
        outcome.code == Some(0),
        work.lake().exists(),
        "a refused run should write nothing:\n{outcome}"
    );
    outcome
}

fn is_refused(promotions: &[[&str; 3]], texts: &[&str]) {
    let outcome = run(promotions);
    assert_eq!(outcome.code, Some(2), "{promotions:?} should be refused:\n{outcome}");
    outcome.says(texts);
    outcome.says(&["logmill.toml", "table: cloudtrail", "hint:"]);
}

#[test]
fn a_promoted_column_cannot_reuse_a_column_name() {
    let path = "requestParameters.roleArn";
    for (column, other) in [
        ("proc_ymd", "the partition column"),
        ("PROC_YMD", "the partition column"),
        ("Proc_Ymd", "the partition column"),
        ("event_id", "'event_id' from eventID"),
        ("Event_ID", "'event_id' from eventID"),
        ("eventid", "'event_id' from eventID, under compact naming"),
        ("EVENTID", "'event_id' from eventID, under compact naming"),
        ("bucket_name", "'bucket_name' from requestParameters.bucketName"),
        ("extra", "'extra' from decoder"),
        ("source_record", "'source_record' from record or line number"),
        ("sourcerecord", "'source_record' from record or line number in it, under compact naming"),
        ("event_time_kst", "'event_time_kst' from event time + 9 h"),
    ] {
        let first = format!("cannot promote '{path}' as '{column}': ");
        is_refused(&[[column, path, "text"]], &[&first, other, "key: source.promote[0].column"]);
    }
}

#[test]
fn two_promotions_cannot_share_a_name() {
    for second in ["role", "ROLE"] {
        is_refused(
            &[["role", "requestParameters.roleArn", "text"], [second, "requestParameters.role", "text"]],
            &[
                &format!("cannot promote 'requestParameters.role' as '{second}'"),
                "promote[0] gives this name to 'requestParameters.roleArn'",
                "key: source.promote[1].column",
            ],
        );
    }
}

#[test]
fn a_column_name_that_needs_quotes_is_refused() {
    let (longest, too_long) = ("a".repeat(255), "a".repeat(256));
    for (column, reason) in [
        ("", "begins with a letter"),
        ("_role", "begins with a letter"),
        ("2nd", "begins with a letter"),
        ("Role", "lower-case"),
        ("role arn", "lower-case"),
        ("role-arn", "lower-case"),
        ("role.arn", "lower-case"),
        ("\u{c5ed}\u{d560}", "lower-case"),
        ("\u{1b}[31m", "lower-case"),
        (too_long.as_str(), "at most 255"),
        ("order", "reserved word"),
        ("group", "reserved word"),
        ("row__id", "reserved word"),
    ] {
        is_refused(
            &[[column, "requestParameters.roleArn", "text"]],
            &[reason, "key: source.promote[0].column"],
        );
    }
    for column in ["a", "order_id", "r2d2", longest.as_str()] {
        assert_eq!(run(&[[column, "requestParameters.roleArn", "text"]]).code, Some(0), "{column}");
    }
}

#[test]
fn a_path_that_never_has_a_value_is_refused() {
    for (path, kind, reason) in [
        ("", "text", "a path is the keys"),
        ("a..b", "text", "a path is the keys"),
        (".a", "text", "a path is the keys"),
        ("a.", "text", "a path is the keys"),
        (" a", "text", "a path is the keys"),
        ("a. b", "text", "a path is the keys"),
        ("/requestParameters/roleArn", "text", "a path is the keys"),
        ("requestParameters.*", "text", "a path is the keys"),
        ("requestParameters['roleArn']", "text", "a path is the keys"),
        ("requestParameters.\"roleArn\"", "text", "a path is the keys"),
        ("requestParameters.list[].id", "text", "a path is the keys"),
        ("requestParameters.list[0]", "text", "a path is the keys"),
        ("requestParameters.a\nb", "text", "a path is the keys"),
        ("resources[].ARN", "text", "a path is the keys"),
        ("$.requestParameters.roleArn", "text", "without '$'"),
        ("$", "text", "without '$'"),
        ("eventName.first", "text", "'eventName' is a string and has no keys"),
        ("readOnly.value", "text", "'readOnly' is a boolean"),
        ("userIdentity.arn.account", "text", "'userIdentity.arn' is a string"),
        ("resources.ARN", "text", "'resources' is a list"),
        ("resources.0.ARN", "text", "'resources' is a list"),
        ("requestparameters.roleArn", "text", "did you mean 'requestParameters'?"),
        ("request_parameters.roleArn", "text", "did you mean 'requestParameters'?"),
        ("userIdentity.ARN", "text", "did you mean 'userIdentity.arn'?"),
        ("event_name", "text", "did you mean 'eventName'?"),
        ("userIdentity", "bigint", "an object"),
        ("requestParameters", "bool", "an object"),
        ("resources", "timestamp", "a list"),
        ("eventTime", "bool", "timestamp"),
        ("requestParameters.names", "text_list", "not a list"),
    ] {
        let kind = if kind == "bigint" { "big_int" } else { kind };
        let key = if reason.starts_with("an ") || ["a list", "timestamp", "not a list"].contains(&reason) {
            "key: source.promote[0].type"
        } else {
            "key: source.promote[0].path"
        };
        is_refused(&[["x", path, kind]], &["cannot promote", "as 'x'", reason, key]);
    }
}

#[test]
fn a_path_that_may_have_a_value_is_accepted() {
    for (path, kind) in [
        ("requestParameters.key.id.S", "text"),
        ("requestParameters.Key", "big_int"),
        ("additionalEventData.x-amz-id-2", "text"),
        ("requestParameters.aws:tag/owner", "text"),
        ("aFutureField.x", "timestamp"),
        ("userIdentity", "json"),
        ("resources", "json"),
        ("eventTime", "text"),
        ("userIdentity.aFutureKey", "bool"),
    ] {
        assert_eq!(run(&[["x", path, kind]]).code, Some(0), "{path} as {kind}");
    }
}

/// The DDL statement, the template, the JSON schema and the files have the same columns.
#[test]
fn the_schema_of_a_config_file_matches_its_files() {
    let work = Workdir::new();
    work.cloudtrail("a", document([event("id", json!({}))]));
    let long = format!("requestParameters.{}", "\u{d0a4}".repeat(90));
    let file = format!(
        "[lake]\noutput = \"lake\"\n[[source]]\ndataset = \"cloudtrail\"\ninput = \"raw\"\ntable = \"trail\"\n\
         naming = \"compact\"\npromote = [{{ column = \"role_arn\", path = \"requestParameters.roleArn\" }}, \
         {{ column = \"max_keys\", path = \"{long}\", type = \"big_int\" }}]\n"
    );
    work.write("etc/logmill.toml", file);
    let table = Table { dataset: "cloudtrail", name: "trail" };
    let day = work.logmill(["run", "--day", DAY, "--config", "etc/logmill.toml"]).args(["--output", "lake"]);
    let columns = day.publishes(table).columns();
    assert_eq!(columns.iter().filter(|name| ["role_arn", "max_keys"].contains(&name.as_str())).count(), 2);
    let schema = |format: &str| {
        work.logmill(["schema", "--config", "etc/logmill.toml", "--format", format]).exits(0).stdout
    };
    let ddl = schema("ddl");
    assert!(ddl.starts_with("CREATE EXTERNAL TABLE IF NOT EXISTS `trail` (\n"), "{ddl}");
    let in_ddl: Vec<&str> =
        ddl.lines().filter_map(|line| line.strip_prefix("  `")?.split('`').next()).collect();
    assert_eq!(in_ddl, columns);
    let template: Value = serde_json::from_str(&schema("cloudformation")).unwrap();
    let input = &template["Resources"]["TrailTable"]["Properties"]["TableInput"];
    let in_template = input["StorageDescriptor"]["Columns"].as_array().unwrap();
    assert_eq!(in_template.iter().map(|column| text(&column["Name"])).collect::<Vec<_>>(), columns);
    let comments: Vec<&str> = in_template.iter().map(|column| text(&column["Comment"])).collect();
    assert!(comments.iter().all(|comment| comment.len() <= 255), "{comments:?}");
    assert!(comments.iter().any(|comment| comment.starts_with("Promoted from") && comment.ends_with("...")));
    let lines = schema("json");
    let in_json = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(in_json.map(|line| text(&line["column"]).to_owned()).collect::<Vec<_>>(), columns);
    assert!(schema("table").starts_with(&format!("trail ({} columns)\n", columns.len())));
}

#[test]
fn the_schema_takes_lake_database_and_projection_from_the_config_file_unless_flags_override_them() {
    let work = Workdir::new();
    let mut file = "[lake]\noutput = \"s3://lake/logs/\"\n[catalog]\ndatabase = \"audit\"\n\
                    projection = \"2023-11-01\"\n"
        .to_owned();
    for (table, naming) in [("trail_1", "snake"), ("trail1", "compact")] {
        write!(file, "[[source]]\ndataset = \"cloudtrail\"\ntable = \"{table}\"\nnaming = \"{naming}\"\n")
            .unwrap();
    }
    work.write("logmill.toml", file);
    let schema = |args: &[&str]| work.logmill(["schema"]).args(args).exits(0).stdout;
    let ddl = schema(&["--format", "ddl"]);
    for expected in [
        "`trail_1` (",
        "`trail1` (",
        "`event_id` string",
        "`eventid` string",
        "LOCATION 's3://lake/logs/trail_1/'",
        "'projection.proc_ymd.range'='20231101,NOW+1DAY'",
        "'storage.location.template'='s3://lake/logs/trail1/proc_ymd=${proc_ymd}/'",
    ] {
        assert!(ddl.contains(expected), "{expected} should be in\n{ddl}");
    }
    let changed =
        ["--output", "s3://other", "--projection", "2024-01-01", "--naming", "snake", "--table", "trail1"];
    let ddl = schema(&[&["--format", "ddl"], &changed[..]].concat());
    assert_eq!(ddl.matches("CREATE EXTERNAL TABLE").count(), 1);
    for expected in ["LOCATION 's3://other/trail1/'", "'20240101,NOW+1DAY'", "`event_id` string"] {
        assert!(ddl.contains(expected), "{expected} should be in\n{ddl}");
    }
    let template: Value = serde_json::from_str(&schema(&["--format", "cloudformation"])).unwrap();
    let resources: Vec<&String> = template["Resources"].as_object().unwrap().keys().collect();
    assert_eq!(resources, ["Trail1Table", "Trail1Table2"]);
    assert_eq!(template["Parameters"]["LakeLocation"]["Default"], "s3://lake/logs");
    assert_eq!(template["Parameters"]["DatabaseName"]["Default"], "audit");
    // A list of columns ignores the projection of the config file.
    assert!(schema(&[]).contains("trail_1 ("));
}
