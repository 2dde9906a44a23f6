//! The results of shards in a staging folder or bucket, for the process that publishes the day.
//!
//! An attempt at a shard writes into a folder of its own, and is the result from the moment when the index of the shard
//! names it: one file, replaced in one step. An attempt that was killed leaves nothing that could be taken for a result,
//! and of two attempts at once the later one counts, whole.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dedupe::{IdentityData, IdentityRun};
use super::parcel::{PACKED, pack, unpack};
use super::quarantine::{Quarantine, Tally};
use super::run::{Run, RunData};
use super::scatter::{ObjectCount, Scattered};
use super::spill_failed;
use crate::dataset::Damage;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::ledger::RowLedger;
use crate::store::lake::Partition;
use crate::store::{Lake, Scratch};

const INDEX: &str = "index.json";

/// The list of what an attempt at a shard has left.
#[derive(Serialize, Deserialize)]
struct ShardIndex {
    /// Which plan it was made for.
    plan: String,
    /// The folder of the attempt, beside this file.
    folder: String,
    /// Size of each file, so that one that was cut on its way is found out.
    files: Vec<(String, u64)>,
    runs: Vec<StagedRun>,
    identities: Vec<String>,
    counts: Vec<(u32, RowLedger, Damage)>,
    /// Rows that are newer than the name of their object allows, in the order of the counts; early versions do not say.
    #[serde(default)]
    newer_than_name: Vec<u64>,
    quarantines: Vec<StagedQuarantine>,
}

#[derive(Serialize, Deserialize)]
struct StagedRun {
    file: String,
    clusters: Vec<[String; 2]>,
    #[serde(default)]
    dictionary_bytes: usize,
}

#[derive(Serialize, Deserialize)]
struct StagedQuarantine {
    max_bytes: u64,
    files: Vec<String>,
    tallies: Vec<Tally>,
}

/// Where shards leave their results.
pub struct Staging {
    lake: Box<dyn Lake>,
    day: KstDay,
}

/// One attempt at one shard of a table.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The table.
    pub table: &'a str,
    /// The shard, from 0.
    pub shard: u32,
    /// A name that no other attempt has.
    pub run: &'a str,
    /// Checksum of the plan.
    pub plan: &'a str,
}

impl ShardIndex {
    /// All names of files and folders in it.
    fn names(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(|(name, _)| name);
        let runs = self.runs.iter().map(|run| &run.file);
        let quarantines = self.quarantines.iter().flat_map(|quarantine| &quarantine.files);
        let names = files.chain(runs).chain(&self.identities).chain(quarantines);
        names.chain([&self.folder]).map(String::as_str)
    }
}

/// Whether a name stays in its folder.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(components.next(), Some(Component::Normal(only)) if only == name) && components.next().is_none()
}

/// The folder of a shard, below the staging folder.
fn shard_folder(table: &str, shard: u32) -> String {
    format!("{table}/shard-{shard:05}")
}

impl Staging {
    /// A folder or bucket in which the shards of a day meet.
    #[must_use]
    pub fn new(lake: Box<dyn Lake>, day: KstDay) -> Self {
        Self { lake, day }
    }

    fn partition(&self, table: &str) -> Partition {
        Partition { table: table.to_owned(), day: self.day }
    }

    /// The folder of this machine in which an attempt does its work.
    pub fn scratch(&self, attempt: &Attempt<'_>) -> Result<Scratch> {
        let name = format!("shard-{:05}.{}", attempt.shard, attempt.run);
        self.lake.scratch(&self.partition(attempt.table), &name)
    }

    /// Removes the results of all attempts at the shards of a table, and what killed ones left on this machine.
    pub fn remove(&self, table: &str) -> Result<()> {
        let is_shard = |name: &String| name.starts_with("shard-");
        let shards: Vec<String> = self.lake.names(table)?.into_iter().filter(is_shard).collect();
        shards.into_par_iter().try_for_each(|shard| {
            let shard = format!("{table}/{shard}");
            // First of all: without it nothing of the shard counts.
            self.lake.remove(&format!("{shard}/{INDEX}"))?;
            for attempt in self.lake.names(&shard)? {
                let folder = format!("{shard}/{attempt}");
                let files = self.lake.names(&folder)?;
                files.par_iter().try_for_each(|file| self.lake.remove(&format!("{folder}/{file}")))?;
            }
            Ok(())
        })?;
        self.lake.sweep(&self.partition(table))
    }

    fn index(&self, table: &str, shard: u32) -> Result<ShardIndex> {
        let path = format!("{}/{INDEX}", shard_folder(table, shard));
        let json = self.lake.read(&path)?.ok_or_else(|| {
            Error::new(ErrorKind::Unusable, "the shard has not been converted")
                .with("shard", shard)
                .with("table", table)
                .with("staging", self.lake.address(&path))
                .hint("run 'logmill convert' with this plan, shard and staging folder first")
        })?;
        let failed = |error: Error| {
            error
                .with("shard", shard)
                .with("staging", self.lake.address(&path))
                .hint("convert the shard again")
        };
        let index: ShardIndex = serde_json::from_slice(&json)
            .map_err(|cause| failed(Error::unusable("cannot read the index of the shard", cause)))?;
        if let Some(name) = index.names().find(|name| !is_plain(name)) {
            let error = Error::new(ErrorKind::Unusable, "the index of the shard names a place outside it");
            return Err(failed(error.with("name", name)));
        }
        Ok(index)
    }

    /// Moves a finished file to its place, compressed where that is not on this machine.
    fn put(&self, file: &Path, target: &str) -> Result<()> {
        if self.lake.local_path(target).is_some() {
            return self.lake.put(target, file);
        }
        let packed = pack(file).map_err(|cause| spill_failed(file, cause))?;
        self.lake.put(&format!("{target}{PACKED}"), &packed)
    }

    /// Brings the files of a shard to this machine, below `scratch`, unless they are on it; gives their folder.
    fn bring(&self, folder: &str, files: &[(String, u64)], scratch: &Path) -> Result<PathBuf> {
        if let Some(here) = self.lake.local_path(folder) {
            for (name, bytes) in files {
                let path = here.join(name);
                let found = fs::metadata(&path).map(|meta| meta.len()).ok();
                check_size(&path.display().to_string(), *bytes, found)?;
            }
            return Ok(here);
        }
        let here = scratch.join("shards").join(folder);
        fs::create_dir_all(&here).map_err(|cause| spill_failed(&here, cause))?;
        files.par_iter().try_for_each(|(name, bytes)| {
            let path = format!("{folder}/{name}{PACKED}");
            let failed = |cause| {
                Error::unusable("cannot fetch the staged file", cause).with("file", self.lake.address(&path))
            };
            let packed = self.lake.open(&path)?;
            let found =
                packed.map(|file| unpack(file.as_ref(), &here.join(name)).map_err(failed)).transpose()?;
            check_size(&self.lake.address(&path), *bytes, found)
        })?;
        Ok(here)
    }
}

fn check_size(file: &str, expected: u64, found: Option<u64>) -> Result<()> {
    if found == Some(expected) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unusable, "a staged file is missing or was cut")
        .with("file", file)
        .with("bytes", expected)
        .hint("convert the shard again"))
}

impl Scattered {
    /// Makes what an attempt has left in its `scratch` the result of its shard.
    pub fn keep(self, staging: &Staging, scratch: &Scratch, attempt: &Attempt<'_>) -> Result<()> {
        let index = self.index(attempt, scratch.path())?;
        let json = serde_json::to_vec(&index)
            .map_err(|cause| Error::bug("cannot write the index of a shard").caused_by(cause))?;
        let shard = shard_folder(attempt.table, attempt.shard);
        let folder = format!("{shard}/{}", attempt.run);
        let files = index.files.par_iter();
        files
            .try_for_each(|(name, _)| staging.put(&scratch.path().join(name), &format!("{folder}/{name}")))?;
        let path = scratch.path().join(INDEX);
        fs::write(&path, json).map_err(|cause| spill_failed(&path, cause))?;
        // Last: now the attempt is the result.
        staging.lake.put(&format!("{shard}/{INDEX}"), &path)
    }

    fn index(&self, attempt: &Attempt<'_>, folder: &Path) -> Result<ShardIndex> {
        let staged_run = |run: &Run| match &run.data {
            RunData::Spilled(path) => Ok(StagedRun {
                file: name_of(path),
                clusters: run
                    .clusters
                    .iter()
                    .map(|pair| [pair[0].to_string(), pair[1].to_string()])
                    .collect(),
                dictionary_bytes: run.dictionary_bytes,
            }),
            RunData::Resident(_) => Err(Error::bug("a run of a shard was kept in memory")),
        };
        let staged_identities = |run: &IdentityRun| match &run.data {
            IdentityData::Spilled(path) => Ok(name_of(path)),
            IdentityData::Resident(_) => Err(Error::bug("identities of a shard were kept in memory")),
        };
        let staged_quarantine = |quarantine: &Quarantine| StagedQuarantine {
            max_bytes: quarantine.max_bytes,
            files: quarantine.files.iter().map(|file| name_of(file)).collect(),
            tallies: quarantine.tallies.clone(),
        };
        let runs = self.runs.iter().map(staged_run).collect::<Result<_>>()?;
        let identities = self.identities.iter().map(staged_identities).collect::<Result<_>>()?;
        let quarantines = self.quarantines.iter().map(staged_quarantine).collect();
        let counts = self.counts.iter().map(|count| (count.object, count.ledger, count.damage)).collect();
        let newer_than_name = self.counts.iter().map(|count| count.newer_than_name).collect();
        // Last, since the files are complete only now.
        let files = file_sizes(folder).map_err(|cause| spill_failed(folder, cause))?;
        let (plan, folder) = (attempt.plan.to_owned(), attempt.run.to_owned());
        Ok(ShardIndex { plan, folder, files, runs, identities, counts, newer_than_name, quarantines })
    }

    /// Puts the results of all shards of a table together; those that are elsewhere are brought below `scratch` first.
    pub fn of_shards(
        staging: &Staging,
        table: &str,
        shards: u32,
        plan: &str,
        scratch: &Path,
    ) -> Result<Self> {
        let found = (0..shards).map(|shard| {
            let index = staging.index(table, shard)?;
            if index.plan != plan {
                return Err(Error::new(ErrorKind::Usage, "the shard was converted for another plan")
                    .with("shard", shard)
                    .with("table", table)
                    .hint("convert every shard with the plan that is to be published"));
            }
            Ok((format!("{}/{}", shard_folder(table, shard), index.folder), index))
        });
        // Nothing is fetched before every shard is known to be there.
        let found = found.collect::<Result<Vec<_>>>()?;
        let bring = |(folder, index): &(String, ShardIndex)| staging.bring(folder, &index.files, scratch);
        let folders = found.par_iter().map(bring).collect::<Result<Vec<_>>>()?;
        let mut all = Self::default();
        for ((_, index), folder) in found.into_iter().zip(folders) {
            all.take_up(index, &folder);
        }
        all.counts.sort_by_key(|count| count.object);
        Ok(all)
    }

    fn take_up(&mut self, index: ShardIndex, folder: &Path) {
        self.runs.extend(index.runs.into_iter().map(|run| Run {
            clusters: run.clusters.into_iter().map(|pair| pair.map(Arc::from)).collect(),
            data: RunData::Spilled(folder.join(run.file)),
            numbers: None,
            dictionary_bytes: run.dictionary_bytes,
        }));
        self.identities.extend(index.identities.iter().map(|file| IdentityRun::in_file(folder.join(file))));
        let newer = index.newer_than_name.into_iter().chain(std::iter::repeat(0));
        let count = |((object, ledger, damage), newer_than_name)| ObjectCount {
            object,
            ledger,
            damage,
            newer_than_name,
        };
        self.counts.extend(index.counts.into_iter().zip(newer).map(count));
        for staged in index.quarantines {
            let files = staged.files.iter().map(|file| folder.join(file)).collect();
            self.quarantines.push(Quarantine::of_shard(staged.max_bytes, files, staged.tallies));
        }
    }
}

fn file_sizes(folder: &Path) -> std::io::Result<Vec<(String, u64)>> {
    let size = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
    };
    fs::read_dir(folder)?.map(size).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
