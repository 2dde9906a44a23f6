//! The lake and the catalog.

use std::path::PathBuf;

use super::layers::{Ask, Layers};
use super::rows;
use super::values::{Parsed, size, span_ms, text, truth};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::road::CatalogOptions;
use crate::store::{Encryption, LakeAccess};

/// The lake.
pub(in crate::cli) struct LakeSettings {
    pub(super) output: Option<String>,
    pub(in crate::cli) access: LakeAccess,
    /// How long to keep the files of a superseded run, in milliseconds.
    pub(in crate::cli) grace_ms: i64,
    /// How long to wait for a day that another run holds, in milliseconds.
    pub(in crate::cli) wait_ms: i64,
    /// Whether to take over a day that another run holds.
    pub(in crate::cli) steals: bool,
    /// A local folder for data that a lake in S3 cannot hold.
    pub(in crate::cli) scratch: PathBuf,
    pub(super) target_file_bytes: u64,
}

impl Layers {
    pub(super) fn lake(&mut self, steals: bool, catalog: Option<&CatalogOptions>) -> Result<LakeSettings> {
        let output = self.pick(&rows::OUTPUT, text)?;
        let target_file_bytes = self.pick(&rows::TARGET_FILE_SIZE, size)?;
        let projects = catalog.is_some_and(|catalog| catalog.projected_from.is_some());
        let default_grace = if projects { rows::GRACE_WITH_PROJECTION } else { rows::GRACE_DEFAULT };
        let grace_ms = self.pick(Ask::from(&rows::GRACE).or(default_grace), span_ms)?;
        let wait_ms = self.pick(&rows::WAIT, span_ms)?;
        let temporary = std::env::temp_dir().to_string_lossy().into_owned();
        let scratch = self.pick(Ask::from(&rows::SCRATCH).or(temporary), text)?.into();
        let access = self.lake_access()?;
        Ok(LakeSettings {
            output: Some(output).filter(|output| !output.is_empty()),
            access,
            grace_ms,
            wait_ms,
            steals,
            scratch,
            target_file_bytes,
        })
    }

    fn lake_access(&mut self) -> Result<LakeAccess> {
        let kms_key = self.pick_optional(&rows::KMS_KEY, text)?;
        let sse = self.pick_optional(&rows::SSE, sse)?;
        let encryption = match (sse, kms_key) {
            (None, None) => None,
            (Some(Sse::S3), None) => Some(Encryption::S3),
            (Some(Sse::S3), Some(_)) => {
                return Err(Error::new(ErrorKind::Usage, "a KMS key is given, but --sse is s3")
                    .hint("pass --sse kms, or omit --sse"));
            }
            (_, key) => Some(Encryption::Kms(key)),
        };
        let storage_class = self.pick_optional(&rows::STORAGE_CLASS, text)?;
        let tags = self.pick_optional(&rows::TAG, tags)?.unwrap_or_default();
        let bucket_owner_full_control = self.pick(&rows::ACL, acl)?;
        let expected_bucket_owner = self.pick_optional(&rows::LAKE_BUCKET_OWNER, text)?;
        Ok(LakeAccess { expected_bucket_owner, encryption, storage_class, tags, bucket_owner_full_control })
    }

    pub(super) fn catalog(&mut self) -> Result<Option<CatalogOptions>> {
        let (named, _) = self.first(&(&rows::DATABASE).into());
        let default = if named.is_empty() { rows::NO_CATALOG } else { rows::CATALOG_WITH_DATABASE };
        if !self.pick(Ask::from(&rows::CATALOG).or(default), catalog)? {
            return Ok(None);
        }
        let database = self.pick(&rows::DATABASE, text)?;
        if database.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "no database is given")
                .hint("pass the database of the catalog with --database"));
        }
        if !crate::plan::is_table_name(&database) {
            return Err(Error::new(ErrorKind::Usage, format!("invalid database name '{database}'"))
                .hint("pass --database with a name of lower-case letters, digits and _"));
        }
        let create_database = self.pick(&rows::CREATE_DATABASE, truth)?;
        let projected_from = self.pick_optional(&rows::PROJECTION, first_day)?;
        let column_statistics = self.pick(&rows::COLUMN_STATISTICS, truth)?;
        Ok(Some(CatalogOptions { database, create_database, projected_from, column_statistics }))
    }
}

/// Which keys encrypt.
enum Sse {
    S3,
    Kms,
}

fn sse(value: &str) -> Parsed<Sse> {
    match value {
        "s3" => Ok(Sse::S3),
        "kms" => Ok(Sse::Kms),
        _ => Err("expected s3 or kms".to_owned()),
    }
}

fn tags(value: &str) -> Parsed<Vec<(String, String)>> {
    let tag = |pair: &str| {
        let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((name.to_owned(), value.to_owned()))
    };
    let expected = || "expected NAME=VALUE, for example team=data".to_owned();
    value.split(',').map(|pair| tag(pair).ok_or_else(expected)).collect()
}

fn acl(value: &str) -> Parsed<bool> {
    match value {
        "bucket-owner-full-control" => Ok(true),
        "none" => Ok(false),
        _ => Err("expected bucket-owner-full-control or none".to_owned()),
    }
}

fn catalog(value: &str) -> Parsed<bool> {
    match value {
        "none" => Ok(false),
        "glue" => Ok(true),
        _ => Err("expected none or glue".to_owned()),
    }
}

fn first_day(value: &str) -> Parsed<KstDay> {
    value.parse().map_err(|_| "expected the first day, for example 2024-01-01".to_owned())
}
