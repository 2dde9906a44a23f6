//! Commands that only read a lake need one: an empty result for a mistyped address would mislead.

use super::console::Console;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Lake;

/// Fails if nothing exists at the address of the lake, and warns if the lake is an empty folder.
pub(super) fn require(lake: &dyn Lake, console: Console) -> Result<()> {
    if !lake.names("")?.is_empty() {
        return Ok(());
    }
    if lake.local_path("").is_some_and(|path| path.is_dir()) {
        console.warn("the lake is empty", &[("output", lake.address("").into())]);
        return Ok(());
    }
    Err(not_found(lake))
}

/// The error for a lake in which nothing exists.
pub(super) fn not_found(lake: &dyn Lake) -> Error {
    Error::new(ErrorKind::Unusable, "no lake found")
        .with("output", lake.address(""))
        .hint("check --output, or publish a day there with 'logmill run'")
}
