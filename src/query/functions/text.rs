//! Functions that cut texts. Positions count characters from 1.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::Int64Type;
use datafusion::common::{Result, exec_err};

use super::{Argument, Function, text, text_at, texts};
use crate::query::types;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("btrim_blanks", &[Argument::Text], text, |columns, _| {
        Ok(trimmed(&columns[0], |value| value.trim_matches(is_blank)))
    }),
    Function::new("ltrim_blanks", &[Argument::Text], text, |columns, _| {
        Ok(trimmed(&columns[0], |value| value.trim_start_matches(is_blank)))
    }),
    Function::new("rtrim_blanks", &[Argument::Text], text, |columns, _| {
        Ok(trimmed(&columns[0], |value| value.trim_end_matches(is_blank)))
    }),
    Function::new("split_part", &[Argument::Text, Argument::Text, Argument::Whole], text, |columns, _| {
        split_parts(columns)
    }),
    Function::new("substr_from", &[Argument::Text, Argument::Whole], text, |columns, _| Ok(pieces(columns))),
    Function::new("substr_of", &[Argument::Text, Argument::Whole, Argument::Whole], text, |columns, _| {
        Ok(pieces(columns))
    }),
    Function::new("typeof", &[Argument::Any], text, |columns, _| {
        let name = types::name(columns[0].data_type());
        Ok(Arc::new(StringArray::from(vec![name; columns[0].len()])))
    }),
    Function::new("varchar_of", &[Argument::Text, Argument::Whole, Argument::Text], text, |columns, _| {
        cut_texts(columns)
    }),
];

fn trimmed(column: &ArrayRef, trim: fn(&str) -> &str) -> ArrayRef {
    Arc::new(texts(column).iter().map(|value| value.map(trim)).collect::<StringArray>())
}

/// Whether Java counts a character as whitespace: also tabs and line ends, but not the spaces that do not break.
fn is_blank(letter: char) -> bool {
    let is_excluded = ['\u{85}', '\u{a0}', '\u{2007}', '\u{202f}'].contains(&letter);
    letter.is_whitespace() && !is_excluded || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// Limits texts to a length. Values that were text are cut; values cast from other types must fit.
fn cut_texts(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, types) = (texts(&columns[0]), texts(&columns[2]));
    let one = |row| {
        let (Some(value), Some(most)) = (text_at(values, row), number_at(&columns[1], row)) else {
            return Ok(None);
        };
        let cut = piece(value, 1, most);
        if cut != value && text_at(types, row) != Some("varchar") {
            return exec_err!("'{value}' does not fit into varchar({most})");
        }
        Ok(Some(cut))
    };
    Ok(Arc::new((0..values.len()).map(one).collect::<Result<StringArray>>()?))
}

fn split_parts(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, delimiters) = (texts(&columns[0]), texts(&columns[1]));
    let one = |row| match (text_at(values, row), text_at(delimiters, row), number_at(&columns[2], row)) {
        (Some(value), Some(delimiter), Some(number)) => {
            let Some(number) = usize::try_from(number).ok().filter(|number| *number > 0) else {
                return exec_err!("split_part counts from 1, not from {number}");
            };
            Ok(split_part(value, delimiter, number))
        }
        _ => Ok(None),
    };
    Ok(Arc::new((0..values.len()).map(one).collect::<Result<StringArray>>()?))
}

/// Returns the piece at a position; `None` after the last one. An empty delimiter splits the text into characters.
fn split_part<'t>(value: &'t str, delimiter: &str, number: usize) -> Option<&'t str> {
    if delimiter.is_empty() {
        let (start, character) = value.char_indices().nth(number - 1)?;
        return Some(&value[start..start + character.len_utf8()]);
    }
    value.split(delimiter).nth(number - 1)
}

fn pieces(columns: &[ArrayRef]) -> ArrayRef {
    let values = texts(&columns[0]);
    let one = |row| {
        let length = match columns.get(2) {
            Some(lengths) => number_at(lengths, row)?,
            None => i64::MAX,
        };
        Some(piece(text_at(values, row)?, number_at(&columns[1], row)?, length))
    };
    Arc::new((0..values.len()).map(one).collect::<StringArray>())
}

/// Returns the text from a character on. A negative position counts from the end. Empty if the character does not exist.
fn piece(value: &str, start: i64, length: i64) -> &str {
    let count = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    let before = if start < 0 { count.saturating_add(start) } else { start - 1 };
    if start == 0 || before < 0 || before >= count || length <= 0 {
        return "";
    }
    let byte_of = |place: i64| {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        value.char_indices().nth(place).map_or(value.len(), |(byte, _)| byte)
    };
    &value[byte_of(before)..byte_of(before.saturating_add(length))]
}

fn number_at(column: &ArrayRef, row: usize) -> Option<i64> {
    column.is_valid(row).then(|| column.as_primitive::<Int64Type>().value(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_starts_at_the_given_character() {
        for (start, length, expected) in [
            (1, i64::MAX, "a\u{e9}cdef"),
            (2, 2, "\u{e9}c"),
            (-3, i64::MAX, "def"),
            (-5, 2, "\u{e9}c"),
            (0, 3, ""),
            (-7, 3, ""),
            (7, 1, ""),
            (6, 5, "f"),
            (2, 0, ""),
            (2, -1, ""),
            (i64::MIN, i64::MIN, ""),
            (i64::MAX, i64::MAX, ""),
        ] {
            assert_eq!(piece("a\u{e9}cdef", start, length), expected, "{start}, {length}");
        }
    }

    #[test]
    fn a_part_after_the_last_one_is_null() {
        for (value, delimiter, number, expected) in [
            ("a:b", ":", 2, Some("b")),
            ("a:b", ":", 3, None),
            ("a::b", ":", 2, Some("")),
            ("", ":", 1, Some("")),
            ("\u{e9}b", "", 1, Some("\u{e9}")),
            ("\u{e9}b", "", 3, None),
        ] {
            assert_eq!(split_part(value, delimiter, number), expected, "{value}, {number}");
        }
    }
}
