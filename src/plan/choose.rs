//! Whether a day needs an object, by the time in its key.

use crate::dataset::KeyTime;
use crate::dataset::object_key;
use crate::kst::{DAY_MS, DayRange, KstDay, UtcInstant, UtcWindow};

/// What midnight in the name of a key means, told by the other names of its dated folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Midnight {
    /// All of many names say midnight: the date is the UTC day of the events.
    EventDay,
    /// Others have a time of day, or there is no dated folder: the date is that of delivery.
    Delivery,
    /// There are too few names to tell.
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
        if self.has_times_of_day {
            Midnight::Delivery
        } else if self.midnights >= Self::MANY {
            Midnight::EventDay
        } else {
            Midnight::Either
        }
    }
}

/// Where a time of delivery lies, seen from the times that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// Before this instant, at which they begin.
    Before(UtcInstant),
    /// Among them.
    Inside,
    /// Behind them.
    After,
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
    /// Times of delivery.
    deliveries: UtcWindow,
    /// Midnights with which UTC event days begin.
    event_days: UtcWindow,
}

impl Wanted {
    /// All that can feed the days, whose late objects are awaited for a time in milliseconds.
    #[must_use]
    pub fn new(days: DayRange, lateness_ms: i64) -> Self {
        let window = days.window();
        let event_days = UtcWindow { start: window.start.plus_ms(1 - DAY_MS), end: window.end };
        Self { days, lateness_ms, deliveries: window.extended_by(lateness_ms), event_days }
    }

    /// The part of it with a time in `stretch`.
    #[must_use]
    pub fn within(self, stretch: UtcWindow) -> Self {
        let deliveries = self.deliveries.intersection(stretch);
        Self { deliveries, event_days: self.event_days.intersection(stretch), ..self }
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
        match (time, midnight) {
            (KeyTime::Delivered(at), _) | (KeyTime::Midnight(at), Midnight::Delivery) => self.by_delivery(at),
            (KeyTime::Midnight(at), Midnight::EventDay) => self.by_event_day(at),
            (KeyTime::Midnight(at), Midnight::Either) => self.by_either(at),
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

    /// Decides about an object in the folder of a date. The folder is listed once, for all days that look into it, and a
    /// name may tell a time of another date.
    #[must_use]
    pub fn choose_in(&self, folder: UtcInstant, time: KeyTime, midnight: Midnight) -> Choice {
        let choice = self.whole().choose(time, midnight);
        let Choice::Take(days, why) = choice else { return choice };
        let looking = self.days_by_folder(Some(folder)).and_then(|looking| looking.intersection(days));
        let outside = Choice::Leave("the date of its folder is outside the window");
        looking.map_or(outside, |days| Choice::Take(days, why))
    }

    /// Without a stretch.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self::new(self.days, self.lateness_ms)
    }

    fn by_delivery(&self, at: UtcInstant) -> Choice {
        let fed = DayRange::between(at.plus_ms(-self.lateness_ms), at).intersection(self.days);
        match (self.distance(at), fed) {
            (Distance::Before(_), _) => Choice::Leave("delivered before the day began"),
            (Distance::Inside, Some(fed)) if fed.contains(KstDay::of(at)) => {
                Choice::Take(fed, "delivered within the day")
            }
            (Distance::Inside, Some(fed)) => Choice::Take(fed, "delivered late, within the lateness window"),
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

    /// The days that an object without a time can feed: all, or those that look into the dated folder in which it lies.
    #[must_use]
    pub fn days_by_folder(&self, midnight: Option<UtcInstant>) -> Option<DayRange> {
        let Some(midnight) = midnight else { return Some(self.days) };
        let (first, last) = (midnight.plus_ms(-self.lateness_ms), midnight.plus_ms(DAY_MS - 1));
        DayRange::between(first, last).intersection(self.days)
    }

    /// Where a delivery lies.
    #[must_use]
    pub fn distance(&self, at: UtcInstant) -> Distance {
        if at < self.deliveries.start {
            Distance::Before(self.deliveries.start)
        } else if at >= self.deliveries.end {
            Distance::After
        } else {
            Distance::Inside
        }
    }

    /// The UTC dates, as folders write them, that can hold anything wanted.
    #[must_use]
    pub fn folder_dates(&self) -> Vec<String> {
        self.dates().into_iter().map(|at| at.to_string()[..10].replace('-', "/")).collect()
    }

    /// Whether a folder can hold anything wanted: one that ends in a date outside is not looked into.
    #[must_use]
    pub fn may_be_in(&self, folder: &str) -> bool {
        object_key::folder_date(folder).is_none_or(|midnight| self.may_be_on(midnight))
    }

    fn may_be_on(&self, midnight: UtcInstant) -> bool {
        UtcWindow::utc_day_from(midnight).overlaps(self.deliveries) || self.event_days.contains(midnight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(time: KeyTime, midnight: Midnight, expected: bool) {
        let wanted = Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), 6 * 3_600_000);
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
        let wanted = Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), 10 * 3_600_000);
        let choice = wanted.choose(KeyTime::Midnight(at("2023-11-02T00:00:00Z")), Midnight::Either);
        assert!(matches!(choice, Choice::Take(..)), "delivered nine hours after the day");
        let names = |has_times_of_day, midnights| FolderNames { has_times_of_day, midnights }.midnight();
        assert_eq!(names(true, 9), Midnight::Delivery);
        assert_eq!(names(false, 3), Midnight::EventDay);
        assert_eq!(names(false, 2), Midnight::Either);
    }

    #[test]
    fn the_dates_of_folders_reach_over_the_day_and_the_lateness() {
        let dates = |hours: i64| {
            Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), hours * 3_600_000).folder_dates()
        };
        assert_eq!(dates(0), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(6), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(9), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(10), ["2023/10/31", "2023/11/01", "2023/11/02"]);
    }

    #[test]
    fn folders_outside_the_window_are_not_entered() {
        let wanted = Wanted::new(DayRange::only("2023-11-01".parse().unwrap()), 6 * 3_600_000);
        for (folder, expected) in [
            ("a/2023/10/30", false),
            ("a/2023/10/31", true),
            ("a/2023/11/01", true),
            ("a/2023/11/02", false),
            ("a/2023/11", true),
            ("a", true),
        ] {
            assert_eq!(wanted.may_be_in(folder), expected, "{folder}");
        }
    }
}
