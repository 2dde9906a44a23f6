//! Extracts values from JSON texts by a path: `$.a.b`, `$["a"]` or `$.a[0]`. A text that is not JSON has no values.

use std::fmt;
use std::sync::Arc;

use arrow::array::builder::{MapBuilder, StringBuilder};
use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};
use serde_json::value::RawValue;

use super::{Argument, Function, text, text_at, texts, whole};
use crate::query::type_names::JSON;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "json_extract",
        &[Argument::Text, Argument::Text],
        |_, _| Ok(JSON),
        |columns, _| Ok(cast(&extract(columns, compact)?, &JSON)?),
    ),
    Function::new("json_extract_scalar", &[Argument::Text, Argument::Text], text, |columns, _| {
        extract(columns, scalar)
    }),
    Function::new("json_array_length", &[Argument::Text], whole, |columns, _| Ok(lengths(&columns[0]))),
    Function::new("json_text_map", &[Argument::Text], text_map_type, |columns, _| text_maps(&columns[0])),
];

/// Converts the value at the end of a path to text.
type Take = fn(&RawValue) -> Option<String>;

/// Returns the text of a value without the blanks between its parts.
#[expect(clippy::unnecessary_wraps, reason = "the signature of `Take`")]
fn compact(value: &RawValue) -> Option<String> {
    let (mut is_text, mut is_quoted) = (false, false);
    let is_kept = |letter: &char| {
        let is_blank = !is_text && letter.is_ascii_whitespace();
        is_text ^= *letter == '"' && !is_quoted;
        is_quoted = *letter == '\\' && !is_quoted;
        !is_blank
    };
    Some(value.get().chars().filter(is_kept).collect())
}

/// Returns the value at a path, without blanks between its parts.
pub(super) fn value_at(document: &str, path: &str) -> Result<Option<String>> {
    Ok(at(document, &steps(path)?).and_then(compact))
}

/// Returns the text of a string, number or boolean; `None` for null, objects and arrays.
fn scalar(value: &RawValue) -> Option<String> {
    let written = value.get();
    match written.as_bytes().first()? {
        b'"' => serde_json::from_str(written).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(written.to_owned()),
    }
}

fn extract(columns: &[ArrayRef], take: Take) -> Result<ArrayRef> {
    let (documents, paths) = (texts(&columns[0]), texts(&columns[1]));
    let mut known: Option<(&str, Vec<String>)> = None;
    let mut values = StringBuilder::new();
    for row in 0..documents.len() {
        let (Some(document), Some(path)) = (text_at(documents, row), text_at(paths, row)) else {
            values.append_null();
            continue;
        };
        let steps = match &known {
            Some((same, steps)) if *same == path => steps,
            _ => &known.insert((path, steps(path)?)).1,
        };
        values.append_option(at(document, steps).and_then(take));
    }
    Ok(Arc::new(values.finish()))
}

/// Finds the value at the end of a path.
fn at<'a>(document: &'a str, steps: &[String]) -> Option<&'a RawValue> {
    let mut reader = serde_json::Deserializer::from_str(document);
    let found = Steps(steps).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    found
}

/// Splits a path into steps: field names or element numbers.
fn steps(path: &str) -> Result<Vec<String>> {
    let invalid = || exec_err!("'{path}' is not a JSON path: write it as $.name, $[\"name\"] or $.names[0]");
    let Some(mut rest) = path.strip_prefix('$') else { return invalid() };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, behind) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            (name[..end].to_owned(), &name[end..])
        } else if let Some((quote, name)) = quoted(rest) {
            let Some((name, behind)) = name.split_once(&format!("{quote}]")) else { return invalid() };
            (name.to_owned(), behind)
        } else {
            let inside = rest.strip_prefix('[').and_then(|number| number.split_once(']'));
            let Some((number, behind)) = inside else { return invalid() };
            (number.to_owned(), behind)
        };
        if step.is_empty() || step == "*" {
            return invalid();
        }
        steps.push(step);
        rest = behind;
    }
    Ok(steps)
}

/// Returns the quote that opens a step in brackets, and the text after it.
fn quoted(rest: &str) -> Option<(char, &str)> {
    ['"', '\''].into_iter().find_map(|quote| Some((quote, rest.strip_prefix('[')?.strip_prefix(quote)?)))
}

/// Walks along a path and skips all other values.
struct Steps<'s>(&'s [String]);

impl<'de> DeserializeSeed<'de> for Steps<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> std::result::Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return <&RawValue as serde::Deserialize>::deserialize(reader).map(Some);
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Steps<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> std::result::Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            // The first of several fields with the same name counts.
            if found.is_none() && self.0[0] == *name {
                found = Some(fields.next_value_seed(Steps(&self.0[1..]))?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.flatten())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<Self::Value, A::Error> {
        let wanted: Option<usize> = self.0[0].parse().ok();
        let (mut found, mut place) = (None, 0);
        loop {
            if Some(place) == wanted {
                match elements.next_element_seed(Steps(&self.0[1..]))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                }
            } else if elements.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            place += 1;
        }
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }
}

/// Counts the elements of each array; NULL for other values.
fn lengths(column: &ArrayRef) -> ArrayRef {
    let length = |document: &str| {
        let elements: Vec<IgnoredAny> = serde_json::from_str(document).ok()?;
        i64::try_from(elements.len()).ok()
    };
    let lengths = texts(column).iter().map(|document| document.and_then(length));
    Arc::new(lengths.collect::<Int64Array>())
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of `Function::return_type`")]
fn text_map_type(_: &[FieldRef], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    let fields = vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Utf8, true)];
    let entries = Field::new("entries", DataType::Struct(fields.into()), false);
    Ok(DataType::Map(Arc::new(entries), false))
}

/// Converts objects to maps from text to text; NULL for a value that is not an object or has a member that is not a scalar.
fn text_maps(column: &ArrayRef) -> Result<ArrayRef> {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for document in texts(column) {
        let fields = document.and_then(text_fields);
        for (name, value) in fields.iter().flatten() {
            maps.keys().append_value(name);
            maps.values().append_option(value.as_deref());
        }
        maps.append(fields.is_some())?;
    }
    Ok(Arc::new(maps.finish()))
}

fn text_fields(document: &str) -> Option<Vec<(String, Option<String>)>> {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(document).ok()?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::Null => Some(None),
        serde_json::Value::String(text) => Some(Some(text)),
        serde_json::Value::Object(_) | serde_json::Value::Array(_) => None,
        other => Some(Some(other.to_string())),
    };
    fields.into_iter().map(|(name, value)| Some((name, text(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn extracted(document: &str, path: &str, take: Take) -> Option<String> {
        at(document, &steps(path).unwrap()).and_then(take)
    }

    #[test]
    fn a_path_leads_to_a_scalar_or_to_null() {
        let document = r#" {"a": {"b": "x\"y\u00e9", "n": 1.50, "t": true, "z": null, "l": [{"c": 1e400}, "k"]},
            "dotted.name": "d", "a b": 7, "a2": 1, "a2": 2, "0": "zero"} "#;
        for (path, expected) in [
            ("$.a.b", Some("x\"yé")),
            ("$.a.n", Some("1.50")),
            ("$.a.t", Some("true")),
            ("$.a.z", None),
            ("$.a.l", None),
            ("$.a", None),
            ("$", None),
            ("$.a.l[0].c", Some("1e400")),
            ("$.a.l[1]", Some("k")),
            ("$.a.l.1", Some("k")),
            ("$.a.l[2]", None),
            ("$.a.b.c", None),
            ("$['dotted.name']", Some("d")),
            ("$[\"a b\"]", Some("7")),
            ("$.a2", Some("1")),
            ("$[0]", Some("zero")),
            ("$.none", None),
        ] {
            assert_eq!(extracted(document, path, scalar).as_deref(), expected, "{path}");
        }
        assert_eq!(extracted(document, "$.a.l[0]", compact).as_deref(), Some(r#"{"c":1e400}"#));
    }

    #[test]
    fn a_text_that_is_not_json_has_no_values() {
        for document in ["", "{", "x", r#"{"a":1"#, r#"{"a":1} x"#, r#"{"a":1,}"#, "\u{0}", "null", "3", "[]"]
        {
            assert_eq!(extracted(document, "$.a", scalar), None, "{document}");
        }
        assert_eq!(extracted("3", "$", scalar).as_deref(), Some("3"));
    }

    #[test]
    fn an_invalid_path_is_refused() {
        for path in ["", "a", "$a", "$.", "$..a", "$.*", "$[*]", "$[", "$['a", "$.a["] {
            assert!(steps(path).is_err(), "{path}");
        }
    }

    #[test]
    fn objects_of_scalars_become_maps() {
        assert_eq!(
            text_fields(r#"{"a": "x", "b": null, "c": 1}"#),
            Some(vec![
                ("a".to_owned(), Some("x".to_owned())),
                ("b".to_owned(), None),
                ("c".to_owned(), Some("1".to_owned()))
            ])
        );
        for document in ["", "[]", r#"{"a": []}"#, r#"{"a": 1"#] {
            assert_eq!(text_fields(document), None, "{document}");
        }
        let documents: ArrayRef =
            Arc::new(StringArray::from(vec![Some("[1, {}]"), Some("{}"), None, Some("[]")]));
        assert_eq!(lengths(&documents).as_ref(), &Int64Array::from(vec![Some(2), None, None, Some(0)]));
    }
}
