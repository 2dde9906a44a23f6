//! Where published days go, and which catalog is told.

use std::path::PathBuf;

use super::layers::Layers;
use super::values::{Parsed, size, span_ms, text, truth};
use crate::cli::args::{CatalogArgs, LakeArgs, WriteArgs};
use crate::cli::config_file::{CatalogSection, LakeSection};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::road::CatalogOptions;
use crate::store::{Encryption, LakeAccess};

/// The lake.
pub(in crate::cli) struct LakeSettings {
    pub(super) output: Option<String>,
    pub(in crate::cli) access: LakeAccess,
    /// How long the files of a superseded run stay, in milliseconds.
    pub(in crate::cli) grace_ms: i64,
    /// How long to wait for a day that another run holds, in milliseconds.
    pub(in crate::cli) wait_ms: i64,
    /// Whether to take a day also from a run that holds it.
    pub(in crate::cli) steals: bool,
    /// A folder of this machine for what a lake in S3 cannot hold.
    pub(in crate::cli) scratch: PathBuf,
    pub(super) target_file_bytes: u64,
}

impl Layers {
    pub(super) fn lake(
        &mut self,
        flags: Option<&LakeArgs>,
        write: Option<&WriteArgs>,
        file: &LakeSection,
        catalog: Option<&CatalogOptions>,
    ) -> Result<LakeSettings> {
        let output =
            self.pick("output", flags.and_then(|lake| lake.output.as_ref()), file.output.as_ref(), "", text)?;
        let target_flag = write.and_then(|write| write.target_file_size.as_ref());
        let target_file_bytes =
            self.pick("target_file_size", target_flag, file.target_file_size.as_ref(), "256 MiB", size)?;
        // With a projection Athena reads every run that is there.
        let projects = catalog.is_some_and(|catalog| catalog.projected_from.is_some());
        let default_grace = if projects { "0s" } else { "1h" };
        let grace_flag = write.and_then(|write| write.grace.as_ref());
        let grace_ms = self.pick("grace", grace_flag, file.grace.as_ref(), default_grace, span_ms)?;
        let wait_flag = write.and_then(|write| write.wait.as_ref());
        let wait_ms = self.pick("wait", wait_flag, file.wait.as_ref(), "0s", span_ms)?;
        let temporary = std::env::temp_dir().to_string_lossy().into_owned();
        let scratch_flag = flags.and_then(|lake| lake.scratch.as_ref());
        let scratch = self.pick("scratch", scratch_flag, file.scratch.as_ref(), &temporary, text)?.into();
        let access = self.lake_access(write, file)?;
        Ok(LakeSettings {
            output: Some(output).filter(|output| !output.is_empty()),
            access,
            grace_ms,
            wait_ms,
            steals: write.is_some_and(|write| write.steal),
            scratch,
            target_file_bytes,
        })
    }

    fn lake_access(&mut self, write: Option<&WriteArgs>, file: &LakeSection) -> Result<LakeAccess> {
        let kms_flag = write.and_then(|write| write.kms_key.as_ref());
        let kms_key = self.pick_optional("kms_key", kms_flag, file.kms_key.as_ref(), text)?;
        let sse_flag = write.and_then(|write| write.sse.as_ref());
        let sse = self.pick_optional("sse", sse_flag, file.sse.as_ref(), sse)?;
        let encryption = match (sse, kms_key) {
            (None, None) => None,
            (Some(Sse::S3), None) => Some(Encryption::S3),
            (Some(Sse::S3), Some(_)) => {
                return Err(Error::new(ErrorKind::Usage, "a KMS key is given, but --sse says s3")
                    .hint("say --sse kms, or leave --sse out"));
            }
            (_, key) => Some(Encryption::Kms(key)),
        };
        let class_flag = write.and_then(|write| write.storage_class.as_ref());
        let storage_class =
            self.pick_optional("storage_class", class_flag, file.storage_class.as_ref(), text)?;
        let tag_flag = write.map(|write| write.tag.join(",")).filter(|tags| !tags.is_empty());
        let tags = self.pick_optional("tag", tag_flag.as_ref(), file.tag.as_ref(), tags)?.unwrap_or_default();
        let acl_flag = write.and_then(|write| write.acl.as_ref());
        let acl = self.pick_optional("acl", acl_flag, file.acl.as_ref(), acl)?;
        let owner = file.expected_bucket_owner.as_ref();
        let expected_bucket_owner = self.pick_optional("lake_bucket_owner", None, owner, text)?;
        let bucket_owner_full_control = acl.unwrap_or_default();
        Ok(LakeAccess { expected_bucket_owner, encryption, storage_class, tags, bucket_owner_full_control })
    }

    pub(super) fn catalog(
        &mut self,
        flags: Option<&CatalogArgs>,
        file: &CatalogSection,
    ) -> Result<Option<CatalogOptions>> {
        let kind_flag = flags.and_then(|flags| flags.catalog.as_ref());
        let database_flag = flags.and_then(|flags| flags.database.as_ref());
        let (named, _) =
            self.first("database", database_flag, file.database.as_ref().map(ToString::to_string), "");
        let default = if named.is_empty() { "none" } else { "glue" };
        let is_glue = self.pick("catalog", kind_flag, file.catalog.as_ref(), default, catalog)?;
        if !is_glue {
            return Ok(None);
        }
        let database = self.pick("database", database_flag, file.database.as_ref(), "", text)?;
        if !crate::plan::is_table_name(&database) {
            return Err(Error::new(ErrorKind::Usage, format!("'{database}' is no name of a database"))
                .hint("name one with --database: lower-case letters, digits and _"));
        }
        let create_flag = flags.and_then(|flags| flags.create_database).map(|wanted| wanted.to_string());
        let create_database = self.pick(
            "create_database",
            create_flag.as_ref(),
            file.create_database.as_ref(),
            "false",
            truth,
        )?;
        let projection_flag = flags.and_then(|flags| flags.projection.as_ref());
        let projected_from =
            self.pick_optional("projection", projection_flag, file.projection.as_ref(), first_day)?;
        let statistics_flag =
            flags.and_then(|flags| flags.column_statistics).map(|wanted| wanted.to_string());
        let column_statistics = self.pick(
            "column_statistics",
            statistics_flag.as_ref(),
            file.column_statistics.as_ref(),
            "false",
            truth,
        )?;
        Ok(Some(CatalogOptions { database, create_database, projected_from, column_statistics }))
    }
}

/// Whose keys encrypt.
enum Sse {
    S3,
    Kms,
}

fn sse(value: &str) -> Parsed<Sse> {
    match value {
        "s3" => Ok(Sse::S3),
        "kms" => Ok(Sse::Kms),
        _ => Err("s3 or kms is expected".to_owned()),
    }
}

fn tags(value: &str) -> Parsed<Vec<(String, String)>> {
    let tag = |pair: &str| {
        let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((name.to_owned(), value.to_owned()))
    };
    let expected = || "tags such as team=data are expected".to_owned();
    value.split(',').map(|pair| tag(pair).ok_or_else(expected)).collect()
}

fn acl(value: &str) -> Parsed<bool> {
    match value {
        "bucket-owner-full-control" => Ok(true),
        "none" => Ok(false),
        _ => Err("bucket-owner-full-control or none is expected".to_owned()),
    }
}

fn catalog(value: &str) -> Parsed<bool> {
    match value {
        "none" => Ok(false),
        "glue" => Ok(true),
        _ => Err("none or glue is expected".to_owned()),
    }
}

fn first_day(value: &str) -> Parsed<KstDay> {
    value.parse().map_err(|_| "a first day such as 2024-01-01 is expected".to_owned())
}
