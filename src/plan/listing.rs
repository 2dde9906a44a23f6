//! One listing of an input: what is there, sorted into found and left.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use super::choose::{Choice, Distance, FolderNames, Midnight, Wanted};
use super::source::TableSource;
use super::{LeftObject, UNRECOGNISED};
use crate::dataset::object_key;
use crate::dataset::{self, KeyClaim, KeyTime};
use crate::kst::{DayRange, UtcInstant};
use crate::store::unpack::Unpacked;
use crate::store::{Gap, ListVisitor, ObjectMeta, Store};

/// Folders that a lake has beside its tables.
const OWN_FOLDERS: [&str; 4] = ["_staging", "_quarantine", "_runs", "_locks"];

/// An object that is wanted.
pub(super) struct Found {
    pub(super) object: ObjectMeta,
    pub(super) why: &'static str,
    /// The days that it can feed.
    pub(super) days: DayRange,
    /// The UTC date of the folder in which it lies, or of the time in its name.
    pub(super) date: Option<UtcInstant>,
}

/// What earlier listings of the same input have shown.
#[derive(Debug, Default)]
pub(super) struct Familiar {
    /// Keys that say nothing, which were judged already.
    judged: HashSet<String>,
}

/// What a listing has found so far.
pub(super) struct Listing<'a> {
    source: &'a TableSource,
    wanted: Wanted,
    store: &'a dyn Store,
    familiar: &'a mut Familiar,
    timed: Vec<(ObjectMeta, KeyTime)>,
    /// Dated folders with names that say midnight, or a time of day.
    dated: HashMap<String, FolderNames>,
    unclear: Vec<ObjectMeta>,
    found: Vec<Found>,
    left: Vec<LeftObject>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        source: &'a TableSource,
        wanted: Wanted,
        store: &'a dyn Store,
        familiar: &'a mut Familiar,
    ) -> Self {
        let (timed, dated, unclear, found, left) = Default::default();
        Self { source, wanted, store, familiar, timed, dated, unclear, found, left }
    }

    fn leave(&mut self, key: &str, bytes: u64, why: &str) {
        self.left.push(LeftObject { address: self.store.address(key), bytes, why: why.to_owned() });
    }

    /// An object whose key says nothing: its content decides, whatever lies beside it, so that a day and a range of days
    /// agree. One that is itself named as the input was meant to be read.
    fn judge_unclear(&mut self, object: ObjectMeta) {
        let is_input = self.source.inputs.contains(&self.store.address(&object.key));
        let is_named = is_input && !self.source.shares_input;
        let of_another = dataset::ALL.iter().any(|other| {
            other.name() != self.source.dataset.name() && other.claim(&object.key) != KeyClaim::Unclear
        });
        if of_another {
            self.leave(&object.key, object.bytes, "named like another log type");
        } else if object_key::split(&object.key).1.starts_with(['.', '_']) {
            self.leave(&object.key, object.bytes, "hidden file");
        } else if is_named {
            self.take_unclear(object, "named as the input");
        } else if self.head(&object.key).is_some_and(|head| self.source.dataset.recognises(&head)) {
            self.take_unclear(object, "no time in its key, but its content is of this log type");
        } else {
            self.leave(&object.key, object.bytes, UNRECOGNISED);
        }
    }

    fn take_unclear(&mut self, object: ObjectMeta, why: &'static str) {
        let date = object_key::date_above(&object.key);
        if let Some(days) = self.wanted.days_by_folder(date) {
            self.found.push(Found { object, why, days, date });
        }
    }

    /// The first bytes of an object, decompressed, as far as they can be read.
    fn head(&self, key: &str) -> Option<Vec<u8>> {
        let mut head = vec![0; 4096];
        let mut filled = 0;
        let mut content = Unpacked::new(self.store.open(key).ok()?).ok()?;
        while filled < head.len() {
            match content.read(&mut head[filled..]) {
                Ok(0) | Err(_) => break,
                Ok(count) => filled += count,
            }
        }
        head.truncate(filled);
        Some(head)
    }

    fn note_name(&mut self, folder: &str, time: KeyTime) {
        if !self.dated.contains_key(folder) {
            if object_key::folder_date(folder).is_none() {
                return;
            }
            self.dated.insert(folder.to_owned(), FolderNames::default());
        }
        if let Some(names) = self.dated.get_mut(folder) {
            match time {
                KeyTime::Delivered(_) => names.has_times_of_day = true,
                KeyTime::Midnight(_) => names.midnights += 1,
            }
        }
    }

    /// What was found, and what was left.
    pub(super) fn finish(mut self) -> (Vec<Found>, Vec<LeftObject>) {
        for object in std::mem::take(&mut self.unclear) {
            if self.familiar.judged.insert(object.key.clone()) {
                self.judge_unclear(object);
            }
        }
        for (object, time) in std::mem::take(&mut self.timed) {
            let names = self.dated.get(object_key::split(&object.key).0);
            let midnight = names.map_or(Midnight::Delivery, |names| names.midnight());
            let (KeyTime::Delivered(at) | KeyTime::Midnight(at)) = time;
            let folder = object_key::date_above(&object.key);
            let choice = match folder {
                Some(folder) => self.wanted.choose_in(folder, time, midnight),
                None => self.wanted.choose(time, midnight),
            };
            match choice {
                Choice::Take(days, why) => {
                    self.found.push(Found { object, why, days, date: folder.or(Some(at.utc_midnight())) });
                }
                Choice::Leave(why) => self.leave(&object.key, object.bytes, why),
            }
        }
        (self.found, self.left)
    }
}

impl ListVisitor for Listing<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        let name = object_key::split(folder).1;
        let why = if name.starts_with("proc_ymd=") {
            "a published day"
        } else if OWN_FOLDERS.contains(&name) {
            "a working folder of a lake"
        } else if let KeyClaim::NotMine(why) = self.source.dataset.claim(&format!("{folder}/")) {
            why
        } else if self.wanted.may_be_in(folder) {
            return true;
        } else {
            "the date of the folder is outside the window"
        };
        self.leave(&format!("{folder}/"), 0, why);
        false
    }

    fn narrow(&self, folder: &str) -> Option<Vec<String>> {
        let day_folder = |date: String| format!("{folder}/{date}");
        self.source
            .dataset
            .holds_days(folder)
            .then(|| self.wanted.folder_dates().into_iter().map(day_folder).collect())
    }

    fn gap(&self, key: &str) -> Option<Gap> {
        let KeyClaim::Mine(KeyTime::Delivered(at)) = self.source.dataset.claim(key) else { return None };
        let time = self.source.dataset.time_in_key(key)?;
        let (digits, mark) = time.leading();
        let series = key[..time.start].to_owned();
        let wanted = if object_key::date_above(key).is_some() { self.wanted.whole() } else { self.wanted };
        let until = match wanted.distance(at) {
            // Behind all years that a key can name.
            Distance::After => format!("{series}9"),
            Distance::Before(start) => format!("{series}{}", time.write(start)),
            Distance::Inside => return None,
        };
        Some(Gap { series, digits, mark, until })
    }

    fn object(&mut self, object: ObjectMeta) {
        match self.source.dataset.claim(&object.key) {
            KeyClaim::Mine(time) => {
                self.note_name(object_key::split(&object.key).0, time);
                self.timed.push((object, time));
            }
            KeyClaim::NotMine(why) => self.leave(&object.key, object.bytes, why),
            KeyClaim::Unclear => self.unclear.push(object),
        }
    }

    fn passed(&mut self, key: &str, reason: &'static str) {
        self.leave(key, 0, reason);
    }
}
