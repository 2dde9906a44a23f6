//! The manifest of a day in a folder.
//!
//! The exchange of folders decides which run is live: the partition holds the folder of that run and nothing else. The
//! manifest is stored outside the table. Before the exchange it is written under the name of the next one, and after the
//! exchange it takes the name of the current one. Readers choose the manifest of the run that they find in the partition, so
//! that the exchange is the one step that they see, and a run that was killed between the two steps has published its day.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::draft::folder_of;
use super::lake::{INSIDE_MANIFEST, Lake, Partition, StoredManifest, is_run_name};
use super::local_lake::{LocalLake, is_missing};
use super::local_staged::sync_folder;
use super::work_folder::remove_empty_parents;
use crate::error::{Error, ErrorKind, Result};

/// Maximum number of attempts to find the manifest of the run in a partition while other runs commit the day. One commit
/// between two steps of a reader costs it one attempt.
const ATTEMPTS: usize = 5;

/// Where the current and the next manifest of a day are stored.
#[derive(Debug)]
pub(super) struct ManifestPaths {
    pub(super) current: PathBuf,
    pub(super) next: PathBuf,
}

impl ManifestPaths {
    pub(super) fn of(root: &Path, partition: &Partition) -> Self {
        Self { current: root.join(partition.manifest()), next: root.join(partition.next_manifest()) }
    }

    /// Stores a complete and synced file as the next manifest.
    pub(super) fn put_next(&self, file: &Path) -> io::Result<()> {
        fs::create_dir_all(folder_of(&self.next))?;
        fs::rename(file, &self.next)?;
        sync_folder(folder_of(&self.next)).inspect_err(|_| {
            // Report the first error; the next run of the day removes it.
            let _ = fs::remove_file(&self.next);
        })
    }

    /// Makes the next manifest the current one. Its run must be live, and stay so after a power cut.
    pub(super) fn promote(&self) -> io::Result<()> {
        fs::rename(&self.next, &self.current)?;
        sync_folder(folder_of(&self.current))
    }

    /// Removes the next manifest, whose run is not live.
    pub(super) fn drop_next(&self, root: &Path) -> io::Result<()> {
        match fs::remove_file(&self.next) {
            Err(cause) if !is_missing(&cause) => Err(cause),
            _ => {
                remove_empty_parents(&self.next, root);
                Ok(())
            }
        }
    }

    /// Completes or undoes what a killed run left: its manifest becomes the current one if its folder is live.
    pub(super) fn settle(&self, root: &Path, live: &Path) -> io::Result<()> {
        let next = match fs::read(&self.next) {
            Err(cause) if is_missing(&cause) => return Ok(()),
            next => next?,
        };
        let runs = runs_in(live)?.unwrap_or_default();
        if !Owner::of(&next).is_some_and(|owner| runs.contains(&owner.run)) {
            return self.drop_next(root);
        }
        // If this fails, only the order of the two steps on the disk is not certain.
        let _ = sync_folder(folder_of(live));
        self.promote()
    }
}

/// The run that a manifest belongs to, and its part files.
#[derive(Deserialize)]
struct Owner {
    run: String,
    #[serde(default)]
    parts: Vec<IgnoredAny>,
}

impl Owner {
    /// `None` if it is not a manifest that logmill wrote.
    fn of(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|owner: &Self| is_run_name(&owner.run))
    }

    /// Whether its files are those of a partition with these runs; `None` for a partition without a folder, as a copy of a
    /// bucket has it for an empty day.
    fn is_live(&self, runs: Option<&BTreeSet<String>>) -> bool {
        runs.map_or(self.parts.is_empty(), |runs| runs.is_empty() || runs.contains(&self.run))
    }
}

/// The folders of runs in a version of a day; `None` if the version does not exist.
pub(super) fn runs_in(version: &Path) -> io::Result<Option<BTreeSet<String>>> {
    let entries = match fs::read_dir(version) {
        Err(cause) if is_missing(&cause) => return Ok(None),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<io::Result<BTreeSet<String>>>()?;
    Ok(Some(names.into_iter().filter(|name| is_run_name(name)).collect()))
}

/// Whether a folder is a version of a day.
pub(super) fn is_version(folder: &Path) -> bool {
    folder.join(INSIDE_MANIFEST).exists()
        || runs_in(folder).is_ok_and(|runs| runs.is_some_and(|runs| !runs.is_empty()))
}

impl LocalLake {
    /// Reads the manifest of the live version of a partition.
    pub(super) fn live_manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>> {
        let live = self.live(partition);
        for _ in 0..ATTEMPTS {
            let runs = runs_in(&live).map_err(|cause| {
                Error::unusable("cannot list the folder", cause).with("folder", live.display())
            })?;
            if let Some(found) = self.manifest_of(partition, runs.as_ref())? {
                return Ok(Some(found));
            }
            if runs.is_none() {
                return Ok(None);
            }
        }
        if self.read(&partition.manifest())?.is_none() {
            return Ok(None);
        }
        Err(Error::new(ErrorKind::Unusable, "the manifest does not belong to the files of the day")
            .with("manifest", self.address(&partition.manifest()))
            .with("folder", live.display())
            .hint("the lake was copied while a run published the day: copy it again, or remove both and publish the day again"))
    }

    /// Reads the manifest that belongs to the runs in a partition, if it is stored. A damaged one is returned as it is.
    fn manifest_of(
        &self,
        partition: &Partition,
        runs: Option<&BTreeSet<String>>,
    ) -> Result<Option<StoredManifest>> {
        for path in [partition.manifest(), partition.next_manifest()] {
            let json = self.read(&path)?;
            let live = json.filter(|json| Owner::of(json).is_none_or(|owner| owner.is_live(runs)));
            if let Some(json) = live {
                return Ok(Some(StoredManifest { path, json }));
            }
        }
        let path = partition.inside_manifest();
        Ok(self.read(&path)?.map(|json| StoredManifest { path, json }))
    }

    pub(super) fn manifest_paths(&self, partition: &Partition) -> ManifestPaths {
        ManifestPaths::of(self.root(), partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "20231102T000000Z-0000000a";
    const OTHER: &str = "20231103T000000Z-0000000b";

    /// What a reader finds: the path of the manifest, or why there is none.
    fn found(folders: &[&str], manifests: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        for folder in folders {
            fs::create_dir_all(root.path().join(partition.to_string()).join(folder)).unwrap();
        }
        for (path, json) in manifests {
            lake.write(path, json.as_bytes()).unwrap();
        }
        match lake.manifest(&partition) {
            Ok(found) => found.map_or("none".to_owned(), |found| found.path),
            Err(error) => error.kind().name().to_owned(),
        }
    }

    #[test]
    fn the_manifest_of_a_day_is_that_of_the_run_in_its_folder() {
        const CURRENT: &str = "_manifests/t/proc_ymd=20231101.json";
        const NEXT: &str = "_manifests/t/proc_ymd=20231101.next.json";
        const INSIDE: &str = "t/proc_ymd=20231101/_manifest.json";
        let (of_run, of_other) = (
            format!("{{\"run\":\"{RUN}\",\"parts\":[{{}}]}}"),
            format!("{{\"run\":\"{OTHER}\",\"parts\":[{{}}]}}"),
        );
        let empty = format!("{{\"run\":\"{OTHER}\",\"parts\":[]}}");
        let (run, other, empty) = (of_run.as_str(), of_other.as_str(), empty.as_str());
        for (folders, manifests, expected) in [
            (&[][..], &[][..], "none"),
            (&[RUN], &[], "none"),
            (&[RUN], &[(CURRENT, run)], CURRENT),
            (&[RUN], &[(CURRENT, other), (NEXT, run)], NEXT),
            (&[RUN], &[(CURRENT, run), (NEXT, other)], CURRENT),
            (&[RUN], &[(NEXT, run)], NEXT),
            (&[RUN], &[(CURRENT, other)], "unusable"),
            (&[RUN], &[(CURRENT, "{")], CURRENT),
            (&[RUN], &[(CURRENT, "{\"run\":\"..\"}")], CURRENT),
            // A copy of a bucket: with a superseded run, and without a folder for an empty day.
            (&[RUN, OTHER], &[(CURRENT, run)], CURRENT),
            (&[], &[(CURRENT, empty)], CURRENT),
            // The folder of the day, or only that of its run, was removed by hand.
            (&[], &[(CURRENT, run)], "none"),
            (&[""], &[(CURRENT, run)], CURRENT),
            // Days of earlier versions.
            (&[RUN], &[(INSIDE, run)], INSIDE),
            (&["_inputs"], &[(INSIDE, empty)], INSIDE),
            (&[RUN], &[(INSIDE, run), (CURRENT, other)], INSIDE),
        ] {
            assert_eq!(found(folders, manifests), expected, "{folders:?} {manifests:?}");
        }
    }
}
