//! Masks secrets before anything is written: session tokens, and the parameters that sign a URL.
//!
//! A rule is a JSON path such as `responseElements.credentials.sessionToken`, or `?` and the name of a query parameter. Rules
//! work on decoded columns of every log type, and on the raw bytes of rejected rows. A column without any of the names is
//! searched once and not copied.

mod document;
mod escapes;
mod gate;
mod names;
mod unescaped;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, new_null_array};
use arrow::datatypes::{DataType, UInt32Type};
use serde::{Deserialize, Serialize};

use self::document::Wanted;
use self::names::Names;
use self::unescaped::is_of_name;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{Column, ColumnType, Origin, Rejection, RowBatch, TableSchema, sort_text};

/// The replacement of a masked value. As a JSON value it is quoted.
pub const MASK: &str = "REDACTED";

/// The rule that removes all rules before it.
pub const NO_RULES: &str = "none";

/// The rules of a table, as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedactRules(Vec<String>);

impl RedactRules {
    /// Creates rules from the defaults of a log type.
    #[must_use]
    pub fn new(defaults: &[&str]) -> Self {
        Self(defaults.iter().map(|rule| (*rule).to_owned()).collect())
    }

    /// Adds rules. [`NO_RULES`] among them removes all earlier rules.
    pub fn add(&mut self, rules: &[String]) {
        if rules.iter().any(|rule| rule == NO_RULES) {
            self.0.clear();
        }
        for rule in rules.iter().filter(|rule| *rule != NO_RULES) {
            if !self.0.contains(rule) {
                self.0.push(rule.clone());
            }
        }
    }

    /// Returns the texts of the rules.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.0
    }
}

/// The keys of a JSON path.
type Path = Vec<String>;

/// The rules of a table, resolved to its decoded columns.
#[derive(Debug)]
pub struct Redaction {
    /// Names of query parameters.
    parameters: Names,
    /// Last keys of the JSON paths, for text that is not JSON.
    keys: Names,
    paths: Vec<Path>,
    columns: Vec<ColumnMask>,
    /// Positions of the cluster columns among the decoded ones.
    clusters: Vec<usize>,
}

/// What to mask in a column.
#[derive(Debug)]
enum ColumnMask {
    /// Every cell that is not null. The cells of a column without text become null.
    Cells { text: Option<String> },
    /// Parameters in text.
    Text,
    /// Decoded text from the first parameter value to the end.
    DecodedText,
    /// Values in JSON, and parameters in its text.
    Document { paths: Vec<Path>, has_paths_for_keys: bool, hints: AhoCorasick },
}

impl Redaction {
    /// Parses rules and resolves them to columns.
    pub fn new(schema: &TableSchema, rules: &RedactRules) -> Result<Self> {
        let (mut parameters, mut paths) = (Vec::new(), Vec::new());
        for rule in rules.texts() {
            match rule.strip_prefix('?') {
                Some(name) => parameters.push(parameter(name).ok_or_else(|| refused(rule))?),
                None => paths.push(json_path(rule).ok_or_else(|| refused(rule))?),
            }
        }
        let event_time = &schema.columns[schema.event_time];
        if let ColumnMask::Cells { .. } = ColumnMask::of(event_time, &paths) {
            return Err(Error::new(ErrorKind::Usage, "the event time cannot be masked")
                .hint("choose another path: the event time decides the day of a row"));
        }
        let last_keys = paths.iter().filter_map(|path: &Path| path.last().cloned()).collect();
        Ok(Self {
            columns: schema.decoded().map(|column| ColumnMask::of(column, &paths)).collect(),
            clusters: schema.clusters_decoded().collect(),
            parameters: Names::new(parameters, true),
            keys: Names::new(last_keys, false),
            paths,
        })
    }

    /// Masks the cells of decoded columns. Columns with nothing to mask are not copied.
    pub fn apply(&self, cells: &mut [ArrayRef]) {
        for (mask, cells) in self.columns.iter().zip(cells) {
            if let Some(masked) = self.column(mask, cells) {
                *cells = masked;
            }
        }
    }

    /// Masks the cells of rows, and the values by which the rows are sorted: files claim the order of the cells that are written,
    /// and runs store these values.
    pub(super) fn apply_to(&self, batch: &mut RowBatch) {
        let before: Vec<ArrayRef> =
            self.clusters.iter().map(|place| Arc::clone(&batch.cells[*place])).collect();
        self.apply(&mut batch.cells);
        let mask_of = |(place, cells): (&usize, &ArrayRef)| {
            (!Arc::ptr_eq(cells, &batch.cells[*place])).then(|| &self.columns[*place])
        };
        let masks: Vec<Option<&ColumnMask>> = self.clusters.iter().zip(&before).map(mask_of).collect();
        if masks.iter().any(Option::is_some) {
            batch.replace_sort_texts(|place, text| {
                masks[place].map_or(Cow::Borrowed(text), |mask| self.sort_text(mask, text))
            });
        }
    }

    fn sort_text<'t>(&self, mask: &ColumnMask, text: &'t str) -> Cow<'t, str> {
        match mask {
            _ if text == sort_text(None) => Cow::Borrowed(text),
            ColumnMask::Cells { text } => Cow::Owned(sort_text(text.as_deref()).to_owned()),
            _ => self.text(mask, text),
        }
    }

    fn column(&self, mask: &ColumnMask, cells: &ArrayRef) -> Option<ArrayRef> {
        match (mask, cells.data_type()) {
            (_, DataType::Null) => None,
            (_, DataType::Dictionary(..)) => {
                let dictionary = cells.as_dictionary::<UInt32Type>();
                let masked = self.column(mask, dictionary.values())?;
                Some(Arc::new(dictionary.with_values(masked)))
            }
            (ColumnMask::Cells { text: Some(text) }, DataType::Utf8) => {
                let masked = cells.as_string::<i32>().iter().map(|cell| cell.map(|_| text));
                Some(Arc::new(masked.collect::<StringArray>()))
            }
            (ColumnMask::Cells { .. }, kind) => Some(new_null_array(kind, cells.len())),
            (_, DataType::Utf8) => {
                self.texts(mask, cells.as_string()).map(|masked| Arc::new(masked) as ArrayRef)
            }
            (_, DataType::List(_)) => {
                let list = cells.as_list::<i32>();
                let masked = self.texts(mask, list.values().as_string())?;
                let (element, offsets) = (Arc::new(ColumnType::list_element()), list.offsets().clone());
                Some(Arc::new(ListArray::new(element, offsets, Arc::new(masked), list.nulls().cloned())))
            }
            _ => None,
        }
    }

    fn texts(&self, mask: &ColumnMask, cells: &StringArray) -> Option<StringArray> {
        if !self.may_concern(mask, cells.value_data()) {
            return None;
        }
        Some(cells.iter().map(|cell| cell.map(|text| self.text(mask, text))).collect())
    }

    /// Whether concatenated texts may contain anything to mask.
    fn may_concern(&self, mask: &ColumnMask, texts: &[u8]) -> bool {
        let is_hinted_at = match mask {
            ColumnMask::Document { hints, .. } => hints.is_match(texts),
            _ => false,
        };
        is_hinted_at || self.parameters.are_in(texts)
    }

    fn text<'t>(&self, mask: &ColumnMask, text: &'t str) -> Cow<'t, str> {
        if !self.may_concern(mask, text.as_bytes()) {
            return Cow::Borrowed(text);
        }
        let by_path = match mask {
            ColumnMask::Document { paths, has_paths_for_keys, .. } => {
                let (has_paths_for_keys, names) = (*has_paths_for_keys, &self.parameters);
                Wanted { paths, has_paths_for_keys, names }.mask(text)
            }
            _ => None,
        };
        let text = by_path.map_or(Cow::Borrowed(text), Cow::Owned);
        let masked = match mask {
            ColumnMask::DecodedText => self.parameters.mask_rest(text.as_bytes()),
            _ => self.parameters.mask(text.as_bytes()),
        };
        match masked {
            Some(masked) => Cow::Owned(as_text(masked)),
            None => text,
        }
    }

    /// Masks a rejected row. If its raw bytes are a JSON record, paths are followed. In any text, values under the last key of
    /// a path are masked as well. This can mask too much; the raw object still has the original.
    #[must_use]
    pub fn rejection(&self, mut rejection: Rejection) -> Rejection {
        if let Some(masked) = self.raw(rejection.detail.as_bytes()) {
            rejection.detail = as_text(masked);
        }
        if let Some(raw) = &mut rejection.raw
            && let Some(masked) = self.raw(raw)
        {
            // Keep the length larger than the bytes if the row was cut, because readers detect a cut row by it.
            let was_cut = raw.len() < rejection.raw_bytes;
            rejection.raw_bytes =
                if was_cut { rejection.raw_bytes.max(masked.len() + 1) } else { masked.len() };
            *raw = masked;
        }
        rejection
    }

    /// Masks raw bytes; `None` if there is nothing to mask.
    fn raw(&self, raw: &[u8]) -> Option<Vec<u8>> {
        let wanted = Wanted { paths: &self.paths, has_paths_for_keys: false, names: &self.parameters };
        let by_path =
            std::str::from_utf8(raw).ok().and_then(|text| wanted.mask(text)).map(String::into_bytes);
        let by_key = self.keys.mask(by_path.as_deref().unwrap_or(raw)).or(by_path);
        self.parameters.mask(by_key.as_deref().unwrap_or(raw)).or(by_key)
    }
}

/// Converts masked bytes back to text.
fn as_text(masked: Vec<u8>) -> String {
    String::from_utf8(masked).expect("masks cut text at ASCII bytes only, so it is still UTF-8")
}

impl ColumnMask {
    fn of(column: &Column, rules: &[Path]) -> Self {
        let is_json = column.column_type == ColumnType::Json;
        let is_rest = is_json && column.origin == Origin::Decoder;
        let own: Vec<Path> = match &column.origin {
            Origin::Json(paths) => paths.iter().filter_map(|path| json_path(list_of(path))).collect(),
            _ => Vec::new(),
        };
        if rules.iter().any(|rule| own.iter().any(|own| own.starts_with(rule))) {
            let quote = if is_json { "\"" } else { "" };
            return Self::Cells {
                text: column.column_type.is_text().then(|| format!("{quote}{MASK}{quote}")),
            };
        }
        let below = |rule: &Path| {
            own.iter().find_map(|own| rule.strip_prefix(own.as_slice())).map(<[String]>::to_vec)
        };
        let paths: Vec<Path> =
            if is_rest { rules.to_vec() } else { rules.iter().filter_map(below).collect() };
        if !is_json && paths.is_empty() {
            return if column.origin == Origin::DecodedField { Self::DecodedText } else { Self::Text };
        }
        // Any key may contain escapes.
        let last_keys = paths.iter().filter_map(|path| path.last().map(String::as_str));
        let hints = AhoCorasick::new(last_keys.chain(["\\u"])).expect("an automaton of a few keys is small");
        Self::Document { paths, has_paths_for_keys: is_rest, hints }
    }
}

/// Returns the path of a column without the name of a list's element: `headers` of `headers[host]`.
fn list_of(path: &str) -> &str {
    let named = path.split_once('[').filter(|(_, name)| name.len() > 1 && name.ends_with(']'));
    named.map_or(path, |(list, _)| list)
}

/// Splits a path into keys. Lists on the path need no marker.
fn json_path(path: &str) -> Option<Path> {
    let keys: Path = path.split('.').map(|key| key.strip_suffix("[]").unwrap_or(key).to_owned()).collect();
    let is_key =
        |key: &String| !key.is_empty() && !key.chars().any(|c| c.is_control() || "\"\\[]".contains(c));
    keys.iter().all(is_key).then_some(keys)
}

/// Checks the name of a parameter: it must be valid in a URL without escapes.
fn parameter(name: &str) -> Option<String> {
    (!name.is_empty() && name.bytes().all(is_of_name)).then(|| name.to_owned())
}

fn refused(rule: &str) -> Error {
    let why = match rule.strip_prefix('?') {
        Some(_) => "a parameter needs a name that is valid in a URL without escapes",
        None => "each key of a path needs a name without quotes, brackets and control characters",
    };
    Error::new(ErrorKind::Usage, format!("invalid mask '{rule}': {why}")).hint(
        "name a JSON path such as requestParameters.password, or a query parameter such as ?X-Amz-Signature",
    )
}

#[cfg(test)]
mod tests;
