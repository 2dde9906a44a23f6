//! Decodes the object key of an S3 server access log line.
//!
//! S3 encodes the key once or twice, depending on the component that wrote the record:
//!
//! | operation | logged form | decoding |
//! |---|---|---|
//! | `REST.*`, `WEBSITE.*`, `SOAP.*` | `percent(form(key))` | percent-decode, then form-decode |
//! | `BATCH.*`, `S3.*` | `form(key)` | form-decode |
//!
//! `form` writes a space as `+`. AWS does not document this, but real lines show it. Without the operation, a logged key has
//! two readings (`a%2520b`), so a key of an unknown operation is not decoded.
//!
//! Promises: Decoding cannot fail, because a malformed escape such as `%zz` is kept. It copies at most once, and not at all if
//! there is nothing to decode. The result is bytes, because a key need not be UTF-8.

use std::borrow::Cow;

use memchr::memchr2;

/// Decodes the key `logged`. Returns `None` if the encoding of the operation is unknown.
///
/// `operation` is the operation field of the same line, for example `REST.GET.OBJECT`.
#[must_use]
pub(super) fn decode_key<'a>(operation: &[u8], logged: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let encoded_twice = encoded_twice(operation)?;
    let Some(first) = memchr2(b'%', b'+', logged) else {
        return Some(Cow::Borrowed(logged));
    };
    let mut key = logged.to_vec();
    if encoded_twice {
        unescape(&mut key, first, Plus::IsPlus);
    }
    unescape(&mut key, first, Plus::IsSpace);
    Some(Cow::Owned(key))
}

/// Whether records of an operation encode keys twice. Returns `None` for an unknown operation.
fn encoded_twice(operation: &[u8]) -> Option<bool> {
    match operation.split(|&byte| byte == b'.').next()? {
        b"REST" | b"WEBSITE" | b"SOAP" => Some(true),
        b"BATCH" | b"S3" => Some(false),
        _ => None,
    }
}

/// The meaning of a `+`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    IsPlus,
    IsSpace,
}

/// Decodes `%hh`, and `+` if it is a space, in place. Nothing before `from` is encoded.
fn unescape(bytes: &mut Vec<u8>, from: usize, plus: Plus) {
    let (mut read, mut write) = (from, from);
    while let Some(&byte) = bytes.get(read) {
        let (decoded, width) = match byte {
            b'%' => escaped(&bytes[read..]).map_or((byte, 1), |decoded| (decoded, 3)),
            b'+' if plus == Plus::IsSpace => (b' ', 1),
            _ => (byte, 1),
        };
        bytes[write] = decoded;
        read += width;
        write += 1;
    }
    bytes.truncate(write);
}

/// Decodes a leading `%hh`.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let &[_, high, low] = bytes.first_chunk()?;
    Some(hex(high)? << 4 | hex(low)?)
}

/// Returns the value of a hexadecimal digit.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(operation: &str, logged: &str, expected: &str) {
        let key = decode_key(operation.as_bytes(), logged.as_bytes()).expect(operation);
        assert_eq!(String::from_utf8_lossy(&key), expected, "{operation} {logged}");
    }

    /// Logged keys of real lines. The request-URI of the first line has `%20` for its spaces.
    #[test]
    fn real_keys_decode_by_their_operation() {
        let photo = "WhatsApp Image 2020-07-05 at 18.34.43.jpeg";
        check("REST.PUT.OBJECT", "WhatsApp%2BImage%2B2020-07-05%2Bat%2B18.34.43.jpeg", photo);
        check("REST.GET.OBJECT", "a/date_%253D2021-03-14/b", "a/date_=2021-03-14/b");
        check("REST.PUT.PART", "N703%253DDropSeq", "N703=DropSeq");
        check(
            "BATCH.DELETE.OBJECT",
            "Screen+Shot+2019-09-09+at+9.08.44+AM.png",
            "Screen Shot 2019-09-09 at 9.08.44 AM.png",
        );
        check("S3.EXPIRE.OBJECT", "a%2Bb+c", "a+b c");
        check("WEBSITE.GET.OBJECT", "foo-%2525Y", "foo-%Y");
        check("S3.EXPIRE.OBJECT", "foo-%2525Y", "foo-%25Y");
        check("SOAP.GetObject", "%25E3%2581%2582", "\u{3042}");
        check("REST.GET.OBJECT", "plain/key*.txt", "plain/key*.txt");
    }

    #[test]
    fn malformed_escapes_are_kept() {
        for logged in ["%zz", "%4", "%", "a%", "%%", "%+4x"] {
            check("REST.GET.OBJECT", logged, &logged.replace('+', " "));
            check("S3.EXPIRE.OBJECT", logged, &logged.replace('+', " "));
        }
        check("S3.EXPIRE.OBJECT", "%4%41", "%4A");
        check("REST.GET.OBJECT", "%25zz%2541", "%zzA");
    }

    #[test]
    fn keys_that_are_not_utf8_are_decoded_to_bytes() {
        let key = decode_key(b"S3.EXPIRE.OBJECT", b"%ff%00").expect("known family");
        assert_eq!(&*key, b"\xff\0");
    }

    #[test]
    fn keys_of_unknown_operations_are_not_decoded() {
        for operation in ["", "-", "RES", "REST2.GET.OBJECT", "rest.GET.OBJECT"] {
            assert_eq!(decode_key(operation.as_bytes(), b"a%20b"), None, "{operation}");
        }
    }

    #[test]
    fn plain_keys_are_borrowed() {
        assert!(matches!(decode_key(b"REST.GET.OBJECT", b"a/b c"), Some(Cow::Borrowed(_))));
    }

    /// Encodes keys as S3 presumably does: the inverse of the tested function.
    fn encode(key: &[u8], space_as_plus: bool) -> Vec<u8> {
        let encoded = key.iter().map(|&byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                char::from(byte).into()
            }
            b' ' if space_as_plus => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        });
        encoded.collect::<String>().into_bytes()
    }

    /// The slow twin, character by character into a new buffer.
    fn decode_slowly(logged: &[u8], plus: u8) -> Vec<u8> {
        match logged {
            [] => Vec::new(),
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digits = [*high, *low];
                let byte = u8::from_str_radix(str::from_utf8(&digits).expect("digits"), 16).expect("digits");
                [vec![byte], decode_slowly(rest, plus)].concat()
            }
            [b'+', rest @ ..] => [vec![plus], decode_slowly(rest, plus)].concat(),
            [byte, rest @ ..] => [vec![*byte], decode_slowly(rest, plus)].concat(),
        }
    }

    proptest! {
        #[test]
        fn every_encoded_key_is_decoded(key in prop::collection::vec(any::<u8>(), 0..40)) {
            let once = encode(&key, true);
            let twice = encode(&once, false);
            let batch = decode_key(b"BATCH.DELETE.OBJECT", &once);
            let rest = decode_key(b"REST.GET.OBJECT", &twice);
            prop_assert_eq!(batch.as_deref(), Some(&key[..]));
            prop_assert_eq!(rest.as_deref(), Some(&key[..]));
        }

        #[test]
        fn the_fast_and_the_slow_decoder_agree(logged in "[%+0-9a-fA-F .z/]{0,60}") {
            let logged = logged.as_bytes();
            let once = decode_slowly(logged, b' ');
            let twice = decode_slowly(&decode_slowly(logged, b'+'), b' ');
            prop_assert_eq!(decode_key(b"S3.EXPIRE.OBJECT", logged), Some(Cow::Borrowed(&once[..])));
            prop_assert_eq!(decode_key(b"REST.GET.OBJECT", logged), Some(Cow::Borrowed(&twice[..])));
        }
    }
}
