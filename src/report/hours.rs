//! The numbers behind the charts: a table of all steps, and the hours of each day.

use super::calendar::{self, Calendar};
use super::chart;
use super::pulse::Beats;
use super::scope::Step;
use super::text::{Text, both};
use crate::html::{concat, escape};
use crate::kst::KstDay;

const VALUES: Text = Text::new("Values as a table", "표로 보기");
const HOURS: Text = Text::new("Hours of each day", "일별 시간대 보기");
const HOUR: Text = Text::new("Hour", "시각");
const TIME: Text = Text::new("Time", "시간");

/// Returns the table of all steps.
pub(super) fn values(title_id: &str, beats: &Beats) -> String {
    let columns: Vec<usize> = (0..beats.metrics.len()).collect();
    let table = table(TIME, beats, &columns, beats.steps.iter().map(|(begin, row)| (begin.as_str(), row)));
    format!(
        r#"<details class="values"><summary>{}</summary>{}</details>"#,
        VALUES.both(),
        chart::region(title_id, &table)
    )
}

/// Returns the hours of each day, if the charts show days.
pub(super) fn hours(id: &str, title_id: &str, beats: &Beats, calendar: &Calendar) -> String {
    if calendar.step != Step::Day {
        return String::new();
    }
    let days = concat(calendar.published.iter().map(|day| of_day(id, title_id, beats, *day)));
    format!(r#"<details class="days"><summary>{}</summary>{days}</details>"#, HOURS.both())
}

fn of_day(id: &str, title_id: &str, beats: &Beats, day: KstDay) -> String {
    let keys: Vec<usize> = beats.keys().collect();
    let name = day.to_string();
    let rows = beats.hours.range(format!("{name} 00:00")..=format!("{name} 23:59"));
    let rows = rows.map(|(begin, row)| (&begin["2023-11-01 ".len()..], row));
    let weekday = calendar::weekday(day);
    let numbers = beats.steps.get(&format!("{name} 00:00"));
    let first = keys.first().map(|place| {
        let label = &beats.metrics[*place].label;
        let cell = numbers.map_or_else(|| label.absent(), |row| row[*place].clone());
        format!(": {} {}", label.name.both(), escape(&cell.text_in(label.unit)))
    });
    format!(
        r#"<details id="{}"><summary>{name} ({}){}</summary>{}</details>"#,
        chart::details_id(id, &name),
        both(weekday.0, weekday.1),
        first.unwrap_or_default(),
        chart::region(title_id, &table(HOUR, beats, &keys, rows)),
    )
}

fn table<'a>(
    first: Text,
    beats: &Beats,
    columns: &[usize],
    rows: impl Iterator<Item = (&'a str, &'a Vec<super::answer::Cell>)>,
) -> String {
    let heads = concat(columns.iter().map(|place| {
        format!(r#"<th scope="col" class="number">{}</th>"#, beats.metrics[*place].label.name.both())
    }));
    let body = concat(rows.map(|(name, row)| {
        let cells = concat(
            columns.iter().map(|place| chart::data_cell(1, &row[*place], &beats.metrics[*place].label)),
        );
        format!(r#"<tr><th scope="row">{}</th>{cells}</tr>"#, escape(name))
    }));
    format!(
        r#"<table class="sortable"><thead><tr><th scope="col">{}</th>{heads}</tr></thead><tbody>{body}</tbody></table>"#,
        first.both()
    )
}
