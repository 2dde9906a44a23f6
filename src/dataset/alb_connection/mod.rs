//! ALB connection logs: the text lines that Application Load Balancers write about attempts to connect.

mod fields;

use super::elb_keys::{self, ElbLog};
use super::lines::LineDecoder;
use super::text_fields::FieldLines;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub struct AlbConnection;

impl Dataset for AlbConnection {
    fn name(&self) -> &'static str {
        "alb-connection"
    }

    fn is_default(&self) -> bool {
        false
    }

    fn default_table(&self) -> &'static str {
        "alb_connection"
    }

    fn default_lateness_hours(&self) -> u32 {
        elb_keys::LATENESS_HOURS
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::DEFAULT_REDACTIONS
    }

    /// A little less than the shortest line: a time, ten fields and their spaces.
    fn min_row_bytes(&self) -> u64 {
        32
    }

    fn claim(&self, path: &str) -> KeyClaim {
        elb_keys::claim(path, ElbLog::AlbConnection)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        elb_keys::time_in_key(key, ElbLog::AlbConnection)
    }

    fn holds_days(&self, folder: &str) -> bool {
        elb_keys::holds_days(folder)
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        elb_keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        FieldLines::new(&fields::GRAMMAR).recognises(head)
    }

    /// Lines hold no JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        fields::GRAMMAR.schema(naming)
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(FieldLines::new(&fields::GRAMMAR), limits))
    }
}

#[cfg(test)]
mod tests;
