//! Reads the dates and timestamps of a column as instants and as wall clock times.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMillisecondType};
use datafusion::common::Result;

use crate::kst::{DAY_MS, UtcInstant};
use crate::query::zone::Zone;

/// A column of dates or of timestamps in milliseconds.
pub(super) struct Moments<'a> {
    column: &'a ArrayRef,
    /// The zone of all its timestamps, if they have one.
    pub(super) zone: Option<Zone>,
    pub(super) is_date: bool,
}

impl<'a> Moments<'a> {
    pub(super) fn of(column: &'a ArrayRef) -> Result<Self> {
        let zone = Zone::of(column.data_type())?;
        Ok(Self { column, zone, is_date: *column.data_type() == DataType::Date32 })
    }

    pub(super) fn len(&self) -> usize {
        self.column.len()
    }

    /// Returns the instant of a row. Values without a zone are in UTC.
    pub(super) fn instant(&self, row: usize) -> Option<UtcInstant> {
        if self.column.is_null(row) {
            return None;
        }
        Some(UtcInstant(if self.is_date {
            i64::from(self.column.as_primitive::<Date32Type>().value(row)) * DAY_MS
        } else {
            self.column.as_primitive::<TimestampMillisecondType>().value(row)
        }))
    }

    /// Returns the wall clock time of a row in the column's zone.
    pub(super) fn wall(&self, row: usize) -> Result<Option<UtcInstant>> {
        let Some(instant) = self.instant(row) else { return Ok(None) };
        match &self.zone {
            Some(zone) => zone.wall(instant).map(Some),
            None => Ok(Some(instant)),
        }
    }

    /// Returns how far that clock is ahead of UTC; `None` without a zone.
    pub(super) fn ahead_ms(&self, row: usize) -> Result<Option<i64>> {
        match (&self.zone, self.instant(row)) {
            (Some(zone), Some(instant)) => zone.ahead_ms(instant).map(Some),
            _ => Ok(None),
        }
    }
}
