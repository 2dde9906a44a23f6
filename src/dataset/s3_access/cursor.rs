//! The tokens of a line, and the grammar of those that no client controls.

use std::ops::RangeInclusive;

use memchr::memchr;

use super::fault::{Fault, Reason};
use super::field::Field;
use super::time::{TIME_WIDTH, parse_time};
use crate::dataset::scan::next_space;

/// A place in a line without its leading and trailing blanks. Positions count from the start of the original line.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// The line, without the blanks at its end.
    pub(super) line: &'a [u8],
    /// The next byte to read; at most the length of the line.
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the first byte that is not blank.
    pub(super) fn trimmed(line: &'a [u8]) -> Result<Self, Fault> {
        let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r');
        let at = line.iter().position(is_text).ok_or(Fault::new(Reason::BlankLine, Field::BucketOwner, 0))?;
        let end = line.iter().rposition(is_text).map_or(at, |last| last + 1);
        Ok(Self { line: &line[..end], at })
    }

    /// Takes the bytes up to the next space, and the space. Another field must follow.
    pub(super) fn token(&mut self, field: Field) -> Result<&'a [u8], Fault> {
        let end = next_space(self.line, self.at);
        if end == self.line.len() {
            return Err(Fault::new(Reason::MissingFields, field, end));
        }
        let token = &self.line[self.at..end];
        if token.is_empty() {
            return Err(Fault::new(Reason::EmptyField, field, end));
        }
        self.at = end + 1;
        Ok(token)
    }

    /// Takes a token that fits or at least has no quotes, and returns whether it fits.
    pub(super) fn unquoted(
        &mut self,
        field: Field,
        fits: impl Fn(&[u8]) -> bool,
    ) -> Result<(&'a [u8], bool), Fault> {
        let start = self.at;
        let token = self.token(field)?;
        if fits(token) {
            return Ok((token, true));
        }
        let quote = memchr(b'"', token).map(|offset| Fault::new(Reason::QuotedField, field, start + offset));
        quote.map_or(Ok((token, false)), Err)
    }

    /// Takes a token that fits. The start of another record does not fit.
    pub(super) fn checked(
        &mut self,
        field: Field,
        reason: Reason,
        fits: impl Fn(&[u8]) -> bool,
    ) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let token = self.token(field)?;
        if token[0] == b'[' && parse_time(&self.line[start..]).is_some() {
            return Err(Fault::new(Reason::TornLine, field, start));
        }
        if fits(token) { Ok(token) } else { Err(Fault::new(reason, field, start)) }
    }

    /// Takes the time in brackets. Returns its text without the brackets, and milliseconds since 1970.
    pub(super) fn time(&mut self) -> Result<(&'a [u8], i64), Fault> {
        let rest = &self.line[self.at..];
        let milliseconds = parse_time(rest).filter(|_| rest.get(TIME_WIDTH) == Some(&b' '));
        let milliseconds = milliseconds.ok_or(Fault::new(Reason::BadTime, Field::Time, self.at))?;
        self.at += TIME_WIDTH + 1;
        Ok((&rest[1..TIME_WIDTH - 1], milliseconds))
    }

    /// Takes the requester: one token, or a `CloudFront` origin access identity, whose name has spaces.
    pub(super) fn requester(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        let token = self.checked(Field::Requester, Reason::EmptyField, |_| true)?;
        if !token.ends_with(b":iam::cloudfront:user/CloudFront") {
            return Ok(token);
        }
        let name = b"Origin Access Identity ";
        if self.line[self.at..].starts_with(name) {
            self.at += name.len();
            self.token(Field::Requester)?;
        }
        Ok(&self.line[start..self.at - 1])
    }
}

/// Walks over the six fields between request-URI and referer, and returns the start of the referer.
pub(super) fn block_end(line: &[u8], at: usize) -> Result<usize, Fault> {
    let misfit = |field, reason, at| misfit(line, field, reason, at);
    let status = after(line, at, 3..=3, u8::is_ascii_digit);
    let at = status.ok_or_else(|| misfit(Field::HttpStatus, Reason::BadNumber, at))?;
    let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    let code = after(line, at, 1..=usize::MAX, is_code);
    let mut at = code.ok_or_else(|| misfit(Field::ErrorCode, Reason::BadErrorCode, at))?;
    for field in [Field::BytesSent, Field::ObjectSize, Field::TotalTime, Field::TurnAroundTime] {
        let number = after(line, at, 1..=NUMBER_WIDTH, u8::is_ascii_digit);
        at = number.ok_or_else(|| misfit(field, Reason::BadNumber, at))?;
    }
    Ok(at)
}

/// The most digits of a number that fits into 64 bits.
const NUMBER_WIDTH: usize = 18;

/// Returns the position after a token and its space. The token is a dash, or has one of the widths and only bytes that fit.
fn after(line: &[u8], at: usize, widths: RangeInclusive<usize>, fits: impl Fn(&u8) -> bool) -> Option<usize> {
    let rest = line.get(at..)?;
    if rest.starts_with(b"- ") {
        return Some(at + 2);
    }
    let width = rest.iter().position(|byte| !fits(byte))?;
    (rest[width] == b' ' && widths.contains(&width)).then_some(at + width + 1)
}

/// Returns the fault of a token that does not fit.
#[cold]
fn misfit(line: &[u8], field: Field, reason: Reason, at: usize) -> Fault {
    let token = Cursor { line, at }.checked(field, reason, |_| false);
    token.err().unwrap_or(Fault::new(reason, field, at))
}

/// Returns the value of a token. S3 writes a dash for a missing value.
pub(super) fn present(token: &[u8]) -> Option<&[u8]> {
    (token != b"-").then_some(token)
}

/// Whether a token is a request id: 16 upper-case letters and digits in real lines, a UUID for jobs, or `-`. Samples have
/// other lengths and lower case.
pub(super) fn is_request_id(token: &[u8]) -> bool {
    token.iter().fold(IN_ID, |all, &byte| all & CLASSES[byte as usize]) != 0
}

/// Whether a token is an operation: `REST.GET.OBJECT`, `SOAP.CreateBucket`, `S3.COMPUTE.OBJECT.CHECKSUM` or `-`. More
/// words and hyphens are allowed.
pub(super) fn is_operation(token: &[u8]) -> bool {
    let (mut all, mut dotted, mut before) = (IN_OPERATION, false, b'.');
    for &byte in token {
        let doubled = byte == b'.' && before == b'.';
        all &= if doubled { 0 } else { CLASSES[byte as usize] };
        dotted |= byte == b'.';
        before = byte;
    }
    all != 0 && before != b'.' && dotted || token == b"-"
}

/// The class of bytes in a request id: letters, digits and `-`.
const IN_ID: u8 = 1;
/// The class of bytes in an operation: letters, digits, `_`, `-` and `.`.
const IN_OPERATION: u8 = 2;

/// The classes of every byte.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        classes[byte as usize] = match byte {
            b'-' => IN_ID | IN_OPERATION,
            b'_' | b'.' => IN_OPERATION,
            _ if byte.is_ascii_alphanumeric() => IN_ID | IN_OPERATION,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether a token is a signature version: `SigV2`, `SigV4` or `-`. Similar ones such as `SigV4A` are allowed.
pub(super) fn is_signature_version(token: &[u8]) -> bool {
    token == b"-" || token.len() <= 8 && token.starts_with(b"SigV")
}

/// Returns the value of a token of digits.
pub(super) fn number(digits: &[u8]) -> i64 {
    digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_token(grammar: fn(&[u8]) -> bool, good: &[&str], bad: &[&str]) {
        for token in good {
            assert!(grammar(token.as_bytes()), "{token}");
        }
        for token in bad {
            assert!(!grammar(token.as_bytes()), "{token}");
        }
    }

    #[test]
    fn tokens_must_fit_their_grammar() {
        let ids = ["-", "3E57427F3EXAMPLE", "1VADRPF1K9DV2RTE", "e5042925-b524-4b3b-a869-f3881e78ff3a"];
        check_token(is_request_id, &ids, &["a.b", "[05/Jan/2020:23:10:20", "a\"b"]);
        let operations = [
            "-",
            "REST.GET.OBJECT",
            "SOAP.CreateBucket",
            "S3.COMPUTE.OBJECT.CHECKSUM",
            "REST.PUT.OBJECT_GET",
            "S3.COPY.OBJECT.PART.CHECKSUM",
            "REST.PUT.OBJECT-TAGGING",
        ];
        check_token(
            is_operation,
            &operations,
            &["REST", "REST..OBJECT", "REST.GET.", "REST-GET", ".GET", "REST.GET.\"A\"", "REST.GET/OBJECT"],
        );
        let good =
            ["200 - - - - -", "- NoSuchKey 0 999999999999999999 1 -", "304 a.b_c - - - -", "200 304 1 2 3 4"];
        let bad = ["20 - - - - -", "2000 - - - - -", "2-0 - - - - -", "-- - - - - -", "200 No-Key - - - -"];
        check_token(|block| block_end(&[block, b" x"].concat(), 0) == Ok(block.len() + 1), &good, &bad);
        let bad = ["200 - -- - - -", "200 - 1000000000000000000 - - -", "200 - - +1 - -", "200 - - - - -1"];
        check_token(|block| block_end(&[block, b" x"].concat(), 0).is_ok(), &[], &bad);
        check_token(
            is_signature_version,
            &["-", "SigV2", "SigV4", "SigV4A"],
            &["Sig", "AuthHeader", "SigV4VeryLong"],
        );
    }
}
