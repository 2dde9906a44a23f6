//! One record of the JSON form: its time and the values of its fields.

use std::borrow::Cow;
use std::sync::Arc;

use super::cells::FIELDS;
use super::field::{FIELD_COUNT, Field};
use crate::dataset::json_fields::{ExtraField, Found, Shape, boolean, extra_json, integer, walk_line};
use crate::dataset::lines::Line;
use crate::dataset::records::Fault;
use crate::json::{has_escapes, text};
use crate::kst::UtcInstant;

/// The keys of the fields, in the order of [`FIELDS`].
pub(super) const KEYS: [&str; FIELD_COUNT] = [
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
pub(super) const OTHER_KEYS: [&str; 2] = ["schema_version_id", "bucket_arn"];
const SCHEMA_VERSION: usize = FIELD_COUNT;
const BUCKET_ARN: usize = FIELD_COUNT + 1;
/// The version of the schema with these keys.
const KNOWN_VERSION: &str = "V_1_0";

/// Returns the tree of all keys.
pub(super) fn shape() -> Shape {
    Shape::of_paths(KEYS.into_iter().chain(OTHER_KEYS))
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
    /// Reads the record of a line, or returns why it has none.
    pub(super) fn of(shape: &Shape, line: &Line<'a>) -> Result<Self, Fault> {
        let mut found = Found::default();
        walk_line(shape, line.text, &mut found)?;
        let at = request_time(&found)?;
        let mut record = Self { at, found, is_lossy: line.is_lossy };
        record.collect_extra();
        Ok(record)
    }

    /// Returns the values that no column holds, as a JSON object.
    pub(super) fn extra(&self) -> Option<String> {
        extra_json(self.found.extra())
    }

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

    /// Returns the key if it is the same with and without the encoding of text lines.
    pub(super) fn decoded_key(&self) -> Option<Cow<'a, str>> {
        self.text(Field::Key).filter(|key| !key.contains(['%', '+']))
    }

    /// Returns the quality of the reading. Bytes that are not UTF-8 and halves of surrogate pairs are replaced.
    pub(super) fn quality(&self) -> &'static str {
        let has_replacement = |field: &Field| {
            let written = self.found.value(*field as usize);
            written.is_some_and(|written| has_escapes(written) && is_replaced(written))
        };
        if self.is_lossy || FIELDS.iter().any(has_replacement) { "lossy" } else { "exact" }
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
