//! The results of shards in a staging folder or bucket, for the process that publishes the day.
//!
//! An attempt at a shard writes into its own folder. It becomes the result when the index of the shard names it: one file, which
//! is replaced in one step. A killed attempt leaves nothing that could be mistaken for a result. Of two concurrent attempts the
//! later one counts, as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::DataType;
use highway::Key;
use rayon::prelude::*;

use super::checksum;
use super::clusters::path_beside;
use super::dedupe::{IdentityData, IdentityRun};
use super::packed_file::{PACKED, pack, unpack};
use super::quarantine::Quarantine;
use super::run::{Run, RunData};
use super::scattered::{ObjectCount, Scattered};
use super::shard_index::{ShardIndex, StagedFile, StagedQuarantine, StagedRun};
use super::spill_failed;
use super::staged_rows::{CONVERT_AGAIN, StagedRows};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::plan::TablePlan;
use crate::store::lake::{Partition, is_run_name};
use crate::store::scratch::private_file;
use crate::store::{Lake, Scratch};

const INDEX: &str = "index.json";

/// Maximum size of an index in bytes: it has an entry for each object of the shard.
const MAX_INDEX_BYTES: u64 = 1 << 30;

/// The place where shards store their results.
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

/// The start of the name of a shard's folder.
const SHARD: &str = "shard-";

/// The folder of a shard, below the staging folder.
fn shard_folder(table: &str, shard: u32) -> String {
    format!("{table}/{SHARD}{shard:05}")
}

/// The folder of the shard to which a file of a table belongs.
fn shard_of(path: &str, table: &str) -> Option<String> {
    let shard = path.strip_prefix(table)?.strip_prefix('/')?.split('/').next()?;
    shard.starts_with(SHARD).then(|| format!("{table}/{shard}"))
}

impl Staging {
    /// Opens a folder or bucket in which the shards of a day meet.
    #[must_use]
    pub fn new(lake: Box<dyn Lake>, day: KstDay) -> Self {
        Self { lake, day }
    }

    fn partition(&self, table: &str) -> Partition {
        Partition { table: table.to_owned(), day: self.day }
    }

    /// Creates the folder on this machine in which an attempt works.
    pub fn scratch(&self, attempt: &Attempt<'_>) -> Result<Scratch> {
        let name = format!("shard-{:05}.{}", attempt.shard, attempt.run);
        self.lake.scratch(&self.partition(attempt.table), &name)
    }

    /// Removes the results of all attempts at the shards of a table that belong to a plan, and the files of killed ones, also on
    /// this machine. Results of another plan are kept. Started again, the removal resumes where it stopped.
    pub fn remove(&self, table: &str, plan: &str) -> Result<()> {
        self.remove_unfinished(table, plan)?;
        let is_shard = |name: &String| name.starts_with(SHARD);
        let shards: Vec<String> = self.lake.names(table)?.into_iter().filter(is_shard).collect();
        shards.into_par_iter().try_for_each(|shard| {
            let shard = format!("{table}/{shard}");
            if self.plan_of(&shard)?.is_some_and(|other| other != plan) {
                return Ok(());
            }
            for attempt in self.lake.names(&shard)?.iter().filter(|name| is_run_name(name)) {
                self.remove_attempt(&format!("{shard}/{attempt}"))?;
            }
            // Last, because it shows to which plan the files belong.
            self.lake.remove(&format!("{shard}/{INDEX}"))
        })?;
        self.lake.sweep(&self.partition(table))
    }

    /// Removes the unfinished files of killed attempts. In a bucket, they cost as much as others, but no listing shows them.
    fn remove_unfinished(&self, table: &str, plan: &str) -> Result<()> {
        let mut unfinished = match self.lake.unfinished_below(table) {
            // A policy of its own for the staging folder may not allow this. The files are harmless.
            Err(error) if error.kind() == ErrorKind::Denied => Vec::new(),
            unfinished => unfinished?,
        };
        let shards: BTreeSet<String> =
            unfinished.iter().filter_map(|file| shard_of(&file.path, table)).collect();
        let mut own = BTreeSet::new();
        for shard in shards {
            if self.plan_of(&shard)?.is_none_or(|known| known == plan) {
                own.insert(shard);
            }
        }
        unfinished.retain(|file| shard_of(&file.path, table).is_some_and(|shard| own.contains(&shard)));
        self.lake.remove_run_files(&unfinished)
    }

    fn remove_attempt(&self, folder: &str) -> Result<()> {
        let files = self.lake.names(folder)?;
        files.par_iter().try_for_each(|file| self.lake.remove(&format!("{folder}/{file}")))
    }

    /// The plan for which the shard in a folder was converted; `None` if its index is missing or unreadable.
    fn plan_of(&self, shard: &str) -> Result<Option<String>> {
        let json = self.lake.read_up_to(&format!("{shard}/{INDEX}"), MAX_INDEX_BYTES)?;
        Ok(json.and_then(|json| ShardIndex::from_json(&json).ok()).map(|index| index.plan))
    }

    /// Removes everything that an attempt wrote, even if it is the result of its shard.
    pub fn withdraw(&self, attempt: &Attempt<'_>) -> Result<()> {
        let shard = shard_folder(attempt.table, attempt.shard);
        let path = format!("{shard}/{INDEX}");
        let json = self.lake.read_up_to(&path, MAX_INDEX_BYTES)?;
        let index = json.and_then(|json| ShardIndex::from_json(&json).ok());
        if index.is_some_and(|index| index.folder == attempt.run) {
            self.lake.remove(&path)?;
        }
        self.remove_attempt(&format!("{shard}/{}", attempt.run))
    }

    /// The index of a shard of a plan.
    fn index(&self, table: &TablePlan, shard: u32, plan: &str) -> Result<ShardIndex> {
        let path = format!("{}/{INDEX}", shard_folder(&table.spec.table, shard));
        let json = self.lake.read_up_to(&path, MAX_INDEX_BYTES)?.ok_or_else(|| {
            Error::new(ErrorKind::Unusable, "the shard has not been converted")
                .with("shard", shard)
                .with("table", &table.spec.table)
                .with("staging", self.lake.address(&path))
                .hint("run 'logmill convert' with this plan, shard and staging folder first")
        })?;
        let refused = |what: String| {
            Error::unusable("cannot use the index of the shard", std::io::Error::other(what))
                .with("shard", shard)
                .with("staging", self.lake.address(&path))
                .hint(CONVERT_AGAIN)
        };
        let index = ShardIndex::from_json(&json).map_err(refused)?;
        if index.plan != plan {
            return Err(Error::new(ErrorKind::Usage, "the shard was converted for another plan")
                .with("shard", shard)
                .with("table", &table.spec.table)
                .hint("convert every shard with the plan to publish"));
        }
        match index.implausible(&table.spec.table, shard, &table.objects) {
            Some(what) => Err(refused(what)),
            None => Ok(index),
        }
    }

    /// Moves a finished file to its place, compressed if that is not on this machine.
    fn put(&self, file: &Path, target: &str) -> Result<()> {
        if self.lake.local_path(target).is_some() {
            return self.lake.put(target, file);
        }
        let packed = pack(file).map_err(|cause| spill_failed(file, cause))?;
        self.lake.put(&format!("{target}{PACKED}"), &packed)
    }

    /// Fetches the files of a shard below `scratch`, unless they are on this machine already; returns their folder. Checks that
    /// each file is what the shard wrote.
    fn bring(&self, folder: &str, index: &ShardIndex, scratch: &Path) -> Result<PathBuf> {
        let (files, key) = (&index.files, checksum::plan_key(&index.plan));
        let here = match self.lake.local_path(folder) {
            Some(here) => here,
            None => self.fetch(folder, files, &scratch.join("shards").join(folder))?,
        };
        files.par_iter().try_for_each(|file| {
            let path = here.join(&file.name);
            check_file(&path, file, key).map_err(|cause| {
                Error::unusable("a staged file is not what its shard wrote", cause)
                    .with("file", self.lake.address(&format!("{folder}/{}", file.name)))
                    .hint(CONVERT_AGAIN)
            })
        })?;
        Ok(here)
    }

    fn fetch(&self, folder: &str, files: &[StagedFile], here: &Path) -> Result<PathBuf> {
        fs::create_dir_all(here).map_err(|cause| spill_failed(here, cause))?;
        files.par_iter().try_for_each(|file| {
            let path = format!("{folder}/{}{PACKED}", file.name);
            let failed = |cause| {
                Error::unusable("cannot fetch the staged file", cause)
                    .with("file", self.lake.address(&path))
                    .hint(CONVERT_AGAIN)
            };
            let packed = self.lake.open(&path)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            unpack(packed.as_ref(), file.bytes, &here.join(&file.name)).map_err(failed)
        })?;
        Ok(here.to_owned())
    }
}

/// Checks that a file has the size and hash that its shard noted.
fn check_file(path: &Path, expected: &StagedFile, key: Key) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // Before the file is read to its end, which may be far away.
    if meta.len() != expected.bytes {
        return Err(io::Error::other(format!("it has {} bytes, not {}", meta.len(), expected.bytes)));
    }
    match checksum::of_staged(path, key)? {
        (_, hash) if hash == expected.hash => Ok(()),
        _ => Err(io::Error::other("its checksum does not match")),
    }
}

impl Scattered {
    /// Makes the files of an attempt in its `scratch` the result of its shard.
    pub fn keep(self, staging: &Staging, scratch: &Scratch, attempt: &Attempt<'_>) -> Result<()> {
        let index = self.index(attempt, scratch.path())?;
        let json = index
            .to_json()
            .map_err(|cause| Error::bug("cannot write the index of a shard").caused_by(cause))?;
        let shard = shard_folder(attempt.table, attempt.shard);
        let folder = format!("{shard}/{}", attempt.run);
        let put = |StagedFile { name, .. }: &StagedFile| {
            staging.put(&scratch.path().join(name), &format!("{folder}/{name}"))
        };
        index.files.par_iter().try_for_each(put)?;
        let path = scratch.path().join(INDEX);
        private_file(&path)
            .and_then(|mut file| file.write_all(&json))
            .map_err(|cause| spill_failed(&path, cause))?;
        // Last: now the attempt is the result.
        staging.lake.put(&format!("{shard}/{INDEX}"), &path)
    }

    fn index(&self, attempt: &Attempt<'_>, folder: &Path) -> Result<ShardIndex> {
        let staged_run = |run: &Run| match &run.data {
            RunData::Spilled(path) => {
                let (file, clusters) = (name_of(path), name_of(&path_beside(path)));
                Ok(StagedRun { file, clusters, dictionary_bytes: run.dictionary_bytes })
            }
            RunData::Resident(_) | RunData::Staged(_) => {
                Err(Error::bug("a run of a shard was not written to its folder"))
            }
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
        let texts = || self.counts.iter().map(|count| count.text);
        let texts = if texts().any(|text| text.is_some()) { texts().collect() } else { Vec::new() };
        // Last, because the files are complete only now.
        let Attempt { table, shard, run, plan } = *attempt;
        let files = staged_files(folder, checksum::plan_key(plan));
        let files = files.map_err(|cause| spill_failed(folder, cause))?;
        let [plan, table, folder] = [plan, table, run].map(str::to_owned);
        Ok(ShardIndex {
            plan,
            table,
            shard,
            folder,
            files,
            runs,
            identities,
            counts,
            newer_than_name,
            texts,
            quarantines,
        })
    }

    /// Joins the results of all shards of a table; fetches results stored elsewhere below `scratch` first.
    pub fn of_shards(
        staging: &Staging,
        table: &TablePlan,
        shards: u32,
        plan: &str,
        scratch: &Path,
    ) -> Result<Self> {
        let schema = table.spec.schema();
        let shape = StagedShape {
            objects: table.objects.len(),
            cluster_width: schema.cluster.len(),
            types: schema.decoded().map(|column| column.column_type.arrow()).collect(),
        };
        let found = (0..shards).map(|shard| {
            let index = staging.index(table, shard, plan)?;
            Ok((format!("{}/{}", shard_folder(&table.spec.table, shard), index.folder), index))
        });
        // Fetch nothing before every shard is known to exist.
        let found = found.collect::<Result<Vec<_>>>()?;
        let bring = |(folder, index): &(String, ShardIndex)| staging.bring(folder, index, scratch);
        let folders = found.par_iter().map(bring).collect::<Result<Vec<_>>>()?;
        let mut all = Self::default();
        for ((_, index), folder) in found.into_iter().zip(folders) {
            all.add_shard(index, &folder, &shape);
        }
        all.counts.sort_by_key(|count| count.object);
        Ok(all)
    }

    /// Adds the results of a shard, whose files are in a folder of this machine.
    fn add_shard(&mut self, index: ShardIndex, folder: &Path, shape: &StagedShape) {
        let StagedShape { objects, cluster_width, .. } = *shape;
        self.runs.extend(index.runs.into_iter().map(|run| {
            let (path, types) = (folder.join(run.file), Arc::clone(&shape.types));
            Run {
                clusters: Vec::new(),
                cluster_width,
                data: RunData::Staged(Arc::new(StagedRows { path, objects, types })),
                numbers: None,
                dictionary_bytes: run.dictionary_bytes,
            }
        }));
        self.identities.extend(index.identities.iter().map(|file| IdentityRun::in_file(folder.join(file))));
        let count = |(((object, ledger, damage), newer_than_name), text)| ObjectCount {
            object,
            ledger,
            damage,
            newer_than_name,
            text,
        };
        let texts = index.texts.into_iter().chain(std::iter::repeat(None));
        self.counts.extend(index.counts.into_iter().zip(index.newer_than_name).zip(texts).map(count));
        for staged in index.quarantines {
            let files = staged.files.iter().map(|file| folder.join(file)).collect();
            self.quarantines.push(Quarantine::of_shard(staged.max_bytes, files, staged.tallies));
        }
    }
}

/// What the staged rows of all shards of a table have in common.
struct StagedShape {
    /// Number of objects in the plan.
    objects: usize,
    /// Number of cluster columns.
    cluster_width: usize,
    /// The types of the decoded columns.
    types: Arc<[DataType]>,
}

/// Every file of a folder, as it was written.
fn staged_files(folder: &Path, key: Key) -> io::Result<Vec<StagedFile>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let staged = |path: &PathBuf| {
        let (bytes, hash) = checksum::of_staged(path, key)?;
        Ok(StagedFile { name: name_of(path), bytes, hash })
    };
    paths.par_iter().map(staged).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
