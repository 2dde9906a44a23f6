//! What a file system promises beyond the promises of every lake.

use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};

use crate::error::{Error, Result};
use crate::store::draft::sync_folder;
use crate::store::promise::{Case, Need, Promise, Seen};

/// The promises of a file system. Each check uses files of its own in a folder.
pub(super) const FOLDERS: [Case<PathBuf>; 8] = [
    Case {
        promise: Promise {
            name: "sync of folders",
            need: Need::Required,
            purpose: "a published day survives a power cut",
            broken: "runs fail before their commit, because nothing shows that a name is on disk",
            next: "use a file system that can sync folders",
        },
        is_small: true,
        check: |folder| in_new(folder, "sync", |here| sync_folder(here).map(|()| Seen::Kept)),
    },
    Case {
        promise: Promise {
            name: "exclusive creation",
            need: Need::Required,
            purpose: "two runs never write to the same file",
            broken: "two runs can write to the same file",
            next: "use a file system that honours O_EXCL",
        },
        is_small: true,
        check: |folder| in_new(folder, "exclusive", exclusive_creation),
    },
    Case {
        promise: Promise {
            name: "file locks",
            need: Need::Required,
            purpose: "one run at a time works on a day, and the lock of a killed run ends with its process",
            broken: "two runs can replace the same day at the same time",
            next: "mount the file system with locks (NFS: without nolock), or use another one",
        },
        is_small: true,
        check: |folder| in_new(folder, "file-locks", file_locks),
    },
    Case {
        promise: Promise {
            name: "folder locks",
            need: Need::Useful,
            purpose: "cleaning knows which unfinished work belongs to a living run; no day is stolen during its commit",
            broken: "only the lock of the day protects unfinished work, and --steal during a commit can go unnoticed",
            next: "do not pass --steal while a run commits",
        },
        is_small: true,
        check: |folder| in_new(folder, "folder-locks", |here| locks(|| File::open(here))),
    },
    Case {
        promise: Promise {
            name: "exchange of folders",
            need: Need::Useful,
            purpose: "one system call replaces a day",
            broken: "for a moment, readers find no day; after a kill at that moment, the next command restores the day",
            next: "use ext4, XFS, Btrfs or tmpfs if readers must see the day at every moment",
        },
        is_small: true,
        check: |folder| in_new(folder, "exchange", exchange_of_folders),
    },
    Case {
        promise: Promise {
            name: "open files",
            need: Need::Useful,
            purpose: "a reader finishes a file although its day was replaced",
            broken: "queries can fail while a day is replaced",
            next: "query when no run is publishing, or retry failed queries",
        },
        is_small: true,
        check: |folder| in_new(folder, "open", open_files),
    },
    Case {
        promise: Promise {
            name: "permissions",
            need: Need::Useful,
            purpose: "files with spilled and rejected rows are private until they are published",
            broken: "other users of this machine may read unfinished rows",
            next: "limit access to the folder that contains the lake",
        },
        is_small: true,
        check: |folder| in_new(folder, "permissions", permissions),
    },
    Case {
        promise: Promise {
            name: "case of names",
            need: Need::Useful,
            purpose: "raw objects whose names differ only in case are different objects",
            broken: "of raw objects whose names differ only in case, one replaces the other when they are copied here",
            next: "do not copy raw logs to this file system",
        },
        is_small: true,
        check: |folder| in_new(folder, "case", case_of_names),
    },
];

/// Runs a check in a new folder.
fn in_new(folder: &Path, name: &str, check: impl Fn(&Path) -> io::Result<Seen>) -> Result<Seen> {
    let here = folder.join(name);
    let checked = fs::create_dir_all(&here).and_then(|()| check(&here));
    checked.map_err(|cause| Error::unusable("the call failed", cause).with("folder", here.display()))
}

fn exclusive_creation(here: &Path) -> io::Result<Seen> {
    let path = here.join("file");
    File::create_new(&path)?;
    let again = File::create_new(&path);
    Ok(Seen::if_so(
        again.is_err_and(|cause| cause.kind() == io::ErrorKind::AlreadyExists),
        "a file was created twice",
    ))
}

fn file_locks(here: &Path) -> io::Result<Seen> {
    locks(|| File::options().create(true).append(true).open(here.join("file")))
}

/// Whether a lock keeps out others, and ends when it is closed.
fn locks(open: impl Fn() -> io::Result<File>) -> io::Result<Seen> {
    let is_free = || Ok::<_, io::Error>(flock(open()?, FlockOperation::NonBlockingLockExclusive).is_ok());
    let held = open()?;
    flock(&held, FlockOperation::NonBlockingLockExclusive)?;
    if is_free()? {
        return Ok(Seen::Broken("two locks of the same file were granted".to_owned()));
    }
    drop(held);
    Ok(Seen::if_so(is_free()?, "a lock remains after its file was closed"))
}

fn exchange_of_folders(here: &Path) -> io::Result<Seen> {
    for name in ["one", "other"] {
        fs::create_dir(here.join(name))?;
        fs::write(here.join(name).join(name), name)?;
    }
    renameat_with(CWD, here.join("one"), CWD, here.join("other"), RenameFlags::EXCHANGE)?;
    let is_swapped = here.join("one/other").exists() && here.join("other/one").exists();
    Ok(Seen::if_so(is_swapped, "the call succeeded, but the folders are not exchanged"))
}

fn open_files(here: &Path) -> io::Result<Seen> {
    fs::create_dir(here.join("day"))?;
    fs::write(here.join("day/file"), "content")?;
    let mut file = File::open(here.join("day/file"))?;
    fs::rename(here.join("day"), here.join("old"))?;
    fs::remove_dir_all(here.join("old"))?;
    let mut content = String::new();
    file.read_to_string(&mut content)?;
    Ok(Seen::if_so(content == "content", "an open file is empty after its removal"))
}

fn permissions(here: &Path) -> io::Result<Seen> {
    let path = here.join("file");
    File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    let mode = || fs::metadata(&path).map(|meta| meta.mode() & 0o777);
    let created = mode()?;
    fs::set_permissions(&path, Permissions::from_mode(0o640))?;
    let changed = mode()?;
    let text =
        format!("a file of mode 0600 has {created:04o}, and after a change to 0640 it has {changed:04o}");
    Ok(Seen::if_so((created, changed) == (0o600, 0o640), &text))
}

fn case_of_names(here: &Path) -> io::Result<Seen> {
    for name in ["name", "NAME"] {
        fs::write(here.join(name), name)?;
    }
    let is_kept = fs::read(here.join("name"))? == b"name" && fs::read_dir(here)?.count() == 2;
    Ok(Seen::if_so(is_kept, "'name' and 'NAME' are the same file"))
}
