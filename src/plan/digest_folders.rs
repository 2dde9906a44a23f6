//! Finds the digests of a day in the inputs.
//!
//! The listing of the inputs notes digests and their folders, which costs nothing. Only a day that uses them lists these
//! folders: the dates of the day and of the days that follow in the same walk, and no others. Behind these dates, one page of
//! names per region shows the next digest of each chain.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::TableSource;
use crate::dataset::FolderDates;
use crate::dataset::object_key::split;
use crate::digest::{ChainName, DayScope, DigestName};
use crate::error::Result;
use crate::kst::{DAY_MS, UtcInstant, UtcWindow};
use crate::store::{Connector, KeysAfter, ListVisitor, ObjectMeta, SkipRange, Store};

/// The folder of digests below an account.
const FOLDER: &str = "CloudTrail-Digest";

/// The digests and folders of digests that a listing of the inputs noted, by input and key.
#[derive(Debug, Default)]
pub(super) struct DigestPlaces {
    found: BTreeMap<(u32, String), ObjectMeta>,
    /// What the folders hold, as far as they were listed.
    listed: RefCell<BTreeMap<(u32, String), ListedFolder>>,
}

/// A digest that was listed.
#[derive(Debug, Clone)]
pub(super) struct ListedDigest {
    pub(super) input: u32,
    pub(super) meta: ObjectMeta,
    pub(super) name: DigestName,
}

/// The digests of a day.
#[derive(Debug, Default)]
pub(super) struct ListedDigests {
    /// Those whose ends are among the ends of the day, in order of their addresses.
    pub(super) of_the_day: Vec<ListedDigest>,
    /// The next one of each chain that needs it.
    pub(super) next: Vec<ListedDigest>,
}

/// A folder of digests.
#[derive(Debug)]
struct ListedFolder {
    /// The ends of the digests that were listed.
    ends: UtcWindow,
    digests: Vec<ListedDigest>,
}

/// Where and for which days folders of digests are listed.
#[derive(Clone, Copy)]
pub(super) struct DigestListing<'a> {
    pub(super) source: &'a TableSource,
    pub(super) stores: &'a [&'a dyn Store],
    pub(super) connector: &'a Connector,
    /// The ends of the digests to list at once. They include those of the day.
    pub(super) ahead: UtcWindow,
}

impl DigestPlaces {
    pub(super) fn add(&mut self, input: u32, found: Vec<ObjectMeta>) {
        self.found.extend(found.into_iter().map(|meta| ((input, meta.key.clone()), meta)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Lists the digests of a day.
    pub(super) fn list(&self, scope: &DayScope<'_>, listing: DigestListing<'_>) -> Result<ListedDigests> {
        let mut all: BTreeMap<(u32, String), ListedDigest> = BTreeMap::new();
        for ((input, key), meta) in &self.found {
            let mut add = |digest: ListedDigest| {
                if digest.name.end >= scope.digest_ends().start {
                    all.insert((digest.input, digest.meta.key.clone()), digest);
                }
            };
            if !key.ends_with('/') {
                ListedDigest::of(*input, meta.clone()).into_iter().for_each(add);
                continue;
            }
            let mut listed = self.listed.borrow_mut();
            let place = (*input, key.clone());
            let known = listed.get(&place).filter(|known| known.covers(scope.digest_ends()));
            if known.is_none() {
                listed.insert(place.clone(), listing.folder(*input, key, scope.listed_at)?);
            }
            listed[&place].digests.iter().cloned().for_each(&mut add);
        }
        Ok(ListedDigests::sorted(all.into_values(), scope))
    }
}

impl ListedFolder {
    fn covers(&self, ends: UtcWindow) -> bool {
        self.ends.start <= ends.start && ends.end <= self.ends.end
    }
}

impl ListedDigest {
    fn of(input: u32, meta: ObjectMeta) -> Option<Self> {
        let name = DigestName::parse(&meta.key)?;
        Some(Self { input, meta, name })
    }
}

impl ListedDigests {
    fn sorted(all: impl Iterator<Item = ListedDigest>, scope: &DayScope<'_>) -> Self {
        let ends = scope.digest_ends();
        let (of_the_day, later): (Vec<_>, Vec<_>) = all.partition(|digest| ends.contains(digest.name.end));
        let hourly = of_the_day.iter().filter(|digest| digest.name.end >= scope.deliveries.end);
        let reach: BTreeSet<&ChainName> =
            hourly.map(|digest| &digest.name.chain).filter(|chain| !chain.backfill).collect();
        let wanted = later.into_iter().filter(|digest| !reach.contains(&digest.name.chain));
        let next = first_of_each(wanted).into_values().collect();
        drop(reach);
        Self { of_the_day, next }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_the_day.is_empty() && self.next.is_empty()
    }

    /// All of them, those of the day first.
    pub(super) fn all(self) -> Vec<ListedDigest> {
        let Self { of_the_day, next } = self;
        of_the_day.into_iter().chain(next).collect()
    }
}

/// Returns the earliest digest of each chain.
fn first_of_each(digests: impl Iterator<Item = ListedDigest>) -> BTreeMap<ChainName, ListedDigest> {
    let mut first: BTreeMap<ChainName, ListedDigest> = BTreeMap::new();
    for digest in digests {
        match first.get_mut(&digest.name.chain) {
            Some(known) if known.name.end <= digest.name.end => {}
            Some(known) => *known = digest,
            None => drop(first.insert(digest.name.chain.clone(), digest)),
        }
    }
    first
}

impl DigestListing<'_> {
    /// Lists a folder of digests, with keys of the input.
    fn folder(&self, input: u32, folder: &str, listed_at: UtcInstant) -> Result<ListedFolder> {
        let address = format!("{}/", self.stores[input as usize].address(folder).trim_end_matches('/'));
        let store = self.connector.store(&address, &self.source.spec.access)?;
        let above = store.above()?;
        let mut visitor =
            DigestVisitor { above, ends: self.ahead, found: Vec::new(), regions: BTreeSet::new() };
        store.list(&mut visitor)?;
        let whole = |meta: ObjectMeta| ObjectMeta { key: format!("{folder}{}", meta.key), ..meta };
        let digest = |meta| ListedDigest::of(input, whole(meta));
        let mut digests: Vec<ListedDigest> = visitor.found.into_iter().filter_map(digest).collect();
        // AWS has not delivered later ones yet.
        if listed_at > self.ahead.end {
            let stretches: Vec<KeysAfter> =
                visitor.regions.into_iter().map(|region| self.behind(region)).collect();
            let later = store.list_after(&stretches)?;
            digests.extend(first_of_each(later.into_iter().flatten().filter_map(digest)).into_values());
        }
        Ok(ListedFolder { ends: self.ahead, digests })
    }

    /// Returns the keys of a region behind the dates that were listed.
    fn behind(&self, region: String) -> KeysAfter {
        let next = self.ahead.end.plus_ms(-1).utc_midnight().plus_ms(DAY_MS);
        let date = next.to_string()[..10].replace('-', "/");
        let folder = if region.is_empty() { region } else { format!("{region}/") };
        KeysAfter { after: format!("{folder}{date}"), folder }
    }
}

/// Collects the digests of some dates.
struct DigestVisitor {
    above: String,
    ends: UtcWindow,
    found: Vec<ObjectMeta>,
    /// The folders that are divided by dates.
    regions: BTreeSet<String>,
}

impl ListVisitor for DigestVisitor {
    fn enter(&mut self, folder: &str) -> bool {
        let is_divided = |above: &str| split(split(above).0).1 == FOLDER;
        let path = format!("{}{folder}", self.above);
        if is_divided(&path) {
            self.regions.insert(folder.to_owned());
        } else if is_divided(split(&path).0) && !folder.contains('/') {
            self.regions.insert(String::new());
        }
        FolderDates::of(&path, is_divided).is_none_or(|dates| {
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
