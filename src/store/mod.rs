//! Storage: raw logs are read from a [`Store`], and published days are written to a [`lake::Lake`].
//!
//! A store does not know log types. A lake moves bytes under names, and reads from a manifest only whose it is.

mod access;
mod connection_options;
mod connector;
mod draft;
mod file_lock;
mod foreign_address;
pub mod lake;
mod listing_count;
pub mod local;
mod local_lake;
mod local_manifest;
mod local_staged;
mod manifest_paths;
#[cfg(any(test, feature = "aws"))]
pub(crate) mod page_memory;
mod partition;
mod private_folder;
pub mod probe;
pub mod promise;
pub mod proxies;
#[cfg(feature = "aws")]
pub mod s3;
pub mod scratch;
mod sweep;
pub mod unpack;
#[cfg(any(test, feature = "aws"))]
pub(crate) mod walk;
mod work_folder;
mod write_failure;

pub use access::{Encryption, LakeAccess, SourceAccess};
pub use connection_options::ConnectionOptions;
pub use connector::Connector;
pub use draft::{Draft, resolve_link};
pub use lake::{Committed, DayLock, Lake, LakeFile, LockTaker, StagedPartition, Uncommitted};
pub use listing_count::ListingCount;
pub use local::LocalStore;
pub use local_lake::LocalLake;
pub use private_folder::private_folder;
pub use promise::{Need, Promise, Seen, Tried};
pub use scratch::Scratch;
pub use sweep::Recovered;
pub use write_failure::write_failed;
pub(crate) use write_failure::{CHECK_SPACE, DAY_UNCHANGED};

use std::collections::BTreeMap;
use std::io::Read;

use crate::error::{Error, ErrorKind, Result};

/// An object that a listing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Path below the root of the store, with `/` between its parts.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The `ETag` that S3 gives to this version of the content.
    pub etag: Option<String>,
}

/// A public key that CloudTrail lists for a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Its fingerprint, in hexadecimal.
    pub fingerprint: String,
    /// The key in PKCS#1 form.
    pub pkcs1: Vec<u8>,
}

/// A small object, fetched as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallObject {
    /// Its content, as it is stored.
    pub content: Vec<u8>,
    /// The metadata that its owner gave it, with names in lower case; `None` if the store keeps none.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// A range of keys in a series that need not be listed: from a listed object to another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipRange {
    /// The start that all keys of the series share, up to their time.
    pub series: String,
    /// The parts of that time down to the day: the number of digits, and the character after them. A key with other parts
    /// does not belong to the series and is listed wherever it occurs.
    pub parts: Vec<(usize, char)>,
    /// The key up to which no key is wanted.
    pub until: String,
    /// Prefixes of keys within the range that are wanted nevertheless.
    pub except: Vec<String>,
}

/// The keys of a folder, and of the folders below it, that come after another key in the order of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysAfter {
    /// The folder, with `/` at its end; empty for the root.
    pub folder: String,
    /// The key after which the keys begin. No object needs to have it.
    pub after: String,
}

/// How many objects [`Store::list_after`] returns at most for each stretch: one page of a bucket.
pub const MOST_AFTER: usize = 1000;

/// Receives what a listing finds, in no particular order.
pub trait ListVisitor {
    /// Returns whether to list a folder, given its path below the root.
    fn enter(&mut self, folder: &str) -> bool;
    /// Returns the range of keys after this one that need not be listed, if the key's name shows one.
    fn skip_range(&self, key: &str) -> Option<SkipRange>;
    /// Receives an object.
    fn object(&mut self, object: ObjectMeta);
    /// Receives something that cannot be read as an object, and why it is skipped; the key of a folder ends with `/`.
    fn passed(&mut self, key: &str, reason: &'static str);
    /// Notes that keys of a series are skipped.
    fn skipped(&mut self, series: &str);
    /// Returns whether the listing can stop.
    fn is_done(&self) -> bool;
}

/// A place with raw logs.
///
/// ```
/// use std::io::Read;
/// use logmill::store::{Store, local::LocalStore};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("log"), "one line")?;
/// let store = LocalStore::open(folder.path().to_str().expect("the path is UTF-8"))?;
///
/// let mut text = String::new();
/// store.open("log")?.read_to_string(&mut text)?;
/// assert_eq!(text, "one line");
/// assert_eq!(store.requests(), 0, "a folder sends no requests");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync {
    /// The address of an object, in a form that users can open.
    fn address(&self, key: &str) -> String;

    /// The canonical location of the root, which reveals inputs that overlap.
    fn root(&self) -> Result<String>;

    /// The path before every key, up to a slash: the names of the folders above the root show what it holds.
    fn above(&self) -> Result<String>;

    /// Lists the objects below the root.
    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()>;

    /// Opens an object for reading from its start.
    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>>;

    /// Returns the metadata of an object by its key; `None` if it does not exist.
    fn meta(&self, key: &str) -> Result<Option<ObjectMeta>>;

    /// Returns the metadata of objects by their keys, in this order; `None` for one that does not exist.
    fn meta_all(&self, keys: &[&str]) -> Result<Vec<Option<ObjectMeta>>> {
        keys.iter().map(|key| self.meta(key)).collect()
    }

    /// Returns, for each of these stretches, the first objects in the order of their keys: at most [`MOST_AFTER`].
    fn list_after(&self, stretches: &[KeysAfter]) -> Result<Vec<Vec<ObjectMeta>>>;

    /// Fetches small objects as a whole, in this order; `None` for one that does not exist. Fails if one has more than
    /// `most` bytes.
    fn fetch_all(&self, keys: &[&str], most: u64) -> Result<Vec<Option<SmallObject>>> {
        keys.iter().map(|key| fetch_by_reading(self, key, most)).collect()
    }

    /// Prepares objects for reading: each is opened once, in about this order. Fetching ahead takes at most `memory` bytes.
    fn feed(&self, objects: Vec<ObjectMeta>, memory: usize) -> Box<dyn ObjectFeed + '_>;

    /// Fails if the store as a whole can no longer be read. This distinguishes a lost object from a lost store.
    fn check(&self) -> Result<()>;

    /// Number of requests that listing has sent so far; 0 for a store that sends none.
    fn requests(&self) -> u64;
}

/// Fetches an object of a store that keeps no metadata.
fn fetch_by_reading<S: Store + ?Sized>(store: &S, key: &str, most: u64) -> Result<Option<SmallObject>> {
    let mut content = Vec::new();
    let read = store.open(key).and_then(|object| {
        object.take(most + 1).read_to_end(&mut content).map_err(|cause| {
            Error::unusable("cannot read the object", cause).with("object", store.address(key))
        })
    });
    match read {
        Err(error) if error.kind() == ErrorKind::Unusable => Ok(None),
        Err(error) => Err(error),
        Ok(_) if content.len() as u64 > most => Err(lake::too_large(&store.address(key), most)),
        Ok(_) => Ok(Some(SmallObject { content, metadata: None })),
    }
}

/// Objects that were requested with [`Store::feed`].
pub trait ObjectFeed: Send + Sync {
    /// Opens the object at an index of the list, from its start.
    ///
    /// Fails with [`Unusable`](crate::error::ErrorKind::Unusable) if this object is lost, and with another kind if the
    /// object exists but cannot be read, or if the store is unavailable.
    fn open(&self, place: usize) -> Result<Box<dyn Read + Send>>;
}
