//! Compares the rows of two runs of a day, read from their part files.
//!
//! A row is identified by its raw object and record. Every column that both runs have is hashed. Sums of these hashes show
//! which raw objects gave different rows. Only the rows of those objects are held in memory, as many at a time as fit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::row::{RowConverter, SortField};
use highway::{HighwayHash, HighwayHasher, Key};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use rayon::prelude::*;
use serde::Serialize;

use super::part_reader::PartReader;
use crate::cancel::Cancel;
use crate::convert::PartFile;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::Manifest;
use crate::store::Lake;
use crate::store::lake::Partition;
use crate::table::{Column, IdentityKey, Naming, Origin};

/// Memory that a row takes while it is compared, in bytes.
const ROW_BYTES: usize = 96;

/// How a row differs between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowChange {
    /// Only the second run has it.
    Added,
    /// Only the first run has it.
    Removed,
    /// A column that both runs have differs.
    Changed,
}

/// Counts of the rows that differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RowCounts {
    /// Rows that only the second run has.
    pub added: u64,
    /// Rows that only the first run has.
    pub removed: u64,
    /// Rows of both runs whose content differs.
    pub changed: u64,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RowExample {
    /// How it differs.
    pub change: RowChange,
    /// Address of the raw object.
    pub source_object: String,
    /// Number of the record or line in it, from 1.
    pub source_record: i64,
}

/// The differences between the rows of two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RowDiff {
    /// The total counts.
    pub total: RowCounts,
    /// The counts of each raw object whose rows differ.
    pub objects: BTreeMap<String, RowCounts>,
    /// Some of the rows, ordered by raw object.
    pub examples: Vec<RowExample>,
}

/// Options for comparing rows.
#[derive(Debug, Clone)]
pub struct RowDiffOptions {
    /// Maximum number of examples.
    pub examples: usize,
    /// Memory limit for the rows held at a time, in bytes.
    pub memory: usize,
    /// The key of the hashes.
    pub key: IdentityKey,
    /// Stops the work on request.
    pub cancel: Cancel,
}

/// Whether all part files of a run exist.
pub fn has_files(lake: &dyn Lake, partition: &Partition, manifest: &Manifest) -> Result<bool> {
    for part in &manifest.parts {
        if lake.open(&format!("{partition}/{}", part.path))?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares the rows of two runs whose part files exist.
pub fn row_diff(
    lake: &dyn Lake,
    partition: &Partition,
    [a, b]: [&Manifest; 2],
    options: &RowDiffOptions,
) -> Result<RowDiff> {
    let (names_a, names_b) = common_columns(a, b)?;
    // Files with the same bytes hold the same rows.
    let of =
        |manifest: &Manifest| manifest.parts.iter().map(|part| part.sha256.clone()).collect::<HashSet<_>>();
    let same: HashSet<String> = &of(a) & &of(b);
    let side = |manifest: &Manifest, names| {
        let own = manifest.parts.iter().filter(|part| !same.contains(&part.sha256));
        Side { lake, partition, parts: own.cloned().collect(), names, options }
    };
    let sides = [side(a, names_a), side(b, names_b)];
    let [sums_a, sums_b] = [sides[0].sums()?, sides[1].sums()?];
    let mut differing: Vec<(&String, u64)> = Vec::new();
    for object in sums_a.keys().chain(sums_b.keys().filter(|object| !sums_a.contains_key(*object))) {
        let (a, b) = (sums_a.get(object), sums_b.get(object));
        if a != b {
            differing.push((object, [a, b].into_iter().flatten().map(|sum| sum.rows).sum()));
        }
    }
    differing.sort_unstable();
    let mut diff = RowDiff::default();
    for objects in batches(&differing, (options.memory / ROW_BYTES) as u64) {
        diff.add(sides[0].rows(&objects)?, &sides[1].rows(&objects)?, options.examples);
    }
    Ok(diff)
}

/// Splits objects into groups of at most `most` rows. A larger object forms its own group.
fn batches(objects: &[(&String, u64)], most: u64) -> Vec<HashSet<String>> {
    let mut groups: Vec<(u64, HashSet<String>)> = Vec::new();
    for (object, count) in objects {
        match groups.last_mut() {
            Some((rows, group)) if rows.saturating_add(*count) <= most => {
                *rows += count;
                group.insert((*object).clone());
            }
            _ => groups.push((*count, HashSet::from([(*object).clone()]))),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Returns the names in each run's files of the columns that both runs have. Raw object and record come first.
fn common_columns(a: &Manifest, b: &Manifest) -> Result<(Vec<String>, Vec<String>)> {
    let (a, b) = (a.shape()?.schema(), b.shape()?.schema());
    let named = |column: &Column, naming: Naming| column.named(naming).into_owned();
    let is_place = |column: &&Column| matches!(column.origin, Origin::SourceObject | Origin::SourceRecord);
    let (places, others): (Vec<&Column>, Vec<&Column>) = a.columns.iter().partition(is_place);
    let pairs = places.into_iter().chain(others).filter_map(|column| {
        let other = &b.columns[b.position(&column.name)?];
        Some((named(column, a.naming), named(other, b.naming)))
    });
    Ok(pairs.unzip())
}

/// The number of an object's rows, and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    hashes: [u64; 2],
}

/// The hash of each row's content, by its raw object and record.
type RowHashes = HashMap<(Arc<str>, i64), [u64; 2]>;

/// The files of one run.
struct Side<'a> {
    lake: &'a dyn Lake,
    partition: &'a Partition,
    parts: Vec<PartFile>,
    /// Names of the compared columns: raw object, record, then the others.
    names: Vec<String>,
    options: &'a RowDiffOptions,
}

impl Side<'_> {
    fn sums(&self) -> Result<HashMap<String, Sum>> {
        let mut sums: HashMap<String, Sum> = HashMap::new();
        let of_parts = self.each_part(|part| {
            let mut sums: HashMap<String, Sum> = HashMap::new();
            self.each_row(
                part,
                |_| true,
                |object, _, hash| {
                    if !sums.contains_key(object) {
                        sums.insert(object.to_owned(), Sum::default());
                    }
                    if let Some(sum) = sums.get_mut(object) {
                        sum.add(Sum { rows: 1, hashes: hash });
                    }
                },
            )?;
            Ok(sums)
        })?;
        for (object, sum) in of_parts.into_iter().flatten() {
            sums.entry(object).or_default().add(sum);
        }
        Ok(sums)
    }

    fn rows(&self, objects: &HashSet<String>) -> Result<RowHashes> {
        let names: HashMap<&str, Arc<str>> =
            objects.iter().map(|object| (object.as_str(), Arc::from(object.as_str()))).collect();
        let of_parts = self.each_part(|part| {
            let mut rows = Vec::new();
            self.each_row(
                part,
                |object| names.contains_key(object),
                |object, record, hash| {
                    rows.push(((Arc::clone(&names[object]), record), hash));
                },
            )?;
            Ok(rows)
        })?;
        Ok(of_parts.into_iter().flatten().collect())
    }

    fn each_part<T: Send>(&self, work: impl Fn(&PartFile) -> Result<T> + Send + Sync) -> Result<Vec<T>> {
        self.parts.par_iter().map(work).collect()
    }

    /// Calls `call` with the object, record and hash of each row whose object is wanted.
    fn each_row(
        &self,
        part: &PartFile,
        is_wanted: impl Fn(&str) -> bool,
        mut call: impl FnMut(&str, i64, [u64; 2]),
    ) -> Result<()> {
        let path = format!("{}/{}", self.partition, part.path);
        let failed = |cause: ParquetError| {
            Error::unusable("cannot read the part file", cause).with("path", self.lake.address(&path))
        };
        let file = self.lake.open(&path)?.ok_or_else(|| {
            Error::new(ErrorKind::Temporary, "a part file was removed during the comparison")
                .with("path", self.lake.address(&path))
        })?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let reader = PartReader::new(file.into());
        let builder =
            ParquetRecordBatchReaderBuilder::try_new_with_options(reader, options).map_err(failed)?;
        let names = self.names.iter().map(String::as_str);
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        for batch in builder.with_projection(mask).build().map_err(failed)? {
            self.options.cancel.check()?;
            let batch = batch.map_err(|cause| failed(cause.into()))?;
            self.each_row_of(&batch, &is_wanted, &mut call).map_err(failed)?;
        }
        Ok(())
    }

    fn each_row_of(
        &self,
        batch: &RecordBatch,
        is_wanted: &impl Fn(&str) -> bool,
        call: &mut impl FnMut(&str, i64, [u64; 2]),
    ) -> std::result::Result<(), ParquetError> {
        let cells = |name: &String| {
            let missing = || ParquetError::General(format!("the file has no column '{name}'"));
            batch.column_by_name(name).cloned().ok_or_else(missing)
        };
        let columns = self.names.iter().map(cells).collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
        let objects = cast(&columns[0], &DataType::Utf8)?;
        let wrong_type =
            || ParquetError::General(format!("the column '{}' has an unexpected type", self.names[1]));
        let records = columns[1].as_primitive_opt::<Int64Type>().ok_or_else(wrong_type)?;
        let objects = objects.as_string::<i32>();
        let fields = columns.iter().map(|cells| SortField::new(cells.data_type().clone()));
        let rows = RowConverter::new(fields.collect())?.convert_columns(&columns)?;
        for (number, row) in rows.iter().enumerate() {
            let object = if objects.is_valid(number) { objects.value(number) } else { "" };
            if is_wanted(object) {
                let hash = HighwayHasher::new(Key(self.options.key)).hash128(row.as_ref());
                call(object, records.value(number), hash);
            }
        }
        Ok(())
    }
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        for (sum, hash) in self.hashes.iter_mut().zip(other.hashes) {
            *sum = sum.wrapping_add(hash);
        }
    }
}

impl RowDiff {
    /// Adds the differences between the rows of some objects.
    fn add(&mut self, mut a: RowHashes, b: &RowHashes, examples: usize) {
        let mut found = Vec::new();
        for (place, hash) in b {
            match a.remove(place) {
                None => found.push((RowChange::Added, place.clone())),
                Some(before) if before != *hash => found.push((RowChange::Changed, place.clone())),
                Some(_) => {}
            }
        }
        found.extend(a.into_keys().map(|place| (RowChange::Removed, place)));
        found.sort_unstable_by(|(_, one), (_, other)| one.cmp(other));
        for (change, (object, record)) in found {
            self.total.count(change);
            self.objects.entry(object.to_string()).or_default().count(change);
            if self.examples.len() < examples {
                let source_object = object.to_string();
                self.examples.push(RowExample { change, source_object, source_record: record });
            }
        }
    }
}

impl RowCounts {
    fn count(&mut self, change: RowChange) {
        match change {
            RowChange::Added => self.added += 1,
            RowChange::Removed => self.removed += 1,
            RowChange::Changed => self.changed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_grouped_to_fit_and_a_large_object_is_compared_alone() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let counted: Vec<_> = names.iter().zip([2, 3, 9, 1]).collect();
        for (most, expected) in
            [(5, vec![2, 1, 1]), (1, vec![1, 1, 1, 1]), (100, vec![4]), (u64::MAX, vec![4])]
        {
            let groups = batches(&counted, most);
            assert_eq!(groups.iter().map(HashSet::len).collect::<Vec<_>>(), expected, "{most}");
        }
        assert!(batches(&[], 5).is_empty());
    }

    #[test]
    fn rows_of_all_groups_are_counted_together_and_only_a_few_are_shown() {
        let rows = |rows: &[(&str, i64, u64)]| -> RowHashes {
            rows.iter().map(|(object, record, hash)| ((Arc::from(*object), *record), [*hash, 0])).collect()
        };
        let mut diff = RowDiff::default();
        diff.add(rows(&[("a", 1, 7), ("a", 2, 7), ("a", 3, 7)]), &rows(&[("a", 1, 7), ("a", 2, 8)]), 2);
        diff.add(rows(&[]), &rows(&[("b", 1, 7)]), 2);
        let counts = |added, removed, changed| RowCounts { added, removed, changed };
        assert_eq!(diff.total, counts(1, 1, 1));
        assert_eq!((diff.objects["a"], diff.objects["b"]), (counts(0, 1, 1), counts(1, 0, 0)));
        let shown: Vec<_> = diff.examples.iter().map(|row| (row.change, row.source_record)).collect();
        assert_eq!(shown, [(RowChange::Changed, 2), (RowChange::Removed, 3)]);
    }
}
