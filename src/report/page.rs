//! Answers and ledgers as one HTML document.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::chart::{self, Calendar};
use super::figure::{Figure, Log};
use super::html::{concat, escape};
use super::ledgers::{self, LedgerLine};
use super::text::{Language, Text};
use crate::kst::{DayRange, KstDay};

/// A figure and what was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The question.
    pub figure: &'static Figure,
    /// The answer.
    pub answer: Answer,
}

/// All that the page shows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The days that it is about.
    pub days: DayRange,
    /// The answers, in the order of the figures; those of logs that the lake has not got are left out.
    pub answers: Vec<Answered>,
    /// The published days, by table and day.
    pub ledgers: Vec<LedgerLine>,
    /// The language in which it opens.
    pub language: Language,
}

const STYLE: &str = include_str!("page.css");
const TITLE: Text = Text::new("AWS access report", "AWS 접근 보고서");
const DAYS: Text = Text::new("Korean time", "한국 시간");
const CONTENTS: Text = Text::new("Contents", "목차");
const ABSENT: Text = Text::new("No day of this log is published.", "이 로그는 게시된 날짜가 없다.");
const MADE_BY: Text = Text::new("Made by logmill", "logmill이 만든 보고서");

/// The document.
#[must_use]
pub fn page(report: &Report) -> String {
    let DayRange { first, last } = report.days;
    let days = if first == last { first.to_string() } else { format!("{first} – {last}") };
    let contents = concat(report.answers.iter().map(|answered| link(answered.figure)));
    let logs = concat(Log::ALL.iter().map(|log| section(report, *log)));
    let checked = |language: Language| if language == report.language { " checked" } else { "" };
    format!(
        r#"<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title_en} {days}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{days_word} {days}</p>
<fieldset class="languages"><legend>Language / 언어</legend>
<label><input type="radio" name="language" id="show-en"{english}> English</label>
<label><input type="radio" name="language" id="show-ko"{korean}> <span>한국어</span></label>
</fieldset>
</header>
<nav aria-label="{contents_en} / {contents_ko}"><ul>{contents}</ul></nav>
<main>
{logs}{ledgers}
</main>
<footer>{made_by} {version}</footer>
</body>
</html>
"#,
        language = report.language.tag(),
        title_en = escape(TITLE.en),
        title = TITLE.both(),
        days_word = DAYS.both(),
        english = checked(Language::English),
        korean = checked(Language::Korean),
        contents_en = CONTENTS.en,
        contents_ko = CONTENTS.ko,
        ledgers = ledgers::section(&report.ledgers),
        made_by = MADE_BY.both(),
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn link(figure: &Figure) -> String {
    format!(r##"<li><a href="#{}">{}</a></li>"##, figure.id, figure.title.both())
}

fn section(report: &Report, log: Log) -> String {
    let calendar = Calendar { days: report.days, published: published(report, log) };
    let figures: Vec<String> = report
        .answers
        .iter()
        .filter(|answered| answered.figure.log == log)
        .map(|answered| article(answered, &calendar))
        .collect();
    let body = if figures.is_empty() {
        format!(r#"<p class="nothing">{}</p>"#, ABSENT.both())
    } else {
        figures.concat()
    };
    format!("<section><h2>{}</h2>\n{body}</section>\n", log.title().both())
}

fn published(report: &Report, log: Log) -> BTreeSet<KstDay> {
    let lines = report.ledgers.iter().filter(|line| line.manifest.is_some() && line.table == log.table());
    lines.map(|line| line.day).collect()
}

fn article(answered: &Answered, calendar: &Calendar) -> String {
    let figure = answered.figure;
    format!(
        "<article id=\"{}\"><h3>{}</h3><p class=\"note\">{}</p>\n{}</article>\n",
        figure.id,
        figure.title.both(),
        figure.note.both(),
        chart::draw(figure, &answered.answer, calendar)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::manifest;
    use crate::report::answer::Cell;
    use crate::report::figures::FIGURES;

    fn figure(id: &str) -> &'static Figure {
        FIGURES.iter().find(|figure| figure.id == id).unwrap()
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn hour(name: &str, requests: i64) -> Vec<Cell> {
        let mut row = vec![Cell::Integer(requests); 17];
        row[0] = text(name);
        row
    }

    /// Two days, of which the first is published.
    fn report(answers: Vec<(&str, Vec<Vec<Cell>>)>) -> Report {
        let days = DayRange { first: "2023-11-01".parse().unwrap(), last: "2023-11-02".parse().unwrap() };
        let line = |day, manifest| LedgerLine { table: "s3_access".to_owned(), day, manifest };
        let answers = answers.into_iter();
        Report {
            days,
            answers: answers
                .map(|(id, rows)| Answered { figure: figure(id), answer: Answer { rows } })
                .collect(),
            ledgers: vec![line(days.first, Some(manifest())), line(days.last, None)],
            language: Language::Korean,
        }
    }

    #[test]
    fn a_page_fetches_nothing_and_runs_nothing() {
        let html =
            page(&report(vec![("objects", vec![vec![text("b"), text("k"), Cell::Null, Cell::Integer(3)]])]));
        for foreign in ["http:", "https:", "<script", " src=", "@import", "url(", "<link", " on"] {
            let body = html.replace("Content-Security-Policy", "");
            let found = body.match_indices(foreign).filter(|(place, _)| {
                // Words of a sentence may begin with "on"; an attribute goes on with letters and an equals sign.
                foreign != " on" || body[place + 1..].chars().find(|c| !c.is_ascii_lowercase()) == Some('=')
            });
            assert_eq!(found.count(), 0, "{foreign}");
        }
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        let hostile = "\"><img/onerror=alert(1)>\u{202e}";
        let html = page(&report(vec![(
            "objects",
            vec![vec![text(hostile), text(hostile), Cell::Null, Cell::Integer(3)]],
        )]));
        assert!(!html.contains("<img"));
        assert!(!html.contains('\u{202e}'));
        assert_eq!(html.matches("&quot;&gt;&lt;img/onerror=alert(1)&gt;\\u{202e}").count(), 3);
    }

    #[test]
    fn a_log_without_a_published_day_says_so() {
        let html = page(&report(Vec::new()));
        assert_eq!(html.matches("No day of this log is published.").count(), 2);
    }

    #[test]
    fn hours_without_requests_are_zero_and_those_of_missing_days_are_unknown() {
        let html = page(&report(vec![("hours", vec![hour("2023-11-01 09:00:00", 4)])]));
        let panel = &html[html.find("All requests / ").unwrap()..];
        let panel = &panel[..panel.find("</svg>").unwrap()];
        assert_eq!(panel.matches("<circle").count(), 24);
        assert_eq!(panel.matches("2023-11-01 09:00: 4<").count(), 1);
        assert_eq!(panel.matches(": 0<").count(), 23);
        let latency = &html[html.find("First byte latency / ").unwrap()..];
        assert_eq!(latency[..latency.find("</svg>").unwrap()].matches("<circle").count(), 1);
    }

    #[test]
    fn both_languages_are_there_and_one_is_shown() {
        let html = page(&report(vec![("statuses", vec![vec![text("403"), Cell::Integer(1)]])]));
        assert!(html.contains(r#"<html lang="ko">"#));
        assert!(html.contains(r#"id="show-ko" checked"#) && !html.contains(r#"id="show-en" checked"#));
        assert!(html.contains("Requests by status code") && html.contains("응답 상태 코드별 요청 수"));
        assert!(html.contains(r#"class="mark refused""#));
    }

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        let ids: BTreeSet<&str> = FIGURES.iter().map(|figure| figure.id).collect();
        assert_eq!(ids.len(), FIGURES.len());
    }
}
