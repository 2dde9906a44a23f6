//! Lines as rows in JSON, for the tests of log types whose objects hold lines.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use serde_json::{Map, Value, json};

use crate::dataset::{Dataset, DecodeLimits};
use crate::kst::{DayRange, UtcInstant};
use crate::table::{Naming, Rows};

/// What became of a line: the cells that are not NULL, or the reason and detail of a rejection.
pub(in crate::dataset) type Outcome = Result<Map<String, Value>, (&'static str, String)>;

/// Decodes one line. Returns `None` for a line without a record.
pub(in crate::dataset) fn decode(dataset: &dyn Dataset, line: &str) -> Option<Outcome> {
    let mut outcomes = decode_all(dataset, line.as_bytes());
    assert!(outcomes.len() < 2, "{line}");
    outcomes.pop()
}

/// Decodes lines: first the rows, then the rejections.
pub(in crate::dataset) fn decode_all(dataset: &dyn Dataset, lines: &[u8]) -> Vec<Outcome> {
    decode_object(dataset, "", lines)
}

/// Decodes the lines of an object with a key.
pub(in crate::dataset) fn decode_object(dataset: &dyn Dataset, key: &str, lines: &[u8]) -> Vec<Outcome> {
    let schema = dataset.schema(Naming::Snake, &[]);
    let mut decoder = dataset.decoder(&schema, DecodeLimits::ATHENA);
    let mut rows = Rows::new(schema.decoded(), [0; 4]);
    decoder.begin(key);
    rows.begin_object(0, DayRange::EVER);
    let used = decoder.decode(lines, &mut rows);
    decoder.finish(&lines[used..], &mut rows);
    assert!(rows.ledger().balances(), "{:?}", rows.ledger());
    let rejections = rows.take_rejections();
    let batch = rows.take_batch().plain().unwrap();
    let row = |row: usize| {
        let cells = schema.decoded().zip(&batch.cells).filter(|(_, cells)| cells.is_valid(row));
        cells.map(|(column, cells)| (column.name.to_string(), cell(cells.as_ref(), row))).collect()
    };
    let kept = (0..batch.keys.len()).map(|number| Ok(row(number)));
    kept.chain(rejections.into_iter().map(|rejection| Err((rejection.reason, rejection.detail)))).collect()
}

fn cell(cells: &dyn Array, row: usize) -> Value {
    match cells.data_type() {
        DataType::Utf8 => cells.as_string::<i32>().value(row).into(),
        DataType::Boolean => cells.as_boolean().value(row).into(),
        DataType::Int32 => cells.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => cells.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => cells.as_primitive::<Float64Type>().value(row).into(),
        DataType::Timestamp(..) => {
            UtcInstant(cells.as_primitive::<TimestampMillisecondType>().value(row)).to_string().into()
        }
        _ => json!(cells.as_list::<i32>().value(row).as_string::<i32>().iter().collect::<Vec<_>>()),
    }
}

/// Compares some columns of a row. `null` means that the column is NULL.
pub(in crate::dataset) fn assert_cells(dataset: &dyn Dataset, line: &str, expected: &Value) {
    let row = decode(dataset, line).expect("a record").unwrap_or_else(|fault| panic!("{fault:?}: {line}"));
    for (column, value) in expected.as_object().unwrap() {
        assert_eq!(row.get(column).unwrap_or(&Value::Null), value, "{column} of {line}");
    }
}

/// Returns a line of fields with another text for some of them, by their numbers from 1.
pub(in crate::dataset) fn line_with(fields: &[&str], others: &[(usize, &str)]) -> String {
    let mut fields = fields.to_vec();
    for (number, text) in others {
        fields[number - 1] = text;
    }
    fields.join(" ")
}

/// Asserts the reason for which a line is rejected.
pub(in crate::dataset) fn assert_rejected(dataset: &dyn Dataset, line: &str, reason: &str) {
    let outcome = decode(dataset, line).expect("a record");
    assert_eq!(outcome.as_ref().map_err(|(reason, _)| *reason), Err(reason), "{line}");
}

/// An edit of a line: its place, a byte, and the kind of edit.
pub(in crate::dataset) type Edit = (proptest::sample::Index, u8, u8);

/// A line after some edits: a byte replaced, inserted or removed, or the end cut off.
pub(in crate::dataset) fn mutated(mut line: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (place, byte, edit) in edits {
        let at = place.index(line.len().max(1)).min(line.len());
        let byte = if byte % 2 == 0 { b" \"-\\\r\0"[usize::from(byte / 2 % 6)] } else { *byte };
        match edit {
            0 if at < line.len() => line[at] = byte,
            1 => line.insert(at, byte),
            2 if at < line.len() => drop(line.remove(at)),
            _ => line.truncate(at.max(1)),
        }
    }
    line
}
