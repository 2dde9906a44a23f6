//! What runs have left in a partition that nobody needs any more.
//!
//! A file is only judged when it lies in the folder of a run. It stays when its run is the day, when a catalog shows it,
//! or when readers may still be at it; a run that no manifest knows may still be alive, and is given time. That time is no
//! proof, since a run can be paused for longer: before its finished files go, the lake makes sure that it cannot commit them.

use std::collections::BTreeSet;

use super::Manifest;
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::store::Lake;
use crate::store::lake::{MANIFEST, Partition, RunFile};

/// When files of runs may go.
#[derive(Debug, Clone, Copy)]
pub struct CleanOptions {
    /// How long a superseded run stays, in milliseconds.
    pub grace_ms: i64,
    /// How old the files of an unknown run must be, in milliseconds.
    pub unknown_ms: i64,
    /// Whether a catalog was asked which runs it shows.
    pub asked_catalog: bool,
    /// The time, by the clock that dates the files.
    pub now: UtcInstant,
}

/// A file that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The file.
    pub file: RunFile,
    /// Why it may go.
    pub why: &'static str,
}

/// What runs have left in a partition.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Files that may go.
    pub files: Vec<Leftover>,
    /// Finished files that stay although no published day names them. Their run may be paused just before it commits, and
    /// where no day was ever published nothing can keep it from that.
    pub staying: Vec<RunFile>,
    /// The manifest by which the files were judged.
    manifest: Option<Vec<u8>>,
}

const UNFINISHED: &str = "unfinished upload";
const SUPERSEDED: &str = "superseded";
const UNKNOWN: &str = "of a run that is not the day";
const REJECTED: &str = "rejected rows of an earlier run";

/// What may go from a partition; `shown` are the runs that a catalog shows.
pub fn leftovers(
    lake: &dyn Lake,
    partition: &Partition,
    rules: CleanOptions,
    shown: &BTreeSet<String>,
) -> Result<Leftovers> {
    // In this order: a run that commits in between is known by then.
    let files = lake.run_files(partition)?;
    if files.is_empty() {
        return Ok(Leftovers::default());
    }
    let path = format!("{partition}/{MANIFEST}");
    let json = lake.read(&path)?;
    let manifest = json.clone().map(Manifest::from_json).transpose();
    let manifest = manifest.map_err(|error| error.with("path", lake.address(&path)))?;
    let published = manifest.as_ref().and_then(|manifest| Published::among(&files, partition, manifest));
    let judged = files.into_iter().filter_map(|file| {
        let why = if file.upload.is_none() && file.path.starts_with(&partition.quarantine()) {
            published.as_ref().is_some_and(|published| published.supersedes(&file)).then_some(REJECTED)
        } else if shown.contains(&file.run) {
            None
        } else {
            why_it_may_go(&file, manifest.as_ref(), rules)
        };
        Some(Leftover { file, why: why? })
    });
    let (staying, files): (Vec<_>, Vec<_>) =
        judged.partition(|leftover| manifest.is_none() && leftover.may_be_committed());
    let staying = staying.into_iter().map(|leftover| leftover.file).collect();
    Ok(Leftovers { files, staying, manifest: json })
}

/// The run that is the day, and when it wrote.
struct Published {
    run: String,
    wrote_at: UtcInstant,
}

impl Published {
    /// By the list of its inputs, which is put once: a manifest may be touched later.
    fn among(files: &[RunFile], partition: &Partition, manifest: &Manifest) -> Option<Self> {
        let path = format!("{partition}/{}", manifest.inputs_file.path);
        let inputs = files.iter().find(|file| file.path == path && file.upload.is_none())?;
        Some(Self { run: manifest.run.clone(), wrote_at: inputs.written_at })
    }

    /// Whether rejected rows are those of an earlier run, superseded or refused. Those of one that was refused since stay for
    /// people.
    fn supersedes(&self, rejects: &RunFile) -> bool {
        rejects.run != self.run && rejects.written_at < self.wrote_at
    }
}

impl Leftover {
    /// Whether its run may still be about to commit it. An upload that is given up can be completed no more, and who was
    /// superseded has been committed.
    fn may_be_committed(&self) -> bool {
        self.why == UNKNOWN
    }
}

impl Leftovers {
    /// Removes the files that may go from the partition, which must be locked. `false`, and nothing is removed, if a run has
    /// published the day since they were judged.
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

fn why_it_may_go(file: &RunFile, manifest: Option<&Manifest>, rules: CleanOptions) -> Option<&'static str> {
    let is_the_day = manifest.is_some_and(|manifest| manifest.run == file.run);
    if is_the_day && file.upload.is_none() {
        return None;
    }
    let superseded = manifest.and_then(|manifest| manifest.superseded.iter().find(|old| old.run == file.run));
    if let Some(superseded) = superseded {
        let may_be_shown =
            !rules.asked_catalog && manifest.is_some_and(|manifest| manifest.database.is_some());
        if may_be_shown {
            return None;
        }
        return (!superseded.is_kept(rules.grace_ms, rules.now)).then_some(SUPERSEDED);
    }
    // 0 says that the lake does not know. Its clock tells whole seconds alone.
    let second = UtcInstant(file.written_at.0 / 1000 * 1000);
    let is_old = second.0 > 0 && second.plus_ms(rules.unknown_ms) <= rules.now;
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
    fn only_what_nobody_needs_may_go() {
        let rules = CleanOptions {
            grace_ms: HOUR,
            unknown_ms: 24 * HOUR,
            asked_catalog: false,
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
            (file("other", false, 25), Some("of a run that is not the day")),
            (file("other", true, 25), Some("unfinished upload")),
        ] {
            assert_eq!(why_it_may_go(&file, Some(&day), rules), expected, "{file:?}");
        }
        assert_eq!(why_it_may_go(&file("first", false, 1), None, rules), None);
        assert_eq!(why_it_may_go(&file("first", true, 25), None, rules), Some("unfinished upload"));
    }

    #[test]
    fn in_a_folder_a_run_that_was_robbed_cannot_commit_what_was_swept() {
        const ROBBED: &str = "20231102T000000Z-0000000b";
        const THIEF: &str = "20231102T000001Z-0000000c";
        let root = tempfile::tempdir().unwrap();
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        let partition = Partition { table: "s3_access".to_owned(), day: "2023-11-01".parse().unwrap() };
        let taker = |run: &str, steals| LockTaker { run: run.to_owned(), holder: run.to_owned(), steals };
        let begun =
            |run: &str, steals| StagedDay::begin(&lake, partition.clone(), &taker(run, steals)).unwrap();
        let commit = |staged: StagedDay<'_>, run: &str| staged.commit(&manifest_of(run)).map(drop);
        let mut robbed = begun(ROBBED, false);
        robbed.parts_target().partition.create(&format!("{ROBBED}/part")).unwrap().flush().unwrap();
        commit(begun(THIEF, true), THIEF).unwrap();
        let lock = lake.lock(&partition, &taker("clean", false)).unwrap();
        lake.sweep(&partition).unwrap();
        drop(lock);
        assert!(commit(robbed, ROBBED).unwrap_err().is_retryable());
        assert_eq!(read_manifest(&lake, &partition).unwrap().unwrap().run, THIEF);
    }
}
