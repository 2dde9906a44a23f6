//! The records of CloudTrail: the key and the cells of a row.

use super::envelope::{LIST, is_notification};
use crate::dataset::json_fields::{self, Found, Shape, TimeForm};
use crate::dataset::records::{Fault, Record, RecordFormat};
use crate::json::{Stop, Walker, text};
use crate::kst::UtcInstant;
use crate::table::column::TableSchema;
use crate::table::{RowHead, Rows};

/// The format of the records for one table.
pub(super) struct CloudTrailRecords {
    shape: Shape,
    keys: KeySlots,
}

/// The slots of the values in a row's key.
#[derive(Debug, Clone, Copy)]
struct KeySlots {
    time: Option<usize>,
    source: Option<usize>,
    name: Option<usize>,
    principal: Option<usize>,
    id: Option<usize>,
}

impl CloudTrailRecords {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let shape = Shape::of(schema);
        let keys = KeySlots {
            time: shape.slot_of("eventTime"),
            source: shape.slot_of("eventSource"),
            name: shape.slot_of("eventName"),
            principal: shape.slot_of("userIdentity.arn"),
            id: shape.slot_of("eventID"),
        };
        Self { shape, keys }
    }

    /// Returns the event time of a record.
    fn event_time(&self, found: &Found<'_>) -> Result<UtcInstant, Fault> {
        if let Some(source) =
            value(found, self.keys.source).map(text).filter(|source| is_notification(source))
        {
            let detail = format!("an event notification of {source}, which is not a CloudTrail record");
            return Err(("event_notification", detail));
        }
        let written = value(found, self.keys.time)
            .ok_or_else(|| ("missing_event_time", "the record has no eventTime".to_owned()))?;
        UtcInstant::parse_iso8601(&text(written)).ok_or_else(|| {
            ("bad_event_time", format!("eventTime is {written}, no ISO 8601 instant with a zone"))
        })
    }
}

impl RecordFormat for CloudTrailRecords {
    const LIST: &'static str = LIST;

    type Found<'a> = Found<'a>;

    fn walk<'a>(&'a self, walker: &mut Walker<'a>, found: &mut Found<'a>) -> Result<(), Stop> {
        self.shape.walk(walker, found)
    }

    fn row<'a>(&'a self, record: Record<'_>, found: &mut Found<'a>, rows: &mut Rows) -> Result<(), Fault> {
        let at = self.event_time(found)?;
        let raw = record.raw.as_bytes();
        let text_of = |slot| value(found, slot).map(text);
        let KeySlots { id, source, name, principal, .. } = self.keys;
        let event_id = text_of(id).unwrap_or_default();
        let cluster = [source, name, principal].map(text_of);
        let head = RowHead {
            record: record.number,
            at,
            raw,
            // An event without an id is identified by its whole text.
            identity: if event_id.is_empty() { raw } else { event_id.as_bytes() },
            cluster: &cluster.each_ref().map(Option::as_deref),
        };
        if rows.begin_row(&head) {
            found.keep();
        }
        if found.is_full() {
            self.cells(found, rows);
        }
        Ok(())
    }

    fn cells<'a>(&'a self, found: &mut Found<'a>, rows: &mut Rows) {
        json_fields::write(&self.shape.cells, TimeForm::Iso8601, found, rows);
    }
}

fn value<'a>(found: &Found<'a>, slot: Option<usize>) -> Option<&'a str> {
    found.value(slot?)
}

#[cfg(test)]
mod tests;
