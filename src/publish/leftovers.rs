//! Finds files of runs in a partition that are no longer needed.
//!
//! Only files in run folders are considered. A file is kept if it belongs to the live run, if a catalog shows its run, or if
//! readers may still be using it. A run that no manifest names may still be working, so its files must reach a minimum age.
//! That age is not proof, because a run can be paused for longer. The lake therefore makes sure that such a run cannot
//! commit its finished files before it removes them.

use std::collections::BTreeSet;

use super::Manifest;
use super::run_history::superseding_since_shown;
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::Lake;
use crate::store::lake::{Partition, RunFile};

/// When files of runs can be removed.
#[derive(Debug, Clone, Copy)]
pub struct CleanOptions {
    /// How long a superseded run is kept, in milliseconds.
    pub grace_ms: i64,
    /// How old the files of an unknown run must be, in milliseconds.
    pub unknown_ms: i64,
    /// Whether a catalog was queried for the runs that it shows.
    pub queried_catalog: bool,
    /// The current time, by the clock that dates the files.
    pub now: UtcInstant,
}

/// A file that can be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The file.
    pub file: RunFile,
    /// Why it can be removed.
    pub why: &'static str,
}

/// The files that runs left in a partition.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Files that can be removed.
    pub files: Vec<Leftover>,
    /// Finished files that are kept although no manifest names them. Their run may be paused just before its commit, and
    /// nothing can prevent that commit if the day was never published.
    pub kept: Vec<RunFile>,
    /// The manifest that the decisions are based on.
    manifest: Option<Vec<u8>>,
}

const UNFINISHED: &str = "unfinished upload";
const SUPERSEDED: &str = "superseded";
const UNKNOWN: &str = "run not in the manifest";
const REJECTED: &str = "rejected rows of an earlier run";

/// Lists the files that can be removed from a partition. `shown` are the runs that a catalog shows.
pub fn leftovers(
    lake: &dyn Lake,
    partition: &Partition,
    options: CleanOptions,
    shown: &BTreeSet<String>,
) -> Result<Leftovers> {
    // List first, then read the manifest: it then includes a run that commits in between.
    let files = lake.run_files(partition)?;
    if files.is_empty() {
        return Ok(Leftovers::default());
    }
    let stored = lake.manifest(partition)?;
    let manifest = stored.clone().map(|stored| Manifest::of(lake, stored)).transpose()?;
    let begin_grace = |live: Manifest| {
        let shows_another = !shown.is_empty() && !shown.contains(&live.run);
        superseding_since_shown(lake, live, shows_another, options.now)
    };
    let manifest = manifest.map(begin_grace).transpose()?;
    let published = manifest.as_ref().and_then(|manifest| Published::among(&files, partition, manifest));
    let judged = files.into_iter().filter_map(|file| {
        let why = if file.path == partition.inside_manifest() {
            stored.as_ref().is_some_and(|live| live.path != file.path).then_some(SUPERSEDED)
        } else if file.upload.is_none() && file.path.starts_with(&partition.quarantine()) {
            published.as_ref().is_some_and(|published| published.supersedes(&file)).then_some(REJECTED)
        } else if shown.contains(&file.run) {
            None
        } else {
            reason_to_remove(&file, manifest.as_ref(), options)
        };
        Some(Leftover { file, why: why? })
    });
    let (kept, files): (Vec<_>, Vec<_>) =
        judged.partition(|leftover| manifest.is_none() && leftover.may_be_committed());
    let kept = kept.into_iter().map(|leftover| leftover.file).collect();
    Ok(Leftovers { files, kept, manifest: stored.map(|stored| stored.json) })
}

/// The live run, and when it wrote its files.
struct Published {
    run: String,
    wrote_at: UtcInstant,
}

impl Published {
    /// Dates the live run by its list of inputs, which is written once. The manifest may be rewritten later.
    fn among(files: &[RunFile], partition: &Partition, manifest: &Manifest) -> Option<Self> {
        let path = manifest.inputs_file.place(partition);
        let inputs = files.iter().find(|file| file.path == path && file.upload.is_none())?;
        Some(Self { run: manifest.run.clone(), wrote_at: inputs.written_at })
    }

    /// Whether rejected rows belong to an earlier run, superseded or refused. Those of a run that was refused later are
    /// kept for investigation.
    fn supersedes(&self, rejects: &RunFile) -> bool {
        rejects.run != self.run && rejects.written_at < self.wrote_at
    }
}

impl Leftover {
    /// Whether its run may still commit it. An aborted upload can no longer be completed, and a superseded run has already
    /// committed.
    fn may_be_committed(&self) -> bool {
        self.why == UNKNOWN
    }
}

impl Leftovers {
    /// Removes the files from the partition, which must be locked. If a run has published the day since the files were
    /// listed, it removes nothing and returns `false`.
    pub fn remove(&self, lake: &dyn Lake, partition: &Partition) -> Result<bool> {
        if self.files.iter().any(Leftover::may_be_committed) {
            let manifest = self.manifest.as_deref().unwrap_or_default();
            if !lake.fence(partition, manifest)? {
                return Ok(false);
            }
        }
        let files: Vec<RunFile> = self.files.iter().map(|leftover| leftover.file.clone()).collect();
        lake.remove_run_files(&files)?;
        Ok(true)
    }
}

fn reason_to_remove(
    file: &RunFile,
    manifest: Option<&Manifest>,
    options: CleanOptions,
) -> Option<&'static str> {
    let is_live_run = manifest.is_some_and(|manifest| manifest.run == file.run);
    if is_live_run && file.upload.is_none() {
        return None;
    }
    let superseded = manifest.and_then(|manifest| manifest.superseded.iter().find(|old| old.run == file.run));
    if let Some(superseded) = superseded {
        let may_be_shown =
            !options.queried_catalog && manifest.is_some_and(|manifest| manifest.database.is_some());
        if may_be_shown {
            return None;
        }
        return (!superseded.is_kept(options.grace_ms, options.now)).then_some(SUPERSEDED);
    }
    // 0 means that the lake does not know. Its clock counts whole seconds only.
    let second = UtcInstant(file.written_at.0 / 1000 * 1000);
    let is_old = second.0 > 0 && second.plus_ms(options.unknown_ms) <= options.now;
    is_old.then_some(if file.upload.is_some() { UNFINISHED } else { UNKNOWN })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::publish::manifest::tests::{manifest, manifest_of};
    use crate::publish::{StagedDay, SupersededRun, read_manifest};
    use crate::store::{LocalLake, LockTaker};

    const HOUR: i64 = 3_600_000;

    fn file(run: &str, upload: bool, hours_old: i64) -> RunFile {
        let upload = upload.then(|| "id".to_owned());
        let written_at = UtcInstant(100 * HOUR - hours_old * HOUR);
        RunFile { run: run.to_owned(), path: format!("{run}/part"), upload, bytes: 1, written_at }
    }

    #[test]
    fn only_unneeded_files_are_removed() {
        let options = CleanOptions {
            grace_ms: HOUR,
            unknown_ms: 24 * HOUR,
            queried_catalog: false,
            now: UtcInstant(100 * HOUR),
        };
        let superseded = |run: &str, hours: i64| SupersededRun {
            run: run.to_owned(),
            since: UtcInstant(100 * HOUR - hours * HOUR).to_string(),
        };
        let day = Manifest {
            run: "live".to_owned(),
            superseded: vec![superseded("old", 2), superseded("kept", 0)],
            ..manifest()
        };
        for (file, expected) in [
            (file("live", false, 99), None),
            (file("live", true, 99), Some("unfinished upload")),
            (file("live", true, 1), None),
            (file("old", false, 1), Some("superseded")),
            (file("kept", false, 99), None),
            (file("other", false, 23), None),
            (file("other", false, 25), Some("run not in the manifest")),
            (file("other", true, 25), Some("unfinished upload")),
        ] {
            assert_eq!(reason_to_remove(&file, Some(&day), options), expected, "{file:?}");
        }
        assert_eq!(reason_to_remove(&file("first", false, 1), None, options), None);
        assert_eq!(reason_to_remove(&file("first", true, 25), None, options), Some("unfinished upload"));
    }

    #[test]
    fn in_a_local_lake_a_run_whose_lock_was_stolen_cannot_commit_swept_files() {
        const DISPLACED: &str = "20231102T000000Z-0000000b";
        const STEALING: &str = "20231102T000001Z-0000000c";
        let root = tempfile::tempdir().unwrap();
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        let partition = Partition { table: "s3_access".to_owned(), day: "2023-11-01".parse().unwrap() };
        let taker = |run: &str, steals| LockTaker { run: run.to_owned(), holder: run.to_owned(), steals };
        let begun =
            |run: &str, steals| StagedDay::begin(&lake, partition.clone(), &taker(run, steals)).unwrap();
        let commit = |staged: StagedDay<'_>, run: &str| staged.commit(&manifest_of(run)).map(drop);
        let mut displaced = begun(DISPLACED, false);
        displaced.parts_target().partition.create(&format!("{DISPLACED}/part")).unwrap().flush().unwrap();
        commit(begun(STEALING, true), STEALING).unwrap();
        let lock = lake.lock(&partition, &taker("clean", false)).unwrap();
        lake.sweep(&partition).unwrap();
        drop(lock);
        assert!(commit(displaced, DISPLACED).unwrap_err().is_retryable());
        assert_eq!(read_manifest(&lake, &partition).unwrap().unwrap().run, STEALING);
    }
}
