//! The index of a shard: the list of files that an attempt wrote, with its own checksum.
//!
//! The index is accepted only if an index of this shard can have its content. Its numbers are then used as indexes without
//! another check, and only the files that it names are read, each checked by its checksum.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::clusters::path_beside;
use super::dedupe::ENTRY_BYTES;
use super::hexadecimal;
use super::quarantine::Tally;
use super::reject_stream::MAX_REASON_BYTES;
use crate::digest::ReadText;
use crate::ledger::{MAX_COUNT, RowLedger};
use crate::plan::PlannedObject;
use crate::store::lake::is_run_name;
use crate::table::Damage;

/// The list of files that an attempt at a shard wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ShardIndex {
    /// The plan that it was made for.
    pub(super) plan: String,
    /// The table.
    pub(super) table: String,
    /// The shard.
    pub(super) shard: u32,
    /// The folder of the attempt, next to this file: its run.
    pub(super) folder: String,
    /// All files in the folder.
    pub(super) files: Vec<StagedFile>,
    pub(super) runs: Vec<StagedRun>,
    pub(super) identities: Vec<String>,
    /// The counts of each object, in the order of the plan.
    pub(super) counts: Vec<(u32, RowLedger, Damage)>,
    /// Number of rows newer than the name of their object allows, in the order of the counts.
    pub(super) newer_than_name: Vec<u64>,
    /// The text of each object that a digest names, in the order of the counts; empty if no digest names any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) texts: Vec<Option<ReadText>>,
    pub(super) quarantines: Vec<StagedQuarantine>,
}

/// A file of an attempt, as it was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StagedFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// The hash by [`of_staged`](super::checksum::of_staged).
    pub(super) hash: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StagedRun {
    pub(super) file: String,
    /// The file next to it that holds its clusters.
    pub(super) clusters: String,
    pub(super) dictionary_bytes: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StagedQuarantine {
    /// The limit of the published file, in bytes.
    pub(super) max_bytes: u64,
    pub(super) files: Vec<String>,
    pub(super) tallies: Vec<Tally>,
}

/// An index and its checksum, as stored in the file.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    /// SHA-256 of the index text, in hexadecimal.
    sha256: String,
    #[serde(borrow)]
    index: &'a RawValue,
}

impl ShardIndex {
    /// Formats the content of the file.
    pub(super) fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let index = serde_json::value::to_raw_value(self)?;
        let sha256 = hexadecimal(&Sha256::digest(index.get()));
        serde_json::to_vec(&Sealed { sha256, index: &index })
    }

    /// Reads the content of the file if its checksum matches.
    pub(super) fn from_json(json: &[u8]) -> std::result::Result<Self, String> {
        let another = |cause| format!("it is damaged, or another version of logmill wrote it: {cause}");
        let sealed: Sealed<'_> = serde_json::from_slice(json).map_err(another)?;
        let text = sealed.index.get();
        if hexadecimal(&Sha256::digest(text)) != sealed.sha256 {
            return Err("its checksum does not match its content".to_owned());
        }
        serde_json::from_str(text).map_err(another)
    }

    /// Returns the files that a text of an index names, if an index of shard 0 of `table` with these objects can have it. It is
    /// for fuzzing, which cannot guess a checksum.
    pub(crate) fn files_of(
        text: &str,
        table: &str,
        objects: &[PlannedObject],
    ) -> Option<(Vec<String>, String)> {
        let sealed = serde_json::from_str::<Self>(text).ok()?.to_json().ok()?;
        let index = Self::from_json(&sealed).ok()?;
        if index.implausible(table, 0, objects).is_some() {
            return None;
        }
        Some((index.names().map(str::to_owned).collect(), serde_json::to_string(&index).ok()?))
    }

    /// Returns a statement in the index that no index of a shard of a table with these objects can make, if any.
    pub(super) fn implausible(&self, table: &str, shard: u32, objects: &[PlannedObject]) -> Option<String> {
        if (self.table.as_str(), self.shard) != (table, shard) {
            return Some(format!("it belongs to shard {} of {}", self.shard, self.table));
        }
        if let Some(name) = self.names().find(|name| !is_plain(name)) {
            return Some(format!("it names a path outside its folder: '{name}'"));
        }
        if !is_run_name(&self.folder) {
            return Some(format!("'{}' is not an attempt", self.folder));
        }
        let bad_run = || self.runs.iter().any(|run| !run.is_plausible());
        let checks: [(&dyn Fn() -> bool, &str); 4] = [
            (&|| !self.has_its_files(), "it does not name each of its files once"),
            (&bad_run, "one of its runs is not as shards write them"),
            (&|| !self.counts_each_object(objects), "it does not count each object of its shard once"),
            (&|| !self.counts_rejected_rows(), "its counts of rejected rows do not match its objects"),
        ];
        checks.into_iter().find(|(is_bad, _)| is_bad()).map(|(_, what)| what.to_owned())
    }

    /// All names of files and folders in the index.
    fn names(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(|file| &file.name);
        files.chain(self.used()).chain([&self.folder]).map(String::as_str)
    }

    /// The files that are read.
    fn used(&self) -> impl Iterator<Item = &String> {
        let runs = self.runs.iter().flat_map(|run| [&run.file, &run.clusters]);
        let quarantines = self.quarantines.iter().flat_map(|quarantine| &quarantine.files);
        runs.chain(&self.identities).chain(quarantines)
    }

    /// Whether every file that is read is listed with its size and checksum, and is read once.
    fn has_its_files(&self) -> bool {
        let sizes: BTreeMap<&String, u64> = self.files.iter().map(|file| (&file.name, file.bytes)).collect();
        let used: BTreeSet<&String> = self.used().collect();
        let whole = |name: &String| sizes.get(name).is_some_and(|bytes| bytes % ENTRY_BYTES as u64 == 0);
        sizes.len() == self.files.len()
            && used.len() == self.used().count()
            && sizes.values().all(|bytes| *bytes <= MAX_COUNT)
            && self.identities.iter().all(whole)
            && self
                .runs
                .iter()
                .all(|run| [&run.file, &run.clusters].iter().all(|file| sizes.contains_key(file)))
            && self
                .quarantines
                .iter()
                .flat_map(|rejected| &rejected.files)
                .all(|file| sizes.contains_key(file))
    }

    /// Whether rejected rows are counted only for objects of the shard. The order of the objects has been checked before.
    fn counts_rejected_rows(&self) -> bool {
        let is_own = |object: u32| self.counts.binary_search_by_key(&object, |(own, ..)| *own).is_ok();
        let mut tallies = self.quarantines.iter().flat_map(|quarantine| &quarantine.tallies);
        tallies.all(|tally| {
            is_own(tally.object) && tally.rows <= MAX_COUNT && tally.reason.len() <= MAX_REASON_BYTES
        })
    }

    fn counts_each_object(&self, objects: &[PlannedObject]) -> bool {
        let own = (0_u32..).zip(objects).filter(|(_, object)| object.shard == self.shard);
        let counted = self.counts.iter().map(|(object, ..)| *object);
        let is_plausible = |ledger: &RowLedger| {
            let RowLedger { read, written, other_day, duplicate, quarantined, filtered } = *ledger;
            let parts = [read, written, other_day, duplicate, quarantined, filtered];
            parts.iter().all(|rows| *rows <= MAX_COUNT) && ledger.balances()
        };
        own.map(|(number, _)| number).eq(counted)
            && self.counts.iter().all(|(_, ledger, _)| is_plausible(ledger))
            && self.newer_than_name.len() == self.counts.len()
            && self.newer_than_name.iter().all(|rows| *rows <= MAX_COUNT)
            && (self.texts.is_empty() || self.texts.len() == self.counts.len())
    }
}

impl StagedRun {
    fn is_plausible(&self) -> bool {
        Path::new(&self.clusters) == path_beside(Path::new(&self.file))
            && self.dictionary_bytes as u64 <= MAX_COUNT
    }
}

/// Whether a name does not lead out of its folder.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(components.next(), Some(Component::Normal(only)) if only == name) && components.next().is_none()
}
