//! Objects and folders that belong to no log type, counted by folder and reason.

use std::collections::BTreeMap;

use crate::plan::{LeftGroup, LeftObject};

/// The most folders that are counted on their own. Clients can invent folders.
const MAX_FOLDERS: usize = 1000;
/// Stands for all further folders.
const FURTHER: &str = "(other folders)";

/// Objects and folders below folders of one name that are left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftFolder {
    /// The name of the folder, for example that of an AWS service; empty for the input itself.
    pub folder: String,
    /// The counts. Accounts have folders of the same name, so their objects are counted together.
    pub group: LeftGroup,
}

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Left(BTreeMap<(String, &'static str), LeftGroup>);

impl Left {
    /// Counts an object, or a folder whose address ends with `/`.
    pub(super) fn add(&mut self, folder: &str, address: String, bytes: u64, why: &'static str) {
        let group = LeftGroup::of(&LeftObject { address, bytes, why: why.into(), of_another_time: false });
        self.add_group(folder.to_owned(), why, group);
    }

    /// Adds the counts of another input.
    pub(super) fn merge(&mut self, other: Self) {
        for ((folder, why), group) in other.0 {
            self.add_group(folder, why, group);
        }
    }

    fn add_group(&mut self, folder: String, why: &'static str, group: LeftGroup) {
        let mut place = (folder, why);
        if self.0.len() >= MAX_FOLDERS && !self.0.contains_key(&place) {
            FURTHER.clone_into(&mut place.0);
        }
        match self.0.get_mut(&place) {
            Some(known) => known.add(group),
            None => drop(self.0.insert(place, group)),
        }
    }

    /// The number of objects.
    pub(super) fn objects(&self) -> u64 {
        self.0.values().map(|group| group.objects).sum()
    }

    /// Returns the counts, in order of folder and reason.
    pub(super) fn into_folders(self) -> Vec<LeftFolder> {
        self.0.into_iter().map(|((folder, _), group)| LeftFolder { folder, group }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_folders_are_counted_together() {
        let mut left = Left::default();
        for number in 0..MAX_FOLDERS + 5 {
            left.add(&format!("{number:05}"), format!("{number}/a"), 2, "other");
        }
        left.add("00000", "x/".to_owned(), 0, "other");
        assert_eq!(left.objects(), (MAX_FOLDERS + 5) as u64);
        let folders = left.into_folders();
        let counts = |place: usize| (folders[place].folder.as_str(), &folders[place].group);
        assert_eq!(folders.len(), MAX_FOLDERS + 1);
        assert_eq!((counts(0).0, counts(0).1.objects, counts(0).1.bytes), (FURTHER, 5, 10));
        assert_eq!((counts(1).0, counts(1).1.objects, counts(1).1.folders), ("00000", 1, 1));
    }
}
