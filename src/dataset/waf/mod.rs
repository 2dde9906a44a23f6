//! AWS WAF: the requests that a web ACL inspected, and what its rules decided.

mod columns;
mod keys;

use super::json_fields::{JsonLines, TimeForm, first_object};
use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub(super) struct Waf;

impl Dataset for Waf {
    fn name(&self) -> &'static str {
        "waf"
    }

    fn default_table(&self) -> &'static str {
        "waf"
    }

    fn default_lateness_hours(&self) -> u32 {
        6
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::DEFAULT_REDACTIONS
    }

    fn claim(&self, path: &str) -> KeyClaim {
        keys::claim(path)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        keys::time_in_key(key)
    }

    fn holds_days(&self, folder: &str) -> bool {
        keys::holds_days(folder)
    }

    fn services(&self) -> &'static [&'static str] {
        &[keys::SERVICE, keys::IN_NAMES]
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let members = first_object(head);
        ["timestamp", "webaclId"].iter().all(|wanted| members.iter().any(|(key, _)| key == wanted))
    }

    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema {
        columns::schema(naming, promoted)
    }

    /// A little less than the shortest record, which has only its time: `{"timestamp":1698798153000}`.
    fn min_row_bytes(&self) -> u64 {
        24
    }

    fn decoder(&self, schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(JsonLines::new(schema, TimeForm::EpochMs), limits))
    }
}

#[cfg(test)]
mod tests;
