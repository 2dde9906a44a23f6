//! Cleans up the work folders of a lake after killed runs: restores days that were set aside, and removes unfinished work.
//!
//! A day that was set aside is the only copy of its rows, so it is restored before anything reads the lake. Unfinished work
//! is removed under the lock of its day, except for folders in which a run is still working.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file_lock::FileLock;
use super::lake::{INPUTS, Lake, LockTaker, Partition, is_run_name};
use super::local_lake::LocalLake;
use super::local_staged::restore_set_aside;
use super::manifest_paths::{is_version, runs_in};
use super::scratch::is_in_use;
use super::work_folder::WorkFolder;
use super::write_failure::write_failed;
use crate::error::{Error, Result};

/// The end of the name of a day that was set aside.
const ASIDE: &str = ".previous";

/// The outcome for a day that a killed run had set aside.
#[derive(Debug)]
pub struct Recovered {
    /// The day.
    pub partition: Partition,
    /// Why the day could not be restored, if so.
    pub error: Option<Error>,
}

impl LocalLake {
    /// Restores the days that killed runs have set aside. Days of runs that are still working are left to them.
    #[must_use]
    pub fn recover(&self) -> Vec<Recovered> {
        self.set_aside().into_iter().filter_map(|partition| self.recover_day(partition)).collect()
    }

    fn recover_day(&self, partition: Partition) -> Option<Recovered> {
        let holder = format!("process {}", std::process::id());
        let recovered = self.lock_if_free(&partition, &holder).and_then(|lock| {
            lock.map(|_lock| self.restore_set_aside(&partition)).transpose().map(Option::unwrap_or_default)
        });
        match recovered {
            Ok(false) => None,
            Ok(true) => Some(Recovered { partition, error: None }),
            Err(error) => Some(Recovered { partition, error: Some(error) }),
        }
    }

    /// The days that are set aside.
    fn set_aside(&self) -> Vec<Partition> {
        let days = folders_of_days(self.staging(), ASIDE);
        days.into_iter().map(|(partition, _)| partition).collect()
    }

    /// Puts a day that was set aside back in its place; returns whether there was one. The partition must be locked.
    pub(super) fn restore_set_aside(&self, partition: &Partition) -> Result<bool> {
        let live = self.live(partition);
        let aside = self.aside(partition);
        let replaced = if is_version(&live) { runs_of(&aside) } else { Vec::new() };
        let restored = self.staging().refuse_links(&aside).and_then(|()| restore_set_aside(&aside, &live));
        let restored = restored.map_err(|cause| {
            write_failed("cannot restore the day that an earlier run set aside", &live, cause)
        })?;
        self.forget_named_files(partition, replaced);
        self.staging().remove_empty_above(&aside);
        Ok(restored)
    }

    /// Where a day is moved if it cannot be exchanged.
    pub(super) fn aside(&self, partition: &Partition) -> PathBuf {
        self.staging().top().join(partition.to_string()).with_added_extension(&ASIDE[1..])
    }

    /// The partitions with unfinished work of killed runs.
    pub(super) fn days_left(&self) -> Vec<Partition> {
        let mut days = Vec::new();
        for work in self.work_folders() {
            for (partition, folder) in folders_of_days(&work, "") {
                // A file system that cannot lock folders may be able to lock files.
                let is_held = || FileLock::is_held(&self.lock_path(&partition));
                let is_free = |work: &PathBuf| !is_in_use(work).unwrap_or_else(is_held);
                // Runs of earlier versions lock only their day.
                let is_left = || !is_held() && children(&folder).iter().any(is_free);
                if !days.contains(&partition) && is_left() {
                    days.push(partition);
                }
            }
        }
        days
    }

    /// Removes unfinished work of a day on which no run works. The partition must be locked.
    pub(super) fn sweep_day(&self, partition: &Partition) -> Result<()> {
        for work in self.work_folders() {
            let folder = work.top().join(partition.to_string());
            let swept = work.refuse_links(&folder).and_then(|()| self.sweep_folder(partition, &folder));
            match swept {
                // Files that a run of another user left next to the lake are not in the way.
                Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied && work.is_beside() => {}
                swept => swept.map_err(|cause| {
                    write_failed("cannot remove the files that an earlier run left", &folder, cause)
                })?,
            }
            work.remove_empty_above(&folder.join("run"));
        }
        Ok(())
    }

    fn sweep_folder(&self, partition: &Partition, folder: &Path) -> io::Result<()> {
        for left in children(folder) {
            if is_in_use(&left) == Some(true) {
                continue;
            }
            let name = left.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            self.forget_named_files(partition, runs_of(&left.join("next")).into_iter().chain(name).collect());
            let is_folder = fs::symlink_metadata(&left).is_ok_and(|meta| meta.is_dir());
            let removed = if is_folder { fs::remove_dir_all(&left) } else { fs::remove_file(&left) };
            match removed {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the rejected rows and lists of inputs of runs that left work behind: of a run that was killed before its commit,
    /// and of the day that a run replaced before it was killed. Those of the live day are kept, and so are rejected rows of
    /// refused days, because their runs left no work behind.
    fn forget_named_files(&self, partition: &Partition, runs: Vec<String>) {
        let live = runs_of(&self.live(partition));
        for run in runs.into_iter().filter(|run| is_run_name(run) && !live.contains(run)) {
            for path in [partition.quarantine_file(&run), partition.inputs_file(&run)] {
                // Best effort: the next run of the day removes superseded files.
                let _ = self.remove(&path);
            }
        }
    }

    /// Completes or undoes the commit of a killed run. The partition must be locked.
    pub(super) fn settle_manifest(&self, partition: &Partition) -> Result<()> {
        let (paths, live) = (self.manifest_paths(partition), self.live(partition));
        paths.settle(self.root(), &live).map_err(|cause| {
            write_failed("cannot complete the commit of an earlier run", &paths.current, cause)
        })
    }

    /// Removes the files of killed runs from every day that no run holds.
    pub(super) fn sweep_free_days(&self, taker: &LockTaker) {
        for partition in self.days_left() {
            // Best effort: this is not the requested work.
            if let Ok(Some(_lock)) = self.lock_if_free(&partition, &taker.holder) {
                let _ = self.sweep(&partition);
            }
        }
    }

    fn lock_if_free(&self, partition: &Partition, holder: &str) -> Result<Option<FileLock>> {
        FileLock::take_if_free(&self.lock_path(partition), self.staging(), partition, holder)
    }
}

/// The runs in a version of a day. Each version has one; that of an empty day of an earlier version of logmill has only its
/// list of inputs.
fn runs_of(version: &Path) -> Vec<String> {
    let run = |path: PathBuf| Some(path.file_name()?.to_str()?.split_once('.')?.0.to_owned());
    let listed = children(&version.join(INPUTS)).into_iter().filter_map(run);
    runs_in(version).ok().flatten().into_iter().flatten().chain(listed).collect()
}

/// The folders of days in a work folder whose names end with `end`.
fn folders_of_days(work: &WorkFolder, end: &str) -> Vec<(Partition, PathBuf)> {
    let mut found = Vec::new();
    for table in children(work.top()).into_iter().filter(|table| is_folder(table)) {
        for folder in children(&table).into_iter().filter(|folder| is_folder(folder)) {
            let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            let (Some(table), Some(day)) = (name(&table), name(&folder)) else { continue };
            let day = day.strip_suffix(end).and_then(Partition::day_of_folder);
            found.extend(day.map(|day| (Partition { table, day }, folder)));
        }
    }
    found
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// The entries of a folder in the order of names; empty if the folder cannot be read.
fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taker(run: &str) -> LockTaker {
        LockTaker { run: run.to_owned(), holder: format!("run {run}"), steals: false }
    }

    /// A run can take over the lock of a day in a bucket at once only from a run that is known to be dead.
    #[test]
    fn a_sweep_for_a_bucket_removes_work_of_killed_runs_and_keeps_their_names() {
        let scratch = tempfile::tempdir().unwrap();
        let lake = LocalLake::private(scratch.path(), "bucket");
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        let lock = lake.lock_file(&partition, &taker("dead")).unwrap();
        let work = lake.scratch(&partition, "dead").unwrap();
        assert!(lake.left_here().is_empty(), "a run works there");
        let (path, holders) = (work.path().to_owned(), fs::read(lake.lock_path(&partition)).unwrap());
        drop((work, lock));
        fs::create_dir_all(&path).unwrap();
        fs::write(lake.lock_path(&partition), holders).unwrap();
        assert_eq!(lake.left_here(), std::slice::from_ref(&partition));
        lake.sweep_others(&taker("other"));
        assert!(!path.exists() && lake.left_here().is_empty());
        let next = lake.lock_file(&partition, &taker("next")).unwrap();
        #[cfg(feature = "aws")]
        assert!(next.is_known_dead("run dead"));
        drop(next);
        assert!(!lake.root().join("_staging").exists());
    }
}
