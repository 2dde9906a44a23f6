//! Finds rows that repeat an earlier one, over any number of rows in bounded memory.
//!
//! Every run provides its identities sorted; a merge over all of them puts equal identities next to each other. Of equal rows,
//! the one with the lowest position is kept, whatever run it came from.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use roaring::RoaringTreemap;

use crate::error::{Error, Result};
use crate::store::scratch::private_file;
use crate::table::{Identity, Position};

/// A row's identity and position, compared in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    pub(super) position: Position,
}

/// Bytes of an entry in a file.
pub(super) const ENTRY_BYTES: usize = 24;

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.identity[0].to_le_bytes());
        bytes[8..16].copy_from_slice(&self.identity[1].to_le_bytes());
        bytes[16..20].copy_from_slice(&self.position.object.to_le_bytes());
        bytes[20..].copy_from_slice(&self.position.record.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; ENTRY_BYTES]) -> Self {
        let word = |from: usize| u64::from_le_bytes(std::array::from_fn(|place| bytes[from + place]));
        let half = |from: usize| u32::from_le_bytes(std::array::from_fn(|place| bytes[from + place]));
        Self { identity: [word(0), word(8)], position: Position { object: half(16), record: half(20) } }
    }
}

/// The identities of one run, sorted.
#[derive(Debug)]
pub(super) struct IdentityRun {
    pub(super) data: IdentityData,
    /// The number of each object in the day's plan, if it differs from that in the entries.
    numbers: Option<Arc<[u32]>>,
}

/// Where the identities are stored.
#[derive(Debug)]
pub(super) enum IdentityData {
    Resident(Vec<Entry>),
    Spilled(PathBuf),
}

impl IdentityRun {
    /// Sorts and keeps entries in memory.
    pub(super) fn resident(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        Self { data: IdentityData::Resident(entries), numbers: None }
    }

    /// Uses the sorted entries of a file.
    pub(super) fn in_file(path: PathBuf) -> Self {
        Self { data: IdentityData::Spilled(path), numbers: None }
    }

    /// The same identities with other numbers of objects, in the same order.
    pub(super) fn renumbered(self, numbers: &Arc<[u32]>) -> Self {
        Self { numbers: Some(Arc::clone(numbers)), ..self }
    }

    /// Sorts entries and writes them to a file.
    pub(super) fn spilled(mut entries: Vec<Entry>, path: &Path) -> Result<Self> {
        entries.sort_unstable();
        let write = || {
            let mut file = BufWriter::new(private_file(path)?);
            entries.iter().try_for_each(|entry| file.write_all(&entry.to_bytes()))?;
            file.flush()
        };
        write().map_err(|cause| super::spill_failed(path, cause))?;
        Ok(Self::in_file(path.to_owned()))
    }

    fn entries(&self) -> Result<Entries<'_>> {
        let source = match &self.data {
            IdentityData::Resident(entries) => EntrySource::Resident(entries.iter()),
            IdentityData::Spilled(path) => {
                let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
                EntrySource::Spilled(BufReader::new(file), path)
            }
        };
        Ok(Entries { source, numbers: self.numbers.as_deref() })
    }
}

fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    Error::unusable("cannot read the staged identities", cause).with("path", path.display())
}

/// The entries of a run, one by one.
struct Entries<'a> {
    source: EntrySource<'a>,
    numbers: Option<&'a [u32]>,
}

impl Entries<'_> {
    fn next(&mut self) -> Result<Option<Entry>> {
        let entry = self.source.next()?;
        Ok(entry.map(|entry| Entry { position: entry.position.renumbered(self.numbers), ..entry }))
    }
}

enum EntrySource<'a> {
    Resident(std::slice::Iter<'a, Entry>),
    Spilled(BufReader<File>, &'a Path),
}

impl EntrySource<'_> {
    fn next(&mut self) -> Result<Option<Entry>> {
        match self {
            Self::Resident(entries) => Ok(entries.next().copied()),
            Self::Spilled(file, path) => {
                let mut bytes = [0; ENTRY_BYTES];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(Entry::from_bytes(bytes))),
                    Err(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(cause) => Err(unreadable(path, cause)),
                }
            }
        }
    }
}

/// Maximum number of runs per merge: each is an open file.
const FAN_IN: usize = 64;

/// Merges runs into fewer runs until one merge can take all of them.
fn reduce(mut runs: Vec<IdentityRun>, scratch: &Path) -> Result<Vec<IdentityRun>> {
    let mut made = 0;
    while runs.len() > FAN_IN {
        let several: Vec<IdentityRun> = runs.drain(..FAN_IN).collect();
        let path = scratch.join(format!("merged-identities-{made}"));
        made += 1;
        let failed = |cause| super::spill_failed(&path, cause);
        let mut file = BufWriter::new(private_file(&path).map_err(failed)?);
        merge(&several, |entry| file.write_all(&entry.to_bytes()).map_err(failed))?;
        file.flush().map_err(failed)?;
        runs.push(IdentityRun::in_file(path));
    }
    Ok(runs)
}

/// Calls `call` with each entry of all runs, in order.
fn merge(runs: &[IdentityRun], mut call: impl FnMut(Entry) -> Result<()>) -> Result<()> {
    let mut readers = runs.iter().map(IdentityRun::entries).collect::<Result<Vec<_>>>()?;
    let mut heads = BinaryHeap::new();
    for (reader, entries) in readers.iter_mut().enumerate() {
        heads.extend(entries.next()?.map(|entry| Reverse((entry, reader))));
    }
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((entry, reader)) = *head;
        call(entry)?;
        match readers[reader].next()? {
            Some(next) => *head = Reverse((next, reader)),
            None => {
                std::collections::binary_heap::PeekMut::pop(head);
            }
        }
    }
    Ok(())
}

/// A set of positions.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    positions: RoaringTreemap,
}

impl Duplicates {
    /// Finds every row that repeats an earlier one. Temporary files are written to `scratch`.
    pub(super) fn find(runs: Vec<IdentityRun>, scratch: &Path) -> Result<Self> {
        let runs = reduce(runs, scratch)?;
        let mut duplicates = Self::default();
        let mut last = None;
        merge(&runs, |entry| {
            if last.replace(entry.identity) == Some(entry.identity) {
                duplicates.positions.insert(as_number(entry.position));
            }
            Ok(())
        })?;
        Ok(duplicates)
    }

    pub(super) fn contains(&self, position: Position) -> bool {
        self.positions.contains(as_number(position))
    }

    /// The objects of all duplicates, with one entry per row.
    pub(super) fn objects(&self) -> impl Iterator<Item = u32> {
        self.positions.iter().map(|number| u32::try_from(number >> 32).unwrap_or(u32::MAX))
    }
}

fn as_number(position: Position) -> u64 {
    u64::from(position.object) << 32 | u64::from(position.record)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn run_of(entries: Vec<Entry>, spill: bool, path: &Path) -> IdentityRun {
        if spill { IdentityRun::spilled(entries, path).unwrap() } else { IdentityRun::resident(entries) }
    }

    proptest! {
        #[test]
        fn all_equal_rows_but_the_first_are_found_in_any_distribution(
            rows in prop::collection::vec((0_u64..20, 0_usize..4), 0..80),
            spill in any::<bool>(),
            count in prop::sample::select(vec![4, FAN_IN + 7]),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut runs: Vec<Vec<Entry>> = vec![Vec::new(); count];
            let (mut seen, mut expected) = (HashSet::new(), Vec::new());
            for (record, (value, run)) in (0_u32..).zip(&rows) {
                let position = Position { object: record / 7, record };
                runs[run * (count / 4)].push(Entry { identity: [*value, 9], position });
                if !seen.insert(value) {
                    expected.push(position.object);
                }
            }
            let path = |number: usize| folder.path().join(number.to_string());
            let runs = runs.into_iter().enumerate();
            let runs = runs.map(|(number, entries)| run_of(entries, spill, &path(number))).collect();
            let found = Duplicates::find(runs, folder.path()).unwrap();
            prop_assert_eq!(found.objects().collect::<Vec<_>>(), expected);
        }
    }
}
