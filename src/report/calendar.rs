//! The days of a log on the page, and which of them are published.

use std::collections::BTreeSet;

use super::scope::Step;
use super::text::both;
use crate::kst::{Civil, DayRange, KstDay};

/// The days of the page, and the published days of a log among them.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) days: DayRange,
    pub(super) published: BTreeSet<KstDay>,
    /// The step of the charts.
    pub(super) step: Step,
    /// The step of the columns of a table.
    pub(super) column_step: Step,
}

/// A step of the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its beginning, `2023-11-01 09:00`.
    pub(super) begin: String,
    /// Its first day within the range.
    pub(super) day: KstDay,
    /// The displayed name.
    pub(super) name: String,
    /// Whether any of its days is published.
    pub(super) is_published: bool,
}

impl Calendar {
    /// Returns the steps of the range, in order.
    pub(super) fn slots(&self, step: Step) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        for day in self.days.days() {
            let is_published = self.published.contains(&day);
            if step == Step::Hour {
                slots.extend((0..24).map(|hour| {
                    let begin = format!("{day} {hour:02}:00");
                    Slot { name: begin.clone(), begin, day, is_published }
                }));
                continue;
            }
            let name = step.begin(day).to_string();
            match slots.last_mut().filter(|last| last.name == name) {
                Some(last) => last.is_published |= is_published,
                None => slots.push(Slot { begin: format!("{name} 00:00"), day, name, is_published }),
            }
        }
        slots
    }
}

const WEEKDAYS: [(&str, &str); 7] =
    [("Mon", "월"), ("Tue", "화"), ("Wed", "수"), ("Thu", "목"), ("Fri", "금"), ("Sat", "토"), ("Sun", "일")];

/// Returns the abbreviated weekday of a day, in English and Korean.
pub(super) fn weekday(day: KstDay) -> (&'static str, &'static str) {
    let place = usize::try_from(super::scope::weekday(day)).unwrap_or_default();
    WEEKDAYS[place % 7]
}

/// Returns a range as people write it, in English and Korean.
pub(super) fn written(days: DayRange) -> [String; 2] {
    let DayRange { first, last } = days;
    let part = |day: KstDay, range: std::ops::Range<usize>| {
        day.proc_ymd().get(range).and_then(|digits| digits.parse::<usize>().ok()).unwrap_or_default()
    };
    let [year, month, date] = [0..4, 4..6, 6..8].map(|range| move |day: KstDay| part(day, range.clone()));
    let english = |day: KstDay, with_year: bool, with_month: bool| {
        let month =
            if with_month { format!(" {}", Civil::MONTHS[(month(day) + 11) % 12]) } else { String::new() };
        let year = if with_year { format!(" {}", year(day)) } else { String::new() };
        format!("{}{month}{year}", date(day))
    };
    let korean = |day: KstDay, with_year: bool| {
        let year = if with_year { format!("{}년 ", year(day)) } else { String::new() };
        format!("{year}{}월 {}일({})", month(day), date(day), weekday(day).1)
    };
    if first == last {
        return [format!("{}, {}", weekday(first).0, english(first, true, true)), korean(first, true)];
    }
    let is_year = year(first) == year(last);
    let is_month = is_year && month(first) == month(last);
    let dash = if is_month { "–" } else { " – " };
    [
        format!("{}{dash}{}", english(first, !is_year, !is_month), english(last, true, true)),
        format!("{} ~ {}", korean(first, true), korean(last, !is_year)),
    ]
}

/// Returns a range as people write it; the page shows one language.
pub(super) fn shown(days: DayRange) -> String {
    let [en, ko] = written(days);
    both(&en, &ko)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> DayRange {
        DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() }
    }

    #[test]
    fn ranges_are_written_as_people_write_them() {
        let cases = [
            (("2023-11-01", "2023-11-01"), "Wed, 1 November 2023", "2023년 11월 1일(수)"),
            (("2023-11-01", "2023-11-07"), "1–7 November 2023", "2023년 11월 1일(수) ~ 11월 7일(화)"),
            (
                ("2023-10-31", "2023-11-01"),
                "31 October – 1 November 2023",
                "2023년 10월 31일(화) ~ 11월 1일(수)",
            ),
            (
                ("2023-12-31", "2024-01-01"),
                "31 December 2023 – 1 January 2024",
                "2023년 12월 31일(일) ~ 2024년 1월 1일(월)",
            ),
        ];
        for ((first, last), en, ko) in cases {
            assert_eq!(written(range(first, last)), [en, ko]);
        }
    }

    #[test]
    fn a_week_is_published_if_any_of_its_days_is() {
        let calendar = Calendar {
            days: range("2023-11-01", "2023-11-14"),
            published: ["2023-11-05".parse().unwrap()].into(),
            step: Step::Week,
            column_step: Step::Week,
        };
        let slots: Vec<_> =
            calendar.slots(Step::Week).into_iter().map(|slot| (slot.name, slot.is_published)).collect();
        let expected = [("2023-10-30", true), ("2023-11-06", false), ("2023-11-13", false)];
        assert_eq!(slots, expected.map(|(name, is_published)| (name.to_owned(), is_published)));
        assert_eq!(calendar.slots(Step::Hour).len(), 14 * 24);
    }
}
