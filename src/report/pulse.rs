//! The pulse of a log: numbers over time, from one scan of the rows.
//!
//! One statement counts the range, the range before, every step of the charts, and the hours of each day, with grouping sets. So users
//! are distinct within each of them.

use std::collections::BTreeMap;

use super::answer::{Answer, Cell};
use super::figure::Label;
use super::log::View;
use super::scope::{Scope, Step};

/// A number that is counted over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name and unit.
    pub label: Label,
    /// An aggregate over the rows of the view.
    pub sql: &'static str,
    /// Whether it is a key figure, which is compared with the range before and shown by hour.
    pub is_key: bool,
}

impl Metric {
    pub(super) const fn new(label: Label, sql: &'static str) -> Self {
        Self { label, sql, is_key: false }
    }

    pub(super) const fn key(label: Label, sql: &'static str) -> Self {
        Self { label, sql, is_key: true }
    }
}

/// Metrics of one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The view.
    pub view: &'static View,
    /// The metrics.
    pub metrics: &'static [Metric],
}

/// The template of the statement. A step of one hour needs no hours within it. Times become text only after they are grouped.
const BY_HOUR: &str =
    "SELECT is_now, CAST(step_time AS varchar) AS step, CAST(NULL AS varchar) AS hour, {metrics}
FROM (
  SELECT *, CASE WHEN proc_ymd >= '{first}' THEN 1 ELSE 0 END AS is_now, {step} AS step_time
  FROM {view}
  WHERE {compared}
) AS rows
GROUP BY GROUPING SETS ((is_now), (is_now, step_time))";
const BY_DAY: &str = "SELECT is_now, CAST(step_time AS varchar) AS step, CAST(hour_time AS varchar) AS hour, {metrics}
FROM (
  SELECT *, CASE WHEN proc_ymd >= '{first}' THEN 1 ELSE 0 END AS is_now, {step} AS step_time, {hour} AS hour_time
  FROM {view}
  WHERE {compared}
) AS rows
GROUP BY GROUPING SETS ((is_now), (is_now, step_time), (is_now, hour_time))";

impl Pulse {
    /// Returns the statement for the report.
    #[must_use]
    pub fn statement(&self, scope: &Scope) -> String {
        let metrics: Vec<_> = self.metrics.iter().map(|metric| metric.sql).collect();
        let template = if scope.step() == Step::Day { BY_DAY } else { BY_HOUR };
        scope.fill(&template.replace("{metrics}", &metrics.join(", ")), self.view)
    }
}

/// The numbers of all pulses of a log, in the order of its metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beats {
    pub(super) metrics: Vec<Metric>,
    /// The numbers of the range; empty if the view has no row.
    pub(super) now: Vec<Cell>,
    /// The numbers of the range before.
    pub(super) before: Vec<Cell>,
    /// By the beginning of the step, `2023-11-01 09:00`.
    pub(super) steps: BTreeMap<String, Vec<Cell>>,
    /// By hour, for ranges that are shown by day.
    pub(super) hours: BTreeMap<String, Vec<Cell>>,
}

impl Beats {
    /// Adds the answer of a pulse.
    pub fn add(&mut self, pulse: &Pulse, answer: &Answer) {
        let known = self.metrics.len();
        self.metrics.extend(pulse.metrics);
        let numbers = |row: &[Cell]| -> Vec<Cell> { row[KEYS..].to_vec() };
        for row in &answer.rows {
            let is_now = row[0].number() == Some(1.0);
            let place = match (&row[1], &row[2], is_now) {
                (Cell::Null, Cell::Null, true) => &mut self.now,
                (Cell::Null, Cell::Null, false) => &mut self.before,
                (_, _, false) => continue,
                (Cell::Null, hour, true) => self.hours.entry(minute(hour)).or_default(),
                (step, _, true) => self.steps.entry(minute(step)).or_default(),
            };
            pad(place, &self.metrics[..known]);
            place.extend(numbers(row));
        }
        let rows = self.steps.values_mut().chain(self.hours.values_mut());
        for row in rows.chain([&mut self.now, &mut self.before]) {
            pad(row, &self.metrics);
        }
    }

    /// Returns the positions of the key figures.
    pub(super) fn keys(&self) -> impl Iterator<Item = usize> {
        self.metrics.iter().enumerate().filter(|(_, metric)| metric.is_key).map(|(place, _)| place)
    }
}

/// The columns before the metrics.
const KEYS: usize = 3;

/// Adds the metrics of a time without rows: no rows, and no mean.
fn pad(row: &mut Vec<Cell>, metrics: &[Metric]) {
    let absent = metrics.iter().skip(row.len()).map(|metric| metric.label.absent());
    row.extend(absent.collect::<Vec<_>>());
}

/// Shortens `2023-11-01 09:00:00.000` to `2023-11-01 09:00`.
fn minute(time: &Cell) -> String {
    time.text().chars().take("2023-11-01 09:00".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::log::{EVENTS, LOGINS};

    const EVENT_COUNT: Pulse =
        Pulse { view: &EVENTS, metrics: &[Metric::key(Label::new("Events", "이벤트 수"), "count(*)")] };
    const LOGIN_MEAN: Pulse =
        Pulse { view: &LOGINS, metrics: &[Metric::new(Label::mean("Mean", "평균"), "avg(1)")] };

    fn row(is_now: i64, step: &str, hour: &str, number: i64) -> Vec<Cell> {
        let time = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(text.to_owned()) };
        vec![Cell::Integer(is_now), time(step), time(hour), Cell::Integer(number)]
    }

    #[test]
    fn answers_are_divided_by_their_grouping_set_and_padded() {
        let mut beats = Beats::default();
        let hour = "2023-11-01 09:00:00.000";
        let rows =
            vec![row(1, "", "", 5), row(0, "", "", 3), row(1, hour, "", 5), row(0, "2023-10-31", "", 3)];
        beats.add(&EVENT_COUNT, &Answer { rows });
        beats.add(&LOGIN_MEAN, &Answer { rows: vec![row(1, "", "2023-11-01 10:00:00", 1)] });
        assert_eq!(beats.now, [Cell::Integer(5), Cell::Null]);
        assert_eq!(beats.before, [Cell::Integer(3), Cell::Null]);
        assert_eq!(beats.steps["2023-11-01 09:00"], [Cell::Integer(5), Cell::Null]);
        assert_eq!(beats.hours["2023-11-01 10:00"], [Cell::Integer(0), Cell::Integer(1)]);
        assert_eq!(beats.keys().collect::<Vec<_>>(), [0]);
    }
}
