//! Whether and how digests prove the days of a source.

use std::path::PathBuf;

use super::layers::{Ask, Layers};
use super::rows;
use super::setting::Setting;
use super::values::Parsed;
use crate::error::Result;
use crate::plan::{DigestMode, DigestOptions, KeySource};

impl Layers {
    pub(super) fn digests<'a>(&mut self, ask: impl Fn(&'static Setting) -> Ask<'a>) -> Result<DigestOptions> {
        let mode = self.pick(ask(&rows::DIGESTS), mode)?;
        let keys = self.pick(ask(&rows::PUBLIC_KEYS), keys)?;
        let origin = self.pick(ask(&rows::DIGEST_ORIGIN), origin)?;
        Ok(DigestOptions { mode, keys, origin, ..DigestOptions::default() })
    }
}

fn mode(value: &str) -> Parsed<DigestMode> {
    match value {
        "auto" => Ok(DigestMode::Auto),
        "require" => Ok(DigestMode::Require),
        "off" => Ok(DigestMode::Off),
        _ => Err("expected auto, require or off".to_owned()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the parsers that pick takes")]
fn keys(value: &str) -> Parsed<KeySource> {
    Ok(match value {
        "" => KeySource::Automatic,
        "aws" => KeySource::Aws,
        path => KeySource::File(PathBuf::from(path)),
    })
}

fn origin(value: &str) -> Parsed<Option<String>> {
    match value.strip_prefix("s3://") {
        None if value.is_empty() => Ok(None),
        Some(bucket) if !bucket.is_empty() => Ok(Some(value.trim_end_matches('/').to_owned())),
        _ => Err("expected s3://bucket or s3://bucket/prefix".to_owned()),
    }
}
