//! Compares the rejected rows that are kept, for any distribution over workers, with a slow twin that sorts them all.

use proptest::prelude::*;

use super::*;
use crate::dataset::named;
use crate::rules::RedactRules;
use crate::table::Naming;

/// A row about a record of an object, or about the object as a whole.
fn rejection(object: u32, record: u32, reason: &'static str, raw_bytes: usize) -> Rejection {
    let raw = Some(vec![b'x'; raw_bytes]);
    Rejection { position: Position { object, record }, reason, detail: String::new(), raw, raw_bytes }
}

/// What workers write for rows that arrive object by object, with each object given to one worker.
fn found(rows: &[Rejection], workers: usize, max_bytes: u64, folder: &Path) -> Vec<Quarantine> {
    let room = SharedRoom::new(max_bytes);
    let path = |worker: usize| folder.join(format!("{workers}-{worker}"));
    let open = |worker: usize| OpenQuarantine::new(&path(worker), max_bytes, &room);
    let mut all: Vec<OpenQuarantine<'_>> = (0..workers).map(open).collect();
    let schema = named("s3-access").unwrap().schema(Naming::Snake, &[]);
    let rules = RowRules::new(&schema, &[], &RedactRules::new(&[])).unwrap();
    for row in rows {
        let object = row.position.object;
        let own = &mut all[object as usize % workers];
        quarantine_rows(vec![row.clone()], (object, &format!("o{object}")), &rules, &mut [own]).unwrap();
    }
    all.into_iter().map(|open| open.close().unwrap()).collect()
}

/// The lines to keep, and the counts of the others: the slow twin.
fn expected(rows: &[Rejection], max_bytes: u64) -> (Vec<u8>, BTreeMap<(u32, String), u64>) {
    let mut sorted: Vec<&Rejection> = rows.iter().collect();
    sorted.sort_by_key(|row| row.position);
    let (mut kept, mut left, mut is_full) = (Vec::new(), BTreeMap::new(), false);
    for row in sorted {
        let object = row.position.object;
        let line = QuarantinedRow::new(row, &format!("o{object}")).to_line().unwrap();
        is_full |= (kept.len() + line.len()) as u64 > max_bytes;
        if is_full {
            *left.entry((object, row.reason.to_owned())).or_default() += 1;
        } else {
            kept.extend(line);
        }
    }
    (kept, left)
}

fn check(rows: &[Rejection], max_bytes: u64) {
    let (lines, left) = expected(rows, max_bytes);
    for workers in [1, 2, 5] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("sorted");
        let all = found(rows, workers, max_bytes, folder.path());
        let kept = Quarantine::write_sorted(&all, u64::MAX, &target).unwrap();
        let content = std::fs::read(&target).unwrap_or_default();
        assert!(content == lines, "{workers} workers keep other lines, {max_bytes} bytes at most");
        assert_eq!(kept.rows, memchr::memchr_iter(b'\n', &content).count() as u64);
        let counted = kept.counted_only.into_iter();
        let counted: BTreeMap<_, _> =
            counted.map(|tally| ((tally.object, tally.reason.into_owned()), tally.rows)).collect();
        assert_eq!(counted, left, "{workers} workers, {max_bytes} bytes at most");
    }
}

/// Rows as workers find them: objects in order, records in order, and rows about a whole object anywhere among them.
fn rows() -> impl Strategy<Value = Vec<Rejection>> {
    let row = (prop::bool::weighted(0.2), prop::sample::select(vec!["a", "b", "c"]), 0..200_usize);
    let object = prop::collection::vec(row, 0..6);
    prop::collection::vec(object, 0..12).prop_map(|objects| {
        let rows = (0..).zip(objects).flat_map(|(object, rows)| {
            (1..).zip(rows).map(move |(record, (is_whole, reason, raw))| {
                rejection(object, if is_whole { 0 } else { record }, reason, raw)
            })
        });
        rows.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_first_rows_are_kept_whichever_worker_found_them(rows in rows(), max_bytes in 0..6000_u64) {
        check(&rows, max_bytes);
    }
}

#[test]
fn a_row_beyond_the_limit_ends_the_file_even_if_a_later_one_would_fit() {
    let rows = [rejection(0, 1, "a", 10), rejection(0, 2, "b", 5000), rejection(1, 1, "a", 1)];
    for max_bytes in [0, 1, 100, 200, 4000, 6000, u64::MAX] {
        check(&rows, max_bytes);
    }
}
