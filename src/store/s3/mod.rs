//! S3: raw logs in buckets, and lakes in buckets.
//!
//! The only async code apart from the catalog's: [`Store`](super::Store) and [`Lake`](super::Lake) are the doors at which
//! callers wait for it.

mod attributes;
mod bucket;
mod clock;
mod connection;
pub(crate) mod failure;
mod fence;
mod lake;
mod listing;
mod location;
mod lock;
mod names;
mod object;
mod probe;
mod proxied;
mod public_keys;
mod read_ahead;
pub(crate) mod request;
#[cfg(test)]
pub(crate) mod simulation;
mod source;
mod staged;
mod through_proxy;
mod upload;

pub use connection::Aws;
pub use lake::S3Lake;
pub use location::S3Location;
pub(super) use probe::{BUCKETS, TriedBucket};
pub use source::S3Store;
