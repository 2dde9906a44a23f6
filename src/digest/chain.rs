//! Checks chains of digests: places, signatures, links and hours.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::document::LogFile;
use super::found::{By, Content, FoundDigest, State};
use super::keys::{NOT_GIVEN, PublicKeys};
use super::name::{ChainName, DigestName};
use super::proof::{ChainProof, Exception, ExceptionKind, FileLedger, Verdict};
use super::scope::{DayScope, HOUR_MS};
use crate::kst::{UtcInstant, UtcWindow};

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
    /// The time from which digests that are still to come may name a file; `None` if the day is long over.
    pub open_from: Option<UtcInstant>,
}

/// Checks the digests of a day: those that end in [`DayScope::digest_ends`], and the next ones of chains that need them. The
/// log files of the day move from the digests to the result. `older` are chains with digests from before the day.
#[must_use]
pub fn examine(found: &mut [FoundDigest], older: &BTreeSet<ChainName>, scope: DayScope<'_>) -> Examined {
    let mut by_chain: BTreeMap<&ChainName, Vec<usize>> = BTreeMap::new();
    for (place, digest) in found.iter().enumerate() {
        by_chain.entry(&digest.name.chain).or_default().push(place);
    }
    let (mut examined, mut trusted) = (Examined::default(), Vec::new());
    for (name, places) in by_chain {
        let copies = one_of_each(found, places, scope.keys);
        let mut chain = Chain::new(name, found, &copies, scope);
        chain.check_digests();
        if chain.begins_later() && !older.contains(name) {
            continue;
        }
        chain.check_links();
        let covered_minutes = if name.backfill { 0 } else { chain.check_hours() };
        if chain.says_nothing() {
            continue;
        }
        let number = examined.chains.len();
        let named = copies.iter().enumerate().filter(|(position, _)| chain.names(*position));
        trusted.extend(named.map(|(_, copy)| (number, copy.place)));
        examined.note_newest(&chain);
        examined.keys.extend(chain.keys());
        examined.chains.push(chain.proof(covered_minutes));
        examined.exceptions.append(&mut chain.exceptions);
    }
    for (number, place) in trusted {
        let files = found[place].take_files(scope);
        examined.files.extend(files.into_iter().map(|file| (number, place, file)));
    }
    examined.note_orphans();
    examined
}

/// One of several digests with the same name.
struct Chosen {
    place: usize,
    /// The address of another one with other text.
    contradicted_by: Option<String>,
}

/// Returns one digest of each name, in order of their ends: the one where AWS delivered it, if any.
fn one_of_each(found: &[FoundDigest], mut places: Vec<usize>, keys: Option<&PublicKeys>) -> Vec<Chosen> {
    places.sort_by_key(|place| found[*place].name.end);
    let copies = places.chunk_by(|one, next| found[*one].name.end == found[*next].name.end);
    let chosen = copies.filter_map(|copies| {
        let is_away = |place: &usize| copies.len() > 1 && !found[*place].is_at_home(keys);
        let place = copies.iter().copied().min_by_key(is_away)?;
        let mut others = copies.iter().filter(|other| **other != place).map(|other| &found[*other]);
        let other = others.find(|other| !other.has_text_of(&found[place]));
        Some(Chosen { place, contradicted_by: other.map(|other| other.address.clone()) })
    });
    chosen.collect()
}

impl Examined {
    /// Notes until when the digests of a chain reach. The next one can name files of the last hour before.
    fn note_newest(&mut self, chain: &Chain<'_>) {
        let newest = chain.digests.last().filter(|_| !chain.name.backfill && !chain.scope.is_long_over());
        let open_from = newest.map(|newest| newest.name.end.plus_ms(-HOUR_MS));
        self.open_from = self.open_from.into_iter().chain(open_from).min();
    }

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

struct Chain<'a> {
    name: &'a ChainName,
    digests: Vec<&'a FoundDigest>,
    /// For each digest, the address of one with the same name and other text.
    contradicted_by: Vec<Option<&'a str>>,
    states: Vec<State>,
    scope: DayScope<'a>,
    gaps: Vec<UtcWindow>,
    exceptions: Vec<Exception>,
}

impl<'a> Chain<'a> {
    fn new(name: &'a ChainName, found: &'a [FoundDigest], copies: &'a [Chosen], scope: DayScope<'a>) -> Self {
        Self {
            name,
            digests: copies.iter().map(|copy| &found[copy.place]).collect(),
            contradicted_by: copies.iter().map(|copy| copy.contradicted_by.as_deref()).collect(),
            states: Vec::new(),
            scope,
            gaps: Vec::new(),
            exceptions: Vec::new(),
        }
    }

    /// Whether all its digests are later than the day's, and the first one begins the chain. A broken one proves nothing.
    fn begins_later(&self) -> bool {
        let first = self.digests.first().filter(|_| !self.name.backfill && !self.is_of_the_day());
        first.is_some_and(|first| {
            let begins = |content: &Content| content.document.previous_object.is_none();
            let begins = first.content.as_ref().is_ok_and(begins) && self.states[0] != State::Broken;
            begins && !self.is_in_window(first)
        })
    }

    /// Whether it has a digest with an end of the day.
    fn is_of_the_day(&self) -> bool {
        let ends = self.scope.digest_ends();
        self.digests.iter().any(|digest| ends.contains(digest.name.end))
    }

    /// Whether nothing follows from it for the day.
    fn says_nothing(&self) -> bool {
        let mut positions = 0..self.digests.len();
        let is_fine = self.exceptions.iter().all(|one| one.kind == ExceptionKind::Unchecked);
        !self.is_of_the_day() && is_fine && !positions.any(|position| self.names(position))
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
        for (position, digest) in self.digests.clone().into_iter().enumerate() {
            let signed = digest.check_place().and_then(|content| {
                if let Some(other) = self.contradicted_by[position] {
                    return Err(format!("'{other}' has the same name, but another text"));
                }
                let successor = carried.get(&content.document.address()).copied();
                digest.signature_state(content, successor, self.scope.keys)
            });
            // Another one only matters if it names a late file of the day.
            let matters = self.is_in_window(digest) || digest.names_files(self.scope);
            let state = signed.unwrap_or_else(|why| {
                if matters || self.is_next_of_late_files(digest) {
                    self.note(ExceptionKind::BrokenDigest, &digest.address, why);
                }
                State::Broken
            });
            if state == State::Unsigned && matters {
                self.note_unsigned(digest);
            }
            self.states.push(state);
        }
        if self.states.contains(&State::Unchecked) {
            let (object, keys) = (self.name.to_string(), self.scope.keys);
            let why = keys.and_then(|keys| keys.lacks(&self.name.home_region)).unwrap_or(NOT_GIVEN);
            self.note(ExceptionKind::Unchecked, &object, why);
        }
    }

    /// Whether only the link of this digest could show that one with late files of the day is missing.
    fn is_next_of_late_files(&self, digest: &FoundDigest) -> bool {
        self.name.backfill && digest.name.end >= self.scope.digest_ends().end
    }

    /// Notes a digest for which a folder has no signature. The next digest, which has it, comes within hours or not at all.
    fn note_unsigned(&mut self, digest: &FoundDigest) {
        let kind =
            if self.scope.is_long_over() { ExceptionKind::Unsigned } else { ExceptionKind::NotYetSigned };
        self.note(kind, &digest.address, "no later digest carries its signature");
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

    /// Notes a digest that a link names and that is not there, if its hours meet the window. Late files have no digest for
    /// every hour, so there only links show that one is missing, however late the next one is.
    fn note_absent(&mut self, digest: &FoundDigest, previous: &str, before: Option<&FoundDigest>) {
        let end = DigestName::parse(previous).filter(|name| name.chain == *self.name).map(|name| name.end);
        let hour = |end: UtcInstant| UtcWindow { start: end.plus_ms(-HOUR_MS), end };
        let was_in_window = end.is_some_and(|end| hour(end).overlaps(self.scope.deliveries));
        if !(self.is_in_window(digest) || self.name.backfill && was_in_window) {
            return;
        }
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

    /// Whether the log files of a digest count as named. An unsigned digest prevents a proof, but not that they are read.
    fn names(&self, place: usize) -> bool {
        let is_named = self.is_good(place) || self.states[place] == State::Unsigned;
        is_named && self.digests[place].names_files(self.scope)
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
        let verdicts = self.exceptions.iter().map(|one| one.kind.verdict());
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
