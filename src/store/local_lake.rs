//! A lake in a folder: reads the files of published days and puts new ones in place.
//!
//! A run stages its files in a folder next to the lake, out of the way of tools that read the lake by path, or in `_staging`
//! if the lake cannot have such a folder. Locks, and days that are set aside, are in `_staging`, where every run finds them.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::OFlags;

use super::draft::{Draft, folder_of, is_missing, sync_folder, usual_permissions};
use super::file_lock::FileLock;
use super::lake::{
    DayLock, Lake, LakeEntry, LakeFile, LockTaker, Partition, RunFile, StagedPartition, StoredManifest,
    check_range, too_large,
};
use super::local_staged::LocalStaged;
use super::private_folder::private_path;
use super::scratch::Scratch;
use super::work_folder::{WorkFolder, remove_empty_parents};
use super::write_failure::{DAY_UNCHANGED, write_failed};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::UtcInstant;

/// A folder with published days.
#[derive(Debug)]
pub struct LocalLake {
    root: PathBuf,
    /// For locks and days set aside, and for unfinished work if it cannot be next to the lake.
    staging: WorkFolder,
    /// Whether to keep unfinished work out of the way of readers.
    has_readers: bool,
}

impl LocalLake {
    /// Opens a folder, which need not exist yet.
    pub fn open(output: &str) -> Result<Self> {
        let root = PathBuf::from(output);
        if fs::metadata(&root).is_ok_and(|meta| !meta.is_dir()) {
            return Err(Error::new(ErrorKind::Unusable, "the output is not a folder")
                .with("output", output)
                .hint("pass a folder with --output; it is created if it does not exist"));
        }
        let staging = WorkFolder::in_lake(&root);
        Ok(Self { root, staging, has_readers: true })
    }

    /// Opens a folder in which shards meet. Nothing reads it by path, so it may hold unfinished work.
    pub fn open_staging(output: &str) -> Result<Self> {
        Ok(Self { has_readers: false, ..Self::open(output)? })
    }

    /// The location for work on a lake that is stored elsewhere, private to this user: a folder of this name in the private
    /// folder of `scratch`. Nothing is created before it is needed.
    #[must_use]
    pub fn private(scratch: &Path, name: &str) -> Self {
        let root = private_path(scratch).join(name);
        let staging = WorkFolder::private(&root, scratch);
        Self { root, staging, has_readers: false }
    }

    /// Path of the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn staging(&self) -> &WorkFolder {
        &self.staging
    }

    /// The folder of a day.
    pub(super) fn live(&self, partition: &Partition) -> PathBuf {
        self.root.join(partition.to_string())
    }

    pub(super) fn lock_path(&self, partition: &Partition) -> PathBuf {
        self.staging.top().join(partition.to_string()).with_extension("lock")
    }

    /// Locks the partition against other runs of this machine.
    pub(super) fn lock_file(&self, partition: &Partition, taker: &LockTaker) -> Result<FileLock> {
        FileLock::take(&self.lock_path(partition), &self.staging, partition, taker)
    }

    /// The folder next to the lake, if the lake can have one.
    fn beside(&self) -> Option<WorkFolder> {
        if self.has_readers { WorkFolder::beside(&self.root) } else { None }
    }

    /// Every folder that may hold unfinished work of runs.
    pub(super) fn work_folders(&self) -> Vec<WorkFolder> {
        let beside = self.beside().filter(WorkFolder::is_usable);
        [self.staging.clone()].into_iter().chain(beside).collect()
    }

    /// Opens a file, or returns `None` if it does not exist.
    fn open_file(&self, path: &str) -> Result<Option<File>> {
        match open_regular(&self.root.join(path)) {
            Ok(file) => Ok(Some(file)),
            Err(cause) if is_missing(&cause) => Ok(None),
            Err(cause) => {
                Err(Error::unusable("cannot read the file", cause).with("path", self.address(path)))
            }
        }
    }

    /// Begins a new version of a partition.
    pub(super) fn staged(&self, partition: &Partition, scratch: &Scratch) -> Result<LocalStaged> {
        let live = self.live(partition);
        let replaces = self.live_manifest(partition)?;
        refuse_foreign(&live, replaces.is_some())?;
        let next = scratch.path().join("next");
        fs::create_dir_all(&next).map_err(|cause| {
            write_failed("cannot create the staging folder", &next, cause).hint(DAY_UNCHANGED)
        })?;
        let (root, manifests) = (self.root.clone(), self.manifest_paths(partition));
        let named = [partition.quarantine(), partition.inputs()].map(|folder| self.root.join(folder));
        Ok(LocalStaged { next, live, aside: self.aside(partition), root, manifests, named, replaces })
    }

    fn failed(&self, doing: &'static str, path: &str) -> impl Fn(io::Error) -> Error {
        let path = self.address(path);
        move |cause| write_failed(doing, Path::new(&path), cause)
    }
}

impl Lake for LocalLake {
    fn address(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    fn local_path(&self, path: &str) -> Option<PathBuf> {
        Some(self.root.join(path))
    }

    fn lock(&self, partition: &Partition, taker: &LockTaker) -> Result<Box<dyn DayLock>> {
        let lock = self.lock_file(partition, taker)?;
        lock.forget_dead_holders(taker)?;
        Ok(Box::new(lock))
    }

    fn scratch(&self, partition: &Partition, run: &str) -> Result<Scratch> {
        let below = |work: &WorkFolder| work.top().join(partition.to_string()).join(run);
        let inside = Scratch::create(&self.staging, below(&self.staging))?;
        let beside = self.beside().and_then(|work| Scratch::create(&work, below(&work)).ok());
        Ok(beside.filter(|beside| beside.is_like(&inside)).unwrap_or(inside))
    }

    fn sweep(&self, partition: &Partition) -> Result<()> {
        self.restore_set_aside(partition)?;
        self.settle_manifest(partition)?;
        self.sweep_day(partition)
    }

    fn sweep_others(&self, taker: &LockTaker) {
        self.sweep_free_days(taker);
    }

    fn left_here(&self) -> Vec<Partition> {
        self.days_left()
    }

    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let mut content = Vec::new();
        let unreadable =
            |cause| Error::unusable("cannot read the file", cause).with("path", self.address(path));
        // Limit the bytes that are read, not the size that the folder reports: the file may grow.
        file.take(most.saturating_add(1)).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > most {
            return Err(too_large(&self.address(path), most));
        }
        Ok(Some(content))
    }

    fn manifest(&self, partition: &Partition) -> Result<Option<StoredManifest>> {
        self.live_manifest(partition)
    }

    fn open(&self, path: &str) -> Result<Option<Box<dyn LakeFile>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let unreadable =
            |cause| Error::unusable("cannot read the file", cause).with("path", self.address(path));
        let bytes = file.metadata().map_err(unreadable)?.len();
        Ok(Some(Box::new(LocalFile { file, bytes })))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>> {
        let failed =
            |cause| Error::unusable("cannot list the folder", cause).with("folder", self.address(folder));
        let entries = match fs::read_dir(self.root.join(folder)) {
            Err(cause) if is_missing(&cause) => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        names.sort();
        Ok(names)
    }

    fn entries(&self, folder: &str) -> Result<Vec<LakeEntry>> {
        let mut entries = Vec::new();
        for name in self.names(folder)? {
            let path = format!("{folder}/{name}");
            match fs::symlink_metadata(self.root.join(&path)) {
                Ok(meta) => {
                    let written_at = UtcInstant(meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000);
                    entries.push(LakeEntry { name, written_at });
                }
                // Another run has removed it since the folder was listed.
                Err(cause) if is_missing(&cause) => {}
                Err(cause) => {
                    return Err(
                        Error::unusable("cannot inspect the file", cause).with("path", self.address(&path))
                    );
                }
            }
        }
        Ok(entries)
    }

    fn put(&self, path: &str, file: &Path) -> Result<()> {
        let target = self.root.join(path);
        let folder = folder_of(&target);
        let put = || {
            fs::create_dir_all(folder)?;
            // Until now only this user could read it.
            fs::set_permissions(file, usual_permissions(&target)?)?;
            fs::rename(file, &target)?;
            sync_folder(folder)
        };
        put().map_err(self.failed("cannot put the file in place", path))
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let target = self.root.join(path);
        let write = || {
            fs::create_dir_all(folder_of(&target))?;
            // The draft's name begins with the target's name, so that a removal by prefix removes both.
            let draft = Draft::of(&target, "")?;
            draft.file().write_all(content)?;
            draft.keep()?;
            sync_folder(folder_of(&target))
        };
        write().map_err(|cause| {
            remove_empty_parents(&target, &self.root);
            self.failed("cannot write the file", path)(cause)
        })
    }

    fn remove(&self, path: &str) -> Result<()> {
        match fs::remove_file(self.root.join(path)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("cannot remove the file", path)(cause))
            }
            _ => {
                remove_empty_parents(&self.root.join(path), &self.root);
                Ok(())
            }
        }
    }

    fn stage(&self, partition: &Partition, scratch: &Scratch) -> Result<Box<dyn StagedPartition>> {
        Ok(Box::new(self.staged(partition, scratch)?))
    }

    fn keeps_runs(&self) -> bool {
        false
    }

    fn run_files(&self, _: &Partition) -> Result<Vec<RunFile>> {
        Ok(Vec::new())
    }

    fn unfinished(&self) -> Result<Vec<Partition>> {
        Ok(self.days_left())
    }

    fn remove_run_files(&self, _: &[RunFile]) -> Result<()> {
        Ok(())
    }
}

/// A published file.
struct LocalFile {
    file: File,
    bytes: u64,
}

impl LakeFile for LocalFile {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        check_range(self.bytes, offset, length)?;
        let mut content = vec![0; length];
        self.file.read_exact_at(&mut content, offset)?;
        Ok(content.into())
    }
}

/// Opens a regular file for reading. Other files are refused: opening a pipe would block, and a device may have no end.
fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("it is not a regular file"))
}

/// Refuses a folder with files but no manifest, a file, and a link: logmill replaces only what it wrote.
fn refuse_foreign(live: &Path, is_published: bool) -> Result<()> {
    let is_file = fs::symlink_metadata(live).is_ok_and(|meta| !meta.is_dir());
    let has_entries = fs::read_dir(live).is_ok_and(|mut entries| entries.next().is_some());
    if is_file || has_entries && !is_published {
        return Err(Error::new(ErrorKind::Unusable, "the partition holds files that logmill did not write")
            .with("folder", live.display())
            .hint("move them elsewhere, or choose another table name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_works_next_to_a_lake_only_if_its_folders_are_like_those_in_the_lake() {
        use std::os::unix::fs::PermissionsExt;
        let partition = Partition { table: "t".to_owned(), day: "2023-11-01".parse().unwrap() };
        // New folders in a lake with the second mode get the lake's group. Those next to a world-writable lake do not.
        for (mode, expected) in [(0o755, ".lake.logmill"), (0o2777, "lake/_staging")] {
            let parent = tempfile::tempdir().unwrap();
            let root = parent.path().join("lake");
            fs::create_dir(&root).unwrap();
            fs::set_permissions(&root, fs::Permissions::from_mode(mode)).unwrap();
            let lake = LocalLake::open(root.to_str().unwrap()).unwrap();
            let scratch = lake.scratch(&partition, "20231102T000000Z-0000000a").unwrap();
            assert!(scratch.path().starts_with(parent.path().join(expected)), "{}", scratch.path().display());
            assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
            drop(scratch);
            assert_eq!(
                (fs::read_dir(&root).unwrap().count(), fs::read_dir(parent.path()).unwrap().count()),
                (0, 1)
            );
        }
    }

    #[test]
    fn a_file_in_place_of_a_folder_has_no_entries() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.html"), "notes").unwrap();
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        assert_eq!(lake.names("notes.html").unwrap(), [] as [String; 0]);
        assert!(lake.read("notes.html/part").unwrap().is_none());
        assert!(lake.open("notes.html/part").unwrap().is_none());
    }

    #[test]
    fn a_file_is_read_up_to_a_limit_and_a_pipe_or_device_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "1234").unwrap();
        std::os::unix::fs::symlink("/dev/zero", root.path().join("device")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(root.path().join("pipe")).status().unwrap();
        assert!(pipe.success());
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        assert_eq!(lake.read_up_to("file", 4).unwrap().unwrap(), b"1234");
        assert!(lake.read_up_to("file", 3).unwrap_err().to_string().contains("too large"));
        for other in ["device", "pipe", "."] {
            assert_eq!(lake.read(other).unwrap_err().kind(), ErrorKind::Unusable, "{other}");
            assert!(lake.open(other).is_err(), "{other}");
        }
        let file = lake.open("file").unwrap().unwrap();
        assert_eq!(&file.read_at(1, 3).unwrap()[..], b"234");
        for (offset, length) in [(1, 4), (u64::MAX, 1), (0, usize::MAX)] {
            assert_eq!(file.read_at(offset, length).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
