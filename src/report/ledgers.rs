//! The ledgers of the published runs: what each run read, and what happened to every row.

use std::collections::BTreeMap;

use super::format::{Unit, exact, thousands};
use super::text::Text;
use crate::html::{concat, escape};
use crate::kst::KstDay;
use crate::publish::Manifest;

/// A day of a table, published or not.
#[derive(Debug, Clone)]
pub struct LedgerLine {
    /// Name of the table.
    pub table: String,
    /// The day.
    pub day: KstDay,
    /// The manifest; `None` if the day is not published.
    pub manifest: Option<Manifest>,
}

pub(super) const TITLE: Text = Text::new("Run ledgers", "실행별 처리 내역");
const NOTE: Text = Text::new(
    "In each row, rows read = written + other day + duplicate + quarantined + filtered, and objects listed = read + left out. \
     Objects left out were listed for the day but are not logs of the table.",
    "각 행에서 읽은 행 = 저장 + 다른 날짜 + 중복 + 격리 + 필터 제외이고, 조회한 객체 = 읽은 객체 + 제외한 객체입니다. \
     제외한 객체는 해당 날짜로 조회했지만 이 테이블의 로그가 아닌 객체입니다.",
);
const LEFT_OUT: Text = Text::new("Objects left out", "제외한 객체");
const FOLDERS: Text = Text::new("folders not entered", "건너뛴 폴더");
const MISSING: Text = Text::new("not published", "게시되지 않음");
const FINAL: Text = Text::new("final", "확정");
const PROVISIONAL: Text = Text::new("provisional", "잠정");

/// The column headers. Numbers start with the third column.
const HEADS: [Text; 14] = [
    Text::new("Table", "테이블"),
    Text::new("Day", "날짜"),
    Text::new("Objects listed", "조회한 객체"),
    Text::new("Objects read", "읽은 객체"),
    LEFT_OUT,
    Text::new("Rows read", "읽은 행"),
    Text::new("Written", "저장"),
    Text::new("Other day", "다른 날짜"),
    Text::new("Duplicate", "중복"),
    Text::new("Quarantined", "격리"),
    Text::new("Filtered", "필터 제외"),
    Text::new("Files", "파일"),
    Text::new("Size", "크기"),
    Text::new("State", "상태"),
];

/// Returns the section with the table of ledgers.
pub(super) fn section(lines: &[LedgerLine]) -> String {
    let is_number = |column: usize| (2..HEADS.len() - 1).contains(&column);
    let heads = concat(HEADS.iter().enumerate().map(|(column, head)| {
        let class = if is_number(column) { r#" class="number""# } else { "" };
        format!(r#"<th scope="col"{class}>{}</th>"#, head.both())
    }));
    let rows = concat(lines.iter().map(row));
    let region = super::chart::region(
        "ledgers-title",
        &format!(r#"<table class="sortable"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"#),
    );
    format!(
        r#"<section id="ledgers"><h2 id="ledgers-title">{}</h2><p class="note">{}</p>{region}{}</section>"#,
        TITLE.both(),
        NOTE.both(),
        reasons(lines),
    )
}

/// Lists the reasons why objects were left out, by table.
fn reasons(lines: &[LedgerLine]) -> String {
    let mut counts: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for line in lines {
        let listed = line.manifest.as_ref().and_then(|manifest| manifest.listed.as_ref());
        for group in listed.into_iter().flat_map(|listed| &listed.left) {
            let (objects, folders) = counts.entry((&line.table, &group.why)).or_default();
            *objects += group.objects;
            *folders += group.folders;
        }
    }
    let item = |((table, why), (objects, folders)): (&(&str, &str), &(u64, u64))| {
        let folders =
            if *folders > 0 { format!(" ({}: {})", FOLDERS.both(), number(*folders)) } else { String::new() };
        format!("<li>{}: {}: {}{folders}</li>", escape(table), escape(why), number(*objects))
    };
    if counts.is_empty() {
        return String::new();
    }
    format!(
        r#"<details><summary>{}</summary><ul class="note">{}</ul></details>"#,
        LEFT_OUT.both(),
        concat(counts.iter().map(item))
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
    // Early manifests do not record what was listed.
    let listed = manifest.listed.as_ref();
    let listed = listed
        .map_or(["-".to_owned(), "-".to_owned()], |listed| [listed.listed, listed.left_out()].map(number));
    let objects = [&listed[0], &number(manifest.inputs_file.objects), &listed[1]];
    let objects = concat(objects.iter().map(|count| format!(r#"<td class="number">{count}</td>"#)));
    let bytes: u64 = manifest.parts.iter().map(|part| part.bytes).sum();
    let state = if manifest.provisional { PROVISIONAL } else { FINAL };
    format!(
        r#"<tr>{name}{objects}{counts}<td class="number" data-n="{bytes}">{}</td><td title="{}">{}</td></tr>"#,
        exact(bytes as f64, Unit::Bytes),
        escape(&manifest.run),
        state.both()
    )
}

fn number(count: u64) -> String {
    thousands(i64::try_from(count).unwrap_or(i64::MAX))
}
