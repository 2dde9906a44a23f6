//! `logmill report`: a page of what is published, and of nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;

use crate::harness::{Call, Table, Workdir, document, event};

const TABLE: Table = Table::CLOUDTRAIL;
const HOSTILE: &str = "<img src=x onerror=alert(1)>.amazonaws.com";

/// A lake with the day, of which one service has a hostile name.
fn published() -> Workdir {
    let work = Workdir::new();
    let of = |source: &str| json!({"eventSource": source, "userIdentity": {"arn": "arn:aws:iam::111122223333:user/kim"}});
    work.cloudtrail("a", document([event("a", of("kms.amazonaws.com")), event("b", of(HOSTILE))]));
    work.run(TABLE).publishes(TABLE);
    work
}

fn report<'w>(work: &'w Workdir, arguments: &[&str]) -> Call<'w> {
    work.logmill(["report", "--output", "lake"]).args(arguments.iter().copied())
}

#[test]
fn a_day_becomes_a_file_named_after_it() {
    let work = published();
    report(&work, &["--day", "2023-11-01"]).exits(0);
    let page = fs::read_to_string(work.path("logmill-report-20231101.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("<bdi>kms.amazonaws.com</bdi>"));
    // Of the other log nothing is published.
    assert_eq!(page.matches("This log has no published days.").count(), 1);
    let names: Vec<_> =
        fs::read_dir(work.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{names:?}");
}

#[test]
fn what_a_stranger_wrote_into_a_log_is_text_on_the_page() {
    let page = report(&published(), &["--day", "2023-11-01", "--to-file", "-"]).exits(0).stdout;
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(!page.contains("<img"));
}

#[test]
fn days_without_a_run_are_named_and_other_days_are_left_out() {
    let work = published();
    let page =
        report(&work, &["--from", "2023-10-31", "--to", "2023-11-02", "--lang", "ko", "--to-file", "-"]);
    let page = page.exits(0).stdout;
    assert!(page.contains(r#"<html lang="ko">"#));
    assert_eq!(page.matches("not published</span>").count(), 2);
    report(&work, &["--day", "2023-10-31"]).exits(4).says(&["none of the days is published"]);
}

#[test]
fn the_same_lake_gives_the_same_page() {
    let work = published();
    let page = |threads| {
        report(&work, &["--day", "2023-11-01", "--to-file", "-", "--threads", threads]).exits(0).stdout
    };
    assert_eq!(page("1"), page("3"));
}

#[test]
fn what_is_no_file_is_left_alone_and_a_link_stays_a_link() {
    let work = published();
    assert!(Command::new("mkfifo").arg(work.path("pipe")).status().unwrap().success());
    fs::create_dir(work.path("folder")).unwrap();
    for target in ["pipe", "folder", "s3://bucket/page.html", "/dev/null", ""] {
        report(&work, &["--day", "2023-11-01", "--to-file", target]).exits(2).says(&["to-file"]);
    }
    report(&work, &["--day", "2023-11-01", "--to-file", "nowhere/page.html"]).exits(4).says(&["hint:"]);
    fs::write(work.path("old.html"), "old").unwrap();
    symlink("old.html", work.path("link.html")).unwrap();
    report(&work, &["--day", "2023-11-01", "--to-file", "link.html"]).exits(0);
    assert!(fs::symlink_metadata(work.path("link.html")).unwrap().is_symlink());
    assert!(fs::read_to_string(work.path("old.html")).unwrap().starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_table_of_another_name_has_ledgers_and_is_told_of() {
    let work = published();
    fs::rename(work.path("lake/cloudtrail"), work.path("lake/trail")).unwrap();
    let outcome = report(&work, &["--day", "2023-11-01", "--to-file", "-"]).exits(0);
    outcome.says(&["only tables called cloudtrail and s3_access", "table=trail"]);
    assert!(outcome.stdout.contains(r#"<th scope="row">trail</th>"#));
}
