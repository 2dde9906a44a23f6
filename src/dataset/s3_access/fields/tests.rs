//! Lines of every known kind with their expected values.

use super::*;

/// The parts of a line around the client's text.
const HEAD: &str =
    "79a5 bucket [06/Feb/2024:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT a/b.txt";
const TAIL: &str =
    "- s9lz/+1234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket.s3.amazonaws.com TLSv1.3 - - -";

fn text(field: Option<&[u8]>) -> String {
    field.map_or("-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn read(line: &str) -> Line<'_> {
    parse(line.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {line}"))
}

/// `expected` holds the fields with `|` between them. Further fields are absent.
fn check(line: &str, quality: Quality, expected: &str) {
    let parsed = read(line);
    let texts: Vec<String> = parsed.fields().iter().map(|field| text(*field)).collect();
    let absent = FIELD_COUNT - expected.split('|').count();
    assert_eq!(texts.join("|"), format!("{expected}{}", "|-".repeat(absent)), "{line}");
    assert_eq!(parsed.quality, quality, "{line}");
}

fn check_fault(line: &str, reason: &str, field: Field, at: &str) {
    let fault = parse(line.as_bytes()).expect_err(line);
    assert_eq!((fault.as_str(), fault.field), (reason, field), "{fault}: {line}");
    let rest = &line[fault.at..];
    assert!(if at.is_empty() { rest.is_empty() } else { rest.starts_with(at) }, "{fault}: {rest}");
}

/// From the `LogFormat` page: the newest form, and the record of a checksum job, whose dashes are all bare.
#[test]
fn the_samples_of_the_aws_page() {
    check(
        r#"79a59d bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59d 3E57427F3EXAMPLE REST.GET.VERSIONING - "GET /bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - s9lz1234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket1.s3.us-west-1.amazonaws.com TLSV1.2 arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes us-east-1"#,
        Quality::Exact,
        "79a59d|bucket1|06/Feb/2019:00:00:38 +0000|192.0.2.3|79a59d|3E57427F3EXAMPLE|REST.GET.VERSIONING|-|GET /bucket1?versioning HTTP/1.1|200|-|113|-|7|-|-|S3Console/0.4|-|s9lz1234=|SigV4|ECDHE-RSA-AES128-GCM-SHA256|AuthHeader|bucket1.s3.us-west-1.amazonaws.com|TLSV1.2|arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP|Yes|us-east-1",
    );
    check(
        "7cd47ef2be BUCKET [06/Feb/2019:00:00:38 +0000] - 79a5 e5042925-b524-4b3b-a869-f3881e78ff3a S3.COMPUTE.OBJECT.CHECKSUM example-object - - - - 1048576 - - - - - bPf7/5g== - - - - - - - -",
        Quality::Exact,
        "7cd47ef2be|BUCKET|06/Feb/2019:00:00:38 +0000|-|79a5|e5042925-b524-4b3b-a869-f3881e78ff3a|S3.COMPUTE.OBJECT.CHECKSUM|example-object|-|-|-|-|1048576|-|-|-|-|-|bPf7/5g==",
    );
}

#[test]
fn numbers_and_time_are_typed() {
    let line = format!(r#"{HEAD} "GET /a HTTP/1.1" 206 - 9898557440 11674111891 251695 178 "-" "x" {TAIL}"#);
    let line = read(&line);
    assert_eq!(line.request_time_ms, 1_707_177_638_000);
    assert_eq!(line.http_status, Some(206));
    assert_eq!((line.bytes_sent, line.object_size), (Some(9_898_557_440), Some(11_674_111_891)));
    assert_eq!((line.total_time, line.turn_around_time), (Some(251_695), Some(178)));
    let line = format!("{HEAD} - - - - - - - - - {TAIL}");
    let line = read(&line);
    assert_eq!((line.http_status, line.bytes_sent, line.turn_around_time), (None, None, None));
}

/// Origins: ncbi/ncbi-logging, elastic/integrations, panther-labs/panther, kerkdienstgemist.nl in
/// request-log-analyzer's family of fixtures, s3logset. Shortened, structure untouched.
#[test]
fn unusual_real_lines() {
    let owner = "7dd4 src [07/May/2020:17:54:04 +0000] 155.130.133.78 - 9051A54D800E901B REST.GET.OBJECT k";
    let head = "7dd4|src|07/May/2020:17:54:04 +0000|155.130.133.78|-|9051A54D800E901B|REST.GET.OBJECT|k";
    let tail = "- KP+Its= - ECDHE-RSA-AES128-GCM-SHA256 - src.s3.amazonaws.com TLSv1.2";
    let last = "-|KP+Its=|-|ECDHE-RSA-AES128-GCM-SHA256|-|src.s3.amazonaws.com|TLSv1.2";
    for (client, expected) in [
        // pip's agent holds JSON
        (
            r#""GET /k HTTP/1.1" 200 - 5 5 9 1 "-" "pip/19.1 {"ci":null,"cpu":"x86_64","distro":{"id":"Core","name":"CentOS Linux"},"openssl_version":"OpenSSL 1.1.1b  26 Feb 2019"}""#,
            r#"GET /k HTTP/1.1|200|-|5|5|9|1|-|pip/19.1 {"ci":null,"cpu":"x86_64","distro":{"id":"Core","name":"CentOS Linux"},"openssl_version":"OpenSSL 1.1.1b  26 Feb 2019"}"#,
        ),
        (r#""GET /k HTTP/1.1" 200 - 5 5 9 1 "-" "agent"""#, r#"GET /k HTTP/1.1|200|-|5|5|9|1|-|agent""#),
        (
            r#""GET /k HTTP/1.1" 200 - 5 5 9 1 "http://a/b?id=452"" "Mozilla/5.0 (x)""#,
            r#"GET /k HTTP/1.1|200|-|5|5|9|1|http://a/b?id=452"|Mozilla/5.0 (x)"#,
        ),
        (
            r#""HEAD /k HTTP/1.1" 200 - - 1318480 30 - "referrer with spaces" "win64 sra-toolkit D:\\sratool\\sratoolkit.2.10.7 (phid=nocaeb9e77,li""#,
            r"HEAD /k HTTP/1.1|200|-|-|1318480|30|-|referrer with spaces|win64 sra-toolkit D:\\sratool\\sratoolkit.2.10.7 (phid=nocaeb9e77,li",
        ),
        (r#""GET /k" 200 - 5 5 9 1 "-" """#, "GET /k|200|-|5|5|9|1|-|"),
        (r#""-" 200 - 5 5 9 1 "-" "-""#, "-|200|-|5|5|9|1|-|-"),
        (r#""GET ?list-type=2 HTTP/1.1" 200 - 5 - 9 - "-" -"#, "GET ?list-type=2 HTTP/1.1|200|-|5|-|9|-|-|-"),
        (r#""GET /k HTTP/1.1" - - 5 - 9 - - "x""#, "GET /k HTTP/1.1|-|-|5|-|9|-|-|x"),
        (r#""GET /k HTTP/1.1" - - 5 - 9 - - -"#, "GET /k HTTP/1.1|-|-|5|-|9|-|-|-"),
        (r#"- 204 - - 57138 - - "r" "u""#, "-|204|-|-|57138|-|-|r|u"),
        (r#"- 204 - - 57138 - - - "u""#, "-|204|-|-|57138|-|-|-|u"),
        (r#"- 204 - - 57138 - - "r" -"#, "-|204|-|-|57138|-|-|r|-"),
        ("- 204 - - 57138 - - - -", "-|204|-|-|57138|-|-|-|-"),
    ] {
        check(&format!("{owner} {client} {tail}"), Quality::Exact, &format!("{head}|{expected}|{last}"));
    }
}

#[test]
fn real_lines_of_all_lengths() {
    check(
        r#"2f88 sample-bucket [06/Oct/2006:01:42:14 +0000] 207.171.172.6 65a0 C980091AD89C936A REST.GET.OBJECT object.png "GET /sample-bucket/object.png HTTP/1.1" 200 - 1243 1243 988 987 "-" "aranhabot""#,
        Quality::Exact,
        "2f88|sample-bucket|06/Oct/2006:01:42:14 +0000|207.171.172.6|65a0|C980091AD89C936A|REST.GET.OBJECT|object.png|GET /sample-bucket/object.png HTTP/1.1|200|-|1243|1243|988|987|-|aranhabot",
    );
    check(
        r#"fa01 backup [18/Feb/2014:07:40:51 +0000] - AmazonS3 16C0A391707CEAEE S3.TRANSITION.OBJECT sql/x.gpg "-" - - - 737028378 - - "-" "-" -"#,
        Quality::Exact,
        "fa01|backup|18/Feb/2014:07:40:51 +0000|-|AmazonS3|16C0A391707CEAEE|S3.TRANSITION.OBJECT|sql/x.gpg|-|-|-|-|737028378",
    );
    check(
        "2cf7 media [17/Sep/2010:13:38:36 +0000] 85.113.244.146 2cf7 71F7D2AAA93B0A05 REST.COPY.OBJECT_GET a.mp3 - 200 - - 13538337 - - - - -",
        Quality::Exact,
        "2cf7|media|17/Sep/2010:13:38:36 +0000|85.113.244.146|2cf7|71F7D2AAA93B0A05|REST.COPY.OBJECT_GET|a.mp3|-|200|-|-|13538337",
    );
    check(
        r#"o b [06/Feb/2020:00:00:38 +0000] - AmazonS3 128E87669E4C15FA S3.EXPIRE.OBJECT k "-" - - - 3922 - - "-" "-" VERSIONID HOSTID"#,
        Quality::Ambiguous,
        "o|b|06/Feb/2020:00:00:38 +0000|-|AmazonS3|128E87669E4C15FA|S3.EXPIRE.OBJECT|k|-|-|-|-|3922|-|-|-|-|VERSIONID|HOSTID",
    );
    check(
        r#"o b [20/Oct/2022:08:49:42 +0000] 2001:db8::1 arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE K6EX7N1 WEBSITE.GET.OBJECT a/index.html "GET /a/ HTTP/1.1" 200 - 21653 21653 100 99 "http://x/" "Mozilla/5.0" - LA99A= - - - www.example.com - - Yes - new1 new2"#,
        Quality::Exact,
        "o|b|20/Oct/2022:08:49:42 +0000|2001:db8::1|arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE|K6EX7N1|WEBSITE.GET.OBJECT|a/index.html|GET /a/ HTTP/1.1|200|-|21653|21653|100|99|http://x/|Mozilla/5.0|-|LA99A=|-|-|-|www.example.com|-|-|Yes|-",
    );
}

#[test]
fn fields_that_aws_may_add_are_kept_verbatim() {
    let line = format!(r#"{HEAD} "GET /a" 200 - 5 5 1 1 "r" "u" {TAIL} new1  new2 -"#);
    assert_eq!(read(&line).extra, Some(&b"new1  new2 -"[..]));
    let line = format!(r#"{HEAD} "GET /a" 200 - 5 5 1 1 "r" "u" {TAIL}"#);
    assert_eq!(read(&line).extra, None);
}

#[test]
fn blanks_around_a_line_do_not_matter() {
    let line = format!(" \t {HEAD} - 204 - - 57138 - - - - - HOST SigV4 - - - - \r");
    assert_eq!(text(read(&line).get(Field::BucketOwner)), "79a5");
    assert_eq!(text(read(&line).get(Field::HostId)), "HOST");
    check_fault("x", "missing_fields", Field::BucketOwner, "");
    check_fault(" \t\r", "blank_line", Field::BucketOwner, " \t\r");
}

#[test]
fn bytes_that_are_not_text_pass_through() {
    let line =
        [HEAD.as_bytes(), b" \"GET /\xff\0 HTTP/1.1\" 200 - 5 5 1 1 \"\0\" \"\xfe\" ", TAIL.as_bytes()]
            .concat();
    let line = parse(&line).expect("readable");
    assert_eq!(line.get(Field::RequestUri), Some(&b"GET /\xff\0 HTTP/1.1"[..]));
    assert_eq!(
        (line.get(Field::Referer), line.get(Field::UserAgent)),
        (Some(&b"\0"[..]), Some(&b"\xfe"[..]))
    );
    assert_eq!(line.quality, Quality::Exact);
}

/// Lines of March 2019 name the caller before the host id (ncbi/ncbi-logging; a site's fixture with a bare dash).
#[test]
fn a_caller_before_the_host_id_is_repaired() {
    let line = |day: &str, tail: &str| {
        format!(
            r#"9221 run [{day}:19:44:01 +0000] 130.14.20.103 - 92D3B218463A63EA REST.GET.TAGGING - "GET /run?tagging= HTTP/1.1" 404 NoSuchTagSet 293 - 59 - "-" "S3Console/0.4, aws" {tail}"#
        )
    };
    let tail =
        "- AIDAISBTTLPGXGH6YFFAY LzYG+= SigV4 ECDHE-RSA-AES128-SHA AuthHeader s3.amazonaws.com TLSv1.2";
    let head = "130.14.20.103|-|92D3B218463A63EA|REST.GET.TAGGING|-|GET /run?tagging= HTTP/1.1|404|NoSuchTagSet|293|-|59|-|-|S3Console/0.4, aws|-";
    let last = "SigV4|ECDHE-RSA-AES128-SHA|AuthHeader|s3.amazonaws.com|TLSv1.2";
    let march = format!("9221|run|20/Mar/2019:19:44:01 +0000|{head}|AIDAISBTTLPGXGH6YFFAY LzYG+=|{last}");
    check(&line("20/Mar/2019", tail), Quality::Repaired, &march);
    let dash = "- - A4+LGs= - - - daveb.me.uk";
    let march = format!("9221|run|14/Mar/2019:19:44:01 +0000|{head}|A4+LGs=|-|-|-|daveb.me.uk");
    check(&line("14/Mar/2019", dash), Quality::Repaired, &march);
    // at any other time, it is more likely that the client sent no agent and a referer that holds `" "`
    let parsed = line("20/Mar/2024", tail);
    let parsed = read(&parsed);
    assert_eq!(text(parsed.get(Field::Referer)), r#"-" "S3Console/0.4, aws"#);
    assert_eq!(text(parsed.get(Field::VersionId)), "AIDAISBTTLPGXGH6YFFAY");
    assert_eq!(parsed.quality, Quality::Ambiguous);
    let version = format!("v{}", &tail[1..]);
    assert_eq!(read(&line("20/Mar/2024", &version)).quality, Quality::Repaired);
    let dash = "v - HOST= SigV4 - - -";
    assert_eq!(text(read(&line("20/Mar/2019", dash)).get(Field::HostId)), "HOST=");
    let signed_twice = "v SigV4 HOST= SigV4 - - -";
    check_fault(
        &line("20/Mar/2019", signed_twice),
        "bad_signature_version",
        Field::SignatureVersion,
        "HOST=",
    );
    check_fault(&line("20/Mar/2024", dash), "bad_signature_version", Field::SignatureVersion, "HOST=");
    check_fault(
        &line("20/Mar/2019", "v A B C SigV4 - - -"),
        "bad_signature_version",
        Field::SignatureVersion,
        "B C",
    );
}

/// Each row: the client's text, the reading, the quality. The forged pieces imitate everything that S3 writes.
#[test]
fn forged_text_is_read_correctly_or_flagged() {
    let forged_tail = "- FAKE= SigV4 TLS_AES QueryString evil.example TLSv1.3";
    let record = format!(
        r#"x" "y" {forged_tail} 79a5 b [06/Feb/2024:00:00:00 +0000] 1.2.3.4 - AB REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 1 1 1 1 "-" "z"#
    );
    let uri = "GET /a HTTP/1.1";
    for (uri, referer, agent, expected, quality) in [
        // in the user agent
        (uri, "r", &*format!(r#"u" {forged_tail}"#), None, Quality::Exact),
        (uri, "r", r#"u" 200 - 5 5 1 1 "x"#, None, Quality::Exact),
        (uri, "r", r#"u HTTP/1.1" 200 - 5 5 1 1 "x" "y"#, None, Quality::Ambiguous),
        (uri, "r", r#"u" "v"#, None, Quality::Ambiguous),
        (uri, "r", r#"u" - - - "v"#, None, Quality::Exact),
        (uri, "r", "a [05/Jan/2020:23:10:20 +0000] b", None, Quality::Ambiguous),
        (uri, "r", "[FBAN/FBIOS;FBDV/iPhone] [x]", None, Quality::Exact),
        (uri, "r", &record, None, Quality::Ambiguous),
        // in the referer
        (
            uri,
            r#"x" 404 NoSuchKey - - 1 - "y" "z"#,
            "u",
            Some([uri, "x\" 404 NoSuchKey - - 1 - \"y", "z\" \"u"]),
            Quality::Ambiguous,
        ),
        (uri, r#"r" 404 NoSuchKey - - 1 - "-"#, "u", None, Quality::Ambiguous),
        (uri, r#"r HTTP/1.1" 404 NoSuchKey - - 1 - - "y"#, "u", None, Quality::Ambiguous),
        (uri, r#"r"s"#, "u", None, Quality::Exact),
        (uri, r#"" - - FAKE= "#, "u", None, Quality::Exact),
        // in the request-URI: no version of its own, then one
        (r#"GET /a" 200 - 5 5 1 1 "r" "u HTTP/1.1"#, "-", "-", None, Quality::Ambiguous),
        (r#"GET /a" 200 - 5 5 1 1 - "u HTTP/1.1"#, "r", "u", None, Quality::Ambiguous),
        (r#"GET /a" 200 " HTTP/1.1"#, "r", "u", None, Quality::Exact),
        (r#"GET /a" 200 - 5 5 1 "x" HTTP/1.1"#, "r", "u", None, Quality::Exact),
        (
            r#"GET /a HTTP/1.1" 200 - 5 5 1 1 "x" "y HTTP/1.1"#,
            "r",
            "u",
            Some([uri, "x", r#"y HTTP/1.1" 403 AccessDenied 243 - 9 - "r" "u"#]),
            Quality::Ambiguous,
        ),
    ] {
        let line = format!(r#"{HEAD} "{uri}" 403 AccessDenied 243 - 9 - "{referer}" "{agent}" {TAIL}"#);
        let parsed = read(&line);
        let texts =
            [Field::RequestUri, Field::Referer, Field::UserAgent].map(|field| text(parsed.get(field)));
        assert_eq!(texts, expected.unwrap_or([uri, referer, agent]), "{line}");
        assert_eq!(parsed.quality, quality, "{line}");
        assert_eq!(text(parsed.get(Field::HostId)), "s9lz/+1234=", "{line}");
    }
}

/// If the request-URI is bare, a tail that could be six fields, two dashes and a tail is ignored.
#[test]
fn a_bare_request_uri_does_not_end_at_a_quote() {
    let line = format!(r#"{HEAD} - 200 - 5 5 1 1 "" "" - - - 200 - - - - - r-1 -"#);
    assert_eq!(read(&line).quality, Quality::Exact);
    let line = format!(r#"{HEAD} "" 200 - 5 5 1 1 "" "" - - - 200 - - - - - r-1 -"#);
    assert_eq!(read(&line).quality, Quality::Ambiguous);
}

/// The client sends no user agent, so that S3 writes a bare dash, and a referer that looks like both.
#[test]
fn a_missing_user_agent_cannot_be_forged() {
    for tail in [TAIL, "- HOST= - - - s3.amazonaws.com -", "v - - - - - -"] {
        let line = format!(r#"{HEAD} "GET /a HTTP/1.1" 200 - 5 5 1 1 "r" "u" - {tail}"#);
        let parsed = read(&line);
        assert_eq!(parsed.quality, if tail.starts_with('v') { Quality::Exact } else { Quality::Ambiguous });
        if !tail.starts_with('v') {
            assert_eq!(text(parsed.get(Field::Referer)), r#"r" "u"#);
            assert_eq!(parsed.get(Field::UserAgent), None);
        }
    }
}

#[test]
fn faults_of_broken_lines_name_the_reason_and_the_place() {
    let uri = r#""GET /a HTTP/1.1""#;
    for (line, reason, field, at) in [
        (format!("WRONG FORMAT {HEAD}"), "bad_time", Field::Time, "79a5"),
        (HEAD.replace("06/Feb", "30/Feb"), "bad_time", Field::Time, "["),
        (HEAD.replace(" 192.0.2.3", "  192.0.2.3"), "empty_field", Field::RemoteIp, " 192"),
        (HEAD.replace("192.0.2.3", "\"1\""), "bad_remote_ip", Field::RemoteIp, "\"1"),
        (HEAD.replace("3E57427F3", "3E5_"), "bad_request_id", Field::RequestId, "3E5_"),
        (HEAD.replace("REST.GET.OBJECT", "GET"), "bad_operation", Field::Operation, "GET"),
        (HEAD.to_owned(), "missing_fields", Field::Key, ""),
        (format!("{HEAD} GET / HTTP/1.1 200"), "unquoted_text", Field::RequestUri, "GET"),
        (format!("{HEAD} \"GET /"), "missing_fields", Field::HttpStatus, ""),
        (format!("{HEAD} {uri}"), "missing_fields", Field::HttpStatus, ""),
        (format!("{HEAD} {uri} 200 - 113 - 33"), "missing_fields", Field::TotalTime, ""),
        (format!("{HEAD} {uri} 200 - 113 - 33 -"), "missing_fields", Field::TurnAroundTime, ""),
        (format!("{HEAD} {uri} 200 - 113 - 33 - \"-\""), "missing_fields", Field::UserAgent, ""),
        (format!("{HEAD} {uri} 200 - 113 - 33 - \"-\" \"Moz"), "missing_fields", Field::UserAgent, ""),
        (format!("{HEAD} {uri} 20x - 1 1 1 1 \"-\" \"u\" {TAIL}"), "bad_number", Field::HttpStatus, "20x"),
        (
            format!("{HEAD} {uri} 200 No-Key 1 1 1 1 \"-\" \"u\" {TAIL}"),
            "bad_error_code",
            Field::ErrorCode,
            "No-",
        ),
        (format!("{HEAD} {uri} 200 - 1 1.5 1 1 \"-\" \"u\" {TAIL}"), "bad_number", Field::ObjectSize, "1.5"),
        (format!("{HEAD} {uri} 200 - 1 1 1 1 r \"u\" {TAIL}"), "unquoted_text", Field::Referer, "r "),
        (format!("{HEAD} - 200 - 1 1 1 1 r - {TAIL}"), "unquoted_text", Field::Referer, "r "),
        (format!("{HEAD} - 200 - 1 1 x 1 - - {TAIL}"), "bad_number", Field::TotalTime, "x"),
        (
            format!("{HEAD} \"GET /a\" x HTTP/1.1\" 200 - 1.5 1 1 1 \"-\" \"u\" x\" {TAIL}"),
            "bad_number",
            Field::BytesSent,
            "1.5",
        ),
        (
            format!("{HEAD} {uri} 200 - 1 1 1 1 \"-\" \"u\" - HOST x y z"),
            "bad_signature_version",
            Field::SignatureVersion,
            "x y",
        ),
        (format!("{HEAD} {uri} 200 - 1 1 1 1 \"-\" \"u\" -  HOST"), "empty_field", Field::HostId, " HOST"),
        (format!("{HEAD} {uri} 200 - 1 1 1 1 \"-\" \"u\"; - HOST"), "stray_quote", Field::VersionId, ";"),
    ] {
        check_fault(&line, reason, field, at);
    }
}

#[test]
fn two_records_in_one_line_are_rejected() {
    let next = "b2 [05/Jan/2020:23:10:20 +0000] 1.2.3.4 - A5D9D5749E3175C8 REST.GET.BUCKET - ";
    let rest =
        r#""GET /?x HTTP/1.1" 403 AccessDenied 243 - 14 - "-" "aws" - kgI= SigV4 TLS AuthHeader h TLSv1.2"#;
    let batch = format!("{HEAD} - 204 - - 57138 - - - - {TAIL}");
    let full = format!(r#"{HEAD} "GET /a HTTP/1.1" 200 - 5 5 1 1 "r" "u" {TAIL}"#);
    for (cut, reason, field) in [
        // cut off in the requester: the next owner follows without a space, as in a real line
        (
            "o b [05/Jan/2020:23:48:44 +0000] 130.14.28.32 rn:aws:iam::7839719221",
            "torn_line",
            Field::Operation,
        ),
        ("o b [05/Jan/2020:23:48:44 +0000] 130.14.2", "torn_line", Field::RequestId),
        ("o b [05/Jan/2020:23:48:44 +0000] 130.14.28.32 - A5D9", "torn_line", Field::Operation),
        (
            "o b [05/Jan/2020:23:48:44 +0000] 130.14.28.32 - A5D9 REST.GET.OBJECT k/",
            "torn_line",
            Field::RequestUri,
        ),
        (&format!("{HEAD} - 204 - - 57"), "torn_line", Field::TotalTime),
        (&batch, "merged_lines", Field::UserAgent),
    ] {
        check_fault(&format!("{cut}9221 {next}{rest}"), reason, field, "[05/Jan/2020:23:10:20");
    }
    for whole in [&batch, &full] {
        let next = format!("{next}- 204 - - 57138 - - - - - HOST SigV4");
        check_fault(&format!("{whole}9221 {next}"), "merged_lines", Field::VersionId, "[05/Jan/2020");
    }
    let dotted = format!("o b [05/Jan/2020:23:48:44 +0000] 1.2.3.4 - A59221 my.{}", &next[1..]);
    check_fault(&dotted, "torn_line", Field::Key, "[05/Jan/2020:23:10:20");
    let cut = r#""GET /a HTTP/1.1" 200 - 5 5 1 1 "r" "u" - HOST= - - - - -"#;
    let cut = format!("{HEAD} {cut}9221 b2 [05/Jan/2020:23:10:20 +0000]");
    check_fault(&cut, "merged_lines", Field::VersionId, "[05/Jan/2020");
    // with its own quotes, the second record could be client text of the first one
    assert_eq!(read(&format!("{full}9221 {next}{rest}")).quality, Quality::Ambiguous);
    let torn_in_uri = format!(r#"{HEAD} "GET /a9221 {next}{rest}"#);
    assert_eq!(read(&torn_in_uri).quality, Quality::Ambiguous);
}
