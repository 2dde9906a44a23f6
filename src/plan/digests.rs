//! Finds the digests of a day, fetches them, and relates the files that they name to the objects of the day.
//!
//! The listing of the inputs notes digests and their folders, which costs nothing. Only a day that uses them lists these
//! folders: the dates of the day, and no others.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

use super::digest_options::{DigestMode, KeySource, read_keys};
use super::{PlannedObject, TableSource};
use crate::dataset::FolderDates;
use crate::dataset::object_key::split;
use crate::digest::name::file_name;
use crate::digest::{
    DayScope, DigestList, DigestName, Examined, Exception, ExceptionKind, FoundDigest, LogFile, LogName,
    MOST_PACKED_BYTES, MOST_TEXT_BYTES, PlannedProof, PublicKeys, StoredSignature, examine, hexadecimal,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DAY_MS, KstDay, UtcInstant, UtcWindow};
use crate::store::unpack::unpack_single;
use crate::store::{Connector, ListVisitor, ObjectMeta, SkipRange, SmallObject, Store};

/// How many digests are in memory at once before they are read.
const BATCH: usize = 32;
/// The folder of digests below an account.
const FOLDER: &str = "CloudTrail-Digest";
/// The metadata with the signature.
const SIGNATURE: &str = "signature";
/// The metadata that every digest has besides, and that a digest of late files has.
const ALGORITHM: &str = "signature-algorithm";
const BACKFILLED_AT: &str = "backfill-generation-timestamp";

/// The digests and folders of digests that a listing of the inputs noted, by input and key.
#[derive(Debug, Default)]
pub(super) struct DigestPlaces {
    found: BTreeMap<(u32, String), ObjectMeta>,
}

impl DigestPlaces {
    pub(super) fn add(&mut self, input: u32, found: Vec<ObjectMeta>) {
        self.found.extend(found.into_iter().map(|meta| ((input, meta.key.clone()), meta)));
    }
}

/// The digests of a day.
pub struct DayDigests<'a> {
    pub(super) source: &'a TableSource,
    pub(super) stores: Vec<&'a dyn Store>,
    pub(super) places: &'a DigestPlaces,
    pub(super) connector: &'a Connector,
    pub(super) day: KstDay,
    pub(super) listed_at: UtcInstant,
}

/// The proof of a day before its objects are read.
pub struct ProvedDay {
    /// What the digests say.
    pub planned: PlannedProof,
    /// Log files of the day that the listing did not choose, because they were delivered after the lateness.
    pub late: Vec<PlannedObject>,
}

/// A digest that was listed.
struct ListedDigest {
    input: u32,
    meta: ObjectMeta,
    name: DigestName,
}

impl DayDigests<'_> {
    fn scope<'k>(&self, keys: Option<&'k PublicKeys>) -> DayScope<'k> {
        let day = self.day.window();
        let deliveries = day.extended_by(self.source.spec.lateness_ms);
        DayScope { day, deliveries, listed_at: self.listed_at, keys }
    }

    /// Lists the digests of the day without reading them; `None` if it has none.
    pub fn list(&self) -> Result<Option<DigestList>> {
        if self.source.digests.mode == DigestMode::Off || self.places.found.is_empty() {
            return Ok(None);
        }
        let found = match self.found() {
            Err(error) if self.is_harmless(&error) => return Ok(None),
            found => found?,
        };
        Ok((!found.is_empty()).then(|| summary(&found)))
    }

    /// Reads the digests of the day, given the objects that the day reads; `None` if digests are not used, or if the day has
    /// none.
    pub fn prove(&self, objects: &[&PlannedObject]) -> Result<Option<ProvedDay>> {
        self.examined(objects, self.source.digests.needs_keys())
    }

    /// Reads the digests of the day like [`prove`](Self::prove), but also without the keys of a day that needs a proof.
    pub fn look(&self, objects: &[&PlannedObject]) -> Result<Option<ProvedDay>> {
        self.examined(objects, false)
    }

    fn examined(&self, objects: &[&PlannedObject], needs_keys: bool) -> Result<Option<ProvedDay>> {
        let options = &self.source.digests;
        if options.mode == DigestMode::Off || options.mode == DigestMode::Auto && self.places.found.is_empty()
        {
            return Ok(None);
        }
        let read = self.found().and_then(|listed| Ok((self.read(&listed)?, listed)));
        let (found, listed) = match read {
            Err(error) if self.is_harmless(&error) => return Ok(Some(self.unread(&error))),
            read => read?,
        };
        if found.is_empty() {
            if options.mode == DigestMode::Auto {
                return Ok(None);
            }
            return Err(Error::new(ErrorKind::Unusable, "the day has no digests")
                .with("table", &self.source.spec.table)
                .with("day", self.day)
                .hint("turn on log file validation for the trail, add the digests with --input, or omit --digests require"));
        }
        let keys = self.keys(&found, needs_keys)?;
        let (scope, digests) = (self.scope(keys.as_ref()), summary(&listed));
        let resolver = Resolver::new(self, objects, &listed, &found);
        let failed = RefCell::new(None);
        let planned = PlannedProof::new(
            examine(&found, scope),
            &scope,
            options.origin.clone(),
            digests,
            |digest, file| {
                resolver.resolve(digest, file).unwrap_or_else(|error| {
                    failed.borrow_mut().get_or_insert(error);
                    Vec::new()
                })
            },
        );
        match failed.into_inner() {
            Some(error) => Err(error),
            None => Ok(Some(ProvedDay { planned, late: resolver.late.into_inner().into_values().collect() })),
        }
    }

    /// Returns the keys for the signatures of digests; `None` without any keys.
    fn keys(&self, found: &[FoundDigest], needs_keys: bool) -> Result<Option<PublicKeys>> {
        let options = &self.source.digests;
        let is_asked_for = |digest: &&FoundDigest| digest.address.starts_with("s3://");
        let asked: Vec<&FoundDigest> = match &options.keys {
            KeySource::File(path) => return read_keys(path).map(Some),
            KeySource::Aws => found.iter().collect(),
            KeySource::Automatic => found.iter().filter(is_asked_for).collect(),
        };
        if asked.is_empty() {
            return Ok(None);
        }
        let access = &self.source.spec.access;
        let ask = |region: &str, hours| self.connector.public_keys(region, hours, access);
        options.ring.keys(asked.into_iter(), self.listed_at, needs_keys, ask).map(Some)
    }

    /// Whether an error about digests leaves a day that does not require them without a proof. Temporary failures do not:
    /// the next attempt may prove the day.
    fn is_harmless(&self, error: &Error) -> bool {
        let lasts = matches!(error.kind(), ErrorKind::Denied | ErrorKind::Unusable | ErrorKind::Usage);
        lasts && self.source.digests.mode == DigestMode::Auto
    }

    /// The proof of a day whose digests cannot be read.
    fn unread(&self, error: &Error) -> ProvedDay {
        let (kind, object) = (ExceptionKind::Unchecked, "digests".to_owned());
        let exceptions = vec![Exception { kind, object, detail: error.to_string() }];
        let examined = Examined { exceptions, ..Examined::default() };
        let (scope, origin) = (self.scope(None), self.source.digests.origin.clone());
        let planned = PlannedProof::new(examined, &scope, origin, DigestList::default(), |_, _| Vec::new());
        ProvedDay { planned, late: Vec::new() }
    }

    /// Lists the digests of the day, in order of their addresses.
    fn found(&self) -> Result<Vec<ListedDigest>> {
        let ends = self.scope(None).digest_ends();
        let mut found: BTreeMap<(u32, String), ListedDigest> = BTreeMap::new();
        for ((input, key), meta) in &self.places.found {
            let mut add = |meta: ObjectMeta| {
                let Some(name) = DigestName::parse(&meta.key) else { return };
                if ends.contains(name.end) {
                    let digest = ListedDigest { input: *input, meta, name };
                    found.insert((*input, digest.meta.key.clone()), digest);
                }
            };
            if key.ends_with('/') {
                self.list_folder(*input, key, ends)?.into_iter().for_each(add);
            } else {
                add(meta.clone());
            }
        }
        Ok(found.into_values().collect())
    }

    /// Lists a folder of digests; returns what it holds on the dates of some ends, with keys of the input.
    fn list_folder(&self, input: u32, folder: &str, ends: UtcWindow) -> Result<Vec<ObjectMeta>> {
        let address = format!("{}/", self.store(input).address(folder).trim_end_matches('/'));
        let store = self.connector.store(&address, &self.source.spec.access)?;
        let mut visitor = DigestVisitor { above: store.above()?, ends, found: Vec::new() };
        store.list(&mut visitor)?;
        let whole = |meta: ObjectMeta| ObjectMeta { key: format!("{folder}{}", meta.key), ..meta };
        Ok(visitor.found.into_iter().map(whole).collect())
    }

    fn store(&self, input: u32) -> &dyn Store {
        self.stores[input as usize]
    }

    /// Fetches and reads digests.
    fn read(&self, listed: &[ListedDigest]) -> Result<Vec<FoundDigest>> {
        let mut read = Vec::with_capacity(listed.len());
        for batch in
            listed.chunk_by(|one, next| one.input == next.input).flat_map(|of_one| of_one.chunks(BATCH))
        {
            let keys: Vec<&str> = batch.iter().map(|digest| digest.meta.key.as_str()).collect();
            let store = self.store(batch[0].input);
            let fetched = store.fetch_all(&keys, MOST_PACKED_BYTES)?;
            read.extend(
                batch.iter().zip(fetched).map(|(digest, fetched)| self.found_digest(digest, fetched)),
            );
        }
        Ok(read)
    }

    fn found_digest(&self, digest: &ListedDigest, fetched: Option<SmallObject>) -> FoundDigest {
        let (address, original) = (
            self.store(digest.input).address(&digest.meta.key),
            self.original(digest.input, &digest.meta.key),
        );
        let mut signed_at = None;
        let (text, signature) = match fetched {
            None => (Err("it was removed after it was listed".to_owned()), StoredSignature::NotKept),
            Some(SmallObject { content, metadata }) => {
                let text = unpack_single(&content, MOST_TEXT_BYTES);
                (
                    text,
                    match metadata {
                        Some(metadata) => {
                            signed_at =
                                metadata.get(BACKFILLED_AT).and_then(|time| UtcInstant::parse_iso8601(time));
                            signature_in(&metadata, digest.name.chain.backfill)
                        }
                        None => StoredSignature::NotKept,
                    },
                )
            }
        };
        let mut found = FoundDigest::new(address, digest.name.clone(), original, text, signature);
        found.signed_at = signed_at.unwrap_or(found.signed_at);
        found
    }

    /// Returns where AWS delivered an object of an input, as `s3://bucket/key`; `None` in a folder of unknown origin.
    fn original(&self, input: u32, key: &str) -> Option<String> {
        if let Some(origin) = &self.source.digests.origin {
            return Some(format!("{}/{key}", origin.trim_end_matches('/')));
        }
        let address = self.store(input).address(key);
        address.starts_with("s3://").then_some(address)
    }
}

/// Describes the list, so that a later one can be compared with it.
fn summary(found: &[ListedDigest]) -> DigestList {
    let mut hash = Sha256::new();
    for ListedDigest { input, meta, .. } in found {
        let etag = meta.etag.as_deref().unwrap_or_default();
        // Not the address: the same folder can have another name.
        hash.update(format!("{input} {} {} {etag}\n", meta.key, meta.bytes));
    }
    DigestList { objects: found.len() as u64, sha256: hexadecimal(&hash.finalize()) }
}

/// Returns the signature of a digest, if its metadata is as AWS writes it.
fn signature_in(metadata: &BTreeMap<String, String>, backfill: bool) -> StoredSignature {
    let is_whole = metadata.contains_key(ALGORITHM) && (!backfill || metadata.contains_key(BACKFILLED_AT));
    let signature = metadata.get(SIGNATURE).filter(|_| is_whole);
    signature.map_or(StoredSignature::Missing, |hex| StoredSignature::Hex(hex.clone()))
}

/// Collects the digests of some dates.
struct DigestVisitor {
    above: String,
    ends: UtcWindow,
    found: Vec<ObjectMeta>,
}

impl ListVisitor for DigestVisitor {
    fn enter(&mut self, folder: &str) -> bool {
        let is_divided = |above: &str| split(split(above).0).1 == FOLDER;
        FolderDates::of(&format!("{}{folder}", self.above), is_divided).is_none_or(|dates| {
            UtcWindow { start: dates.first, end: dates.last.plus_ms(DAY_MS) }.overlaps(self.ends)
        })
    }

    fn skip_range(&self, _: &str) -> Option<SkipRange> {
        None
    }

    fn object(&mut self, object: ObjectMeta) {
        self.found.push(object);
    }

    fn passed(&mut self, _: &str, _: &'static str) {}

    fn skipped(&mut self, _: &str) {}

    fn is_done(&self) -> bool {
        false
    }
}

/// Finds the raw objects that are a named file.
struct Resolver<'a> {
    digests: &'a DayDigests<'a>,
    listed: &'a [ListedDigest],
    found: &'a [FoundDigest],
    /// Objects whose original place is known.
    by_original: HashMap<String, Vec<&'a str>>,
    /// Objects in folders of unknown origin, by their names, which are unique at AWS.
    by_name: HashMap<&'a str, Vec<&'a str>>,
    /// Objects that the listing did not choose.
    late: RefCell<BTreeMap<String, PlannedObject>>,
}

impl<'a> Resolver<'a> {
    fn new(
        digests: &'a DayDigests<'a>,
        objects: &[&'a PlannedObject],
        listed: &'a [ListedDigest],
        found: &'a [FoundDigest],
    ) -> Self {
        let mut by_original: HashMap<String, Vec<&str>> = HashMap::new();
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for object in objects {
            match digests.original(object.input, &object.key) {
                Some(original) => by_original.entry(original).or_default().push(&object.address),
                None => by_name.entry(file_name(&object.key)).or_default().push(&object.address),
            }
        }
        Self { digests, listed, found, by_original, by_name, late: RefCell::default() }
    }

    fn resolve(&self, digest: usize, file: &LogFile) -> Result<Vec<String>> {
        let by_original = self.by_original.get(&file.address());
        let by_name = || self.by_name.get(file_name(&file.object));
        if let Some(found) = by_original.or_else(by_name) {
            return Ok(found.iter().map(|address| (*address).to_owned()).collect());
        }
        // Nothing else becomes an object of the day, whatever a digest names.
        let Some(log) = LogName::parse(&file.object) else { return Ok(Vec::new()) };
        // The listing has seen all files of these times.
        if self.digests.scope(None).deliveries.contains(log.delivered_at) {
            return Ok(Vec::new());
        }
        let candidates = self.candidates(digest, file);
        candidates.into_iter().filter_map(|(input, key)| self.look(input, &key).transpose()).collect()
    }

    /// Returns the keys at which a file should be, by input.
    fn candidates(&self, digest: usize, file: &LogFile) -> BTreeSet<(u32, String)> {
        let beside = || {
            let (listed, delivered) = (&self.listed[digest], self.found[digest].delivered_key()?);
            let key = moved_like(delivered, &listed.meta.key, &file.object)?;
            Some((listed.input, key))
        };
        let inputs = (0_u32..).zip(&self.digests.stores).map(|(input, _)| input);
        let of_input = |input: u32| {
            let root = self.digests.original(input, "")?;
            Some((input, file.address().strip_prefix(&root)?.to_owned()))
        };
        let known = inputs.filter_map(of_input);
        let unknown = beside().filter(|(input, _)| self.digests.original(*input, "").is_none());
        known.chain(unknown).filter(|(_, key)| is_below(key)).collect()
    }

    /// Looks for an object; returns its address if it is there.
    fn look(&self, input: u32, key: &str) -> Result<Option<String>> {
        let store = self.digests.store(input);
        let address = store.address(key);
        if self.late.borrow().contains_key(&address) {
            return Ok(Some(address));
        }
        let Some(ObjectMeta { key, bytes, etag }) = store.meta(key)? else { return Ok(None) };
        let object = PlannedObject {
            address: address.clone(),
            input,
            key,
            bytes,
            etag,
            why: "named by a digest, with events of the day".into(),
            events_until_ms: None,
            shard: 0,
            named: true,
        };
        self.late.borrow_mut().insert(address.clone(), object);
        Ok(Some(address))
    }
}

/// Returns the key of a file that was moved like another one: `from` became `to` by another start of the path.
fn moved_like(from: &str, to: &str, file: &str) -> Option<String> {
    let same = from.rsplit('/').zip(to.rsplit('/')).take_while(|(one, other)| one == other);
    let length = same.map(|(part, _)| part.len() + 1).sum::<usize>();
    let start = |path: &str| path[..path.len().saturating_sub(length.saturating_sub(1))].to_owned();
    Some(format!("{}{}", start(to), file.strip_prefix(&start(from))?))
}

/// Whether a path remains below its folder.
fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_looked_for_where_its_digest_was_moved() {
        let digest = "p/AWSLogs/1/CloudTrail-Digest/r/d.gz";
        let file = "p/AWSLogs/1/CloudTrail/r/l.gz";
        for (to, expected) in [
            (digest, Some(file)),
            ("AWSLogs/1/CloudTrail-Digest/r/d.gz", Some("AWSLogs/1/CloudTrail/r/l.gz")),
            ("q/x/AWSLogs/1/CloudTrail-Digest/r/d.gz", Some("q/x/AWSLogs/1/CloudTrail/r/l.gz")),
            ("r/d.gz", None),
            ("d.gz", None),
        ] {
            assert_eq!(moved_like(digest, to, file).as_deref(), expected, "{to}");
        }
        assert_eq!(moved_like(digest, "AWSLogs/1/CloudTrail-Digest/r/d.gz", "../../etc/passwd"), None);
    }

    #[test]
    fn a_signature_counts_only_with_the_metadata_that_aws_writes() {
        let metadata = |names: &[&str]| {
            names.iter().map(|name| ((*name).to_owned(), "ab".to_owned())).collect::<BTreeMap<_, _>>()
        };
        for (names, backfill, expected) in [
            (&[SIGNATURE, ALGORITHM][..], false, true),
            (&[SIGNATURE, ALGORITHM, BACKFILLED_AT], true, true),
            (&[SIGNATURE, ALGORITHM], true, false),
            (&[SIGNATURE], false, false),
            (&[ALGORITHM], false, false),
        ] {
            let found = signature_in(&metadata(names), backfill);
            assert_eq!(found == StoredSignature::Hex("ab".to_owned()), expected, "{names:?}");
        }
    }

    #[test]
    fn no_path_leads_out_of_its_input() {
        for (path, expected) in
            [("a/b", true), ("", false), ("../a", false), ("a/../../b", false), ("/etc/passwd", false)]
        {
            assert_eq!(is_below(path), expected, "{path}");
        }
    }
}
