//! What a log type says about its fields and headers, and what follows from it: the schema.

use super::fault::Reason;
use super::field::Field;
use crate::table::ColumnType::{BigInt, Json, Text, Timestamp};
use crate::table::{Column, Naming, Origin, TableSchema};

/// The fields and header lines of a log type.
#[derive(Debug)]
pub(in crate::dataset) struct Grammar<const N: usize> {
    /// The fields in the order of their columns.
    pub(in crate::dataset) fields: &'static [Field; N],
    /// The byte between two values of a line.
    pub(in crate::dataset) separator: u8,
    /// Whether a value can be written as nothing at all.
    pub(in crate::dataset) has_empty_values: bool,
    /// Whether a line can be a JSON object.
    pub(in crate::dataset) has_json: bool,
    /// The role of a line.
    pub(in crate::dataset) role: fn(&str) -> LineRole<'_>,
    /// Returns why lines with these fields belong to another log, if they do.
    pub(in crate::dataset) foreign: fn(&[&str]) -> Option<Reason>,
    /// Whether a header with these names is surely one of this log type.
    pub(in crate::dataset) is_own: fn(&[&str]) -> bool,
    /// The fields of lines without a header.
    pub(in crate::dataset) default_fields: &'static [&'static str],
    /// The known numbers of fields of lines without a header, in increasing order.
    pub(in crate::dataset) default_counts: &'static [usize],
    /// Whether a line without a header can have more fields than the last known form.
    pub(in crate::dataset) is_default_open: bool,
    /// The fields that hold the event time. The first one that has a value decides.
    pub(in crate::dataset) event_time: &'static [EventTime],
    /// The meaning of the event time, for its column.
    pub(in crate::dataset) event_time_meaning: &'static str,
    /// The columns by which rows are sorted before the event time. Both are texts.
    pub(in crate::dataset) cluster: [&'static str; 2],
    /// The column with an id that no two requests share, if any.
    pub(in crate::dataset) id: Option<&'static str>,
    /// The column whose value the name of an object holds too, and how to find it there.
    pub(in crate::dataset) of_name: (&'static str, fn(&str) -> Option<&str>),
}

/// The role of a line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dataset) enum LineRole<'a> {
    /// Values, or not a line of this log type.
    Record,
    /// Not a record, and it says nothing about the lines after it.
    Note,
    /// The names of the fields of the lines after it.
    Header(Vec<&'a str>),
}

/// Fields that hold an event time, by their names.
#[derive(Debug)]
pub(in crate::dataset) enum EventTime {
    /// A time.
    Time(&'static str),
    /// A number of milliseconds since 1970-01-01.
    Millis(&'static str),
    /// A number of seconds since 1970-01-01.
    Seconds(&'static str),
    /// A date and a time of day.
    DateAndClock(&'static str, &'static str),
}

impl<const N: usize> Grammar<N> {
    /// Returns the columns: the event time, those of the fields in their order, then those of every line.
    pub(in crate::dataset) fn schema(&self, naming: Naming) -> TableSchema {
        let mut columns = vec![
            Column::new("event_time", Timestamp, Origin::Decoder, self.event_time_meaning),
            Column::new(
                "event_time_kst",
                Timestamp,
                Origin::EventTimeKst,
                "The event time, Korean wall clock",
            ),
        ];
        let named = |field: &Field| {
            let column = field.column()?;
            Some(Column { origin: Origin::Named(field.name), ..column.clone() })
        };
        columns.extend(self.fields.iter().filter_map(named));
        columns.extend(of_every_line());
        let position = |name: &&str| columns.iter().position(|column| column.name == *name);
        let cluster = self.cluster.iter().filter_map(position).collect();
        TableSchema { columns, event_time: 0, cluster, naming }
    }

    /// Returns the place of the field with a name in headers.
    pub(super) fn field_named(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Returns the place of the field with a column.
    pub(super) fn field_of_column(&self, name: &str) -> usize {
        let is_it = |field: &Field| field.column().is_some_and(|column| column.name == name);
        self.fields
            .iter()
            .position(is_it)
            .expect("the table of fields has the columns that the grammar names")
    }
}

/// The columns after those of the fields, which all log types have.
fn of_every_line() -> [Column; 3] {
    [
        Column::new("extra", Json, Origin::Decoder, "Fields without a column, as a JSON object by name"),
        Column::new("source_object", Text, Origin::SourceObject, "Raw object that the line was read from"),
        Column::new(
            "source_record",
            BigInt,
            Origin::SourceRecord,
            "Number of the line in the raw object, from 1",
        ),
    ]
}
