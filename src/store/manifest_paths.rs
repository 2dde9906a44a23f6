//! Where the manifests of a day in a folder are stored, and which of them belongs to the live run.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::draft::{folder_of, is_missing, sync_folder};
use super::partition::{INSIDE_MANIFEST, Partition, is_run_name};
use super::work_folder::remove_empty_parents;

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

    /// Makes the next manifest, whose run is live, the current one.
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
        // The killed run may not have reached this step. Until then, a power cut can bring the old day back, with its manifest.
        sync_folder(folder_of(live))?;
        self.promote()
    }
}

/// The run that a manifest belongs to, and its part files.
#[derive(Deserialize)]
pub(super) struct Owner {
    run: String,
    #[serde(default)]
    parts: Vec<IgnoredAny>,
}

impl Owner {
    /// `None` if it is not a manifest that logmill wrote.
    pub(super) fn of(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(|owner: &Self| is_run_name(&owner.run))
    }

    /// Whether its files are those of a partition with these runs; `None` for a partition without a folder, as a copy of a
    /// bucket has it for an empty day.
    pub(super) fn is_live(&self, runs: Option<&BTreeSet<String>>) -> bool {
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
