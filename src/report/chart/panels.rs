//! A small chart for each number of an answer: named columns, or a line over the hours of the days.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Calendar, scale};
use crate::report::answer::{Answer, Cell};
use crate::report::figure::{Figure, Label, Mark, Missing};
use crate::report::format::short;
use crate::report::html::{concat, escape};

/// Sizes of a chart in its own units. The page scales it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 110.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 90.0;
/// Charts with at most this number of columns show all their names.
const MAX_NAMES: usize = 6;
/// Lines with at most this number of points show a dot with a tooltip for each point.
const MAX_TITLES: usize = 72;

/// A position on the axis: its name and its number.
struct Point {
    name: String,
    value: Option<f64>,
}

/// Draws a chart for each number of the figure.
pub(super) fn panels(figure: &Figure, answer: &Answer, mark: Mark, calendar: &Calendar) -> String {
    let panels = concat((1..figure.labels.len()).map(|column| {
        let label = &figure.labels[column];
        let points = match mark {
            Mark::Column => named(answer, column),
            Mark::HourLine => hours(answer, column, label.missing, calendar),
        };
        format!(
            r#"<figure class="panel"><figcaption>{}</figcaption>{}</figure>"#,
            label.name.both(),
            picture(label, mark, &points)
        )
    }));
    format!(r#"<div class="panels">{panels}</div>"#)
}

fn named(answer: &Answer, column: usize) -> Vec<Point> {
    let point = |row: &Vec<Cell>| Point { name: row[0].text(), value: row[column].number() };
    answer.rows.iter().map(point).collect()
}

/// Returns every KST hour of the days. Hours of unpublished days have no value.
fn hours(answer: &Answer, column: usize, missing: Missing, calendar: &Calendar) -> Vec<Point> {
    let known: BTreeMap<String, Option<f64>> =
        answer.rows.iter().map(|row| (hour_name(&row[0].text()), row[column].number())).collect();
    let days = calendar.days.days().flat_map(|day| (0..24).map(move |hour| (day, hour)));
    days.map(|(day, hour)| {
        let name = format!("{day} {hour:02}:00");
        let value = match known.get(&name) {
            Some(value) => *value,
            None if calendar.published.contains(&day) && missing == Missing::Zero => Some(0.0),
            None => None,
        };
        Point { name, value }
    })
    .collect()
}

/// Shortens `2023-11-01 09:00:00.000` to `2023-11-01 09:00`.
fn hour_name(time: &str) -> String {
    time.chars().take("2023-11-01 09:00".len()).collect()
}

fn picture(label: &Label, mark: Mark, points: &[Point]) -> String {
    let most = points.iter().filter_map(|point| point.value).fold(0.0, f64::max);
    let end = scale::top(most, label.unit);
    let marks = match mark {
        Mark::Column => columns(label, points, end),
        Mark::HourLine => line(label, points, end),
    };
    let middle = f64::midpoint(TOP, BOTTOM);
    let names = names(mark, points);
    let top_text = escape(&short(end, label.unit));
    let left = LEFT - 5.0;
    // The table below has the same numbers, so the name is enough for screen readers.
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{} / {}"><path class="grid" d="M{LEFT} {TOP}H{WIDTH}M{LEFT} {middle}H{WIDTH}"/><path class="axis" d="M{LEFT} {BOTTOM}H{WIDTH}"/><text x="{left}" y="{}" class="tick end">{top_text}</text><text x="{left}" y="{}" class="tick end">0</text>{marks}{names}</svg>"#,
        escape(label.name.en),
        escape(label.name.ko),
        TOP + 4.0,
        BOTTOM + 4.0,
    )
}

/// Draws the names below the axis: of every column if they fit, otherwise of the first and last position.
fn names(mark: Mark, points: &[Point]) -> String {
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

fn height(value: f64, end: f64) -> f64 {
    (BOTTOM - TOP) * value / end
}

fn columns(label: &Label, points: &[Point], end: f64) -> String {
    let step = (WIDTH - LEFT) / points.len() as f64;
    let width = (step * 0.7).min(40.0);
    let mut marks = String::new();
    for (place, point) in points.iter().enumerate() {
        let Some(value) = point.value else { continue };
        let x = LEFT + step * (place as f64 + 0.5) - width / 2.0;
        let tall = height(value, end);
        let _ = write!(
            marks,
            r#"<rect class="mark" x="{x:.1}" y="{:.1}" width="{width:.1}" height="{tall:.1}">{}</rect>"#,
            BOTTOM - tall,
            title(label, point, value)
        );
    }
    marks
}

/// Draws a line that breaks at missing values. An isolated point is a dot.
fn line(label: &Label, points: &[Point], end: f64) -> String {
    let step = (WIDTH - LEFT) / (points.len().max(2) - 1) as f64;
    let place_of = |place: usize, value: f64| (LEFT + step * place as f64, BOTTOM - height(value, end));
    let mut path = String::new();
    let mut dots = String::new();
    for (place, point) in points.iter().enumerate() {
        let Some(value) = point.value else { continue };
        let known = |place: Option<usize>| {
            place.and_then(|place| points.get(place)).is_some_and(|point| point.value.is_some())
        };
        let (x, y) = place_of(place, value);
        let is_begun = known(place.checked_sub(1));
        let _ = write!(path, "{}{x:.1} {y:.1}", if is_begun { 'L' } else { 'M' });
        let is_alone = !is_begun && !known(Some(place + 1));
        if points.len() <= MAX_TITLES || is_alone {
            let radius = if is_alone { 2.0 } else { 1.4 };
            let _ = write!(
                dots,
                r#"<circle class="mark" cx="{x:.1}" cy="{y:.1}" r="{radius}">{}</circle>"#,
                title(label, point, value)
            );
        }
    }
    format!(r#"<path class="line" d="{path}"/>{dots}"#)
}

fn title(label: &Label, point: &Point, value: f64) -> String {
    format!("<title>{}: {}</title>", escape(&point.name), escape(&short(value, label.unit)))
}
