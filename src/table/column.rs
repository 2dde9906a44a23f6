//! The definition of a column, which gives its Arrow field, Hive type, DDL line and documentation row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize, Serializer};

/// The types that Athena engine v3, Spark, DuckDB and QuickSight all read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// JSON text, verbatim.
    Json,
    /// True or false.
    Bool,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    BigInt,
    /// 64-bit floating-point number; never NaN or infinite.
    Double,
    /// Milliseconds, without zone.
    Timestamp,
    /// List of nullable texts, inner field `element`.
    TextList,
}

impl ColumnType {
    /// Returns the Arrow type in memory and in the Parquet file.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::BigInt => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::TextList => DataType::List(Arc::new(Self::list_element())),
        }
    }

    /// Returns the Hive type in the spelling of Athena and the Glue catalog.
    #[must_use]
    pub fn hive(self) -> &'static str {
        match self {
            Self::Text | Self::Json => "string",
            Self::Bool => "boolean",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Double => "double",
            Self::Timestamp => "timestamp",
            Self::TextList => "array<string>",
        }
    }

    /// Whether the values are numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        match self {
            Self::Int | Self::BigInt | Self::Double => true,
            Self::Text | Self::Json | Self::Bool | Self::Timestamp | Self::TextList => false,
        }
    }

    /// Whether the values are texts, which can hold any JSON value as written.
    #[must_use]
    pub fn is_text(self) -> bool {
        match self {
            Self::Text | Self::Json => true,
            Self::Bool | Self::Int | Self::BigInt | Self::Double | Self::Timestamp | Self::TextList => false,
        }
    }

    /// Returns the field inside a list, in Parquet's three-level form with the name that Athena and Spark expect.
    #[must_use]
    pub fn list_element() -> Field {
        Field::new("element", DataType::Utf8, true)
    }
}

/// The origin of a column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A JSON path, for example `userIdentity.arn`, or alternative paths. A record uses one of them.
    Json(Cow<'static, [Cow<'static, str>]>),
    /// A field of a line, by its position in AWS's list, from 1.
    Field(usize),
    /// A field of a line, by its name in the header of the object.
    Named(&'static str),
    /// A field of a line after percent-decoding.
    DecodedField,
    /// A value from the decoder: a finding of its own, or data that has no other column.
    Decoder,
    /// The event time in KST.
    EventTimeKst,
    /// The address of the raw object.
    SourceObject,
    /// The record or line number in the raw object, from 1.
    SourceRecord,
}

impl Origin {
    /// Whether the value is computed when files are written and is not decoded.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        matches!(self, Self::EventTimeKst | Self::SourceObject | Self::SourceRecord)
    }
}

/// How often a column's values repeat, which decides how they are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spread {
    /// Values repeat. They get a dictionary.
    #[default]
    Repeating,
    /// Values repeat, and queries look for single values. They get a dictionary and a bloom filter.
    Searched,
    /// Nearly every row has its own value, and queries look for it. It gets a bloom filter and no dictionary.
    Unique,
}

/// A kind of id that finds rows. `logmill why` takes each kind as a flag, for example `--event-id`.
///
/// Several log types can declare the same kind, under any column name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier {
    flag: &'static str,
}

impl Identifier {
    /// The id of one event.
    pub const EVENT: Self = Self::new("event-id");
    /// The id of one request, which several rows can share.
    pub const REQUEST: Self = Self::new("request-id");

    /// Declares a kind of id by its flag without the leading dashes, for example `trace-id`.
    #[must_use]
    pub const fn new(flag: &'static str) -> Self {
        Self { flag }
    }

    /// Returns the flag without the leading dashes: `event-id`.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        self.flag
    }

    /// Returns the name in prose: `event id`.
    #[must_use]
    pub fn words(self) -> String {
        self.flag.replace('-', " ")
    }
}

/// The name in JSON: `event_id`.
impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.flag.replace('-', "_"))
    }
}

/// The naming scheme of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// The JSON path or field in `snake_case`: `user_identity_arn`.
    #[default]
    Snake,
    /// Lower case without underscores inside a path segment: `useridentity_arn`.
    Compact,
}

/// The name of a column under [`Naming::Compact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactName {
    /// The name by the rule of [`Column::named`].
    ByRule,
    /// A fixed name.
    Fixed(&'static str),
    /// The name that the user chose, as under [`Naming::Snake`].
    AsGiven,
}

/// The longest comment of a column in the catalog, in bytes (AWS Glue API, `Column`).
pub const MAX_COMMENT_BYTES: usize = 255;

/// Returns a comment for the catalog, cut if it is too long.
#[must_use]
pub fn comment(text: String) -> String {
    const CUT: &str = "...";
    if text.len() <= MAX_COMMENT_BYTES {
        return text;
    }
    text[..text.floor_char_boundary(MAX_COMMENT_BYTES - CUT.len())].to_owned() + CUT
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// `snake_case` name.
    pub name: Cow<'static, str>,
    /// Type.
    pub column_type: ColumnType,
    /// Origin of the value.
    pub origin: Origin,
    /// Its meaning in one line, which becomes the comment in the catalog (at most [`MAX_COMMENT_BYTES`]).
    pub meaning: Cow<'static, str>,
    /// How often its values repeat.
    pub spread: Spread,
    /// The kind of id that it holds, if any.
    pub identifies: Option<Identifier>,
    /// Its name under compact naming.
    pub compact: CompactName,
}

impl Column {
    /// Returns a column whose values repeat and whose compact name follows the rule.
    #[must_use]
    pub const fn new(
        name: &'static str,
        column_type: ColumnType,
        origin: Origin,
        meaning: &'static str,
    ) -> Self {
        let (name, meaning) = (Cow::Borrowed(name), Cow::Borrowed(meaning));
        let (spread, compact) = (Spread::Repeating, CompactName::ByRule);
        Self { name, column_type, origin, meaning, spread, identifies: None, compact }
    }

    /// Marks a column whose values repeat and are searched for.
    #[must_use]
    pub const fn searched(mut self) -> Self {
        self.spread = Spread::Searched;
        self
    }

    /// Marks a column in which nearly every row has its own value.
    #[must_use]
    pub const fn unique(mut self) -> Self {
        self.spread = Spread::Unique;
        self
    }

    /// Marks a column in which nearly every row has its own value, an id of some kind.
    #[must_use]
    pub const fn identifies(mut self, what: Identifier) -> Self {
        self.identifies = Some(what);
        self.unique()
    }

    /// Sets a fixed compact name.
    #[must_use]
    pub const fn compact(mut self, name: &'static str) -> Self {
        self.compact = CompactName::Fixed(name);
        self
    }

    /// Returns the name under a naming scheme.
    ///
    /// A compact name is the JSON path in lower case with `_` for `.`. A column without a path drops its underscores,
    /// except before `kst`.
    #[must_use]
    pub fn named(&self, naming: Naming) -> Cow<'_, str> {
        match (naming, self.compact, &self.origin) {
            (Naming::Snake, _, _) | (_, CompactName::AsGiven, _) => Cow::Borrowed(&self.name),
            (Naming::Compact, CompactName::Fixed(name), _) => Cow::Borrowed(name),
            (Naming::Compact, CompactName::ByRule, Origin::Json(paths)) => {
                Cow::Owned(paths[0].replace("[]", "").replace('.', "_").to_ascii_lowercase())
            }
            (Naming::Compact, CompactName::ByRule, _) => match self.name.strip_suffix("_kst") {
                Some(stem) => Cow::Owned(stem.replace('_', "") + "_kst"),
                None => Cow::Owned(self.name.replace('_', "")),
            },
        }
    }

    /// Returns the Arrow field under a naming scheme. Every column is nullable.
    #[must_use]
    pub fn field(&self, naming: Naming) -> Field {
        Field::new(self.named(naming), self.column_type.arrow(), true)
    }

    /// Returns the origin of the value in words.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.origin {
            Origin::Json(paths) => paths.join(", "),
            Origin::Field(position) => format!("field {position}"),
            Origin::Named(name) => (*name).to_owned(),
            Origin::Decoder | Origin::DecodedField => "decoder".to_owned(),
            Origin::EventTimeKst => "event time + 9 h".to_owned(),
            Origin::SourceObject => "address of the raw object".to_owned(),
            Origin::SourceRecord => "record or line number in it".to_owned(),
        }
    }
}

/// The columns of a table, in order.
#[derive(Debug, Clone)]
pub struct TableSchema {
    /// All columns, including the derived ones, but without the partition column.
    pub columns: Vec<Column>,
    /// Position of the event time in UTC.
    pub event_time: usize,
    /// Positions of the columns by which rows are sorted before the event time; there may be none. They are texts, or integers
    /// whose texts have one width.
    pub cluster: Vec<usize>,
    /// Naming scheme of the columns.
    pub naming: Naming,
}

impl TableSchema {
    /// Returns the columns that a decoder fills, in order.
    pub fn decoded(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.origin.is_derived())
    }

    /// Returns the positions of the cluster columns among the decoded ones.
    pub fn clusters_decoded(&self) -> impl Iterator<Item = usize> {
        let decoded_before = |place: &usize| {
            self.columns[..*place].iter().filter(|column| !column.origin.is_derived()).count()
        };
        self.cluster.iter().map(decoded_before)
    }

    /// Finds the position of a column by its `snake_case` name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Finds a column by its name under the table's naming scheme, or under the other one.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Column> {
        let under = |naming| self.columns.iter().find(move |column| column.named(naming) == name);
        under(self.naming).or_else(|| under(Naming::Snake)).or_else(|| under(Naming::Compact))
    }

    /// Returns the kinds of ids that columns declare.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier> {
        self.columns.iter().filter_map(|column| column.identifies)
    }

    /// Finds the column that holds a kind of id.
    #[must_use]
    pub fn identifier(&self, what: Identifier) -> Option<&Column> {
        self.columns.iter().find(|column| column.identifies == Some(what))
    }

    /// Returns the fields of the published file.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        self.columns.iter().map(|column| column.field(self.naming)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_cut_between_characters() {
        for (text, expected) in [
            ("a".repeat(255), "a".repeat(255)),
            ("a".repeat(256), "a".repeat(252) + "..."),
            ("\u{ac00}".repeat(85), "\u{ac00}".repeat(85)),
            ("\u{ac00}".repeat(86), "\u{ac00}".repeat(84) + "..."),
            ("a".to_owned() + &"\u{ac00}".repeat(85), "a".to_owned() + &"\u{ac00}".repeat(83) + "..."),
        ] {
            assert_eq!(comment(text), expected);
        }
    }
}
