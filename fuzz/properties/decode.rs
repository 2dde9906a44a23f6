//! Decoders account for every byte, whatever the pieces in which an object arrives.

use std::sync::OnceLock;

use arrow::array::Array;
use logmill::dataset::{self, Dataset, DecodeLimits, Decoder};
use logmill::kst::DayRange;
use logmill::ledger::RowLedger;
use logmill::table::{Damage, Naming, Rejection, RowBatch, Rows, TableSchema};

use super::choice;

/// Log types in which each line that is not blank is a row.
const OF_LINES: [&str; 5] = ["s3-access", "alb-access", "alb-connection", "nlb-access", "clb-access"];
const OF_TEXT: [&str; 6] =
    ["alb-access", "alb-connection", "nlb-access", "clb-access", "cloudfront", "vpc-flow"];
const OF_JSON: [&str; 4] = ["cloudtrail", "waf", "resolver-query", "cloudfront"];
/// The reason of rows beyond the limit. How many of their bytes the decoder sees depends on the pieces, and so does whether a
/// record of invalid JSON is too long as well.
const TOO_LONG: &str = "too_long";

pub(crate) fn access_objects(data: &[u8]) {
    check("s3-access", data);
}

/// The first letter chooses the log type.
pub(crate) fn text_objects(mut data: &[u8]) {
    check(OF_TEXT[choice(&mut data, OF_TEXT.len())], data);
}

/// The first letter chooses the log type.
pub(crate) fn json_objects(mut data: &[u8]) {
    check(OF_JSON[choice(&mut data, OF_JSON.len())], data);
}

/// What a decoder makes of an object.
struct Decoded {
    batch: RowBatch,
    rejections: Vec<Rejection>,
    ledger: RowLedger,
    damage: Damage,
}

impl Decoded {
    fn has_too_long(&self) -> bool {
        self.rejections.iter().any(|rejection| rejection.reason == TOO_LONG)
    }
}

/// A letter chooses the sizes of the pieces, another one the limit of a row.
fn check(name: &str, mut data: &[u8]) {
    let (pieces, limit) = (choice(&mut data, 6), choice(&mut data, 4));
    let (dataset, schema) = of_name(name);
    let limits = if limit == 3 { DecodeLimits { max_record_bytes: 700 } } else { DecodeLimits::ATHENA };
    let mut decoder = dataset.decoder(schema, limits);
    let whole = decoded(decoder.as_mut(), schema, data, usize::MAX);
    accounted(name, schema, data, &whole);
    // The same decoder reads the object again, in pieces: nothing of the first one may be left.
    let size = [1, 2, 3, 17, 64, 400][pieces];
    let in_pieces = decoded(decoder.as_mut(), schema, data, size);
    if OF_JSON.contains(&name) && [&whole, &in_pieces].iter().any(|decoded| decoded.has_too_long()) {
        return accounted(name, schema, data, &in_pieces);
    }
    same(&whole, &in_pieces);
}

/// A log type and its columns.
pub(crate) fn of_name(name: &str) -> (&'static dyn Dataset, &'static TableSchema) {
    static KNOWN: OnceLock<Vec<(&'static dyn Dataset, TableSchema)>> = OnceLock::new();
    let of = |dataset: &'static dyn Dataset| (dataset, dataset.schema(Naming::Snake, &[]));
    let known = KNOWN.get_or_init(|| dataset::all().map(of).collect());
    let found = known.iter().find(|(dataset, _)| dataset.name() == name).expect("the log type exists");
    (found.0, &found.1)
}

fn decoded(decoder: &mut dyn Decoder, schema: &TableSchema, content: &[u8], size: usize) -> Decoded {
    let mut rows = Rows::new(schema.decoded(), [1, 2, 3, 4]);
    decoder.begin("folder/2023-11-01-00-22-33-23B392B734E22958");
    rows.begin_object(0, DayRange::EVER);
    let (mut used, mut arrived, mut rejections) = (0, 0, Vec::new());
    while arrived < content.len() {
        arrived = arrived.saturating_add(size).min(content.len());
        loop {
            let taken = decoder.decode(&content[used..arrived], &mut rows);
            assert!(taken <= arrived - used, "a decoder cannot use bytes that it was not given");
            used += taken;
            let is_full = rows.is_full_of_rejections();
            rejections.append(&mut rows.take_rejections());
            if !is_full {
                break;
            }
        }
    }
    decoder.finish(&content[used..], &mut rows);
    rejections.append(&mut rows.take_rejections());
    let (ledger, damage) = (rows.ledger(), rows.damage());
    let kept: u64 = rows.kept().iter().map(|(_, rows)| rows).sum();
    assert_eq!(kept, ledger.written, "each row has a day");
    let batch = rows.take_batch().plain().expect("every cell has the type of its column");
    Decoded { batch, rejections, ledger, damage }
}

/// Every row and every byte is counted once.
fn accounted(name: &str, schema: &TableSchema, content: &[u8], decoded: &Decoded) {
    let Decoded { batch, rejections, ledger, .. } = decoded;
    assert!(ledger.balances(), "{ledger:?}");
    assert_eq!(ledger.written, batch.keys.len() as u64);
    assert_eq!(ledger.quarantined, rejections.len() as u64);
    assert_eq!(batch.cells.len(), schema.decoded().count());
    assert!(batch.cells.iter().all(|cells| cells.len() == batch.keys.len()), "a row has a cell per column");
    let records: Vec<u32> = batch.keys.iter().map(|key| key.position.record).collect();
    assert!(records.is_sorted(), "rows are in order: {records:?}");
    let (dataset, _) = of_name(name);
    let least = batch.keys.iter().map(|key| u64::from(key.bytes)).min();
    assert!(least.is_none_or(|least| least >= dataset.min_row_bytes()), "a row of {least:?} bytes");
    for rejection in rejections {
        assert!(!rejection.reason.is_empty() && !rejection.detail.is_empty());
        let raw = rejection.raw.as_deref().unwrap_or_default();
        assert!(
            raw.len() <= rejection.raw_bytes && contains(content, raw),
            "raw bytes are those of the object"
        );
    }
    let rows: usize = batch.keys.iter().map(|key| key.bytes as usize).sum();
    let rejected: usize = rejections.iter().map(|rejection| rejection.raw_bytes).sum();
    assert!(rows + rejected <= content.len(), "{rows} and {rejected} bytes of {}", content.len());
    if OF_LINES.contains(&name) {
        let lines = content.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.trim_ascii().is_empty()).count();
        assert_eq!(ledger.read, lines as u64, "every line that is not blank is a row");
    }
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    part.is_empty() || content.windows(part.len()).any(|window| window == part)
}

fn same(whole: &Decoded, in_pieces: &Decoded) {
    assert_eq!((in_pieces.ledger, in_pieces.damage), (whole.ledger, whole.damage));
    for (place, cells) in whole.batch.cells.iter().enumerate() {
        assert_eq!(cells, &in_pieces.batch.cells[place], "column {place}");
    }
    let keys = |decoded: &Decoded| -> Vec<_> {
        let cluster = |number: u32| decoded.batch.clusters[number as usize].clone();
        decoded
            .batch
            .keys
            .iter()
            .map(|key| (key.at, key.position, key.bytes, key.identity, cluster(key.cluster)))
            .collect()
    };
    assert_eq!(keys(whole), keys(in_pieces));
    assert_eq!(whole.rejections.len(), in_pieces.rejections.len());
    let last = whole.rejections.last().map(|rejection| rejection.position);
    for (one, other) in whole.rejections.iter().zip(&in_pieces.rejections) {
        if one.reason == TOO_LONG {
            assert_eq!((one.position, one.reason), (other.position, other.reason));
        } else if whole.damage.is_some() && Some(one.position) == last {
            // The rest of damaged content is as long as the piece in which the damage was found.
            let [one_raw, other_raw] =
                [one, other].map(|rejection| rejection.raw.as_deref().unwrap_or_default());
            assert!(one_raw.starts_with(other_raw) || other_raw.starts_with(one_raw));
            assert_eq!((one.position, one.reason), (other.position, other.reason));
        } else {
            assert_eq!(one, other);
        }
    }
}
