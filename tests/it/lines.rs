//! Access-log lines that are torn, merged, forged or not text are parsed correctly, flagged or quarantined.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{AccessLine, Day, Table, Workdir, text};

fn publish(content: impl AsRef<[u8]>) -> Day {
    let work = Workdir::new();
    work.access("A", content);
    work.run(Table::ACCESS).allow_rejects().publishes(Table::ACCESS)
}

fn line(request_id: &str) -> String {
    AccessLine::of(request_id).to_string()
}

#[test]
fn only_the_broken_line_is_quarantined() {
    let next = line("NEXT");
    for (broken, reason) in [
        // A truncated record, followed by the next one.
        (format!("79a59df9 results [01/Nov/2023:03:00:00 +0000] 192.0{next}"), "torn_line"),
        (format!("79a59df9 results [01/Nov/2023:03:00:00 +0000] 192.0.2.3 - REQ{next}"), "torn_line"),
        (
            format!("79a59df9 results [01/Nov/2023:03:00:00 +0000] 192.0.2.3 - REQ REST.GET.OBJECT a/{next}"),
            "torn_line",
        ),
        // Two records without a line break between them.
        (format!("{}{}", line("ONE"), line("TWO").replace('"', "")), "merged_lines"),
        // A truncated record at the end of the file, and lines with bad fields.
        (line("CUT")[..120].to_owned(), "missing_fields"),
        (line("CUT")[..20].to_owned(), "bad_time"),
        (line("TIME").replace("01/Nov", "31/Nov"), "bad_time"),
        (line("SPACE").replace(" 192", "  192"), "empty_field"),
        (line("STATUS").replace(" 200 ", " 2x0 "), "bad_number"),
        ("no log line at all, only words".to_owned(), "bad_time"),
    ] {
        let day = publish(format!("{}\n{broken}\n{}\n", line("BEFORE"), line("AFTER")));
        assert_eq!(day.values("request_id"), ["AFTER", "BEFORE"], "{broken}");
        let quarantine = day.quarantine();
        assert_eq!(quarantine.len(), 1, "{broken}");
        assert_eq!(text(&quarantine[0]["reason"]), reason, "{broken}");
        assert_eq!((&quarantine[0]["record"], &quarantine[0]["raw"]), (&json!(2), &json!(broken)));
        assert!(
            text(&quarantine[0]["detail"]).contains("byte"),
            "the detail should name the position: {}",
            quarantine[0]
        );
    }
}

#[test]
fn forged_text_stays_in_its_field_or_flags_the_row() {
    let of = AccessLine::of("ID");
    let record = line("FORGED");
    for (written, expected) in [
        (AccessLine { user_agent: "pip {\"ci\":null,\"a\":\"b\"}", ..of }, "exact"),
        (AccessLine { user_agent: "u\" - FAKE= SigV4 TLS QueryString evil.example TLSv1.3", ..of }, "exact"),
        (AccessLine { user_agent: "u\" 200 - 5 5 1 1 \"x", ..of }, "exact"),
        (AccessLine { user_agent: "u\" \"v", ..of }, "ambiguous"),
        (AccessLine { user_agent: &format!("u\" {record}"), ..of }, "ambiguous"),
        (AccessLine { referer: "http://a/?q=\"x\"", ..of }, "exact"),
        (AccessLine { referer: "r\" 404 NoSuchKey - - 1 - \"-", ..of }, "ambiguous"),
        (AccessLine { uri: "GET /a\" 200 \" HTTP/1.1", ..of }, "exact"),
        (AccessLine { uri: "GET /a\" 200 - 5 5 1 1 \"r\" \"u HTTP/1.1", ..of }, "ambiguous"),
        (AccessLine { referer: "", user_agent: "", ..of }, "exact"),
    ] {
        let day = publish(format!("{written}\n"));
        let row = day.row("request_id", "ID");
        assert_eq!(row["parse_quality"], expected, "{written}");
        if expected == "exact" {
            let of_client =
                ["request_uri", "referer", "user_agent"].map(|column| row.get(column).map_or("-", text));
            assert_eq!(of_client, [written.uri, written.referer, written.user_agent], "{written}");
            assert_eq!(
                (text(&row["host_id"]), text(&row["tls_version"])),
                ("s9lz/+1234=", "TLSv1.3"),
                "{written}"
            );
        }
    }
}

/// Each case is a line that some tool has altered, and its parse quality or rejection reason. A valid line precedes it.
#[test]
fn an_altered_line_is_flagged_or_quarantined_but_never_exact() {
    let line = line("ID");
    for (changed, expected) in [
        (format!("\"{line}\""), "quoted_field"),
        (format!("\"{}\"", line.replace('"', "\"\"")), "quoted_field"),
        (format!("{{\"log\":\"{}\"}}", line.replace('"', "\\\"")), "missing_request_time"),
        (line.replace('"', "\\\""), "unquoted_text"),
        (format!("1 {line}"), "bad_time"),
        (line.replace('"', "\"\""), "ambiguous"),
        (format!("{line}\""), "ambiguous"),
        (format!("2023-11-01-03-10-00-A:{line}"), "ambiguous"),
        (format!("     1\t{line}"), "ambiguous"),
        (format!("{line} ap-northeast-2 \"some text\""), "ambiguous"),
        (line[..line.len() - 60].to_owned(), "ambiguous"),
        (
            line.replace("aws-cli/2.13\"", "a \"b\" c\"")[..line.find("aws-cli").unwrap() + 5].to_owned(),
            "ambiguous",
        ),
    ] {
        let day = publish(format!("{}\n{changed}\r\n", AccessLine::of("GOOD")));
        assert_eq!(day.row("request_id", "GOOD")["parse_quality"], "exact", "{changed}");
        let rejected = day.quarantine().first().map(|line| text(&line["reason"]).to_owned());
        let row = day.rows().into_iter().find(|row| row["request_id"] == "ID");
        let found = rejected.or(row.map(|row| text(&row["parse_quality"]).to_owned()));
        assert_eq!(found.as_deref(), Some(expected), "{changed}");
    }
}

#[test]
fn a_new_quoted_field_goes_to_extra_and_shifts_no_column() {
    let day = publish(line("ID") + " ap-northeast-2 \"some text\" -\n");
    let row = day.row("request_id", "ID");
    let columns = ["user_agent", "host_id", "tls_version", "source_region", "extra", "parse_quality"];
    assert_eq!(
        columns.map(|column| text(&row[column])),
        ["aws-cli/2.13", "s9lz/+1234=", "TLSv1.3", "ap-northeast-2", "\"some text\" -", "ambiguous"]
    );
}

#[test]
fn unknown_operations_are_rows() {
    let operations = ["S3.COPY.OBJECT.PART.CHECKSUM", "REST.PUT.OBJECT-TAGGING"];
    for operation in operations {
        let day = publish(format!("{}\n", AccessLine { operation, ..AccessLine::of("ID") }));
        let row = day.row("request_id", "ID");
        assert_eq!((text(&row["operation"]), text(&row["parse_quality"])), (operation, "exact"));
    }
}

#[test]
fn invalid_utf8_keeps_the_row_and_flags_it() {
    let mut content = Vec::new();
    for line in [
        line("BYTES").replace("aws-cli", "@aws"),
        line("NUL").replace("aws-cli", "\0aws"),
        line("TEXT").replace("aws-cli", "한국aws"),
    ] {
        content.extend(line.bytes().map(|byte| if byte == b'@' { 0xff } else { byte }));
        content.push(b'\n');
    }
    content.extend(b"\xfe\xff is not a line\n");
    let day = publish(content);
    for (request_id, agent, quality) in [
        ("BYTES", "\u{fffd}aws/2.13", "lossy"),
        ("NUL", "\0aws/2.13", "exact"),
        ("TEXT", "한국aws/2.13", "exact"),
    ] {
        let row = day.row("request_id", request_id);
        assert_eq!((text(&row["user_agent"]), text(&row["parse_quality"])), (agent, quality));
    }
    let rejected = &day.quarantine()[0];
    assert_eq!(STANDARD.decode(text(&rejected["raw"])).unwrap(), b"\xfe\xff is not a line");
}

#[test]
fn lines_that_differ_only_in_invalid_utf8_are_not_duplicates() {
    let bytes = |byte: u8| {
        line("ID")
            .replace("aws-cli", "@")
            .bytes()
            .map(|is| if is == b'@' { byte } else { is })
            .chain([b'\n'])
            .collect::<Vec<_>>()
    };
    let day = publish([bytes(0xfe), bytes(0xff), bytes(0xfe)].concat());
    assert_eq!(day.ledger(), [3, 2, 0, 1, 0]);
}

/// The first long line fits a buffer and is rejected whole. The second is skipped while it is read.
#[test]
fn a_line_over_32_mebibytes_is_quarantined_and_the_next_one_kept() {
    let endless = |mebibytes: usize| line("ENDLESS").replace("aws-cli", &"x".repeat(mebibytes << 20));
    let lines = [line("BEFORE"), endless(33), line("BETWEEN"), endless(65), line("AFTER")];
    let day = publish(lines.join("\n"));
    assert_eq!(day.values("request_id"), ["AFTER", "BEFORE", "BETWEEN"]);
    assert_eq!(day.row("request_id", "AFTER")["source_record"], 5);
    let quarantine = day.quarantine();
    let rejected: Vec<_> =
        quarantine.iter().map(|line| (line["record"].as_u64(), text(&line["reason"]))).collect();
    assert_eq!(rejected, [(Some(2), "too_long"), (Some(4), "too_long")]);
    assert_eq!(text(&quarantine[0]["raw"]).len(), 1 << 20);
}

#[test]
fn new_fields_are_kept_in_extra() {
    let day = publish(line("ID") + " eu-west-1 new1 new2\n");
    let row = day.row("request_id", "ID");
    assert_eq!((text(&row["source_region"]), text(&row["extra"])), ("eu-west-1", "new1 new2"));
}

/// A batch delete and an expiry, which S3 logs with bare dashes in the client fields.
#[test]
fn lines_without_a_client_are_rows() {
    let head = "79a59df9 results [01/Nov/2023:03:00:00 +0000]";
    let batch = format!(
        "{head} 192.0.2.3 - BATCH BATCH.DELETE.OBJECT Screen+Shot+9.08.png - 204 - - 57138 - - - - - s9lz= SigV4 \
         TLS AuthHeader results.s3.amazonaws.com TLSv1.3 - -"
    );
    let expiry = format!(
        "{head} - AmazonS3 EXPIRE S3.EXPIRE.OBJECT a%2Bb+c \"-\" - - - 1749 - - \"-\" \"-\" v1 s9lz= - - - - - - -"
    );
    let day = publish(format!("{batch}\n{expiry}\n"));
    let (batch, expiry) = (day.row("request_id", "BATCH"), day.row("request_id", "EXPIRE"));
    assert_eq!((text(&batch["key_decoded"]), &batch["http_status"]), ("Screen Shot 9.08.png", &json!(204)));
    assert_eq!((text(&expiry["key_decoded"]), text(&expiry["version_id"])), ("a+b c", "v1"));
    assert_eq!((expiry.get("http_status"), expiry.get("user_agent")), (None, None));
}
