//! Commands that only read a lake need one: an empty result for a mistyped address would mislead.

use super::console::Console;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Lake;

/// Fails if no lake exists at its address, and warns if the lake is an empty folder.
pub(super) fn require(lake: &dyn Lake, console: Console) -> Result<()> {
    if names(lake)?.is_empty() {
        console.warn("the lake is empty", &[("output", lake.address("").into())]);
    }
    Ok(())
}

/// Returns the names at the top of a lake. Fails if nothing exists there, or if it is the folder of a table.
pub(super) fn names(lake: &dyn Lake) -> Result<Vec<String>> {
    let names = lake.names("")?;
    if names.iter().any(|name| name.starts_with("proc_ymd=")) {
        let address = lake.address("");
        let above = address.trim_end_matches('/').rsplit_once('/').map_or(".", |(above, _)| above);
        return Err(Error::new(ErrorKind::Usage, "the output is the folder of a table, not a lake")
            .with("output", &address)
            .hint(format!("pass --output {above}")));
    }
    if names.is_empty() && !lake.local_path("").is_some_and(|path| path.is_dir()) {
        return Err(Error::new(ErrorKind::Unusable, "no lake found")
            .with("output", lake.address(""))
            .hint("check --output, or publish a day there with 'logmill run'"));
    }
    Ok(names)
}
