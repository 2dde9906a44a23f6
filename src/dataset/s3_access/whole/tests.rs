//! Lines that were cut or changed after S3 wrote them: each is rejected, flagged or read correctly.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::field::{FIELD_COUNT, Field, Quality};
use super::super::fields::{Line, parse};

const OWNER: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
const URI: &str = "\"GET /photos/cat.jpg HTTP/1.1\"";
const TAIL: &str = "- s9lz/+1234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader web.s3.amazonaws.com TLSv1.2 - - \
                    ap-northeast-2";

/// A line of a day with this user agent, including its quotes, and this tail.
fn line_of(day: &str, agent: &str, tail: &str) -> String {
    format!(
        "{OWNER} web [{day}:03:00:00 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT photos/cat.jpg {URI} 200 - \
         1024 1024 12 11 \"-\" {agent} {tail}"
    )
    .trim_end()
    .to_owned()
}

fn line() -> String {
    line_of("05/Mar/2024", "\"aws-cli/2.15\"", TAIL)
}

fn texts<'a>(line: &Line<'a>) -> [Option<&'a [u8]>; FIELD_COUNT] {
    *line.fields()
}

fn quality(line: &str) -> Option<Quality> {
    parse(line.as_bytes()).ok().map(|line| line.quality)
}

#[test]
fn a_line_as_s3_wrote_it_is_exact() {
    for whole in [
        line(),
        line().replace(OWNER, "-"),
        // As in AWS's samples, and in samples with a shortened owner id.
        line().replace(OWNER, "7cd47ef2be"),
        line().replace(OWNER, "efd-somestring-df11"),
        line().replace(" ap-northeast-2", ""),
        line().replace(" - - ap-northeast-2", ""),
        line().replace(" - - ap-northeast-2", " - Yes -"),
        line().replace("TLSv1.2 - - ", "TLSv1 arn:aws:s3:us-west-1:1:accesspoint/ap Yes "),
        line().replace("2024", "2020").replace("TLSv1.2 - - ap-northeast-2", "TLSv1"),
        line().replace("2024", "2021").replace("- - ap-northeast-2", "arn:aws:s3:us-west-1:1:accesspoint/ap"),
        line().replace("ap-northeast-2", "us-gov-west-1 new fields"),
        format!("{}\r", line()),
        // Before 2019 lines ended with the version id, and before versioning with the user agent.
        line_of("18/Feb/2014", "\"agent\"", "-"),
        line_of("06/Oct/2006", "\"agent\"", ""),
        line_of("06/Oct/2006", "\"agent \"x\"\"", ""),
    ] {
        assert_eq!(quality(&whole), Some(Quality::Exact), "{whole}");
    }
}

#[test]
fn additions_around_a_line_are_detected() {
    let line = line();
    for (changed, expected) in [
        // grep -H, grep -n, grep -C, nl, a mark at the start of a joined file, a diff
        (format!("2024-03-05-04-00-00-ABCD:{line}"), Some(Quality::Ambiguous)),
        (format!("12:{line}"), Some(Quality::Ambiguous)),
        (format!("access.log-{line}"), Some(Quality::Ambiguous)),
        (format!("     1\t{line}"), Some(Quality::Ambiguous)),
        (format!("\u{feff}{line}"), Some(Quality::Ambiguous)),
        (format!("+{line}"), Some(Quality::Ambiguous)),
        (format!("'{line}'"), Some(Quality::Ambiguous)),
        // The front of the owner's id is missing.
        (line[20..].to_owned(), Some(Quality::Ambiguous)),
        // syslog, nl with a space, docker, CRI, JSON, CSV
        (format!("<14>Mar  5 12:00:00 host s3: {line}"), None),
        (format!("1 {line}"), None),
        (format!("web_1  | {line}"), None),
        (format!("2024-03-05T03:00:01.000000000Z stdout F {line}"), None),
        (format!("{{\"log\":\"{}\\n\",\"stream\":\"stdout\"}}", line.replace('"', "\\\"")), None),
        (format!("[\"{}\"]", line.replace('"', "\\\"")), None),
        (format!("\"{line}\""), None),
        (format!("\"{}\"", line.replace('"', "\"\"")), None),
        (line.replace(" web ", " \"web\" "), None),
        (line.replace('"', "\\\""), None),
        (line.replace('"', "\"\""), Some(Quality::Ambiguous)),
        (line.replace(' ', "\t"), None),
        (line.replace(' ', ","), None),
        (line.replace(" AuthHeader ", " AuthHeader\t"), Some(Quality::Ambiguous)),
        (line.replace(" - - ap", "\u{a0}- - ap"), Some(Quality::Ambiguous)),
        // A surplus or missing blank or quote.
        (line.replace("AuthHeader web", "AuthHeaderweb"), Some(Quality::Ambiguous)),
        (line.replace("ECDHE-RSA", "ECDHE RSA"), Some(Quality::Ambiguous)),
        (line.replace("TLSv1.2", "TLSv1. 2"), Some(Quality::Ambiguous)),
        (line.replace("northeast-2", "northeast- 2"), Some(Quality::Ambiguous)),
        (
            line.replace("SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader", "- TLS_CHACHA -")
                .replace("1234=", "1234=\""),
            Some(Quality::Ambiguous),
        ),
        (format!("{line}\""), Some(Quality::Ambiguous)),
        (format!("{line}\0"), Some(Quality::Ambiguous)),
        (format!("{line}'"), Some(Quality::Ambiguous)),
    ] {
        assert_eq!(quality(&changed), expected, "{changed}");
    }
}

/// Every field of today remains correct, whatever AWS may write after them.
#[test]
fn new_quoted_fields_do_not_shift_the_known_ones() {
    let line = line();
    let parsed = parse(line.as_bytes()).expect("readable");
    for agent in ["\"aws-cli/2.15\"", "\"pip {\"ci\":null}\""] {
        for more in [
            "\"some text\"",
            "\"-\"",
            "\"\"",
            "\"some text\" -",
            "\"a\" \"b c\"",
            "new \"x y\"",
            "\"x y\" a b",
        ] {
            let longer = line_of("05/Mar/2024", agent, &format!("{TAIL} {more}"));
            let longer = parse(longer.as_bytes()).unwrap_or_else(|fault| panic!("{more}: {fault}"));
            assert_eq!(longer.quality, Quality::Ambiguous, "{more}");
            assert_eq!(longer.extra, Some(more.as_bytes()));
            let mut expected = texts(&parsed);
            expected[Field::UserAgent as usize] = Some(&agent.as_bytes()[1..agent.len() - 1]);
            assert_eq!(texts(&longer), expected, "{more}");
        }
    }
}

/// A line whose texts do not imitate the end of a line is cut at any byte. It is rejected, flagged, or correct up to the cut.
#[test]
fn no_cut_line_is_exact_with_a_wrong_field() {
    let mut cuts = [0; 3];
    for agent in ["\"aws-cli/2.15\"", "\"pip {\"ci\":null,\"a\":\"b\"} \"x\" y\"", "\"a\" - b\" c\"", "-"] {
        for tail in [TAIL, "v1 HOST= - - - web.s3.amazonaws.com TLSv1.3 - Yes -", "- HOST= - - - host -"] {
            let line = line_of("05/Mar/2024", agent, tail);
            let whole = parse(line.as_bytes()).expect("readable");
            for end in 1..line.len() {
                let Ok(cut) = parse(&line.as_bytes()[..end]) else {
                    cuts[0] += 1;
                    continue;
                };
                if cut.quality != Quality::Exact {
                    cuts[1] += 1;
                    continue;
                }
                cuts[2] += 1;
                for (cut, whole) in texts(&cut).iter().zip(texts(&whole)) {
                    assert!(cut.is_none() || *cut == whole, "{}", &line[..end]);
                }
            }
        }
    }
    assert!(cuts.iter().all(|&count| count > 20), "{cuts:?}");
}

proptest! {
    /// The same for texts of all kinds, and for additions before or after a line.
    #[test]
    fn a_changed_line_is_rejected_or_flagged_or_has_the_fields_that_s3_wrote(
        agent in "[a-z \"{}:-]{0,24}",
        cut in any::<Index>(),
        before in select(vec!["", "a:", "x.log-", "\u{feff}", "\"", "'", "3\t", ">", "(", "x"]),
        behind in select(vec!["", "\"", " \"a b\"", " \"a\" -", "\0", "\"\"", "',", " \"\"", "\\n"]),
    ) {
        let line = line_of("05/Mar/2024", &format!("\"{agent}\""), TAIL);
        let whole = parse(line.as_bytes()).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        let end = cut.index(2 * line.len()).min(line.len());
        let changed = format!("{before}{}{behind}", &line[..end]);
        prop_assume!(whole.quality == Quality::Exact && changed != line);
        if let Ok(changed) = parse(changed.as_bytes())
            && changed.quality == Quality::Exact
        {
            for (field, whole) in texts(&changed).iter().zip(texts(&whole)) {
                prop_assert!(field.is_none() || *field == whole, "{:?}", field.map(String::from_utf8_lossy));
            }
        }
    }
}
