//! The days that the logs of one log type can feed. Memory is needed only for folders that could still extend them.

use std::collections::HashMap;

use crate::dataset::{FolderDates, KeyTime};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::KeyTimes;
use crate::plan::key_times::{Choice, FolderNames, Midnight, Wanted};

/// Number of folders from which on settled ones are forgotten.
const MANY_FOLDERS: usize = 4096;

/// The days of the logs so far.
pub(super) struct Coverage {
    /// Every day, so that a choice tells all days that an object can feed.
    wanted: Wanted,
    days: Option<DayRange>,
    /// The first and last time of an event or a delivery, as far as names and folders show it.
    times: Option<(UtcInstant, UtcInstant)>,
    /// Folders of one date whose names decide what midnight means.
    folders: HashMap<String, OneDate>,
    many: usize,
}

/// The folder of an object.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Folder<'a> {
    pub(super) name: &'a str,
    /// The dates of the folder, if AWS divides the folders above it by dates.
    pub(super) dates: Option<FolderDates>,
    /// The one date in its path, even if AWS did not create it.
    pub(super) one_date: Option<UtcInstant>,
}

/// A folder of one date with names that may show midnight.
struct OneDate {
    dates: Option<FolderDates>,
    midnight: UtcInstant,
    names: FolderNames,
}

impl Coverage {
    /// Begins without logs. Late objects are expected for `lateness_ms` milliseconds.
    pub(super) fn new(lateness_ms: i64) -> Self {
        let wanted = Wanted::new(DayRange::EVER, lateness_ms, KeyTimes::Trusted);
        Self { wanted, days: None, times: None, folders: HashMap::new(), many: MANY_FOLDERS }
    }

    /// Adds a log by the time in its name. `may_be_event_day` is whether midnight can mean the day of the events for logs of
    /// this kind. Fails with the reason if it can feed no day at all.
    pub(super) fn add(
        &mut self,
        folder: Folder<'_>,
        time: KeyTime,
        may_be_event_day: bool,
    ) -> Result<(), &'static str> {
        let days = self.days_of(folder.dates, time, Midnight::Either)?;
        match (time, folder.one_date) {
            (KeyTime::Midnight(at), Some(date)) if at == date => {
                self.note_times(at, at);
                self.note(folder, date, |names| names.midnights += 1);
            }
            (KeyTime::Stretch { events, .. }, _) => {
                self.note_times(events.start, events.end);
                self.extend(days);
            }
            (_, one_date) => {
                self.note_times(time.at(), time.at());
                self.extend(days);
                if let Some(date) = one_date.filter(|_| may_be_event_day) {
                    self.note(folder, date, |names| names.has_times_of_day = true);
                }
            }
        }
        Ok(())
    }

    /// Adds a log without a time in its name. Returns whether it can feed any day, because its folder has no dates either.
    pub(super) fn add_undated(&mut self, dates: Option<FolderDates>) -> bool {
        if let Some(dates) = dates {
            self.note_times(dates.first, dates.last);
            if let Some(days) = self.wanted.days_by_folder(Some(dates)) {
                self.extend(days);
            }
        }
        dates.is_none()
    }

    /// Returns the days, and the first and last time of an event or a delivery.
    pub(super) fn finish(mut self) -> (Option<DayRange>, Option<(UtcInstant, UtcInstant)>) {
        for folder in
            std::mem::take(&mut self.folders).into_values().filter(|folder| folder.names.midnights > 0)
        {
            let time = KeyTime::Midnight(folder.midnight);
            if let Ok(days) = self.days_of(folder.dates, time, folder.names.midnight()) {
                self.extend(days);
            }
        }
        (self.days, self.times)
    }

    fn days_of(
        &self,
        dates: Option<FolderDates>,
        time: KeyTime,
        midnight: Midnight,
    ) -> Result<DayRange, &'static str> {
        let choice = match dates {
            Some(dates) => self.wanted.choose_in(dates, time, midnight),
            None => self.wanted.choose(time, midnight),
        };
        match choice {
            Choice::Take(days, _) => Ok(days),
            Choice::Leave(why) => Err(why),
        }
    }

    fn extend(&mut self, days: DayRange) {
        self.days = Some(self.days.map_or(days, |own| own.joined(days)));
    }

    fn note_times(&mut self, from: UtcInstant, to: UtcInstant) {
        let (first, last) = self.times.unwrap_or((from, to));
        self.times = Some((first.min(from), last.max(to)));
    }

    /// Notes a name in a folder of one date, unless no meaning of midnight can extend the days.
    fn note(&mut self, folder: Folder<'_>, midnight: UtcInstant, change: impl Fn(&mut FolderNames)) {
        if let Some(known) = self.folders.get_mut(folder.name) {
            return change(&mut known.names);
        }
        let mut new = OneDate { dates: folder.dates, midnight, names: FolderNames::default() };
        if self.is_settled(&new) {
            return;
        }
        change(&mut new.names);
        self.folders.insert(folder.name.to_owned(), new);
        if self.folders.len() > self.many {
            self.forget_settled();
        }
    }

    /// Whether no meaning of midnight extends the days.
    fn is_settled(&self, folder: &OneDate) -> bool {
        let widest = self.days_of(folder.dates, KeyTime::Midnight(folder.midnight), Midnight::Either);
        let (Ok(widest), Some(days)) = (widest, self.days) else { return false };
        days.contains(widest.first) && days.contains(widest.last)
    }

    fn forget_settled(&mut self) {
        let sure = |folder: &OneDate| KstDay::of(folder.midnight);
        let dated: Vec<&OneDate> =
            self.folders.values().filter(|folder| folder.names.midnights > 0).collect();
        let sure =
            dated.iter().map(|folder| sure(folder)).min().zip(dated.iter().map(|folder| sure(folder)).max());
        // The day that begins nine hours before a midnight is fed under either meaning.
        if let Some((first, last)) = sure {
            self.extend(DayRange { first, last });
        }
        let folders = std::mem::take(&mut self.folders);
        let open = folders.into_iter().filter(|(_, folder)| !self.is_settled(folder));
        self.folders = open.collect();
        self.many = MANY_FOLDERS.max(2 * self.folders.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kst::DAY_MS;

    const HOUR: i64 = 3_600_000;

    fn at(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    fn midnight(date: &str) -> UtcInstant {
        at(&format!("{date}T00:00:00Z"))
    }

    fn days(coverage: Coverage) -> Option<(String, String)> {
        coverage.finish().0.map(|days| (days.first.to_string(), days.last.to_string()))
    }

    /// The days of names in one folder of 2023-11-01, with a lateness of 24 hours.
    fn check(names: &[KeyTime], expected: (&str, &str)) {
        let mut coverage = Coverage::new(24 * HOUR);
        let date = midnight("2023-11-01");
        let folder = Folder { name: "a", dates: None, one_date: Some(date) };
        for name in names {
            coverage.add(folder, *name, true).unwrap();
        }
        assert_eq!(days(coverage), Some((expected.0.to_owned(), expected.1.to_owned())), "{names:?}");
    }

    #[test]
    fn a_midnight_feeds_the_days_that_the_names_of_its_folder_show() {
        let (zero, noon) =
            (KeyTime::Midnight(midnight("2023-11-01")), KeyTime::Delivered(at("2023-11-01T03:00:00Z")));
        // Delivered at 09:00 in Korea, up to a day late; or the events of the UTC day, which ends at 09:00 of the next day.
        check(&[zero], ("2023-10-31", "2023-11-02"));
        check(&[zero, zero, zero], ("2023-11-01", "2023-11-02"));
        check(&[zero, noon], ("2023-10-31", "2023-11-01"));
        check(&[noon, zero], ("2023-10-31", "2023-11-01"));
        check(&[noon, zero, zero, zero], ("2023-10-31", "2023-11-02"));
    }

    #[test]
    fn the_dates_of_a_folder_limit_the_days_and_a_name_of_another_time_feeds_none() {
        let dates = Some(FolderDates::day(midnight("2023-11-01")));
        let folder = Folder { name: "a", dates, one_date: Some(midnight("2023-11-01")) };
        let mut coverage = Coverage::new(6 * HOUR);
        let far = KeyTime::Delivered(at("2020-01-01T03:00:00Z"));
        assert_eq!(coverage.add(folder, far, true), Err("the date of its folder is outside the window"));
        assert!(!coverage.add_undated(dates));
        assert!(coverage.add_undated(None), "it can feed any day");
        assert_eq!(days(coverage), Some(("2023-11-01".to_owned(), "2023-11-02".to_owned())));
        assert_eq!(Coverage::new(0).finish(), (None, None));
    }

    #[test]
    fn forgetting_settled_folders_changes_no_day() {
        let count = 3 * MANY_FOLDERS;
        let mut coverage = Coverage::new(24 * HOUR);
        let mut most = 0;
        for number in 0..count {
            // The folders alternate between both ends, which move apart.
            let days = i64::try_from(number).unwrap() * if number % 2 == 0 { DAY_MS } else { -DAY_MS };
            let date = midnight("2023-11-01").plus_ms(days);
            let name = number.to_string();
            let folder = Folder { name: &name, dates: None, one_date: Some(date) };
            for _ in 0..3 {
                coverage.add(folder, KeyTime::Midnight(date), true).unwrap();
            }
            most = most.max(coverage.folders.len());
        }
        assert_eq!(most, MANY_FOLDERS, "they are forgotten as soon as there are more");
        let [last, first] = [count - 2, count - 1].map(|days| i64::try_from(days).unwrap());
        let around = |days: i64| KstDay::of(midnight("2023-11-01").plus_ms(days * DAY_MS));
        let expected = (around(-first).to_string(), around(last).next().to_string());
        assert_eq!(days(coverage), Some(expected));
    }
}
