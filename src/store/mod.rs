//! Where bytes live: raw logs are read from a [`Store`], published days are written to a [`lake::Lake`].
//!
//! A store knows no log type and a lake knows no manifest: both move bytes under names.

pub mod lake;
mod local;
mod local_lake;
pub mod scratch;
pub mod unpack;

pub use lake::{Lake, StagedPartition};
pub use local::LocalStore;
pub use local_lake::LocalLake;
pub use scratch::Scratch;

use std::io::Read;

use crate::error::Result;

/// An object that a listing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Path below the root of the store, with `/` between its parts.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// What a listing meets, in no particular order.
pub trait ListVisitor {
    /// Whether to look into a folder, by its path below the root.
    fn enter(&mut self, folder: &str) -> bool;
    /// An object.
    fn object(&mut self, object: ObjectMeta);
    /// Something that is neither object nor folder, and why it is passed over.
    fn passed(&mut self, key: &str, reason: &'static str);
}

/// A place with raw logs.
pub trait Store: Send + Sync {
    /// The address of an object: what a person can open.
    fn address(&self, key: &str) -> String;

    /// Where the root really is, so that two inputs which overlap can be told.
    fn root(&self) -> Result<String>;

    /// Lists what is below the root.
    fn list(&self, visitor: &mut dyn ListVisitor) -> Result<()>;

    /// Opens an object for reading from its start.
    fn open(&self, key: &str) -> Result<Box<dyn Read + Send>>;

    /// Fails when the store as a whole can no longer be read: tells a lost object from a lost store.
    fn check(&self) -> Result<()>;
}

/// Opens the store of an input as the user wrote it: a folder or a single file.
pub fn open(input: &str) -> Result<Box<dyn Store>> {
    Ok(Box::new(LocalStore::open(input)?))
}

/// Opens the lake of an output as the user wrote it; the folder need not exist yet.
pub fn open_lake(output: &str) -> Result<Box<dyn Lake>> {
    Ok(Box::new(LocalLake::open(output)?))
}
