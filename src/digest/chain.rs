//! Checks chains of digests: places, signatures, links and hours.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::document::{Document, LogFile};
use super::hex::{hexadecimal, unhexadecimal};
use super::keys::{NOT_GIVEN, PublicKeys};
use super::name::{ChainName, DigestName, LogName, file_name};
use super::proof::{ChainProof, Exception, ExceptionKind, FileLedger, Verdict};
use crate::kst::{UtcInstant, UtcWindow};

/// How long after the window a missing digest at its end is only late, in milliseconds.
const LATE_MS: i64 = 24 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

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
    content: Result<Content, String>,
    signature: StoredSignature,
}

#[derive(Debug, Clone)]
struct Content {
    document: Document,
    sha256: String,
}

impl FoundDigest {
    /// Reads the text of a digest, or notes why it has none.
    #[must_use]
    pub fn new(
        address: String,
        name: DigestName,
        original: Option<String>,
        text: Result<Vec<u8>, String>,
        signature: StoredSignature,
    ) -> Self {
        let content = text.and_then(|text| {
            let document = Document::parse(&text)?;
            Ok(Content { document, sha256: hexadecimal(&Sha256::digest(&text)) })
        });
        Self { signed_at: name.end, address, name, original, content, signature }
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

    /// Returns the time that it covers. One that is unreadable, or of another time than its name, counts as an hour.
    fn stretch(&self) -> UtcWindow {
        let read = self.content.as_ref().ok().and_then(|content| content.document.stretch());
        let read = read.filter(|(_, end)| *end == self.name.end);
        let (start, end) = read.unwrap_or((self.name.end.plus_ms(-HOUR_MS), self.name.end));
        UtcWindow { start, end }
    }

    /// Fails if the content does not belong to this name and place.
    fn check_place(&self) -> Result<&Content, String> {
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
}

/// The day that digests should prove.
#[derive(Debug, Clone, Copy)]
pub struct DayScope<'a> {
    /// The day.
    pub day: UtcWindow,
    /// The day and its lateness: the deliveries that a run reads, and the time that digests have to cover.
    pub deliveries: UtcWindow,
    /// When the digests were listed.
    pub listed_at: UtcInstant,
    /// The keys to check signatures with.
    pub keys: Option<&'a PublicKeys>,
}

impl DayScope<'_> {
    /// The ends of the digests to list. One more hour on both sides finds a log file whose clock is an hour off, and the
    /// digests that carry the signatures of the last ones.
    #[must_use]
    pub fn digest_ends(&self) -> UtcWindow {
        let UtcWindow { start, end } = self.deliveries;
        UtcWindow { start: start.plus_ms(-HOUR_MS), end: end.plus_ms(3 * HOUR_MS) }
    }

    /// Whether a run of the day has to read a log file: it was delivered in time, or it holds events of the day.
    fn needs(&self, file: &LogFile, digest: UtcWindow) -> bool {
        let events = file.events();
        let holds_events = events.map(|(oldest, newest)| oldest < self.day.end && newest >= self.day.start);
        match LogName::parse(&file.object) {
            Some(log) => self.deliveries.contains(log.delivered_at) || holds_events == Some(true),
            None => holds_events.unwrap_or_else(|| digest.overlaps(self.deliveries)),
        }
    }

    fn is_long_over(&self) -> bool {
        self.listed_at > self.deliveries.end.plus_ms(LATE_MS)
    }
}

/// What the digests of a day say.
#[derive(Debug, Default)]
pub struct Examined {
    /// The chains. Their files are only those that [`files`](Self::files) lists.
    pub chains: Vec<ChainProof>,
    /// The log files of the day, each with the place of its chain and of the digest that names it.
    pub files: Vec<(usize, usize, LogFile)>,
    /// What is wrong.
    pub exceptions: Vec<Exception>,
    /// Fingerprints of the keys of good signatures.
    pub keys: BTreeSet<String>,
}

/// Checks the digests of a day.
#[must_use]
pub fn examine(found: &[FoundDigest], scope: DayScope<'_>) -> Examined {
    let mut by_chain: BTreeMap<&ChainName, Vec<usize>> = BTreeMap::new();
    for (place, digest) in found.iter().enumerate() {
        by_chain.entry(&digest.name.chain).or_default().push(place);
    }
    let mut examined = Examined::default();
    for (name, mut places) in by_chain {
        places.sort_by_key(|place| found[*place].name.end);
        let mut chain = Chain::new(name, places.iter().map(|place| &found[*place]).collect(), scope);
        chain.check_digests();
        chain.check_links();
        let covered_minutes = if name.backfill { 0 } else { chain.check_hours() };
        let number = examined.chains.len();
        for (position, place) in places.iter().enumerate().filter(|(position, _)| chain.is_good(*position)) {
            let digest = chain.digests[position];
            let Ok(content) = &digest.content else { continue };
            let wanted = content.document.log_files.iter();
            let wanted = wanted.filter(|file| scope.needs(file, digest.stretch()));
            examined.files.extend(wanted.map(|file| (number, *place, file.clone())));
        }
        examined.keys.extend(chain.keys());
        examined.chains.push(chain.proof(covered_minutes));
        examined.exceptions.append(&mut chain.exceptions);
    }
    examined.note_orphans();
    examined
}

impl Examined {
    /// A digest of late files belongs to hourly digests: without them, a region's digests were removed.
    fn note_orphans(&mut self) {
        let hourly: BTreeSet<ChainName> =
            self.chains.iter().filter(|chain| !chain.name.backfill).map(|chain| chain.name.clone()).collect();
        for chain in self.chains.iter_mut().filter(|chain| chain.name.backfill) {
            let expected = ChainName { backfill: false, ..chain.name.clone() };
            if !hourly.contains(&expected) {
                chain.verdict = chain.verdict.max(Verdict::Missing);
                let detail = "no hourly digest, but digests of late files".to_owned();
                let kind = ExceptionKind::MissingDigest;
                self.exceptions.push(Exception { kind, object: expected.to_string(), detail });
            }
        }
    }
}

/// How far a digest can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Signed(By),
    /// No keys were given.
    Unchecked,
    /// No signature exists yet.
    Unsigned,
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Metadata,
    Successor,
}

struct Chain<'a> {
    name: &'a ChainName,
    digests: Vec<&'a FoundDigest>,
    states: Vec<State>,
    scope: DayScope<'a>,
    gaps: Vec<UtcWindow>,
    exceptions: Vec<Exception>,
}

impl<'a> Chain<'a> {
    fn new(name: &'a ChainName, digests: Vec<&'a FoundDigest>, scope: DayScope<'a>) -> Self {
        Self { name, digests, states: Vec::new(), scope, gaps: Vec::new(), exceptions: Vec::new() }
    }

    fn note(&mut self, kind: ExceptionKind, object: &str, detail: impl Into<String>) {
        self.exceptions.push(Exception { kind, object: object.to_owned(), detail: detail.into() });
    }

    /// Whether the hours of a digest meet the window. The others only help to prove those that do.
    fn is_in_window(&self, digest: &FoundDigest) -> bool {
        digest.stretch().overlaps(self.scope.deliveries)
    }

    /// Checks the place and signature of each digest.
    fn check_digests(&mut self) {
        let mut carried: HashMap<String, &str> = HashMap::new();
        for content in self.digests.iter().filter_map(|digest| digest.content.as_ref().ok()) {
            let previous = content.document.previous_address();
            let signature = content.document.previous_signature.as_deref();
            carried.extend(previous.zip(signature));
        }
        for digest in self.digests.clone() {
            let signed = digest.check_place().and_then(|content| {
                let successor = carried.get(&content.document.address()).copied();
                self.signature_state(digest, content, successor)
            });
            let in_window = self.is_in_window(digest);
            let state = signed.unwrap_or_else(|why| {
                if in_window {
                    self.note(ExceptionKind::BrokenDigest, &digest.address, why);
                }
                State::Broken
            });
            if state == State::Unsigned && in_window {
                let why = "no later digest carries its signature";
                self.note(ExceptionKind::Unsigned, &digest.address, why);
            }
            self.states.push(state);
        }
        if self.states.contains(&State::Unchecked) {
            let (object, keys) = (self.name.to_string(), self.scope.keys);
            let why = keys.and_then(|keys| keys.lacks(&self.name.home_region)).unwrap_or(NOT_GIVEN);
            self.note(ExceptionKind::Unchecked, &object, why);
        }
    }

    fn signature_state(
        &self,
        digest: &FoundDigest,
        content: &Content,
        successor: Option<&str>,
    ) -> Result<State, String> {
        let (hex, by) = match (&digest.signature, successor) {
            (StoredSignature::Hex(hex), _) => (hex.as_str(), By::Metadata),
            (StoredSignature::Missing, _) => return Err("its metadata has no signature".to_owned()),
            (StoredSignature::NotKept, Some(hex)) => (hex, By::Successor),
            (StoredSignature::NotKept, None) => return Ok(State::Unsigned),
        };
        let keys = self.scope.keys.filter(|keys| keys.lacks(&self.name.home_region).is_none());
        let Some(keys) = keys else { return Ok(State::Unchecked) };
        let signature = unhexadecimal(hex).ok_or("its signature is not hexadecimal")?;
        let document = &content.document;
        let text = document.signed_text(&content.sha256);
        keys.verify(&document.digest_public_key_fingerprint, &text, &signature)?;
        Ok(State::Signed(by))
    }

    /// Checks that each digest names the one before it. A digest without a link begins a new chain.
    fn check_links(&mut self) {
        let known: BTreeSet<DigestName> = self.digests.iter().map(|digest| digest.name.clone()).collect();
        for place in 0..self.digests.len() {
            let digest = self.digests[place];
            let Ok(content) = &digest.content else { continue };
            let Some(previous) = content.document.previous_address() else { continue };
            if self.states[place] == State::Broken {
                continue;
            }
            let before = (place > 0).then(|| self.digests[place - 1]);
            let linked = DigestName::parse(&previous);
            if linked.is_some() && linked.as_ref() == before.map(|before| &before.name) {
                self.check_hash_before(place, content);
            } else if !linked.as_ref().is_some_and(|linked| known.contains(linked)) {
                self.note_absent(digest, &previous, before);
            } else if self.is_in_window(digest) {
                let why = format!("it links to '{previous}', not to the digest before it");
                self.note(ExceptionKind::BrokenLink, &digest.address, why);
            }
        }
    }

    /// Checks the hash of the digest before the one at a place, unless something else is wrong with it.
    fn check_hash_before(&mut self, place: usize, content: &Content) {
        let before = self.digests[place - 1];
        let Ok(of_before) = &before.content else { return };
        let named = content.document.previous_hash.as_deref().unwrap_or_default();
        if self.states[place - 1] == State::Broken || named.eq_ignore_ascii_case(&of_before.sha256) {
            return;
        }
        self.states[place - 1] = State::Broken;
        if self.is_in_window(before) {
            let why = "the next digest names another hash for it";
            self.note(ExceptionKind::BrokenLink, &before.address, why);
        }
    }

    /// Notes a digest that a link names and that is not there, if its hours meet the window.
    fn note_absent(&mut self, digest: &FoundDigest, previous: &str, before: Option<&FoundDigest>) {
        if !self.is_in_window(digest) {
            return;
        }
        let end = DigestName::parse(previous).filter(|name| name.chain == *self.name).map(|name| name.end);
        let is_between =
            |end: UtcInstant| end < digest.name.end && before.is_none_or(|before| end > before.name.end);
        match end {
            Some(end) if !is_between(end) => {
                let why = format!("it links to '{previous}', not to the digest before it");
                self.note(ExceptionKind::BrokenLink, &digest.address, why);
            }
            Some(end) if end > self.scope.deliveries.start => {
                let kind = ExceptionKind::MissingDigest;
                self.note(kind, previous, format!("'{}' links to it", digest.address));
            }
            Some(_) => {}
            None => {
                self.note(ExceptionKind::BrokenLink, &digest.address, format!("it links to '{previous}'"));
            }
        }
    }

    /// Checks that digests cover the window; returns the minutes that good ones cover. The hours of other digests do not
    /// count as holes, because what is wrong with them has been noted.
    fn check_hours(&mut self) -> u64 {
        let window = self.scope.deliveries;
        let (mut reach, mut covered) = (window.start, 0);
        for place in 0..self.digests.len() {
            let stretch = self.digests[place].stretch();
            let start = stretch.start.min(window.end);
            if start > reach {
                self.note_hole(UtcWindow { start: reach, end: start }, Some(place));
            }
            let end = stretch.end.min(window.end);
            if self.is_good(place) {
                covered += (end.0 - reach.max(start).0).max(0).unsigned_abs();
            }
            reach = reach.max(end);
        }
        if reach < window.end {
            self.note_hole(UtcWindow { start: reach, end: window.end }, None);
        }
        covered / 60_000
    }

    fn is_good(&self, place: usize) -> bool {
        matches!(self.states[place], State::Signed(_) | State::Unchecked)
    }

    /// Notes a stretch without digests. `next` is the digest after it.
    fn note_hole(&mut self, hole: UtcWindow, next: Option<usize>) {
        let object = self.name.to_string();
        let stretch = format!("{} to {}", hole.start, hole.end);
        let begins = |place: usize| {
            let content = self.digests[place].content.as_ref();
            self.is_good(place) && content.is_ok_and(|content| content.document.previous_object.is_none())
        };
        match next {
            Some(place) if begins(place) => {
                self.gaps.push(hole);
                self.note(ExceptionKind::Gap, &object, format!("logging was off, {stretch}"));
            }
            Some(_) => self.note(ExceptionKind::MissingDigest, &object, format!("no digest, {stretch}")),
            None if self.scope.is_long_over() => {
                let detail = format!("the chain ends before the window, no digest, {stretch}");
                self.note(ExceptionKind::MissingDigest, &object, detail);
            }
            None => self.note(ExceptionKind::NotYetCovered, &object, format!("no digest yet, {stretch}")),
        }
    }

    /// Returns the fingerprints of the keys of good signatures.
    fn keys(&self) -> Vec<String> {
        let signed =
            self.digests.iter().zip(&self.states).filter(|(_, state)| matches!(state, State::Signed(_)));
        let content = signed.filter_map(|(digest, _)| digest.content.as_ref().ok());
        content.map(|content| content.document.digest_public_key_fingerprint.to_ascii_lowercase()).collect()
    }

    fn proof(&self, covered_minutes: u64) -> ChainProof {
        let verdicts = self.exceptions.iter().filter_map(|one| one.kind.verdict());
        let in_window = || {
            let all = self.digests.iter().zip(&self.states);
            all.filter(|(digest, _)| self.is_in_window(digest)).map(|(_, state)| state)
        };
        let signed = |by| in_window().filter(|state| **state == State::Signed(by)).count() as u64;
        ChainProof {
            name: self.name.clone(),
            verdict: verdicts.max().unwrap_or(Verdict::Proved),
            files: FileLedger::default(),
            digests: in_window().count() as u64,
            signed_by_metadata: signed(By::Metadata),
            signed_by_successor: signed(By::Successor),
            covered_minutes,
            gaps: self.gaps.iter().map(|gap| (*gap).into()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
