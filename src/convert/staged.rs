//! The result of a shard in a folder, for the process that publishes the day.
//!
//! A shard's folder appears under its name when it is complete, by one rename: a shard that was killed leaves nothing
//! that could be taken for a result, and a shard that runs twice replaces itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dedupe::{IdentityData, IdentityRun};
use super::quarantine::Quarantine;
use super::run::{Run, RunData};
use super::scatter::{ObjectCount, Scattered};
use super::spill_failed;
use crate::dataset::Damage;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::RowLedger;
use crate::store::Scratch;

const INDEX: &str = "index.json";

/// The list of what is in a shard's folder.
#[derive(Serialize, Deserialize)]
struct ShardIndex {
    /// Which plan it was made for.
    plan: String,
    /// Size of each file, so that one that was cut on its way is found out.
    files: Vec<(String, u64)>,
    runs: Vec<StagedRun>,
    identities: Vec<String>,
    counts: Vec<(u32, RowLedger, Damage)>,
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
    file: String,
    index: String,
}

/// The folder of a shard.
fn shard_folder(staging: &Path, table: &str, shard: u32) -> PathBuf {
    staging.join(table).join(format!("shard-{shard:05}"))
}

/// The folder in which a shard does its work. What a killed run of the shard left is removed.
pub fn shard_scratch(staging: &Path, table: &str, shard: u32, run: &str) -> Result<Scratch> {
    let folder = shard_folder(staging, table, shard);
    let prefix = format!("{}.", name_of(&folder));
    for entry in fs::read_dir(staging.join(table)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path()).map_err(|cause| spill_failed(&entry.path(), cause))?;
        }
    }
    Scratch::create(folder.with_extension(run), staging)
}

impl Scattered {
    /// Keeps the result of a shard: `scratch` becomes the shard's folder.
    pub fn keep(
        mut self,
        scratch: &Scratch,
        staging: &Path,
        table: &str,
        shard: u32,
        plan: &str,
    ) -> Result<()> {
        let index = self.index(plan, scratch.path())?;
        let json = serde_json::to_vec(&index)
            .map_err(|cause| Error::bug("cannot write the index of a shard").caused_by(cause))?;
        let target = shard_folder(staging, table, shard);
        let path = scratch.path().join(INDEX);
        fs::write(&path, json).map_err(|cause| spill_failed(&path, cause))?;
        match fs::remove_dir_all(&target) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(spill_failed(&target, cause));
            }
            _ => {}
        }
        fs::rename(scratch.path(), &target).map_err(|cause| spill_failed(&target, cause))
    }

    fn index(&mut self, plan: &str, folder: &Path) -> Result<ShardIndex> {
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
        let staged_quarantine = |quarantine: &mut Quarantine| {
            Ok(StagedQuarantine { file: name_of(quarantine.path()), index: quarantine.index_json()? })
        };
        let runs = self.runs.iter().map(staged_run).collect::<Result<_>>()?;
        let identities = self.identities.iter().map(staged_identities).collect::<Result<_>>()?;
        let quarantines = self.quarantines.iter_mut().map(staged_quarantine).collect::<Result<_>>()?;
        let counts = self.counts.iter().map(|count| (count.object, count.ledger, count.damage)).collect();
        // Last, since the files are complete only now.
        let files = file_sizes(folder).map_err(|cause| spill_failed(folder, cause))?;
        Ok(ShardIndex { plan: plan.to_owned(), files, runs, identities, counts, quarantines })
    }

    /// Puts the results of all shards of a table together.
    pub fn of_shards(staging: &Path, table: &str, shards: u32, plan: &str) -> Result<Self> {
        let mut all = Self::default();
        for shard in 0..shards {
            let folder = shard_folder(staging, table, shard);
            let index = read_index(&folder, table, shard)?;
            if index.plan != plan {
                return Err(Error::new(ErrorKind::Usage, "the shard was converted for another plan")
                    .with("shard", shard)
                    .with("table", table)
                    .hint("convert every shard with the plan that is to be published"));
            }
            check_sizes(&index, &folder)?;
            all.take_up(index, &folder)?;
        }
        all.counts.sort_by_key(|count| count.object);
        Ok(all)
    }

    fn take_up(&mut self, index: ShardIndex, folder: &Path) -> Result<()> {
        self.runs.extend(index.runs.into_iter().map(|run| Run {
            clusters: run.clusters.into_iter().map(|pair| pair.map(Arc::from)).collect(),
            data: RunData::Spilled(folder.join(run.file)),
            numbers: None,
            dictionary_bytes: run.dictionary_bytes,
        }));
        self.identities.extend(index.identities.iter().map(|file| IdentityRun::in_file(folder.join(file))));
        let count = |(object, ledger, damage)| ObjectCount { object, ledger, damage };
        self.counts.extend(index.counts.into_iter().map(count));
        for staged in index.quarantines {
            self.quarantines.push(Quarantine::restore(folder.join(staged.file), &staged.index)?);
        }
        Ok(())
    }
}

fn file_sizes(folder: &Path) -> std::io::Result<Vec<(String, u64)>> {
    let size = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len()))
    };
    fs::read_dir(folder)?.map(size).collect()
}

fn check_sizes(index: &ShardIndex, folder: &Path) -> Result<()> {
    for (name, bytes) in &index.files {
        let path = folder.join(name);
        if fs::metadata(&path).map(|meta| meta.len()).ok() != Some(*bytes) {
            return Err(Error::new(ErrorKind::Unusable, "a staged file is missing or was cut")
                .with("file", path.display())
                .with("bytes", bytes)
                .hint("convert the shard again"));
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_index(folder: &Path, table: &str, shard: u32) -> Result<ShardIndex> {
    let missing = |cause| {
        Error::unusable("the shard has not been converted", cause)
            .with("shard", shard)
            .with("table", table)
            .with("staging", folder.display())
            .hint("run 'logmill convert' with this plan, shard and staging folder first")
    };
    let json = fs::read(folder.join(INDEX)).map_err(missing)?;
    serde_json::from_slice(&json)
        .map_err(|cause| Error::unusable("cannot read the index of the shard", cause).with("shard", shard))
}
