//! The grammar of access log lines for the shared framing of lines: one line, one row. A line that begins with `{` is a
//! record in JSON; no other line of S3 does.

use super::cells::{self, ParsedLine};
use super::field::CLUSTER;
use super::fields;
use super::json_form::JsonRecords;
use crate::dataset::json_fields::begins_line;
use crate::dataset::lines::{Line, LineFormat};
use crate::table::{RowHead, Rows};

/// Lines of S3 server access logs.
pub(super) struct AccessLines {
    json: JsonRecords,
}

impl AccessLines {
    pub(super) fn new() -> Self {
        Self { json: JsonRecords::new() }
    }
}

impl LineFormat for AccessLines {
    type Waiting<'a> = Vec<ParsedLine<'a>>;

    fn row<'a>(&mut self, line: &Line<'a>, waiting: &mut Vec<ParsedLine<'a>>, rows: &mut Rows) {
        let parsed = match fields::parse(line.text.as_bytes()) {
            Ok(parsed) => ParsedLine { text: line.text, line: parsed, lossy: line.is_lossy },
            Err(fault) => return line.reject(fault.as_str(), fault.to_string(), rows),
        };
        let head = RowHead {
            record: line.number,
            at: parsed.request_time(),
            raw: line.raw,
            // Several rows share one request id: only a line that repeats as a whole is the same row.
            identity: line.raw,
            cluster: &CLUSTER.map(|field| parsed.get(field).unwrap_or_default()),
        };
        if rows.begin_row(&head) {
            waiting.push(parsed);
        }
    }

    fn cells(&mut self, waiting: &mut Vec<ParsedLine<'_>>, rows: &mut Rows) {
        cells::write(waiting, rows);
    }

    fn has_other_form(&self, line: &[u8]) -> bool {
        begins_line(line)
    }

    fn other_row(&mut self, line: &Line<'_>, rows: &mut Rows) {
        self.json.read(line, rows);
    }
}
