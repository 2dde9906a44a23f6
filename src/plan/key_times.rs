//! Decides by the time in its key whether a day needs an object.

use serde::{Deserialize, Serialize};

use crate::dataset::{FolderDates, KeyTime};
use crate::kst::{DAY_MS, DayRange, KstDay, UtcInstant, UtcWindow};

/// Whether to trust the times in object names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTimes {
    /// Trusts them. AWS writes the time of delivery or the UTC day of the events into names.
    #[default]
    Trusted,
    /// Ignores them because the logs were repackaged or renamed. Names and dated folders exclude no object.
    Ignored,
}

/// The meaning of midnight in a key, derived from the other names in its dated folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Midnight {
    /// The folder has several names, all with midnight: the date is the UTC day of the events.
    EventDay,
    /// Other names have a time of day: the date is the day of delivery.
    Delivery,
    /// Unknown: the folder has too few names or a mix of both, or the key is not in a dated folder.
    Either,
}

/// The names in a dated folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct FolderNames {
    /// Whether some have a time of day.
    pub has_times_of_day: bool,
    /// How many have midnight as their time.
    pub midnights: u32,
}

impl FolderNames {
    /// The number of names that cannot all show midnight by chance: a delivery hits one of 86,400 seconds in a day.
    const MANY: u32 = 3;

    /// Returns what midnight means in this folder. Only the folder decides, so that a day and a range of days agree.
    #[must_use]
    pub fn midnight(self) -> Midnight {
        match (self.has_times_of_day, self.midnights >= Self::MANY) {
            (true, false) => Midnight::Delivery,
            (false, true) => Midnight::EventDay,
            // Too few names, or the bucket changed its naming during the day.
            (false, false) | (true, true) => Midnight::Either,
        }
    }
}

/// The position of the time in a name relative to the wanted times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePosition {
    /// Before the wanted times, which begin at this instant.
    Before(UtcInstant),
    /// Within the wanted times.
    Inside,
    /// After the wanted times.
    After,
}

impl NamePosition {
    fn of(at: UtcInstant, wanted: UtcWindow) -> Self {
        if at < wanted.start {
            Self::Before(wanted.start)
        } else if at >= wanted.end {
            Self::After
        } else {
            Self::Inside
        }
    }
}

/// Whether an object is read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Read it, for these days.
    Take(DayRange, &'static str),
    /// Leave it out.
    Leave(&'static str),
}

/// The wanted days, and the time windows of the objects that can feed them.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    days: DayRange,
    lateness_ms: i64,
    key_times: KeyTimes,
    /// Times of delivery.
    deliveries: UtcWindow,
    /// Midnights at which UTC event days begin.
    event_days: UtcWindow,
    /// Limits the times in names, if not all of them are wanted.
    names: Option<UtcWindow>,
}

impl Wanted {
    /// Creates the windows for some days, whose late objects are expected for `lateness_ms` milliseconds.
    #[must_use]
    pub fn new(days: DayRange, lateness_ms: i64, key_times: KeyTimes) -> Self {
        let window = days.window();
        let event_days = UtcWindow { start: window.start.plus_ms(1 - DAY_MS), end: window.end };
        let deliveries = window.extended_by(lateness_ms);
        Self { days, lateness_ms, key_times, deliveries, event_days, names: None }
    }

    /// Whether names and dated folders can exclude objects.
    #[must_use]
    pub fn trusts_names(&self) -> bool {
        self.key_times == KeyTimes::Trusted
    }

    /// Limits the windows to times in `stretch`.
    #[must_use]
    pub fn within(self, stretch: UtcWindow) -> Self {
        let deliveries = self.deliveries.intersection(stretch);
        let names = self.names.map_or(stretch, |names| names.intersection(stretch));
        Self { deliveries, event_days: self.event_days.intersection(stretch), names: Some(names), ..self }
    }

    /// Returns the UTC dates of all wanted times, as midnights in order.
    #[must_use]
    pub fn dates(&self) -> Vec<UtcInstant> {
        let all = UtcWindow {
            start: self.deliveries.start.min(self.event_days.start),
            end: self.deliveries.end.max(self.event_days.end),
        };
        all.utc_midnights().filter(|midnight| self.may_be_on(*midnight)).collect()
    }

    /// Decides about an object.
    #[must_use]
    pub fn choose(&self, time: KeyTime, midnight: Midnight) -> Choice {
        if !self.trusts_names() {
            return Choice::Take(self.days, "read whatever time its name says");
        }
        match (time, midnight) {
            (KeyTime::Delivered(at), _) | (KeyTime::Midnight(at), Midnight::Delivery) => self.by_delivery(at),
            (KeyTime::Midnight(at), Midnight::EventDay) => self.by_event_day(at),
            (KeyTime::Midnight(at), Midnight::Either) => self.by_either(at),
            (KeyTime::Stretch { at, events }, _) => self.by_stretch(at, events),
        }
    }

    /// Chooses the days of both meanings. Rows of other days are only counted, but no row is missed.
    fn by_either(&self, at: UtcInstant) -> Choice {
        match (self.by_delivery(at), self.by_event_day(at)) {
            (Choice::Take(by_delivery, _), Choice::Take(by_event, why)) => {
                let (first, last) =
                    (by_delivery.first.min(by_event.first), by_delivery.last.max(by_event.last));
                Choice::Take(DayRange { first, last }, why)
            }
            (Choice::Leave(_), by_event) => by_event,
            (by_delivery, Choice::Leave(_)) => by_delivery,
        }
    }

    /// Decides about an object in a dated folder. The folder of one date is listed once for all days that search it, and a
    /// name in it may have a time of another date.
    #[must_use]
    pub fn choose_in(&self, folder: FolderDates, time: KeyTime, midnight: Midnight) -> Choice {
        let wanted = if folder.is_day() { self.whole() } else { *self };
        let choice = wanted.choose(time, midnight);
        let Choice::Take(days, why) = choice else { return choice };
        let looking = self.days_by_folder(Some(folder)).and_then(|looking| looking.intersection(days));
        looking.map_or(Choice::Leave(OUTSIDE), |days| Choice::Take(days, why))
    }

    /// Returns the windows without a limit to a stretch.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self::new(self.days, self.lateness_ms, self.key_times)
    }

    fn by_delivery(&self, at: UtcInstant) -> Choice {
        let fed = DayRange::between(at.plus_ms(-self.lateness_ms), at).intersection(self.days);
        match (NamePosition::of(at, self.deliveries), fed) {
            (NamePosition::Before(_), _) => Choice::Leave("delivered before the day began"),
            (NamePosition::Inside, Some(fed)) if fed.contains(KstDay::of(at)) => {
                Choice::Take(fed, "delivered within the day")
            }
            (NamePosition::Inside, Some(fed)) => {
                Choice::Take(fed, "delivered late, within the lateness window")
            }
            _ => Choice::Leave("delivered after the lateness window"),
        }
    }

    fn by_event_day(&self, midnight: UtcInstant) -> Choice {
        let fed = DayRange::between(midnight, midnight.plus_ms(DAY_MS - 1)).intersection(self.days);
        match fed {
            Some(fed) if self.event_days.contains(midnight) => {
                Choice::Take(fed, "its UTC event day overlaps the day")
            }
            _ => Choice::Leave("its UTC event day does not overlap the day"),
        }
    }

    fn by_stretch(&self, at: UtcInstant, events: UtcWindow) -> Choice {
        let fed = DayRange::between(events.start, events.end.plus_ms(-1)).intersection(self.days);
        match fed {
            Some(fed) if NamePosition::of(at, self.names_of_stretch(at, events)) == NamePosition::Inside => {
                Choice::Take(fed, "its events overlap the day")
            }
            _ => Choice::Leave("its events do not overlap the day"),
        }
    }

    /// The times in names whose events overlap the days, if all names of a series relate to their events like this one.
    fn names_of_stretch(&self, at: UtcInstant, events: UtcWindow) -> UtcWindow {
        let window = self.days.window();
        let (before, after) = (at.0 - events.start.0, events.end.0 - at.0);
        let names = UtcWindow { start: window.start.plus_ms(1 - after), end: window.end.plus_ms(before) };
        self.names.map_or(names, |part| names.intersection(part))
    }

    /// Returns the days that an object without a time can feed: all days, or those that search its dated folder.
    #[must_use]
    pub fn days_by_folder(&self, folder: Option<FolderDates>) -> Option<DayRange> {
        let Some(folder) = folder.filter(|_| self.trusts_names()) else { return Some(self.days) };
        let (first, last) = (folder.first.plus_ms(-self.lateness_ms), folder.last.plus_ms(DAY_MS - 1));
        DayRange::between(first, last).intersection(self.days)
    }

    /// Returns the position of the time in a name.
    #[must_use]
    pub fn position(&self, time: KeyTime) -> NamePosition {
        match time {
            KeyTime::Delivered(at) | KeyTime::Midnight(at) => NamePosition::of(at, self.deliveries),
            KeyTime::Stretch { at, events } => NamePosition::of(at, self.names_of_stretch(at, events)),
        }
    }

    /// Whether a dated folder can hold wanted objects.
    #[must_use]
    pub fn meets(&self, folder: FolderDates) -> bool {
        let stretch = UtcWindow { start: folder.first, end: folder.last.plus_ms(DAY_MS) };
        let has_event_day = || midnights_in(self.event_days.intersection(stretch)).next().is_some();
        !self.trusts_names() || stretch.overlaps(self.deliveries) || has_event_day()
    }

    /// Returns the midnights of wanted UTC event days that are before all wanted delivery times.
    pub fn event_days_before(&self) -> impl Iterator<Item = UtcInstant> + use<> {
        let start = self.deliveries.start;
        midnights_in(self.event_days).filter(move |midnight| *midnight < start)
    }

    fn may_be_on(&self, midnight: UtcInstant) -> bool {
        UtcWindow::utc_day_from(midnight).overlaps(self.deliveries) || self.event_days.contains(midnight)
    }
}

fn midnights_in(window: UtcWindow) -> impl Iterator<Item = UtcInstant> + use<> {
    window.utc_midnights().filter(move |midnight| window.contains(*midnight))
}

/// The reason for leaving out entries of a dated folder.
pub(super) const OUTSIDE: &str = "the date of its folder is outside the window";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(time: KeyTime, midnight: Midnight, expected: bool) {
        let wanted =
            Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), 6 * 3_600_000, KeyTimes::Trusted);
        let taken = matches!(wanted.choose(time, midnight), Choice::Take(..));
        assert_eq!(taken, expected, "{time:?} {midnight:?}");
    }

    fn at(text: &str) -> UtcInstant {
        UtcInstant::parse_iso8601(text).unwrap()
    }

    #[test]
    fn deliveries_count_from_the_start_of_the_day_to_the_end_of_the_lateness_window() {
        for (text, expected) in [
            ("2023-10-31T14:59:00Z", false),
            ("2023-10-31T15:00:00Z", true),
            ("2023-11-01T20:59:59Z", true),
            ("2023-11-01T21:00:00Z", false),
        ] {
            check(KeyTime::Delivered(at(text)), Midnight::EventDay, expected);
        }
    }

    #[test]
    fn event_days_count_if_they_overlap_the_day() {
        for (text, expected) in [
            ("2023-10-30T00:00:00Z", false),
            ("2023-10-31T00:00:00Z", true),
            ("2023-11-01T00:00:00Z", true),
            ("2023-11-02T00:00:00Z", false),
        ] {
            check(KeyTime::Midnight(at(text)), Midnight::EventDay, expected);
        }
        check(KeyTime::Midnight(at("2023-10-31T00:00:00Z")), Midnight::Delivery, false);
    }

    #[test]
    fn an_ambiguous_midnight_is_read_for_the_days_of_both_meanings() {
        for (text, expected) in [
            ("2023-10-30T00:00:00Z", false),
            ("2023-10-31T00:00:00Z", true),
            ("2023-11-01T00:00:00Z", true),
            ("2023-11-02T00:00:00Z", false),
        ] {
            check(KeyTime::Midnight(at(text)), Midnight::Either, expected);
        }
        let wanted =
            Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), 10 * 3_600_000, KeyTimes::Trusted);
        let choice = wanted.choose(KeyTime::Midnight(at("2023-11-02T00:00:00Z")), Midnight::Either);
        assert!(matches!(choice, Choice::Take(..)), "delivered nine hours after the day");
        let names = |has_times_of_day, midnights| FolderNames { has_times_of_day, midnights }.midnight();
        assert_eq!(names(true, 2), Midnight::Delivery);
        assert_eq!(names(true, 9), Midnight::Either);
        assert_eq!(names(false, 3), Midnight::EventDay);
        assert_eq!(names(false, 2), Midnight::Either);
    }

    #[test]
    fn a_stretch_of_events_counts_when_it_overlaps_the_day_whenever_it_was_delivered() {
        const MINUTES: i64 = 60_000;
        // Minutes before and after the time in the name.
        for (text, before, after, expected) in [
            ("2023-10-31T15:00:00Z", 5, 0, false),
            ("2023-10-31T15:05:00Z", 5, 0, true),
            ("2023-11-01T15:00:00Z", 5, 0, true),
            ("2023-11-01T15:04:00Z", 5, 0, true),
            ("2023-11-01T15:05:00Z", 5, 0, false),
            ("2023-10-31T14:00:00Z", 0, 60, false),
            ("2023-10-31T14:01:00Z", 0, 60, true),
            ("2023-11-01T14:59:00Z", 0, 60, true),
            ("2023-11-01T15:00:00Z", 0, 60, false),
        ] {
            let time = KeyTime::stretch(at(text), before * MINUTES, after * MINUTES);
            check(time, Midnight::Either, expected);
            let is_inside = wanted(0).position(time) == NamePosition::Inside;
            assert_eq!(is_inside, expected, "a listing passes over {text} if it is not wanted");
        }
    }

    #[test]
    fn exactly_one_part_of_a_walk_takes_a_stretch() {
        let name = at("2023-11-01T00:00:00Z");
        let time = KeyTime::stretch(name, 300_000, 0);
        let parts = [-DAY_MS, 0, DAY_MS]
            .map(|from| UtcWindow { start: name.plus_ms(from), end: name.plus_ms(from + DAY_MS) });
        let takes = parts
            .map(|part| matches!(wanted(6).within(part).choose(time, Midnight::Either), Choice::Take(..)));
        assert_eq!(takes, [false, true, false]);
    }

    fn wanted(hours: i64) -> Wanted {
        let day = DayRange::only("2023-11-01".parse().unwrap());
        Wanted::new(day, hours * 3_600_000, KeyTimes::Trusted)
    }

    #[test]
    fn the_dates_cover_the_day_and_the_lateness_window() {
        let dates = |hours| {
            let dates = wanted(hours).dates();
            dates.iter().map(|at| at.to_string()[5..10].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(dates(0), ["10-31", "11-01"]);
        assert_eq!(dates(6), ["10-31", "11-01"]);
        assert_eq!(dates(9), ["10-31", "11-01"]);
        assert_eq!(dates(10), ["10-31", "11-01", "11-02"]);
    }

    #[test]
    fn folders_outside_the_window_are_not_entered() {
        for (first, last, expected) in [
            ("2023-10-30", "2023-10-30", false),
            ("2023-10-31", "2023-10-31", true),
            ("2023-11-01", "2023-11-01", true),
            ("2023-11-02", "2023-11-02", false),
            ("2023-10-01", "2023-10-31", true),
            ("2023-11-01", "2023-11-30", true),
            ("2023-01-01", "2023-12-31", true),
            ("2023-09-01", "2023-09-30", false),
            ("2024-01-01", "2024-12-31", false),
        ] {
            let midnight = |date: &str| at(&format!("{date}T00:00:00Z"));
            let folder = FolderDates { first: midnight(first), last: midnight(last) };
            assert_eq!(wanted(6).meets(folder), expected, "{folder:?}");
            assert_eq!(wanted(6).days_by_folder(Some(folder)).is_some(), expected, "{folder:?}");
        }
    }

    #[test]
    fn untrusted_names_exclude_nothing() {
        let day = DayRange::only("2023-11-01".parse().unwrap());
        let wanted = Wanted::new(day, 0, KeyTimes::Ignored);
        let folder = FolderDates { first: at("2019-01-01T00:00:00Z"), last: at("2019-01-01T00:00:00Z") };
        let time = KeyTime::Delivered(at("2019-01-01T00:00:00Z"));
        assert!(wanted.meets(folder));
        assert_eq!(wanted.days_by_folder(Some(folder)), Some(day));
        assert!(matches!(wanted.choose_in(folder, time, Midnight::Either), Choice::Take(..)));
    }
}
