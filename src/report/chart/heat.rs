//! A heat map of rows and days: larger numbers are darker.

use std::collections::BTreeMap;

use super::Calendar;
use crate::html::{concat, escape};
use crate::kst::KstDay;
use crate::report::answer::{Answer, Cell};
use crate::report::figure::{Figure, Missing};
use crate::report::text::Text;

/// The number of shades, without the empty one.
const SHADES: f64 = 6.0;
const NOT_PUBLISHED: Text = Text::new("not published", "게시되지 않음");

/// Draws the table, with a row per name and a column per day. [`Missing`] decides what a published day without a value shows.
pub(super) fn table(figure: &Figure, answer: &Answer, value: usize, calendar: &Calendar) -> String {
    let most = answer.numbers(value).fold(0.0, f64::max);
    let mut names: BTreeMap<String, BTreeMap<String, &Cell>> = BTreeMap::new();
    for row in &answer.rows {
        names.entry(row[0].text()).or_default().insert(row[1].text(), &row[value]);
    }
    let missing = figure.labels[value].missing;
    let days =
        concat(calendar.days.days().map(|day| format!(r#"<th scope="col">{}</th>"#, &day.to_string()[5..])));
    let body = concat(names.iter().map(|(name, of_days)| {
        let cells = concat(
            calendar
                .days
                .days()
                .map(|day| cell_of(day, of_days.get(&day.proc_ymd()).copied(), missing, most, calendar)),
        );
        format!(r#"<tr><th scope="row"><bdi>{}</bdi></th>{cells}</tr>"#, escape(name))
    }));
    format!(
        r#"<table class="heat"><thead><tr><th scope="col">{}</th>{days}</tr></thead><tbody>{body}</tbody></table>"#,
        figure.labels[0].name.both()
    )
}

fn cell_of(day: KstDay, cell: Option<&Cell>, missing: Missing, most: f64, calendar: &Calendar) -> String {
    if !calendar.published.contains(&day) {
        return format!(r#"<td class="missing" title="{} / {}"></td>"#, NOT_PUBLISHED.en, NOT_PUBLISHED.ko);
    }
    let cell = cell.unwrap_or(match missing {
        Missing::Zero => &Cell::Integer(0),
        Missing::Gap => &Cell::Null,
    });
    let share = cell.number().unwrap_or(0.0) / if most > 0.0 { most } else { 1.0 };
    // A whole number from 0 to 6.
    let depth = (share * SHADES).ceil().clamp(0.0, SHADES);
    format!(r#"<td class="number shade{depth:.0}">{}</td>"#, escape(&cell.text()))
}
