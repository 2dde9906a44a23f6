//! What a report covers: its days, the days that it compares them with, and filters. Fills these into queries.

use super::log::View;
use crate::kst::{DayRange, KstDay};

/// Days before the range that show what is usual.
const HISTORY: i64 = 28;
/// A range of at most this number of days is shown by hour.
const MAX_DAYS_BY_HOUR: usize = 3;
/// A range of at most this number of days is shown by day.
const MAX_DAYS_BY_DAY: usize = 92;
/// A table of days has at most this number of columns.
const MAX_DAY_COLUMNS: usize = 31;

/// Restricts the report to some accounts, buckets and callers. An empty list restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// Ids of accounts.
    pub accounts: Vec<String>,
    /// Names of buckets.
    pub buckets: Vec<String>,
    /// ARNs or ids of callers.
    pub principals: Vec<String>,
}

/// The length of time that one point of a chart covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Hour,
    Day,
    Week,
}

impl Step {
    /// Returns the unit of `date_trunc`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// Returns the first day of the step that contains a day. Weeks begin on Mondays.
    pub(super) fn begin(self, day: KstDay) -> KstDay {
        match self {
            Self::Hour | Self::Day => day,
            Self::Week => day.minus_days(weekday(day)),
        }
    }
}

/// Returns the number of days since Monday.
pub(super) fn weekday(day: KstDay) -> i64 {
    // 1970-01-01 began in Korea 9 hours before it began in UTC, and was a Thursday.
    let days = (day.window().start.0 + 9 * 3_600_000).div_euclid(86_400_000);
    (days + 3).rem_euclid(7)
}

/// What a report covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The days of the report.
    pub days: DayRange,
    /// The filters.
    pub filters: Filters,
}

impl Scope {
    /// Returns the range of the same length before the range.
    #[must_use]
    pub fn previous(&self) -> DayRange {
        let length = i64::try_from(self.length()).unwrap_or(i64::MAX);
        DayRange { first: self.days.first.minus_days(length), last: self.days.first.previous() }
    }

    /// Returns the days before the range that show what is usual.
    #[must_use]
    pub fn history(&self) -> DayRange {
        DayRange { first: self.days.first.minus_days(HISTORY), last: self.days.first.previous() }
    }

    /// Returns all days that the queries read.
    #[must_use]
    pub fn read(&self) -> DayRange {
        self.days.joined(self.previous()).joined(self.history())
    }

    pub(super) fn length(&self) -> usize {
        self.days.days().count()
    }

    /// Returns the step of the charts.
    pub(super) fn step(&self) -> Step {
        let steps = [(MAX_DAYS_BY_HOUR, Step::Hour), (MAX_DAYS_BY_DAY, Step::Day)];
        let step = steps.into_iter().find(|(most, _)| self.length() <= *most);
        step.map_or(Step::Week, |(_, step)| step)
    }

    /// Returns the step of the columns of a table.
    pub(super) fn column_step(&self) -> Step {
        if self.length() <= MAX_DAY_COLUMNS { Step::Day } else { Step::Week }
    }

    pub(super) fn is_in_one_month(&self) -> bool {
        self.days.first.proc_ymd()[..6] == self.days.last.proc_ymd()[..6]
    }

    /// Whether the filters apply to all rows of a view. A view without the column of a filter is not shown.
    #[must_use]
    pub fn suits(&self, view: &View) -> bool {
        let filters = [
            (&self.filters.accounts, view.account),
            (&self.filters.buckets, view.bucket),
            (&self.filters.principals, view.principal),
        ];
        filters.into_iter().all(|(values, column)| values.is_empty() || column.is_some())
    }

    /// Fills the places of a query: `{days}`, `{compared}` and `{history}` are conditions, `{first}` is the first day, `{hour}`,
    /// `{step}` and `{column}` truncate the time, and `{view}` is the view.
    pub(super) fn fill(&self, template: &str, view: &View) -> String {
        let mut sql = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            sql += before;
            sql += &self.place(place, view);
            rest = after;
        }
        sql + rest
    }

    fn place(&self, place: &str, view: &View) -> String {
        let truncated = |step: Step| format!("date_trunc('{}', {})", step.word(), view.time);
        match place {
            "days" => self.condition(self.days, view),
            "compared" => self.condition(self.days.joined(self.previous()), view),
            "history" => self.condition(self.days.joined(self.history()), view),
            "first" => self.days.first.proc_ymd(),
            "hour" => truncated(Step::Hour),
            "day" => truncated(Step::Day),
            "step" => truncated(self.step()),
            "column" => truncated(self.column_step()),
            _ => view.name.to_owned(),
        }
    }

    fn condition(&self, days: DayRange, view: &View) -> String {
        let mut sql = format!("proc_ymd BETWEEN '{}' AND '{}'", days.first.proc_ymd(), days.last.proc_ymd());
        let filters = [
            (view.account, &self.filters.accounts),
            (view.bucket, &self.filters.buckets),
            (view.principal, &self.filters.principals),
        ];
        for (column, values) in filters {
            let Some(column) = column.filter(|_| !values.is_empty()) else { continue };
            let values: Vec<_> =
                values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
            sql += &format!(" AND {column} IN ({})", values.join(", "));
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::{EVENTS, LINES, WAF_REQUESTS};

    fn scope(first: &str, last: &str) -> Scope {
        let days = DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() };
        Scope { days, filters: Filters::default() }
    }

    #[test]
    fn the_length_of_the_range_decides_the_steps() {
        for (last, step, column) in [
            ("2023-11-01", Step::Hour, Step::Day),
            ("2023-11-03", Step::Hour, Step::Day),
            ("2023-11-04", Step::Day, Step::Day),
            ("2023-12-01", Step::Day, Step::Day),
            ("2023-12-02", Step::Day, Step::Week),
            ("2024-01-31", Step::Day, Step::Week),
            ("2024-02-01", Step::Week, Step::Week),
        ] {
            let scope = scope("2023-11-01", last);
            assert_eq!((scope.step(), scope.column_step()), (step, column), "{last}");
        }
    }

    #[test]
    fn weeks_begin_on_mondays() {
        for (day, monday) in [
            ("2023-11-01", "2023-10-30"),
            ("2023-10-30", "2023-10-30"),
            ("2023-11-05", "2023-10-30"),
            ("2024-03-01", "2024-02-26"),
        ] {
            assert_eq!(Step::Week.begin(day.parse().unwrap()).to_string(), monday);
        }
    }

    #[test]
    fn the_ranges_before_are_adjacent() {
        let week = scope("2023-11-08", "2023-11-14");
        assert_eq!(week.previous().to_string(), "2023-11-01 to 2023-11-07");
        assert_eq!(week.history().to_string(), "2023-10-11 to 2023-11-07");
        let long = scope("2023-11-01", "2023-12-31");
        assert_eq!(long.read().first.to_string(), "2023-09-01");
    }

    #[test]
    fn filters_are_quoted_conditions_on_the_columns_of_a_view() {
        let mut scope = scope("2023-11-01", "2023-11-02");
        scope.filters.buckets = vec!["o'hara{first}".to_owned(), "b".to_owned()];
        assert_eq!(
            scope.fill("SELECT '{first}' FROM {view} WHERE {days}", &LINES),
            "SELECT '20231101' FROM s3_access_lines WHERE proc_ymd BETWEEN '20231101' AND '20231102' \
             AND bucket IN ('o''hara{first}', 'b')"
        );
        assert!(scope.suits(&EVENTS) && !scope.suits(&WAF_REQUESTS));
    }
}
