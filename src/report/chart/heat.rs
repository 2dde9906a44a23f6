//! A heat map of rows and days or weeks: larger numbers are darker.

use std::collections::BTreeMap;

use crate::html::{concat, escape};
use crate::report::answer::{Answer, Cell};
use crate::report::calendar::{Calendar, Slot};
use crate::report::figure::{Figure, Label};
use crate::report::text::Text;

/// The number of shades, without the empty one.
const SHADES: f64 = 6.0;
const NOT_PUBLISHED: Text = Text::new("not published", "게시되지 않음");

/// Draws the table, with a row per name and a column per day or week. The label decides what a published day without a value
/// shows.
pub(super) fn table(figure: &Figure, answer: &Answer, value: usize, calendar: &Calendar) -> String {
    let most = answer.numbers(value).fold(0.0, f64::max);
    let mut names: BTreeMap<String, BTreeMap<String, &Cell>> = BTreeMap::new();
    for row in &answer.rows {
        let begin = row[1].text().chars().take("2023-11-01".len()).collect();
        names.entry(row[0].text()).or_default().insert(begin, &row[value]);
    }
    let slots = calendar.slots(calendar.column_step);
    let heads = concat(
        slots.iter().map(|slot| format!(r#"<th scope="col" class="number">{}</th>"#, &slot.name[5..])),
    );
    let body = concat(names.iter().map(|(name, cells)| {
        let cell = |slot: &Slot| cell_of(slot, cells.get(&slot.name).copied(), &figure.labels[value], most);
        let cells = concat(slots.iter().map(cell));
        format!(r#"<tr><th scope="row"><bdi>{}</bdi></th>{cells}</tr>"#, escape(name))
    }));
    format!(
        r#"<table class="heat sortable"><thead><tr><th scope="col">{}</th>{heads}</tr></thead><tbody>{body}</tbody></table>"#,
        figure.labels[0].name.both()
    )
}

fn cell_of(slot: &Slot, cell: Option<&Cell>, label: &Label, most: f64) -> String {
    if !slot.is_published {
        return format!(r#"<td class="missing" title="{} / {}"></td>"#, NOT_PUBLISHED.en, NOT_PUBLISHED.ko);
    }
    let cell = cell.cloned().unwrap_or_else(|| label.absent());
    let share = cell.number().unwrap_or(0.0) / if most > 0.0 { most } else { 1.0 };
    // A whole number from 0 to 6.
    let depth = (share * SHADES).ceil().clamp(0.0, SHADES);
    format!(r#"<td class="number shade{depth:.0}">{}</td>"#, escape(&cell.text_in(label.unit)))
}
