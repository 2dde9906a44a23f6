//! The days that a lake has, for the hint of a command that found none of its days.

use super::args::DayArg;
use super::command_line::flags_of;
use super::console;
use crate::error::{Error, ErrorKind, Result};
use crate::kst::{DayRange, KstDay};
use crate::store::Lake;
use crate::store::lake::{days_of, first_day_with, table_names};

/// Returns the given day, or an error that proposes published days of a table or of all tables.
pub(super) fn day_of(given: &DayArg, lake: &dyn Lake, only: Option<&str>) -> Result<KstDay> {
    match given.given(console::now())? {
        Some(day) => Ok(day),
        None => Err(no_day(lake, only)?),
    }
}

fn no_day(lake: &dyn Lake, only: Option<&str>) -> Result<Error> {
    let hint = match published(lake, only)? {
        Some(DayRange { first, last }) if first == last => {
            format!("the lake has one published day: pass --day {last}")
        }
        Some(DayRange { first, last }) => {
            format!("the lake has published days from {first} to {last}: pass --day {last}, or another day")
        }
        None => "publish a day with 'logmill run', and pass it with --day".to_owned(),
    };
    Ok(Error::new(ErrorKind::Usage, "no day is given").with("lake", lake.address("")).hint(hint))
}

/// Returns the hint of a command that found none of its days: the flags of the published days, if any.
pub(super) fn hint(lake: &dyn Lake, only: Option<&str>) -> Result<String> {
    let days = published(lake, only)?;
    Ok(match days {
        Some(days) => format!("the lake has published days: pass{}", flags_of(days)),
        None => "publish them with 'logmill run' or 'logmill backfill'".to_owned(),
    })
}

/// Returns the first and the last published day of a table, or of all tables.
pub(super) fn published(lake: &dyn Lake, only: Option<&str>) -> Result<Option<DayRange>> {
    let tables = only.map_or_else(|| table_names(lake), |table| Ok(vec![table.to_owned()]))?;
    let mut all: Option<DayRange> = None;
    for table in &tables {
        let days = days_of(lake, table)?;
        let first = first_day_with(lake, table, days.iter().copied(), |_| true)?;
        let last = first_day_with(lake, table, days.iter().rev().copied(), |_| true)?;
        if let Some((first, last)) = first.zip(last) {
            let days = DayRange { first, last };
            all = Some(all.map_or(days, |all| all.joined(days)));
        }
    }
    Ok(all)
}
