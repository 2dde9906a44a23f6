//! Why a file could not be written, with a sentence of its own for what a person can mend: a full disk, a quota, two
//! file systems where one is needed.

use std::io;
use std::path::Path;

use bytesize::ByteSize;

use crate::error::Error;

/// The next step after a failure before a day is public.
pub(crate) const STANDS: &str = "the day that was published still stands; run the day again";

/// An error about writing a file or folder, with the next step if the cause tells it. What became of a day, it cannot tell.
#[must_use]
pub fn write_failed(doing: &str, path: &Path, cause: io::Error) -> Error {
    let (sentence, hint) = match cause.kind() {
        io::ErrorKind::StorageFull => (": the disk is full", "make room there, and run the day again"),
        io::ErrorKind::QuotaExceeded => {
            (": the disk quota of this user is used up", "make room there, and run the day again")
        }
        io::ErrorKind::FileTooLarge => (
            ": a limit on the size of files is reached",
            "make room: raise the limit ('ulimit -f', or that of the file system), and run the day again",
        ),
        io::ErrorKind::CrossesDevices => (
            ": the lake spans two file systems",
            "keep the tables of a lake and its '_staging' on one file system, without a mount or a link between them",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ("", "check that this user may write to the output")
        }
        _ => ("", ""),
    };
    let room = (cause.kind() == io::ErrorKind::StorageFull).then(|| room_at(path)).flatten();
    let error = Error::unusable(format!("{doing}{sentence}"), cause).with("path", path.display());
    let error = room.into_iter().fold(error, |error, room| error.with("free", room));
    if hint.is_empty() { error } else { error.hint(hint) }
}

/// The same cause, which carries the sentence with it if it has one: for writers whose errors pass through other crates.
pub(super) fn with_sentence(doing: &str, path: &Path, cause: io::Error) -> io::Error {
    match cause.kind() {
        kind @ (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            io::Error::new(kind, write_failed(doing, path, cause))
        }
        _ => cause,
    }
}

/// What is left on the file system of a path that may not exist: `0 B of 64.0 MiB`.
fn room_at(path: &Path) -> Option<String> {
    let found = path.ancestors().find_map(|known| rustix::fs::statvfs(known).ok())?;
    let size = |blocks: u64| ByteSize(blocks.saturating_mul(found.f_frsize)).display().iec().to_string();
    let room = format!("{} of {}", size(found.f_bavail), size(found.f_blocks));
    let lacks_inodes = found.f_files > 0 && found.f_favail == 0;
    Some(if lacks_inodes { room + ", but no inode" } else { room })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_mend_has_a_sentence_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there");
        for (errno, sentence, hint) in [
            (28, "cannot write: the disk is full (path: ", "make room"),
            (122, "cannot write: the disk quota of this user is used up (path: ", "make room"),
            (18, "cannot write: the lake spans two file systems (path: ", "on one file system"),
            (13, "cannot write (path: ", "may write"),
            (27, "cannot write: a limit on the size of files is reached (path: ", "ulimit"),
            (5, "cannot write (path: ", ""),
        ] {
            let error = write_failed("cannot write", &path, io::Error::from_raw_os_error(errno));
            assert!(error.to_string().starts_with(sentence), "{error}");
            assert!(error.next_step().unwrap_or_default().contains(hint), "{error}");
            assert_eq!(error.fact("free").is_some(), errno == 28, "{error}");
        }
    }

    #[test]
    fn a_sentence_goes_through_the_hands_of_others() {
        let full = io::Error::from_raw_os_error(28);
        let passed = with_sentence("cannot write the file", Path::new("/"), full);
        let error = Error::unusable("cannot write the part file", passed).hint("another");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(error.fact("free").is_some() && error.next_step().unwrap().contains("make room"), "{error}");
    }
}
