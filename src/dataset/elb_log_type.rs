//! A log type of Elastic Load Balancing: objects in shared folders, and lines that a table of fields describes.

use super::elb_keys::{self, ElbLog};
use super::lines::LineDecoder;
use super::text_fields::{FieldLines, Grammar};
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey, secrets};
use crate::table::{Naming, Promotion, TableSchema};

/// A log type of Elastic Load Balancing.
#[derive(Debug)]
pub(super) struct ElbLogType<const N: usize> {
    pub(super) name: &'static str,
    pub(super) table: &'static str,
    /// The kind of its objects.
    pub(super) log: ElbLog,
    /// A little less than the shortest line has.
    pub(super) min_row_bytes: u64,
    pub(super) grammar: &'static Grammar<N>,
}

impl<const N: usize> Dataset for ElbLogType<N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_table(&self) -> &'static str {
        self.table
    }

    fn default_lateness_hours(&self) -> u32 {
        elb_keys::LATENESS_HOURS
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        secrets::DEFAULT_REDACTIONS
    }

    fn min_row_bytes(&self) -> u64 {
        self.min_row_bytes
    }

    fn claim(&self, path: &str) -> KeyClaim {
        elb_keys::claim(path, self.log)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        elb_keys::time_in_key(key, self.log)
    }

    fn holds_days(&self, folder: &str) -> bool {
        elb_keys::holds_days(folder)
    }

    fn shares_folders(&self) -> bool {
        true
    }

    fn services(&self) -> &'static [&'static str] {
        &[elb_keys::SERVICE]
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        elb_keys::origin(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        FieldLines::new(self.grammar).recognises(head)
    }

    /// Lines hold no JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        self.grammar.schema(naming)
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(FieldLines::new(self.grammar), limits))
    }
}
