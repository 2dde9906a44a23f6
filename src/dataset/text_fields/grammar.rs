//! The table of a log type's fields, and what follows from it: the schema.

use super::column;
use super::field::Field;
use super::kind::Kind;
use super::split::Quoting;
use crate::table::ColumnType::{BigInt, Text, Timestamp};
use crate::table::{Column, Naming, Origin, TableSchema};

/// The fields of a log type.
#[derive(Debug)]
pub(in crate::dataset) struct Grammar<const N: usize> {
    /// The fields in the order of a line.
    pub(in crate::dataset) fields: &'static [Field; N],
    /// How texts are quoted.
    pub(in crate::dataset) quoting: Quoting,
    /// The number of fields in the oldest known form of a line.
    pub(in crate::dataset) oldest: usize,
    /// The columns by which rows are sorted before the event time. Each is the first column of a text or status field.
    pub(in crate::dataset) cluster: [&'static str; 2],
    /// Whether a line is a note of the service and not a record. Such lines have no row.
    pub(in crate::dataset) is_note: fn(&str) -> bool,
}

impl<const N: usize> Grammar<N> {
    /// Returns the columns: the event time, then those of all other fields in their order, then those of every line.
    pub(in crate::dataset) fn schema(&self, naming: Naming) -> TableSchema {
        let (of_time, others): (Vec<_>, Vec<_>) =
            (1..).zip(self.fields).partition(|(_, field)| is_event_time(field));
        let columns = |(position, field): &(usize, &Field)| {
            let position = *position;
            let placed = move |column: &Column| Column { origin: Origin::Field(position), ..column.clone() };
            field.kind.columns().iter().map(placed).collect::<Vec<_>>()
        };
        let mut all: Vec<Column> = of_time.iter().flat_map(columns).collect();
        all.push(Column::new(
            "event_time_kst",
            Timestamp,
            Origin::EventTimeKst,
            "The event time, Korean wall clock",
        ));
        all.extend(others.iter().flat_map(columns));
        all.extend(of_every_line());
        let position = |name: &&str| all.iter().position(|column| column.name == *name);
        let cluster = self.cluster.iter().filter_map(position).collect();
        TableSchema { columns: all, event_time: 0, cluster, naming }
    }

    /// Returns the places of the fields by which rows are sorted.
    pub(super) fn cluster_fields(&self) -> [usize; 2] {
        let place = |name: &str| self.fields.iter().position(|field| field.name() == name);
        self.cluster.map(|name| place(name).expect("the table of fields has the cluster columns"))
    }

    /// Returns the place of the event time.
    pub(super) fn event_time_field(&self) -> usize {
        self.fields.iter().position(is_event_time).expect("the table of fields has an event time")
    }

    /// Returns the name of the field at a place, for messages.
    pub(super) fn name_of(&'static self, field: usize) -> &'static str {
        self.fields.get(field).map_or(EXTRA, Field::name)
    }
}

/// The column of fields after the last known one.
const EXTRA: &str = "extra";

/// The columns after those of the fields, which all log types have.
fn of_every_line() -> [Column; 3] {
    [
        column::text(EXTRA, "Fields after the last known one, as logged"),
        Column::new("source_object", Text, Origin::SourceObject, "Raw object that the line was read from"),
        Column::new(
            "source_record",
            BigInt,
            Origin::SourceRecord,
            "Number of the line in the raw object, from 1",
        ),
    ]
}

fn is_event_time(field: &Field) -> bool {
    matches!(field.kind, Kind::EventTime(_) | Kind::EventTimeUtc(_))
}
