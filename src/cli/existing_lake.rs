//! Commands that only read a lake need one: an empty result for a mistyped address would mislead.

#[cfg(feature = "query")]
use std::path::Path;

#[cfg(feature = "query")]
use super::command_line::word;
use super::console::Console;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Lake;

/// Extensions of files that hold rows or a page.
#[cfg(feature = "query")]
const OF_RESULTS: [&str; 9] = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "html", "htm"];

/// Refuses the name of a file for results in the place of a lake.
#[cfg(feature = "query")]
pub(super) fn refuse_result_file(address: &str) -> Result<()> {
    let path = Path::new(address);
    let extension = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default().to_ascii_lowercase();
    if !OF_RESULTS.contains(&extension.as_str()) || address.starts_with("s3://") || path.is_dir() {
        return Ok(());
    }
    let file = word(address);
    Err(Error::new(ErrorKind::Usage, format!("'{address}' is the name of a file, not a lake"))
        .hint(format!("pass the file with '--to-file {file}', and the lake with --lake")))
}

/// Fails if no lake exists at its address, and warns if the lake is an empty folder.
pub(super) fn require(lake: &dyn Lake, console: Console) -> Result<()> {
    if names(lake)?.is_empty() {
        console.warn("the lake is empty", &[("lake", lake.address("").into())]);
    }
    Ok(())
}

/// Returns the names at the top of a lake. Fails if nothing exists there, or if it is the folder of a table.
pub(super) fn names(lake: &dyn Lake) -> Result<Vec<String>> {
    let names = lake.names("")?;
    if names.iter().any(|name| name.starts_with("proc_ymd=")) {
        let address = lake.address("");
        let above = address.trim_end_matches('/').rsplit_once('/').map_or(".", |(above, _)| above);
        return Err(Error::new(ErrorKind::Usage, "this is the folder of a table, not a lake")
            .with("lake", &address)
            .hint(format!("pass --lake {above}")));
    }
    if names.is_empty() && !lake.local_path("").is_some_and(|path| path.is_dir()) {
        return Err(Error::new(ErrorKind::Unusable, "no lake found")
            .with("lake", lake.address(""))
            .hint("check --lake, or publish a day there with 'logmill run'"));
    }
    Ok(names)
}
