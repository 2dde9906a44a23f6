//! Reads the digests of a day, and relates the files that they name to the objects of the day.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::digest_folders::{DigestListing, DigestPlaces, ListedDigest, ListedDigests};
use super::digest_keys::DigestKeys;
use super::digest_options::DigestMode;
use super::named_objects::{Inputs, NamedObjects};
use super::{PlannedObject, TableSource};
use crate::digest::{
    DayScope, DigestList, Examined, Exception, ExceptionKind, FoundDigest, MOST_PACKED_BYTES,
    MOST_TEXT_BYTES, PlannedProof, PublicKeys, StoredSignature, examine, hexadecimal,
};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant, UtcWindow};
use crate::store::unpack::unpack_single;
use crate::store::{Connector, SmallObject, Store};

/// How many digests are fetched at once, and how many of their bytes.
const BATCH: usize = 32;
const BATCH_BYTES: u64 = 8 << 20;
/// The metadata with the signature.
const SIGNATURE: &str = "signature";
/// The metadata that every digest has besides, and that a digest of late files has.
const ALGORITHM: &str = "signature-algorithm";
const BACKFILLED_AT: &str = "backfill-generation-timestamp";

/// The digests of a day.
pub struct DayDigests<'a> {
    pub(super) source: &'a TableSource,
    pub(super) stores: Vec<&'a dyn Store>,
    pub(super) places: &'a DigestPlaces,
    pub(super) connector: &'a Connector,
    pub(super) day: KstDay,
    /// The day and others that will soon be needed, whose digests are listed together.
    pub(super) ahead: DayRange,
    pub(super) listed_at: UtcInstant,
}

/// The proof of a day before its objects are read.
pub struct ProvedDay {
    /// What the digests say.
    pub planned: PlannedProof,
    /// Log files of the day that the listing did not choose, because they were delivered after the lateness.
    pub late: Vec<PlannedObject>,
}

impl DayDigests<'_> {
    fn scope<'k>(&self, keys: Option<&'k PublicKeys>) -> DayScope<'k> {
        self.scope_of(self.day, keys)
    }

    fn scope_of<'k>(&self, day: KstDay, keys: Option<&'k PublicKeys>) -> DayScope<'k> {
        let day = day.window();
        let deliveries = day.extended_by(self.source.spec.lateness_ms);
        DayScope { day, deliveries, listed_at: self.listed_at, keys }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs { stores: &self.stores, origin: self.source.digests.origin.as_deref() }
    }

    /// Lists the digests of the day without reading them; `None` if it has none.
    pub fn list(&self) -> Result<Option<DigestList>> {
        if self.source.digests.mode == DigestMode::Off || self.places.is_empty() {
            return Ok(None);
        }
        let found = match self.found() {
            Err(error) if self.is_harmless(&error) => return Ok(None),
            found => found?,
        };
        Ok((!found.of_the_day.is_empty()).then(|| summary(&found.of_the_day)))
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
        if options.mode == DigestMode::Off || options.mode == DigestMode::Auto && self.places.is_empty() {
            return Ok(None);
        }
        let listed = match self.found() {
            Err(error) if self.is_harmless(&error) => return Ok(Some(self.unread(&error))),
            listed => listed?,
        };
        if listed.is_empty() {
            return self.without_digests();
        }
        let mut keys = self.keys(needs_keys)?;
        let digests = summary(&listed.of_the_day);
        let (listed, older) = listed.all();
        let mut found = match self.read(&listed, &mut keys) {
            Err(error) if self.is_harmless(&error) => return Ok(Some(self.unread(&error))),
            found => found?,
        };
        let keys = keys.all(&found)?;
        let scope = self.scope(keys.as_ref());
        let examined = examine(&mut found, &older, scope);
        if examined.chains.is_empty() {
            return self.without_digests();
        }
        let mut named = NamedObjects::new(self.inputs(), objects, scope.deliveries);
        named.look_for(&examined.files, |digest| (&listed[digest], found[digest].delivered_key()))?;
        let origin = options.origin.clone();
        let planned = PlannedProof::new(examined, &scope, origin, digests, |file| named.addresses(file));
        Ok(Some(ProvedDay { planned, late: named.late() }))
    }

    /// A day without digests has no proof, unless it needs one.
    fn without_digests(&self) -> Result<Option<ProvedDay>> {
        if self.source.digests.mode == DigestMode::Auto {
            return Ok(None);
        }
        Err(Error::new(ErrorKind::Unusable, "the day has no digests")
            .with("table", &self.source.spec.table)
            .with("day", self.day)
            .hint("turn on log file validation for the trail, add the digests with --input, or omit --digests require"))
    }

    fn keys(&self, needed: bool) -> Result<DigestKeys<'_>> {
        let (hours, access) = (self.scope(None).digest_ends(), &self.source.spec.access);
        DigestKeys::new(&self.source.digests, (self.connector, access), hours, self.listed_at, needed)
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
        let planned = PlannedProof::new(examined, &scope, origin, DigestList::default(), |_| Vec::new());
        ProvedDay { planned, late: Vec::new() }
    }

    /// Lists the digests of the day.
    fn found(&self) -> Result<ListedDigests> {
        let ends = |day| self.scope_of(day, None).digest_ends();
        let ahead = UtcWindow { start: ends(self.ahead.first).start, end: ends(self.ahead.last).end };
        let (source, stores, connector) = (self.source, self.stores.as_slice(), self.connector);
        self.places.list(&self.scope(None), DigestListing { source, stores, connector, ahead })
    }

    /// Returns the late log files of these addresses, except those that are not there.
    pub fn late_files(&self, addresses: &[&str]) -> Result<Vec<PlannedObject>> {
        self.inputs().late(addresses)
    }

    /// Fetches and reads digests. Their texts are read one after the other, and only their log files of the day are kept.
    fn read(&self, listed: &[ListedDigest], keys: &mut DigestKeys<'_>) -> Result<Vec<FoundDigest>> {
        let mut read = Vec::with_capacity(listed.len());
        for batch in batches(listed) {
            let names: Vec<&str> = batch.iter().map(|digest| digest.meta.key.as_str()).collect();
            let store = self.stores[batch[0].input as usize];
            let fetched = match batch {
                [large] if large.meta.bytes > MOST_PACKED_BYTES => vec![None],
                _ => store.fetch_all(&names, MOST_PACKED_BYTES)?,
            };
            let digests = batch.iter().zip(fetched);
            read.extend(digests.map(|(digest, fetched)| keys.checked(self.found_digest(digest, fetched))));
        }
        Ok(read)
    }

    fn found_digest(&self, digest: &ListedDigest, fetched: Option<SmallObject>) -> FoundDigest {
        let (input, meta, name) = (digest.input, &digest.meta, digest.name.clone());
        let address = self.stores[input as usize].address(&meta.key);
        let original = self.inputs().original(input, &meta.key);
        let mut signed_at = None;
        let (text, signature) = match fetched {
            None if meta.bytes > MOST_PACKED_BYTES => {
                (Err(format!("more than {MOST_PACKED_BYTES} bytes")), StoredSignature::NotKept)
            }
            None => (Err("it was removed after it was listed".to_owned()), StoredSignature::NotKept),
            Some(SmallObject { content, metadata }) => {
                let backfilled_at = metadata.as_ref().and_then(|metadata| metadata.get(BACKFILLED_AT));
                signed_at = backfilled_at.and_then(|time| UtcInstant::parse_iso8601(time));
                let of_metadata = |metadata| signature_in(&metadata, name.chain.backfill);
                let signature = metadata.map_or(StoredSignature::NotKept, of_metadata);
                (unpack_single(&content, MOST_TEXT_BYTES), signature)
            }
        };
        let mut found = FoundDigest::new(address, name, original, text, signature, self.scope(None));
        found.signed_at = signed_at.unwrap_or(found.signed_at);
        found
    }
}

/// Divides digests into batches of one input. A digest that is too large is alone.
fn batches(listed: &[ListedDigest]) -> Vec<&[ListedDigest]> {
    let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (place, digest) in listed.iter().enumerate() {
        let is_other = listed[start].input != digest.input;
        if place > start && (is_other || place - start == BATCH || bytes + digest.meta.bytes > BATCH_BYTES) {
            batches.push(&listed[start..place]);
            (start, bytes) = (place, 0);
        }
        bytes += digest.meta.bytes;
    }
    batches.extend((start < listed.len()).then(|| &listed[start..]));
    batches
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestName;
    use crate::store::ObjectMeta;

    fn listed(input: u32, bytes: u64) -> ListedDigest {
        let key = "111122223333_CloudTrail-Digest_r_t_r_20231031T150501Z.json.gz".to_owned();
        let name = DigestName::parse(&key).unwrap();
        ListedDigest { input, meta: ObjectMeta { key, bytes, etag: None }, name }
    }

    #[test]
    fn a_batch_is_of_one_input_and_bounded() {
        let check = |digests: &[(u32, u64)], expected: &[usize]| {
            let digests: Vec<_> = digests.iter().map(|(input, bytes)| listed(*input, *bytes)).collect();
            let found: Vec<usize> = batches(&digests).iter().map(|batch| batch.len()).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&[(0, 1), (0, 1), (1, 1)], &[2, 1]);
        check(&[(0, 1); 70], &[32, 32, 6]);
        check(&[(0, 5 << 20), (0, 3 << 20), (0, 1), (0, 1 << 40), (0, 1)], &[2, 1, 1, 1]);
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
}
