//! Whether and how digests prove the days of a source.

use std::path::{Path, PathBuf};

use super::key_ring::KeyRing;
use crate::digest::PublicKeys;
use crate::error::{Error, ErrorKind, Result};

/// Whether digests are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DigestMode {
    /// If the day has any.
    #[default]
    Auto,
    /// Always: a day without digests fails.
    Require,
    /// Never.
    Off,
}

/// Where the keys come from with which signatures are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeySource {
    /// From AWS for digests in S3. Digests in a folder remain unchecked: reading a folder sends no request.
    #[default]
    Automatic,
    /// From AWS for all digests.
    Aws,
    /// From a file, as `aws cloudtrail list-public-keys` prints it.
    File(PathBuf),
}

/// Whether and how digests prove a day.
#[derive(Debug, Clone, Default)]
pub struct DigestOptions {
    /// Whether to use them.
    pub mode: DigestMode,
    /// Where the keys come from.
    pub keys: KeySource,
    /// The place from which the inputs were copied: `s3://bucket/prefix`.
    pub origin: Option<String>,
    /// Whether a day is published only with a proof. If so, keys that AWS does not give are an error.
    pub require_proof: bool,
    /// The keys that AWS has given.
    pub ring: KeyRing,
}

impl DigestOptions {
    /// Whether keys that AWS does not give are an error.
    #[must_use]
    pub fn needs_keys(&self) -> bool {
        self.mode == DigestMode::Require || self.require_proof
    }
}

/// Reads a file of keys.
pub(super) fn read_keys(path: &Path) -> Result<PublicKeys> {
    let refused = |message: String| {
        Error::new(ErrorKind::Usage, message)
            .with("file", path.display())
            .hint("save what 'aws cloudtrail list-public-keys' prints for the time of the trail")
    };
    let json = std::fs::read(path)
        .map_err(|cause| refused("cannot read the public keys".to_owned()).caused_by(cause))?;
    PublicKeys::from_json(&json).map_err(|why| refused(format!("the file of public keys is invalid: {why}")))
}
