//! Access logs in the JSON form: one record in each line, with the values of a text line under names of their own.
//!
//! JSON escapes the texts of clients, so a record has one reading. `null` is NULL. The text form has neither the version of
//! the schema nor the ARN of the bucket. They are kept in `extra` only if they say more than the columns: another version
//! than the known one, an ARN that does not follow from the bucket. `extra` also keeps unknown keys and values of an
//! unexpected type.
//!
//! AWS does not document whether the key in a record is encoded as in a text line. A key with `%` or `+` can have two
//! meanings, so its decoded form is NULL.
//!
//! Source: AWS, "Amazon S3 server access logs in CloudWatch Logs", log format.

use std::borrow::Cow;
use std::sync::Arc;

use super::cells::FIELDS;
use super::field::{FIELD_COUNT, Field};
use super::text_twin;
use crate::dataset::json_fields::{
    ExtraField, Found, Shape, boolean, extra_json, first_object, integer, walk_line,
};
use crate::dataset::lines::Line;
use crate::dataset::records::Fault;
use crate::json::text;
use crate::kst::UtcInstant;
use crate::table::{Cells, RowHead, Rows};

/// The keys of the fields, in the order of [`FIELDS`].
const KEYS: [&str; FIELD_COUNT] = [
    "bucket_owner_id",
    "bucket_name",
    "request_time",
    "remote_ip",
    "requester",
    "request_id",
    "operation",
    "key_name",
    "request_uri",
    "http_status",
    "error_code",
    "bytes_sent_size",
    "object_size",
    "total_duration",
    "turn_around_duration",
    "referer",
    "user_agent",
    "version_id",
    "host_id",
    "signature_version",
    "cipher_suite",
    "authentication_type",
    "host_header",
    "tls_version",
    "access_point_arn",
    "acl_required",
    "source_region",
];
/// The keys without a column. Their slots follow those of the fields.
const OTHER_KEYS: [&str; 2] = ["schema_version_id", "bucket_arn"];
const SCHEMA_VERSION: usize = FIELD_COUNT;
const BUCKET_ARN: usize = FIELD_COUNT + 1;
/// The version of the schema with these keys.
const KNOWN_VERSION: &str = "V_1_0";

/// Whether an object begins with a record in JSON. Its first bytes may end within the record.
pub(super) fn recognises(head: &[u8]) -> bool {
    let members = first_object(head);
    let has = |wanted: &str| members.iter().any(|(key, _)| key == wanted);
    let known = members.iter().filter(|(key, _)| KEYS.contains(&key.as_str())).count();
    has("request_time") && (has("bucket_name") || has("bucket_arn") || has("bucket_owner_id")) && known > 1
}

/// Reads the records of a table.
pub(super) struct JsonRecords {
    shape: Shape,
}

impl JsonRecords {
    pub(super) fn new() -> Self {
        Self { shape: Shape::of_paths(KEYS.into_iter().chain(OTHER_KEYS)) }
    }

    /// Reads a line: begins its row and appends its cells, or rejects it.
    pub(super) fn read(&self, line: &Line<'_>, rows: &mut Rows) {
        let mut found = Found::default();
        let record = walk_line(&self.shape, line.text, &mut found)
            .and_then(|()| request_time(&found))
            .map(|at| Record { at, found, is_lossy: line.is_lossy });
        match record {
            Ok(record) => record.write(line, rows),
            Err((reason, detail)) => line.reject(reason, detail, rows),
        }
    }
}

fn request_time(found: &Found<'_>) -> Result<UtcInstant, Fault> {
    let written = found
        .value(Field::Time as usize)
        .ok_or_else(|| ("missing_request_time", "the record has no request_time".to_owned()))?;
    UtcInstant::parse_iso8601(&text(written)).ok_or_else(|| {
        ("bad_time", format!("request_time is {written}, which is not an ISO 8601 instant with a zone"))
    })
}

/// A record that has a time.
pub(super) struct Record<'a> {
    /// When the request was received.
    pub(super) at: UtcInstant,
    found: Found<'a>,
    /// Whether bytes were replaced.
    is_lossy: bool,
}

impl<'a> Record<'a> {
    /// Returns the text of a field.
    pub(super) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        self.found.value(field as usize).map(text)
    }

    /// Returns the value of a field of numbers. A status fits 32 bits.
    pub(super) fn number(&self, field: Field) -> Option<i64> {
        let value = self.found.value(field as usize).and_then(integer);
        value.filter(|value| field != Field::HttpStatus || i32::try_from(*value).is_ok())
    }

    /// Returns the value of `acl_required`.
    pub(super) fn acl_required(&self) -> Option<bool> {
        self.found.value(Field::AclRequired as usize).and_then(boolean)
    }

    /// Whether the columns have no value for a field that has one.
    fn is_unfit(&self, field: Field) -> bool {
        let is_held = match field {
            Field::AclRequired => self.acl_required().is_some(),
            field if is_number(field) => self.number(field).is_some(),
            _ => true,
        };
        !is_held && self.found.value(field as usize).is_some()
    }

    /// Adds the values that no column holds to those of unknown keys.
    fn collect_extra(&mut self) {
        let unfit = FIELDS.into_iter().filter(|field| self.is_unfit(*field)).map(|field| field as usize);
        let version = self.value_unless(SCHEMA_VERSION, KNOWN_VERSION);
        let bucket = self.text(Field::Bucket).unwrap_or_default();
        let arn = self.value_unless(BUCKET_ARN, &format!("arn:aws:s3:::{bucket}"));
        let slots: Vec<usize> = [version, arn].into_iter().flatten().chain(unfit).collect();
        for slot in slots {
            let path = Arc::from(*KEYS.iter().chain(&OTHER_KEYS).nth(slot).expect("each slot has a key"));
            let value = self.found.value(slot).unwrap_or_default();
            self.found.add_extra(ExtraField { path, key: None, value });
        }
    }

    /// Returns a slot if it has a value other than `expected`.
    fn value_unless(&self, slot: usize, expected: &str) -> Option<usize> {
        self.found.value(slot).filter(|written| text(written) != expected).map(|_| slot)
    }

    fn write(mut self, line: &Line<'_>, rows: &mut Rows) {
        self.collect_extra();
        let extra = extra_json(self.found.extra());
        let twin = (extra.is_none() && !self.is_lossy).then(|| text_twin::of(&self)).flatten();
        let cluster = [Field::Bucket, Field::Operation].map(|field| self.text(field).unwrap_or_default());
        let head = RowHead {
            record: line.number,
            at: self.at,
            raw: line.raw,
            identity: twin.as_deref().map_or(line.raw, str::as_bytes),
            cluster: &cluster.each_ref().map(AsRef::as_ref),
        };
        if rows.begin_row(&head) {
            self.write_cells(extra.as_deref(), rows);
        }
    }

    /// Appends the cells, in the order of the column table.
    fn write_cells(&self, extra: Option<&str>, rows: &mut Rows) {
        let mut column = 0;
        let mut next = || {
            column += 1;
            column - 1
        };
        for field in FIELDS {
            self.write_field(field, rows.cell(next()));
            if field == Field::Key {
                rows.cell(next()).push_text(self.decoded_key().as_deref());
            }
        }
        rows.cell(next()).push_text(extra);
        rows.cell(next()).push_text(Some(self.quality()));
    }

    fn write_field(&self, field: Field, cells: &mut Cells) {
        match field {
            Field::Time => cells.push_time(Some(self.at)),
            Field::AclRequired => cells.push_bool(self.acl_required()),
            field if is_number(field) => cells.push_integer(self.number(field)),
            _ => cells.push_text(self.text(field).as_deref()),
        }
    }

    /// Returns the key if it is the same with and without the encoding of text lines.
    fn decoded_key(&self) -> Option<Cow<'a, str>> {
        self.text(Field::Key).filter(|key| !key.contains(['%', '+']))
    }

    /// Returns the quality of the reading. Bytes that are not UTF-8 and halves of surrogate pairs are replaced.
    fn quality(&self) -> &'static str {
        let has_replacement = |field: &Field| {
            let written = self.found.value(*field as usize);
            written.is_some_and(|written| written.contains("\\u") && is_replaced(written))
        };
        if self.is_lossy || FIELDS.iter().any(has_replacement) { "lossy" } else { "exact" }
    }
}

/// Whether the text of a value has more replacement characters than were written.
fn is_replaced(written: &str) -> bool {
    let replacements = |text: &str| text.matches(char::REPLACEMENT_CHARACTER).count();
    let as_escape = written.to_ascii_lowercase().matches("\\ufffd").count();
    replacements(&text(written)) > replacements(written) + as_escape
}

/// Whether a field holds numbers.
pub(super) fn is_number(field: Field) -> bool {
    use Field::{BytesSent, HttpStatus, ObjectSize, TotalTime, TurnAroundTime};
    matches!(field, HttpStatus | BytesSent | ObjectSize | TotalTime | TurnAroundTime)
}

#[cfg(test)]
mod tests;
