//! A lake in a folder of this machine.
//!
//! A version of a partition is built in `_staging`, which engines pass over, and committed by exchanging it with the
//! folder of the partition: one system call, so that a path leads to the old day or to the new one.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::file_lock::FileLock;
use super::lake::{
    DayLock, Lake, LakeFile, LockTaker, MANIFEST, Partition, RunFile, StagedPartition, Uncommitted,
    check_range, too_large,
};
use super::scratch::{Scratch, remove_empty_parents};
use crate::error::{Error, ErrorKind, Result};

const STAGING: &str = "_staging";

/// A folder with published days.
#[derive(Debug)]
pub struct LocalLake {
    root: PathBuf,
}

impl LocalLake {
    /// Opens a folder, which need not exist yet.
    pub fn open(output: &str) -> Result<Self> {
        let root = PathBuf::from(output);
        if fs::metadata(&root).is_ok_and(|meta| !meta.is_dir()) {
            return Err(Error::new(ErrorKind::Unusable, "the output is not a folder")
                .with("output", output)
                .hint("give a folder with --output; it is made when it does not exist"));
        }
        Ok(Self { root })
    }

    fn staging(&self, partition: &Partition) -> PathBuf {
        self.root.join(STAGING).join(partition.to_string())
    }

    /// Takes the partition among the runs of this machine.
    pub(super) fn lock_file(&self, partition: &Partition, taker: &LockTaker) -> Result<FileLock> {
        FileLock::take(&self.staging(partition).with_extension("lock"), &self.root, partition, taker)
    }

    /// Opens a file, or nothing when there is none.
    fn open_file(&self, path: &str) -> Result<Option<File>> {
        match open_regular(&self.root.join(path)) {
            Ok(file) => Ok(Some(file)),
            Err(cause) if is_none(&cause) => Ok(None),
            Err(cause) => {
                Err(Error::unusable("cannot read the file", cause).with("path", self.address(path)))
            }
        }
    }

    fn aside(&self, partition: &Partition) -> PathBuf {
        self.staging(partition).with_extension("previous")
    }

    fn failed(&self, doing: &'static str, path: &str) -> impl Fn(io::Error) -> Error {
        let path = self.address(path);
        move |cause| write_failed(doing, Path::new(&path), cause)
    }
}

/// An error about writing to the lake, with the next step where the cause tells it.
pub(super) fn write_failed(doing: &'static str, path: &Path, cause: io::Error) -> Error {
    let hint = match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: make room and run the day again; the day that was published still stands"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check that this user may write to the output"
        }
        _ => "the day that was published still stands; run the day again",
    };
    Error::unusable(doing, cause).with("path", path.display()).hint(hint)
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
        lock.forget_the_dead(taker)?;
        Ok(Box::new(lock))
    }

    fn scratch(&self, partition: &Partition, run: &str) -> Result<Scratch> {
        Scratch::create(self.staging(partition).join(run), &self.root)
    }

    fn sweep(&self, partition: &Partition) -> Result<()> {
        let live = self.root.join(partition.to_string());
        bring_back(&self.aside(partition), &live).map_err(|cause| {
            write_failed("cannot bring back the day that an earlier run set aside", &live, cause)
        })?;
        match fs::remove_dir_all(self.staging(partition)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(write_failed("cannot remove what an earlier run left", &self.staging(partition), cause))
            }
            _ => Ok(()),
        }
    }

    fn read_up_to(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let mut content = Vec::new();
        let unreadable =
            |cause| Error::unusable("cannot read the file", cause).with("path", self.address(path));
        // By what comes, not by what the folder says: the file may grow.
        file.take(most.saturating_add(1)).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() as u64 > most {
            return Err(too_large(&self.address(path), most));
        }
        Ok(Some(content))
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
            Err(cause) if is_none(&cause) => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        let mut names = entries.map(name).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        names.sort();
        Ok(names)
    }

    fn put(&self, path: &str, file: &Path) -> Result<()> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::rename(file, &target))
            .and_then(|()| sync_folder(folder))
            .map_err(self.failed("cannot put the file in place", path))
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let target = self.root.join(path);
        // Under a name that begins as the wanted one does: whoever removes one by its beginning removes both.
        let new = target.with_added_extension("new");
        let written = fs::create_dir_all(target.parent().unwrap_or(&self.root))
            .and_then(|()| write_synced(&new, content))
            .map_err(self.failed("cannot write the file", path))
            .and_then(|()| self.put(path, &new));
        if written.is_err() {
            let _ = fs::remove_file(&new);
            remove_empty_parents(&new, &self.root);
        }
        written
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
        let live = self.root.join(partition.to_string());
        refuse_foreign(&live)?;
        let next = scratch.path().join("next");
        fs::create_dir_all(&next)
            .map_err(|cause| write_failed("cannot make the staging folder", &next, cause))?;
        let replaces = self.read(&format!("{partition}/{MANIFEST}"))?;
        Ok(Box::new(LocalStaged { next, live, aside: self.aside(partition), replaces }))
    }

    fn keeps_runs(&self) -> bool {
        false
    }

    fn run_files(&self, _: &Partition) -> Result<Vec<RunFile>> {
        Ok(Vec::new())
    }

    fn unfinished(&self) -> Result<Vec<Partition>> {
        Ok(Vec::new())
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

/// Opens a file for reading. Anything else in its place is refused: a pipe would be waited for, a device may have no end.
fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("it is not a regular file"))
}

/// Whether there is no such file or folder; a file on the way to it, such as one that somebody put beside the tables, holds
/// none, as in a bucket.
fn is_none(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// A folder with files but no manifest is not ours to replace, nor is a file or a link.
fn refuse_foreign(live: &Path) -> Result<()> {
    let is_file = fs::symlink_metadata(live).is_ok_and(|meta| !meta.is_dir());
    let has_entries = fs::read_dir(live).is_ok_and(|mut entries| entries.next().is_some());
    if is_file || has_entries && !live.join(MANIFEST).exists() {
        return Err(Error::new(ErrorKind::Unusable, "the partition holds files that logmill did not write")
            .with("folder", live.display())
            .hint("move them away, or choose another table name"));
    }
    Ok(())
}

/// A new version of a partition, beside the live one.
struct LocalStaged {
    next: PathBuf,
    live: PathBuf,
    /// Where the old version steps when it cannot be exchanged; the sweep leaves it alone.
    aside: PathBuf,
    /// The manifest of the live version.
    replaces: Option<Vec<u8>>,
}

impl LocalStaged {
    fn write_manifest(&self, manifest: &[u8]) -> io::Result<()> {
        let mut file = SyncedFile::create(&self.next.join(MANIFEST))?;
        file.write_all(manifest)?;
        file.flush()?;
        sync_folders_below(&self.next)?;
        fs::create_dir_all(self.live.parent().unwrap_or(Path::new(".")))
    }

    /// Makes `next` the live folder; the old one, if any, is then where `next` was, or gone.
    fn exchange(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.next, CWD, &self.live, RenameFlags::EXCHANGE) {
            Err(Errno::NOENT) => fs::rename(&self.next, &self.live)?,
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.step_aside()?,
            result => result?,
        }
        sync_folder(self.live.parent().unwrap_or(Path::new(".")))
    }

    /// Where the file system knows no exchange, the old day steps aside first and is gone for a moment. A run that is
    /// killed then is made good by the next one, see [`bring_back`].
    fn step_aside(&self) -> io::Result<()> {
        if !self.live.exists() {
            return fs::rename(&self.next, &self.live);
        }
        fs::rename(&self.live, &self.aside)?;
        fs::rename(&self.next, &self.live).inspect_err(|_| {
            // The error that counts is the first one; the next run tries again.
            let _ = fs::rename(&self.aside, &self.live);
        })?;
        fs::remove_dir_all(&self.aside)
    }
}

/// Puts a day that stepped aside back in its place, or removes it when a newer one is there.
fn bring_back(aside: &Path, live: &Path) -> io::Result<()> {
    match (aside.exists(), live.exists()) {
        (false, _) => Ok(()),
        (true, false) => fs::rename(aside, live),
        (true, true) => fs::remove_dir_all(aside),
    }
}

impl StagedPartition for LocalStaged {
    fn replaces(&self) -> Option<&[u8]> {
        self.replaces.as_deref()
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let target = self.next.join(path);
        let create = || {
            fs::create_dir_all(target.parent().unwrap_or(&self.next))?;
            SyncedFile::create(&target)
        };
        let file = create().map_err(|cause| write_failed("cannot write the file", &target, cause))?;
        Ok(Box::new(file))
    }

    fn commit(self: Box<Self>, manifest: &[u8]) -> std::result::Result<(), Uncommitted> {
        let committed = self.write_manifest(manifest).and_then(|()| self.exchange());
        committed.map_err(|cause| {
            let error = write_failed("cannot commit the day", &self.live, cause);
            Uncommitted { error, is_certain: true }
        })
    }
}

/// A file whose last flush waits until the disk has it.
struct SyncedFile {
    file: File,
}

impl SyncedFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create_new(path)? })
    }
}

impl Write for SyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
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

    fn version(path: &Path, content: &str) {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("part"), content).unwrap();
    }

    fn content(path: &Path) -> String {
        fs::read_to_string(path.join("part")).unwrap()
    }

    fn staged(root: &Path) -> LocalStaged {
        let at = |name| root.join(name);
        version(&at("next"), "new");
        LocalStaged { next: at("next"), live: at("live"), aside: at("aside"), replaces: None }
    }

    #[test]
    fn without_exchange_a_first_day_and_a_replacement_are_put_in_place() {
        let root = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let staged = staged(root.path());
            staged.step_aside().unwrap();
            assert_eq!(content(&staged.live), "new");
            assert!(!staged.aside.exists() && !staged.next.exists());
        }
    }

    #[test]
    fn a_file_where_a_folder_is_looked_for_holds_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes.html"), "notes").unwrap();
        let lake = LocalLake::open(root.path().to_str().unwrap()).unwrap();
        assert_eq!(lake.names("notes.html").unwrap(), [] as [String; 0]);
        assert!(lake.read("notes.html/_manifest.json").unwrap().is_none());
        assert!(lake.open("notes.html/_manifest.json").unwrap().is_none());
    }

    #[test]
    fn a_file_is_read_up_to_its_bound_and_a_pipe_or_device_in_its_place_is_not_read_at_all() {
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

    #[test]
    fn without_exchange_a_failed_or_killed_replacement_brings_the_old_day_back() {
        let root = tempfile::tempdir().unwrap();
        let staged = staged(root.path());
        version(&staged.live, "old");
        fs::remove_dir_all(&staged.next).unwrap();
        assert!(staged.step_aside().is_err());
        assert_eq!(content(&staged.live), "old");
        fs::rename(&staged.live, &staged.aside).unwrap();
        bring_back(&staged.aside, &staged.live).unwrap();
        assert_eq!(content(&staged.live), "old");
        version(&staged.aside, "older");
        bring_back(&staged.aside, &staged.live).unwrap();
        assert_eq!((content(&staged.live).as_str(), staged.aside.exists()), ("old", false));
    }
}
