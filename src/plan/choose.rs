//! Whether a day needs an object, by the time in its key.

use crate::dataset::KeyTime;
use crate::dataset::object_key;
use crate::kst::{DAY_MS, KstDay, UtcInstant, UtcWindow};

/// What midnight in a partitioned key means, told by the other keys of its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Midnight {
    /// All keys of the series say midnight: the date is the UTC day of the events.
    EventDay,
    /// Others have a time of day: the date is that of delivery.
    Delivery,
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
    /// To be read.
    Take(&'static str),
    /// To be left out.
    Leave(&'static str),
}

/// The stretches of time that decide.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The day.
    day: UtcWindow,
    /// The day and the time for which its late objects are awaited.
    deliveries: UtcWindow,
}

impl Wanted {
    /// For a day and a lateness in milliseconds.
    #[must_use]
    pub fn new(day: KstDay, lateness_ms: i64) -> Self {
        Self { day: day.window(), deliveries: day.window().extended_by(lateness_ms) }
    }

    /// Decides about an object.
    #[must_use]
    pub fn choose(&self, time: KeyTime, midnight: Midnight) -> Choice {
        match (time, midnight) {
            (KeyTime::Delivered(at), _) | (KeyTime::Midnight(at), Midnight::Delivery) => self.by_delivery(at),
            (KeyTime::Midnight(at), Midnight::EventDay) => self.by_event_day(at),
        }
    }

    fn by_delivery(&self, at: UtcInstant) -> Choice {
        if at < self.deliveries.start {
            Choice::Leave("delivered before the day began")
        } else if at >= self.deliveries.end {
            Choice::Leave("delivered after the lateness window")
        } else if at < self.day.end {
            Choice::Take("delivered within the day")
        } else {
            Choice::Take("delivered late, within the lateness window")
        }
    }

    fn by_event_day(&self, midnight: UtcInstant) -> Choice {
        if UtcWindow::utc_day_from(midnight).overlaps(self.day) {
            Choice::Take("its UTC event day overlaps the day")
        } else {
            Choice::Leave("its UTC event day does not overlap the day")
        }
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
        let days = std::iter::successors(Some(self.day.start), |at| Some(at.plus_ms(DAY_MS)));
        // One more than whole days, since the window begins in the middle of one.
        let last = self.deliveries.end.plus_ms(DAY_MS);
        let date = |at: UtcInstant| at.to_string()[..10].replace('-', "/");
        days.take_while(|at| *at < last).map(date).filter(|date| self.may_be_in(date)).collect()
    }

    /// Whether a folder can hold anything wanted: one that ends in a date outside is not looked into.
    #[must_use]
    pub fn may_be_in(&self, folder: &str) -> bool {
        object_key::folder_date(folder).is_none_or(|midnight| {
            let folder_day = UtcWindow::utc_day_from(midnight);
            folder_day.overlaps(self.deliveries) || folder_day.overlaps(self.day)
        })
    }
}

/// The keys that share a meaning of midnight: all of one folder tree, without the date at its end.
#[must_use]
pub fn series(key: &str) -> &str {
    let (folder, _) = object_key::split(key);
    match object_key::folder_date(folder) {
        Some(_) => folder[..folder.len() - "YYYY/MM/DD".len()].trim_end_matches('/'),
        None => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(time: KeyTime, midnight: Midnight, expected: bool) {
        let wanted = Wanted::new("2023-11-01".parse().unwrap(), 6 * 3_600_000);
        let taken = matches!(wanted.choose(time, midnight), Choice::Take(_));
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
    fn the_dates_of_folders_reach_over_the_day_and_the_lateness() {
        let dates = |hours: i64| Wanted::new("2023-11-01".parse().unwrap(), hours * 3_600_000).folder_dates();
        assert_eq!(dates(0), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(6), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(9), ["2023/10/31", "2023/11/01"]);
        assert_eq!(dates(10), ["2023/10/31", "2023/11/01", "2023/11/02"]);
    }

    #[test]
    fn folders_outside_the_window_are_not_entered() {
        let wanted = Wanted::new("2023-11-01".parse().unwrap(), 6 * 3_600_000);
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
        assert_eq!(series("p/1/r/web/2023/11/01/2023-11-01-00-00-00-A"), "p/1/r/web");
        assert_eq!(series("p/2023-11-01-00-00-00-A"), "p");
    }
}
