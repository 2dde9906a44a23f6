//! Route 53 Resolver query logs: the DNS queries of the hosts in a VPC, with their answers and the decision of DNS Firewall.

mod columns;
mod keys;

use super::json_fields::{JsonLines, TimeForm, first_object};
use super::lines::LineDecoder;
use super::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, TimeInKey};
use crate::table::{Naming, Promotion, TableSchema};

/// The log type.
#[derive(Debug)]
pub(super) struct ResolverQuery;

impl Dataset for ResolverQuery {
    fn name(&self) -> &'static str {
        "resolver-query"
    }

    fn default_table(&self) -> &'static str {
        "resolver_query"
    }

    fn default_lateness_hours(&self) -> u32 {
        6
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
        let members = first_object(head);
        ["query_timestamp", "query_name"].iter().all(|wanted| members.iter().any(|(key, _)| key == wanted))
    }

    fn schema(&self, naming: Naming, promoted: &[Promotion]) -> TableSchema {
        columns::schema(naming, promoted)
    }

    /// A little less than the shortest record, which has only its time: `{"query_timestamp":"2023-11-01T00:22:33Z"}`.
    fn min_row_bytes(&self) -> u64 {
        36
    }

    fn decoder(&self, schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        // A host can repeat a query within a second from the same port, and the line holds no id.
        Box::new(LineDecoder::new(JsonLines::new(schema, TimeForm::Iso8601).in_places(), limits))
    }
}

#[cfg(test)]
mod tests;
