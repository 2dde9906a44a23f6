//! Columns that the settings drop: in files, manifest, schema, status and queries.

use serde_json::{Value, json};

use crate::harness::{AccessLine, DAY, Table, Workdir};

const TABLE: Table = Table::ACCESS;

/// The config file of a lake in which access logs lack two columns.
fn config(more: &str) -> String {
    format!(
        "[lake]\noutput = \"lake\"\n[[source]]\ndataset = \"s3-access\"\ninput = \"raw\"\n\
         drop_columns = [\"user_agent\", \"hostid\"]\n{more}"
    )
}

fn busy() -> Workdir {
    let work = Workdir::new();
    let line = |id, user_agent| AccessLine { user_agent, ..AccessLine::of(id) }.to_string();
    work.access("a", format!("{}\n{}\n", line("KEPT", "aws-cli/2.13"), line("BOT", "bot/1")));
    work
}

fn status(work: &Workdir) -> Value {
    let lines = work.logmill(["status", "--from", DAY, "--to", DAY, "--format", "json"]).exits(0).stdout;
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.into_iter().find(|line| line["table"] == TABLE.name).unwrap()
}

#[test]
fn a_dropped_column_is_in_no_file_and_every_command_knows_it() {
    let work = busy();
    let whole = work.run(TABLE).publishes(TABLE);
    let (mut expected, mut kept) = (whole.columns(), whole.row("request_id", "KEPT"));
    assert!(["host_id", "user_agent"].into_iter().all(|name| kept.contains_key(name)));
    expected.retain(|name| !["host_id", "user_agent"].contains(&name.as_str()));
    kept.retain(|name, _| expected.contains(name));
    work.write("logmill.toml", config("filter = [\"user_agent like 'bot/%'\"]\n"));
    let before = status(&work);
    assert_eq!(before["other_settings"], json!(["drop_columns", "filter"]));
    assert!(before.get("drop_columns").is_none());

    let day = work.logmill(["run", "--day", DAY]).publishes(TABLE);
    assert_eq!(day.columns(), expected);
    assert_eq!(day.manifest["drop_columns"], json!(["user_agent", "host_id"]));
    assert_eq!(day.values("request_id"), ["KEPT"], "a filter can use a dropped column");
    assert_eq!(day.row("request_id", "KEPT"), kept);
    let after = status(&work);
    assert_eq!(after["other_settings"], json!([]));
    assert_eq!(after["drop_columns"], json!(["user_agent", "host_id"]));
    work.logmill(["verify", "--day", DAY]).exits(0);

    let ddl = work.logmill(["schema", "--format", "ddl"]).exits(0).stdout;
    let in_ddl: Vec<&str> =
        ddl.lines().filter_map(|line| line.strip_prefix("  `")?.split('`').next()).collect();
    assert_eq!(in_ddl, expected);
    let why = work.logmill(["why", "--day", DAY, "--request-id", "KEPT"]).exits(0);
    why.prints(&["KEPT"]);
    work.logmill(["diff", "--day", DAY]).exits(0).prints(&["setting drop_columns"]);
}

/// All shards read the columns to drop from the plan.
#[test]
fn shards_publish_the_same_bytes_without_the_dropped_columns() {
    let work = busy();
    work.write("logmill.toml", config(""));
    let whole = work.logmill(["run", "--day", DAY, "--output", "whole"]).publishes(TABLE);
    work.logmill(["plan", "--day", DAY, "--shards", "2", "--plan", "plan.json"]).exits(0);
    for shard in ["0", "1"] {
        work.logmill(["convert", "--plan", "plan.json", "--staging", "staging", "--shard", shard]).exits(0);
    }
    let publish = ["publish", "--plan", "plan.json", "--staging", "staging"];
    let sharded = work.logmill(publish).publishes(TABLE);
    assert_eq!(sharded.parts(), whole.parts());
    assert_eq!(sharded.manifest["drop_columns"], whole.manifest["drop_columns"]);
}

#[cfg(feature = "query")]
#[test]
fn views_show_null_for_a_dropped_column_and_the_table_does_not_have_it() {
    let work = busy();
    work.write("logmill.toml", config(""));
    work.logmill(["run", "--day", DAY]).publishes(TABLE);
    let query = |sql: &str| work.logmill(["query", "--format", "csv", sql]);
    query("SELECT requestid, hostid, useragent FROM s3_access_athena")
        .exits(0)
        .prints(&["BOT,-,", "KEPT,-,"]);
    query("SELECT host_id FROM s3_access").exits(2).says(&["host_id"]);
}

#[test]
fn a_column_that_cannot_be_dropped_is_refused_with_the_reason() {
    let work = busy();
    for (name, expected) in [
        ("host_idd", "the table has no such column; did you mean 'host_id'?"),
        ("bucket", "rows are sorted by it"),
        ("request_time", "it is the event time"),
        ("request_id", "'logmill why' finds rows by it"),
    ] {
        let run = work.run(TABLE).args(["--drop-columns", &format!("host_id, {name}")]).exits(2);
        run.says(&[&format!("cannot drop column '{name}': {expected}"), "from: --drop-columns"]);
    }
    work.write("logmill.toml", "[[source]]\ndrop_columns = \"host_id\"\n");
    work.logmill(["config"]).exits(2).says(&["a source with 'drop_columns' has no 'dataset'"]);
    work.write(
        "logmill.toml",
        "[[source]]\ndataset = \"cloudtrail\"\ndrop_columns = [\"role_arn\"]\n\
         promote = [{ column = \"role_arn\", path = \"requestParameters.roleArn\" }]\n",
    );
    work.logmill(["config"]).exits(2).says(&["'role_arn': it is promoted", "remove the promotion instead"]);
}
