//! Whether a day needs an object, by the time in its key.

use serde::{Deserialize, Serialize};

use crate::dataset::{FolderDates, KeyTime};
use crate::kst::{DAY_MS, DayRange, KstDay, UtcInstant, UtcWindow};

/// What the times in the names of a source's objects are worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyTimes {
    /// They are those of delivery, or the UTC days of the events, as AWS writes them.
    #[default]
    Trusted,
    /// Somebody has repackaged or renamed the logs: neither names nor dated folders rule an object out.
    Ignored,
}

/// What midnight in the name of a key means, told by the other names of its dated folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Midnight {
    /// All of many names say midnight: the date is the UTC day of the events.
    EventDay,
    /// Others have a time of day: the date is that of delivery.
    Delivery,
    /// Too few names tell, they say both, or no dated folder is there.
    Either,
}

/// The names in a dated folder.
#[derive(Debug, Clone, Copy, Default)]
pub struct FolderNames {
    /// Whether some have a time of day.
    pub has_times_of_day: bool,
    /// How many say midnight.
    pub midnights: u32,
}

impl FolderNames {
    /// So many names do not all say midnight by chance: a log is delivered in one second of the 86,400 of a day.
    const MANY: u32 = 3;

    /// What midnight means among them. Nothing but the folder decides, so that a day and a range of days agree.
    #[must_use]
    pub fn midnight(self) -> Midnight {
        match (self.has_times_of_day, self.midnights >= Self::MANY) {
            (true, false) => Midnight::Delivery,
            (false, true) => Midnight::EventDay,
            // Too few tell, or the bucket has changed its names within the day.
            (false, false) | (true, true) => Midnight::Either,
        }
    }
}

/// Where the time in a name lies, compared with the times that are wanted in names of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePosition {
    /// Before this instant, at which they begin.
    Before(UtcInstant),
    /// Among them.
    Inside,
    /// After them.
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

/// Chosen or left, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// To be read, for these days.
    Take(DayRange, &'static str),
    /// To be left out.
    Leave(&'static str),
}

/// Days, and the stretches of time in which what can feed them is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    days: DayRange,
    lateness_ms: i64,
    key_times: KeyTimes,
    /// Times of delivery.
    deliveries: UtcWindow,
    /// Midnights with which UTC event days begin.
    event_days: UtcWindow,
    /// Times in names, if only a part of all names is looked for.
    names: Option<UtcWindow>,
}

impl Wanted {
    /// All that can feed the days, whose late objects are awaited for a time in milliseconds.
    #[must_use]
    pub fn new(days: DayRange, lateness_ms: i64, key_times: KeyTimes) -> Self {
        let window = days.window();
        let event_days = UtcWindow { start: window.start.plus_ms(1 - DAY_MS), end: window.end };
        let deliveries = window.extended_by(lateness_ms);
        Self { days, lateness_ms, key_times, deliveries, event_days, names: None }
    }

    /// Whether names and dated folders rule objects out.
    #[must_use]
    pub fn trusts_names(&self) -> bool {
        self.key_times == KeyTimes::Trusted
    }

    /// The part of it with a time in `stretch`.
    #[must_use]
    pub fn within(self, stretch: UtcWindow) -> Self {
        let deliveries = self.deliveries.intersection(stretch);
        let names = self.names.map_or(stretch, |names| names.intersection(stretch));
        Self { deliveries, event_days: self.event_days.intersection(stretch), names: Some(names), ..self }
    }

    /// The UTC dates of all times that are looked for: their midnights, in order.
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

    /// Read for all days that either meaning gives: rows of other days are counted, but none is missed.
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

    /// Decides about an object in a folder that is for some dates. The folder of one date is listed once, for all days
    /// that look into it, and a name may tell a time of another date.
    #[must_use]
    pub fn choose_in(&self, folder: FolderDates, time: KeyTime, midnight: Midnight) -> Choice {
        let wanted = if folder.is_day() { self.whole() } else { *self };
        let choice = wanted.choose(time, midnight);
        let Choice::Take(days, why) = choice else { return choice };
        let looking = self.days_by_folder(Some(folder)).and_then(|looking| looking.intersection(days));
        looking.map_or(Choice::Leave(OUTSIDE), |days| Choice::Take(days, why))
    }

    /// Without a stretch.
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

    /// The days that an object without a time can feed: all, or those that look into the dated folder in which it lies.
    #[must_use]
    pub fn days_by_folder(&self, folder: Option<FolderDates>) -> Option<DayRange> {
        let Some(folder) = folder.filter(|_| self.trusts_names()) else { return Some(self.days) };
        let (first, last) = (folder.first.plus_ms(-self.lateness_ms), folder.last.plus_ms(DAY_MS - 1));
        DayRange::between(first, last).intersection(self.days)
    }

    /// Where the time in a name lies.
    #[must_use]
    pub fn position(&self, time: KeyTime) -> NamePosition {
        match time {
            KeyTime::Delivered(at) | KeyTime::Midnight(at) => NamePosition::of(at, self.deliveries),
            KeyTime::Stretch { at, events } => NamePosition::of(at, self.names_of_stretch(at, events)),
        }
    }

    /// Whether a folder that is for some dates can hold anything wanted.
    #[must_use]
    pub fn meets(&self, folder: FolderDates) -> bool {
        let stretch = UtcWindow { start: folder.first, end: folder.last.plus_ms(DAY_MS) };
        let has_event_day = || midnights_in(self.event_days.intersection(stretch)).next().is_some();
        !self.trusts_names() || stretch.overlaps(self.deliveries) || has_event_day()
    }

    /// The midnights that name wanted UTC event days and lie before all wanted times of delivery.
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

/// Why what lies in a dated folder is left out.
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
    fn deliveries_count_from_the_start_of_the_day_to_the_end_of_the_lateness() {
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
    fn event_days_count_when_they_overlap_the_day() {
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
    fn a_midnight_that_may_mean_either_is_read_for_the_days_of_both() {
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
    fn of_all_parts_of_a_walk_one_takes_a_stretch() {
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
    fn the_dates_of_folders_reach_over_the_day_and_the_lateness() {
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
    fn names_that_are_not_trusted_rule_nothing_out() {
        let day = DayRange::only("2023-11-01".parse().unwrap());
        let wanted = Wanted::new(day, 0, KeyTimes::Ignored);
        let folder = FolderDates { first: at("2019-01-01T00:00:00Z"), last: at("2019-01-01T00:00:00Z") };
        let time = KeyTime::Delivered(at("2019-01-01T00:00:00Z"));
        assert!(wanted.meets(folder));
        assert_eq!(wanted.days_by_folder(Some(folder)), Some(day));
        assert!(matches!(wanted.choose_in(folder, time, Midnight::Either), Choice::Take(..)));
    }
}
