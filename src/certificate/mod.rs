//! A certificate: the evidence about published days on one page, for a reader who does not have the lake.
//!
//! [`Certificate`] is the evidence, as JSON. `document` says the same in words, in English or Korean, and [`page()`] shows
//! that. [`verify()`] compares a certificate with the lake again.

mod details;
mod document;
mod page;
mod unknown;
mod verify;
mod words;

pub use document::{Document, Section};
pub use page::page;
pub use verify::verify;
pub use words::Language;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::convert::PartFile;
use crate::digest::{DayProof, Verdict, hexadecimal};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::KstDay;
use crate::ledger::RowLedger;
use crate::publish::Manifest;
use crate::store::Lake;
use crate::store::lake::Partition;

/// The version of the certificate that this program writes.
pub const CERTIFICATE_VERSION: u32 = 1;

/// The evidence about some days of a lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Version of the format.
    pub certificate_version: u32,
    /// Version of the program that issued it.
    pub logmill: String,
    /// When it was issued, UTC.
    pub issued_at: String,
    /// Address of the lake.
    pub lake: String,
    /// The published days, by table and day.
    pub days: Vec<DayCertificate>,
    /// Days of these tables that are not published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_published: Vec<UnpublishedDay>,
}

/// A day of a table that is not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpublishedDay {
    /// The table.
    pub table: String,
    /// The day.
    pub day: KstDay,
}

/// The evidence about a published day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayCertificate {
    /// The table.
    pub table: String,
    /// The log type.
    pub dataset: String,
    /// The day.
    pub day: KstDay,
    /// The run that published it.
    pub run: String,
    /// When it was published, UTC.
    pub published_at: String,
    /// Whether late objects could still arrive then.
    pub provisional: bool,
    /// What digests prove; `unproved` without digests.
    pub verdict: Verdict,
    /// The row ledger.
    pub rows: RowLedger,
    /// Path of the manifest below the lake.
    pub manifest: String,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// The part files.
    pub parts: Vec<PartFile>,
    /// The proof; `null` without digests.
    pub proof: Option<DayProof>,
}

impl DayCertificate {
    /// Reads the evidence about a day; `None` if it is not published. Fails if the proof in its manifest does not add up.
    pub fn read(lake: &dyn Lake, partition: &Partition) -> Result<Option<Self>> {
        Ok(Self::read_with_manifest(lake, partition)?.map(|(day, _)| day))
    }

    fn read_with_manifest(lake: &dyn Lake, partition: &Partition) -> Result<Option<(Self, Manifest)>> {
        let Some(stored) = lake.manifest(partition)? else { return Ok(None) };
        let (path, manifest_sha256) = (stored.path.clone(), hexadecimal(&Sha256::digest(&stored.json)));
        let manifest = Manifest::of(lake, stored)?;
        if let Some(why) = manifest.proof.as_ref().and_then(DayProof::contradiction) {
            return Err(Error::new(ErrorKind::Unusable, "the proof in the manifest does not add up")
                .with("path", lake.address(&path))
                .with("why", why)
                .hint("build the day again with 'logmill run': the manifest was changed or is damaged"));
        }
        Ok(Some((Self::of(&manifest, path, manifest_sha256), manifest)))
    }

    fn of(manifest: &Manifest, path: String, manifest_sha256: String) -> Self {
        Self {
            table: manifest.table.clone(),
            dataset: manifest.dataset.clone(),
            day: manifest.day,
            run: manifest.run.clone(),
            published_at: manifest.published_at.clone(),
            provisional: manifest.provisional,
            verdict: manifest.proof.as_ref().map_or(Verdict::Unproved, |proof| proof.verdict),
            rows: manifest.ledger,
            manifest: path,
            manifest_sha256,
            parts: manifest.parts.clone(),
            proof: manifest.proof.clone(),
        }
    }
}

impl Certificate {
    /// Formats it as JSON, with ASCII characters only.
    pub fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string(self)
            .map_err(|cause| Error::bug("cannot write the certificate as JSON").caused_by(cause))?;
        let mut ascii = String::with_capacity(json.len());
        for character in json.chars() {
            if character.is_ascii() && character != '\u{7f}' {
                ascii.push(character);
            } else {
                let units = character.encode_utf16(&mut [0; 2]).to_vec();
                ascii.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
        Ok(ascii)
    }

    /// Reads a certificate: its JSON, or a page that carries it. Fails with what is wrong with it.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let json = page::carried(text).unwrap_or_else(|| text.to_owned());
        let certificate: Self = serde_json::from_str(&json).map_err(|cause| cause.to_string())?;
        if certificate.certificate_version > CERTIFICATE_VERSION {
            return Err("a newer version of logmill issued it".to_owned());
        }
        if let Some(field) = unknown::field_of(&certificate, &json) {
            return Err(format!(
                "unknown field '{field}': logmill {} did not write it",
                env!("CARGO_PKG_VERSION")
            ));
        }
        let mut days = BTreeSet::new();
        if certificate.days.is_empty()
            || !certificate.days.iter().all(|day| days.insert((&day.table, day.day)))
        {
            return Err("it names no day, or a day twice".to_owned());
        }
        if page::carried(text).is_some() && !certificate.is_shown_by(text) {
            let issuer = &certificate.logmill;
            return Err(format!(
                "the page does not show what its data says, or logmill {issuer}, which wrote it, formats pages in another way"
            ));
        }
        Ok(certificate)
    }

    /// Whether a page is the one that this version writes, in one of its languages. Reading and saving a page may change
    /// the end of its last line.
    fn is_shown_by(&self, text: &str) -> bool {
        [Language::English, Language::Korean]
            .into_iter()
            .any(|language| page(self, language).is_ok_and(|page| page.trim_end() == text.trim_end()))
    }
}

#[cfg(test)]
mod tests;
