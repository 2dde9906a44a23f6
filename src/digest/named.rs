//! Relates the log files that digests name to the raw objects of a day.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::chain::Examined;
use super::hex::unhexadecimal;
use super::name::LogName;
use super::proof::{
    DayProof, DigestList, Exception, ExceptionKind, FileLedger, FilesWithoutDigests, Stretch, Verdict,
};
use super::{DayScope, LogFile};

/// How many unnamed files are listed. Further ones are only counted.
const MOST_UNNAMED: usize = 100;

/// A log file that a digest names, and the raw objects that are this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFile {
    /// The place of its chain in the proof.
    pub chain: u32,
    /// Where AWS delivered it.
    pub object: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
    /// Addresses of the raw objects; none if the file is missing.
    pub found: Vec<String>,
}

/// The proof of a day before its objects are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedProof {
    /// What the digests say. The counts of files are still zero.
    pub proof: DayProof,
    /// The log files that the day has to read.
    pub files: Vec<NamedFile>,
}

/// What reading showed of the text of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadText {
    /// The SHA-256 of the whole text.
    Whole([u8; 32]),
    /// The object was there, but it is not one gzip member that can be unpacked to its end.
    Damaged,
    /// The object could not be read.
    Unread,
}

impl PlannedProof {
    /// Creates the proof of a day. `resolve` finds the raw objects of the file that the digest at a place names.
    pub fn new(
        examined: Examined,
        scope: &DayScope<'_>,
        origin: Option<String>,
        digests: DigestList,
        mut resolve: impl FnMut(usize, &LogFile) -> Vec<String>,
    ) -> Self {
        let Examined { chains, files, exceptions, keys } = examined;
        let named = |(chain, digest, file): (usize, usize, LogFile)| NamedFile {
            chain: u32::try_from(chain).unwrap_or(u32::MAX),
            object: file.address(),
            found: resolve(digest, &file),
            sha256: file.hash_value,
        };
        let files = files.into_iter().map(named).collect();
        let mut proof = DayProof {
            verdict: Verdict::Unproved,
            window: Stretch::from(scope.deliveries),
            origin,
            files: FileLedger::default(),
            unnamed: 0,
            digests,
            keys: keys.into_iter().collect(),
            chains,
            without_digests: Vec::new(),
            exceptions: Vec::new(),
            exceptions_not_listed: 0,
        };
        proof.list_exceptions(exceptions);
        Self { proof, files }
    }

    /// Returns the addresses of the raw objects whose text must be hashed.
    #[must_use]
    pub fn addresses(&self) -> HashSet<&str> {
        self.files.iter().flat_map(|file| &file.found).map(String::as_str).collect()
    }

    /// Closes the file ledger, given every object that was read, with the text of those that were hashed.
    #[must_use]
    pub fn close(&self, objects: &[(&str, Option<ReadText>)]) -> DayProof {
        let read: HashMap<&str, Option<ReadText>> = objects.iter().copied().collect();
        let mut proof = self.proof.clone();
        let mut exceptions = std::mem::take(&mut proof.exceptions);
        for file in &self.files {
            let outcome = file.outcome(&read);
            let Some(chain) = proof.chains.get_mut(file.chain as usize) else { continue };
            chain.files += outcome.ledger();
            if let Some(exception) = outcome.exception(file) {
                chain.verdict = chain.verdict.max(exception.kind.verdict().unwrap_or(Verdict::Proved));
                exceptions.push(exception);
            }
        }
        proof.chains.iter().for_each(|chain| proof.files += chain.files);
        self.count_unnamed(objects, &mut proof, &mut exceptions);
        let is_hourly = proof.chains.iter().any(|chain| !chain.name.backfill);
        let worst = proof.chains.iter().map(|chain| chain.verdict).max().filter(|_| is_hourly);
        let of_exceptions = exceptions.iter().filter_map(|one| one.kind.verdict()).max();
        proof.verdict = worst.unwrap_or(Verdict::Unproved).max(of_exceptions.unwrap_or(Verdict::Proved));
        proof.list_exceptions(exceptions);
        proof
    }

    /// Counts the files that no digest names, and those of accounts and regions without any digest.
    fn count_unnamed(
        &self,
        objects: &[(&str, Option<ReadText>)],
        proof: &mut DayProof,
        exceptions: &mut Vec<Exception>,
    ) {
        let named = self.addresses();
        let mut without: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut unnamed: Vec<&str> =
            objects.iter().map(|(address, _)| *address).filter(|address| !named.contains(address)).collect();
        proof.unnamed = unnamed.len() as u64;
        for address in &unnamed {
            let log = LogName::parse(address);
            let place = log.map_or(("", ""), |log| (log.account, log.region));
            let mut chains = proof.chains.iter().filter(|chain| !chain.name.backfill);
            if !chains.any(|chain| (&*chain.name.account, &*chain.name.region) == place) {
                *without.entry((place.0.to_owned(), place.1.to_owned())).or_default() += 1;
            }
        }
        unnamed.sort_unstable();
        exceptions.extend(unnamed.iter().take(MOST_UNNAMED).map(|address| Exception {
            kind: ExceptionKind::UnnamedFile,
            object: (*address).to_owned(),
            detail: "no digest names it".to_owned(),
        }));
        proof.exceptions_not_listed += unnamed.len().saturating_sub(MOST_UNNAMED) as u64;
        for ((account, region), files) in without {
            let object =
                if account.is_empty() { "unknown".to_owned() } else { format!("{account} {region}") };
            let detail = format!("no digest of this account and region, but {files} log files");
            exceptions.push(Exception { kind: ExceptionKind::WithoutDigests, object, detail });
            proof.without_digests.push(FilesWithoutDigests { account, region, files });
        }
    }
}

/// The outcome of a named file.
enum Outcome {
    Right,
    Altered(&'static str),
    Missing,
}

impl NamedFile {
    /// Compares the hash with the objects of this name. Several copies must all be right.
    fn outcome(&self, read: &HashMap<&str, Option<ReadText>>) -> Outcome {
        let wanted = unhexadecimal(&self.sha256);
        let texts: Vec<ReadText> =
            self.found.iter().filter_map(|address| read.get(address.as_str()).copied().flatten()).collect();
        if texts.contains(&ReadText::Damaged) {
            return Outcome::Altered("it cannot be unpacked as one gzip member");
        }
        let is_other = |text: &ReadText| matches!(text, ReadText::Whole(hash) if wanted.as_deref() != Some(hash.as_slice()));
        if texts.iter().any(is_other) {
            return Outcome::Altered("its hash differs from the one in the digest");
        }
        if texts.is_empty() || texts.contains(&ReadText::Unread) { Outcome::Missing } else { Outcome::Right }
    }
}

impl Outcome {
    fn ledger(&self) -> FileLedger {
        let one = FileLedger { named: 1, ..FileLedger::default() };
        match self {
            Self::Right => FileLedger { right: 1, ..one },
            Self::Altered(_) => FileLedger { altered: 1, ..one },
            Self::Missing => FileLedger { missing: 1, ..one },
        }
    }

    fn exception(&self, file: &NamedFile) -> Option<Exception> {
        let (kind, detail) = match self {
            Self::Right => return None,
            Self::Altered(why) => (ExceptionKind::AlteredFile, *why),
            Self::Missing => (ExceptionKind::MissingFile, "a digest names it, but it cannot be read"),
        };
        Some(Exception { kind, object: file.object.clone(), detail: detail.to_owned() })
    }
}

#[cfg(test)]
mod tests;
