//! Bytes to rows: the decoder of a log type, including the hash of each row and the Arrow builders that it fills.

use divan::Bencher;
use logmill::dataset::DecodeLimits;
use logmill::kst::DayRange;
use logmill::table::{RowBatch, Rows};

use crate::logs::{DATASETS, RawLogs, day};

/// Decodes whole unpacked objects from memory to one batch of rows. A run decodes chunks of 256 KiB.
#[divan::bench(args = DATASETS)]
fn to_rows(bencher: Bencher, dataset: &str) {
    let logs = RawLogs::of(dataset);
    assert_eq!(decoded(logs).keys.len() as u64, logs.rows, "every row should be of the day");
    bencher.counter(logs.bytes()).bench(|| decoded(logs));
}

fn decoded(logs: &RawLogs) -> RowBatch {
    let mut rows = Rows::new(logs.schema.decoded(), [0; 4]);
    let mut decoder = logs.dataset.decoder(&logs.schema, DecodeLimits::ATHENA);
    for (number, content) in (0..).zip(&logs.contents) {
        rows.begin_object(number, DayRange::only(day()));
        decoder.begin("");
        let used = decoder.decode(content, &mut rows);
        decoder.finish(&content[used..], &mut rows);
    }
    rows.take_batch()
}
