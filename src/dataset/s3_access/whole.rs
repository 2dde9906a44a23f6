//! Whether a line is still as S3 wrote it, from its first byte to its last.
//!
//! Lines pass through other tools before they are read: `grep` puts the name of a file before them, a table calculation puts
//! quotes around them, a full disk cuts them off. The fields between may all be right, or none: such a line is never
//! exact. What S3 writes itself tells: the owner's id at the front, how many fields follow the user agent, and whether those
//! among them that have a form of their own are in their places.

use memchr::memchr;

use super::eras::{SINCE_2019, fewest_after_agent};
use super::field::Field;
use super::tail::Tail;

/// Bytes of a canonical user id, which are hexadecimal digits.
const OWNER_BYTES: usize = 64;
/// Samples have a short word in its place, or its front.
const STAND_IN_BYTES: usize = 24;

/// From when on `aclRequired` follows the ARN of the access point, with the same margin: November 2022.
const ENDS_AFTER_ARN_MS: i64 = 1_672_531_200_000;

/// The same with the ARN of the access point.
const SINCE_2021: usize = SINCE_2019 + 1;

/// Whether a bucket owner is whole and alone: a canonical user id, or a word in its place.
pub(super) fn is_owner(token: &[u8]) -> bool {
    if let Ok(id) = <&[u8; OWNER_BYTES]>::try_from(token) {
        // All of them are looked at, so that they can be compared at once.
        let is_other = |byte: &u8| (byte.wrapping_sub(b'0') > 9) & ((byte | 0x20).wrapping_sub(b'a') > 5);
        return !id.iter().fold(false, |any, byte| any | is_other(byte));
    }
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    token.len() <= STAND_IN_BYTES && token.iter().all(in_word)
}

/// Whether the fields after the user agent are all there and untouched, in a line of this time.
pub(super) fn is_whole_tail(tail: &Tail<'_>, request_time_ms: i64) -> bool {
    let count = tail.count();
    // The fields from the host id to the TLS version came at once, but for the spring in which a caller stood before them.
    let has_part = (2..SINCE_2019).contains(&count) && !tail.joined;
    let fits = |(field, grammar): &(Field, Grammar)| tail.get(*field).is_none_or(grammar);
    count >= fewest_after_agent(request_time_ms)
        && !has_part
        && tail.is_printed
        && GRAMMARS.iter().all(fits)
        && (tail.extra.is_some() || request_time_ms < ENDS_AFTER_ARN_MS || !ends_as_before_2023(tail))
}

/// Whether a token can be the value of a field.
type Grammar = fn(&[u8]) -> bool;

/// The fields after the user agent whose values are hardly ever those of their neighbours, or the front of a value.
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

/// Whether the last token is a value that can be the front of another one, `TLSv1` of `TLSv1.2`: in a line of a time that has
/// further fields.
fn ends_as_before_2023(tail: &Tail<'_>) -> bool {
    match tail.count() {
        SINCE_2019 => tail.get(Field::TlsVersion).is_some_and(|token| token.ends_with(b"v1")),
        SINCE_2021 => tail.get(Field::AccessPointArn).is_some(),
        _ => false,
    }
}

/// Whether all quotes were doubled, as in a table of values: each text that is there has quotes of its own.
pub(super) fn are_quotes_doubled(texts: [&[u8]; 3]) -> bool {
    let is_quoted = |text: &[u8]| matches!(text, [b'"', .., b'"']);
    texts.iter().any(|text| is_quoted(text)) && texts.iter().all(|text| is_quoted(text) || *text == b"-")
}

#[cfg(test)]
mod tests;
