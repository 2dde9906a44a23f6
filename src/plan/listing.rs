//! One listing of an input. It sorts every object and folder into found or left out.

use std::collections::HashSet;

use super::content::Content;
use super::digest_options::DigestMode;
use super::file_name;
use super::held::{Held, HeldLogs, Misplaced};
use super::key_times::{Choice, Midnight, NamePosition, OUTSIDE, Wanted};
use super::place::{Place, is_at_home, is_out_of_reach, written_date};
use super::source::TableSource;
use super::{LeftObject, MISPLACED, UNREADABLE, UNRECOGNISED};
use crate::dataset::object_key;
use crate::dataset::{self, Dataset, FolderDates, KeyClaim, KeyTime};
use crate::error::{Error, Result};
use crate::kst::{DAY_MS, DayRange, UtcInstant};
use crate::store::{ListVisitor, ListingCount, ObjectMeta, SkipRange, Store};

/// Sorts after every year that a key can contain.
pub(super) const AFTER_YEARS: char = '9';

/// How much later than the time in its name an object may have been delivered. CloudTrail writes whole minutes, and clocks
/// differ.
const SLACK_MS: i64 = 300_000;

/// The reason for leaving out an object that is named like one of another log type.
const OF_ANOTHER: &str = "named like another log type";

/// The reason for leaving out an object whose content decides.
const CONTENT_OF_ANOTHER: &str = "its content is of another log type";

/// An object to read.
pub(super) struct Found {
    pub(super) object: ObjectMeta,
    pub(super) why: &'static str,
    /// The days that it can feed.
    pub(super) days: DayRange,
    /// The UTC date of its folder, or of the time in its name.
    pub(super) date: Option<UtcInstant>,
    /// The latest possible time of its events, by its name.
    pub(super) events_until: Option<UtcInstant>,
}

/// An object or folder that is left out.
pub(super) struct Left {
    pub(super) object: LeftObject,
    /// The days that leave it out, because they search its place.
    pub(super) days: DayRange,
}

/// The sorted result of a listing.
pub(super) struct Listed {
    pub(super) found: Vec<Found>,
    pub(super) left: Vec<Left>,
    /// The earliest time in the name of a log, or in a folder that AWS divides by date for the log type.
    pub(super) earliest: Option<UtcInstant>,
    /// The digests, and the folders of digests, which end with `/`. They are left out as well.
    pub(super) digests: Vec<ObjectMeta>,
}

/// The results of earlier listings of the same input.
#[derive(Debug, Default)]
pub(super) struct JudgedKeys {
    /// Keys that were already judged, whatever their time.
    judged: HashSet<String>,
}

/// The state of a listing.
pub(super) struct Listing<'a> {
    source: &'a TableSource,
    wanted: Wanted,
    store: &'a dyn Store,
    judged_keys: &'a mut JudgedKeys,
    /// Shows how far the listing is.
    count: &'a ListingCount,
    place: Place,
    timed: Vec<(ObjectMeta, KeyTime)>,
    unclear: Vec<ObjectMeta>,
    found: Vec<Found>,
    left: Vec<Left>,
    /// Number of objects that were found.
    met: usize,
    /// Number of objects among them that another listing judges.
    known: usize,
    earliest: Option<UtcInstant>,
    digests: Vec<ObjectMeta>,
    /// Whether logs of the log type were found, wanted or not.
    held: Held,
    /// Logs of other log types whose tables do not search their folder.
    misplaced: Misplaced,
    /// Whether the caller only needs `held` and `misplaced`.
    only_looks: bool,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        source: &'a TableSource,
        wanted: Wanted,
        store: &'a dyn Store,
        judged_keys: &'a mut JudgedKeys,
        count: &'a ListingCount,
    ) -> Result<Self> {
        Ok(Self {
            source,
            wanted,
            store,
            judged_keys,
            count,
            place: Place::of(store)?,
            timed: Vec::new(),
            unclear: Vec::new(),
            found: Vec::new(),
            left: Vec::new(),
            met: 0,
            known: 0,
            earliest: None,
            digests: Vec::new(),
            held: Held::No,
            misplaced: Misplaced::default(),
            only_looks: false,
        })
    }

    /// Lists the input and sorts its objects and folders.
    pub(super) fn run(mut self) -> Result<Listed> {
        self.store.list(&mut self)?;
        self.judge_all_unclear()?;
        self.choose_timed();
        let sorted = self.found.len() + self.left.iter().filter(|left| !left.is_folder()).count();
        if sorted + self.known != self.met {
            return Err(Error::bug("the ledger of objects does not balance").with("met", self.met));
        }
        Ok(Listed { found: self.found, left: self.left, earliest: self.earliest, digests: self.digests })
    }

    /// Whether the input holds logs of the log type. The search stops at the first one.
    pub(super) fn look(mut self) -> Result<HeldLogs> {
        self.only_looks = true;
        self.store.list(&mut self)?;
        self.judge_all_unclear()?;
        Ok(HeldLogs { held: self.held, misplaced: self.misplaced })
    }

    /// Leaves out an entry without a time in its name, for the days that search a folder of these dates.
    fn leave(&mut self, key: &str, bytes: u64, why: &'static str, dates: Option<FolderDates>) {
        match self.wanted.days_by_folder(dates) {
            Some(days) => self.push_left(key, bytes, why, days, false),
            None => self.leave_for_time(key, bytes, OUTSIDE),
        }
    }

    /// Notes an entry if it is a digest, or a folder of digests.
    fn note_digest(&mut self, entry: &ObjectMeta) {
        if self.source.digests.mode != DigestMode::Off
            && self.source.spec.dataset.is_digest(&self.place.path(&entry.key))
        {
            self.digests.push(entry.clone());
        }
    }

    fn leave_for_time(&mut self, key: &str, bytes: u64, why: &'static str) {
        self.push_left(key, bytes, why, DayRange::EVER, true);
    }

    fn push_left(&mut self, key: &str, bytes: u64, why: &'static str, days: DayRange, of_another_time: bool) {
        let (address, why) = (self.store.address(key), why.into());
        self.left.push(Left { object: LeftObject { address, bytes, why, of_another_time }, days });
    }

    /// Whether an earlier listing has judged a key. If names are trusted, a folder that AWS named after one date is listed
    /// only once.
    fn is_known(&mut self, key: &str) -> bool {
        let is_once = self.wanted.trusts_names() && self.trusted_dates(key).is_some_and(FolderDates::is_day);
        !is_once && !self.judged_keys.judged.insert(key.to_owned())
    }

    /// Returns the dates of the AWS-named folder that contains an object or folder.
    fn trusted_dates(&self, key: &str) -> Option<FolderDates> {
        self.place.dates_above(key.trim_end_matches('/'))
    }

    /// Whether a key is named like a key of another log type.
    fn is_of_another(&self, key: &str) -> bool {
        let path = self.place.path(key);
        self.others().any(|other| match other.claim(&path) {
            KeyClaim::Mine(_) => true,
            KeyClaim::NotMine(_) => !is_at_home(&path, self.source.spec.dataset),
            KeyClaim::Unclear => false,
        })
    }

    fn others(&self) -> impl Iterator<Item = &'static dyn Dataset> {
        let own = self.source.spec.dataset.name();
        dataset::all().filter(move |other| other.name() != own)
    }

    /// Returns the log type that claims a path as that of its log, and the time in the name.
    fn log_of_another(&self, path: &str) -> Option<(&'static dyn Dataset, KeyTime)> {
        self.others().find_map(|other| match other.claim(path) {
            KeyClaim::Mine(time) => Some((other, time)),
            KeyClaim::Unclear | KeyClaim::NotMine(_) => None,
        })
    }

    /// Returns why a log of another log type is left out: `why`, or that no table reads it. It is then counted.
    fn reason_of_another(&mut self, key: &str, other: &dyn Dataset, why: &'static str) -> &'static str {
        if !is_out_of_reach(&self.place.path(key), other) {
            return why;
        }
        self.misplaced.add(other.name(), self.store.address(key));
        MISPLACED
    }

    /// Does the same for an object that may be named like a log of another log type.
    fn reason_by_name(&mut self, key: &str, why: &'static str) -> &'static str {
        let other = self.log_of_another(&self.place.path(key));
        other.map_or(why, |(other, _)| self.reason_of_another(key, other, why))
    }

    /// Leaves out a log of another log type. One outside the wanted times is left out for its time, because a bucket's listing
    /// skips such names.
    fn leave_log_of_another(
        &mut self,
        object: &ObjectMeta,
        (other, time): (&dyn Dataset, KeyTime),
        why: &'static str,
    ) {
        let choice = match self.trusted_dates(&object.key) {
            Some(dates) => self.wanted.choose_in(dates, time, Midnight::Either),
            None => self.wanted.choose(time, Midnight::Either),
        };
        match choice {
            Choice::Leave(why) => self.leave_for_time(&object.key, object.bytes, why),
            Choice::Take(..) if self.is_known(&object.key) => self.known += 1,
            Choice::Take(days, _) => {
                let why = self.reason_of_another(&object.key, other, why);
                self.push_left(&object.key, object.bytes, why, days, false);
            }
        }
    }

    /// Whether a key is in a folder that AWS named after one date. All of its objects are listed, once for all days.
    fn is_in_day(&self, key: &str) -> bool {
        self.place.dates_above(key).is_some_and(FolderDates::is_day)
    }

    fn judge_all_unclear(&mut self) -> Result<()> {
        for object in std::mem::take(&mut self.unclear) {
            if self.is_done() {
                break;
            }
            let dates = self.place.unclear_dates(&object.key);
            if dates.is_none_or(|dates| self.wanted.meets(dates)) {
                self.judge_unclear(object)?;
            } else if dates.is_some_and(|dates| self.wanted.whole().meets(dates)) {
                // The listing of its date judges it.
                self.known += 1;
            } else {
                self.leave_for_time(&object.key, object.bytes, OUTSIDE);
            }
        }
        Ok(())
    }

    /// Judges an object with an unclear key. Its content decides, whatever other objects exist, so that a day and a range of
    /// days agree. An object that is itself configured as the input is always read.
    fn judge_unclear(&mut self, object: ObjectMeta) -> Result<()> {
        let is_input = self.source.spec.inputs.contains(&self.store.address(&object.key));
        let is_named = is_input && !self.source.shares_input;
        let name = object_key::split(&object.key).1;
        let why = if let Some(why) = file_name::reason_to_leave_out(name) {
            why
        } else if self.is_of_another(&object.key) {
            self.reason_by_name(&object.key, OF_ANOTHER)
        } else if name.starts_with('_') {
            "hidden file"
        } else if is_named {
            self.take_unclear(object, "named as the input");
            return Ok(());
        } else {
            match self.source.contents.of(self.source.spec.dataset, self.store, &object)? {
                Some(Content::Own) => {
                    let why = "no time in its key, but its content is of this log type";
                    self.take_unclear(object, why);
                    return Ok(());
                }
                Some(Content::OfAnother(other)) => {
                    let other = dataset::named(other);
                    let why = CONTENT_OF_ANOTHER;
                    other.map_or(why, |other| self.reason_of_another(&object.key, other, why))
                }
                Some(Content::Unknown) => UNRECOGNISED,
                None => {
                    // It may be a log. Reading the table must then fail; the table must not be left out.
                    self.held = Held::Yes;
                    UNREADABLE
                }
            }
        };
        self.leave(&object.key, object.bytes, why, self.place.unclear_dates(&object.key));
        Ok(())
    }

    fn take_unclear(&mut self, object: ObjectMeta, why: &'static str) {
        self.held = Held::Yes;
        let dates = self.place.unclear_dates(&object.key);
        let date = dates.filter(|dates| dates.is_day() && self.wanted.trusts_names()).map(|day| day.first);
        match self.wanted.days_by_folder(dates) {
            Some(days) => self.found.push(Found { object, why, days, date, events_until: None }),
            None => self.leave_for_time(&object.key, object.bytes, OUTSIDE),
        }
    }

    fn choose_timed(&mut self) {
        for (object, time) in std::mem::take(&mut self.timed) {
            let folder = self.place.folder(&object.key);
            let in_day = folder.dates.filter(|dates| dates.is_day());
            // Names explain each other only if the folder is for one date.
            let of_one_date = in_day.or_else(|| written_date(&object.key));
            let midnight = of_one_date.map_or(Midnight::Either, |_| folder.names.midnight());
            let choice = match folder.dates {
                Some(dates) => self.wanted.choose_in(dates, time, midnight),
                None => self.wanted.choose(time, midnight),
            };
            let unfit = file_name::reason_to_leave_out(object_key::split(&object.key).1);
            match (choice, unfit) {
                (Choice::Take(days, _), Some(why)) => {
                    self.push_left(&object.key, object.bytes, why, days, false);
                }
                (Choice::Take(days, why), None) => {
                    let date = in_day.map_or(time.at().utc_midnight(), |day| day.first);
                    let date = self.wanted.trusts_names().then_some(date);
                    let events_until = date.is_some().then(|| events_until(time, midnight));
                    self.found.push(Found { object, why, days, date, events_until });
                }
                (Choice::Leave(why), _) => self.leave_for_time(&object.key, object.bytes, why),
            }
        }
    }
}

/// Returns the latest possible time of an object's events, if AWS wrote its name.
fn events_until(time: KeyTime, midnight: Midnight) -> UtcInstant {
    let until = match (time, midnight) {
        (KeyTime::Delivered(at), _) | (KeyTime::Midnight(at), Midnight::Delivery) => at,
        (KeyTime::Midnight(at), Midnight::EventDay | Midnight::Either) => at.plus_ms(DAY_MS),
        (KeyTime::Stretch { events, .. }, _) => events.end,
    };
    until.plus_ms(SLACK_MS)
}

impl Left {
    fn is_folder(&self) -> bool {
        self.object.address.ends_with('/')
    }
}

impl ListVisitor for Listing<'_> {
    fn enter(&mut self, folder: &str) -> bool {
        let name = object_key::split(folder).1;
        let why = if let Some(why) = file_name::own_folder(name) {
            why
        } else if let KeyClaim::NotMine(why) =
            self.source.spec.dataset.claim(&self.place.path(&format!("{folder}/")))
        {
            why
        } else if let Some(dates) = self.place.dates(folder).filter(|dates| !self.wanted.meets(*dates)) {
            let divided = self.place.path(folder);
            match Held::below(&divided, self.source.spec.dataset.dataset()) {
                Held::No => {}
                Held::Perhaps => self.held = self.held.max(Held::Perhaps),
                Held::Yes => {
                    self.held = Held::Yes;
                    // The exact dates within the year or month are unknown.
                    self.earliest = self.earliest.into_iter().chain([dates.last]).min();
                }
            }
            self.leave_for_time(&format!("{folder}/"), 0, OUTSIDE);
            return false;
        } else {
            return true;
        };
        let key = format!("{folder}/");
        self.note_digest(&ObjectMeta { key: key.clone(), bytes: 0, etag: None });
        if !self.is_known(&key) {
            self.leave(&key, 0, why, self.trusted_dates(&key));
        }
        false
    }

    fn skip_range(&self, key: &str) -> Option<SkipRange> {
        let path = self.place.path(key);
        let own = self.source.spec.dataset.dataset();
        let (dataset, time, is_own) = match own.claim(&path) {
            KeyClaim::Mine(time) => (own, time, true),
            KeyClaim::Unclear | KeyClaim::NotMine(_) => {
                let (other, time) = self.log_of_another(&path)?;
                (other, time, false)
            }
        };
        let written = dataset.time_in_key(key).filter(|_| self.wanted.trusts_names())?;
        let series = key[..written.start].to_owned();
        let end_of_series = format!("{series}{AFTER_YEARS}");
        if self.only_looks && !is_own && !is_out_of_reach(&path, dataset) {
            let parts = written.parts_of_a_day();
            return Some(SkipRange { series, parts, until: end_of_series, except: Vec::new() });
        }
        let in_day = self.is_in_day(key);
        if in_day && !is_own {
            return None;
        }
        // The meaning of midnight is known once a name of the same date has a time of day.
        let is_open = matches!(time, KeyTime::Midnight(_)) && written_date(key).is_some();
        if is_open {
            return None;
        }
        let wanted = if in_day { self.wanted.whole() } else { self.wanted };
        let (until, mut except) = match wanted.position(time) {
            NamePosition::After => (end_of_series, Vec::new()),
            NamePosition::Before(start) => {
                let days = wanted.event_days_before().filter(|day| *day >= time.at());
                let named = days.map(|day| format!("{series}{}", written.write(day))).collect();
                (format!("{series}{}", written.write(start)), named)
            }
            NamePosition::Inside => return None,
        };
        except.retain(|_| written.may_name_event_day);
        Some(SkipRange { series, parts: written.parts_of_a_day(), until, except })
    }

    fn object(&mut self, object: ObjectMeta) {
        self.met += 1;
        self.count.add(1);
        self.note_digest(&object);
        let path = self.place.path(&object.key);
        let claim = self.source.spec.dataset.claim(&path);
        let trusts_names = self.wanted.trusts_names();
        let name = object_key::split(&object.key).1;
        if !trusts_names && !self.only_looks && self.is_known(&object.key) {
            // Every listing finds it, whatever its dates.
            self.known += 1;
        } else if let KeyClaim::Mine(time) = claim {
            self.held = Held::Yes;
            self.earliest = self.earliest.into_iter().chain([time.at()]).min();
            self.place.note_name(&object.key, time);
            self.timed.push((object, time));
        } else if self.only_looks && (claim != KeyClaim::Unclear || self.is_of_another(&object.key)) {
            // Other objects of other log types do not count if only `held` is needed.
            let misplaced = self.log_of_another(&path).filter(|(other, _)| is_out_of_reach(&path, *other));
            if let Some(log) = misplaced {
                self.leave_log_of_another(&object, log, OF_ANOTHER);
            }
        } else if let Some(log) =
            self.log_of_another(&path).filter(|_| trusts_names && !self.is_in_day(&object.key))
        {
            let by_claim = if let KeyClaim::NotMine(why) = claim { why } else { OF_ANOTHER };
            let why = file_name::reason_to_leave_out(name).unwrap_or(by_claim);
            self.leave_log_of_another(&object, log, why);
        } else if claim == KeyClaim::Unclear && self.place.unclear_dates(&object.key).is_some() {
            // Only the listing of its date judges it.
            self.unclear.push(object);
        } else if trusts_names && self.is_known(&object.key) {
            self.known += 1;
        } else if let KeyClaim::NotMine(why) = claim {
            let why =
                file_name::reason_to_leave_out(name).unwrap_or_else(|| self.reason_by_name(&object.key, why));
            self.leave(&object.key, object.bytes, why, self.trusted_dates(&object.key));
        } else {
            self.unclear.push(object);
        }
    }

    fn passed(&mut self, key: &str, reason: &'static str) {
        let objects = usize::from(!key.ends_with('/'));
        self.met += objects;
        if self.is_known(key) {
            self.known += objects;
        } else {
            self.leave(key, 0, reason, self.trusted_dates(key));
        }
    }

    fn skipped(&mut self, series: &str) {
        self.leave_for_time(&format!("{series}*/"), 0, "names of another time, which were not listed");
    }

    fn is_done(&self) -> bool {
        self.only_looks && self.held == Held::Yes
    }
}

#[cfg(test)]
mod tests;
