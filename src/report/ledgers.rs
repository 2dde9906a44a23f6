//! What the published runs read, and what became of every row.

use super::figure::Unit;
use super::format::{short, thousands};
use super::html::{concat, escape};
use super::text::Text;
use crate::kst::KstDay;
use crate::publish::Manifest;

/// A day of a table: its manifest, or nothing where it is not published.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Name of the table.
    pub table: String,
    /// The day.
    pub day: KstDay,
    /// What is published.
    pub manifest: Option<Manifest>,
}

const TITLE: Text = Text::new("Ledgers of the runs", "실행 원장");
const NOTE: Text = Text::new(
    "read = written + other day + duplicate + quarantined + filtered, in each line. Left out: objects listed for the \
     day that are not logs of the table.",
    "각 줄에서 읽은 행 = 기록 + 다른 날 + 중복 + 격리 + 제외. 제외 객체: 나열되었으나 해당 테이블의 로그가 아닌 객체.",
);
const MISSING: Text = Text::new("not published", "미게시");
const FINAL: Text = Text::new("final", "확정");
const PROVISIONAL: Text = Text::new("provisional", "잠정");

/// The heads of the columns; the numbers begin with the third.
const HEADS: [Text; 13] = [
    Text::new("Table", "테이블"),
    Text::new("Day", "날짜"),
    Text::new("Objects", "객체"),
    Text::new("Left out", "제외 객체"),
    Text::new("Read", "읽음"),
    Text::new("Written", "기록"),
    Text::new("Other day", "다른 날"),
    Text::new("Duplicate", "중복"),
    Text::new("Quarantined", "격리"),
    Text::new("Filtered", "제외"),
    Text::new("Files", "파일"),
    Text::new("Size", "크기"),
    Text::new("State", "상태"),
];

/// The table of ledgers.
pub(super) fn section(lines: &[LedgerLine]) -> String {
    let heads = concat(HEADS.iter().map(|head| format!(r#"<th scope="col">{}</th>"#, head.both())));
    let rows = concat(lines.iter().map(row));
    let region = super::chart::region(
        TITLE,
        &format!("<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"),
    );
    format!(
        r#"<section id="ledgers"><h2>{}</h2><p class="note">{}</p>{region}</section>"#,
        TITLE.both(),
        NOTE.both(),
    )
}

fn row(line: &LedgerLine) -> String {
    let name = format!(r#"<th scope="row">{}</th><td>{}</td>"#, escape(&line.table), line.day);
    let Some(manifest) = &line.manifest else {
        return format!(
            r#"<tr class="missing">{name}<td colspan="{}"></td><td>{}</td></tr>"#,
            HEADS.len() - 3,
            MISSING.both()
        );
    };
    let ledger = &manifest.ledger;
    let (left, why) = left_out(manifest);
    let counts = [
        ledger.read,
        ledger.written,
        ledger.other_day,
        ledger.duplicate,
        ledger.quarantined,
        ledger.filtered,
        manifest.parts.len() as u64,
    ];
    let counts = concat(counts.iter().map(|count| format!(r#"<td class="number">{}</td>"#, number(*count))));
    let objects = format!(
        r#"<td class="number">{}</td><td class="number" title="{}">{}</td>"#,
        number(manifest.inputs_file.objects),
        escape(&why),
        left.map_or("-".to_owned(), number)
    );
    let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
    let state = if manifest.provisional { PROVISIONAL } else { FINAL };
    format!(
        r#"<tr>{name}{objects}{counts}<td class="number">{}</td><td title="{}">{}</td></tr>"#,
        short(bytes as f64, Unit::Bytes),
        escape(&manifest.run),
        state.both()
    )
}

fn number(count: u64) -> String {
    thousands(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Objects that listing met and left out, and why; early manifests do not say.
fn left_out(manifest: &Manifest) -> (Option<u64>, String) {
    let Some(listed) = &manifest.listed else { return (None, String::new()) };
    let why = |(why, objects, folders): (&String, u64, u64)| match folders {
        0 => format!("{why}: {}", number(objects)),
        _ => format!("{why}: {} and {} not entered", number(objects), number(folders)),
    };
    let counts = listed.left.iter().map(|group| (&group.why, group.objects, group.folders));
    let why: Vec<String> = counts.map(why).collect();
    (Some(listed.left_out()), why.join(", "))
}
