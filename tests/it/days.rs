//! Which events belong to a day, and which objects are read for it.

use serde_json::json;

use crate::harness::{AccessLine, Table, Workdir, document, event, gz};

#[test]
fn an_event_belongs_to_the_korean_day_in_which_it_happened() {
    let work = Workdir::new();
    let at = |id: &str, time: &str| event(id, json!({"eventTime": time}));
    work.cloudtrail(
        "a",
        gz(document([
            at("last of the day before", "2023-10-31T14:59:59.999Z"),
            at("first", "2023-10-31T15:00:00Z"),
            at("last", "2023-11-01T14:59:59.999Z"),
            at("first of the day after", "2023-11-01T15:00:00Z"),
            at("with an offset", "2023-11-01T00:00:00+09:00"),
            at("with an offset, the day before", "2023-10-31T23:59:59.999+09:00"),
        ])),
    );
    let day = work.run(Table::CLOUDTRAIL).publishes(Table::CLOUDTRAIL);
    assert_eq!(day.values("event_id"), ["first", "last", "with an offset"]);
    assert_eq!(day.ledger(), [6, 3, 3, 0, 0]);
    let last = day.row("event_id", "last");
    assert_eq!(last["event_time"], "2023-11-01T14:59:59.999");
    assert_eq!(last["event_time_kst"], "2023-11-01T23:59:59.999");
}

#[test]
fn a_request_belongs_to_the_korean_day_in_which_it_was_received() {
    let work = Workdir::new();
    let lines = [
        ("BEFORE", "31/Oct/2023:14:59:59 +0000"),
        ("FIRST", "31/Oct/2023:15:00:00 +0000"),
        ("LAST", "01/Nov/2023:14:59:59 +0000"),
        ("AFTER", "01/Nov/2023:15:00:00 +0000"),
        ("OFFSET", "01/Nov/2023:00:00:00 +0900"),
    ]
    .map(|(request_id, time)| AccessLine { time, ..AccessLine::of(request_id) }.to_string());
    work.access("A", lines.join("\n") + "\n");
    let day = work.run(Table::ACCESS).publishes(Table::ACCESS);
    assert_eq!(day.values("request_id"), ["FIRST", "LAST", "OFFSET"]);
    assert_eq!(day.ledger(), [5, 3, 2, 0, 0]);
}
