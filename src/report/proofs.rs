//! What CloudTrail's digests prove about the published days.

use super::format::thousands;
use super::ledgers::LedgerLine;
use super::text::Text;
use crate::digest::{DayProof, Verdict};
use crate::html::{concat, escape};

const TITLE: Text = Text::new("Proof by digests", "다이제스트 증명");
const NOTE: Text = Text::new(
    "CloudTrail's digests name each log file that it delivered: files named = right + altered + missing. The command certify \
     shows all exceptions.",
    "CloudTrail 다이제스트는 전달한 모든 로그 파일을 기재합니다. 기재된 파일 = 일치 + 변조 + 누락입니다. 모든 예외는 certify 명령으로 \
     확인할 수 있습니다.",
);

/// The column headers. Numbers start with the fourth column.
const HEADS: [Text; 10] = [
    Text::new("Table", "테이블"),
    Text::new("Day", "날짜"),
    Text::new("Verdict", "판정"),
    Text::new("Files named", "기재된 파일"),
    Text::new("Right", "일치"),
    Text::new("Altered", "변조"),
    Text::new("Missing", "누락"),
    Text::new("Unnamed", "미기재"),
    Text::new("Hours covered", "포함된 시간"),
    Text::new("Hours to cover", "전체 시간"),
];

/// Returns the section about days with digests; empty without such days.
pub(super) fn section(lines: &[LedgerLine]) -> String {
    let proved = lines.iter().filter_map(|line| Some((line, line.manifest.as_ref()?.proof.as_ref()?)));
    let rows: Vec<String> = proved.map(|(line, proof)| row(line, proof)).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = concat(HEADS.iter().map(|head| format!(r#"<th scope="col">{}</th>"#, head.both())));
    let rows = concat(rows.into_iter());
    let table = format!("<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>");
    let region = super::chart::region("proofs-title", &table);
    format!(
        r#"<section id="proofs"><h2 id="proofs-title">{}</h2><p class="note">{}</p>{region}</section>"#,
        TITLE.both(),
        NOTE.both()
    )
}

fn row(line: &LedgerLine, proof: &DayProof) -> String {
    let (covered, wanted) = proof.minutes();
    let files = proof.files;
    let counts =
        [files.named, files.right, files.altered, files.missing, proof.unnamed, covered / 60, wanted / 60];
    let counts = concat(counts.iter().map(|count| {
        format!(r#"<td class="number">{}</td>"#, thousands(i64::try_from(*count).unwrap_or(i64::MAX)))
    }));
    format!(
        r#"<tr><th scope="row">{}</th><td>{}</td><td>{}</td>{counts}</tr>"#,
        escape(&line.table),
        line.day,
        word(proof.verdict).both()
    )
}

fn word(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Proved => Text::new("proved", "증명됨"),
        Verdict::Unproved => Text::new("unproved", "증명되지 않음"),
        Verdict::Unnamed => Text::new("unnamed", "미기재 파일 있음"),
        Verdict::Incomplete => Text::new("incomplete", "미완료"),
        Verdict::Gap => Text::new("gap", "기록 중단 구간 있음"),
        Verdict::Broken => Text::new("broken", "서명·연결 오류"),
        Verdict::Missing => Text::new("missing", "누락"),
        Verdict::Altered => Text::new("altered", "변조"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{DigestList, FileLedger, FurtherChains, Stretch};
    use crate::publish::Manifest;
    use crate::publish::tests::manifest;

    #[test]
    fn only_days_with_digests_have_a_row() {
        let window =
            Stretch { from: "2023-10-31T15:00:00Z".to_owned(), to: "2023-11-01T21:00:00Z".to_owned() };
        let proof = DayProof {
            verdict: Verdict::Altered,
            window,
            origin: None,
            files: FileLedger { named: 7, right: 5, altered: 1, missing: 1 },
            unnamed: 3,
            digests: DigestList::default(),
            keys: Vec::new(),
            chains: Vec::new(),
            further_chains: FurtherChains::default(),
            without_digests: Vec::new(),
            exceptions: Vec::new(),
            exceptions_not_listed: 0,
        };
        let line = |proof| {
            let manifest = Manifest { proof, ..manifest() };
            LedgerLine { table: "t".to_owned(), day: manifest.day, manifest: Some(manifest) }
        };
        assert_eq!(section(&[line(None)]), "");
        let html = section(&[line(None), line(Some(proof))]);
        assert_eq!(html.matches("<tr>").count(), 2, "{html}");
        assert!(html.contains(r#"<span lang="ko">변조</span>"#), "{html}");
        for count in [7, 5, 1, 3] {
            assert!(html.contains(&format!(r#"<td class="number">{count}</td>"#)), "{count} in {html}");
        }
    }
}
