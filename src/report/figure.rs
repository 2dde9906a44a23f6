//! A question to the published tables, and how its answer is drawn.

use super::text::Text;

/// The log that a figure asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// CloudTrail records.
    CloudTrail,
    /// S3 server access logs.
    S3Access,
}

impl Log {
    /// All, in the order of the page.
    pub const ALL: [Self; 2] = [Self::CloudTrail, Self::S3Access];

    /// The name of its table, as the views of `glue/sql` have it.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::S3Access => "s3_access",
        }
    }

    pub(super) fn title(self) -> Text {
        match self {
            Self::CloudTrail => Text::new("CloudTrail", "CloudTrail"),
            Self::S3Access => Text::new("S3 server access logs", "S3 서버 액세스 로그"),
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

/// What it means that a published hour or day has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There was none: zero.
    Zero,
    /// Nothing can be said: a gap.
    Gap,
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// What it is called.
    pub name: Text,
    /// What it counts, for numbers.
    pub unit: Unit,
    /// What an hour or day without a row means.
    pub missing: Missing,
}

impl Label {
    /// A text, or a number of things.
    #[must_use]
    pub const fn new(en: &'static str, ko: &'static str) -> Self {
        Self { name: Text::new(en, ko), unit: Unit::Count, missing: Missing::Zero }
    }

    /// Bytes.
    #[must_use]
    pub const fn bytes(en: &'static str, ko: &'static str) -> Self {
        Self { unit: Unit::Bytes, ..Self::new(en, ko) }
    }

    /// A mean, of which nothing can be said where there was nothing.
    #[must_use]
    pub const fn mean(en: &'static str, ko: &'static str) -> Self {
        Self { missing: Missing::Gap, ..Self::new(en, ko) }
    }

    /// A mean of milliseconds.
    #[must_use]
    pub const fn mean_ms(en: &'static str, ko: &'static str) -> Self {
        Self { unit: Unit::Milliseconds, ..Self::mean(en, ko) }
    }
}

/// How an answer is drawn. Numbers are positions of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// A row a line, with a bar for one of its numbers.
    Bars {
        /// The number.
        value: usize,
    },
    /// Rows against days, darker where there is more. The first column names the row, the second the day.
    Heat {
        /// The number.
        value: usize,
    },
    /// A small chart a number, over months or hours in the first column.
    Panels(Mark),
}

/// What stands for a number in a small chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A column; the first column of the answer has its name.
    Column,
    /// A point of a line over the hours of the days; the first column of the answer is the hour, in Korea.
    HourLine,
}

/// A question and the drawing of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The name of its place on the page.
    pub id: &'static str,
    /// The log that it asks.
    pub log: Log,
    /// What is shown.
    pub title: Text,
    /// What it counts, and what it cannot say.
    pub note: Text,
    /// The question, over the views of `glue/sql`.
    pub sql: &'static str,
    /// The columns of the answer, one each.
    pub labels: &'static [Label],
    /// The drawing.
    pub chart: Chart,
}
