//! A figure of the report: a query over the published tables, and how to draw its answer.

use super::answer::Cell;
use super::format::Unit;
use super::log::View;
use super::scope::Scope;
use super::text::Text;

/// The meaning of a published hour or day without a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing happened: the value is zero.
    Zero,
    /// The value is unknown: the chart has a gap.
    Gap,
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The header of the column.
    pub name: Text,
    /// The unit, for numbers.
    pub unit: Unit,
    /// The meaning of an hour or day without a row.
    pub missing: Missing,
}

impl Label {
    /// A column of texts or counts.
    #[must_use]
    pub const fn new(en: &'static str, ko: &'static str) -> Self {
        Self { name: Text::new(en, ko), unit: Unit::Count, missing: Missing::Zero }
    }

    /// A column of bytes.
    #[must_use]
    pub const fn bytes(en: &'static str, ko: &'static str) -> Self {
        Self { unit: Unit::Bytes, ..Self::new(en, ko) }
    }

    /// A column of means, which are unknown if nothing happened.
    #[must_use]
    pub const fn mean(en: &'static str, ko: &'static str) -> Self {
        Self { missing: Missing::Gap, ..Self::new(en, ko) }
    }

    /// A column of means in milliseconds.
    #[must_use]
    pub const fn mean_ms(en: &'static str, ko: &'static str) -> Self {
        Self { unit: Unit::Milliseconds, ..Self::mean(en, ko) }
    }

    /// Returns the value of an hour or day without a row.
    pub(super) fn absent(&self) -> Cell {
        match self.missing {
            Missing::Zero => Cell::Integer(0),
            Missing::Gap => Cell::Null,
        }
    }

    /// A column of shares, which are unknown if nothing happened.
    #[must_use]
    pub const fn share(en: &'static str, ko: &'static str) -> Self {
        Self { unit: Unit::Share, ..Self::mean(en, ko) }
    }
}

/// How to draw an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// A table.
    Plain,
    /// A table with a bar in each row.
    Bars {
        /// The position of the column with the number.
        value: usize,
    },
    /// A heat map. The first column names the row, and the second the day or the Monday of the week.
    Heat {
        /// The position of the column with the number.
        value: usize,
    },
    /// Small column charts over the months in the first column. Left out if the range is in one month.
    Months,
}

/// A query and the chart of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The anchor on the page.
    pub id: &'static str,
    /// The view that it queries.
    pub view: &'static View,
    /// The title.
    pub title: Text,
    /// What it counts, and its limits.
    pub note: Text,
    /// The query, with the places that [`Scope`] fills.
    pub sql: &'static str,
    /// The order of the rows.
    pub order: &'static str,
    /// The greatest number of rows.
    pub limit: usize,
    /// One label per column of the answer.
    pub labels: &'static [Label],
    /// The chart.
    pub chart: Chart,
}

impl Figure {
    /// Whether the figure belongs to a report.
    #[must_use]
    pub fn suits(&self, scope: &Scope) -> bool {
        scope.suits(self.view) && !(self.chart == Chart::Months && scope.is_in_one_month())
    }

    /// Returns the query as a reader can run it.
    #[must_use]
    pub fn query(&self, scope: &Scope) -> String {
        format!("{}\nORDER BY {}\nLIMIT {}", scope.fill(self.sql, self.view), self.order, self.limit)
    }

    /// Returns the statement for the report. Its answer has one more column: the number of rows without the limit.
    #[must_use]
    pub fn statement(&self, scope: &Scope) -> String {
        format!(
            "SELECT *, count(*) OVER () AS all_rows FROM ({}) AS answer ORDER BY {} LIMIT {}",
            scope.fill(self.sql, self.view),
            self.order,
            self.limit
        )
    }
}
