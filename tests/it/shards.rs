//! A day in shards: who converts which, several attempts at one, and what is left in the end.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

use serde_json::json;

use crate::harness::{Call, DAY, Day, Table, Workdir, document, event, gz};

const STAGED: [&str; 4] = ["--plan", "staging/plan.json", "--staging", "staging/shards"];

/// Three objects, and a plan of as many shards beside their results.
fn planned() -> Workdir {
    let work = Workdir::new();
    for name in ["a", "b", "c"] {
        work.cloudtrail(name, gz(document([event(name, json!({}))])));
    }
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    plan.args(["--shards", "3", "--plan", "staging/plan.json"]).exits(0).prints(&["3 objects = 3 to read"]);
    work
}

fn convert<'w>(work: &'w Workdir, shard: &str) -> Call<'w> {
    work.logmill(["convert", "--shard", shard]).args(STAGED)
}

fn publish(work: &Workdir) -> Call<'_> {
    work.logmill(["publish", "--output", "lake"]).args(STAGED)
}

fn assert_same(work: &Workdir, sharded: &Day) {
    let run = work.logmill(["run", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    let whole = run.args(["--output", "lake-whole"]).publishes(Table::CLOUDTRAIL);
    assert!(whole.parts() == sharded.parts() && whole.inputs() == sharded.inputs());
}

#[test]
fn the_machines_of_an_array_share_the_shards_and_spare_ones_do_nothing() {
    let work = planned();
    convert(&work, "auto").exits(2).says(&["which shard", "AWS_BATCH_JOB_ARRAY_INDEX", "hint:"]);
    let variables = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
    for (index, variable) in variables.iter().enumerate() {
        publish(&work).exits(4).says(&["has not been converted", &format!("shard: {index}")]);
        convert(&work, "auto").env(variable, &index.to_string()).exits(0);
    }
    let before = work.files("staging");
    convert(&work, "auto").env(variables[0], "3").exits(0).says(&["no shard is left for this machine"]);
    convert(&work, "auto").env(variables[0], "x").exits(2).says(&["AWS_BATCH_JOB_ARRAY_INDEX: x"]);
    assert_eq!(work.files("staging"), before);
    assert_same(&work, &publish(&work).publishes(Table::CLOUDTRAIL));
}

/// As when an orchestrator takes a machine for lost that is only slow.
#[test]
fn two_attempts_at_one_shard_at_once_do_not_mix() {
    let work = planned();
    for shard in ["1", "2"] {
        convert(&work, shard).exits(0);
    }
    let plan: serde_json::Value =
        serde_json::from_slice(&fs::read(work.path("staging/plan.json")).unwrap()).unwrap();
    let objects = plan["tables"][0]["objects"].as_array().unwrap();
    let own = objects.iter().find(|object| object["shard"] == 0).unwrap();
    let (object, aside) = (work.path(own["address"].as_str().unwrap()), work.path("aside"));
    fs::rename(&object, &aside).unwrap();
    assert!(Command::new("mkfifo").arg(&object).status().unwrap().success());
    let slow = convert(&work, "0").start();
    // Opens when the slow attempt has begun to read.
    let mut pipe = OpenOptions::new().write(true).open(&object).unwrap();
    fs::copy(&aside, work.path("copy")).unwrap();
    fs::rename(work.path("copy"), &object).unwrap();
    convert(&work, "0").exits(0);
    let quick = publish(&work).publishes(Table::CLOUDTRAIL).parts();
    pipe.write_all(&fs::read(&aside).unwrap()).unwrap();
    drop(pipe);
    assert_eq!(slow.wait().code, Some(0), "the slow attempt is not disturbed");
    let late = publish(&work).publishes(Table::CLOUDTRAIL);
    assert!(quick == late.parts());
    assert_same(&work, &late);
}

#[test]
fn what_was_staged_goes_when_the_day_is_published_and_not_before() {
    let work = planned();
    for shard in ["0", "0", "1"] {
        convert(&work, shard).exits(0);
    }
    publish(&work).args(["--remove-staging"]).exits(4).says(&["shard: 2"]);
    convert(&work, "2").exits(0);
    publish(&work).publishes(Table::CLOUDTRAIL);
    assert!(work.files("staging").len() > 6);
    let day = publish(&work).args(["--remove-staging"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(work.files("staging").len(), 0);
    assert_same(&work, &day);
}

#[test]
fn an_index_that_names_a_place_outside_its_shard_is_refused() {
    let work = planned();
    for shard in ["0", "1", "2"] {
        convert(&work, shard).exits(0);
    }
    let index = work.path("staging/shards/cloudtrail/shard-00001/index.json");
    let honest = fs::read_to_string(&index).unwrap();
    let run: serde_json::Value = serde_json::from_str(&honest).unwrap();
    for (name, place) in [("folder", "../shard-00000"), ("folder", "/etc"), ("folder", ".."), ("folder", "")]
    {
        let mut changed = run.clone();
        changed[name] = json!(place);
        fs::write(&index, changed.to_string()).unwrap();
        publish(&work).exits(4).says(&["names a place outside it", "convert the shard again"]);
    }
    let mut changed = run;
    changed["runs"][0]["file"] = json!("../../x");
    fs::write(&index, changed.to_string()).unwrap();
    publish(&work).exits(4).says(&["names a place outside it"]);
    fs::write(&index, honest).unwrap();
    publish(&work).publishes(Table::CLOUDTRAIL);
}

#[test]
fn an_address_that_names_no_plan_is_refused() {
    let work = planned();
    for plan in ["s3://bucket", "s3://bucket/", "staging/", "s3://", ""] {
        let convert = work.logmill(["convert", "--staging", "staging", "--plan", plan]);
        convert.exits(2).says(&["no address", "hint:"]);
    }
}
