//! CloudFront standard logs: one line for each request of a viewer. Version 1 has a header line and values between tabs;
//! version 2 has the same with fields that the user chooses, or JSON.

mod fields;
mod keys;

use super::headed_fields::HeadedLines;
use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub(super) struct CloudFront;

impl Dataset for CloudFront {
    fn name(&self) -> &'static str {
        "cloudfront"
    }

    fn default_table(&self) -> &'static str {
        "cloudfront"
    }

    /// A late entry comes in another object of its hour, up to a day later.
    fn default_lateness_hours(&self) -> u32 {
        24
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::OF_CLOUDFRONT
    }

    /// A little less than the shortest line, which holds only a time in seconds.
    fn min_row_bytes(&self) -> u64 {
        8
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

    /// Users choose the folders below that of the service.
    fn holds_years(&self, _folder: &str) -> bool {
        false
    }

    fn services(&self) -> &'static [&'static str] {
        &[keys::SERVICE]
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        HeadedLines::new(&fields::GRAMMAR).recognises(head)
    }

    /// Lines hold no nested JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        fields::GRAMMAR.schema(naming)
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(HeadedLines::new(&fields::GRAMMAR), limits))
    }
}

#[cfg(test)]
mod tests;
