//! Text that a client chose never becomes another field of an access log without a mark.

use arrow::array::{Array, AsArray};
use logmill::dataset::DecodeLimits;
use logmill::kst::DayRange;
use logmill::table::Rows;

use super::choice;
use super::decode::of_name;

/// Ends of lines, from different years.
const TAILS: [&str; 3] = [
    "- Rm9vQmFyQmF6UXV4MDEyMzQ1Njc4OQ== SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader web.s3.amazonaws.com TLSv1.2 - - ap-northeast-2",
    "3HL4kqtJvjVBH40Nrjfkd Rm9vQmFyQmF6UXV4MDEyMzQ1Njc4OQ== - - - web.s3.amazonaws.com -",
    "-",
];
/// Columns after the texts, and their places in the tail.
const AFTER: [(&str, usize); 4] =
    [("version_id", 0), ("host_id", 1), ("signature_version", 2), ("cipher_suite", 3)];

/// The first letter chooses the tail. The lines of the input are the query of the URI, the referer and the user agent.
pub(crate) fn check(mut data: &[u8]) {
    let tail = TAILS[choice(&mut data, TAILS.len())];
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r')).chain(["", "", ""]);
    let mut next = || lines.next().unwrap_or_default();
    let (query, referer, agent) = (next(), next(), next());
    let uri = format!("GET /key?{query} HTTP/1.1");
    let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { format!("\"{text}\"") };
    let line = format!(
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be web [05/Mar/2024:03:00:00 +0000] \
         192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT key {} 200 - 113 114 7 8 {} {} {tail}\n",
        shown(&uri),
        shown(referer),
        shown(agent),
    );
    let row = Row::of(&line);
    let Some(row) = row.filter(|row| row.get("parse_quality").as_deref() == Some("exact")) else { return };
    let logged = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty() && text != "-");
    assert_eq!(row.get("request_uri"), logged(&uri), "{line}");
    assert_eq!(row.get("referer"), logged(referer), "{line}");
    assert_eq!(row.get("user_agent"), logged(agent), "{line}");
    let tail: Vec<&str> = tail.split(' ').collect();
    for (name, place) in AFTER {
        assert_eq!(row.get(name), logged(tail.get(place).copied().unwrap_or_default()), "{name} of {line}");
    }
}

/// The row of a line.
struct Row(arrow::record_batch::RecordBatch);

impl Row {
    /// Decodes a line; `None` if it is rejected.
    fn of(line: &str) -> Option<Self> {
        let (dataset, schema) = of_name("s3-access");
        let mut decoder = dataset.decoder(schema, DecodeLimits::ATHENA);
        let mut rows = Rows::new(schema.decoded(), [0; 4]);
        decoder.begin("2024-03-05-04-00-00-0123456789ABCDEF");
        rows.begin_object(0, DayRange::EVER);
        assert_eq!(decoder.decode(line.as_bytes(), &mut rows), line.len());
        assert_eq!(rows.ledger().read, 1, "a line is one row");
        let cells = rows.take_batch().plain().expect("every cell has the type of its column").cells;
        let columns = schema.decoded().map(|column| column.name.to_string());
        let batch = arrow::record_batch::RecordBatch::try_from_iter_with_nullable(
            columns.zip(cells).map(|(name, cells)| (name, cells, true)),
        );
        Some(Self(batch.expect("the columns have one length"))).filter(|row| row.0.num_rows() == 1)
    }

    fn get(&self, column: &str) -> Option<String> {
        let cells = self.0.column_by_name(column).expect("the column exists").as_string::<i32>();
        cells.is_valid(0).then(|| cells.value(0).to_owned())
    }
}
