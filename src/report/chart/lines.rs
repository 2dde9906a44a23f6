//! A small chart for each number: a line over time, or columns over months.

use std::fmt::Write;

use super::scale;
use crate::html::{concat, escape};
use crate::report::answer::{Answer, Cell};
use crate::report::calendar::Calendar;
use crate::report::figure::{Figure, Label};
use crate::report::format::{Unit, exact, short};
use crate::report::pulse::Beats;
use crate::report::scope::Step;

/// Sizes of a chart in its own units. The page scales it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 90.0;

/// A position on the axis: its name, its number, and the id of its details.
struct Point {
    name: String,
    value: Option<f64>,
    details: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Line,
    Column,
}

/// Draws a chart for each metric of a log. `id` begins the ids of the charts, and of the details of days.
pub(in crate::report) fn charts(id: &str, beats: &Beats, calendar: &Calendar) -> String {
    let slots = calendar.slots(calendar.step);
    let figures = beats.metrics.iter().enumerate().map(|(column, metric)| {
        let points: Vec<Point> = slots
            .iter()
            .map(|slot| {
                let cell = match beats.steps.get(&slot.begin) {
                    Some(row) => row[column].clone(),
                    None if slot.is_published => metric.label.absent(),
                    None => Cell::Null,
                };
                let has_details = calendar.step == Step::Day && slot.is_published;
                let details = has_details.then(|| details_id(id, &slot.name));
                Point { name: slot.name.clone(), value: cell.number(), details }
            })
            .collect();
        panel(&format!("{id}-{column}"), &metric.label, Mark::Line, &points)
    });
    format!(r#"<div class="panels">{}</div>"#, concat(figures))
}

/// Returns the id of the hours of a day.
pub(in crate::report) fn details_id(id: &str, day: &str) -> String {
    format!("{id}-{}", day.replace('-', ""))
}

/// Draws a chart for each number of a figure over months.
pub(super) fn months(figure: &Figure, answer: &Answer) -> String {
    let figures = (1..figure.labels.len()).map(|column| {
        let point =
            |row: &Vec<Cell>| Point { name: row[0].text(), value: row[column].number(), details: None };
        let points: Vec<Point> = answer.rows.iter().map(point).collect();
        panel(&format!("{}-{column}", figure.id), &figure.labels[column], Mark::Column, &points)
    });
    format!(r#"<div class="panels">{}</div>"#, concat(figures))
}

fn panel(id: &str, label: &Label, mark: Mark, points: &[Point]) -> String {
    format!(
        r#"<figure class="panel"><figcaption id="{id}">{}</figcaption>{}</figure>"#,
        label.name.both(),
        picture(id, label, mark, points)
    )
}

/// Draws the picture. A table near it has the same numbers, so its name is enough for screen readers.
fn picture(id: &str, label: &Label, mark: Mark, points: &[Point]) -> String {
    let most = points.iter().filter_map(|point| point.value).fold(0.0, f64::max);
    let end = scale::top(most, label.unit);
    let marks = match mark {
        Mark::Column => columns(points, end),
        Mark::Line => line(points, end),
    };
    let middle = f64::midpoint(TOP, BOTTOM);
    format!(
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{id}"><path class="grid" d="M{LEFT} {TOP}H{WIDTH}M{LEFT} {middle}H{WIDTH}"/><path class="axis" d="M{LEFT} {BOTTOM}H{WIDTH}"/>{}{}{marks}{}{}</svg>"#,
        tick(TOP + 4.0, end, label.unit),
        tick(BOTTOM + 4.0, 0.0, Unit::Count),
        names(mark, points),
        concat(points.iter().enumerate().map(|(place, point)| hit(place, point, points.len(), label.unit))),
    )
}

/// Draws a number next to the axis, in each language.
fn tick(y: f64, number: f64, unit: Unit) -> String {
    let x = LEFT - 5.0;
    let [en, ko] = short(number, unit).map(|text| escape(&text));
    let text =
        |lang: &str, text: &str| format!(r#"<text x="{x}" y="{y}" class="tick end"{lang}>{text}</text>"#);
    if en == ko { text("", &en) } else { text(r#" lang="en""#, &en) + &text(r#" lang="ko""#, &ko) }
}

/// Draws the names of the first and the last position below the axis, and of every position if few are columns.
fn names(mark: Mark, points: &[Point]) -> String {
    const MAX_NAMES: usize = 6;
    let below = |x: f64, class: &str, point: &Point| {
        let y = HEIGHT - 5.0;
        format!(r#"<text x="{x:.1}" y="{y}" class="tick{class}">{}</text>"#, escape(&point.name))
    };
    if mark == Mark::Column && points.len() <= MAX_NAMES {
        let step = (WIDTH - LEFT) / points.len() as f64;
        let places = points.iter().enumerate();
        return concat(
            places.map(|(place, point)| below(LEFT + step * (place as f64 + 0.5), " middle", point)),
        );
    }
    match points {
        [first, .., last] => below(LEFT, "", first) + &below(WIDTH, " end", last),
        _ => concat(points.iter().map(|point| below(LEFT, "", point))),
    }
}

/// Returns the area around a position that shows its value. Browsers show the title without a script.
fn hit(place: usize, point: &Point, count: usize, unit: Unit) -> String {
    let step = (WIDTH - LEFT) / count as f64;
    let value = point.value.map_or_else(|| "–".to_owned(), |value| exact(value, unit));
    let details = point.details.as_ref().map(|id| format!(r#" data-details="{id}""#)).unwrap_or_default();
    format!(
        r#"<rect class="hit"{details} x="{:.1}" y="0" width="{step:.1}" height="{BOTTOM}"><title>{}: {}</title></rect>"#,
        LEFT + step * place as f64,
        escape(&point.name),
        escape(&value)
    )
}

fn height(value: f64, end: f64) -> f64 {
    (BOTTOM - TOP) * value / end
}

fn columns(points: &[Point], end: f64) -> String {
    let step = (WIDTH - LEFT) / points.len() as f64;
    let width = (step * 0.7).min(40.0);
    let mut marks = String::new();
    for (place, point) in points.iter().enumerate() {
        let Some(value) = point.value else { continue };
        let x = LEFT + step * (place as f64 + 0.5) - width / 2.0;
        let tall = height(value, end);
        let _ = write!(
            marks,
            r#"<rect class="mark" x="{x:.1}" y="{:.1}" width="{width:.1}" height="{tall:.1}"/>"#,
            BOTTOM - tall,
        );
    }
    marks
}

/// Draws a line that breaks at missing values. An isolated point is a dot.
fn line(points: &[Point], end: f64) -> String {
    let step = (WIDTH - LEFT) / points.len() as f64;
    let mut path = String::new();
    let mut dots = String::new();
    for (place, point) in points.iter().enumerate() {
        let Some(value) = point.value else { continue };
        let known = |place: Option<usize>| {
            place.and_then(|place| points.get(place)).is_some_and(|point| point.value.is_some())
        };
        let (x, y) = (LEFT + step * (place as f64 + 0.5), BOTTOM - height(value, end));
        let is_begun = known(place.checked_sub(1));
        let _ = write!(path, "{}{x:.1} {y:.1}", if is_begun { 'L' } else { 'M' });
        if !is_begun && !known(Some(place + 1)) {
            let _ = write!(dots, r#"<circle class="mark" cx="{x:.1}" cy="{y:.1}" r="2"/>"#);
        }
    }
    format!(r#"<path class="line" d="{path}"/>{dots}"#)
}
