//! Regular expressions and paths that repeat from row to row, compiled once per thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use datafusion::common::{Result, exec_err};
use regex::Regex;

/// Most expressions to remember.
const MAX_KNOWN: usize = 64;

thread_local! {
    static KNOWN: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
}

/// Returns a compiled expression.
pub(super) fn regex(pattern: &str) -> Result<Rc<Regex>> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(regex) = known.get(pattern) {
            return Ok(Rc::clone(regex));
        }
        let regex = match Regex::new(pattern) {
            Ok(regex) => Rc::new(regex),
            Err(cause) => {
                let cause = cause.to_string();
                let last = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                return exec_err!("'{pattern}' is not a regular expression here: {last}");
            }
        };
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(pattern.to_owned(), Rc::clone(&regex));
        Ok(regex)
    })
}
