//! The days that a lake has, for the hint of a command that found none of its days.

use super::command_line::flags_of;
use crate::error::Result;
use crate::kst::{DayRange, KstDay};
use crate::store::Lake;
use crate::store::lake::{MANIFEST, Partition, days_of, table_names};

/// Returns the hint of a command that found none of its days: the flags of the published days, if there are any.
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
        let first = first_published(lake, table, days.iter().copied())?;
        let last = first_published(lake, table, days.iter().rev().copied())?;
        if let Some((first, last)) = first.zip(last) {
            let days = DayRange { first, last };
            all = Some(all.map_or(days, |all| all.joined(days)));
        }
    }
    Ok(all)
}

/// Returns the first of these days with a manifest. A killed run can leave a folder without one.
fn first_published(
    lake: &dyn Lake,
    table: &str,
    days: impl Iterator<Item = KstDay>,
) -> Result<Option<KstDay>> {
    for day in days {
        let partition = Partition { table: table.to_owned(), day };
        if lake.read(&format!("{partition}/{MANIFEST}"))?.is_some() {
            return Ok(Some(day));
        }
    }
    Ok(None)
}
