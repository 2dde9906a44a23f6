//! The ledger of objects. Every object that a listing found is either read or left out for a reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LeftObject;

/// The objects that a listing found: `listed = read + left`, where `left` is the sum over all reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedObjects {
    /// Objects that were found.
    pub listed: u64,
    /// Objects to read.
    pub read: u64,
    /// Objects and folders that are left out, one entry per reason, sorted by reason.
    pub left: Vec<LeftGroup>,
}

/// Objects and folders that are left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftGroup {
    /// The reason.
    pub why: String,
    /// Number of objects.
    pub objects: u64,
    /// Number of folders that were not entered. Their contents are not counted.
    pub folders: u64,
    /// Size of the objects in bytes.
    pub bytes: u64,
    /// The first address; that of a folder ends with `/`.
    pub first: String,
    /// Whether the reason is the time in names or folders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_another_time: bool,
}

impl ListedObjects {
    /// Counts the objects to read and the objects and folders that are left out.
    pub fn count(read: usize, left: impl IntoIterator<Item = LeftGroup>) -> Self {
        let mut groups: BTreeMap<String, LeftGroup> = BTreeMap::new();
        for left in left {
            match groups.get_mut(&left.why) {
                Some(group) => group.add(left),
                None => drop(groups.insert(left.why.clone(), left)),
            }
        }
        let left: Vec<LeftGroup> = groups.into_values().collect();
        let read = read as u64;
        Self { listed: read + left.iter().map(|group| group.objects).sum::<u64>(), read, left }
    }

    /// Drops the groups of other times. Their counts depend on where the listing searched; all others depend on the day
    /// alone.
    #[must_use]
    pub fn of_the_day(self) -> Self {
        let left: Vec<LeftGroup> = self.left.into_iter().filter(|group| !group.of_another_time).collect();
        Self { listed: self.read + left.iter().map(|group| group.objects).sum::<u64>(), left, ..self }
    }

    /// Returns all its numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        let left = self.left.iter().flat_map(|group| [group.objects, group.folders, group.bytes]);
        left.chain([self.listed, self.read])
    }

    /// Returns the number of objects that are left out.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.listed.saturating_sub(self.read)
    }
}

impl LeftGroup {
    /// Creates the group of one object or folder.
    #[must_use]
    pub fn of(left: &LeftObject) -> Self {
        let is_folder = left.address.ends_with('/');
        Self {
            why: left.why.clone().into_owned(),
            objects: u64::from(!is_folder),
            folders: u64::from(is_folder),
            bytes: left.bytes,
            first: left.address.clone(),
            of_another_time: left.of_another_time,
        }
    }

    /// Adds another group with the same reason.
    pub fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.folders += other.folders;
        self.bytes += other.bytes;
        if other.first < self.first {
            self.first = other.first;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(address: &str, bytes: u64, why: &'static str, of_another_time: bool) -> LeftObject {
        LeftObject { address: address.to_owned(), bytes, why: why.into(), of_another_time }
    }

    #[test]
    fn objects_are_counted_once_and_folders_separately() {
        let all = [
            left("b/._x", 2, "hidden", false),
            left("a/._x", 1, "hidden", false),
            left("a/old/", 0, "early", true),
            left("a/y", 4, "early", true),
        ];
        let listed = ListedObjects::count(3, all.iter().map(LeftGroup::of));
        let groups: Vec<_> =
            listed.left.iter().map(|of| (&*of.why, of.objects, of.folders, of.bytes, &*of.first)).collect();
        assert_eq!(groups, [("early", 1, 1, 4, "a/old/"), ("hidden", 2, 0, 3, "a/._x")]);
        assert_eq!((listed.listed, listed.read, listed.left_out()), (6, 3, 3));
        let of_the_day = listed.of_the_day();
        assert_eq!((of_the_day.listed, of_the_day.left.len()), (5, 1));
    }
}
