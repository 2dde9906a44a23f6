//! `logmill report`: an HTML page of the published days.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::json;

use crate::harness::{AccessLine, Call, Table, Workdir, document, event};

const TABLE: Table = Table::CLOUDTRAIL;
const HOSTILE: &str = "<img src=x onerror=alert(1)>.amazonaws.com";

/// A lake with the day and one service with a hostile name.
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
fn the_report_of_a_day_is_named_after_the_day() {
    let work = published();
    report(&work, &["--day", "2023-11-01"]).exits(0).says(&["report written", "file=report-2023-11-01.html"]);
    let page = fs::read_to_string(work.path("report-2023-11-01.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("<bdi>kms.amazonaws.com</bdi>"));
    // The other log type has no published day.
    assert_eq!(page.matches("This log has no published days.").count(), 1);
    let names: Vec<_> =
        fs::read_dir(work.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{names:?}");
}

#[test]
fn hostile_log_text_is_escaped_on_the_page() {
    let page = report(&published(), &["--day", "2023-11-01", "--to-file", "-"]).exits(0).stdout;
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(!page.contains("<img"));
}

#[test]
fn unpublished_days_are_listed() {
    let work = published();
    let page =
        report(&work, &["--from", "2023-10-31", "--to", "2023-11-02", "--lang", "ko", "--to-file", "-"]);
    let page = page.exits(0).stdout;
    assert!(page.contains(r#"<html lang="ko">"#));
    assert_eq!(page.matches("not published</span>").count(), 2);
    report(&work, &["--day", "2023-10-31"]).exits(4).says(&["none of the days is published"]);
}

#[test]
fn without_days_the_published_days_are_proposed() {
    let work = published();
    report(&work, &[]).exits(4).says(&["hint: the lake has published days: pass --day 2023-11-01\n"]);
    let empty =
        ["run", "--day", "2023-11-03", "--input", "raw", "--output", "lake", "--dataset", "cloudtrail"];
    work.logmill(empty).exits(0);
    // A killed run can leave a folder without a manifest.
    fs::create_dir(work.path("lake/cloudtrail/proc_ymd=20231105")).unwrap();
    let hint = "hint: the lake has published days: pass --from 2023-11-01 --to 2023-11-03\n";
    report(&work, &[]).exits(4).says(&[hint]);
    work.logmill(["certify", "--output", "lake"]).exits(4).says(&[hint]);
    let other = ["certify", "--output", "lake", "--table", "s3_access"];
    work.logmill(other).exits(4).says(&["hint: publish them with 'logmill run'"]);
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
fn only_regular_files_are_replaced_and_links_are_kept() {
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
fn a_table_with_a_name_of_its_own_has_the_figures_of_its_log_type() {
    let work = published();
    for folder in ["lake", "lake/_manifests"] {
        fs::rename(work.path(folder).join("cloudtrail"), work.path(folder).join("trail")).unwrap();
    }
    let page = report(&work, &["--day", "2023-11-01", "--to-file", "-"]).exits(0).stdout;
    assert!(page.contains("<bdi>kms.amazonaws.com</bdi>"));
    assert!(page.contains(r#"<th scope="row">trail</th>"#));
}

#[test]
fn filters_leave_out_other_callers_and_logs_without_them() {
    let work = Workdir::new();
    let of = |name: &str| json!({"userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{name}")}});
    work.cloudtrail("a", document([event("a", of("kim")), event("b", of("lee")), event("c", of("lee"))]));
    work.access("A", format!("{}\n", AccessLine::of("R")));
    work.logmill(["run", "--day", "2023-11-01", "--input", "raw", "--output", "lake"]).finishes(0);
    let page = |filter: &[&str]| {
        let days = ["--day", "2023-11-01", "--to-file", "-"];
        report(&work, &[&days[..], filter].concat()).exits(0).stdout
    };
    let events = |page: &str| {
        let card = &page[page.find(">Events<").unwrap()..];
        let card = &card[card.find("class=\"big\">").unwrap() + 12..];
        card[..card.find('<').unwrap()].to_owned()
    };
    assert_eq!(events(&page(&[])), "3");
    let of_lee = page(&["--principal", "arn:aws:iam::111122223333:user/lee"]);
    assert_eq!(events(&of_lee), "2");
    assert!(of_lee.contains("<bdi>arn:aws:iam::111122223333:user/lee</bdi>"));
    let kim = ["--principal", "arn:aws:iam::111122223333:user/kim"];
    let lee = ["--principal", "arn:aws:iam::111122223333:user/lee"];
    assert_eq!(events(&page(&[kim, lee].concat())), "3");
    let nothing = page(&["--account", "o'hara"]);
    assert_eq!(events(&nothing), "0");
    assert_eq!(nothing.matches("This log does not contain what the report is filtered by.").count(), 1);
}

#[test]
fn a_page_opens_in_a_browser_or_stays_a_file() {
    let work = published();
    let arguments = ["--day", "2023-11-01", "--open"];
    // No program of this name is in the path.
    report(&work, &arguments)
        .env("PATH", &work.path(".").to_string_lossy())
        .exits(0)
        .says(&["cannot open the page"]);
    assert!(work.path("report-2023-11-01.html").is_file());
    report(&work, &[&arguments[..], &["--to-file", "-"]].concat()).exits(2).says(&["--open needs a file"]);
}
