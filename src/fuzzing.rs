//! Doors to parsers that are not public, for the fuzz targets in `fuzz/`. Programs must not use them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use crate::convert::shard_index::ShardIndex;
use crate::error::Result;
use crate::json::{Stop, Walker};
use crate::plan::PlannedObject;
use crate::publish::InputLine;
use crate::publish::run_record::RunRecord;
use crate::rules::filter::grammar;

/// What the JSON walker finds at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Walked<'t> {
    /// A value.
    Value(&'t str),
    /// The text ends inside a value.
    Incomplete,
    /// No value can begin like this.
    Refused,
}

/// Walks over the JSON value at the start of a text.
#[must_use]
pub fn walk_json(text: &str) -> Walked<'_> {
    match Walker::new(text, 0).value(0) {
        Ok(value) => Walked::Value(value),
        Err(Stop::Incomplete) => Walked::Incomplete,
        Err(Stop::Invalid { .. } | Stop::TooDeep) => Walked::Refused,
    }
}

/// Decodes the inside of a JSON string.
#[must_use]
pub fn unescape_json(written: &str) -> Cow<'_, str> {
    crate::json::unescape(written)
}

/// Parses a filter rule and prints it in one form.
pub fn print_rule(rule: &str) -> Result<String> {
    Ok(grammar::parse(rule)?.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
}

/// Unpacks a list of inputs with this number of objects.
pub fn unpack_inputs(packed: &[u8], objects: u64) -> io::Result<Vec<InputLine>> {
    crate::publish::inputs::unpack(packed, objects)
}

/// Reads a run record.
#[must_use]
pub fn run_record(json: Vec<u8>) -> Option<RunRecord> {
    RunRecord::from_json(json)
}

/// Returns the files that an index of shard 0 of a table names, and its text, if it is accepted.
#[must_use]
pub fn shard_index(text: &str, table: &str, objects: &[PlannedObject]) -> Option<(Vec<String>, String)> {
    ShardIndex::files_of(text, table, objects)
}

/// Resolves the settings of a config file with this text, and of an environment. Returns each setting in effect: its name,
/// value and layer.
pub fn settings(text: &str, environment: BTreeMap<String, String>) -> Result<Vec<(String, String, String)>> {
    crate::cli::settings::of_text(text, environment)
}

/// Returns a statement after the rewriting of its text, and the statement that the engine plans.
#[cfg(feature = "query")]
pub fn rewritten_statement(sql: &str) -> Result<(String, String)> {
    crate::query::statement::rewritten(sql)
}
