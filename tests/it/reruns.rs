//! The same inputs give the same files, byte for byte, for any threads, memory and shards.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{AccessLine, DAY, Day, Table, Workdir, document, event, gz};

/// One event of a busy day, with identifiers that compress poorly.
fn busy_event(id: usize, number: usize, random: &mut fastrand::Rng) -> Value {
    let day = if number % 100 == 13 { 30 } else { 31 };
    let (hour, minute, second) = (15 + number % 9, random.u32(0..60), random.u32(0..60));
    let noise = |random: &mut fastrand::Rng| format!("{:032x}{:032x}", random.u128(..), random.u128(..));
    let overrides = json!({
        "eventTime": format!("2023-10-{day}T{hour}:{minute:02}:{second:02}Z"),
        "eventSource": format!("service-{}.amazonaws.com", number % 7),
        "eventName": format!("Call{}", number % 31),
        "sourceIPAddress": format!("10.0.{}.{}", random.u8(..), random.u8(..)),
        "requestID": format!("{:016X}", random.u64(..)),
        "requestParameters": {"bucketName": "results", "key": noise(random), "body": noise(random)},
        "responseElements": {"x-amz-id-2": noise(random), "x-amz-version-id": noise(random)},
    });
    event(&format!("id-{id:08x}"), overrides)
}

/// Writes objects with one bad record each. One event in fifty repeats an event of another object, and one in a hundred is
/// of another day.
fn write_events(work: &Workdir, objects: usize, records: usize) {
    for object in 0..objects {
        let mut random = fastrand::Rng::with_seed(object as u64);
        let record = |number: usize| {
            let id = if number % 50 == 7 { number } else { object * records + number };
            busy_event(id, number, &mut random).to_string()
        };
        let records = (0..records).map(record).chain(["\"bad\"".to_owned()]);
        work.cloudtrail(&format!("{object:03}"), gz(document(records)));
    }
}

/// Publishes the day into the given lake.
fn publish(work: &Workdir, lake: &str, options: &[&str]) -> Day {
    let run = work.logmill(["run", "--day", DAY, "--input", "raw", "--output", lake]).of(Table::CLOUDTRAIL);
    run.args(options).publishes(Table::CLOUDTRAIL)
}

fn assert_same(day: &Day, other: &Day, variant: &str) {
    assert_eq!(day.ledger(), other.ledger(), "the ledger with {variant}");
    assert_eq!(day.inputs(), other.inputs(), "the inputs with {variant}");
    assert_eq!(day.quarantine(), other.quarantine(), "the quarantine with {variant}");
    let digests = |day: &Day| -> BTreeMap<String, usize> {
        day.parts().into_iter().map(|(name, bytes)| (name, bytes.len())).collect()
    };
    assert_eq!(digests(day), digests(other), "the sizes of the part files with {variant}");
    assert!(day.parts() == other.parts(), "the part files should be the same, byte for byte, with {variant}");
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let work = Workdir::new();
    write_events(&work, 12, 500);
    let one = publish(&work, "lake-1", &["--threads", "1"]);
    assert_eq!(one.ledger(), [6012, 5830, 60, 110, 12]);
    for threads in ["2", "5"] {
        let more = publish(&work, &format!("lake-{threads}"), &["--threads", threads]);
        assert_same(&one, &more, &format!("{threads} threads"));
    }
    assert_same(&one, &publish(&work, "lake-5", &["--threads", "3"]), "an old day in the lake");
}

/// With 64 MiB of memory, 16 MiB of rows can wait in memory. The rest of these 60 MB is spilled, in more runs than one merge
/// can hold.
#[test]
fn the_memory_limit_does_not_change_a_byte() {
    let work = Workdir::new();
    write_events(&work, 30, 2000);
    let much = publish(&work, "lake-much", &["--memory", "1GiB"]);
    let little = publish(&work, "lake-little", &["--memory", "64MiB", "--threads", "5"]);
    assert!(little.ledger()[0] > 60_000);
    assert_same(&much, &little, "64 MiB");
}

#[test]
fn a_sharded_day_equals_the_day_of_one_run() {
    let work = Workdir::new();
    write_events(&work, 12, 300);
    let whole = publish(&work, "lake-whole", &[]);
    let plan = work.logmill(["plan", "--day", DAY, "--input", "raw", "--dataset", "cloudtrail"]);
    let plan = plan.args(["--shards", "3", "--format", "json"]).exits(0);
    work.write("plan.json", plan.stdout);
    // Shards are converted in any order, and one of them twice.
    for shard in ["2", "0", "1", "0"] {
        let convert =
            work.logmill(["convert", "--plan", "plan.json", "--staging", "staging", "--shard", shard]);
        convert.exits(0);
    }
    for round in ["first", "second"] {
        let publish = work.logmill(["publish", "--plan", "plan.json", "--staging", "staging"]);
        let sharded = publish.args(["--output", "lake-sharded"]).publishes(Table::CLOUDTRAIL);
        assert_same(&whole, &sharded, &format!("three shards, published for the {round} time"));
    }
}

#[test]
fn access_logs_give_the_same_files_on_any_threads() {
    let work = Workdir::new();
    for object in 0..6 {
        let lines = (0..400).map(|number| {
            let id = format!("{object}R{}", number % 390);
            let line = AccessLine {
                time: &format!("01/Nov/2023:0{}:{:02}:00 +0000", number % 7, number % 60),
                ..AccessLine::of(&id)
            };
            if number == 5 { "torn\n".to_owned() } else { format!("{line}\n") }
        });
        work.access(&format!("{object}"), lines.collect::<String>());
    }
    let run = |lake: &str, threads: &str| {
        let run =
            work.logmill(["run", "--day", DAY, "--input", "raw", "--output", lake, "--threads", threads]);
        run.of(Table::ACCESS).publishes(Table::ACCESS)
    };
    let one = run("lake-1", "1");
    assert_eq!(one.ledger()[4], 6);
    for threads in ["2", "4"] {
        assert_same(&one, &run(&format!("lake-{threads}"), threads), &format!("{threads} threads"));
    }
}

/// Writes lines whose referers alone fill pages. A batch from one object has either no nulls or only nulls in `referer`,
/// `bytes_sent` and other columns. A batch from all objects has both.
fn write_full_and_bare_lines(work: &Workdir) {
    let user_agent = "a".repeat(500);
    for object in 0..12_u64 {
        let (mut random, bare) = (fastrand::Rng::with_seed(object), object % 6 == 5);
        let lines = (0..2600).map(|number| {
            let id = format!("{object}R{number}");
            let time = format!("01/Nov/2023:0{}:{:02}:{:02} +0000", number % 7, number % 60, number % 49);
            let referer: String =
                (0..6).fold(String::new(), |text, _| text + &format!("{:032x}", random.u128(..)));
            let (operation, referer) =
                if bare { ("REST.PUT.OBJECT", "-") } else { ("REST.GET.OBJECT", referer.as_str()) };
            let line = AccessLine {
                time: &time,
                operation,
                referer,
                user_agent: &user_agent,
                ..AccessLine::of(&id)
            };
            let line = format!("{line}\n");
            if bare { line.replace(" 113 113 7 6 ", " - - 7 - ") } else { line }
        });
        work.access(&format!("{object:02}"), lines.collect::<String>());
    }
}

/// The Parquet writer splits pages of many rows differently if a column has a null mask.
#[test]
fn nulls_per_batch_do_not_change_a_byte() {
    let work = Workdir::new();
    write_full_and_bare_lines(&work);
    let run = |threads: &str, memory: &str| {
        let lake = format!("lake-{threads}-{memory}");
        let run = work.logmill(["run", "--day", DAY, "--input", "raw", "--output", &lake]).of(Table::ACCESS);
        run.args(["--threads", threads, "--memory", memory]).publishes(Table::ACCESS)
    };
    let one = run("1", "2GiB");
    assert_eq!(one.ledger(), [31_200, 31_200, 0, 0, 0]);
    for (threads, memory) in [("2", "512MiB"), ("4", "2GiB"), ("4", "64MiB")] {
        assert_same(&one, &run(threads, memory), &format!("{threads} threads and {memory}"));
    }
}

#[test]
fn small_part_files_are_ordered_and_the_same_on_every_run() {
    let work = Workdir::new();
    for object in 0..4 {
        let record = |number: usize| {
            let time = format!("2023-11-01T0{}:00:{:02}Z", number % 6, number % 60);
            let overrides = json!({"eventTime": time, "eventName": format!("Call{}", number % 9)});
            event(&format!("{object}-{number}"), overrides)
        };
        let records = (0..300).map(record);
        work.cloudtrail(&format!("{object}"), gz(document(records)));
    }
    let options = |threads: &'static str| ["--target-file-size", "1KiB", "--threads", threads];
    let one = publish(&work, "lake-1", &options("1"));
    assert_same(&one, &publish(&work, "lake-4", &options("4")), "4 threads");
    let rows = one.rows();
    let key = |row: &crate::harness::Row| {
        ["event_source", "event_name", "event_time", "source_object"]
            .map(|column| row[column].as_str().unwrap().to_owned())
    };
    assert!(rows.is_sorted_by_key(key), "rows should be in the promised order");
}
