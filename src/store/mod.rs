//! Where bytes live: raw logs are read from a [`Store`], published days are written to a [`lake::Lake`].
//!
//! A store knows no log type and a lake knows no manifest: both move bytes under names.

mod access;
mod connector;
mod draft;
mod file_lock;
pub mod lake;
pub mod local;
mod local_lake;
mod local_staged;
mod private_folder;
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
pub use connector::{ConnectionOptions, Connector};
pub use draft::{Draft, file_behind};
pub use lake::{Committed, DayLock, Lake, LakeFile, LockTaker, StagedPartition, Uncommitted};
pub use local::LocalStore;
pub use local_lake::LocalLake;
pub use private_folder::private_folder;
pub use scratch::Scratch;
pub use sweep::Recovered;
pub(crate) use write_failure::STANDS;
pub use write_failure::write_failed;

use std::io::Read;

use crate::error::Result;

/// An object that a listing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Path below the root of the store, with `/` between its parts.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// What S3 calls the version of its content.
    pub etag: Option<String>,
}

/// Keys of a series that need not be listed: those between an object that was met and another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipRange {
    /// What the keys of the series begin with, up to their time.
    pub series: String,
    /// The parts of that time down to a day: the digits of each, and the character behind them. A key of other parts is not
    /// one of the series, and is met wherever it lies.
    pub parts: Vec<(usize, char)>,
    /// The key up to which nothing is wanted.
    pub until: String,
    /// What the keys in the gap begin with that are wanted all the same.
    pub but: Vec<String>,
}

/// What a listing meets, in no particular order.
pub trait ListVisitor {
    /// Whether to look into a folder, by its path below the root.
    fn enter(&mut self, folder: &str) -> bool;
    /// Which keys after this one need not be listed, where its name tells.
    fn skip_range(&self, key: &str) -> Option<SkipRange>;
    /// An object.
    fn object(&mut self, object: ObjectMeta);
    /// Something that cannot be had as an object, and why it is passed over; the key of a folder ends with `/`.
    fn passed(&mut self, key: &str, reason: &'static str);
    /// Keys of a series in a gap are passed over.
    fn skipped(&mut self, series: &str);
    /// Whether nothing more needs to be listed.
    fn is_done(&self) -> bool;
}

/// A place with raw logs.
pub trait Store: Send + Sync {
    /// The address of an object: what a person can open.
    fn address(&self, key: &str) -> String;

    /// Where the root really is, so that two inputs which overlap can be told.
    fn root(&self) -> Result<String>;

    /// What stands before every key in its whole path, up to a slash: the folders in which the root lies tell what it holds.
    fn above(&self) -> Result<String>;

    /// Lists what is below the root.
    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()>;

    /// Opens an object for reading from its start.
    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>>;

    /// Makes objects ready to be opened, each once and about in this order, ahead of those who will open them; takes at
    /// most `memory` bytes for that.
    fn feed(&self, objects: Vec<ObjectMeta>, memory: usize) -> Box<dyn ObjectFeed + '_>;

    /// Fails when the store as a whole can no longer be read: tells a lost object from a lost store.
    fn check(&self) -> Result<()>;

    /// Number of requests that listing has cost so far; 0 where there are none.
    fn requests(&self) -> u64;
}

/// Objects that were asked for with [`Store::feed`].
pub trait ObjectFeed: Send + Sync {
    /// Opens the object at a place in the list, from its start.
    ///
    /// Fails with [`Unusable`](crate::error::ErrorKind::Unusable) when this object is lost, and with another kind when
    /// it is there but cannot be had, or the store is away.
    fn open(&self, place: usize) -> Result<Box<dyn Read + Send>>;
}
