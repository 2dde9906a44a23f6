//! S3 server access logs: the lines that S3 writes about requests to a bucket, as text or, through a delivery of
//! CloudWatch Logs, as JSON. Both forms give the same columns, and an object can hold either.

mod cells;
mod client;
mod columns;
mod cursor;
mod eras;
mod fault;
mod field;
mod fields;
mod format;
mod json_form;
mod json_record;
mod key_encoding;
mod keys;
mod tail;
mod text_twin;
mod time;
mod whole;

use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub struct S3Access;

impl Dataset for S3Access {
    fn name(&self) -> &'static str {
        "s3-access"
    }

    fn default_table(&self) -> &'static str {
        "s3_access"
    }

    fn default_lateness_hours(&self) -> u32 {
        24
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::DEFAULT_REDACTIONS
    }

    fn claim(&self, key: &str) -> KeyClaim {
        keys::claim(key)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        keys::time_in_key(key)
    }

    fn holds_days(&self, folder: &str) -> bool {
        keys::holds_days(folder)
    }

    /// The folder of a source bucket is a prefix that users choose, so other folders can follow it.
    fn holds_years(&self, _folder: &str) -> bool {
        false
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        if json_form::recognises(head) {
            return true;
        }
        let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        // Even a cut first line shows its time: the third field, in brackets.
        let time = lines.next().and_then(|line| line.split(|byte| *byte == b' ').nth(2));
        time.is_some_and(|field| field.starts_with(b"["))
    }

    /// No column holds JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        columns::schema(naming)
    }

    /// A little less than the time that every line has: `[01/Nov/2023:00:00:00 +0000]`.
    fn min_row_bytes(&self) -> u64 {
        24
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(format::AccessLines::new(), limits))
    }
}
