//! The keys for the digests of a day: those of a file, or those that AWS lists for them.

use std::slice;

use super::digest_options::{DigestOptions, KeySource, read_keys};
use crate::digest::{FoundDigest, PublicKeys};
use crate::error::{Error, Result};
use crate::kst::{UtcInstant, UtcWindow};
use crate::store::{Connector, SourceAccess};

/// The keys for the digests of a day.
pub(super) struct DigestKeys<'a> {
    options: &'a DigestOptions,
    of_file: Option<PublicKeys>,
    connector: &'a Connector,
    access: &'a SourceAccess,
    hours: UtcWindow,
    now: UtcInstant,
    /// Whether a refusal of AWS is an error.
    needed: bool,
    refused: Option<Error>,
}

impl<'a> DigestKeys<'a> {
    /// Reads the file of keys, if any. `hours` are those of the digests.
    pub(super) fn new(
        options: &'a DigestOptions,
        (connector, access): (&'a Connector, &'a SourceAccess),
        hours: UtcWindow,
        now: UtcInstant,
        needed: bool,
    ) -> Result<Self> {
        let of_file = match &options.keys {
            KeySource::File(path) => Some(read_keys(path)?),
            KeySource::Aws | KeySource::Automatic => None,
        };
        Ok(Self { options, of_file, connector, access, hours, now, needed, refused: None })
    }

    /// Drops the log files of a digest that is already known to be broken. [`all`](Self::all) returns an error about keys.
    pub(super) fn checked(&mut self, found: FoundDigest) -> FoundDigest {
        if self.refused.is_some() {
            return found;
        }
        match self.of(slice::from_ref(&found)) {
            Ok(keys) => found.checked_with(keys.as_ref()),
            Err(error) => {
                self.refused = Some(error);
                found
            }
        }
    }

    /// Returns the keys for some digests; `None` without any.
    pub(super) fn all(self, found: &[FoundDigest]) -> Result<Option<PublicKeys>> {
        match self.refused {
            Some(error) => Err(error),
            None => self.of(found),
        }
    }

    fn of(&self, found: &[FoundDigest]) -> Result<Option<PublicKeys>> {
        if let Some(keys) = &self.of_file {
            return Ok(Some(keys.clone()));
        }
        let of_all = self.options.keys == KeySource::Aws;
        let mut asked =
            found.iter().filter(|digest| of_all || digest.address.starts_with("s3://")).peekable();
        if asked.peek().is_none() {
            return Ok(None);
        }
        let ask = |region: &str, hours| self.connector.public_keys(region, hours, self.access);
        self.options.ring.keys(asked, (self.hours, self.now), self.needed, ask).map(Some)
    }
}
