//! Bytes to rows: what the decoder of a log type does, with the hash of each row and the Arrow builders that it fills.

use divan::Bencher;
use logmill::dataset::DecodeLimits;
use logmill::kst::DayRange;
use logmill::table::{RowBatch, Rows};

use crate::made::{DATASETS, MadeLogs, day};

/// Whole objects, unpacked and in memory, to one batch of rows. A run pushes them in chunks of 256 KiB.
#[divan::bench(args = DATASETS)]
fn to_rows(bencher: Bencher, dataset: &str) {
    let made = MadeLogs::of(dataset);
    assert_eq!(decoded(made).keys.len() as u64, made.rows, "every row is of the day");
    bencher.counter(made.bytes()).bench(|| decoded(made));
}

fn decoded(made: &MadeLogs) -> RowBatch {
    let mut rows = Rows::new(made.schema.decoded(), [0; 4]);
    let mut decoder = made.dataset.decoder(&made.schema, DecodeLimits::ATHENA);
    for (number, content) in (0..).zip(&made.contents) {
        rows.begin_object(number, DayRange::only(day()));
        decoder.begin();
        let used = decoder.decode(content, &mut rows);
        decoder.finish(&content[used..], &mut rows);
    }
    rows.take_batch()
}
