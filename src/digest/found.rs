//! A digest that a listing found: its place, its text and its signature.

use sha2::{Digest, Sha256};

use super::document::{Document, LONGEST_MS, LogFile};
use super::hex::{hexadecimal, unhexadecimal};
use super::keys::PublicKeys;
use super::name::{DigestName, file_name};
use super::scope::{DayScope, HOUR_MS};
use crate::kst::{UtcInstant, UtcWindow};

/// The signature that a store keeps with a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredSignature {
    /// The metadata of the object has it.
    Hex(String),
    /// The store keeps metadata, and the object has no signature.
    Missing,
    /// The store keeps no metadata: only the next digest proves this one.
    NotKept,
}

/// A digest that a listing found.
#[derive(Debug, Clone)]
pub struct FoundDigest {
    /// Where it is.
    pub address: String,
    /// Its name.
    pub name: DigestName,
    /// Where AWS must have delivered it, as `s3://bucket/key`; `None` in a folder of unknown origin.
    pub original: Option<String>,
    /// About when AWS signed it: a digest of late files can be signed days after the time in its name.
    pub signed_at: UtcInstant,
    pub(super) content: Result<Content, String>,
    pub(super) signature: StoredSignature,
}

#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) document: Document,
    pub(super) sha256: String,
}

impl FoundDigest {
    /// Reads the text of a digest, or notes why it has none. Of the log files that it names, only those of the day are kept.
    #[must_use]
    pub fn new(
        address: String,
        name: DigestName,
        original: Option<String>,
        text: Result<Vec<u8>, String>,
        signature: StoredSignature,
        scope: DayScope<'_>,
    ) -> Self {
        let hours = UtcWindow { start: name.end.plus_ms(-LONGEST_MS), end: name.end };
        let content = text.and_then(|text| {
            let document = Document::parse(&text, |file| scope.needs(file, hours))?;
            Ok(Content { document, sha256: hexadecimal(&Sha256::digest(&text)) })
        });
        Self { signed_at: name.end, address, name, original, content, signature }
    }

    /// Drops the log files that it names if it is already known to be broken.
    #[must_use]
    pub fn checked_with(mut self, keys: Option<&PublicKeys>) -> Self {
        if !self.is_at_home(keys)
            && let Ok(content) = &mut self.content
        {
            content.document.log_files = Vec::new();
        }
        self
    }

    /// Whether it is where AWS delivered it, with its own signature if the store keeps signatures.
    pub(super) fn is_at_home(&self, keys: Option<&PublicKeys>) -> bool {
        self.check_place().and_then(|content| self.signature_state(content, None, keys)).is_ok()
    }

    /// Whether another digest has the same text.
    pub(super) fn has_text_of(&self, other: &Self) -> bool {
        let texts = self.content.as_ref().ok().zip(other.content.as_ref().ok());
        texts.is_some_and(|(one, other)| one.sha256 == other.sha256)
    }

    /// Whether it names log files that the day needs.
    pub(super) fn names_files(&self, scope: DayScope<'_>) -> bool {
        let files = self.content.as_ref().map(|content| content.document.log_files.as_slice());
        files.is_ok_and(|files| files.iter().any(|file| scope.needs(file, self.stretch())))
    }

    /// Returns the key that its content claims for it; `None` if it could not be read.
    #[must_use]
    pub fn delivered_key(&self) -> Option<&str> {
        self.content.as_ref().ok().map(|content| content.document.object.as_str())
    }

    /// Returns the fingerprint of the key that it claims to be signed with; `None` if it could not be read.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.content.as_ref().ok().map(|content| content.document.digest_public_key_fingerprint.as_str())
    }

    /// Takes the log files of the day out of it.
    pub(super) fn take_files(&mut self, scope: DayScope<'_>) -> Vec<LogFile> {
        let stretch = self.stretch();
        let Ok(content) = &mut self.content else { return Vec::new() };
        let mut files = std::mem::take(&mut content.document.log_files);
        files.retain(|file| scope.needs(file, stretch));
        files
    }

    /// Returns the time that it covers. One that is unreadable, or of another time than its name, counts as an hour.
    pub(super) fn stretch(&self) -> UtcWindow {
        let read = self.content.as_ref().ok().and_then(|content| content.document.stretch());
        let read = read.filter(|(_, end)| *end == self.name.end);
        let (start, end) = read.unwrap_or((self.name.end.plus_ms(-HOUR_MS), self.name.end));
        UtcWindow { start, end }
    }

    /// Fails if the content does not belong to this name and place.
    pub(super) fn check_place(&self) -> Result<&Content, String> {
        let content = self.content.as_ref().map_err(Clone::clone)?;
        let document = &content.document;
        if document.aws_account_id != self.name.chain.account {
            return Err(format!("it is of account '{}'", document.aws_account_id));
        }
        let is_moved = match &self.original {
            Some(original) => *original != document.address(),
            None => file_name(&document.object) != file_name(&self.address),
        };
        if is_moved || DigestName::parse(&document.object).as_ref() != Some(&self.name) {
            return Err(format!("it was delivered as '{}'", document.address()));
        }
        if document.stretch().is_none_or(|(_, end)| end != self.name.end) {
            return Err(format!("its time ends at '{}'", document.digest_end_time));
        }
        Ok(content)
    }

    /// Checks the signature: its own, or the one that the next digest carries.
    pub(super) fn signature_state(
        &self,
        content: &Content,
        successor: Option<&str>,
        keys: Option<&PublicKeys>,
    ) -> Result<State, String> {
        let (hex, by) = match (&self.signature, successor) {
            (StoredSignature::Hex(hex), _) => (hex.as_str(), By::Metadata),
            (StoredSignature::Missing, _) => return Err("its metadata has no signature".to_owned()),
            (StoredSignature::NotKept, Some(hex)) => (hex, By::Successor),
            (StoredSignature::NotKept, None) => return Ok(State::Unsigned),
        };
        let keys = keys.filter(|keys| keys.lacks(&self.name.chain.home_region).is_none());
        let Some(keys) = keys else { return Ok(State::Unchecked) };
        let signature = unhexadecimal(hex).ok_or("its signature is not hexadecimal")?;
        let document = &content.document;
        let text = document.signed_text(&content.sha256);
        keys.verify(&document.digest_public_key_fingerprint, &text, &signature)?;
        Ok(State::Signed(by))
    }
}

/// How far a digest can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Signed(By),
    /// No keys were given.
    Unchecked,
    /// No signature exists, or not yet.
    Unsigned,
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Metadata,
    Successor,
}
