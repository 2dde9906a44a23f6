//! Relates the log files that digests name to the raw objects of a day.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::chain::Examined;
use super::hex::unhexadecimal;
use super::name::LogName;
use super::proof::{
    DayProof, DigestList, Exception, ExceptionKind, FileLedger, FilesWithoutDigests, FurtherChains,
    MOST_CHAINS, Stretch, Verdict,
};
use super::{DayScope, LogFile};
use crate::kst::UtcInstant;

/// How many unnamed files are listed. Further ones are only counted.
const MOST_UNNAMED: usize = 100;
/// How many groups of files without digests are listed. The files of further ones count as those of unknown accounts.
const MOST_WITHOUT: usize = 1000;

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
    /// The time from which digests that are still to come may name a file, in milliseconds UTC; `None` if the day is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_from_ms: Option<i64>,
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
    /// Creates the proof of a day. `resolve` returns the addresses of the raw objects that are a file.
    pub fn new(
        examined: Examined,
        scope: &DayScope<'_>,
        origin: Option<String>,
        digests: DigestList,
        resolve: impl Fn(&LogFile) -> Vec<String>,
    ) -> Self {
        let Examined { chains, files, exceptions, keys, open_from } = examined;
        let named = |(chain, _, file): (usize, usize, LogFile)| NamedFile {
            chain: u32::try_from(chain).unwrap_or(u32::MAX),
            object: file.address(),
            found: resolve(&file),
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
            further_chains: FurtherChains::default(),
            without_digests: Vec::new(),
            exceptions: Vec::new(),
            exceptions_not_listed: 0,
        };
        proof.list_exceptions(exceptions);
        Self { proof, files, open_from_ms: open_from.map(|from| from.0) }
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
                chain.verdict = chain.verdict.max(exception.kind.verdict());
                exceptions.push(exception);
            }
        }
        proof.chains.iter().for_each(|chain| proof.files += chain.files);
        self.count_unnamed(objects, &mut proof, &mut exceptions);
        let is_hourly = proof.chains.iter().any(|chain| !chain.name.backfill);
        let worst = proof.chains.iter().map(|chain| chain.verdict).max().filter(|_| is_hourly);
        let of_exceptions = exceptions.iter().map(|one| one.kind.verdict()).max();
        proof.verdict = worst.unwrap_or(Verdict::Unproved).max(of_exceptions.unwrap_or(Verdict::Proved));
        proof.list_exceptions(exceptions);
        proof.limit_chains(MOST_CHAINS);
        proof
    }

    /// Counts the files that no digest names. Those of an account and region with digests are unnamed. Those of other
    /// accounts and regions only lack digests. A file whose name does not tell its account counts as unnamed if the day has
    /// any digests.
    fn count_unnamed(
        &self,
        objects: &[(&str, Option<ReadText>)],
        proof: &mut DayProof,
        exceptions: &mut Vec<Exception>,
    ) {
        let named = self.addresses();
        let hourly = proof.chains.iter().filter(|chain| !chain.name.backfill);
        let with_digests: HashSet<(&str, &str)> =
            hourly.map(|chain| (&*chain.name.account, &*chain.name.region)).collect();
        let mut unnamed: Vec<&str> = Vec::new();
        let mut without: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let not_named = objects.iter().map(|(address, _)| *address).filter(|object| !named.contains(object));
        for address in not_named {
            let place = LogName::parse(address).map(|log| (log.account, log.region));
            match place {
                Some(place) if !with_digests.contains(&place) => *without.entry(place).or_default() += 1,
                None if with_digests.is_empty() => *without.entry(("", "")).or_default() += 1,
                _ => unnamed.push(address),
            }
        }
        proof.unnamed = unnamed.len() as u64 + without.values().sum::<u64>();
        unnamed.sort_unstable();
        exceptions.extend(unnamed.iter().take(MOST_UNNAMED).map(|address| self.unnamed(address)));
        proof.exceptions_not_listed += unnamed.len().saturating_sub(MOST_UNNAMED) as u64;
        for ((account, region), files) in limited(without) {
            let object =
                if account.is_empty() { "unknown".to_owned() } else { format!("{account} {region}") };
            let detail = format!("no digest of this account and region, but {files} log files");
            exceptions.push(Exception { kind: ExceptionKind::WithoutDigests, object, detail });
            let (account, region) = (account.to_owned(), region.to_owned());
            proof.without_digests.push(FilesWithoutDigests { account, region, files });
        }
    }

    /// Describes a file that no digest names.
    fn unnamed(&self, address: &str) -> Exception {
        let delivered_at = LogName::parse(address).map(|log| log.delivered_at);
        let open_from = self.open_from_ms.map(UtcInstant);
        let may_be_named =
            delivered_at.zip(open_from).is_some_and(|(delivered_at, from)| delivered_at >= from);
        let (kind, detail) = if may_be_named {
            (ExceptionKind::NotYetCovered, "no digest names it yet")
        } else {
            (ExceptionKind::UnnamedFile, "no digest names it")
        };
        Exception { kind, object: address.to_owned(), detail: detail.to_owned() }
    }
}

/// Adds the files of groups beyond the limit to those of unknown accounts.
fn limited<'a>(mut groups: BTreeMap<(&'a str, &'a str), u64>) -> BTreeMap<(&'a str, &'a str), u64> {
    while groups.len() > MOST_WITHOUT {
        let files = groups.pop_last().map_or(0, |(_, files)| files);
        *groups.entry(("", "")).or_default() += files;
    }
    groups
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
