//! The key figures at the top of the page, with their change against the range before.

use super::answer::Cell;
use super::calendar;
use super::format::{Unit, change, short};
use super::ledgers::LedgerLine;
use super::log::Log;
use super::pulse::Beats;
use super::scope::Scope;
use super::text::{Text, both};
use crate::html::{concat, escape};

pub(super) const TITLE: Text = Text::new("Key figures", "핵심 지표");
const COMPARED: Text =
    Text::new("Changes are against the same number of days before:", "직전 같은 기간과 비교한 증감입니다:");
const BEFORE: Text = Text::new("before:", "이전");
const DAYS: Text = Text::new("Days", "날짜");
const FINAL: Text = Text::new("Published, final", "게시(확정)");
const PROVISIONAL: Text = Text::new("Published, provisional", "게시(잠정)");
const MISSING: Text = Text::new("Missing", "누락");
const DAYS_NOTE: Text = Text::new(
    "A day is missing if any table of the lake lacks it, and provisional if late logs could still arrive when it was built.",
    "테이블 중 하나라도 없으면 누락, 빌드 시점에 로그가 더 도착할 수 있었으면 잠정으로 셉니다.",
);

/// The numbers of a log, and what they can be compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct LogBeats {
    /// The log.
    pub log: Log,
    /// Its numbers.
    pub beats: Beats,
    /// Published days of the range before.
    pub days_before: usize,
    /// Published days of the four weeks before the range.
    pub days_of_history: usize,
}

/// Returns the section.
pub(super) fn section(logs: &[LogBeats], ledgers: &[LedgerLine], scope: &Scope) -> String {
    let groups = concat(logs.iter().map(|log| group(log, scope)));
    format!(
        r#"<section id="key-figures"><h2>{}</h2><p class="note">{} {}</p><div class="groups">{groups}{}</div></section>"#,
        TITLE.both(),
        COMPARED.both(),
        calendar::shown(scope.previous()),
        days(ledgers, scope),
    )
}

fn group(log: &LogBeats, scope: &Scope) -> String {
    let wanted = scope.length();
    let is_comparable = log.days_before == wanted;
    let cards = concat(log.beats.keys().map(|place| card(&log.beats, place, is_comparable)));
    let note = if is_comparable {
        String::new()
    } else {
        let published = log.days_before;
        let en = match wanted {
            1 => "No comparison: the day before is not published.".to_owned(),
            _ => format!("No comparison: only {published} of the {wanted} days before are published."),
        };
        let ko = match wanted {
            1 => "비교 불가: 직전 날짜가 게시되지 않았습니다.".to_owned(),
            _ => format!("비교 불가: 직전 {wanted}일 중 {published}일만 게시되었습니다."),
        };
        format!(r#"<p class="note">{}</p>"#, both(&en, &ko))
    };
    format!(
        r#"<div class="group"><h3>{}</h3><dl class="cards">{cards}</dl>{note}</div>"#,
        log.log.title().both()
    )
}

fn card(beats: &Beats, place: usize, is_comparable: bool) -> String {
    let label = &beats.metrics[place].label;
    let absent = label.absent();
    let [now, before] = [&beats.now, &beats.before].map(|row| row.get(place).unwrap_or(&absent));
    let compared = match (now.number(), before.number()) {
        (Some(number), Some(earlier)) if is_comparable => format!(
            r#"<dd class="change">{}{}</dd>"#,
            change(number, earlier, label.unit),
            if earlier == 0.0 { String::new() } else { earlier_number(before, label.unit) },
        ),
        _ => String::new(),
    };
    format!(
        r#"<div><dt>{}</dt><dd class="big">{}</dd>{compared}</div>"#,
        label.name.both(),
        big(now, label.unit)
    )
}

fn earlier_number(cell: &Cell, unit: Unit) -> String {
    format!(r#" <span class="before">({} {})</span>"#, BEFORE.both(), big(cell, unit))
}

/// Returns a number with its unit. Long counts are short, with all digits in their title.
fn big(cell: &Cell, unit: Unit) -> String {
    match cell.number() {
        Some(number) if unit == Unit::Count && number.abs() >= 1e7 => {
            let [en, ko] = short(number, unit);
            format!(r#"<span title="{}">{}</span>"#, escape(&cell.text_in(unit)), both(&en, &ko))
        }
        _ => escape(&cell.text_in(unit)),
    }
}

/// Counts the days by their state.
fn days(ledgers: &[LedgerLine], scope: &Scope) -> String {
    let mut counts = [0_usize; 3];
    for day in scope.days.days() {
        let lines = || ledgers.iter().filter(|line| line.day == day);
        let is_missing = lines().any(|line| line.manifest.is_none());
        let is_provisional =
            lines().any(|line| line.manifest.as_ref().is_some_and(|manifest| manifest.provisional));
        counts[if is_missing { 2 } else { usize::from(is_provisional) }] += 1;
    }
    let cards = [FINAL, PROVISIONAL, MISSING].into_iter().zip(counts);
    let cards =
        concat(cards.map(|(name, count)| {
            format!(r#"<div><dt>{}</dt><dd class="big">{count}</dd></div>"#, name.both())
        }));
    format!(
        r#"<div class="group"><h3>{}</h3><dl class="cards">{cards}</dl><p class="note">{}</p></div>"#,
        DAYS.both(),
        DAYS_NOTE.both()
    )
}
