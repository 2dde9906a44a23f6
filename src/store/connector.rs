//! Opens stores and lakes from addresses as users write them.

use std::fmt;
use std::path::PathBuf;
#[cfg(feature = "aws")]
use std::sync::{Arc, OnceLock};
use std::sync::{Mutex, PoisonError};

use super::foreign_address::{translated, without_secrets};
#[cfg(feature = "aws")]
use super::page_memory::PageMemory;
use super::promise::CLOCKS_DIFFER_MS;
#[cfg(feature = "aws")]
use super::s3::{Aws, S3Lake, S3Location, S3Store};
use super::{
    ConnectionOptions, Lake, LakeAccess, ListedKey, ListingCount, LocalLake, LocalStore, Recovered,
    SourceAccess, Store,
};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{UtcInstant, UtcWindow};

/// Opens stores and lakes. Shared resources, for example the connection to AWS, are created once, on first use.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "folders do not use these fields"))]
#[derive(Debug)]
pub struct Connector {
    cancel: Cancel,
    scratch: PathBuf,
    options: ConnectionOptions,
    on_recovered: RecoveredListener,
    listed: ListingCount,
    /// When the oldest of the kept pages can have been listed.
    listed_since: Mutex<Option<UtcInstant>>,
    #[cfg(feature = "aws")]
    pages: Arc<PageMemory>,
    #[cfg(feature = "aws")]
    aws: OnceLock<Arc<Aws>>,
}

/// How long the pages of a bucket's listings are shared, in milliseconds. A long command must see new objects.
const SHARED_MS: i64 = 15 * 60_000;

/// Called for each day that was recovered when a lake was opened.
struct RecoveredListener(Box<dyn Fn(&Recovered) + Send + Sync>);

impl fmt::Debug for RecoveredListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveredListener")
    }
}

impl Connector {
    /// `cancel` asks waiting requests to stop. `scratch` is a folder on this machine for the rows and unfinished files of
    /// lakes that are stored elsewhere.
    #[must_use]
    pub fn new(cancel: Cancel, scratch: PathBuf, options: ConnectionOptions) -> Self {
        Self {
            cancel,
            scratch,
            options,
            on_recovered: RecoveredListener(Box::new(|_| ())),
            listed: ListingCount::default(),
            listed_since: Mutex::default(),
            #[cfg(feature = "aws")]
            pages: Arc::default(),
            #[cfg(feature = "aws")]
            aws: OnceLock::new(),
        }
    }

    /// Sets the listener for days that are recovered when a lake is opened.
    #[must_use]
    pub fn on_recovered(self, listener: impl Fn(&Recovered) + Send + Sync + 'static) -> Self {
        Self { on_recovered: RecoveredListener(Box::new(listener)), ..self }
    }

    /// Sets the counter of the objects that listings find.
    #[must_use]
    pub fn counting(self, listed: ListingCount) -> Self {
        Self { listed, ..self }
    }

    /// Returns the counter of the objects that listings find.
    #[must_use]
    pub fn listed(&self) -> &ListingCount {
        &self.listed
    }

    /// Returns the time that all listings from now on are not older than.
    ///
    /// The listings of a bucket share pages. The pages are listed again after a quarter of an hour, and if they may be older
    /// than `known`, the time of a listing that this one must not be older than.
    #[must_use]
    pub fn listed_since(&self, now: UtcInstant, known: Option<UtcInstant>) -> UtcInstant {
        let mut since = self.listed_since.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |since: &UtcInstant| {
            let is_newer = known.is_none_or(|known| known.plus_ms(CLOCKS_DIFFER_MS) < *since);
            is_newer && (0..SHARED_MS).contains(&(now.0 - since.0))
        };
        if let Some(since) = since.filter(is_fresh) {
            return since;
        }
        #[cfg(feature = "aws")]
        self.pages.forget();
        *since.insert(now)
    }

    /// Ends the sharing of the pages that are kept.
    pub fn list_again(&self) {
        *self.listed_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Begins to share the pages of listings.
    pub fn share_listings(&self, now: UtcInstant) {
        let _since = self.listed_since(now, None);
    }

    /// Opens the store of an input: a folder, a single file, or `s3://bucket/prefix`.
    pub fn store(&self, input: &str, access: &SourceAccess) -> Result<Box<dyn Store>> {
        refuse_foreign(input)?;
        match input.strip_prefix("s3://") {
            Some(rest) => self.s3_store(rest, access),
            None => Ok(Box::new(LocalStore::open(input)?)),
        }
    }

    /// Opens the lake of an output: a folder, which need not exist yet, or `s3://bucket/prefix`. In a folder, this first
    /// restores the days that killed runs had set aside, because they would look missing otherwise.
    pub fn lake(&self, output: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        refuse_foreign(output)?;
        if let Some(rest) = output.strip_prefix("s3://") {
            return self.s3_lake(rest, access);
        }
        let lake = LocalLake::open(output)?;
        lake.recover().iter().for_each(&self.on_recovered.0);
        Ok(Box::new(lake))
    }

    /// Asks CloudTrail for the keys with which it signed digests in a region during some time.
    pub fn public_keys(
        &self,
        region: &str,
        hours: UtcWindow,
        access: &SourceAccess,
    ) -> Result<Vec<ListedKey>> {
        self.listed_keys(region, hours, access)
    }

    /// Opens a location for a plan or for shards: a folder, or `s3://bucket/prefix`.
    pub fn staging(&self, address: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        refuse_foreign(address)?;
        match address.strip_prefix("s3://") {
            Some(rest) => self.s3_lake(rest, access),
            None => Ok(Box::new(LocalLake::open_staging(address)?)),
        }
    }
}

/// Refuses an address in a form that other tools accept: it would be a mistake to use it as the name of a folder.
pub(super) fn refuse_foreign(address: &str) -> Result<()> {
    let is_s3 = address.starts_with("s3://");
    let begins = |beginning: &str| address.to_ascii_lowercase().starts_with(beginning);
    if is_s3 || !(address.contains("://") || begins("s3:") || begins("arn:") || begins("file:")) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, "the address is neither a folder nor an S3 address")
        .with("address", without_secrets(address))
        .hint(match translated(address) {
            Some(meant) => format!("pass {meant}"),
            None => "pass s3://bucket/prefix or the path of a folder".to_owned(),
        }))
}

#[cfg(feature = "aws")]
impl Connector {
    fn s3_store(&self, rest: &str, access: &SourceAccess) -> Result<Box<dyn Store>> {
        Ok(Box::new(S3Store::open(self.aws()?, S3Location::parse(rest)?, access, &self.pages)?))
    }

    fn s3_lake(&self, rest: &str, access: &LakeAccess) -> Result<Box<dyn Lake>> {
        Ok(Box::new(self.lake_in_bucket(rest, access)?))
    }

    /// Opens a lake in a bucket, from the text after `s3://`.
    pub(super) fn lake_in_bucket(&self, rest: &str, access: &LakeAccess) -> Result<S3Lake> {
        S3Lake::open(self.aws()?, &S3Location::parse(rest)?, access.clone(), &self.scratch)
    }

    fn listed_keys(&self, region: &str, hours: UtcWindow, access: &SourceAccess) -> Result<Vec<ListedKey>> {
        self.aws()?.public_keys(access.role_arn.as_deref(), region, hours)
    }

    /// The connection to AWS.
    pub fn aws(&self) -> Result<Arc<Aws>> {
        if let Some(aws) = self.aws.get() {
            return Ok(Arc::clone(aws));
        }
        let aws = Aws::new(self.cancel.clone(), &self.options)?;
        Ok(Arc::clone(self.aws.get_or_init(|| aws)))
    }
}

#[cfg(not(feature = "aws"))]
#[expect(clippy::unused_self, reason = "the signatures are those with AWS")]
impl Connector {
    fn s3_store(&self, rest: &str, _: &SourceAccess) -> Result<Box<dyn Store>> {
        Err(without_aws(rest))
    }

    fn s3_lake(&self, rest: &str, _: &LakeAccess) -> Result<Box<dyn Lake>> {
        Err(without_aws(rest))
    }

    fn listed_keys(&self, region: &str, _: UtcWindow, _: &SourceAccess) -> Result<Vec<ListedKey>> {
        let needs = "this logmill was built without AWS, so it cannot list the public keys of CloudTrail";
        Err(Error::new(ErrorKind::Usage, needs)
            .with("region", region)
            .hint("pass the keys with --public-keys FILE"))
    }
}

#[cfg(not(feature = "aws"))]
pub(super) fn without_aws(rest: &str) -> Error {
    Error::new(ErrorKind::Usage, "this logmill was built without S3 and Glue")
        .with("address", format!("s3://{rest}"))
        .hint("build logmill with its default features")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_share_pages_for_a_while_unless_they_must_be_newer() {
        let connector = Connector::new(Cancel::default(), PathBuf::new(), ConnectionOptions::default());
        let minute = |minutes: i64| UtcInstant(minutes * 60_000);
        for (now, known, expected) in [
            (100, None, 100),
            (114, None, 100),
            // A day was published from a listing that is clearly older.
            (114, Some(94), 100),
            (115, None, 115),
            (116, Some(110), 116),
            // The clock of another machine may be ahead.
            (117, Some(118), 117),
            // This machine's clock was set back.
            (90, None, 90),
        ] {
            let since = connector.listed_since(minute(now), known.map(minute));
            assert_eq!(since, minute(expected), "at {now} with {known:?}");
        }
    }
}
