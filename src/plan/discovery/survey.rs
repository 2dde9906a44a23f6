//! One listing of an input for all log types together. Every object is counted once, and only counts are kept.

use std::collections::HashMap;

use super::coverage::{Coverage, Folder};
use super::left::Left;
use super::{FoundLogs, Search, Sought, stopped};
use crate::dataset::{FolderDates, KeyClaim, KeyTime, object_key};
use crate::error::{Error, Result};
use crate::kst::UtcInstant;
use crate::plan::content::head;
use crate::plan::held::MisplacedLogs;
use crate::plan::place::{Place, is_at_home, written_date};
use crate::plan::{MISPLACED, UNREADABLE, UNRECOGNISED, file_name};
use crate::store::{ListVisitor, ObjectMeta, SkipRange, Store};

/// The most objects of an input whose content is read, because their keys are unclear. Each takes two requests in a bucket.
const MAX_READ: usize = 500;
/// How often progress is reported, in objects.
const PROGRESS_STEP: u64 = 1000;

/// The reason for leaving out an object beyond [`MAX_READ`].
const UNREAD: &str = "no time in its key, and its content was not read";

/// The listing of an input in progress.
pub(super) struct Survey<'a> {
    search: &'a Search<'a>,
    store: &'a dyn Store,
    place: Place,
    /// Whether to enter a folder, in a listing of only part of the input.
    enters: &'a dyn Fn(&str) -> bool,
    /// The most objects to list.
    limit: u64,
    /// Objects that were found.
    met: u64,
    tallies: Vec<Tally>,
    left: Left,
    misplaced: Vec<MisplacedLogs>,
    /// Objects whose content must decide.
    unclear: Vec<ObjectMeta>,
    /// Folders whose names show that some log types have no logs below them.
    closed: HashMap<String, Closed>,
    here: Here,
}

/// The logs of one log type.
struct Tally {
    coverage: Coverage,
    logs: FoundLogs,
}

/// A folder with no logs of some log types.
#[derive(Debug, Clone, Default)]
struct Closed {
    /// The name of the outermost such folder.
    name: String,
    /// The reason, for each log type without logs.
    why: Vec<Option<&'static str>>,
}

/// The folder of the object that was listed last.
#[derive(Default)]
struct Here {
    folder: Option<String>,
    closed: Closed,
    dates: Option<FolderDates>,
    one_date: Option<UtcInstant>,
}

/// The result of a listing.
pub(super) struct Surveyed {
    pub(super) logs: Vec<FoundLogs>,
    pub(super) left: Left,
    pub(super) misplaced: Vec<MisplacedLogs>,
    pub(super) met: u64,
    /// Number of objects whose content was read.
    pub(super) read: u64,
    /// Whether the limit ended the listing.
    pub(super) is_cut: bool,
}

/// What a path shows about an object.
enum Verdict {
    /// A log of the log type with this index.
    Log(usize, KeyTime),
    NotLog(&'static str),
    /// A log of the log type with this index, whose table does not search the folder.
    Misplaced(usize),
    Unclear,
}

impl<'a> Survey<'a> {
    pub(super) fn new(
        search: &'a Search<'a>,
        store: &'a dyn Store,
        enters: &'a dyn Fn(&str) -> bool,
        limit: u64,
    ) -> Result<Self> {
        let tally = |sought: &Sought| Tally {
            coverage: Coverage::new(sought.lateness_ms),
            logs: FoundLogs::none(sought.dataset),
        };
        Ok(Self {
            search,
            store,
            place: Place::of(store)?,
            enters,
            limit,
            met: 0,
            tallies: search.sought.iter().map(tally).collect(),
            left: Left::default(),
            misplaced: Vec::new(),
            unclear: Vec::new(),
            closed: HashMap::new(),
            here: Here::default(),
        })
    }

    /// Lists the input.
    pub(super) fn run(mut self) -> Result<Surveyed> {
        self.search.list(self.store, &mut self)?;
        let unclear = std::mem::take(&mut self.unclear);
        let read = unclear.len() as u64;
        unclear.iter().try_for_each(|object| self.judge_content(object))?;
        let requests = self.store.requests();
        let finish = |Tally { coverage, mut logs }: Tally| {
            (logs.days, logs.times) = coverage.finish();
            logs.requests = requests;
            logs.fetched = if requests > 0 { logs.objects } else { 0 };
            logs
        };
        let logs: Vec<FoundLogs> = self.tallies.into_iter().map(finish).collect();
        let counted = logs.iter().map(|logs| logs.objects).sum::<u64>() + self.left.objects();
        if counted != self.met {
            return Err(Error::bug("the ledger of objects does not balance").with("met", self.met));
        }
        let Self { left, misplaced, met, limit, .. } = self;
        Ok(Surveyed { logs, left, misplaced, met, read, is_cut: met >= limit })
    }

    /// Judges an object by its content, as a plan does if the key is unclear.
    fn judge_content(&mut self, object: &ObjectMeta) -> Result<()> {
        stopped(self.search.cancel)?;
        self.go_to(&object.key);
        let content = head(self.store, &object.key)?;
        let is_open = |index: &usize| self.here.closed.why.get(*index).copied().flatten().is_none();
        let (open, closed): (Vec<usize>, Vec<usize>) = (0..self.tallies.len()).partition(is_open);
        let found = content.as_ref().map(|content| {
            let is_of = |index: &usize| self.search.sought[*index].dataset.recognises(content);
            open.iter().chain(&closed).copied().find(is_of)
        });
        match found {
            Some(Some(index)) if closed.contains(&index) => self.leave_misplaced(index, object),
            Some(Some(index)) => {
                let is_of_any_day =
                    self.tallies[index].coverage.add_undated(self.place.unclear_dates(&object.key));
                self.tallies[index].logs.undated += u64::from(is_of_any_day);
                self.count(index, object);
            }
            Some(None) => self.leave(&object.key, object.bytes, UNRECOGNISED),
            None => self.leave(&object.key, object.bytes, UNREADABLE),
        }
        Ok(())
    }

    /// Counts a log and the names that its path shows.
    fn count(&mut self, index: usize, object: &ObjectMeta) {
        let path = self.place.path(&object.key);
        self.tallies[index].logs.add(object.bytes, self.search.sought[index].dataset.origin(&path));
    }

    /// Counts a log that no table reads, because the table of its log type does not search the folder.
    fn leave_misplaced(&mut self, index: usize, object: &ObjectMeta) {
        if let Some(why) = file_name::reason_to_leave_out(object_key::split(&object.key).1) {
            return self.leave(&object.key, object.bytes, why);
        }
        let (dataset, first) = (self.search.sought[index].dataset.name(), self.store.address(&object.key));
        MisplacedLogs { dataset, objects: 1, first }.add_to(&mut self.misplaced);
        self.leave(&object.key, object.bytes, MISPLACED);
    }

    fn leave(&mut self, key: &str, bytes: u64, why: &'static str) {
        let folder = match self.here.closed.name.as_str() {
            "" => key.split_once('/').map_or("", |(folder, _)| folder),
            name => name,
        };
        self.left.add(folder, self.store.address(key), bytes, why);
    }

    /// Moves to the folder of a key.
    fn go_to(&mut self, key: &str) {
        let folder = object_key::split(key).0;
        if self.here.folder.as_deref() == Some(folder) {
            return;
        }
        let dates = self.place.dates_above(key);
        let one_date =
            dates.filter(|dates| dates.is_day()).or_else(|| written_date(key)).map(|day| day.first);
        let closed = self.closed_by(folder).cloned().unwrap_or_default();
        self.here = Here { folder: Some(folder.to_owned()), closed, dates, one_date };
    }

    /// Returns the innermost closed folder that is or contains a folder.
    fn closed_by<'f>(&self, folder: &'f str) -> Option<&Closed> {
        let above = |folder: &&'f str| folder.rsplit_once('/').map(|(above, _)| above);
        std::iter::successors(Some(folder), above).find_map(|folder| self.closed.get(folder))
    }

    /// Notes for which log types the name of a folder shows that it has no logs.
    fn close(&mut self, folder: &str) {
        let path = self.place.path(&format!("{folder}/"));
        let above = self.closed_by(folder).cloned();
        let mut closed = above.unwrap_or_default();
        closed.why.resize(self.tallies.len(), None);
        let mut is_new = false;
        for (why, sought) in closed.why.iter_mut().zip(&self.search.sought).filter(|(why, _)| why.is_none()) {
            if let KeyClaim::NotMine(reason) = sought.dataset.claim(&path) {
                (*why, is_new) = (Some(reason), true);
            }
        }
        if is_new {
            if closed.name.is_empty() {
                object_key::split(folder).1.clone_into(&mut closed.name);
            }
            self.closed.insert(folder.to_owned(), closed);
        }
    }

    /// Decides about an object by its path. A log type has no logs below a folder that is closed to it, and its key then
    /// only shows that the object belongs to no other log type.
    fn judge(&self, path: &str) -> Verdict {
        let (mut not_mine, mut closed, mut is_open, mut is_home) = (None, None, false, false);
        let mut misplaced = None;
        for (index, sought) in self.search.sought.iter().enumerate() {
            let why = self.here.closed.why.get(index).copied().flatten();
            match (sought.dataset.claim(path), why) {
                (KeyClaim::Mine(time), None) => return Verdict::Log(index, time),
                (KeyClaim::Mine(_), Some(_)) => misplaced = misplaced.or(Some(index)),
                (KeyClaim::NotMine(why), None | Some(_)) => not_mine = not_mine.or(Some(why)),
                (KeyClaim::Unclear, None) => {
                    is_open = true;
                    is_home |= is_at_home(path, sought.dataset);
                }
                (KeyClaim::Unclear, Some(why)) => closed = closed.or(Some(why)),
            }
        }
        if let Some(index) = misplaced.filter(|_| !is_home) {
            return Verdict::Misplaced(index);
        }
        match not_mine.filter(|_| !is_home).or(closed.filter(|_| !is_open)) {
            Some(why) => Verdict::NotLog(why),
            None => Verdict::Unclear,
        }
    }

    fn take_log(&mut self, index: usize, time: KeyTime, object: &ObjectMeta) {
        if let Some(why) = file_name::reason_to_leave_out(object_key::split(&object.key).1) {
            return self.leave(&object.key, object.bytes, why);
        }
        let dataset = self.search.sought[index].dataset;
        let may_be_event_day = dataset.time_in_key(&object.key).is_some_and(|time| time.may_name_event_day);
        let Here { folder, dates, one_date, .. } = &self.here;
        let folder =
            Folder { name: folder.as_deref().unwrap_or_default(), dates: *dates, one_date: *one_date };
        match self.tallies[index].coverage.add(folder, time, may_be_event_day) {
            Ok(()) => self.count(index, object),
            Err(why) => self.leave(&object.key, object.bytes, why),
        }
    }
}

/// Returns why an object with an unclear key is left out by its name.
fn unfit(key: &str) -> Option<&'static str> {
    let name = object_key::split(key).1;
    file_name::reason_to_leave_out(name).or_else(|| name.starts_with('_').then_some("hidden file"))
}

impl ListVisitor for Survey<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        if let Some(why) = file_name::own_folder(object_key::split(folder).1) {
            let key = format!("{folder}/");
            self.go_to(&key);
            self.leave(&key, 0, why);
            return false;
        }
        if !(self.enters)(folder) {
            return false;
        }
        self.close(folder);
        true
    }

    fn skip_range(&self, _: &str) -> Option<SkipRange> {
        None
    }

    fn object(&mut self, object: ObjectMeta) {
        self.met += 1;
        if self.met.is_multiple_of(PROGRESS_STEP) {
            (self.search.progress)(PROGRESS_STEP);
        }
        self.go_to(&object.key);
        match self.judge(&self.place.path(&object.key)) {
            Verdict::Log(index, time) => self.take_log(index, time, &object),
            Verdict::NotLog(why) => {
                let unfit = file_name::reason_to_leave_out(object_key::split(&object.key).1);
                self.leave(&object.key, object.bytes, unfit.unwrap_or(why));
            }
            Verdict::Misplaced(index) => self.leave_misplaced(index, &object),
            Verdict::Unclear => match unfit(&object.key) {
                None if self.unclear.len() < MAX_READ => self.unclear.push(object),
                why => self.leave(&object.key, object.bytes, why.unwrap_or(UNREAD)),
            },
        }
    }

    fn passed(&mut self, key: &str, reason: &'static str) {
        self.met += u64::from(!key.ends_with('/'));
        self.go_to(key);
        self.leave(key, 0, reason);
    }

    fn skipped(&mut self, _: &str) {}

    fn is_done(&self) -> bool {
        self.met >= self.limit || self.search.cancel.check().is_err()
    }
}
