//! The columns of S3 server access logs: AWS's 27 fields in AWS's order, the key decoded, and what the parser found.
//!
//! Source: AWS, "Amazon S3 server access log format".

use super::field::CLUSTER;
use crate::table::column::ColumnType::{BigInt, Bool, Int, Text, Timestamp};
use crate::table::column::{Column, ColumnType, Identifier, Naming, Origin, TableSchema};

const fn field(
    name: &'static str,
    column_type: ColumnType,
    position: usize,
    meaning: &'static str,
) -> Column {
    Column::new(name, column_type, Origin::Field(position), meaning)
}

#[rustfmt::skip]
static COLUMNS: [Column; 33] = [
    field("bucket_owner", Text, 1, "Canonical user id of the bucket's owner"),
    field("bucket", Text, 2, "Bucket that the request was for"),
    field("request_time", Timestamp, 3, "When the request was received, UTC"),
    Column::new("request_time_kst", Timestamp, Origin::EventTimeKst, "When the request was received, Korean wall clock"),
    field("remote_ip", Text, 4, "Apparent address of the requester").searched(),
    field("requester", Text, 5, "Canonical id or ARN of the requester; NULL when anonymous").searched(),
    field("request_id", Text, 6, "Id of the request; the lines of one multi-object delete share it").identifies(Identifier::REQUEST),
    field("operation", Text, 7, "Operation, such as REST.GET.OBJECT"),
    field("key", Text, 8, "Object key as logged").searched(),
    Column::new("key_decoded", Text, Origin::DecodedField, "Object key, decoded by the rule of its operation"),
    field("request_uri", Text, 9, "Request line"),
    field("http_status", Int, 10, "HTTP status of the response"),
    field("error_code", Text, 11, "S3 error code"),
    field("bytes_sent", BigInt, 12, "Bytes of the response body; NULL where the log has -, which S3 writes for zero"),
    field("object_size", BigInt, 13, "Size of the object"),
    field("total_time", BigInt, 14, "Milliseconds from the request's receipt to the response's last byte"),
    field("turn_around_time", BigInt, 15, "Milliseconds that S3 spent on the request"),
    field("referer", Text, 16, "Referer header"),
    field("user_agent", Text, 17, "User-Agent header"),
    field("version_id", Text, 18, "Version id in the request"),
    field("host_id", Text, 19, "Extended request id, x-amz-id-2").unique(),
    field("signature_version", Text, 20, "SigV2 or SigV4; NULL when not signed"),
    field("cipher_suite", Text, 21, "TLS cipher suite; NULL for HTTP"),
    field("authentication_type", Text, 22, "AuthHeader or QueryString (presigned)"),
    field("host_header", Text, 23, "Endpoint that was used"),
    field("tls_version", Text, 24, "TLS version"),
    field("access_point_arn", Text, 25, "ARN of the access point"),
    field("acl_required", Bool, 26, "Whether an ACL was needed to allow the request"),
    field("source_region", Text, 27, "Region that the request came from"),
    Column::new("extra", Text, Origin::Decoder, "Fields after the 27th, and values of an unexpected form, as logged"),
    Column::new("parse_quality", Text, Origin::Decoder, "exact; ambiguous: client text allows another reading, or the line is cut or altered; repaired: a field was joined; lossy: bytes that are not UTF-8 were replaced"),
    Column::new("source_object", Text, Origin::SourceObject, "Raw object that the line was read from"),
    Column::new("source_record", BigInt, Origin::SourceRecord, "Number of the line in the raw object, from 1"),
];

/// Returns the schema of the table.
pub(super) fn schema(naming: Naming) -> TableSchema {
    let columns = COLUMNS.to_vec();
    let position =
        |name| columns.iter().position(|column| column.name == name).expect("the table above has it");
    let event_time = position("request_time");
    let cluster = CLUSTER.map(|field| position(field.name())).to_vec();
    TableSchema { columns, event_time, cluster, naming }
}
