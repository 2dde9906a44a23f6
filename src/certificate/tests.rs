//! Tests of certificates.

use super::*;
use crate::digest::{DigestList, Exception, ExceptionKind, FileLedger, FurtherChains, Stretch};
use crate::publish::tests::manifest;

fn certificate(object: &str) -> Certificate {
    let manifest = manifest();
    let exception =
        Exception { kind: ExceptionKind::AlteredFile, object: object.to_owned(), detail: "why".to_owned() };
    let proof = DayProof {
        verdict: Verdict::Altered,
        window: Stretch { from: String::new(), to: String::new() },
        origin: None,
        files: FileLedger { named: 3, right: 2, altered: 1, missing: 0 },
        unnamed: 0,
        digests: DigestList::default(),
        keys: vec!["abcd".to_owned()],
        chains: Vec::new(),
        further_chains: FurtherChains::default(),
        without_digests: Vec::new(),
        exceptions: vec![exception],
        exceptions_not_listed: 2,
    };
    let day = DayCertificate {
        table: "cloudtrail".to_owned(),
        dataset: "cloudtrail".to_owned(),
        day: manifest.day,
        run: manifest.run.clone(),
        published_at: manifest.published_at,
        provisional: false,
        verdict: Verdict::Altered,
        rows: manifest.ledger,
        manifest: "cloudtrail/proc_ymd=20231101/_manifest.json".to_owned(),
        manifest_sha256: "00".repeat(32),
        parts: manifest.parts,
        proof: Some(proof),
    };
    let access = DayCertificate {
        dataset: "s3-access".to_owned(),
        table: "s3_access".to_owned(),
        verdict: Verdict::Unproved,
        proof: None,
        ..day.clone()
    };
    Certificate {
        certificate_version: CERTIFICATE_VERSION,
        logmill: "0.2.0".to_owned(),
        issued_at: "2023-11-03T00:00:00Z".to_owned(),
        lake: "/lake".to_owned(),
        days: vec![day, access],
        not_published: vec![UnpublishedDay {
            table: "cloudtrail".to_owned(),
            day: "2023-11-02".parse().unwrap(),
        }],
    }
}

/// The paragraphs and rows of a document.
fn plain(document: &Document) -> String {
    let lines = document.sections.iter().flat_map(|section| {
        let rows = section.rows.iter().map(|row| format!("{row:?}\n"));
        section.paragraphs.iter().map(|paragraph| format!("{paragraph}\n")).chain(rows).collect::<Vec<_>>()
    });
    lines.collect()
}

/// An object can have any name.
const HOSTILE: [&str; 5] = [
    "plain",
    "</pre><script>alert(1)</script>",
    "<pre id=\"certificate\">{}",
    "&amp;lt;",
    "\u{202e}로그\n\u{7f}\u{1f600}",
];

#[test]
fn a_page_carries_its_certificate_whatever_the_names_in_it_are() {
    for object in HOSTILE {
        let certificate = certificate(object);
        assert_eq!(Certificate::parse(&certificate.to_json().unwrap()).unwrap(), certificate);
        for language in [Language::English, Language::Korean] {
            let html = page(&certificate, language).unwrap();
            assert!(!html.contains("<script"), "{html}");
            assert_eq!(Certificate::parse(&html).unwrap(), certificate, "{object}");
        }
    }
}

#[test]
fn a_page_that_shows_another_verdict_than_its_data_is_refused() {
    for (language, shown, forged) in
        [(Language::English, ">altered<", ">proved<"), (Language::Korean, ">변조<", ">증명됨<")]
    {
        let html = page(&certificate("o"), language).unwrap();
        assert!(Certificate::parse(&format!("{html}\n")).is_ok(), "an editor may end the last line");
        let forged = html.replacen(shown, forged, 1);
        assert_ne!(forged, html);
        assert!(Certificate::parse(&forged).unwrap_err().contains("does not show what its data says"));
    }
}

#[test]
fn a_certificate_without_days_or_with_a_repeated_day_is_refused() {
    let whole = certificate("o");
    let repeated = [whole.days.clone(), whole.days.clone()].concat();
    for days in [Vec::new(), repeated] {
        let json = Certificate { days, ..whole.clone() }.to_json().unwrap();
        assert_eq!(Certificate::parse(&json).unwrap_err(), "it names no day, or a day twice");
    }
}

#[test]
fn a_certificate_accounts_for_rows_and_names_the_origin_of_a_copy() {
    let mut copy = certificate("o");
    copy.days.truncate(1);
    let rows = &mut copy.days[0].rows;
    *rows = RowLedger { read: 21, written: 6, other_day: 5, duplicate: 4, quarantined: 3, filtered: 3 };
    copy.days[0].proof.as_mut().unwrap().origin = Some("s3://origin/trail".to_owned());
    let text = plain(&Document::of(&copy, Language::English));
    assert!(text.contains(r#"["2023-11-01", "cloudtrail", "21", "6", "5", "4", "3", "3"]"#), "{text}");
    assert!(text.contains("signed the digests: s3://origin/trail"), "{text}");
    copy.days[0].proof = None;
    let text = plain(&Document::of(&copy, Language::English));
    assert!(text.contains("No digests were found for these days: 2023-11-01 cloudtrail\n"), "{text}");
}

#[test]
fn both_languages_say_the_same_and_access_logs_cannot_be_proved() {
    let certificate = certificate("s3://b/o");
    let [english, korean] =
        [Language::English, Language::Korean].map(|language| Document::of(&certificate, language));
    assert_eq!(english.sections.len(), korean.sections.len());
    for (one, other) in english.sections.iter().zip(&korean.sections) {
        assert_eq!((one.rows.len(), one.heads.len()), (other.rows.len(), other.heads.len()));
        assert_eq!(one.paragraphs.len(), other.paragraphs.len());
        assert!(one.rows.iter().all(|row| row.len() == one.heads.len()), "{}", one.title);
        assert_eq!(one.spare.len(), other.spare.len());
        assert!(other.spare.iter().all(|name| other.heads.contains(name)), "{:?}", other.spare);
    }
    let verdicts: Vec<&str> = english.sections[1].rows.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(verdicts, ["altered", "cannot be proved", "not published"]);
    let plain = plain(&english);
    assert!(plain.contains("2 further exceptions, counted only"), "{plain}");
    assert!(plain.contains("best-effort"), "{plain}");
}

#[test]
fn a_field_that_this_version_does_not_know_is_refused_wherever_it_is() {
    let whole = serde_json::to_value(certificate("o")).unwrap();
    for (place, field) in [
        ("", "approved"),
        ("/days/1", "days[1].approved"),
        ("/days/0/proof", "days[0].proof.approved"),
        ("/days/0/proof/exceptions/0", "days[0].proof.exceptions[0].approved"),
        ("/days/0/parts/0", "days[0].parts[0].approved"),
    ] {
        let mut changed = whole.clone();
        let object = changed.pointer_mut(place).unwrap().as_object_mut().unwrap();
        object.insert("approved".to_owned(), "by an auditor".into());
        let refused = Certificate::parse(&changed.to_string()).unwrap_err();
        assert!(refused.starts_with(&format!("unknown field '{field}'")), "{refused}");
        changed.pointer_mut(place).unwrap()["approved"] = serde_json::json!([]);
        assert!(Certificate::parse(&changed.to_string()).is_ok(), "{place} states nothing");
    }
}

#[test]
fn text_that_is_not_a_certificate_is_refused() {
    for text in ["", "{}", "<html></html>", "<pre id=\"certificate\">", "<pre id=\"certificate\">{}</pre>"] {
        assert!(Certificate::parse(text).is_err(), "{text}");
    }
    let newer =
        certificate("o").to_json().unwrap().replace("\"certificate_version\":1", "\"certificate_version\":2");
    assert!(Certificate::parse(&newer).unwrap_err().contains("newer"));
}
