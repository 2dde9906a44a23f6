//! A rebuild does not empty or greatly shrink a published day by accident.

use std::fs;

use logmill::dataset::{self, Dataset};
use serde_json::{Value, json};

use crate::harness::{AccessLine, DAY, Table, Workdir, document, event, gz, key_of_cloudtrail, text};

/// The commands that read raw logs, without their input and output.
const COMMANDS: [&[&str]; 5] = [
    &["run", "--day", DAY],
    &["run", "--day", DAY, "--lookback", "2d"],
    &["backfill", "--from", DAY, "--to", DAY, "--only", "all"],
    &["backfill", "--from", DAY, "--to", DAY, "--only", "all", "--dry-run"],
    &["status", "--from", DAY, "--to", DAY],
];

/// Writes a CloudTrail object with `count` events.
fn events(work: &Workdir, name: &str, count: usize) -> std::path::PathBuf {
    work.cloudtrail(name, gz(document((0..count).map(|number| event(&format!("{name}{number}"), json!({}))))))
}

/// A lake with a day of both tables, built from one folder.
fn both_tables() -> Workdir {
    let work = Workdir::new();
    events(&work, "a", 3);
    work.access("A", format!("{}\n", AccessLine::of("ID")));
    let day = work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]).finishes(0);
    assert_eq!((day.day(Table::CLOUDTRAIL).ledger()[1], day.day(Table::ACCESS).ledger()[1]), (3, 1));
    work
}

/// A lake with a day of CloudTrail, built from objects with the given numbers of events.
fn trail(objects: &[(&str, usize)]) -> Workdir {
    let work = Workdir::new();
    for (name, count) in objects {
        events(&work, name, *count);
    }
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    work
}

#[test]
fn a_table_without_logs_in_the_input_is_not_touched() {
    let work = both_tables();
    let of_access = |work: &Workdir| work.files("lake/s3_access");
    let before = of_access(&work);
    for command in COMMANDS.iter().filter(|command| command[0] != "status") {
        let outcome = work.logmill(*command).args(["--input", "raw/AWSLogs", "--output", "lake"]).exits(0);
        let outside = " logs outside the folders of other services (pass --dataset";
        outcome.says(&["info: not built: the inputs hold no s3-access, alb-access, ", outside]);
        assert_eq!(outcome.stderr.matches("not built").count(), 1, "one message for all: {outcome}");
        assert!(outcome.stdout.contains("cloudtrail"), "{outcome}");
        assert!(!outcome.stdout.contains("s3_access"), "{outcome}");
        assert_eq!(of_access(&work), before, "{command:?}");
    }
    let records = fs::read_dir(work.path("lake/_runs/s3_access/proc_ymd=20231101")).unwrap();
    let records = records.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "json");
    assert_eq!(records.count(), 1, "no other run should have built the other table");
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw/AWSLogs", "--format", "json"]).exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let tables: Vec<_> = plan["tables"].as_array().unwrap().iter().map(|table| &table["table"]).collect();
    assert_eq!(tables, ["cloudtrail"]);
    let run = || work.logmill(["run", "--day", DAY, "--input", "raw/AWSLogs", "--output", "lake"]);
    assert_eq!(run().args(["--quiet"]).exits(0).stderr, "");
    let messages = run().args(["--log-format", "json"]).exits(0).stderr;
    let event: Value = serde_json::from_str(messages.lines().next().unwrap()).unwrap();
    let field = |name: &str| event[name].as_str().unwrap_or_default();
    assert_eq!(["level", "event"].map(field), ["info", "not_built"]);
    let others = || dataset::all().filter(|dataset| dataset.name() != "cloudtrail");
    assert_eq!(event["tables"], others().map(Dataset::default_table).collect::<Value>());
    assert_eq!(event["datasets"], others().map(Dataset::name).collect::<Value>());
    assert!(field("why").starts_with("the inputs hold no s3-access, alb-access, "), "{event}");
}

#[test]
fn the_summary_lists_tables_that_are_not_built() {
    for command in COMMANDS.iter().filter(|command| command[0] != "status" && !command.contains(&"--dry-run"))
    {
        let work = both_tables();
        let summary = |input: &str| -> Value {
            let of = ["--input", input, "--output", "lake", "--summary-json", "-"];
            serde_json::from_str(&work.logmill(*command).args(of).exits(0).stdout).unwrap()
        };
        let all_but = |built: &[&str]| -> Value {
            let left = dataset::all().filter(|dataset| !built.contains(&dataset.name()));
            let outside = "outside the folders of other services";
            let why = |name: &str| format!("the inputs hold no {name} logs {outside}");
            let each = |dataset: &dyn Dataset| {
                let name = dataset.name();
                json!({"table": dataset.default_table(), "dataset": name, "why": why(name)})
            };
            left.map(each).collect()
        };
        assert_eq!(summary("raw/AWSLogs")["not_built"], all_but(&["cloudtrail"]), "{command:?}");
        assert_eq!(summary("raw")["not_built"], all_but(&["cloudtrail", "s3-access"]), "{command:?}");
        assert_eq!(summary("raw")["other_services"], json!([]), "{command:?}");
    }
}

#[test]
fn status_shows_every_table_of_the_lake() {
    let work = both_tables();
    let status = |lake: &str, day: &str| {
        let days = ["status", "--from", day, "--to", day, "--check"];
        work.logmill(days).args(["--input", "raw/AWSLogs", "--output", lake])
    };
    // A run over the same input as the status, so that the input does not count as changed.
    work.logmill(["run", "--day", DAY, "--input", "raw/AWSLogs", "--output", "lake"]).exits(0);
    let known = status("lake", DAY).exits(0);
    known.prints(&["cloudtrail: KST days", "s3_access: KST days"]);
    assert!(!known.stderr.contains("s3-access"), "{known}");
    // A day that was never built is missing.
    let run = work.logmill(["run", "--day", "2023-11-02", "--input", "raw/AWSLogs", "--output", "lake"]);
    run.exits(0);
    status("lake", "2023-11-02").exits(4).prints(&["s3_access: KST days", "1 missing"]);
    // Without the table in the lake, it is skipped, and no message mentions publishing.
    let other = ["run", "--day", DAY, "--input", "raw/AWSLogs", "--output", "other"];
    work.logmill(other).exits(0);
    let plan = ["plan", "--day", DAY, "--input", "raw/AWSLogs"];
    for unknown in [status("other", DAY).exits(0), work.logmill(plan).exits(0)] {
        unknown.says(&["not built: the inputs hold no s3-access, ", "pass --dataset to include one"]);
        assert!(!unknown.stderr.contains("publish"), "{unknown}");
        assert!(!unknown.stdout.contains("s3_access"), "{unknown}");
    }
    fs::create_dir(work.path("not-mounted")).unwrap();
    let plan = work.logmill(["plan", "--day", DAY, "--input", "not-mounted"]).exits(4);
    assert!(!plan.stderr.contains("publish"), "{plan}");
}

/// Whether a table is skipped depends on its log type, not on the day.
#[test]
fn a_day_without_logs_of_a_known_type_is_published_as_empty() {
    let work = Workdir::new();
    events(&work, "a", 1);
    work.access("A", format!("{}\n", AccessLine::of("ID")));
    let run = work.logmill(["run", "--day", "2023-09-01", "--input", "raw", "--output", "lake"]);
    let summary = run.finishes(0).summary;
    let rows: Vec<_> = summary["tables"].as_array().unwrap().iter().map(|table| &table["written"]).collect();
    assert_eq!(rows, [0, 0]);
}

#[test]
fn a_named_log_type_is_built_even_without_logs() {
    let access = "[[source]]\ndataset = \"s3-access\"\ninput = \"raw/AWSLogs\"\n";
    let (flags, variable): (&[&str], &[(&str, &str)]) = (&[], &[]);
    for (options, environment, file) in [
        (&["--dataset", "s3-access", "--input", "raw/AWSLogs"][..], variable, ""),
        (&["--input", "raw/AWSLogs"], &[("LOGMILL_DATASET", "s3-access")][..], ""),
        (flags, variable, access),
    ] {
        let work = Workdir::new();
        events(&work, "a", 1);
        if !file.is_empty() {
            work.write("logmill.toml", file);
        }
        let run = work.logmill(["run", "--day", DAY, "--output", "lake"]).args(options);
        let run = environment.iter().fold(run, |run, (name, value)| run.env(name, value));
        assert_eq!(run.publishes(Table::ACCESS).ledger(), [0; 5], "{options:?} {environment:?} {file}");
    }
}

#[test]
fn an_input_without_logs_changes_nothing() {
    let work = both_tables();
    work.write("wrong/photo.jpg", "no log");
    fs::create_dir(work.path("not-mounted")).unwrap();
    let before = work.files("lake");
    for input in ["wrong", "not-mounted"] {
        for command in COMMANDS {
            let outcome = work.logmill(command).args(["--input", input, "--output", "lake"]).exits(4);
            outcome.says(&[
                "the inputs hold no logs of a known log type: nothing was changed",
                &format!("inputs: {input}, log_types: cloudtrail, s3-access, "),
                "tables: cloudtrail, s3_access)",
                "hint:",
            ]);
            assert_eq!(outcome.stderr.matches("hint:").count(), 1, "one error for both tables: {outcome}");
            assert_eq!(work.files("lake"), before, "{command:?}");
        }
        let plan = work.logmill(["plan", "--day", DAY, "--input", input, "--plan", "plan.json"]);
        plan.exits(4).says(&["the inputs hold no logs of a known log type"]);
        assert!(!work.path("plan.json").exists());
    }
}

#[test]
fn a_day_with_rows_is_emptied_only_with_allow_empty() {
    let work = both_tables();
    fs::create_dir(work.path("not-mounted")).unwrap();
    let before = work.published();
    let all = ["--from", DAY, "--to", DAY, "--only", "all"];
    for dataset in ["cloudtrail", "s3-access"] {
        let options = ["--input", "not-mounted", "--output", "lake", "--dataset", dataset];
        let run = work.logmill(["run", "--day", DAY]).args(options).args(["--max-shrink", "100%"]);
        run.exits(4).says(&["would become empty", "rows_now: 0", "--allow-empty"]);
        let lookback = work.logmill(["run", "--day", DAY, "--lookback", "1d"]).args(options);
        lookback.exits(4).says(&["would become empty"]);
        let backfill = work.logmill(["backfill"]).args(all).args(options).exits(4);
        backfill.says(&["rows_published:", "rows_now: 0"]);
        assert_eq!(work.published(), before);
        work.assert_no_debris("lake");
    }
    let status = ["status", "--from", DAY, "--to", DAY, "--format", "json", "--output", "lake"];
    let status = work.logmill(status).args(["--input", "raw", "--dataset", "cloudtrail"]).exits(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["state"], "failed", "the refusal should be recorded");
    assert!(status["error"].as_str().unwrap().contains("rows_published: 3"), "{status}");
    for (table, allowed) in [(Table::CLOUDTRAIL, "flag"), (Table::ACCESS, "variable")] {
        let run = work.logmill(["run", "--day", DAY, "--input", "not-mounted", "--output", "lake"]).of(table);
        let run = match allowed {
            "flag" => run.args(["--allow-empty"]),
            _ => run.env("LOGMILL_ALLOW_EMPTY", "true"),
        };
        assert_eq!(run.publishes(table).ledger(), [0; 5]);
    }
}

#[test]
fn a_day_loses_most_of_its_rows_only_with_max_shrink() {
    let work = trail(&[("a", 10)]);
    let before = work.published();
    events(&work, "a", 4);
    let refused = work.run(Table::CLOUDTRAIL).exits(4);
    refused.says(&[
        "lose too many",
        "rows_published: 10",
        "rows_now: 4",
        "60.00 %",
        "50.00 %",
        "--max-shrink",
    ]);
    work.run(Table::CLOUDTRAIL).args(["--max-shrink", "0.59", "--allow-empty"]).exits(4);
    let all = ["backfill", "--from", DAY, "--to", DAY, "--only", "all", "--input", "raw", "--output", "lake"];
    work.logmill(all).of(Table::CLOUDTRAIL).exits(4).says(&["rows_now: 4"]);
    assert_eq!(work.published(), before);
    work.assert_no_debris("lake");
    for (count, options, file) in
        [(5, &[][..], ""), (2, &["--max-shrink", "60%"], ""), (1, &[], "max_shrink = 1\n")]
    {
        work.write("logmill.toml", file);
        events(&work, "a", count);
        let day = work.run(Table::CLOUDTRAIL).args(options).publishes(Table::CLOUDTRAIL);
        assert_eq!(day.ledger()[1], count as u64);
    }
}

#[test]
fn rows_of_deleted_objects_and_filtered_rows_do_not_count_as_lost() {
    let work = trail(&[("a", 5), ("b", 6), ("c", 2)]);
    fs::remove_file(work.path(&key_of_cloudtrail("a", "20231101T0310Z"))).unwrap();
    fs::remove_file(work.path(&key_of_cloudtrail("b", "20231101T0310Z"))).unwrap();
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.ledger()[1], 2);
    let filter = ["--filter", "event_id = 'c0'", "--max-shrink", "0"];
    assert_eq!(work.run(Table::CLOUDTRAIL).args(filter).publishes(Table::CLOUDTRAIL).ledger()[1], 1);
    // Any other lost rows count.
    let more = trail(&[("a", 9), ("b", 10)]);
    fs::remove_file(more.path(&key_of_cloudtrail("a", "20231101T0310Z"))).unwrap();
    events(&more, "b", 0);
    more.cloudtrail("b", document([event("b0", json!({}))]));
    let options = ["--filter", "event_id = 'x'", "--max-shrink", "40%"];
    more.run(Table::CLOUDTRAIL).args(options).exits(4).says(&["explained: 9", "rows_now: 1", "47.37 %"]);
}

#[test]
fn objects_of_another_folder_do_not_count_as_deleted() {
    let work = trail(&[("a", 10)]);
    let key = key_of_cloudtrail("other", "20231101T0310Z");
    work.write(&key.replace("raw/", "wrong/"), document([event("x", json!({}))]));
    let run = |input: &str| {
        work.logmill(["run", "--day", DAY, "--output", "lake", "--input", input]).of(Table::CLOUDTRAIL)
    };
    run("wrong").exits(4).says(&["rows_published: 10", "rows_now: 1", "explained: 0"]);
    // The folder was moved, and one of its objects was deleted.
    events(&work, "b", 1);
    work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    fs::remove_file(work.path(&key_of_cloudtrail("a", "20231101T0310Z"))).unwrap();
    fs::rename(work.path("raw"), work.path("moved")).unwrap();
    assert_eq!(run("moved").publishes(Table::CLOUDTRAIL).ledger()[1], 1);
}

#[test]
fn newly_rejected_rows_count_as_lost() {
    let work = trail(&[("a", 10)]);
    let before = work.published();
    let records = (0..10).map(|number| {
        if number < 4 {
            event(&format!("a{number}"), json!({})).to_string()
        } else {
            format!("\"bad {number}\"")
        }
    });
    work.cloudtrail("a", document(records));
    let refused = work.run(Table::CLOUDTRAIL).allow_rejects().exits(4);
    refused.says(&["rows_published: 10", "rows_now: 4"]);
    assert_eq!(work.published(), before);
    // The rejected rows are kept, and the run record names their file.
    let records = work.files("lake/_runs/cloudtrail/proc_ymd=20231101").into_keys();
    let records = records.map(|name| work.path("lake/_runs/cloudtrail/proc_ymd=20231101").join(name));
    let records = records.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let records = records.map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
    let failed: Vec<Value> = records.filter(|record| record["outcome"] == "failed").collect();
    let [failed] = &failed[..] else { panic!("{failed:?}") };
    let quarantine = work.path(failed["quarantine"].as_str().unwrap_or_default());
    let lines = fs::read_to_string(&quarantine).unwrap();
    assert_eq!((lines.lines().count(), &failed["ledger"]["quarantined"]), (6, &json!(6)));
    work.assert_no_debris("lake");
}

/// A warning about the possible cause precedes the refusal.
#[test]
fn a_refused_day_reports_damaged_inputs() {
    for ratio in ["0", "1"] {
        let work = trail(&[("a", 10)]);
        let whole = gz(document((0..2000).map(|number| event(&format!("a{number}"), json!({})))));
        work.cloudtrail("a", &whole[..60]);
        let refused = work.run(Table::CLOUDTRAIL).args(["--max-reject-ratio", ratio]).wait();
        refused.says(&["warn: damaged object: kept the readable rows", "not published"]);
    }
}

#[test]
fn publishing_shards_also_keeps_the_rows_of_a_day() {
    let work = trail(&[("a", 10)]);
    let before = work.published();
    let shared = |name: &str| {
        let (plan, staging) = (format!("{name}.json"), format!("{name}-shards"));
        let of = ["--plan", plan.as_str(), "--staging", staging.as_str()].map(str::to_owned);
        let planned = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
        planned.args(["--plan", plan.as_str()]).exits(0);
        work.logmill(["convert", "--shard", "0"]).args(&of).exits(0);
        of
    };
    events(&work, "a", 1);
    let of = shared("shrunk");
    let publish = |of: &[String; 4]| work.logmill(["publish", "--output", "lake"]).args(of);
    publish(&of).exits(4).says(&["rows_published: 10", "rows_now: 1"]);
    fs::remove_file(work.path(&key_of_cloudtrail("a", "20231101T0310Z"))).unwrap();
    let empty = shared("emptied");
    publish(&empty).exits(4).says(&["rows_published: 10", "rows_now: 0"]);
    assert_eq!(work.published(), before);
    assert_eq!(publish(&of).args(["--max-shrink", "1"]).publishes(Table::CLOUDTRAIL).ledger()[1], 1);
    let emptied = publish(&empty).args(["--allow-empty"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(emptied.ledger(), [0; 5]);
}

/// The number of rows is unknown, so the day is not replaced until the manifest is removed by hand.
#[test]
fn a_day_whose_manifest_cannot_be_read_is_not_replaced() {
    let work = trail(&[("a", 10)]);
    let manifest = work.manifest_path(Table::CLOUDTRAIL);
    fs::write(&manifest, "{").unwrap();
    let before = work.published();
    for options in [&[][..], &["--allow-empty", "--max-shrink", "1"]] {
        let run = work.run(Table::CLOUDTRAIL).args(options).exits(4);
        run.says(&["cannot read the manifest", "_manifests/cloudtrail/proc_ymd=20231101.json", "hint:"]);
        assert_eq!(work.published(), before);
    }
}

/// The list cannot explain lost rows, but a day that loses no rows does not need it.
#[test]
fn an_unreadable_list_of_inputs_stops_only_a_shrinking_day() {
    let work = trail(&[("a", 10)]);
    let damage = || {
        let manifest = fs::read(work.manifest_path(Table::CLOUDTRAIL)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        fs::write(work.inputs_path(Table::CLOUDTRAIL, text(&manifest["run"])), "no gzip").unwrap();
    };
    damage();
    assert_eq!(work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL).ledger()[1], 10);
    damage();
    events(&work, "a", 1);
    work.run(Table::CLOUDTRAIL).exits(4).says(&["rows_published: 10", "rows_now: 1"]);
    let day = work.run(Table::CLOUDTRAIL).args(["--max-shrink", "1"]).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.ledger()[1], 1);
}

#[test]
fn the_folder_of_one_utc_date_is_only_part_of_a_kst_day() {
    let work = both_tables();
    let region = "raw/AWSLogs/123456789012/CloudTrail/ap-northeast-2";
    let (own, other) = (format!("{region}/2023/11/01"), format!("{region}/2023/10/31"));
    let warning = "a KST day needs two";
    for command in COMMANDS {
        let outcome = work.logmill(command).args(["--input", own.as_str(), "--output", "lake"]).exits(0);
        outcome.says(&[warning, "also_needed=", &other]);
        assert_eq!(outcome.stderr.matches(warning).count(), 1, "{outcome}");
    }
    let plan = work.logmill(["plan", "--day", DAY, "--input", own.as_str()]).exits(0);
    plan.says(&[warning, &format!("also_needed={other}")]);
    fs::create_dir_all(work.path(&other)).unwrap();
    let month = work.logmill(["plan", "--day", DAY, "--input", &format!("{region}/2023/11")]).exits(0);
    month.says(&["the folder of one UTC month", &format!("also_needed={region}/2023/10")]);
    for inputs in [&["--input", own.as_str(), "--input", other.as_str()][..], &["--input", "raw"]] {
        let outcome = work.logmill(["run", "--day", DAY, "--output", "lake"]).args(inputs).exits(0);
        assert!(!outcome.stderr.contains(warning), "{outcome}");
    }
}

#[test]
fn objects_below_an_unmounted_folder_do_not_count_as_deleted() {
    let work = trail(&[("a", 1)]);
    let other = key_of_cloudtrail("b", "20231101T0310Z").replace("123456789012", "444455556666");
    let many = document((0..9).map(|number| event(&format!("b{number}"), json!({}))));
    work.write(&other, many);
    assert_eq!(work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL).ledger()[1], 10);
    fs::remove_dir_all(work.path("raw/AWSLogs/444455556666")).unwrap();
    let refused = work.run(Table::CLOUDTRAIL).exits(4);
    refused.says(&["rows_published: 10", "rows_now: 1", "explained: 0"]);
}

/// Broken links are still listed and their targets may return, so their rows count as lost.
#[test]
fn broken_links_do_not_count_as_deleted() {
    for is_export in [false, true] {
        let work = Workdir::new();
        for name in ["a", "b", "c", "d"] {
            let stored = work.write(
                &format!("store/{name}"),
                document((0..5).map(|number| event(&format!("{name}{number}"), json!({})))),
            );
            let named = key_of_cloudtrail(name, "20231101T0310Z");
            let link = work.write(&if is_export { format!("raw/{name}.json") } else { named }, "");
            fs::remove_file(&link).unwrap();
            std::os::unix::fs::symlink(stored, &link).unwrap();
        }
        assert_eq!(work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL).ledger()[1], 20);
        let before = work.published();
        for name in ["b", "c", "d"] {
            fs::remove_file(work.path(&format!("store/{name}"))).unwrap();
        }
        for command in
            COMMANDS.iter().filter(|command| !command.contains(&"--dry-run") && command[0] != "status")
        {
            let refused = work.logmill(*command).args(["--input", "raw", "--output", "lake"]);
            let refused = refused.of(Table::CLOUDTRAIL).exits(4);
            refused.says(&["rows_published: 20", "rows_now: 5", "explained: 0", "a link that leads nowhere"]);
            assert_eq!(work.published(), before);
        }
    }
}

#[test]
fn a_small_loss_is_a_warning_with_both_numbers() {
    let work = trail(&[("a", 6), ("b", 4)]);
    fs::remove_file(work.path(&key_of_cloudtrail("b", "20231101T0310Z"))).unwrap();
    let smaller = work.run(Table::CLOUDTRAIL).exits(0);
    smaller.says(&["fewer rows than the published one", "rows_published=10 rows_now=6 explained=4"]);
}

#[test]
fn a_table_keeps_its_log_type() {
    let work = both_tables();
    let before = work.published();
    let run = ["run", "--day", DAY, "--dataset", "s3-access", "--table", "cloudtrail"];
    let run = work.logmill(run).args(["--input", "raw", "--output", "lake", "--max-shrink", "1"]);
    run.exits(4).says(&["the table holds another log type", "published: cloudtrail", "now: s3-access"]);
    assert_eq!(work.published(), before);
}

#[test]
fn a_run_with_lookback_names_the_days_that_it_keeps_in_text_and_json() {
    let work = trail(&[("a", 2), ("b", 1)]);
    fs::remove_file(work.path(&key_of_cloudtrail("a", "20231101T0310Z"))).unwrap();
    events(&work, "late", 1);
    let run = || {
        let run = ["run", "--day", "2023-11-02", "--lookback", "1d", "--input", "raw", "--output", "lake"];
        work.logmill(run).of(Table::CLOUDTRAIL)
    };
    let text = run().exits(0);
    text.prints(&["\n1 earlier table-day not rebuilt because raw objects were deleted\n"]);
    assert!(!text.stdout.contains("Earlier days rebuilt"), "{text}");
    let summary: Value = serde_json::from_str(&run().args(["--summary-json", "-"]).exits(0).stdout).unwrap();
    assert_eq!(
        summary["kept"],
        json!([{"day": DAY, "table": "cloudtrail", "state": "stale", "objects_gone": 1}])
    );
    assert_eq!(summary["rebuilt"], Value::Null);
}

#[test]
fn a_run_with_lookback_describes_rebuilt_days_in_text_and_json() {
    let work = trail(&[("a", 2)]);
    work.cloudtrail("late", document([event("late", json!({})).to_string(), "7".to_owned()]));
    let run = ["run", "--day", "2023-11-02", "--lookback", "1d", "--input", "raw", "--output", "lake"];
    let run =
        work.logmill(run).of(Table::CLOUDTRAIL).allow_rejects().args(["--summary-json", "summary.json"]);
    run.exits(0).prints(&[
        "Earlier days rebuilt for objects that arrived after publication:",
        "\n2023-11-01 cloudtrail: 1 rejected row in lake/_quarantine/cloudtrail/proc_ymd=20231101/",
    ]);
    let summary: Value = serde_json::from_slice(&fs::read(work.path("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["rebuilt"][0]["day"], DAY);
    assert_eq!(summary["rebuilt"][0]["tables"][0]["quarantined"], 1);
    assert_eq!(summary["kept"], Value::Null);
}

/// The days of a table show which inputs it was built from. A narrower input, or another one, does not concern it.
#[test]
fn a_log_type_that_disappears_from_its_inputs_is_published_as_empty() {
    let work = both_tables();
    fs::remove_dir_all(work.path("raw/access")).unwrap();
    let run =
        |day: &str, input: &str| work.logmill(["run", "--day", day, "--input", input, "--output", "lake"]);
    let tables = |summary: &Value| -> Vec<(String, Value)> {
        let of = |table: &Value| (table["table"].as_str().unwrap().to_owned(), table["written"].clone());
        summary["tables"].as_array().unwrap().iter().map(of).collect()
    };
    let of_trail = ("cloudtrail".to_owned(), json!(0));
    assert_eq!(
        tables(&run("2023-11-09", "raw/AWSLogs").finishes(0).summary),
        std::slice::from_ref(&of_trail)
    );
    // The newest day of CloudTrail comes from the narrower input now, which lies in this one.
    let both = [of_trail, ("s3_access".to_owned(), json!(0))];
    assert_eq!(tables(&run("2023-11-10", "raw").finishes(0).summary), both);
    // The day with rows keeps them.
    run(DAY, "raw").exits(5).says(&["would become empty", "table: s3_access"]);
    let again = run("2023-11-10", "raw").exits(0);
    assert!(!again.stderr.contains("s3-access"), "{again}");
}

#[test]
fn services_that_no_table_reads_are_named() {
    let work = Workdir::new();
    events(&work, "a", 1);
    for account in ["111122223333", "444455556666"] {
        work.write(&format!("raw/AWSLogs/{account}/GuardDuty/us-east-1/2023/11/01/x.jsonl.gz"), "");
    }
    let run = work.logmill(["run", "--day", DAY, "--input", "raw", "--output", "lake"]);
    let finished = run.finishes(0);
    let first = "raw/AWSLogs/111122223333/GuardDuty/";
    let expected = json!([{"service": "GuardDuty", "folders": 2, "objects": 0, "first": first}]);
    assert_eq!(finished.summary["other_services"], expected);
    let backfill = ["backfill", "--day", DAY, "--only", "all", "--input", "raw", "--output", "lake"];
    work.logmill(backfill)
        .exits(0)
        .prints(&[&format!("GuardDuty: left out, because no table reads it (2 folders; {first})")]);
}

/// A source without a log type stands for all log types that no other source names.
#[test]
fn a_source_without_a_log_type_gives_a_table_for_each_that_its_inputs_hold() {
    let work = both_tables();
    fs::rename(work.path("raw/access"), work.path("access")).unwrap();
    work.write(
        "logmill.toml",
        "[[source]]\ninput = \"raw\"\n\n[[source]]\ndataset = \"s3-access\"\ninput = \"access\"\ntable = \"web\"\n",
    );
    let plan = work.logmill(["plan", "--day", DAY, "--format", "json"]).exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let table = |table: &Value| (table["table"].clone(), table["objects"].as_array().unwrap().len());
    let tables: Vec<_> = plan["tables"].as_array().unwrap().iter().map(table).collect();
    assert_eq!(tables, [(json!("cloudtrail"), 1), (json!("web"), 1)]);
    for (key, value) in [("table", "\"web\""), ("promote", "[{ column = \"a\", path = \"b\" }]")] {
        work.write("logmill.toml", format!("[[source]]\ninput = \"raw\"\n{key} = {value}\n"));
        let refused = work.logmill(["plan", "--day", DAY]).exits(2);
        refused
            .says(&[&format!("a source with '{key}' has no 'dataset'"), "add one of cloudtrail, s3-access"]);
    }
}

/// A user's prefix can look like the folders in which S3 delivers, with a year in it.
#[test]
fn a_year_in_the_prefix_of_a_user_hides_no_log() {
    let work = Workdir::new();
    let folder = "raw/123456789012/ap-northeast-2/web/2019/x";
    work.write(&format!("{folder}/2023-11-01-03-10-00-A"), format!("{}\n", AccessLine::of("ID")));
    assert_eq!(work.run(Table::ACCESS).publishes(Table::ACCESS).values("request_id"), ["ID"]);
}
