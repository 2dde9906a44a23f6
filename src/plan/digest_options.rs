//! Whether and how digests prove the days of a source.

use std::path::PathBuf;

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

/// Whether and how digests prove a day.
#[derive(Debug, Clone, Default)]
pub struct DigestOptions {
    /// Whether to use them.
    pub mode: DigestMode,
    /// The file with the keys to check their signatures with, as `aws cloudtrail list-public-keys` prints it.
    pub public_keys: Option<PathBuf>,
    /// The place from which the inputs were copied: `s3://bucket/prefix`.
    pub origin: Option<String>,
}

impl DigestOptions {
    /// Reads the keys, if a file is given.
    pub fn read_keys(&self) -> Result<Option<PublicKeys>> {
        let Some(path) = &self.public_keys else { return Ok(None) };
        let refused = |message: String| {
            Error::new(ErrorKind::Usage, message)
                .with("file", path.display())
                .hint("save what 'aws cloudtrail list-public-keys' prints for the time of the trail")
        };
        let json = std::fs::read(path)
            .map_err(|cause| refused("cannot read the public keys".to_owned()).caused_by(cause))?;
        let keys = PublicKeys::from_json(&json);
        keys.map(Some).map_err(|why| refused(format!("the file of public keys is invalid: {why}")))
    }
}
