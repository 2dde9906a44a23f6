//! VPC flow logs as text: one line for each flow of packets in an aggregation interval, with the fields that the user chose.

mod fields;
mod keys;

use super::headed_fields::HeadedLines;
use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub(super) struct VpcFlow;

impl Dataset for VpcFlow {
    fn name(&self) -> &'static str {
        "vpc-flow"
    }

    fn default_table(&self) -> &'static str {
        "vpc_flow"
    }

    fn default_lateness_hours(&self) -> u32 {
        keys::LATENESS_HOURS
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::DEFAULT_REDACTIONS
    }

    /// The shortest line holds only a time in seconds.
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

    fn services(&self) -> &'static [&'static str] {
        &[keys::SERVICE]
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        HeadedLines::new(&fields::GRAMMAR).recognises(head)
    }

    /// Lines hold no JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        fields::GRAMMAR.schema(naming)
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(HeadedLines::new(&fields::GRAMMAR), limits))
    }
}

#[cfg(test)]
mod tests;
