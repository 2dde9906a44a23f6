//! Regular expressions and paths that repeat from row to row, compiled once per thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use datafusion::common::{Result, exec_err};
use regex::Regex;

use super::json_path::Path;

/// Most expressions to remember.
const MAX_KNOWN: usize = 64;

/// What was compiled, by its text.
type Known<T> = RefCell<HashMap<String, Rc<T>>>;

thread_local! {
    static REGEXES: Known<Regex> = RefCell::default();
    static PATHS: Known<Path> = RefCell::default();
}

/// Returns a compiled expression.
pub(super) fn regex(pattern: &str) -> Result<Rc<Regex>> {
    REGEXES.with(|known| compiled(known, pattern, compiled_regex))
}

/// Returns a parsed path.
pub(super) fn path(written: &str) -> Result<Rc<Path>> {
    PATHS.with(|known| compiled(known, written, Path::parse))
}

fn compiled<T>(known: &Known<T>, text: &str, compile: fn(&str) -> Result<T>) -> Result<Rc<T>> {
    let mut known = known.borrow_mut();
    if let Some(found) = known.get(text) {
        return Ok(Rc::clone(found));
    }
    let made = Rc::new(compile(text)?);
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(text.to_owned(), Rc::clone(&made));
    Ok(made)
}

fn compiled_regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).or_else(|cause| {
        let cause = cause.to_string();
        let last = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        exec_err!("'{pattern}' is not a regular expression here: {last}")
    })
}
