//! Raw logs in a folder, or a single file.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{KeysAfter, ListVisitor, MOST_AFTER, ObjectFeed, ObjectMeta, Store};
use crate::error::{Error, ErrorKind, Result};

/// Why a file or folder is skipped if its name is not text.
pub const NOT_UTF8: &str = "its name is not UTF-8";
/// Why a link is skipped if its target does not exist.
pub const LEADS_NOWHERE: &str = "a link that leads nowhere";
/// Why a link is skipped if it leads back to itself.
pub const LEADS_IN_A_CIRCLE: &str = "a link that leads in a circle";
/// Why a link is skipped if it leads to a folder.
pub const LEADS_TO_A_FOLDER: &str = "a link to a folder, which is not followed";

/// A folder, or a single file.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    /// The root as the user wrote it: the start of every address.
    written: String,
    only: Option<String>,
}

impl LocalStore {
    /// Opens a folder or a file.
    pub fn open(input: &str) -> Result<Self> {
        let path = PathBuf::from(input);
        let meta = fs::metadata(&path).map_err(|cause| {
            let hint = hint_of_input(&path, &cause);
            Error::unusable("cannot read the input", cause).with("input", input).hint(hint)
        })?;
        if meta.is_dir() {
            return Ok(Self { root: path, written: input.trim_end_matches('/').to_owned(), only: None });
        }
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::new(ErrorKind::Unusable, "cannot read a file whose name is not UTF-8").with("input", input)
        })?;
        let written = input.strip_suffix(name).unwrap_or_default().trim_end_matches('/').to_owned();
        let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Ok(Self { root, written, only: Some(name.to_owned()) })
    }

    fn list_folder(&self, folder: &str, visitor: &mut dyn ListVisitor) -> Result<()> {
        let failed = |cause| {
            Error::unusable("cannot list the folder", cause)
                .with("folder", self.address(folder))
                .hint("check that it exists and that this user may read it")
        };
        let mut stand_ins = HashSet::new();
        for entry in fs::read_dir(self.root.join(folder)).map_err(failed)? {
            if visitor.is_done() {
                break;
            }
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let mut name = name.to_string_lossy().into_owned();
                // Two names may differ only in bytes that cannot be shown.
                while !stand_ins.insert(name.clone()) {
                    name.push(char::REPLACEMENT_CHARACTER);
                }
                let is_folder = entry.file_type().map_err(failed)?.is_dir();
                let slash = if is_folder { "/" } else { "" };
                visitor.passed(&format!("{}{slash}", below(folder, &name)), NOT_UTF8);
                continue;
            };
            let key = below(folder, name);
            self.visit(&entry, key, visitor).map_err(failed)??;
        }
        Ok(())
    }

    /// Adds the first objects of a folder that come after a key, in the order of a bucket, which sorts a folder by its name
    /// and `/`.
    fn add_after(&self, folder: &str, after: &str, found: &mut Vec<ObjectMeta>) -> io::Result<()> {
        let mut keys = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
            keys.push(format!("{folder}{name}{slash}"));
        }
        keys.retain(|key| key.as_str() > after || key.ends_with('/') && after.starts_with(key.as_str()));
        keys.sort_unstable();
        for key in keys {
            if found.len() == MOST_AFTER {
                break;
            }
            if key.ends_with('/') {
                self.add_after(&key, after, found)?;
            } else if let Some(bytes) = fs::metadata(self.root.join(&key)).ok().filter(fs::Metadata::is_file)
            {
                found.push(ObjectMeta { key, bytes: bytes.len(), etag: None });
            }
        }
        Ok(())
    }

    fn visit(
        &self,
        entry: &fs::DirEntry,
        key: String,
        visitor: &mut dyn ListVisitor,
    ) -> io::Result<Result<()>> {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            return Ok(if visitor.enter(&key) { self.list_folder(&key, visitor) } else { Ok(()) });
        }
        // A link to a file is followed. A link to a folder is not, because it could form a cycle.
        match fs::metadata(entry.path()) {
            Ok(meta) if meta.is_file() => visitor.object(ObjectMeta { key, bytes: meta.len(), etag: None }),
            Ok(meta) if meta.is_dir() => visitor.passed(&key, LEADS_TO_A_FOLDER),
            Ok(_) => visitor.passed(&key, "neither a file nor a folder"),
            Err(cause) if kind.is_symlink() && is_gone(&cause) => visitor.passed(&key, LEADS_NOWHERE),
            Err(cause) if kind.is_symlink() && is_circle(&cause) => visitor.passed(&key, LEADS_IN_A_CIRCLE),
            Err(cause) if is_gone(&cause) => {}
            Err(cause) => return Err(cause),
        }
        Ok(Ok(()))
    }
}

/// What to check if an input cannot be read: the first part of its path that does not exist.
fn hint_of_input(path: &Path, cause: &io::Error) -> String {
    if path.starts_with("~") {
        return "write the whole path: '~' is not expanded here".to_owned();
    }
    if !is_gone(cause) {
        return "let this user read it, or pass another folder or file".to_owned();
    }
    let missing = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).last();
    let missing = missing.unwrap_or(path);
    let name = missing.file_name().unwrap_or(missing.as_os_str()).to_string_lossy();
    match missing.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) if parent.is_dir() => format!("check the path: '{}' has no '{name}'", parent.display()),
        Some(parent) => format!("check the path: '{}' is not a folder", parent.display()),
        None => format!("check the path: this folder has no '{name}'"),
    }
}

/// A file whose read errors are classified.
struct LocalObject {
    file: File,
    address: String,
}

impl Read for LocalObject {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|cause| match cause.kind() {
            io::ErrorKind::Interrupted => cause,
            _ => io::Error::other(failure("cannot read the object", &self.address, cause)),
        })
    }
}

/// Classifies a failed read as in a bucket: a missing object is lost on its own, an unreadable object needs a permission,
/// and any other failure may be temporary.
fn failure(failing: &'static str, address: &str, cause: io::Error) -> Error {
    let (kind, hint) = if is_gone(&cause) || is_circle(&cause) {
        (ErrorKind::Unusable, "check whether it was removed after the folder was listed")
    } else if cause.kind() == io::ErrorKind::PermissionDenied {
        (ErrorKind::Denied, "let this user read it, or move it out of the input")
    } else {
        (ErrorKind::Temporary, "check the disk or mount and the object, then run the day again")
    };
    Error::new(kind, failing).with("object", address).caused_by(cause).hint(hint)
}

/// Whether nothing exists under a name, or a file takes the place of a folder.
fn is_gone(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether no file can have the name.
fn is_impossible(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename)
}

fn is_circle(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

impl Store for LocalStore {
    fn address(&self, key: &str) -> String {
        match (self.written.as_str(), key) {
            ("", _) if self.root.has_root() => format!("/{key}"),
            ("", key) => key.to_owned(),
            (written, "") => written.to_owned(),
            (written, key) => format!("{written}/{key}"),
        }
    }

    fn root(&self) -> Result<String> {
        let root = self.only.as_ref().map_or_else(|| self.root.clone(), |name| self.root.join(name));
        let real = fs::canonicalize(&root).map_err(|cause| {
            Error::unusable("cannot read the input", cause).with("input", self.address(""))
        })?;
        Ok(real.to_string_lossy().into_owned())
    }

    fn above(&self) -> Result<String> {
        let root = self.root()?;
        let folder = match &self.only {
            Some(_) => root.rsplit_once('/').map_or("", |(folder, _)| folder),
            None => root.trim_end_matches('/'),
        };
        Ok(format!("{folder}/"))
    }

    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()> {
        let Some(name) = &self.only else {
            return self.list_folder("", visitor);
        };
        let meta = fs::metadata(self.root.join(name)).map_err(|cause| {
            Error::unusable("cannot read the input", cause).with("input", self.address(name))
        })?;
        visitor.object(ObjectMeta { key: name.clone(), bytes: meta.len(), etag: None });
        Ok(())
    }

    fn list_after(&self, stretches: &[KeysAfter]) -> Result<Vec<Vec<ObjectMeta>>> {
        let listed = stretches.iter().map(|KeysAfter { folder, after }| {
            let mut found = Vec::new();
            match self.add_after(folder, after, &mut found) {
                Err(cause) if !is_gone(&cause) => {
                    Err(failure("cannot list the folder", &self.address(folder), cause))
                }
                _ => Ok(found),
            }
        });
        listed.collect()
    }

    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        let address = self.address(key);
        let file = File::open(self.root.join(key))
            .map_err(|cause| failure("cannot open the object", &address, cause))?;
        Ok(Box::new(LocalObject { file, address }))
    }

    fn meta(&self, key: &str) -> Result<Option<ObjectMeta>> {
        match fs::metadata(self.root.join(key)) {
            Ok(meta) if meta.is_file() => {
                Ok(Some(ObjectMeta { key: key.to_owned(), bytes: meta.len(), etag: None }))
            }
            Ok(_) => Ok(None),
            Err(cause) if is_gone(&cause) || is_circle(&cause) || is_impossible(&cause) => Ok(None),
            Err(cause) => Err(failure("cannot read the object", &self.address(key), cause)),
        }
    }

    fn feed(&self, objects: Vec<ObjectMeta>, _: usize) -> Box<dyn ObjectFeed + '_> {
        Box::new(LocalFeed { store: self, objects })
    }

    fn requests(&self) -> u64 {
        0
    }

    fn check(&self) -> Result<()> {
        let probe = if self.root.as_os_str().is_empty() { Path::new(".") } else { &self.root };
        fs::metadata(probe).map(|_| ()).map_err(|cause| {
            Error::unusable("the input is no longer available", cause)
                .with("input", self.address(""))
                .hint("restore it and run the day again: this table was not published")
        })
    }
}

/// Opens files when they are needed: the system reads ahead.
struct LocalFeed<'a> {
    store: &'a LocalStore,
    objects: Vec<ObjectMeta>,
}

impl ObjectFeed for LocalFeed<'_> {
    fn open(&self, place: usize) -> Result<Box<dyn Read + Send>> {
        self.store.open(&self.objects[place].key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lists_what_comes_after_a_key_in_the_order_of_a_bucket() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys: Vec<String> =
            ["r/2023/11/01/a", "r/2023/11/02/b", "r/2023/11/02-x", "r/2023/11/1", "r/2024/01/01/c", "s/x"]
                .map(str::to_owned)
                .to_vec();
        keys.extend((0..MOST_AFTER).map(|number| format!("s/{number:04}")));
        for key in &keys {
            let path = folder.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        keys.sort_unstable();
        let store = LocalStore::open(folder.path().to_str().unwrap()).unwrap();
        for (below, after) in [
            ("r/", "r/2023/11/02"),
            ("r/", "r/2023/11/02/"),
            ("r/", "r/2023/11/02/b"),
            ("r/", "r/2025/01/01"),
            ("", "r/2023/11/01/a"),
            ("s/", ""),
            ("t/", ""),
        ] {
            let stretch = KeysAfter { folder: below.to_owned(), after: after.to_owned() };
            let found = store.list_after(&[stretch]).unwrap().remove(0);
            let found: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
            let wanted = keys.iter().filter(|key| key.starts_with(below) && key.as_str() > after);
            let wanted: Vec<&str> = wanted.map(String::as_str).take(MOST_AFTER).collect();
            assert_eq!(found, wanted, "{below} {after}");
        }
    }
}
