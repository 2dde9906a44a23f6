//! Finds the raw objects that are the log files which digests name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path};

use super::PlannedObject;
use super::digest_folders::ListedDigest;
use crate::digest::name::file_name;
use crate::digest::{LogFile, LogName};
use crate::error::Result;
use crate::kst::UtcWindow;
use crate::store::{ObjectMeta, Store};

/// The inputs of a table.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) stores: &'a [&'a dyn Store],
    /// The place from which they were copied.
    pub(super) origin: Option<&'a str>,
}

/// The raw objects of a day, and those that only digests name.
pub(super) struct NamedObjects<'a> {
    inputs: Inputs<'a>,
    /// The deliveries that the listing has seen.
    deliveries: UtcWindow,
    /// Objects whose original place is known.
    by_original: HashMap<String, Vec<&'a str>>,
    /// Objects in folders of unknown origin, by their names, which are unique at AWS.
    by_name: HashMap<&'a str, Vec<&'a str>>,
    /// Where a file that the listing did not choose was looked for, by its original address.
    candidates: HashMap<String, BTreeSet<(u32, String)>>,
    /// The objects that were there.
    late: BTreeMap<(u32, String), PlannedObject>,
}

impl Inputs<'_> {
    /// Returns where AWS delivered an object of an input, as `s3://bucket/key`; `None` in a folder of unknown origin.
    pub(super) fn original(&self, input: u32, key: &str) -> Option<String> {
        if let Some(origin) = self.origin {
            return Some(format!("{}/{key}", origin.trim_end_matches('/')));
        }
        let address = self.stores[input as usize].address(key);
        address.starts_with("s3://").then_some(address)
    }

    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.stores.len()).unwrap_or(u32::MAX)
    }

    /// Looks for objects, those of an input all at once; returns those that are there.
    fn look_for(&self, wanted: &BTreeSet<(u32, String)>) -> Result<BTreeMap<(u32, String), ObjectMeta>> {
        let mut found = BTreeMap::new();
        for input in self.numbers() {
            let keys: Vec<&str> =
                wanted.iter().filter(|(of, _)| *of == input).map(|(_, key)| key.as_str()).collect();
            let metas = self.stores[input as usize].meta_all(&keys)?;
            let there = metas.into_iter().flatten().map(|meta| ((input, meta.key.clone()), meta));
            found.extend(there);
        }
        Ok(found)
    }

    /// Returns the objects of these addresses, except those that are not there or not in an input.
    pub(super) fn late(&self, addresses: &[&str]) -> Result<Vec<PlannedObject>> {
        let key_of = |address: &str| {
            self.numbers().find_map(|input| {
                // The address of a key ends with this key.
                let probe = self.stores[input as usize].address("x");
                let key = address.strip_prefix(probe.strip_suffix('x')?)?;
                is_below(key).then(|| (input, key.to_owned()))
            })
        };
        let places: BTreeMap<(u32, String), &str> =
            addresses.iter().filter_map(|address| Some((key_of(address)?, *address))).collect();
        let found = self.look_for(&places.keys().cloned().collect())?;
        let late = |(place, meta): ((u32, String), ObjectMeta)| {
            PlannedObject::late(place.0, places[&place].to_owned(), meta)
        };
        Ok(found.into_iter().map(late).collect())
    }
}

impl<'a> NamedObjects<'a> {
    pub(super) fn new(inputs: Inputs<'a>, objects: &[&'a PlannedObject], deliveries: UtcWindow) -> Self {
        let mut by_original: HashMap<String, Vec<&str>> = HashMap::new();
        let mut by_name: HashMap<&str, Vec<&str>> = HashMap::new();
        for object in objects {
            match inputs.original(object.input, &object.key) {
                Some(original) => by_original.entry(original).or_default().push(&object.address),
                None => by_name.entry(file_name(&object.key)).or_default().push(&object.address),
            }
        }
        Self { inputs, deliveries, by_original, by_name, candidates: HashMap::new(), late: BTreeMap::new() }
    }

    /// Looks for the files that are not among the objects of the day. `digest` returns the digest at a place, and the key that
    /// its content claims for it.
    pub(super) fn look_for<'d>(
        &mut self,
        files: &[(usize, usize, LogFile)],
        digest: impl Fn(usize) -> (&'d ListedDigest, Option<&'d str>),
    ) -> Result<()> {
        for (_, place, file) in files {
            if self.may_be_late(file) && self.known(file).is_none() {
                let candidates = self.candidates(digest(*place), file);
                self.candidates.entry(file.address()).or_default().extend(candidates);
            }
        }
        let wanted = self.candidates.values().flatten().cloned().collect();
        let found = self.inputs.look_for(&wanted)?;
        let late = |((input, key), meta): ((u32, String), ObjectMeta)| {
            let address = self.inputs.stores[input as usize].address(&key);
            ((input, key), PlannedObject::late(input, address, meta))
        };
        self.late = found.into_iter().map(late).collect();
        Ok(())
    }

    /// Returns the addresses of the objects that are a file.
    pub(super) fn addresses(&self, file: &LogFile) -> Vec<String> {
        if let Some(known) = self.known(file) {
            return known.iter().map(|address| (*address).to_owned()).collect();
        }
        let candidates = self.candidates.get(&file.address()).into_iter().flatten();
        candidates.filter_map(|place| Some(self.late.get(place)?.address.clone())).collect()
    }

    /// Returns the objects that only digests name.
    pub(super) fn late(self) -> Vec<PlannedObject> {
        self.late.into_values().collect()
    }

    fn known(&self, file: &LogFile) -> Option<&Vec<&'a str>> {
        let by_name = || self.by_name.get(file_name(&file.object));
        self.by_original.get(&file.address()).or_else(by_name)
    }

    /// Whether the listing may have left out a file. Nothing but a log file becomes an object of the day, whatever a digest
    /// names, and the listing has seen all files of the day's deliveries.
    fn may_be_late(&self, file: &LogFile) -> bool {
        LogName::parse(&file.object).is_some_and(|log| !self.deliveries.contains(log.delivered_at))
    }

    /// Returns the keys at which a file should be, by input.
    fn candidates(
        &self,
        (digest, delivered): (&ListedDigest, Option<&str>),
        file: &LogFile,
    ) -> BTreeSet<(u32, String)> {
        let of_input = |input: u32| {
            let root = self.inputs.original(input, "")?;
            Some((input, file.address().strip_prefix(&root)?.to_owned()))
        };
        let known = self.inputs.numbers().filter_map(of_input);
        let beside = delivered.and_then(|delivered| moved_like(delivered, &digest.meta.key, &file.object));
        let unknown = beside.filter(|_| self.inputs.original(digest.input, "").is_none());
        let unknown = unknown.map(|key| (digest.input, key));
        known.chain(unknown).filter(|(_, key)| is_below(key)).collect()
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
    fn no_path_leads_out_of_its_input() {
        for (path, expected) in
            [("a/b", true), ("", false), ("../a", false), ("a/../../b", false), ("/etc/passwd", false)]
        {
            assert_eq!(is_below(path), expected, "{path}");
        }
    }
}
