//! Arguments about one day.

use clap::Args;

use crate::error::{Error, ErrorKind, Result};
use crate::kst::{KstDay, UtcInstant};

/// The day of a command that proposes published days if none is given.
#[derive(Debug, Args)]
pub(in crate::cli) struct DayArg {
    /// KST day: 2023-11-01, 20231101, yesterday or today
    ///
    /// Without it, the command ends with an error that proposes published days.
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
}

impl DayArg {
    /// The day; `None` if no day is given.
    pub(in crate::cli) fn given(&self, now: UtcInstant) -> Result<Option<KstDay>> {
        self.day.as_deref().map(|day| KstDay::parse(day, now)).transpose()
    }
}

/// The day of a command that proposes days if none is given.
#[derive(Debug, Args)]
pub(in crate::cli) struct OptionalDay {
    /// KST day: 2023-11-01, 20231101, yesterday or today
    ///
    /// Without it, the command ends with an error that proposes days of the input.
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
}

impl OptionalDay {
    /// The day, which must have begun in Korea; `None` if no day is given.
    pub(in crate::cli) fn begun(&self, now: UtcInstant) -> Result<Option<KstDay>> {
        self.day.as_deref().map(|day| begun(KstDay::parse(day, now)?, now)).transpose()
    }
}

/// The day, if it has begun in Korea. A later day cannot have events yet.
pub(in crate::cli) fn begun(day: KstDay, now: UtcInstant) -> Result<KstDay> {
    let today = KstDay::of(now);
    if day <= today {
        return Ok(day);
    }
    Err(Error::new(ErrorKind::Usage, "the day has not begun")
        .with("day", day)
        .with("today in Korea", today)
        .hint("pass a KST day up to today"))
}

/// A number of days: `30d` or `30`.
pub(in crate::cli) fn day_count(text: &str) -> Result<i64> {
    let count =
        text.strip_suffix('d').unwrap_or(text).parse().ok().filter(|count| (1..=36_600).contains(count));
    count.ok_or_else(|| {
        let weeks: Option<i64> = text.strip_suffix('w').and_then(|weeks| weeks.parse().ok());
        let hint = match weeks.filter(|weeks| (1..=5000).contains(weeks)) {
            Some(weeks) => format!("write it in days: {}d", 7 * weeks),
            None => "write it as 30d; the maximum is 36600d".to_owned(),
        };
        Error::new(ErrorKind::Usage, format!("invalid number of days '{text}'")).hint(hint)
    })
}
