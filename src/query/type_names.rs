//! Reads Athena's names of types, for example `map(varchar, array(row(a bigint)))`.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// JSON. The engine has no type for it, and no column here has this type for texts.
pub(super) const JSON: DataType = DataType::LargeUtf8;
/// An IP address: 16 bytes, IPv4 mapped into IPv6.
pub(super) const IP_ADDRESS: DataType = DataType::FixedSizeBinary(16);
/// An IP prefix: the first address and the number of bits.
pub(super) const IP_PREFIX: DataType = DataType::FixedSizeBinary(17);

/// A type as a statement or a signature names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TypeName {
    Plain(DataType),
    /// varchar or json; only in signatures.
    Text,
    /// Any type, the same for each use of the letter; only in signatures.
    Letter(String),
    /// Any type; only in signatures.
    Any,
    Array(Box<TypeName>),
    Map(Box<TypeName>, Box<TypeName>),
    Row(Vec<(String, TypeName)>),
}

/// The types without parameters.
const PLAIN: [(&str, DataType); 22] = [
    ("boolean", DataType::Boolean),
    ("tinyint", DataType::Int8),
    ("smallint", DataType::Int16),
    ("integer", DataType::Int32),
    ("int", DataType::Int32),
    ("bigint", DataType::Int64),
    ("real", DataType::Float32),
    ("float", DataType::Float32),
    ("double", DataType::Float64),
    ("varchar", DataType::Utf8),
    ("string", DataType::Utf8),
    ("char", DataType::Utf8),
    ("varbinary", DataType::Binary),
    ("date", DataType::Date32),
    ("timestamp", DataType::Timestamp(TimeUnit::Millisecond, None)),
    ("json", JSON),
    ("ipaddress", IP_ADDRESS),
    ("ipprefix", IP_PREFIX),
    ("interval", DataType::Interval(IntervalUnit::MonthDayNano)),
    ("decimal", DataType::Decimal128(38, 0)),
    ("time", DataType::Time64(TimeUnit::Nanosecond)),
    ("unknown", DataType::Null),
];

impl TypeName {
    /// Reads a name; `None` if no type has it.
    pub(super) fn read(written: &str) -> Option<Self> {
        let written = written.trim();
        if written.len() == 1 && written.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            return Some(Self::Letter(written.to_owned()));
        }
        let lower = written.to_lowercase();
        match lower.as_str() {
            "text" => return Some(Self::Text),
            "any" => return Some(Self::Any),
            _ => {}
        }
        if let Some((_, plain)) = PLAIN.iter().find(|(name, _)| *name == lower) {
            return Some(Self::Plain(plain.clone()));
        }
        let (name, rest) = written.split_once(['(', '<'])?;
        let name = name.trim().to_lowercase();
        let inside = rest.trim_end().strip_suffix([')', '>'])?;
        let parts = split(inside);
        match (name.as_str(), parts.as_slice()) {
            ("array", [element]) => Some(Self::Array(Box::new(Self::read(element)?))),
            ("map", [key, value]) => {
                Some(Self::Map(Box::new(Self::read(key)?), Box::new(Self::read(value)?)))
            }
            ("row", fields) => {
                let fields = fields.iter().enumerate().map(|(place, field)| Self::field(place, field));
                Some(Self::Row(fields.collect::<Option<Vec<_>>>()?))
            }
            ("varchar" | "char", [_]) => Some(Self::Plain(DataType::Utf8)),
            ("timestamp", [_]) => Some(Self::Plain(DataType::Timestamp(TimeUnit::Millisecond, None))),
            ("decimal", [digits]) => Some(Self::Plain(DataType::Decimal128(digits.parse().ok()?, 0))),
            ("decimal", [digits, scale]) => {
                Some(Self::Plain(DataType::Decimal128(digits.parse().ok()?, scale.trim().parse().ok()?)))
            }
            _ => None,
        }
    }

    /// Reads a field of a row: a name and a type, or a type alone.
    fn field(place: usize, written: &str) -> Option<(String, Self)> {
        let written = written.trim();
        let (name, kind) = match written.strip_prefix('"') {
            Some(rest) => rest.split_once('"')?,
            None => written.split_once(char::is_whitespace).unwrap_or((written, "")),
        };
        match Self::read(kind) {
            Some(kind) => Some((name.to_lowercase(), kind)),
            None => Some((format!("field{place}"), Self::read(written)?)),
        }
    }

    /// The type, unless it has open parts.
    pub(super) fn data_type(&self) -> Option<DataType> {
        Some(match self {
            Self::Plain(plain) => plain.clone(),
            Self::Text | Self::Letter(_) | Self::Any => return None,
            Self::Array(element) => DataType::new_list(element.data_type()?, true),
            Self::Map(key, value) => map_type(key.data_type()?, value.data_type()?),
            Self::Row(fields) => {
                let fields = fields.iter().map(|(name, kind)| Some((name.clone(), kind.data_type()?)));
                row_type(fields.collect::<Option<Vec<_>>>()?)
            }
        })
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(plain) => f.write_str(&super::types::name(plain)),
            Self::Text => f.write_str("varchar or json"),
            Self::Letter(letter) => f.write_str(letter),
            Self::Any => f.write_str("any"),
            Self::Array(element) => write!(f, "array({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Row(fields) => {
                let fields = fields.iter().map(|(_, kind)| kind.to_string());
                write!(f, "row({})", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Splits a list at the commas outside parentheses.
pub(super) fn split(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_i32);
    for letter in list.chars() {
        depth += match letter {
            '(' | '<' => 1,
            ')' | '>' => -1,
            _ => 0,
        };
        match letter {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().expect("the list is never empty").push(letter),
        }
    }
    let parts: Vec<String> = parts.iter().map(|part| part.trim().to_owned()).collect();
    if parts.len() == 1 && parts[0].is_empty() { Vec::new() } else { parts }
}

/// The type of a map.
pub(super) fn map_type(key: DataType, value: DataType) -> DataType {
    let fields = vec![Field::new("key", key, false), Field::new("value", value, true)];
    let entries = Field::new("entries", DataType::Struct(fields.into()), false);
    DataType::Map(Arc::new(entries), false)
}

/// The type of a row.
pub(super) fn row_type(fields: Vec<(String, DataType)>) -> DataType {
    let fields = fields.into_iter().map(|(name, kind)| Field::new(name, kind, true));
    DataType::Struct(fields.collect::<Vec<_>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_and_named() {
        for (written, expected) in [
            ("array(integer)", "array(integer)"),
            (
                "map(varchar, array(ROW(a bigint, \"B\" varchar(3))))",
                "map(varchar, array(row(a bigint, b varchar)))",
            ),
            ("array<map<varchar,double>>", "array(map(varchar, double))"),
            ("row(bigint, varchar)", "row(field0 bigint, field1 varchar)"),
            ("decimal(10, 2)", "decimal(10,2)"),
            ("JSON", "json"),
            ("ipaddress", "ipaddress"),
        ] {
            let read = TypeName::read(written).and_then(|read| read.data_type());
            assert_eq!(
                read.map(|read| super::super::types::name(&read)).as_deref(),
                Some(expected),
                "{written}"
            );
        }
        for written in ["", "arrays(bigint)", "array()", "map(varchar)", "T(", "int8x"] {
            assert_eq!(TypeName::read(written), None, "{written}");
        }
    }
}
