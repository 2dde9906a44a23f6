//! CloudTrail: management and data events as AWS delivers them to a bucket.

mod columns;
mod envelope;
mod keys;
mod records;

use super::records::RecordDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub struct CloudTrail;

impl Dataset for CloudTrail {
    fn name(&self) -> &'static str {
        "cloudtrail"
    }

    fn default_table(&self) -> &'static str {
        "cloudtrail"
    }

    fn default_lateness_hours(&self) -> u32 {
        6
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

    fn services(&self) -> &'static [&'static str] {
        &[keys::SERVICE]
    }

    fn has_digests(&self) -> bool {
        true
    }

    fn is_digest(&self, path: &str) -> bool {
        keys::is_digest(path)
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        envelope::recognises(head)
    }

    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema {
        columns::schema(naming, promoted)
    }

    /// A little less than the shortest record, which has only its time: `{"eventTime":"20231101T000000Z"}`.
    fn min_row_bytes(&self) -> u64 {
        24
    }

    fn decoder(&self, schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(RecordDecoder::new(records::CloudTrailRecords::new(schema), limits))
    }
}
