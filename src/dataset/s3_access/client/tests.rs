//! Client text in lines that are built from known values: each line is correct, flagged or rejected.

use std::array::from_fn;
use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use regex::bytes::Regex;

use super::super::field::{FIELD_COUNT, Field, Quality};
use super::super::fields::parse;
use super::super::whole::are_quotes_doubled;

const URI: usize = Field::RequestUri as usize;
const REFERER: usize = Field::Referer as usize;
const AGENT: usize = Field::UserAgent as usize;
const VERSION: usize = Field::VersionId as usize;

/// The values of a line. `-` is a missing value, and `bare` says which texts of the client are written as bare dashes.
#[derive(Clone)]
struct Record {
    fields: [Vec<u8>; FIELD_COUNT],
    bare: [bool; 3],
    length: usize,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fields: {}", self.length, String::from_utf8_lossy(&self.line()))
    }
}

impl Record {
    fn line(&self) -> Vec<u8> {
        let mut line = Vec::new();
        for (index, field) in self.fields.iter().enumerate().take(self.length) {
            let client = [URI, REFERER, AGENT].iter().position(|&client| client == index);
            match client {
                Some(client) if !self.bare[client] => line.extend([b"\"", &field[..], b"\""].concat()),
                _ if index == Field::Time as usize => line.extend([b"[", &field[..], b"]"].concat()),
                _ => line.extend_from_slice(field),
            }
            line.push(b' ');
        }
        line.extend(vec!["new"; self.length.saturating_sub(FIELD_COUNT)].join(" ").bytes());
        line
    }

    fn expected(&self) -> [Option<&[u8]>; FIELD_COUNT] {
        let written = |index: usize| (index < self.length).then_some(&self.fields[index][..]);
        from_fn(|index| written(index).filter(|field| *field != b"-"))
    }
}

fn token(pattern: &'static str) -> BoxedStrategy<Vec<u8>> {
    pattern.prop_map(String::into_bytes).boxed()
}

fn one_of(tokens: &'static [&'static str]) -> BoxedStrategy<Vec<u8>> {
    select(tokens).prop_map(|token| token.as_bytes().to_vec()).boxed()
}

fn strategy_of(field: usize, client: &BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    match field {
        0 => token("[0-9a-f]{64}"),
        1 => token("[a-z0-9.-]{3,20}"),
        2 => token(
            "[01][1-8]/(Jan|Feb|Mar|Dec)/20(19|2[0-9]):[01][0-9]:[0-5][0-9]:[0-5][0-9] [+-]0[0-9][0-5]0",
        ),
        3 => one_of(&["-", "192.0.2.3", "2001:db8::1", "xx.xx.41.39"]),
        4 => one_of(&["-", "AmazonS3", "arn:aws:iam::1:user/a", OAI, "svc:delivery.logs.amazonaws.com"]),
        5 => token("-|[0-9A-Z]{16}|[0-9a-f]{8}-[0-9a-f]{4}"),
        6 => one_of(&["REST.GET.OBJECT", "S3.EXPIRE.OBJECT", "S3.COMPUTE.OBJECT.CHECKSUM", "SOAP.PutObject"]),
        7 => token("-|[!-~]{1,30}"),
        9 => token("-|[1-5][0-9][0-9]"),
        10 => one_of(&["-", "NoSuchKey", "AccessDenied"]),
        11..=14 => token("-|[0-9]{1,12}"),
        17 => token("-|null|[A-Za-z0-9._]{32}"),
        18 => token("[A-Za-z0-9+/]{20,76}={0,2}"),
        19 => one_of(&["-", "SigV2", "SigV4"]),
        20 => one_of(&["-", "ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"]),
        21 => one_of(&["-", "AuthHeader", "QueryString"]),
        22 => one_of(&["-", "s3.amazonaws.com", "b.s3.eu-west-1.amazonaws.com"]),
        23 => one_of(&["-", "TLSv1", "TLSv1.2", "TLSv1.3"]),
        24 => one_of(&["-", "arn:aws:s3:us-west-1:1:accesspoint/ap"]),
        25 => one_of(&["-", "Yes"]),
        26 => one_of(&["-", "us-east-1"]),
        _ => client.clone(),
    }
}

/// The possible numbers of fields.
const LENGTHS: &[usize] = &[17, 18, 24, 25, 26, 27, 28, 29];

const OAI: &str = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2QWRUHAPOMQZL";

/// Records of every length whose clients send these texts.
fn record(client: &BoxedStrategy<Vec<u8>>) -> impl Strategy<Value = Record> {
    let fields: Vec<_> = (0..FIELD_COUNT).map(|field| strategy_of(field, client)).collect();
    (fields, any::<[bool; 3]>(), select(LENGTHS)).prop_map(|(fields, bare, length)| {
        let mut fields: [Vec<u8>; FIELD_COUNT] = fields.try_into().expect("as many");
        for (bare, field) in bare.into_iter().zip([URI, REFERER, AGENT]) {
            if bare {
                fields[field] = b"-".to_vec();
            }
        }
        // Short lines are from times with fewer fields.
        if length < 26 {
            fields[Field::Time as usize].splice(7..11, *b"2011");
        }
        Record { fields, bare, length }
    })
}

fn plain_text() -> BoxedStrategy<Vec<u8>> {
    let no_quote = any::<u8>().prop_map(|byte| if matches!(byte, b'"' | b'\n') { b'.' } else { byte });
    prop::collection::vec(no_quote, 0..30).boxed()
}

/// Pieces that imitate everything between and around the client's texts.
const PIECES: &[&str] = &[
    "\"",
    " ",
    "-",
    "x",
    "\" \"",
    "\" - ",
    "\" - \"",
    " HTTP/1.1",
    "GET /a",
    "\" 200 - 5 5 1 1 \"",
    "\" 200 - 5 5 1 1 - \"",
    "\" 404 NoSuchKey - - - - - - ",
    " 200 - 5 5 1 1 \"",
    "200 - - - - - - -",
    " HTTP/1.1\" 200 - 1 1 1 1 \"-\" \"x",
    "\" - HOST= SigV4 - - host -",
    "\" - - HOST= SigV4 - - host -",
    "\" - HOST= - - - host - - - - 200 - 1 1 1 1 - - - HOST= SigV4",
    "[05/Jan/2020:23:10:20 +0000]",
];

fn hostile_text() -> BoxedStrategy<Vec<u8>> {
    let piece = prop_oneof![4 => one_of(PIECES), 1 => plain_text()];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()).boxed()
}

/// Runs `times` as many cases as the environment asks for (default 256).
fn run<S: Strategy>(times: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = Config::default().cases * times;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    if let Err(failure) = runner.run(&strategy, test) {
        panic!("{failure}");
    }
}

#[test]
fn plain_texts_are_exact_in_lines_of_every_length() {
    run(4, record(&plain_text()), |record| {
        let line = record.line();
        let parsed = parse(&line).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert_eq!(parsed.quality, Quality::Exact);
        prop_assert_eq!(parsed.fields(), &record.expected());
        let extra = ["new", "new new"].get(record.length.wrapping_sub(FIELD_COUNT + 1));
        prop_assert_eq!(parsed.extra, extra.map(|extra| extra.as_bytes()));
        Ok(())
    });
}

/// The promise of this module. A line whose user agent is a bare dash has a signature version (the third premise).
#[test]
fn a_hostile_line_is_correct_or_flagged() {
    let (right, marked) = (Cell::new(0), Cell::new(0));
    run(8, record(&hostile_text()), |mut record| {
        if record.bare[2] {
            record.length = record.length.max(24);
        }
        let line = record.line();
        let parsed = parse(&line).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        if parsed.quality == Quality::Ambiguous {
            marked.set(marked.get() + 1);
        } else if parsed.quality == Quality::Exact {
            right.set(right.get() + 1);
            prop_assert_eq!(parsed.fields(), &record.expected());
        } else {
            prop_assert!(record.fields[2].windows(5).any(|year| year == b"/2019"));
        }
        let read: [_; VERSION] = from_fn(|index| parsed.fields()[index]);
        prop_assert_eq!(&read[..URI], &record.expected()[..URI]);
        Ok(())
    });
    assert!(right.get() > 500 && marked.get() > 500, "{right:?} {marked:?}");
}

/// A reading of the slow twin: request-URI, referer, user agent, whether the user agent is quoted, and the rest.
type SlowReading<'a> = (&'a [u8], &'a [u8], &'a [u8], bool, Vec<&'a [u8]>);

/// All texts that can start here, each with the rest after it.
fn texts(rest: &[u8]) -> Vec<(&[u8], &[u8], bool)> {
    let ends = (1..rest.len()).filter(|&end| rest[0] == b'"' && rest[end] == b'"');
    let quoted = ends.map(|end| (&rest[1..end], &rest[end + 1..], true));
    quoted.chain(rest.strip_prefix(b"-").map(|after| (&rest[..1], after, false))).collect()
}

/// The rest after the six fields that can start here.
fn after_block(rest: &[u8]) -> Option<&[u8]> {
    static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)^ (\d{3}|-) ([A-Za-z0-9._]+|-)( (\d{1,18}|-)){4} ").expect("a pattern")
    });
    BLOCK.find(rest).map(|found| &rest[found.end()..])
}

/// All readings of the text after the key, from all quotes in all roles.
fn read_slowly(body: &[u8]) -> Vec<SlowReading<'_>> {
    let mut readings = Vec::new();
    for (uri, rest, _) in texts(body) {
        for (referer, rest, _) in after_block(rest).map(texts).unwrap_or_default() {
            for (agent, rest, quoted) in rest.strip_prefix(b" ").map(texts).unwrap_or_default() {
                let tail: Vec<&[u8]> = rest.split(|&byte| byte == b' ').skip(1).collect();
                let fits = (rest.is_empty() || rest[0] == b' ') && !rest.contains(&b'"');
                let signed = tail.get(2).is_none_or(|token| *token == b"-" || token.starts_with(b"SigV"));
                if fits && signed && tail.iter().all(|token| !token.is_empty()) {
                    readings.push((uri, referer, agent, quoted, tail));
                }
            }
        }
    }
    readings
}

/// Lines that often have a reading, and after small changes several.
fn tangled_body() -> impl Strategy<Value = Vec<u8>> {
    let tail = one_of(&["-", "-", "-", "SigV4", "HOST=", "200", "5", "s3.host", "AuthHeader", "TLSv1"]);
    let lengths = select(&[0_usize, 1, 3, 7, 8, 9, 10, 12, 15][..]);
    let tail = (prop::collection::vec(tail, 15), lengths, any::<bool>());
    let tail = tail.prop_map(|(mut tokens, length, fits)| {
        for (at, token) in [(4, "AuthHeader"), (6, "TLSv1"), (8, "-"), (9, "-")].into_iter().filter(|_| fits)
        {
            tokens[at] = token.into();
        }
        tokens[..length].join(&b' ')
    });
    let block = one_of(&[" 200 - 5 5 1 1 ", " - - - - - - ", " 404 NoSuchKey - - 1 - "]);
    let uri = prop_oneof![hostile_text().prop_map(quoted), Just(b"-".to_vec())];
    let text = || prop_oneof![3 => hostile_text().prop_map(quoted), 1 => Just(b"-".to_vec())];
    (uri, block, text(), text(), tail).prop_map(|(uri, block, referer, agent, tail)| {
        [&uri[..], &block, &referer, b" ", &agent, if tail.is_empty() { b"" } else { b" " }, &tail].concat()
    })
}

fn quoted(text: impl AsRef<[u8]>) -> Vec<u8> {
    [b"\"", text.as_ref(), b"\""].concat()
}

/// The slow twin tries all quotes in all roles.
#[test]
fn exact_lines_have_one_reading_and_unreadable_ones_none() {
    let counts = Cell::new([0; 3]);
    let count = |index: usize| counts.set(from_fn(|at| counts.get()[at] + u32::from(at == index)));
    run(8, tangled_body(), |body| {
        // At this time, lines of all lengths were valid.
        let head = b"o b [06/Feb/2011:00:00:38 +0000] 1.2.3.4 - AB REST.GET.OBJECT k ";
        let line = [&head[..], &body].concat();
        let readings = read_slowly(&body);
        let host_id = |token: &[u8]| token != b"-" && !token.starts_with(b"SigV");
        let complete = |reading: &SlowReading| reading.3 || reading.4.len() > 2 && host_id(reading.4[1]);
        let strong: Vec<_> = readings.iter().filter(|reading| complete(reading)).collect();
        let Ok(parsed) = parse(&line) else {
            count(0);
            prop_assert!(readings.is_empty(), "{:?}", readings);
            return Ok(());
        };
        let client = [URI, REFERER, AGENT].map(|field| parsed.fields()[field]);
        let is_taken = |reading: &SlowReading| {
            client == [reading.0, reading.1, reading.2].map(|text| (text != b"-").then_some(text))
        };
        if parsed.quality == Quality::Exact {
            count(1);
            let sole = if let [sole] = strong[..] { sole } else { &readings[0] };
            prop_assert!(strong.len() == 1 || readings.len() == 1, "{:?}", readings);
            prop_assert!(is_taken(sole), "{:?} {:?}", sole, client);
        } else {
            count(2);
            prop_assert!(readings.is_empty() || readings.iter().any(is_taken), "{:?} {:?}", readings, client);
        }
        let stamped = body.windows(2).any(|pair| pair == b"[0");
        if let [sole] = &readings[..]
            && !stamped
            && (sole.3 || !sole.1.contains(&b'"'))
        {
            let quotes = sole.0.contains(&b'"') && !sole.3;
            let doubled = are_quotes_doubled([sole.0, sole.1, sole.2]);
            let tail = &sole.4;
            let is_odd = |(at, token): (usize, &&[u8])| match at {
                4 => !token.iter().all(u8::is_ascii_alphabetic),
                6 => !token.starts_with(b"TLS"),
                8 | 9 => true,
                _ => false,
            };
            let mut present = tail.iter().enumerate().filter(|(_, token)| **token != b"-");
            let altered = doubled || present.any(is_odd) || (2..7).contains(&tail.len());
            prop_assert!(parsed.quality == Quality::Exact || quotes || altered, "{:?}", sole);
        }
        Ok(())
    });
    assert!(counts.get().iter().all(|&count| count > 200), "{counts:?}");
}

/// Three patterns like those of published parsers: for lines of today, from before 2019, and without quotes.
fn patterns() -> [Regex; 3] {
    let requester = r"(arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity \w+|[^ ]+)";
    let head = format!(
        r"([^ ]+) ([^ ]+) \[([^\]]+)\] ([^ ]+) {requester} ([0-9A-Za-z-]+) ([A-Za-z0-9_.-]+) ([^ ]+)"
    );
    let block = r"(\d{3}|-) ([A-Za-z0-9._]+|-) (\d+|-) (\d+|-) (\d+|-) (\d+|-)";
    let quoted = r#""([^"]*)""#;
    let signed = r#"([^ "]+) ([^ "]+) (SigV2|SigV4|-)((?: [^ "]+)*)"#;
    [
        format!(r"(?-u)^{head} {quoted} {block} {quoted} {quoted} {signed}$"),
        format!(r#"(?-u)^{head} {quoted} {block} {quoted} {quoted}(?: ([^ "]+))?$"#),
        format!(r"(?-u)^{head} (-) {block} (-) (-) {signed}$"),
    ]
    .map(|pattern| Regex::new(&pattern).expect("a pattern"))
}

#[test]
fn the_published_patterns_agree_on_texts_without_quotes() {
    let (agreed, patterns) = (Cell::new(0), patterns());
    let change = (any::<prop::sample::Index>(), 0..3, select(&b" \"-[]x1."[..]));
    run(6, (record(&plain_text()), prop::collection::vec(change, 0..2)), |(record, changes)| {
        let mut line = record.line();
        line.truncate(line.trim_ascii_end().len());
        let is_changed = !changes.is_empty();
        for (index, kind, byte) in changes {
            let at = index.index(line.len());
            line.splice(at..at + usize::from(kind > 0), (kind < 2).then_some(byte));
        }
        let Some(groups) = patterns.iter().find_map(|pattern| pattern.captures(&line)) else {
            return Ok(());
        };
        if let Ok(parsed) = parse(&line) {
            agreed.set(agreed.get() + 1);
            prop_assert!(parsed.quality == Quality::Exact || is_changed);
            for (field, group) in parsed.fields().iter().zip(groups.iter().skip(1)).take(20) {
                let group = group.map(|group| group.as_bytes()).filter(|text| *text != b"-");
                prop_assert_eq!(*field, group);
            }
        }
        Ok(())
    });
    assert!(agreed.get() > 100, "{agreed:?}");
}

#[test]
fn no_bytes_cause_a_panic() {
    run(2, prop::collection::vec(any::<u8>(), 0..300), |line| {
        let _ = parse(&line);
        Ok(())
    });
    let cut = any::<prop::sample::Index>();
    run(
        8,
        (record(&hostile_text()), record(&hostile_text()), cut.clone(), cut),
        |(first, second, end, start)| {
            let (first, second) = (first.line(), second.line());
            let _ = parse(&[&first[..end.index(first.len())], &second[start.index(second.len())..]].concat());
            Ok(())
        },
    );
}
