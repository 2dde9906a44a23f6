//! Checks a published day against its manifest.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMillisecondType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;

use super::part_reader::PartReader;
use crate::convert::PartFile;
use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::publish::{Manifest, NOT_LISTED, digest, unlisted};
use crate::store::lake::Partition;
use crate::store::{Lake, LakeFile};

/// A difference from the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Path of the file, or of the manifest, below the lake.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

/// Checks a published day against its manifest. No finding means that every check passed:
///
/// * every file exists and has the right size and checksum;
/// * every part file has the right number of rows, and every row belongs to the day;
/// * no other files exist;
/// * the ledger balances.
pub fn verify(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<Finding>> {
    let mut findings = check_totals(lake, manifest, partition)?;
    for part in &manifest.parts {
        let path = format!("{partition}/{}", part.path);
        let problems = check_part(lake, &path, part, manifest)?;
        findings.extend(problems.into_iter().map(|problem| Finding { path: path.clone(), problem }));
    }
    let inputs = &manifest.inputs_file;
    let path = inputs.place(partition);
    if let Err(problem) = check_bytes(lake, &path, inputs.bytes, &inputs.sha256)? {
        findings.push(Finding { path, problem });
    }
    if let Some(quarantine) = &manifest.quarantine
        && let Err(problem) = check_bytes(lake, &quarantine.path, quarantine.bytes, &quarantine.sha256)?
    {
        findings.push(Finding { path: quarantine.path.clone(), problem });
    }
    findings.extend(check_unlisted(lake, partition, manifest)?);
    Ok(findings)
}

fn check_totals(lake: &dyn Lake, manifest: &Manifest, partition: &Partition) -> Result<Vec<Finding>> {
    let rows = crate::publish::rows_of(&manifest.parts);
    let checks = [
        (
            manifest.day == partition.day && manifest.table == partition.table,
            "belongs to another day or table".to_owned(),
        ),
        (manifest.ledger.balances(), "ledger does not balance".to_owned()),
        (
            rows == manifest.ledger.written,
            format!("rows written in the ledger: {}, in the part files: {rows}", manifest.ledger.written),
        ),
    ];
    let mut failed = checks.into_iter().filter(|(holds, _)| !holds).peekable();
    if failed.peek().is_none() {
        return Ok(Vec::new());
    }
    let path = lake.manifest(partition)?.map_or_else(|| partition.manifest(), |stored| stored.path);
    Ok(failed.map(|(_, problem)| Finding { path: path.clone(), problem }).collect())
}

fn check_part(lake: &dyn Lake, path: &str, part: &PartFile, manifest: &Manifest) -> Result<Vec<String>> {
    let file = match check_bytes(lake, path, part.bytes, &part.sha256)? {
        Ok(file) => file,
        Err(problem) => return Ok(vec![problem]),
    };
    let builder = match ParquetRecordBatchReaderBuilder::try_new(PartReader::new(file)) {
        Ok(builder) => builder,
        Err(cause) => return Ok(vec![format!("not a Parquet file: {cause}")]),
    };
    let mut problems = Vec::new();
    let rows: i64 = builder.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).sum();
    if u64::try_from(rows) != Ok(part.rows) {
        problems.push(format!("rows in the footer: {rows}, in the manifest: {}", part.rows));
    }
    let outside = rows_outside(builder, manifest).map_err(|cause| {
        Error::unusable("cannot read the event times", cause).with("path", lake.address(path))
    })?;
    if outside > 0 {
        problems.push(format!("rows outside the KST day {}: {outside}", manifest.day));
    }
    Ok(problems)
}

/// Counts the rows without an event time inside the day.
fn rows_outside(
    builder: ParquetRecordBatchReaderBuilder<PartReader>,
    manifest: &Manifest,
) -> std::result::Result<usize, ParquetError> {
    let window = manifest.day.window();
    let mask = ProjectionMask::columns(builder.parquet_schema(), [manifest.event_time_column.as_str()]);
    let mut outside = 0;
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        let times = batch
            .columns()
            .first()
            .and_then(|column| column.as_primitive_opt::<TimestampMillisecondType>())
            .ok_or_else(|| ParquetError::General("the file has no event time column".to_owned()))?;
        outside +=
            times.iter().filter(|time| !time.is_some_and(|time| window.contains(UtcInstant(time)))).count();
    }
    Ok(outside)
}

/// Returns the file if its size and checksum match the manifest, or else what is wrong.
fn check_bytes(
    lake: &dyn Lake,
    path: &str,
    bytes: u64,
    sha256: &str,
) -> Result<std::result::Result<Arc<dyn LakeFile>, String>> {
    let Some(file) = lake.open(path)? else { return Ok(Err("missing".to_owned())) };
    if file.bytes() != bytes {
        return Ok(Err(format!("size in bytes: {}, in the manifest: {bytes}", file.bytes())));
    }
    let found = digest::of_lake_file(file.as_ref())
        .map_err(|cause| Error::unusable("cannot read the file", cause).with("path", lake.address(path)))?;
    if found != sha256 {
        return Ok(Err("checksum differs from the manifest".to_owned()));
    }
    Ok(Ok(file.into()))
}

/// Finds files that the manifest does not list. Engines would read them too.
fn check_unlisted(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<Vec<Finding>> {
    let found = unlisted(lake, partition, manifest)?;
    let finding = |path| Finding { path: format!("{partition}/{path}"), problem: NOT_LISTED.to_owned() };
    Ok(found.into_iter().map(finding).collect())
}
