//! `docs/troubleshooting.md` covers each exit code, permission and known code of AWS, and quotes what the program prints.

use std::fs;
use std::path::{Path, PathBuf};

use logmill::cli::exit::Exit;
use regex::Regex;

/// The header of the first column of tables that quote the program.
const QUOTES: &str = "printed";

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap()
}

/// The cells of each row of the tables with this first header, without the header.
fn rows(page: &str, first_header: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let (mut found, mut header) = (Vec::new(), None);
    for line in page.lines() {
        match (line.starts_with('|'), &header) {
            (false, _) => header = None,
            (true, None) => header = Some(cells(line)[0].clone()),
            (true, Some(header)) if header == first_header && !line.starts_with("|--") => {
                found.push(cells(line));
            }
            (true, Some(_)) => {}
        }
    }
    found
}

/// The source of the program, with strings in one line.
fn source() -> String {
    let mut text = String::new();
    append(&repository().join("src"), &mut text);
    let text = Regex::new(r"\\\n\s*").unwrap().replace_all(&text, "").into_owned();
    text.replace("\\\"", "\"")
}

fn append(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            append(&path, text);
        } else {
            text.push_str(&fs::read_to_string(path).unwrap_or_default());
        }
    }
}

#[test]
fn every_quotation_is_in_the_source() {
    let (page, source, span) = (page(), source(), Regex::new("`([^`]+)`").unwrap());
    let rows = rows(&page, QUOTES);
    for row in &rows {
        let quoted: Vec<_> = span.captures_iter(&row[0]).map(|found| found[1].to_owned()).collect();
        assert!(!quoted.is_empty(), "{row:?} quotes nothing");
        for text in quoted {
            assert!(source.contains(&text), "the program does not print '{text}'");
        }
    }
    assert!(rows.len() > 60, "{} rows", rows.len());
}

#[test]
fn each_exit_code_is_explained() {
    let codes: Vec<String> = rows(&page(), "code").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(codes, Exit::TABLE.map(|(exit, _)| exit.code().to_string()));
}

#[test]
fn each_request_is_listed_with_its_permission() {
    let (page, source) = (page(), source());
    let request =
        Regex::new(r#"failing: "([^"]+)",\s*target(?:: &target)?,\s*permission: "([^"]+)""#).unwrap();
    let mut requests = 0;
    for found in request.captures_iter(&source) {
        let row = format!("| `{}` | `{}` |", &found[1], &found[2]);
        assert!(page.contains(&row), "the page should contain {row}");
        requests += 1;
    }
    assert!(requests > 20, "{requests} requests");
}

#[test]
fn each_code_of_aws_with_a_next_step_is_listed() {
    let page = page();
    let failures = fs::read_to_string(repository().join("src/store/s3/failure.rs")).unwrap();
    let known = Regex::new(r#"\(\s*"([A-Z]\w+)",\s*ErrorKind::"#).unwrap();
    let codes: Vec<_> = known.captures_iter(&failures).map(|found| found[1].to_owned()).collect();
    for code in &codes {
        assert!(page.contains(&format!("`{code}`")), "the page should explain {code}");
    }
    assert!(codes.len() > 15, "{codes:?}");
}
