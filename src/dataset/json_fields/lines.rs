//! Lines of JSON objects: the table of columns gives the time and the cluster of a row. Its identity is the whole line, with
//! its place if equal lines can be real.

use super::cells;
use super::line::walk_line;
use super::shape::{Found, Shape};
use super::time::TimeForm;
use crate::dataset::lines::{Line, LineFormat};
use crate::dataset::placed::PlacedLines;
use crate::json::text;
use crate::kst::UtcInstant;
use crate::table::{Origin, RowHead, Rows, TableSchema};

/// The lines of a log type whose table has a JSON path for its event time and for each of its cluster columns.
pub(in crate::dataset) struct JsonLines {
    shape: Shape,
    times: TimeForm,
    /// Path and slot of the event time.
    time: (String, Option<usize>),
    /// Slots of the cluster columns.
    cluster: [Option<usize>; 2],
    /// The object, if the place of a line belongs to its identity.
    placed: Option<PlacedLines>,
}

impl JsonLines {
    /// Returns the format of a table.
    pub(in crate::dataset) fn new(schema: &TableSchema, times: TimeForm) -> Self {
        let shape = Shape::of(schema);
        let path_of = |column: usize| match &schema.columns[column].origin {
            Origin::Json(paths) => paths[0].to_string(),
            _ => String::new(),
        };
        let time = path_of(schema.event_time);
        let cluster = std::array::from_fn(|place| shape.slot_of(&path_of(schema.cluster[place])));
        let time = (time.clone(), shape.slot_of(&time));
        Self { time, shape, times, cluster, placed: None }
    }

    /// Makes equal lines in different places different rows.
    pub(in crate::dataset) fn in_places(self) -> Self {
        Self { placed: Some(PlacedLines::default()), ..self }
    }

    /// Returns the event time of a record, or why it has none: the reason and a sentence.
    fn event_time(&self, found: &Found<'_>) -> Result<UtcInstant, (&'static str, String)> {
        let (path, slot) = &self.time;
        let written =
            value(found, *slot).ok_or_else(|| ("missing_event_time", format!("the record has no {path}")))?;
        let words = self.times.words();
        self.times
            .read(written)
            .ok_or_else(|| ("bad_event_time", format!("{path} is {written}, which is not {words}")))
    }
}

impl LineFormat for JsonLines {
    type Waiting<'a> = Found<'a>;

    fn begin(&mut self, key: &str) {
        if let Some(placed) = &mut self.placed {
            placed.begin(key);
        }
    }

    fn row<'a>(&mut self, line: &Line<'a>, found: &mut Found<'a>, rows: &mut Rows) {
        let at = walk_line(&self.shape, line.text, found).and_then(|()| self.event_time(found));
        let at = match at {
            Ok(at) => at,
            Err((reason, detail)) => return line.reject(reason, detail, rows),
        };
        let cluster = self.cluster.map(|slot| value(found, slot).map(text).unwrap_or_default());
        let cluster = cluster.each_ref().map(AsRef::as_ref);
        let identity = self.placed.as_mut().map_or(line.raw, |placed| placed.identity(line));
        let head = RowHead { record: line.number, at, raw: line.raw, identity, cluster: &cluster };
        if rows.begin_row(&head) {
            found.keep();
        }
    }

    fn cells(&mut self, found: &mut Found<'_>, rows: &mut Rows) {
        cells::write(&self.shape.cells, self.times, found, rows);
    }
}

fn value<'a>(found: &Found<'a>, slot: Option<usize>) -> Option<&'a str> {
    found.value(slot?)
}
