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

use super::cells::FIELDS;
use super::field::{CLUSTER, Field};
use super::json_record::{KEYS, Record, is_number, shape};
use super::text_twin;
use crate::dataset::json_fields::{Shape, first_object};
use crate::dataset::lines::Line;
use crate::table::{Cells, RowHead, Rows};

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
        Self { shape: shape() }
    }

    /// Reads a line: begins its row and appends its cells, or rejects it.
    pub(super) fn read(&self, line: &Line<'_>, rows: &mut Rows) {
        match Record::of(&self.shape, line) {
            Ok(record) => write(&record, line, rows),
            Err((reason, detail)) => line.reject(reason, detail, rows),
        }
    }
}

/// Begins the row of a record and appends its cells.
fn write(record: &Record<'_>, line: &Line<'_>, rows: &mut Rows) {
    let extra = record.extra();
    let is_usual = extra.is_none() && !line.is_lossy;
    let twin = is_usual.then(|| text_twin::of(record)).flatten();
    let cluster = CLUSTER.map(|field| record.text(field));
    let head = RowHead {
        record: line.number,
        at: record.at,
        raw: line.raw,
        identity: twin.as_deref().map_or(line.raw, str::as_bytes),
        cluster: &cluster.each_ref().map(Option::as_deref),
    };
    if rows.begin_row(&head) {
        write_cells(record, extra.as_deref(), rows);
    }
}

/// Appends the cells, in the order of the column table.
fn write_cells(record: &Record<'_>, extra: Option<&str>, rows: &mut Rows) {
    let mut column = 0;
    let mut next = || {
        column += 1;
        column - 1
    };
    for field in FIELDS {
        write_field(record, field, rows.cell(next()));
        if field == Field::Key {
            rows.cell(next()).push_text(record.decoded_key().as_deref());
        }
    }
    rows.cell(next()).push_text(extra);
    rows.cell(next()).push_text(Some(record.quality()));
}

fn write_field(record: &Record<'_>, field: Field, cells: &mut Cells) {
    match field {
        Field::Time => cells.push_time(Some(record.at)),
        Field::AclRequired => cells.push_bool(record.acl_required()),
        field if is_number(field) => cells.push_integer(record.number(field)),
        _ => cells.push_text(record.text(field).as_deref()),
    }
}

#[cfg(test)]
mod tests;
