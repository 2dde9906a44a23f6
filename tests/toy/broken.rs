//! The toy log type with a defect: its decoder panics.

use logmill::dataset::{Dataset, DecodeLimits, Decoder, KeyClaim, TimeInKey};
use logmill::table::{Naming, Promotion, Rows, TableSchema};

use crate::gate::Gate;

/// A log type like [`Gate`], whose decoder cannot decode.
#[derive(Debug)]
pub(crate) struct BrokenGate;

impl Dataset for BrokenGate {
    fn name(&self) -> &'static str {
        Gate.name()
    }

    fn default_table(&self) -> &'static str {
        Gate.default_table()
    }

    fn default_lateness_hours(&self) -> u32 {
        Gate.default_lateness_hours()
    }

    fn min_row_bytes(&self) -> u64 {
        Gate.min_row_bytes()
    }

    fn claim(&self, path: &str) -> KeyClaim {
        Gate.claim(path)
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        Gate.time_in_key(key)
    }

    fn holds_days(&self, folder: &str) -> bool {
        Gate.holds_days(folder)
    }

    fn recognises(&self, head: &[u8]) -> bool {
        Gate.recognises(head)
    }

    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema {
        Gate.schema(naming, promoted)
    }

    fn decoder(&self, _schema: &TableSchema, _limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(Defect)
    }
}

/// A decoder that does not expect what it gets.
struct Defect;

impl Decoder for Defect {
    fn begin(&mut self, _key: &str) {}

    fn decode(&mut self, bytes: &[u8], _rows: &mut Rows) -> usize {
        panic!("a line of {} bytes", bytes.len())
    }

    fn finish(&mut self, _rest: &[u8], _rows: &mut Rows) {}

    fn next_record(&self) -> u32 {
        1
    }
}
