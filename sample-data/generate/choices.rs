//! The values that rows choose from, and the functions that choose.
//!
//! Names are invented, and addresses are from documentation networks. A choice uses the given random generator. A name
//! that must be the same in several rows is derived from a number instead.

use std::fmt::Arguments;

use fastrand::Rng;

/// Names, the most frequent first.
pub(crate) const USERS: &[&str] =
    &["minsu.kim", "deploy-bot", "seoyeon.lee", "etl", "ci-runner", "jihun.park", "backup"];
pub(crate) const KOREAN: &[&str] = &["김민수", "이서연", "박지훈", "최유진", "정하늘"];
pub(crate) const ROLES: &[&str] =
    &["orders-etl", "AnalyticsReadOnly", "eks-node", "glue-crawler", "web-upload", "Admin"];
pub(crate) const BUCKETS: &[&str] =
    &["datalake-kr", "web-kr", "results", "media", "app-config", "org-trail-logs"];
pub(crate) const FUNCTIONS: &[&str] =
    &["orders-ingest", "thumbnail-maker", "slack-notify", "session-cleaner"];
pub(crate) const SERVICES: &[&str] =
    &["s3.amazonaws.com", "cloudtrail.amazonaws.com", "lambda.amazonaws.com", "config.amazonaws.com"];
pub(crate) const COUNTRIES: &[&str] = &["KR", "US", "JP", "DE"];
/// Names that hosts ask for.
pub(crate) const HOST_NAMES: &[&str] = &[
    "api.example.com.",
    "ec2messages.ap-northeast-2.amazonaws.com.",
    "www.example.com.",
    "orders.db.internal.example.com.",
    "updates.example.net.",
    "xn--ob0bj71amzcca52h0a.example.kr.",
    "time.example.org.",
    "_ldap._tcp.corp.example.com.",
];
pub(crate) const VERSIONS: &[&str] = &["1.08", "1.09", "1.10", "1.05", "1.11"];

/// Keys of stored objects. `#` becomes the number of the object.
pub(crate) const KEYS: &[&str] = &[
    "raw/dt=2023-10-31/#.parquet",
    "static/app.#.js",
    "orders/kr=1/#.parquet",
    "images/#_thumb.jpg",
    "보고서/# 1.pdf",
    "사진+#.jpg",
    "tmp/a&b=c%20d (#)'s \"copy\".txt",
    "config/#.json",
];

/// User agents of programs and of browsers.
pub(crate) const AGENTS: &[&str] = &[
    "aws-sdk-java/1.12.526 Linux/5.10.192",
    "Boto3/1.28.62 md/Botocore#1.31.62",
    "aws-cli/2.13.25 Python/3.11.5 Linux/6.1.55",
    "Hadoop 3.3.4, aws-sdk-java/1.12.262",
    "aws-sdk-go/1.45.24 (go1.21.3; linux; amd64)",
    "aws-internal/3",
];
pub(crate) const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/118.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0_3) Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Firefox/118.0",
];

/// Cipher suites with their TLS versions.
pub(crate) const CIPHERS: &[(&str, &str)] = &[
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"),
    ("TLS_AES_128_GCM_SHA256", "TLSv1.3"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLSv1.2"),
];

/// The end of an access line after the 24th field: nothing, or up to three newer fields.
pub(crate) const TAILS: &[&str] = &[
    " - -",
    " - - ap-northeast-2",
    " - Yes",
    " -",
    "",
    " arn:aws:s3:ap-northeast-2:123456789012:accesspoint/analytics - us-east-1",
];

/// The documentation networks of all addresses.
pub(crate) const NETWORKS: &[&str] = &["192.0.2", "198.51.100", "203.0.113"];

/// The characters of ids. An alphabet is a number: it uses that many of the first characters.
const CHARACTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
pub(crate) const HEX: u64 = 16;
pub(crate) const UPPER: u64 = 36;
pub(crate) const ALPHANUMERIC: u64 = 62;
pub(crate) const BASE64: u64 = 64;

/// Picks an entry of `table`. The probability of the n-th entry falls like 1/n.
pub(crate) fn pick<T: Copy>(rng: &mut Rng, table: &[T]) -> T {
    at(table, zipf(rng, table.len() as u64))
}

/// Returns the n-th entry of `table`, wrapping around at its end.
pub(crate) fn at<T: Copy>(table: &[T], n: u64) -> T {
    table[usize::try_from(n % table.len() as u64).expect("less than a length")]
}

/// Returns a number below `end` with a probability that falls like 1/n, using only integers.
pub(crate) fn zipf(rng: &mut Rng, end: u64) -> u64 {
    loop {
        let scale = 1 << rng.u64(0..=u64::from(end.ilog2()));
        let number = scale - 1 + rng.u64(0..scale);
        if number < end {
            return number;
        }
    }
}

/// Appends random characters.
pub(crate) fn random(out: &mut String, rng: &mut Rng, alphabet: u64, count: usize) {
    out.extend((0..count).map(|_| char::from(at(CHARACTERS, rng.u64(0..alphabet)))));
}

/// Appends characters that are always the same for the same number.
pub(crate) fn stable(out: &mut String, number: u64, alphabet: u64, count: usize) {
    random(out, &mut Rng::with_seed(number), alphabet, count);
}

/// Returns 64 hexadecimal digits that are always the same for the same number.
pub(crate) fn lower_hex(number: u64) -> String {
    let mut rng = Rng::with_seed(number);
    let mut out = String::with_capacity(64);
    (0..4).for_each(|_| put(&mut out, format_args!("{:016x}", rng.u64(..))));
    out
}

/// Appends formatted text.
pub(crate) fn put(out: &mut String, text: Arguments<'_>) {
    std::fmt::Write::write_fmt(out, text).expect("writing to a String never fails");
}

/// Appends a random UUID, version 4.
pub(crate) fn uuid(out: &mut String, rng: &mut Rng) {
    let (high, low) = (rng.u64(..), rng.u64(..));
    let (time, middle, version) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    let (variant, node) = (low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
    put(out, format_args!("{time:08x}-{middle:04x}-4{version:03x}-{variant:04x}-{node:012x}"));
}
