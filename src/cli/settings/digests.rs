//! Whether and how digests prove the days of a source.

use std::sync::Arc;

use super::layers::{Ask, Layers};
use super::rows;
use super::setting::Setting;
use super::values::{Parsed, text};
use crate::digest::PublicKeys;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{DigestMode, DigestOptions};

impl Layers {
    pub(super) fn digests<'a>(&mut self, ask: impl Fn(&'static Setting) -> Ask<'a>) -> Result<DigestOptions> {
        let mode = self.pick(ask(&rows::DIGESTS), mode)?;
        let file = self.pick(ask(&rows::PUBLIC_KEYS), text)?;
        let keys = if file.is_empty() || mode == DigestMode::Off { None } else { Some(Arc::new(keys(&file)?)) };
        let origin = self.pick(ask(&rows::DIGEST_ORIGIN), origin)?;
        Ok(DigestOptions { mode, keys, origin })
    }
}

/// Reads the file of public keys.
fn keys(path: &str) -> Result<PublicKeys> {
    let json = std::fs::read(path).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the public keys").with("file", path).caused_by(cause)
    });
    let hint = "save what 'aws cloudtrail list-public-keys' prints for the time of the trail";
    let json = json.map_err(|error| error.hint(hint))?;
    PublicKeys::from_json(&json).map_err(|why| {
        Error::new(ErrorKind::Usage, format!("the file of public keys is invalid: {why}"))
            .with("file", path)
            .hint(hint)
    })
}

fn mode(value: &str) -> Parsed<DigestMode> {
    match value {
        "auto" => Ok(DigestMode::Auto),
        "require" => Ok(DigestMode::Require),
        "off" => Ok(DigestMode::Off),
        _ => Err("expected auto, require or off".to_owned()),
    }
}

fn origin(value: &str) -> Parsed<Option<String>> {
    match value.strip_prefix("s3://") {
        None if value.is_empty() => Ok(None),
        Some(bucket) if !bucket.is_empty() => Ok(Some(value.trim_end_matches('/').to_owned())),
        _ => Err("expected s3://bucket or s3://bucket/prefix".to_owned()),
    }
}
