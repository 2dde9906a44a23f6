//! Explains why a file could not be written. Causes that users can fix have a specific message: a full disk, a quota, or two
//! file systems where one is required.

use std::io;
use std::path::Path;

use bytesize::ByteSize;

use crate::error::Error;

/// The next step if a file of a day could not be written for no known reason.
pub(crate) const CHECK_SPACE: &str =
    "check the free space of the output; any earlier version of the day is unchanged";

/// The next step after a full disk or quota.
const FREE_SPACE: &str = "free some space there and run the day again";

/// The next step after a failure before a day is public.
pub(crate) const DAY_UNCHANGED: &str = "run the day again; any earlier version of the day is unchanged";

/// Creates an error about writing a file or folder, with a hint if the cause suggests one. The error does not mention the
/// state of a day.
#[must_use]
pub fn write_failed(doing: &str, path: &Path, cause: io::Error) -> Error {
    let (reason, hint) = match cause.kind() {
        io::ErrorKind::StorageFull => (": the disk is full", FREE_SPACE),
        io::ErrorKind::QuotaExceeded => (": the disk quota of this user is used up", FREE_SPACE),
        io::ErrorKind::FileTooLarge => (
            ": the limit on file sizes is reached",
            "raise the limit ('ulimit -f', or that of the file system) and run the day again",
        ),
        io::ErrorKind::CrossesDevices => (
            ": the lake spans two file systems",
            "keep the tables of a lake and its '_staging' on one file system, without a mount or a link between them",
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ("", "check that this user may write to the output")
        }
        io::ErrorKind::NotADirectory => ("", "move away the file that lies where a folder has to be"),
        _ => ("", ""),
    };
    let room = (cause.kind() == io::ErrorKind::StorageFull).then(|| room_at(path)).flatten();
    let error = Error::unusable(format!("{doing}{reason}"), cause).with("path", path.display());
    let error = room.into_iter().fold(error, |error, room| error.with("free", room));
    if hint.is_empty() { error } else { error.hint(hint) }
}

/// Returns the cause, wrapped with the specific message if it has one, for writers whose errors pass through other crates.
pub(super) fn with_reason(doing: &str, path: &Path, cause: io::Error) -> io::Error {
    match cause.kind() {
        kind @ (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            io::Error::new(kind, write_failed(doing, path, cause))
        }
        _ => cause,
    }
}

/// The free space on the file system of a path that may not exist: `0 B of 64.0 MiB`.
fn room_at(path: &Path) -> Option<String> {
    let found = path.ancestors().find_map(|known| rustix::fs::statvfs(known).ok())?;
    let size = |blocks: u64| ByteSize(blocks.saturating_mul(found.f_frsize)).display().iec().to_string();
    let room = format!("{} of {}", size(found.f_bavail), size(found.f_blocks));
    let lacks_inodes = found.f_files > 0 && found.f_favail == 0;
    Some(if lacks_inodes { room + ", but no free inode" } else { room })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_that_users_can_fix_have_a_specific_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there");
        for (errno, reason, hint) in [
            (28, "cannot write: the disk is full (path: ", "free some space"),
            (122, "cannot write: the disk quota of this user is used up (path: ", "free some space"),
            (18, "cannot write: the lake spans two file systems (path: ", "on one file system"),
            (13, "cannot write (path: ", "may write"),
            (20, "cannot write (path: ", "move away the file"),
            (27, "cannot write: the limit on file sizes is reached (path: ", "ulimit"),
            (5, "cannot write (path: ", ""),
        ] {
            let error = write_failed("cannot write", &path, io::Error::from_raw_os_error(errno));
            assert!(error.to_string().starts_with(reason), "{error}");
            assert!(error.next_step().unwrap_or_default().contains(hint), "{error}");
            assert_eq!(error.fact("free").is_some(), errno == 28, "{error}");
        }
    }

    #[test]
    fn a_specific_message_survives_other_error_types() {
        let full = io::Error::from_raw_os_error(28);
        let passed = with_reason("cannot write the file", Path::new("/"), full);
        let error = Error::unusable("cannot write the part file", passed).hint("another");
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(
            error.fact("free").is_some() && error.next_step().unwrap().contains("free some space"),
            "{error}"
        );
    }
}
