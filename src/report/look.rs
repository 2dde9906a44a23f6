//! The section "Worth a look": the findings that have rows, each with its query.

use super::answer::Answer;
use super::article::{half, more, sql_details};
use super::chart;
use super::findings::{Finding, MIN_HISTORY};
use super::keys::LogBeats;

use super::scope::Scope;
use super::text::{Text, both};
use crate::html::concat;

pub(super) const TITLE: Text = Text::new("Worth a look", "확인해 볼 만한 항목");
const NOTE: Text = Text::new(
    "Each query runs as it is in logmill query, and in Athena with the views of glue/sql.",
    "모든 쿼리는 logmill query에서, 그리고 glue/sql의 뷰를 만든 Athena에서 그대로 실행할 수 있습니다.",
);

/// A finding that was asked, and its answer.
#[derive(Debug, Clone)]
pub struct Found {
    /// The finding.
    pub finding: &'static Finding,
    /// The answer.
    pub answer: Answer,
    /// The number of rows without the limit.
    pub all_rows: usize,
}

/// Returns the section.
pub(super) fn section(found: &[Found], logs: &[LogBeats], scope: &Scope) -> String {
    let articles =
        concat(found.iter().filter(|found| !found.answer.rows.is_empty()).map(|found| article(found, scope)));
    let lead = if articles.is_empty() {
        let count = found.len();
        let en = format!("Nothing unusual: none of the {count} checks found anything.");
        let ko = format!("특이 사항이 없습니다. 점검 {count}건에서 발견된 항목이 없습니다.");
        format!(r#"<p class="nothing">{}</p>"#, both(&en, &ko))
    } else {
        format!(r#"<p class="note">{}</p>"#, NOTE.both())
    };
    let short = concat(logs.iter().filter(|log| log.days_of_history < MIN_HISTORY).map(too_short));
    format!(
        r#"<section id="worth-a-look"><h2>{}</h2>{lead}<div class="figures">{articles}</div>{short}</section>"#,
        TITLE.both()
    )
}

fn article(found: &Found, scope: &Scope) -> String {
    let figure = &found.finding.figure;
    let table = chart::rows(figure.labels, &found.answer);
    format!(
        r#"<article id="{id}"{half}><h3 id="{title}">{}</h3><p class="note">{}</p>{}{}{}</article>"#,
        figure.title.both(),
        figure.note.both(),
        chart::region(&chart::title_id(figure.id), &table),
        more(found.answer.rows.len(), found.all_rows),
        sql_details(&figure.query(scope)),
        id = figure.id,
        title = chart::title_id(figure.id),
        half = half(figure, scope),
    )
}

/// States that a log has too few days before the range for comparisons.
fn too_short(log: &LogBeats) -> String {
    let title = log.log.title();
    let days = log.days_of_history;
    let en = format!(
        "{}: new and unusual things were not checked. That needs at least {MIN_HISTORY} published days in the 28 days before; the lake has {days}.",
        title.en
    );
    let ko = format!(
        "{}: 새로운 항목과 급증은 점검하지 않았습니다. 직전 28일 중 {MIN_HISTORY}일 이상 게시되어 있어야 하지만 {days}일만 있습니다.",
        title.ko
    );
    format!(r#"<p class="note">{}</p>"#, both(&en, &ko))
}
