//! The words of templates: the text of each word, and how a template is split at its words and filled.
//!
//! A word is in angle brackets and lower case. Its text is encoded as AWS encodes it in that place, so this module also
//! holds the encodings of keys.

use std::collections::HashMap;

use fastrand::Rng;
use serde_json::Value;

use crate::choices::{
    ALPHANUMERIC, BASE64, BROWSERS, COUNTRIES, FUNCTIONS, HEX, HOST_NAMES, KOREAN, ROLES, SERVICES, TAILS,
    UPPER, USERS, VERSIONS, at, lower_hex, pick, put, random, stable, uuid, zipf,
};
use crate::clock::{DAY, HOUR, basic, common_log, folder, iso, micros, millis, minute};
use crate::rows::Row;

/// Appends the text of one word of a template.
type Word = fn(&mut Row<'_>, &mut String);

/// The words of templates.
const WORDS: &[(&str, Word)] = &[
    ("time", |row, out| out.push_str(&iso(row.time))),
    ("clf", |row, out| out.push_str(&common_log(row.time))),
    ("basic", |row, out| out.push_str(&basic(row.time))),
    ("minute", |row, out| out.push_str(&minute(row.time))),
    ("folder", |row, out| out.push_str(&folder(row.time))),
    ("began", |row, out| out.push_str(&iso(row.began()))),
    ("began_basic", |row, out| out.push_str(&basic(row.began()))),
    ("began_day", |row, out| out.push_str(&basic(row.began())[..8])),
    ("expiry", |row, out| out.push_str(&iso(row.time + HOUR))),
    ("micros", |row, out| out.push_str(&micros(row.time, row.rng.u32(0..1_000_000)))),
    ("millis", |row, out| out.push_str(&millis(row.time, row.rng.u32(0..1000)))),
    ("epoch", |row, out| put(out, format_args!("{}", row.time * 1000 + row.rng.i64(0..1000)))),
    ("country", |row, out| out.push_str(at(COUNTRIES, row.who))),
    ("ja3", |row, out| stable(out, row.who, HEX, 32)),
    ("network", |row, out| {
        let key = if row.bucket.starts_with("vpc-") { "vpc_id" } else { "resource_id" };
        put(out, format_args!("\"{key}\":\"{}\"", row.bucket));
    }),
    ("name", |row, out| out.push_str(at(HOST_NAMES, row.object))),
    ("random_name", |row, out| put(out, format_args!("{}.example.net.", &lower_hex(row.rng.u64(..))[..48]))),
    ("instance", |row, out| put(out, format_args!("i-{}", &lower_hex(row.who)[..17]))),
    ("inside", |row, out| put(out, format_args!("10.0.{}.{}", row.who % 3, row.who + 4))),
    ("created", |row, out| out.push_str(&micros(row.time - 1, row.rng.u32(0..1000) * 1000))),
    ("earlier", |row, out| out.push_str(&micros(row.time - 3 * HOUR, 0))),
    ("now", |row, out| out.push_str(iso(row.time).trim_end_matches('Z'))),
    ("since", |row, out| out.push_str(iso(row.time - 7).trim_end_matches('Z'))),
    ("days_ago", |row, out| out.push_str(iso(row.time - 10 * DAY).trim_end_matches('Z'))),
    ("elb", |row, out| out.push_str(&row.bucket.replace('.', "/"))),
    ("port", |row, out| put(out, format_args!("{}", row.rng.u32(1024..65_536)))),
    ("target", |row, out| put(out, format_args!("10.0.1.{}:8080", row.object % 4 + 5))),
    ("same_target", |row, out| put(out, format_args!("10.0.1.{}:8080", row.object % 4 + 5))),
    ("group", |row, out| {
        let (region, account) = (row.source.region, row.source.account);
        put(
            out,
            format_args!("arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/web/73e2d6bc24d8a067"),
        );
    }),
    ("seconds", |row, out| put(out, format_args!("{:.3}", zipf(row.rng, 4000) as f64 / 1000.0))),
    ("small", |row, out| put(out, format_args!("{}", 40 + zipf(row.rng, 900)))),
    ("trace", |row, out| out.push_str(&format!("{:08x}-{}", row.time, &lower_hex(row.rng.u64(..))[..24]))),
    ("tid", |row, out| out.push_str(&format!("TID_{}", &lower_hex(row.rng.u64(..))[..32]))),
    ("serial", |row, out| stable(out, row.who, HEX, 16)),
    ("account", |row, out| out.push_str(row.source.account)),
    ("region", |row, out| out.push_str(row.source.region)),
    ("bucket", |row, out| out.push_str(row.bucket)),
    ("bucket_region", |_, out| out.push_str("ap-northeast-2")),
    ("owner", |row, out| out.push_str(&lower_hex(row.source.account.parse().expect("digits")))),
    ("ip", |row, out| out.push_str(&row.address)),
    ("agent", |row, out| out.push_str(row.agent)),
    ("browser", |row, out| out.push_str(at(BROWSERS, row.who))),
    ("user", |row, out| out.push_str(at(USERS, row.who))),
    ("korean", |row, out| out.push_str(at(KOREAN, row.who))),
    ("user_id", |row, out| stable(out, row.who, UPPER, 17)),
    ("user_key", |row, out| stable(out, row.who ^ 0xaa, UPPER, 16)),
    ("user_uuid", |row, out| uuid(out, &mut Rng::with_seed(row.who))),
    ("role", |row, out| out.push_str(at(ROLES, row.who))),
    ("role_id", |row, out| stable(out, row.who % ROLES.len() as u64 + 0x5555, UPPER, 17)),
    ("session", |row, out| out.push_str(&lower_hex(row.who)[..8])),
    ("session_key", |row, out| stable(out, row.began().unsigned_abs() + row.who, UPPER, 16)),
    ("service", |row, out| out.push_str(at(SERVICES, row.who))),
    ("function", |row, out| out.push_str(at(FUNCTIONS, row.who))),
    ("cloudfront", |row, out| stable(out, row.who % 3, UPPER, 13)),
    ("kms", |row, out| uuid(out, &mut Rng::with_seed(row.who % 8))),
    ("key", |row, out| out.push_str(&escaped(&row.key(), row.object.is_multiple_of(4)))),
    ("key_once", |row, out| out.push_str(&percent(&row.key(), "+"))),
    ("key_twice", |row, out| out.push_str(&percent(&percent(&row.key(), "+"), "%20"))),
    ("uri", |row, out| out.push_str(&percent(&row.key(), "%20"))),
    ("next", |row, _| row.object += 1),
    ("line", |_, out| out.replace_range(out.trim_end().len().., "\n")),
    ("request", |row, out| out.push_str(&row.request)),
    ("host", |row, out| out.push_str(&row.host)),
    ("size", |row, out| put(out, format_args!("{}", row.size))),
    ("ms", |row, out| put(out, format_args!("{}", 60 + zipf(row.rng, 2000)))),
    ("ttfb", |row, out| put(out, format_args!("{}", 8 + zipf(row.rng, 50)))),
    ("cipher", |row, out| out.push_str(row.tls.0)),
    ("tls", |row, out| out.push_str(row.tls.1)),
    ("tlsv", |row, out| out.push_str(&row.tls.1.to_lowercase().replace('.', ""))),
    ("tail", |row, out| out.push_str(pick(row.rng, TAILS))),
    ("event_version", |row, out| out.push_str(pick(row.rng, VERSIONS))),
    ("id", |row, out| random(out, row.rng, ALPHANUMERIC, 16)),
    ("uuid", |row, out| uuid(out, row.rng)),
    ("token", |row, out| random(out, row.rng, BASE64, 344)),
    ("version", |row, out| stable(out, row.object, ALPHANUMERIC, 32)),
    ("signature", |row, out| out.push_str(&lower_hex(row.rng.u64(..)))),
];

/// The texts between the words of a template, each with the word before it.
pub(crate) type Pieces = Vec<(Option<Word>, String)>;

/// Splits an expanded template at its words.
pub(crate) fn compile(text: &str) -> Pieces {
    let words: HashMap<&str, Word> = WORDS.iter().copied().collect();
    let piece = |part: &str| match part.split_once('>') {
        Some((word, rest)) => (Some(words[word]), rest.to_owned()),
        None => (None, part.to_owned()),
    };
    text.split('<').map(piece).collect()
}

/// Fills a template for a row.
pub(crate) fn fill(pieces: &Pieces, row: &mut Row<'_>) -> String {
    let mut out = String::with_capacity(2048);
    for (word, text) in pieces {
        word.inspect(|word| word(row, &mut out));
        out.push_str(text);
    }
    out
}

/// Percent-encodes everything except letters, digits and `-_.*/`. A space becomes `space`.
fn percent(text: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match char::from(byte) {
            ' ' => out.push_str(space),
            plain @ ('-' | '_' | '.' | '*' | '/' | '0'..='9' | 'A'..='Z' | 'a'..='z') => out.push(plain),
            _ => put(&mut out, format_args!("%{byte:02X}")),
        }
    }
    out
}

/// Escapes `text` for JSON, without quotes. If `ascii` is set, non-ASCII characters become `\uXXXX`.
fn escaped(text: &str, ascii: bool) -> String {
    let quoted = Value::from(text).to_string();
    let mut out = String::with_capacity(quoted.len());
    for character in quoted[1..quoted.len() - 1].chars() {
        if character.is_ascii() || !ascii {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            put(&mut out, format_args!("\\u{unit:04X}"));
        }
    }
    out
}
