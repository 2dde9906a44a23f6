//! The location of an input, and the dates in the folders above a key.

use std::collections::HashMap;

use super::key_times::FolderNames;
use crate::dataset::{self, Dataset, FolderDates, KeyClaim, KeyTime, LogType, object_key};
use crate::error::Result;
use crate::store::Store;

/// The path of an input, and the folders that were found below it.
pub(super) struct Place {
    /// The path in front of every key, up to a slash.
    above: String,
    /// Folders of objects whose names have a time.
    folders: HashMap<String, Folder>,
}

/// The known facts about a folder.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folder {
    /// The dates that it covers.
    pub(super) dates: Option<FolderDates>,
    /// The names in it.
    pub(super) names: FolderNames,
}

impl Place {
    pub(super) fn of(store: &dyn Store) -> Result<Self> {
        Ok(Self { above: store.above()?, folders: HashMap::new() })
    }

    /// Returns the whole path of a key, by which log types claim it. A copy of part of a trail, or an input inside a trail,
    /// is therefore claimed like the trail itself.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}{key}", self.above)
    }

    /// Returns the dates of a folder below the root, if AWS divides the folder above by date.
    pub(super) fn dates(&self, folder: &str) -> Option<FolderDates> {
        if folder.is_empty() {
            return None;
        }
        let path = self.path(folder);
        let is_divided = |above: &str| dataset::all().any(|dataset| dataset.holds_days(above));
        let is_year = || dataset::all().any(|dataset| dataset.holds_years(object_key::split(&path).0));
        FolderDates::of(&path, is_divided).filter(|dates| !dates.is_year() || is_year())
    }

    /// Returns the dates of the innermost dated folder that contains a key. The root and the folders above it are ignored: a
    /// copy may be in a folder that is named after the day of the copy.
    pub(super) fn dates_above(&self, key: &str) -> Option<FolderDates> {
        let folders = std::iter::successors(key.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
        folders.map(|(folder, _)| folder).find_map(|folder| self.dates(folder))
    }

    /// Returns the dates of an object without a date in its name: those of its folder, even if AWS did not create it.
    pub(super) fn unclear_dates(&self, key: &str) -> Option<FolderDates> {
        let folders = std::iter::successors(key.rsplit_once('/'), |(folder, _)| folder.rsplit_once('/'));
        let mut dated = folders.filter_map(|(folder, _)| written_date(&format!("{folder}/")));
        self.dates_above(key).or_else(|| dated.next())
    }

    /// Notes an object whose name has a time.
    pub(super) fn note_name(&mut self, key: &str, time: KeyTime) {
        let folder = object_key::split(key).0;
        if !self.folders.contains_key(folder) {
            let dates = self.dates_above(key);
            self.folders.insert(folder.to_owned(), Folder { dates, names: FolderNames::default() });
        }
        if let Some(folder) = self.folders.get_mut(folder) {
            match time {
                KeyTime::Delivered(_) => folder.names.has_times_of_day = true,
                KeyTime::Midnight(_) => folder.names.midnights += 1,
                KeyTime::Stretch { .. } => {}
            }
        }
    }

    /// Returns the folder of an object that was noted.
    pub(super) fn folder(&self, key: &str) -> Folder {
        self.folders.get(object_key::split(key).0).copied().unwrap_or_default()
    }
}

/// Whether an object is below a folder that AWS divides by date for a log type. Other log types know the folder as that of
/// another service, whatever is in it, so the content decides about an object with an unclear name.
pub(super) fn is_at_home(path: &str, dataset: LogType) -> bool {
    parents(path).any(|folder| dataset.holds_days(folder))
}

/// Whether a listing for a log type does not enter one of the folders above an object, because it is of another service.
pub(super) fn is_out_of_reach(path: &str, dataset: &dyn Dataset) -> bool {
    parents(path).any(|folder| matches!(dataset.claim(&format!("{folder}/")), KeyClaim::NotMine(_)))
}

/// Returns the folders above a folder, innermost first.
pub(super) fn parents(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(folder.rsplit_once('/'), |(above, _)| above.rsplit_once('/'))
        .map(|(above, _)| above)
}

/// Returns the date in the path of a key's folder, even if AWS did not create the folder.
pub(super) fn written_date(key: &str) -> Option<FolderDates> {
    object_key::folder_date(object_key::split(key).0).map(FolderDates::day)
}
