//! The columns of Route 53 Resolver query logs.
//!
//! Names are those of the keys of a record. The answers to a query are three lists of one length. Source: AWS, "Values that
//! appear in VPC Resolver query logs".

use crate::dataset::json_fields::{json_columns as c, json_schema};
use crate::table::Promotion;
use crate::table::column::ColumnType::{BigInt, Int, Json, Text, TextList, Timestamp};
use crate::table::column::{Column, Naming, Origin, TableSchema};

/// Every column of a record, in order.
#[rustfmt::skip]
static COLUMNS: [Column; 26] = [
    c!("event_time", Timestamp, "query_timestamp", "When the query was submitted, UTC"),
    Column::new("event_time_kst", Timestamp, Origin::EventTimeKst, "When the query was submitted, Korean wall clock"),
    c!("version", Text, "version", "Version of the log format, such as 1.100000"),
    c!("account_id", Text, "account_id", "Account of the VPC"),
    c!("region", Text, "region", "Region of the VPC"),
    c!("vpc_id", Text, "vpc_id", "VPC of the host"),
    c!("resource_id", Text, "resource_id", "Route 53 Profile, if one applies the logging to the VPC"),
    c!("query_name", Text, "query_name", "Name that the host asked for, with a dot at its end").searched(),
    c!("query_type", Text, "query_type", "Type of the wanted records, such as A, AAAA or ANY"),
    c!("query_class", Text, "query_class", "Class of the query; IN in most records"),
    c!("rcode", Text, "rcode", "Response code, such as NOERROR or NXDOMAIN"),
    c!("answers_rdata", TextList, "answers[].Rdata", "Values of the answers, such as addresses"),
    c!("answers_type", TextList, "answers[].Type", "Types of the answers, in the order of answers_rdata"),
    c!("answers_class", TextList, "answers[].Class", "Classes of the answers, in the order of answers_rdata"),
    c!("srcaddr", Text, "srcaddr", "Address that the query came from").searched(),
    c!("srcport", Int, "srcport", "Port that the query came from"),
    c!("transport", Text, "transport", "Protocol of the query: UDP or TCP"),
    c!("srcids_instance", Text, "srcids.instance", "Instance that the query came from").searched(),
    c!("srcids_resolver_endpoint", Text, "srcids.resolver_endpoint", "Resolver endpoint that passed the query to on-premises servers or from them"),
    c!("srcids_resolver_network_interface", Text, "srcids.resolver_network_interface", "Network interface of that endpoint"),
    c!("firewall_rule_action", Text, "firewall_rule_action", "What DNS Firewall did: ALERT or BLOCK; NULL if no rule matched"),
    c!("firewall_rule_group_id", Text, "firewall_rule_group_id", "Rule group of DNS Firewall that matched"),
    c!("firewall_domain_list_id", Text, "firewall_domain_list_id", "Domain list of DNS Firewall that matched"),
    Column::new("extra", Json, Origin::Decoder, "Fields without a column of their own and values of an unexpected type, by JSON path"),
    Column::new("source_object", Text, Origin::SourceObject, "Raw object that the record was read from"),
    Column::new("source_record", BigInt, Origin::SourceRecord, "Number of the line in the raw object, from 1"),
];

/// Returns the schema of the table.
pub(super) fn schema(naming: Naming, promoted: &[Promotion]) -> TableSchema {
    json_schema(&COLUMNS, &[], promoted, ("event_time", &["vpc_id", "rcode"]), naming)
}
