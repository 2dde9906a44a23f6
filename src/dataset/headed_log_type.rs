//! A log type whose lines are explained by header lines.

use super::headed_fields::{Grammar, HeadedLines};
use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey};
use crate::table::{Naming, Promotion, TableSchema};

/// A log type with header lines.
#[derive(Debug)]
pub(super) struct HeadedLogType<const N: usize> {
    pub(super) name: &'static str,
    pub(super) table: &'static str,
    pub(super) lateness_hours: u32,
    pub(super) redactions: &'static [&'static str],
    pub(super) keys: Keys,
    pub(super) grammar: &'static Grammar<N>,
}

/// What the keys of its objects say, as in [`Dataset`].
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) services: &'static [&'static str],
    pub(super) claim: fn(&str) -> KeyClaim,
    pub(super) time_in_key: fn(&str) -> Option<TimeInKey>,
    pub(super) holds_days: fn(&str) -> bool,
    pub(super) holds_years: fn(&str) -> bool,
    pub(super) origin: fn(&str) -> KeyOrigin<'_>,
}

impl<const N: usize> Dataset for HeadedLogType<N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn default_table(&self) -> &'static str {
        self.table
    }

    fn default_lateness_hours(&self) -> u32 {
        self.lateness_hours
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        self.redactions
    }

    /// A little less than the shortest line, which holds only a time in seconds.
    fn min_row_bytes(&self) -> u64 {
        8
    }

    fn claim(&self, path: &str) -> KeyClaim {
        (self.keys.claim)(path)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        (self.keys.time_in_key)(key)
    }

    fn holds_days(&self, folder: &str) -> bool {
        (self.keys.holds_days)(folder)
    }

    fn holds_years(&self, folder: &str) -> bool {
        (self.keys.holds_years)(folder)
    }

    fn shares_folders(&self) -> bool {
        true
    }

    fn services(&self) -> &'static [&'static str] {
        self.keys.services
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        (self.keys.origin)(path)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        HeadedLines::new(self.grammar).recognises(head)
    }

    /// Lines hold no nested JSON, so nothing can be promoted.
    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        self.grammar.schema(naming)
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(HeadedLines::new(self.grammar), limits))
    }
}
