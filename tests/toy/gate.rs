//! The toy log type of docs/adding-a-log-type.md: passes through the gates of a car park.
//!
//! An object is named after the hour of its events: `gate_20231101T0300Z_0001.log`. A line has five fields, the last one
//! in quotes: `2023-11-01T03:00:00Z p-1 north 1.25 "a note"`.

use logmill::dataset::lines::{Line, LineDecoder, LineFormat};
use logmill::dataset::object_key::{split, time_by_pattern};
use logmill::dataset::{Dataset, DecodeLimits, Decoder, KeyClaim, KeyOrigin, KeyTime, TimeInKey};
use logmill::kst::UtcInstant;
use logmill::table::ColumnType::{BigInt, Double, Text, Timestamp};
use logmill::table::{Column, Identifier, Naming, Origin, Promotion, RowHead, Rows, TableSchema};

/// The log type.
#[derive(Debug)]
pub(crate) struct Gate;

impl Dataset for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn default_table(&self) -> &'static str {
        "gate"
    }

    fn default_lateness_hours(&self) -> u32 {
        2
    }

    fn default_redactions(&self) -> &'static [&'static str] {
        &["?plate"]
    }

    fn min_row_bytes(&self) -> u64 {
        24
    }

    fn claim(&self, path: &str) -> KeyClaim {
        match hour(path) {
            Some(at) => KeyClaim::Mine(KeyTime::stretch(at, 0, HOUR_MS)),
            None => KeyClaim::Unclear,
        }
    }

    fn time_in_key(&self, key: &str) -> Option<TimeInKey> {
        hour(key)?;
        let start = key.len() - split(key).1.len() + PREFIX.len();
        Some(TimeInKey { start, pattern: PATTERN, may_name_event_day: false })
    }

    fn holds_days(&self, folder: &str) -> bool {
        split(folder).1 == "gates"
    }

    fn origin<'k>(&self, path: &'k str) -> KeyOrigin<'k> {
        let car_park = path.rsplit_once("/gates/").map(|(above, _)| split(above).1);
        KeyOrigin { region: car_park, ..KeyOrigin::default() }
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        std::str::from_utf8(line).is_ok_and(|line| Pass::of(line).is_some())
    }

    fn schema(&self, naming: Naming, _promoted: &[Promotion]) -> TableSchema {
        TableSchema { columns: COLUMNS.to_vec(), event_time: 0, cluster: vec![3], naming }
    }

    fn decoder(&self, _schema: &TableSchema, limits: DecodeLimits) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(GateLines, limits))
    }
}

const HOUR_MS: i64 = 3_600_000;
const PREFIX: &str = "gate_";
const PATTERN: &str = "YYYYMMDDThhmmZ";

/// The hour in the name of an object.
fn hour(path: &str) -> Option<UtcInstant> {
    time_by_pattern(split(path).1.strip_prefix(PREFIX)?.as_bytes(), PATTERN)
}

static COLUMNS: [Column; 8] = [
    Column::new("time", Timestamp, Origin::Field(1), "When the car passed, UTC"),
    Column::new("time_kst", Timestamp, Origin::EventTimeKst, "When the car passed, Korean wall clock"),
    Column::new("pass_id", Text, Origin::Field(2), "Id of the pass").identifies(Identifier::new("pass-id")),
    Column::new("gate", Text, Origin::Field(3), "Name of the gate"),
    Column::new("seconds", Double, Origin::Field(4), "Seconds for which the gate was open"),
    Column::new("note", Text, Origin::Field(5), "What the driver said"),
    Column::new("source_object", Text, Origin::SourceObject, "Raw object of the line"),
    Column::new("source_record", BigInt, Origin::SourceRecord, "Number of the line in its object, from 1"),
];

/// A line.
struct Pass<'a> {
    at: UtcInstant,
    id: &'a str,
    gate: &'a str,
    seconds: Option<f64>,
    note: &'a str,
}

impl<'a> Pass<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (fields, note) = line.split_once(" \"")?;
        let mut fields = fields.split(' ');
        let mut next = || fields.next();
        let (at, id, gate) = (UtcInstant::parse_iso8601(next()?)?, next()?, next()?);
        let seconds = Some(next()?).filter(|seconds| *seconds != "-");
        let seconds = seconds.map(str::parse).transpose().ok()?;
        Some(Self { at, id, gate, seconds, note: note.strip_suffix('"')? })
    }
}

/// The grammar of the lines.
struct GateLines;

impl LineFormat for GateLines {
    type Waiting<'a> = Vec<Pass<'a>>;

    fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Vec<Pass<'a>>, rows: &mut Rows) {
        let Some(pass) = Pass::of(line.text) else {
            return line.reject("bad_pass", "the line is not a pass", rows);
        };
        let head = RowHead {
            record: line.number,
            at: pass.at,
            raw: line.raw,
            identity: pass.id.as_bytes(),
            cluster: &[pass.gate],
        };
        if rows.begin_row(&head) {
            waiting.push(pass);
        }
    }

    fn cells(&mut self, waiting: &mut Vec<Pass<'_>>, rows: &mut Rows) {
        for pass in waiting.drain(..) {
            rows.cell(0).push_time(Some(pass.at));
            rows.cell(1).push_text(Some(pass.id));
            rows.cell(2).push_text(Some(pass.gate));
            rows.cell(3).push_double(pass.seconds);
            rows.cell(4).push_text(Some(pass.note));
        }
    }
}
