//! The oldest and newest folders among those that AWS divides by date. They show the days of an input without a listing of
//! everything between them.

use super::{MAX_FOR_DAYS, Search};
use crate::cancel::Cancel;
use crate::dataset::{FolderDates, LogType, object_key};
use crate::error::Result;
use crate::kst::UtcInstant;
use crate::plan::file_name;
use crate::plan::place::Place;
use crate::store::{ListVisitor, ObjectMeta, SkipRange, Store};

/// The folders of one input.
pub(super) struct DatedFolders<'a> {
    cancel: &'a Cancel,
    place: Place,
    /// The oldest and newest folders, for each log type that is looked for.
    edges: Vec<(LogType, Option<Edges>)>,
    /// Number of objects and entered folders.
    met: u64,
}

/// The folders of the oldest and of the newest date.
struct Edges {
    oldest: OfDate,
    newest: OfDate,
}

/// Folders of one date. Each account and region has its own.
struct OfDate {
    date: UtcInstant,
    folders: Vec<String>,
}

/// The most folders of a date that are listed.
const MAX_OF_DATE: usize = 16;

impl OfDate {
    /// Moves to another date.
    fn restart(&mut self, date: UtcInstant) {
        self.date = date;
        self.folders.clear();
    }

    /// Adds a folder, if it is of this date.
    fn add(&mut self, date: UtcInstant, folder: &str) {
        if date == self.date && self.folders.len() < MAX_OF_DATE {
            self.folders.push(folder.to_owned());
        }
    }
}

impl<'a> DatedFolders<'a> {
    /// Lists the folders of an input. Enters a year or a month only if it may hold a date beyond those found so far, and no
    /// date.
    pub(super) fn find(search: &'a Search<'a>, store: &dyn Store) -> Result<Self> {
        let edges = search.log_types().map(|dataset| (dataset, None)).collect();
        let mut folders = Self { cancel: search.cancel, place: Place::of(store)?, edges, met: 0 };
        search.list(store, &mut folders)?;
        Ok(folders)
    }

    /// Whether the limit ended the listing.
    pub(super) fn is_cut(&self) -> bool {
        self.met >= MAX_FOR_DAYS
    }

    /// Whether a folder has no date, or is or contains one of the oldest or newest folders.
    pub(super) fn leads_to_edge(&self, folder: &str) -> bool {
        let Some((index, _)) = self.dated(folder) else { return true };
        let Some((_, Some(edges))) = self.edges.get(index) else { return false };
        let leads_to = |edge: &String| {
            edge.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        edges.oldest.folders.iter().chain(&edges.newest.folders).any(leads_to)
    }

    /// Returns the log type whose folders by date include a folder, and the dates.
    fn dated(&self, folder: &str) -> Option<(usize, FolderDates)> {
        let path = self.place.path(folder);
        let mut all = self.edges.iter().enumerate();
        all.find_map(|(index, (dataset, _))| {
            Some((index, FolderDates::of(&path, |above| dataset.holds_days(above))?))
        })
    }

    /// Notes a folder of one date.
    fn note(&mut self, index: usize, date: UtcInstant, folder: &str) {
        let new = || OfDate { date, folders: Vec::new() };
        let Some((_, edges)) = self.edges.get_mut(index) else { return };
        let edges = edges.get_or_insert_with(|| Edges { oldest: new(), newest: new() });
        if date < edges.oldest.date {
            edges.oldest.restart(date);
        }
        if date > edges.newest.date {
            edges.newest.restart(date);
        }
        edges.oldest.add(date, folder);
        edges.newest.add(date, folder);
    }

    /// Whether dates reach beyond those found so far.
    fn reaches_beyond(&self, index: usize, dates: FolderDates) -> bool {
        let Some((_, Some(edges))) = self.edges.get(index) else { return true };
        dates.first < edges.oldest.date || dates.last > edges.newest.date
    }
}

impl ListVisitor for DatedFolders<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        self.met += 1;
        if file_name::own_folder(object_key::split(folder).1).is_some() {
            return false;
        }
        match self.dated(folder) {
            None => true,
            Some((index, dates)) if dates.is_day() => {
                self.note(index, dates.first, folder);
                false
            }
            Some((index, dates)) => self.reaches_beyond(index, dates),
        }
    }

    fn skip_range(&self, _: &str) -> Option<SkipRange> {
        None
    }

    fn object(&mut self, _: ObjectMeta) {
        self.met += 1;
    }

    fn passed(&mut self, _: &str, _: &'static str) {
        self.met += 1;
    }

    fn skipped(&mut self, _: &str) {}

    fn is_done(&self) -> bool {
        self.is_cut() || self.cancel.check().is_err()
    }
}
