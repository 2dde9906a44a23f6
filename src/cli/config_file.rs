//! The config file, `logmill.toml`: every key optional, an unknown key an error that names it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::table::Promotion;

/// What the file can say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) threads: Option<Scalar>,
    pub(super) memory: Option<Scalar>,
    pub(super) max_object_size: Option<Scalar>,
    pub(super) max_reject_ratio: Option<Scalar>,
    pub(super) max_quarantine: Option<Scalar>,
    pub(super) allow_empty: Option<Scalar>,
    pub(super) max_shrink: Option<Scalar>,
    pub(super) fail_on_empty: Option<Scalar>,
    pub(super) log_format: Option<Scalar>,
    pub(super) metrics_file: Option<Scalar>,
    pub(super) emf: Option<Scalar>,
    #[serde(default)]
    pub(super) lake: LakeSection,
    #[serde(default)]
    pub(super) catalog: CatalogSection,
    #[serde(default)]
    pub(super) source: Vec<SourceSection>,
}

/// `[lake]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LakeSection {
    pub(super) output: Option<Scalar>,
    pub(super) target_file_size: Option<Scalar>,
    pub(super) scratch: Option<Scalar>,
    pub(super) grace: Option<Scalar>,
    pub(super) wait: Option<Scalar>,
    pub(super) expected_bucket_owner: Option<Scalar>,
    pub(super) sse: Option<Scalar>,
    pub(super) kms_key: Option<Scalar>,
    pub(super) storage_class: Option<Scalar>,
    pub(super) tag: Option<Scalar>,
    pub(super) acl: Option<Scalar>,
}

/// `[catalog]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogSection {
    pub(super) catalog: Option<Scalar>,
    pub(super) database: Option<Scalar>,
    pub(super) create_database: Option<Scalar>,
    pub(super) projection: Option<Scalar>,
    pub(super) column_statistics: Option<Scalar>,
}

/// `[[source]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceSection {
    pub(super) dataset: String,
    #[serde(default)]
    pub(super) input: OneOrMany,
    pub(super) table: Option<String>,
    pub(super) lateness: Option<Scalar>,
    pub(super) naming: Option<Scalar>,
    pub(super) role_arn: Option<Scalar>,
    pub(super) requester_pays: Option<Scalar>,
    pub(super) ignore_key_times: Option<Scalar>,
    pub(super) expected_bucket_owner: Option<Scalar>,
    #[serde(default)]
    pub(super) filter: OneOrMany,
    #[serde(default)]
    pub(super) redact: OneOrMany,
    #[serde(default)]
    pub(super) promote: Vec<Promotion>,
}

/// A value written as text, number or truth value.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

/// One text or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    pub(super) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one.clone()],
            Self::Many(many) => many.clone(),
        }
    }
}

/// The name that is looked for where nobody names a file.
const DEFAULT_NAME: &str = "logmill.toml";

/// Reads the named file, or `logmill.toml` of this folder where there is one.
pub(super) fn load(named: Option<PathBuf>) -> Result<Option<(PathBuf, ConfigFile)>> {
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_NAME).exists() => PathBuf::from(DEFAULT_NAME),
        None => return Ok(None),
    };
    let text = read(&path).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot read the config file")
            .with("file", path.display())
            .caused_by(cause)
    })?;
    let config = toml::from_str(&text).map_err(|cause| {
        Error::new(ErrorKind::Usage, "cannot understand the config file")
            .with("file", path.display())
            .caused_by(cause)
            .hint("'logmill config --help' and the README list the keys")
    })?;
    Ok(Some((path, config)))
}

/// Bytes of a config file at most.
const MOST_BYTES: u64 = 4 << 20;

/// The text of a file, or of a pipe that a shell has put in its place; a device may have no end.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
