//! Finds files in a partition that its manifest does not list.

use std::collections::BTreeSet;

use super::Manifest;
use super::manifest::inside_inputs_path;
use crate::error::Result;
use crate::store::Lake;
use crate::store::lake::{INPUTS, INSIDE_MANIFEST, Partition};

/// What is wrong with such a file.
pub const NOT_LISTED: &str = "not listed in the manifest";

/// Returns the paths below a partition that its manifest does not list. Superseded runs that readers may still be using are
/// listed in it.
pub fn unlisted(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<String>> {
    let mut known: BTreeSet<String> = manifest.parts.iter().map(|part| part.path.clone()).collect();
    if manifest.inputs_file.is_inside() {
        known.extend([INSIDE_MANIFEST.to_owned(), manifest.inputs_file.path.clone()]);
    }
    known.extend(manifest.superseded.iter().map(|superseded| inside_inputs_path(&superseded.run)));
    let mut found = Vec::new();
    for name in lake.names(&partition.to_string())? {
        if manifest.superseded.iter().any(|superseded| superseded.run == name) {
            continue;
        }
        if name == manifest.run || name == INPUTS {
            let files = lake.names(&format!("{partition}/{name}"))?;
            found.extend(files.into_iter().map(|file| format!("{name}/{file}")));
        } else {
            found.push(name);
        }
    }
    found.retain(|path| !known.contains(path));
    Ok(found)
}
