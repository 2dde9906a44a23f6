//! Finds the digests of a day in the inputs.
//!
//! The listing of the inputs notes digests and their folders, which costs nothing. Only a day that uses them lists these
//! folders: the dates of the day and of the days that follow in the same walk, and no others. Behind these dates, one page of
//! names per region shows the next digests of each chain. If a chain is not there at the beginning of these dates, the first
//! page of its region shows whether it is older.

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
/// A chain that has a digest in the first hours of a listing existed before.
const FIRST_HOURS_MS: i64 = 3 * 3_600_000;

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
    /// The next ones of each chain that needs them.
    pub(super) next: Vec<ListedDigest>,
    /// Chains that are known to be older than the day.
    pub(super) older: BTreeSet<ChainName>,
}

/// A folder of digests.
#[derive(Debug)]
struct ListedFolder {
    /// The ends of the digests that were listed.
    ends: UtcWindow,
    digests: Vec<ListedDigest>,
    /// Chains with digests from before.
    older: BTreeSet<ChainName>,
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
        let mut older: BTreeSet<ChainName> = BTreeSet::new();
        for ((input, key), meta) in &self.found {
            let mut add = |digest: &ListedDigest| {
                if digest.name.end >= scope.digest_ends().start {
                    all.insert((digest.input, digest.meta.key.clone()), digest.clone());
                } else if !older.contains(&digest.name.chain) {
                    older.insert(digest.name.chain.clone());
                }
            };
            if !key.ends_with('/') {
                ListedDigest::of(*input, meta.clone()).iter().for_each(add);
                continue;
            }
            let mut listed = self.listed.borrow_mut();
            let place = (*input, key.clone());
            let known = listed.get(&place).filter(|known| known.covers(scope.digest_ends()));
            if known.is_none() {
                listed.insert(place.clone(), listing.folder(*input, key, scope.listed_at)?);
            }
            listed[&place].digests.iter().for_each(&mut add);
            older.extend(listed[&place].older.iter().cloned());
        }
        Ok(ListedDigests { older, ..ListedDigests::sorted(all.into_values(), scope) })
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
        let next = next_of_each(wanted);
        Self { of_the_day, next, older: BTreeSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_the_day.is_empty() && self.next.is_empty()
    }

    /// All of them, those of the day first, and the chains that are older than the day.
    pub(super) fn all(self) -> (Vec<ListedDigest>, BTreeSet<ChainName>) {
        let Self { of_the_day, next, older } = self;
        (of_the_day.into_iter().chain(next).collect(), older)
    }
}

/// Returns the earliest digests of each chain. In a folder, the second one of an hourly chain proves the first.
fn next_of_each(digests: impl Iterator<Item = ListedDigest>) -> Vec<ListedDigest> {
    let mut sorted: Vec<ListedDigest> = digests.collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let chains = sorted.chunk_by(|one, other| one.name.chain == other.name.chain);
    let next = chains.flat_map(|chain| chain.iter().take(if chain[0].name.chain.backfill { 1 } else { 2 }));
    next.cloned().collect()
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
            let behind: Vec<KeysAfter> = visitor.regions.iter().map(|region| self.behind(region)).collect();
            let later = store.list_after(&behind)?;
            digests.extend(next_of_each(later.into_iter().flatten().filter_map(digest)));
        }
        let regions: Vec<KeysAfter> = self.regions_of_new_chains(&digests, &visitor.regions);
        let first = store.list_after(&regions)?;
        let first = first.into_iter().flatten().filter_map(|meta| DigestName::parse(&meta.key));
        let older = first.filter(|name| name.end < self.ahead.start).map(|name| name.chain).collect();
        Ok(ListedFolder { ends: self.ahead, digests, older })
    }

    /// Returns all keys of the regions with a chain that is not there at the beginning of the dates.
    fn regions_of_new_chains(&self, digests: &[ListedDigest], regions: &BTreeSet<String>) -> Vec<KeysAfter> {
        let begun = UtcWindow { start: self.ahead.start, end: self.ahead.start.plus_ms(FIRST_HOURS_MS) };
        let hourly = || digests.iter().map(|digest| &digest.name).filter(|name| !name.chain.backfill);
        let old: BTreeSet<&ChainName> =
            hourly().filter(|name| begun.contains(name.end)).map(|name| &name.chain).collect();
        let new: BTreeSet<&str> = hourly()
            .filter(|name| !old.contains(&name.chain))
            .map(|name| name.chain.region.as_str())
            .collect();
        let is_new = |region: &&String| region.is_empty() || new.contains(region.as_str());
        let regions = regions.iter().filter(|_| !new.is_empty()).filter(is_new);
        regions.map(|region| KeysAfter { folder: folder_of(region), after: folder_of(region) }).collect()
    }

    /// Returns the keys of a region behind the dates that were listed.
    fn behind(&self, region: &str) -> KeysAfter {
        let next = self.ahead.end.plus_ms(-1).utc_midnight().plus_ms(DAY_MS);
        let date = next.to_string()[..10].replace('-', "/");
        let folder = folder_of(region);
        KeysAfter { after: format!("{folder}{date}"), folder }
    }
}

/// Returns the prefix of a region; empty if the listing is that of a region.
fn folder_of(region: &str) -> String {
    if region.is_empty() { String::new() } else { format!("{region}/") }
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
