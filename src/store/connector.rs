//! From addresses, as users write them, to stores and lakes.

use std::fmt;
use std::path::PathBuf;
#[cfg(feature = "aws")]
use std::sync::{Arc, OnceLock};

use super::proxies::ProxyVariables;
#[cfg(feature = "aws")]
use super::s3::{Aws, S3Lake, S3Location, S3Store};
use super::{Lake, LakeAccess, LocalLake, LocalStore, Recovered, SourceAccess, Store};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};

/// Opens stores and lakes; what they share, such as the way to AWS, is made once, when it is needed.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "folders need nothing of it"))]
#[derive(Debug)]
pub struct Connector {
    cancel: Cancel,
    scratch: PathBuf,
    options: ConnectionOptions,
    on_recovered: RecoveredListener,
    #[cfg(feature = "aws")]
    aws: OnceLock<Arc<Aws>>,
}

/// Who hears of the days that opening a lake has brought back.
struct RecoveredListener(Box<dyn Fn(&Recovered) + Send + Sync>);

impl fmt::Debug for RecoveredListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveredListener")
    }
}

/// What the environment of a process says about the way to AWS, beside what the SDK reads itself.
#[derive(Debug, Clone, Default)]
pub struct ConnectionOptions {
    /// A PEM file with the certificate authorities to trust instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether buckets are named in the path, as most servers beside AWS want it, and not in the host.
    pub path_style: bool,
    /// Attempts of one request, all retries told, where somebody wants another number than ours.
    pub max_attempts: Option<u32>,
    /// Which proxies requests go through.
    pub proxies: ProxyVariables,
}

impl Connector {
    /// `cancel` asks requests that are waited for to stop; `scratch` is a folder of this machine for the rows and files
    /// in the making of a lake that is elsewhere.
    #[must_use]
    pub fn new(cancel: Cancel, scratch: PathBuf, options: ConnectionOptions) -> Self {
        Self {
            cancel,
            scratch,
            options,
            on_recovered: RecoveredListener(Box::new(|_| ())),
            #[cfg(feature = "aws")]
            aws: OnceLock::new(),
        }
    }

    /// Tells of the days that opening a lake brings back.
    #[must_use]
    pub fn on_recovered(self, listener: impl Fn(&Recovered) + Send + Sync + 'static) -> Self {
        Self { on_recovered: RecoveredListener(Box::new(listener)), ..self }
    }

    /// Opens the store of an input: a folder, a single file, or `s3://bucket/prefix`.
    pub fn store(&self, input: &str, access: &SourceAccess) -> Result<Box<dyn Store>> {
        refuse_foreign(input)?;
        match input.strip_prefix("s3://") {
            Some(rest) => self.s3_store(rest, access),
            None => Ok(Box::new(LocalStore::open(input)?)),
        }
    }

    /// Opens the lake of an output: a folder, which need not exist yet, or `s3://bucket/prefix`. Days that killed runs have
    /// set aside in a folder are back then: whoever looked at it without them would take them for missing.
    pub fn lake(&self, output: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        refuse_foreign(output)?;
        if let Some(rest) = output.strip_prefix("s3://") {
            return self.s3_lake(rest, access);
        }
        let lake = LocalLake::open(output)?;
        lake.recover().iter().for_each(&self.on_recovered.0);
        Ok(Box::new(lake))
    }

    /// Opens a place for a plan or for shards: a folder, or `s3://bucket/prefix`.
    pub fn staging(&self, address: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        refuse_foreign(address)?;
        match address.strip_prefix("s3://") {
            Some(rest) => self.s3_lake(rest, access),
            None => Ok(Box::new(LocalLake::open_staging(address)?)),
        }
    }
}

/// Refuses an address in a form that other tools take: as the name of a folder it would be a mistake.
fn refuse_foreign(address: &str) -> Result<()> {
    let is_s3 = address.starts_with("s3://");
    if is_s3 || !(address.contains("://") || address.starts_with("s3:") || address.starts_with("arn:")) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, "this is neither a folder nor an address in S3")
        .with("address", address)
        .hint("write s3://bucket/prefix, or the path of a folder"))
}

#[cfg(feature = "aws")]
impl Connector {
    fn s3_store(&self, rest: &str, access: &SourceAccess) -> Result<Box<dyn Store>> {
        Ok(Box::new(S3Store::open(self.aws()?, S3Location::parse(rest)?, access)?))
    }

    fn s3_lake(&self, rest: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        let location = S3Location::parse(rest)?;
        Ok(Box::new(S3Lake::open(self.aws()?, &location, access.clone(), &self.scratch)?))
    }

    /// The way to AWS.
    pub fn aws(&self) -> Result<Arc<Aws>> {
        if let Some(aws) = self.aws.get() {
            return Ok(Arc::clone(aws));
        }
        let aws = Aws::new(self.cancel.clone(), &self.options)?;
        Ok(Arc::clone(self.aws.get_or_init(|| aws)))
    }
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_self, reason = "as with AWS")]
impl Connector {
    fn s3_store(&self, rest: &str, _: &SourceAccess) -> Result<Box<dyn Store>> {
        Err(without_aws(rest))
    }

    fn s3_lake(&self, rest: &str, _: &LakeAccess) -> Result<Box<dyn Lake>> {
        Err(without_aws(rest))
    }
}

#[cfg(not(feature = "aws"))]
fn without_aws(rest: &str) -> Error {
    Error::new(ErrorKind::Usage, "this logmill was built without S3 and Glue")
        .with("address", format!("s3://{rest}"))
        .hint("build it with its default features")
}
