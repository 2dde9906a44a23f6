//! Checks whether a line is still as S3 wrote it, from its first byte to its last.
//!
//! Other tools may have changed lines: `grep` adds a file name in front, a spreadsheet adds quotes, a full disk cuts lines
//! off. The remaining fields may be right or wrong, so such a line is never exact. The check uses the parts that S3
//! controls: the owner's id at the front, the number of fields after the user agent, and the form of those fields.

use memchr::memchr;

use super::eras::{SINCE_2019, min_after_agent};
use super::field::Field;
use super::tail::Tail;

/// Length of a canonical user id, which consists of hexadecimal digits.
const OWNER_BYTES: usize = 64;
/// Longest word that samples have in its place, or front of it.
const STAND_IN_BYTES: usize = 24;

/// The time since which `aclRequired` follows the ARN of the access point: November 2022, with the same margin.
const ENDS_AFTER_ARN_MS: i64 = 1_672_531_200_000;

/// The same with the ARN of the access point.
const SINCE_2021: usize = SINCE_2019 + 1;

/// Whether a bucket owner is complete and has no prefix: a canonical user id, or a word in its place.
pub(super) fn is_owner(token: &[u8]) -> bool {
    if let Ok(id) = <&[u8; OWNER_BYTES]>::try_from(token) {
        // Looks at all bytes, so that they can be compared at once.
        let is_other = |byte: &u8| (byte.wrapping_sub(b'0') > 9) & ((byte | 0x20).wrapping_sub(b'a') > 5);
        return !id.iter().fold(false, |any, byte| any | is_other(byte));
    }
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    token.len() <= STAND_IN_BYTES && token.iter().all(in_word)
}

/// Whether the fields after the user agent are complete and unchanged, for a line of this time.
pub(super) fn is_whole_tail(tail: &Tail<'_>, request_time_ms: i64) -> bool {
    let count = tail.count();
    // S3 added the fields from host id to TLS version together, except in the spring in which a caller preceded them.
    let has_part = (2..SINCE_2019).contains(&count) && !tail.joined;
    let fits = |(field, grammar): &(Field, Grammar)| tail.get(*field).is_none_or(grammar);
    count >= min_after_agent(request_time_ms)
        && !has_part
        && tail.is_printed
        && GRAMMARS.iter().all(fits)
        && (tail.extra.is_some() || request_time_ms < ENDS_AFTER_ARN_MS || !ends_as_before_2023(tail))
}

/// Returns whether a token can be the value of a field.
type Grammar = fn(&[u8]) -> bool;

/// The fields whose values can hardly be confused with those of adjacent fields, or with the front of a longer value.
const GRAMMARS: [(Field, Grammar); 4] = [
    (Field::AuthenticationType, |token| token.iter().all(u8::is_ascii_alphabetic)),
    (Field::TlsVersion, |token| token.starts_with(b"TLS") && ends_in_digit(token)),
    (Field::AclRequired, |token| matches!(token, b"Yes" | b"No")),
    (Field::SourceRegion, |token| {
        let in_region = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        ends_in_digit(token) && memchr(b'-', token).is_some() && token.iter().all(in_region)
    }),
];

fn ends_in_digit(token: &[u8]) -> bool {
    token.last().is_some_and(u8::is_ascii_digit)
}

/// Whether the last token can be the front of a longer value, such as `TLSv1` of `TLSv1.2`. Lines of this time have further
/// fields.
fn ends_as_before_2023(tail: &Tail<'_>) -> bool {
    match tail.count() {
        SINCE_2019 => tail.get(Field::TlsVersion).is_some_and(|token| token.ends_with(b"v1")),
        SINCE_2021 => tail.get(Field::AccessPointArn).is_some(),
        _ => false,
    }
}

/// Whether all quotes are doubled, as in a spreadsheet export: each text that is present has its own quotes.
pub(super) fn are_quotes_doubled(texts: [&[u8]; 3]) -> bool {
    let is_quoted = |text: &[u8]| matches!(text, [b'"', .., b'"']);
    texts.iter().any(|text| is_quoted(text)) && texts.iter().all(|text| is_quoted(text) || *text == b"-")
}

#[cfg(test)]
mod tests;
