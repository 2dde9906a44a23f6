//! A new version of a day in a folder, and how it replaces the live one.
//!
//! Everything is written next to the live folder and synced, and the manifest is stored as the next one of the day. Then one
//! system call exchanges the two folders, so that a path leads either to the old day or to the new one, and readers of
//! manifests choose the one of the run that they find. Until the exchange is synced, a power cut can undo it. If this sync fails,
//! the run fails, and the old day and both manifests remain. A later failure is reported as trouble: the new day is public.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::draft::{folder_of, sync_folder, sync_names_below};
use super::lake::{Committed, StagedPartition, StoredManifest, Uncommitted};
use super::manifest_paths::{ManifestPaths, is_version, runs_in};
use super::write_failure::{DAY_UNCHANGED, with_reason, write_failed};
use crate::error::{Error, Result};

/// A new version of a partition, next to the live one.
pub(super) struct LocalStaged {
    pub(super) next: PathBuf,
    pub(super) live: PathBuf,
    /// Where the old version is moved if it cannot be exchanged; the sweep leaves it alone.
    pub(super) aside: PathBuf,
    /// The folder of the lake.
    pub(super) root: PathBuf,
    pub(super) manifests: ManifestPaths,
    /// The folders of the files outside of the partition that the manifest names.
    pub(super) named: [PathBuf; 2],
    /// The manifest of the live version.
    pub(super) replaces: Option<StoredManifest>,
}

impl LocalStaged {
    /// Does the work before the switch. An empty day, too, has the folder of its run.
    fn prepare(&self, run: &str, manifest: &[u8]) -> io::Result<()> {
        fs::create_dir_all(self.next.join(run))?;
        sync_folders_below(&self.next)?;
        fs::create_dir_all(folder_of(&self.live))?;
        self.manifests.settle(&self.root, &self.live)?;
        let path = self.next.with_extension("manifest");
        let mut file = SyncedFile::create(&path)?;
        file.write_all(manifest)?;
        file.flush()?;
        self.manifests.put_next(&path)?;
        self.sync_names().inspect_err(|_| {
            // Report the first error; the next run of the day removes it.
            let _ = self.manifests.drop_next(&self.root);
        })
    }

    /// Waits until the names of the folders that lead to the day and to its files elsewhere are on disk.
    fn sync_names(&self) -> io::Result<()> {
        let named = self.named.iter().filter(|folder| folder.exists()).map(PathBuf::as_path);
        let needed = [folder_of(&self.live), folder_of(&self.manifests.next)].into_iter().chain(named);
        sync_names_below(&self.root, needed)
    }

    /// Makes `next` the live folder. The old one, if any, then takes the place of `next` or is set aside.
    fn switch(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.next, CWD, &self.live, RenameFlags::EXCHANGE) {
            Err(Errno::NOENT) => fs::rename(&self.next, &self.live),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.set_old_day_aside(),
            result => Ok(result?),
        }
    }

    /// Replaces the live folder on a file system without exchange: the old day is set aside first, and for a moment no day is
    /// visible. If the run is killed then, the next command that opens the lake restores the day, see [`restore_set_aside`].
    fn set_old_day_aside(&self) -> io::Result<()> {
        if !self.live.exists() {
            return fs::rename(&self.next, &self.live);
        }
        fs::create_dir_all(folder_of(&self.aside))?;
        // Until the new day is in place, this is the only copy of the old one.
        sync_names_below(&self.root, [folder_of(&self.aside)].into_iter())?;
        fs::rename(&self.live, &self.aside)?;
        fs::rename(&self.next, &self.live).inspect_err(|_| {
            // Report the first error; the next command that opens the lake tries again.
            let _ = fs::rename(&self.aside, &self.live);
        })
    }

    /// Settles what an error of the switch means: a network file system may have done what it reports as failed.
    fn settle(&self, cause: io::Error, run: &str) -> std::result::Result<Committed, Uncommitted> {
        let live = runs_in(&self.live);
        if matches!(&live, Ok(Some(runs)) if runs.contains(run)) {
            return Ok(Committed {
                trouble: vec![may_not_survive("the switch to the new day", &self.live, cause)],
            });
        }
        if live.is_ok() {
            // Report the first error; the next run of the day tries again.
            let _ = self.manifests.drop_next(&self.root);
        }
        let error = write_failed("cannot commit the day", &self.live, cause).hint(DAY_UNCHANGED);
        Err(Uncommitted { error, is_certain: live.is_ok() })
    }

    /// Waits until the switch is on disk. Until then, the old day may be needed again.
    fn settle_switch(&self) -> std::result::Result<(), Uncommitted> {
        let folder = folder_of(&self.live);
        sync_folder(folder).map_err(|cause| Uncommitted {
            error: may_not_survive("the name of its folder", folder, cause),
            is_certain: false,
        })
    }

    /// Does the work that is possible only once the day is public for good.
    fn finish(&self) -> Vec<Error> {
        let promoted = self.manifests.promote().map_err(|cause| not_promoted(&self.manifests.current, cause));
        let removed = discard(&self.aside, &self.next).map_err(|cause| {
            Error::unusable("cannot remove the replaced day: the next command on the lake tries again", cause)
                .with("folder", self.aside.display())
        });
        [promoted, removed].into_iter().filter_map(std::result::Result::err).collect()
    }
}

/// Creates an error about a day that is public: a power cut may still undo the switch.
fn may_not_survive(what: &str, path: &Path, cause: io::Error) -> Error {
    let text = format!("the day is published, but {what} may not survive a power cut");
    Error::unusable(text, cause)
        .with("path", path.display())
        .hint("check the disk, and that this user can read the folder; then run the day again")
}

/// Creates an error about a day that is public, and whose manifest still has the name of the next one.
fn not_promoted(path: &Path, cause: io::Error) -> Error {
    let text =
        "the day is published, but its manifest could not be renamed: the next run of the day tries again";
    Error::unusable(text, cause).with("path", path.display())
}

/// Removes a day that was set aside. First it is moved out of the way of tools that read the lake by path.
fn discard(aside: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(aside, to) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => fs::remove_dir_all(aside),
        Ok(()) => fs::remove_dir_all(to),
    }
}

/// Puts a day that was set aside back in its place, or removes it if a newer one exists; returns whether it was restored.
pub(super) fn restore_set_aside(aside: &Path, live: &Path) -> io::Result<bool> {
    if !aside.exists() {
        return Ok(false);
    }
    if is_version(live) {
        // Until the newer day has its name on disk, this one may be needed.
        sync_folder(folder_of(live))?;
        return fs::remove_dir_all(aside).map(|()| false);
    }
    fs::create_dir_all(folder_of(live))?;
    // An empty folder is replaced. A folder with foreign files is not: then both remain as they are.
    fs::rename(aside, live)?;
    // If this fails, a power cut may leave the day where it was set aside.
    let _ = sync_folder(folder_of(live));
    Ok(true)
}

impl StagedPartition for LocalStaged {
    fn replaces(&self) -> Option<&StoredManifest> {
        self.replaces.as_ref()
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let target = self.next.join(path);
        let create = || {
            fs::create_dir_all(target.parent().unwrap_or(&self.next))?;
            SyncedFile::create(&target)
        };
        let file = create()
            .map_err(|cause| write_failed("cannot write the file", &target, cause).hint(DAY_UNCHANGED))?;
        Ok(Box::new(file))
    }

    fn commit(self: Box<Self>, run: &str, manifest: &[u8]) -> std::result::Result<Committed, Uncommitted> {
        self.prepare(run, manifest).map_err(|cause| Uncommitted {
            error: write_failed("cannot commit the day", &self.live, cause).hint(DAY_UNCHANGED),
            is_certain: true,
        })?;
        let mut committed = match self.switch() {
            Ok(()) => Committed::default(),
            Err(cause) => self.settle(cause, run)?,
        };
        self.settle_switch()?;
        committed.trouble.extend(self.finish());
        Ok(committed)
    }
}

/// A file whose final flush waits until the disk has stored it.
struct SyncedFile {
    file: File,
    path: PathBuf,
}

impl SyncedFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create_new(path)?, path: path.to_owned() })
    }

    fn failed(&self, cause: io::Error) -> io::Error {
        with_reason("cannot write the file", &self.path, cause)
    }
}

impl Write for SyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|cause| self.failed(cause))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_all().map_err(|cause| self.failed(cause))
    }
}

fn sync_folders_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders_below(&entry.path())?;
        }
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lake::{INSIDE_MANIFEST, Lake, Partition};
    use crate::store::{LocalLake, Scratch};

    const OLD: &str = "20231102T000000Z-0000000a";
    const NEW: &str = "20231103T000000Z-0000000b";

    fn version(path: &Path, content: &str) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("part"), content).unwrap();
    }

    fn content(path: &Path) -> String {
        fs::read_to_string(path.join("part")).unwrap()
    }

    fn manifest_of(run: &str, parts: &str) -> Vec<u8> {
        format!("{{\"run\": \"{run}\", \"parts\": [{parts}]}}").into_bytes()
    }

    fn staged(root: &Path) -> LocalStaged {
        let at = |name| root.join(name);
        version(&at("next"), "new");
        let manifests =
            ManifestPaths { current: at("manifests/day.json"), next: at("manifests/day.next.json") };
        version(&at("manifests"), "");
        fs::write(&manifests.next, manifest_of(NEW, "")).unwrap();
        let (next, live, aside) = (at("next"), at("table/live"), at("staging/aside"));
        let (root, named) = (root.to_owned(), [at("inputs"), at("quarantine")]);
        LocalStaged { next, live, aside, root, manifests, named, replaces: None }
    }

    #[test]
    fn without_exchange_a_first_day_and_a_replacement_are_put_in_place() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("table")).unwrap();
        for _ in 0..2 {
            let staged = staged(root.path());
            staged.set_old_day_aside().unwrap();
            assert!(staged.finish().is_empty());
            assert_eq!(content(&staged.live), "new");
            assert_eq!(fs::read(&staged.manifests.current).unwrap(), manifest_of(NEW, ""));
            assert!(!staged.aside.exists() && !staged.next.exists() && !staged.manifests.next.exists());
        }
    }

    #[test]
    fn without_exchange_a_failed_or_killed_replacement_restores_the_old_day() {
        let root = tempfile::tempdir().unwrap();
        let staged = staged(root.path());
        version(&staged.live, "old");
        fs::remove_dir_all(&staged.next).unwrap();
        assert!(staged.set_old_day_aside().is_err());
        assert_eq!(content(&staged.live), "old");
        fs::rename(&staged.live, &staged.aside).unwrap();
        assert!(restore_set_aside(&staged.aside, &staged.live).unwrap());
        assert_eq!(content(&staged.live), "old");
        version(&staged.aside, "older");
        assert!(restore_set_aside(&staged.aside, &staged.live).is_err(), "the existing folder is not a day");
        assert_eq!((content(&staged.live).as_str(), content(&staged.aside).as_str()), ("old", "older"));
        for day in [INSIDE_MANIFEST, OLD] {
            version(&staged.aside, "older");
            fs::create_dir(staged.live.join(day)).unwrap();
            assert!(!restore_set_aside(&staged.aside, &staged.live).unwrap());
            assert_eq!((content(&staged.live).as_str(), staged.aside.exists()), ("old", false));
            fs::remove_dir(staged.live.join(day)).unwrap();
        }
        fs::rename(&staged.live, &staged.aside).unwrap();
        fs::create_dir(&staged.live).unwrap();
        assert!(restore_set_aside(&staged.aside, &staged.live).unwrap(), "an empty folder is not a day");
        assert_eq!(content(&staged.live), "old");
    }

    #[test]
    fn until_the_switch_is_on_disk_the_old_day_and_both_manifests_remain() {
        let root = tempfile::tempdir().unwrap();
        let mut staged = staged(root.path());
        version(&staged.live, "old");
        staged.set_old_day_aside().unwrap();
        // A folder that cannot be opened cannot be synced either.
        let live = std::mem::replace(&mut staged.live, root.path().join("gone/live"));
        let refused = staged.settle_switch().unwrap_err();
        assert!(!refused.is_certain);
        assert_eq!(refused.error.kind(), crate::error::ErrorKind::Unusable);
        assert!(refused.error.to_string().contains("may not survive a power cut"), "{}", refused.error);
        assert_eq!((content(&live).as_str(), content(&staged.aside).as_str()), ("new", "old"));
        assert!(staged.manifests.next.exists());
    }

    #[test]
    fn the_live_run_settles_what_an_error_of_the_switch_means() {
        let root = tempfile::tempdir().unwrap();
        let staged = staged(root.path());
        let settle = || staged.settle(io::Error::other("denied"), NEW);
        for live in [None, Some(OLD)] {
            if let Some(run) = live {
                fs::create_dir_all(staged.live.join(run)).unwrap();
            }
            fs::write(&staged.manifests.next, manifest_of(NEW, "")).unwrap();
            let refused = settle().unwrap_err();
            assert!(refused.is_certain && !staged.manifests.next.exists());
            assert!(refused.error.next_step().unwrap().contains("is unchanged"));
        }
        fs::write(&staged.manifests.next, manifest_of(NEW, "")).unwrap();
        fs::create_dir(staged.live.join(NEW)).unwrap();
        let trouble = settle().unwrap().trouble;
        assert!(trouble[0].to_string().starts_with("the day is published, but"), "{}", trouble[0]);
        fs::remove_dir_all(&staged.live).unwrap();
        std::os::unix::fs::symlink("live", &staged.live).unwrap();
        assert!(!settle().unwrap_err().is_certain, "an unreadable folder settles nothing");
        assert!(staged.manifests.next.exists(), "the day may need it");
    }

    fn lake_with_old_day(root: &Path, partition: &Partition, parts: &str) -> LocalLake {
        let lake = LocalLake::open(root.join("lake").to_str().unwrap()).unwrap();
        let scratch = lake.scratch(partition, OLD).unwrap();
        Box::new(lake.staged(partition, &scratch).unwrap()).commit(OLD, &manifest_of(OLD, parts)).unwrap();
        lake
    }

    /// Does the first steps of a commit of the new run, which then is killed.
    fn killed_after(
        steps: usize,
        exchanges: bool,
        lake: &LocalLake,
        partition: &Partition,
        parts: &str,
    ) -> Scratch {
        let scratch = lake.scratch(partition, NEW).unwrap();
        let staged = lake.staged(partition, &scratch).unwrap();
        let switch = || if exchanges { staged.switch() } else { staged.set_old_day_aside() };
        let all: [&dyn Fn(); 3] =
            [&|| staged.prepare(NEW, &manifest_of(NEW, parts)).unwrap(), &|| switch().unwrap(), &|| {
                assert!(staged.finish().is_empty());
            }];
        all.iter().take(steps).for_each(|step| step());
        scratch
    }

    #[test]
    fn readers_see_the_old_or_the_new_day_after_each_step_of_a_commit_and_a_sweep_settles_it() {
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        let days = [("", "{}"), ("{}", ""), ("{}", "{}"), ("", "")];
        for ((old, new), exchanges) in days.into_iter().flat_map(|day| [(day, true), (day, false)]) {
            for (steps, expected) in [(0, OLD), (1, OLD), (2, NEW), (3, NEW)] {
                let root = tempfile::tempdir().unwrap();
                let lake = lake_with_old_day(root.path(), &partition, old);
                let scratch = killed_after(steps, exchanges, &lake, &partition, new);
                let wanted = manifest_of(expected, if expected == OLD { old } else { new });
                let seen = || lake.manifest(&partition).unwrap().unwrap();
                assert_eq!(seen().json, wanted, "after {steps} steps");
                assert!(lake.live(&partition).join(expected).is_dir());
                drop(scratch);
                lake.sweep(&partition).unwrap();
                assert_eq!((seen().path, seen().json), (partition.manifest(), wanted), "after {steps} steps");
                let manifests = fs::read_dir(lake.root().join("_manifests/t")).unwrap().count();
                assert_eq!(manifests, 1, "after {steps} steps");
            }
        }
    }

    #[test]
    fn a_commit_settles_what_a_killed_run_left_before_it_stores_its_manifest() {
        let root = tempfile::tempdir().unwrap();
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        let lake = lake_with_old_day(root.path(), &partition, "{}");
        let killed = killed_after(2, true, &lake, &partition, "{}");
        let third = "20231104T000000Z-0000000c";
        let scratch = lake.scratch(&partition, third).unwrap();
        let staged = lake.staged(&partition, &scratch).unwrap();
        staged.prepare(third, &manifest_of(third, "{}")).unwrap();
        assert_eq!(lake.manifest(&partition).unwrap().unwrap().json, manifest_of(NEW, "{}"));
        drop(killed);
    }
}
