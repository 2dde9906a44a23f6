//! Compares a certificate with the lake.

use super::{Certificate, DayCertificate, UnpublishedDay};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::publish::{Manifest, NOT_LISTED, digest, unlisted};
use crate::store::Lake;
use crate::store::lake::Partition;

/// Returns the differences between a certificate and the lake, one line each: the manifest of each day, what the
/// certificate says about it, the bytes of every part file, files that the manifest does not list, and the days that were
/// not published.
pub fn verify(lake: &dyn Lake, certificate: &Certificate, cancel: &Cancel) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for UnpublishedDay { table, day } in &certificate.not_published {
        let partition = Partition { table: table.clone(), day: *day };
        if crate::plan::is_table_name(table) && DayCertificate::read(lake, &partition)?.is_some() {
            findings.push(format!("{partition}: the day has been published since"));
        }
    }
    for day in &certificate.days {
        let partition = Partition { table: day.table.clone(), day: day.day };
        if !crate::plan::is_table_name(&day.table) {
            findings.push(format!("invalid table name '{}'", day.table));
            continue;
        }
        match DayCertificate::read_with_manifest(lake, &partition)? {
            None => findings.push(format!("{partition}: the day is not published")),
            Some((now, _)) if now.manifest_sha256 != day.manifest_sha256 => {
                let why =
                    format!("run {} published the day, the certificate is about run {}", now.run, day.run);
                findings.push(format!("{partition}: the manifest has changed: {why}"));
            }
            Some((now, _)) if now != *day => {
                findings.push(format!("{partition}: the certificate does not say what the manifest says"));
            }
            Some((now, manifest)) => {
                findings.extend(changed_parts(lake, &partition, &now, cancel)?);
                findings.extend(added_files(lake, &partition, &manifest)?);
            }
        }
    }
    Ok(findings)
}

/// Finds files next to the part files that the manifest does not list. Engines that read a whole folder read them too.
fn added_files(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<String>> {
    let is_hidden = |path: &&String| path.split('/').any(|name| name.starts_with(['_', '.']));
    let mut found = unlisted(lake, partition, manifest)?;
    found.retain(|path| !is_hidden(&path));
    Ok(found.into_iter().map(|path| format!("{partition}/{path}: {NOT_LISTED}")).collect())
}

fn changed_parts(
    lake: &dyn Lake,
    partition: &Partition,
    day: &DayCertificate,
    cancel: &Cancel,
) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for part in &day.parts {
        cancel.check()?;
        let path = format!("{partition}/{}", part.path);
        let Some(file) = lake.open(&path)? else {
            findings.push(format!("{path}: missing"));
            continue;
        };
        let found = digest::of_lake_file(file.as_ref()).map_err(|cause| {
            Error::unusable("cannot read the file", cause).with("path", lake.address(&path))
        })?;
        if found != part.sha256 {
            findings.push(format!("{path}: its SHA-256 is {found}"));
        }
    }
    Ok(findings)
}
