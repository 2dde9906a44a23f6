//! A filter rule means the same after it is printed, and an error about it names a place in it.

use std::sync::OnceLock;

use arrow::array::ArrayRef;
use logmill::dataset::DecodeLimits;
use logmill::fuzzing::print_rule;
use logmill::kst::DayRange;
use logmill::rules::filter::RowFilter;
use logmill::table::Rows;

use super::decode::of_name;

pub(crate) fn check(data: &[u8]) {
    let Ok(rule) = std::str::from_utf8(data) else { return };
    match print_rule(rule) {
        Ok(printed) => {
            assert_eq!(print_rule(&printed).ok().as_ref(), Some(&printed), "printed from {rule}");
            for name in ["cloudtrail", "s3-access"] {
                assert_eq!(left_out(name, rule), left_out(name, &printed), "{rule} as {printed}");
            }
        }
        Err(error) => {
            let at: usize =
                error.fact("character").and_then(|at| at.parse().ok()).expect("an error has a place");
            assert!((1..=rule.chars().count() + 1).contains(&at), "{rule}: {error}");
        }
    }
}

/// Which of a few rows a rule leaves out; `None` if it does not fit the columns.
fn left_out(name: &str, rule: &str) -> Option<Vec<bool>> {
    let (_, schema) = of_name(name);
    let filter = RowFilter::new(schema, &[rule.to_owned()]).ok()?;
    let cells = if name == "cloudtrail" { trail() } else { access() };
    let found = filter.matches(cells).expect("a filter that fits the columns has an answer");
    Some(found.map_or_else(|| vec![false; cells[0].len()], |found| found.iter().collect()))
}

fn trail() -> &'static [ArrayRef] {
    static CELLS: OnceLock<Vec<ArrayRef>> = OnceLock::new();
    CELLS.get_or_init(|| {
        cells(
            "cloudtrail",
            "{\"Records\":[\
             {\"eventTime\":\"2023-11-01T00:00:00Z\",\"eventName\":\"GetObject\",\"eventID\":\"a\",\"readOnly\":true},\
             {\"eventTime\":\"2023-11-01T00:00:01Z\",\"userAgent\":\"it's 100% 한\",\"readOnly\":false},\
             {\"eventTime\":\"2023-11-01T00:00:02Z\",\"eventVersion\":\"1.08\",\"additionalEventData\":{\"bytesTransferredOut\":12.0}}]}",
        )
    })
}

fn access() -> &'static [ArrayRef] {
    static CELLS: OnceLock<Vec<ArrayRef>> = OnceLock::new();
    let line = |status: u16, bytes: &str, agent: &str| {
        format!(
            "79a5 web [05/Mar/2024:03:00:00 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT key \
             \"GET /key HTTP/1.1\" {status} - {bytes} 114 7 8 \"-\" {agent} - HOST= SigV4 CIPHER AuthHeader host TLSv1.2 - -\n"
        )
    };
    CELLS.get_or_init(|| {
        cells(
            "s3-access",
            &[line(200, "113", "\"curl/8\""), line(404, "-", "-"), line(500, "0", "\"%_\"")].concat(),
        )
    })
}

fn cells(name: &str, content: &str) -> Vec<ArrayRef> {
    let (dataset, schema) = of_name(name);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    let mut decoder = dataset.decoder(schema, DecodeLimits::ATHENA);
    decoder.begin("2024-03-05-04-00-00-0123456789ABCDEF");
    rows.begin_object(0, DayRange::EVER);
    let used = decoder.decode(content.as_bytes(), &mut rows);
    decoder.finish(&content.as_bytes()[used..], &mut rows);
    assert_eq!((rows.ledger().quarantined, rows.len()), (0, 3), "the rows of the test are valid");
    rows.take_batch().plain().expect("every cell has the type of its column").cells
}
