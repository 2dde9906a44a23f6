//! A user's private folder in a location that others can write to, for example `/tmp`.
//!
//! Its name is predictable, because the runs of a user must find it. So it is trusted only if it is a folder and not a link,
//! belongs to this user, and cannot be entered by other users. Then everything below is out of their reach.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::write_failure::write_failed;
use crate::error::{Error, ErrorKind, Result};

/// Maximum number of attempts to create the folder while runs that end remove it.
const MAKE_ATTEMPTS: u32 = 10_000;
const GROUP_AND_OTHERS: u32 = 0o077;

/// Returns the private folder of this user in `scratch`, and creates it if it is missing.
pub fn private_folder(scratch: &Path) -> Result<PathBuf> {
    let path = private_path(scratch);
    fs::create_dir_all(scratch).map_err(|cause| cannot_make(&path, cause))?;
    for _ in 0..MAKE_ATTEMPTS {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                return Err(cannot_make(&path, cause));
            }
            _ if check(&path)? => return Ok(path),
            // A run that ended removed it in between.
            _ => {}
        }
    }
    Err(cannot_make(&path, io::ErrorKind::NotFound.into()))
}

/// Path of this user's private folder, which need not exist.
pub(super) fn private_path(scratch: &Path) -> PathBuf {
    scratch.join(format!("logmill-{}", geteuid().as_raw()))
}

fn cannot_make(path: &Path, cause: io::Error) -> Error {
    write_failed("cannot create the scratch folder", path, cause)
}

/// Whether the folder exists; fails if it is not private.
fn check(path: &Path) -> Result<bool> {
    let refused = |why: String| {
        Error::new(ErrorKind::Unusable, "the scratch folder is not private to this user")
            .with("folder", path.display())
            .with("why", why)
            .hint("remove it, or pass another folder with --scratch")
    };
    let opened =
        open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
    let folder = match opened {
        Err(Errno::NOENT) => return Ok(false),
        Err(Errno::LOOP | Errno::NOTDIR) => return Err(refused("it is a link or a file".to_owned())),
        opened => opened.map_err(|errno| refused(io::Error::from(errno).to_string()))?,
    };
    let found = fstat(&folder).map_err(|errno| refused(io::Error::from(errno).to_string()))?;
    if found.st_uid != geteuid().as_raw() {
        return Err(refused(format!("it belongs to user {}", found.st_uid)));
    }
    if found.st_mode & GROUP_AND_OTHERS != 0 {
        return Err(refused(format!("other users can enter it: its mode is {:04o}", found.st_mode & 0o7777)));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    /// Why the folder that `put` creates is refused.
    fn refusal(put: impl FnOnce(&Path)) -> String {
        let scratch = tempfile::tempdir().unwrap();
        put(&private_path(scratch.path()));
        let error = private_folder(scratch.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unusable);
        assert!(error.next_step().unwrap().contains("--scratch"));
        error.fact("why").unwrap().to_owned()
    }

    #[test]
    fn a_folder_that_others_can_control_is_refused() {
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(refusal(|path| symlink(elsewhere.path(), path).unwrap()), "it is a link or a file");
        assert_eq!(refusal(|path| fs::write(path, "").unwrap()), "it is a link or a file");
        let open_to = |mode| {
            refusal(|path| {
                fs::create_dir(path).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            })
        };
        assert_eq!(open_to(0o710), "other users can enter it: its mode is 0710");
        assert_eq!(open_to(0o1777), "other users can enter it: its mode is 1777");
        // Only root can create folders of other users.
        if geteuid().is_root() {
            let foreign = refusal(|path| {
                DirBuilder::new().mode(0o700).create(path).unwrap();
                chown(path, Some(65534), None).unwrap();
            });
            assert_eq!(foreign, "it belongs to user 65534");
        }
    }

    #[test]
    fn the_folder_is_created_once_and_closed_to_others() {
        let scratch = tempfile::tempdir().unwrap();
        let path = private_folder(&scratch.path().join("new")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
        assert_eq!(private_folder(&scratch.path().join("new")).unwrap(), path);
    }
}
