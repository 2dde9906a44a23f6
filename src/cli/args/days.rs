//! Arguments of the commands over many days.

use clap::{Args, ValueEnum};

use super::day::{begun, day_count};
use super::formats::ShowFormat;
use super::groups::{ExistingLakeArgs, SourceArgs};
use super::shared::RoadArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::Order;
use crate::road::{DaySelector, RangeEnd, RebuildRule};

/// The days.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Days")]
pub(in crate::cli) struct DaysArgs {
    /// A single KST day: 2023-11-01, 20231101, yesterday or today
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to", "last"])]
    day: Option<String>,
    /// First KST day
    #[arg(long, value_name = "DAY", conflicts_with = "last")]
    from: Option<String>,
    /// Last KST day [default: yesterday]
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Number of days up to the last one, for example 30d
    #[arg(long, value_name = "DAYS")]
    last: Option<String>,
}

impl DaysArgs {
    /// Whether any day is given.
    pub(in crate::cli) fn is_given(&self) -> bool {
        [&self.day, &self.from, &self.to, &self.last].into_iter().any(Option::is_some)
    }

    /// Where the range ends: with its last day if any of --day, --to and --last names it.
    pub(in crate::cli) fn end(&self) -> RangeEnd {
        let is_named = [&self.day, &self.to, &self.last].into_iter().any(Option::is_some);
        if is_named { RangeEnd::Named } else { RangeEnd::LastLog }
    }

    /// The days; `default` is their number without --day, --from and --last.
    pub(in crate::cli) fn range(&self, now: UtcInstant, default: Option<i64>) -> Result<DayRange> {
        if let Some(day) = &self.day {
            return begun(KstDay::parse(day, now)?, now).map(DayRange::only);
        }
        let last = KstDay::parse(self.to.as_deref().unwrap_or("yesterday"), now)?;
        let first = match (&self.from, &self.last) {
            (Some(from), _) => KstDay::parse(from, now)?,
            (None, Some(count)) => last.minus_days(day_count(count)? - 1),
            (None, None) => match default {
                Some(count) => last.minus_days(count - 1),
                None => {
                    return Err(Error::new(ErrorKind::Usage, "no days are given")
                        .hint("pass --day for one day, --from with the first day, or --last 30d"));
                }
            },
        };
        let last = begun(last, now)?;
        if first > last {
            return Err(Error::new(ErrorKind::Usage, "the first day is after the last")
                .with("from", first)
                .with("to", last)
                .hint("pass the earlier day with --from; --to defaults to yesterday"));
        }
        Ok(DayRange { first, last })
    }
}

/// `backfill`.
#[derive(Debug, Args)]
pub(in crate::cli) struct BackfillArgs {
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Days to build, separated by commas [default: missing,stale,failed]
    #[arg(long, value_enum, value_name = "STATE", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<Only>,
    /// Skip days published at or after this instant, for example 2026-11-21T04:00:00Z
    ///
    /// Use it to resume an interrupted backfill with --only all.
    #[arg(long, value_name = "INSTANT")]
    pub(in crate::cli) published_before: Option<String>,
    /// Days to build first
    #[arg(long, value_enum, default_value_t = OrderArg::Oldest)]
    pub(in crate::cli) order: OrderArg,
    /// Only print the days to build, with objects, bytes and estimated time
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    #[command(flatten)]
    pub(in crate::cli) road: RoadArgs,
}

/// `status`.
#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Exit with 4 if a day is missing, stale, failed or not registered
    ///
    /// A day before the table's first log is none of these. It also exits with 4 if CloudTrail's digests show that files or
    /// digests of a published day were altered or are missing.
    #[arg(long)]
    pub(in crate::cli) check: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: ExistingLakeArgs,
    /// Output format; json prints one line per table and day
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(in crate::cli) format: ShowFormat,
}

/// States of days to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Only {
    /// Never published, except days before the first log.
    Missing,
    /// Published, but objects were added or changed since.
    Stale,
    /// Last run failed.
    Failed,
    /// Published with other source settings: naming, promote, drop_columns, filter or redact.
    Outdated,
    /// Every day.
    All,
}

impl From<Only> for DaySelector {
    fn from(only: Only) -> Self {
        match only {
            Only::Missing => Self::Missing,
            Only::Stale => Self::Stale,
            Only::Failed => Self::Failed,
            Only::Outdated => Self::Outdated,
            Only::All => Self::All,
        }
    }
}

impl BackfillArgs {
    /// Which days to rebuild.
    pub(in crate::cli) fn rule(&self) -> Result<RebuildRule> {
        let wanted = if self.only.is_empty() {
            DaySelector::BEHIND.to_vec()
        } else {
            self.only.iter().copied().map(DaySelector::from).collect()
        };
        let before = self.published_before.as_deref().map(|text| {
            UtcInstant::parse_iso8601(text).ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("invalid instant '{text}'"))
                    .hint("write it like 2026-11-21T04:00:00Z")
            })
        });
        Ok(RebuildRule::Only(wanted, before.transpose()?))
    }
}

/// The order of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OrderArg {
    Oldest,
    Newest,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Self {
        match order {
            OrderArg::Oldest => Self::Oldest,
            OrderArg::Newest => Self::Newest,
        }
    }
}
