//! What can be typed about many days.

use clap::{Args, ValueEnum};

use super::{LakeArgs, RoadArgs, ShowFormat, SourceArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay, UtcInstant};
use crate::plan::Order;
use crate::road::{DaySelector, RebuildRule};

/// The days.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Days")]
pub(in crate::cli) struct DaysArgs {
    /// First KST day
    #[arg(long, value_name = "DAY", conflicts_with = "last")]
    from: Option<String>,
    /// Last KST day [default: yesterday]
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// So many days, such as 30d, up to the last one
    #[arg(long, value_name = "DAYS")]
    last: Option<String>,
}

impl DaysArgs {
    /// Whether any day is named.
    #[cfg(feature = "query")]
    pub(in crate::cli) fn is_given(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.last.is_some()
    }

    /// The days that are meant; `default` is their number where neither --from nor --last is given.
    pub(in crate::cli) fn range(&self, now: UtcInstant, default: Option<i64>) -> Result<DayRange> {
        let last = KstDay::parse(self.to.as_deref().unwrap_or("yesterday"), now)?;
        let first = match (&self.from, &self.last) {
            (Some(from), _) => KstDay::parse(from, now)?,
            (None, Some(count)) => last.minus_days(day_count(count)? - 1),
            (None, None) => match default {
                Some(count) => last.minus_days(count - 1),
                None => {
                    return Err(Error::new(ErrorKind::Usage, "no days are given")
                        .hint("name the first one with --from, or say --last 30d"));
                }
            },
        };
        let last = begun(last, now)?;
        if first > last {
            return Err(Error::new(ErrorKind::Usage, "the first day lies behind the last")
                .with("from", first)
                .with("to", last)
                .hint("--from takes the earlier day, --to the later one; without --to it is yesterday"));
        }
        Ok(DayRange { first, last })
    }
}

/// The day, if it has begun in Korea: what cannot have happened yet is nothing to publish.
pub(in crate::cli) fn begun(day: KstDay, now: UtcInstant) -> Result<KstDay> {
    let today = KstDay::of(now);
    if day <= today {
        return Ok(day);
    }
    Err(Error::new(ErrorKind::Usage, "the day has not begun")
        .with("day", day)
        .with("today in Korea", today)
        .hint("name a KST day up to today"))
}

/// A number of days: `30d` or `30`.
pub(in crate::cli) fn day_count(text: &str) -> Result<i64> {
    let count =
        text.strip_suffix('d').unwrap_or(text).parse().ok().filter(|count| (1..=36_600).contains(count));
    count.ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("'{text}' is no number of days"))
            .hint("write it as 30d; 36600 are allowed at most")
    })
}

/// `backfill`.
#[derive(Debug, Args)]
pub(in crate::cli) struct BackfillArgs {
    #[command(flatten)]
    pub(in crate::cli) days: DaysArgs,
    /// Which days to make; may be given more than once, or with commas between [default: missing,stale,failed]
    #[arg(long, value_enum, value_name = "STATE", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<Only>,
    /// Leave days alone that were published at or after this instant, such as 2026-11-21T04:00:00Z: for a backfill with
    /// --only all that was interrupted
    #[arg(long, value_name = "INSTANT")]
    pub(in crate::cli) published_before: Option<String>,
    /// Which days come first
    #[arg(long, value_enum, default_value_t = OrderArg::Oldest)]
    pub(in crate::cli) order: OrderArg,
    /// Only print the days that would be made, with objects, bytes and estimated time
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
    /// Exit with 4 when a day is missing, stale, failed or not registered; days before the first log are none of these
    #[arg(long)]
    pub(in crate::cli) check: bool,
    #[command(flatten)]
    pub(in crate::cli) source: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) lake: LakeArgs,
    /// Form of the output; json is one line a day of a table
    #[arg(long, value_enum, default_value_t = ShowFormat::Table)]
    pub(in crate::cli) format: ShowFormat,
}

/// Days of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Only {
    /// Never published; not days before the first log.
    Missing,
    /// Published, but objects have come or changed since.
    Stale,
    /// Those whose last run failed.
    Failed,
    /// Published under other settings of the source: naming, promote, filter or redact.
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
    /// Which days are rebuilt.
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

/// Which days come first.
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
