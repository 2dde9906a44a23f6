//! A figure of the report: a query over the published tables, and how to draw its answer.

use super::text::Text;

/// The log that a figure queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// CloudTrail records.
    CloudTrail,
    /// S3 server access logs.
    S3Access,
    /// Access logs of Application Load Balancers.
    AlbAccess,
}

impl Log {
    /// All logs, in the order of the page.
    pub const ALL: [Self; 3] = [Self::CloudTrail, Self::S3Access, Self::AlbAccess];

    /// Returns the name of its table in the views of `glue/sql`.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::S3Access => "s3_access",
            Self::AlbAccess => "alb_access",
        }
    }

    /// Whether the page says so if the log has no published days. Many lakes have no load balancers.
    pub(super) fn is_expected(self) -> bool {
        self != Self::AlbAccess
    }

    pub(super) fn title(self) -> Text {
        match self {
            Self::CloudTrail => Text::new("CloudTrail", "CloudTrail"),
            Self::S3Access => Text::new("S3 server access logs", "S3 서버 액세스 로그"),
            Self::AlbAccess => Text::new("Application Load Balancers", "Application Load Balancer"),
        }
    }
}

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain count.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

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
}

/// How to draw an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// A table with a bar in each row.
    Bars {
        /// The position of the column with the number.
        value: usize,
    },
    /// A heat map. The first column names the row, and the second the day.
    Heat {
        /// The position of the column with the number.
        value: usize,
    },
    /// A small chart per number, over the months or hours in the first column.
    Panels(Mark),
}

/// How a small chart shows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A column. The first column of the answer has its name.
    Column,
    /// A point of a line over the hours of the days. The first column of the answer is the hour in KST.
    HourLine,
}

/// A query and the chart of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The anchor on the page.
    pub id: &'static str,
    /// The log that it queries.
    pub log: Log,
    /// The title.
    pub title: Text,
    /// What it counts, and its limits.
    pub note: Text,
    /// The query, over the views of `glue/sql`.
    pub sql: &'static str,
    /// One label per column of the answer.
    pub labels: &'static [Label],
    /// The chart.
    pub chart: Chart,
}
