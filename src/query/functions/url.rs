//! Functions that decode URLs and extract their parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};

use super::{Argument, Function, text, text_at, texts};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("url_decode", &[Argument::Text], text, |columns, _| {
        Ok(each(&columns[0], |url| Some(decoded(url))))
    }),
    Function::new("url_extract_host", &[Argument::Text], text, |columns, _| {
        Ok(each(&columns[0], |url| Some(Parts::of(url)?.host.to_owned())))
    }),
    Function::new("url_extract_path", &[Argument::Text], text, |columns, _| {
        Ok(each(&columns[0], |url| Some(decoded_path(Parts::of(url)?.path))))
    }),
    Function::new("url_extract_protocol", &[Argument::Text], text, |columns, _| {
        Ok(each(&columns[0], |url| Some(Parts::of(url)?.protocol.to_owned())))
    }),
    Function::new("url_extract_query", &[Argument::Text], text, |columns, _| {
        Ok(each(&columns[0], |url| Some(Parts::of(url)?.query.to_owned())))
    }),
    Function::new("url_extract_parameter", &[Argument::Text, Argument::Text], text, |columns, _| {
        Ok(parameters(columns))
    }),
];

/// The parts of a URL, still encoded.
struct Parts<'a> {
    protocol: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits a URL; `None` if the text cannot be one.
    fn of(url: &'a str) -> Option<Self> {
        if url.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return None;
        }
        let (url, _fragment) = url.split_once('#').unwrap_or((url, ""));
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let (protocol, rest) = url.split_once("://").unwrap_or(("", url));
        if protocol.is_empty() {
            return Some(Self { protocol, host: "", path: rest, query });
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (_user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        // The last colon starts the port, unless it belongs to an IPv6 address in brackets.
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => host,
        };
        Some(Self { protocol, host, path, query })
    }
}

fn each(column: &ArrayRef, part: impl Fn(&str) -> Option<String>) -> ArrayRef {
    let parts = texts(column).iter().map(|url| url.and_then(&part));
    Arc::new(parts.collect::<StringArray>())
}

fn parameters(columns: &[ArrayRef]) -> ArrayRef {
    let (urls, names) = (texts(&columns[0]), texts(&columns[1]));
    let parameter = |row: usize| {
        let name = text_at(names, row)?;
        let pairs = Parts::of(text_at(urls, row)?)?.query.split('&');
        let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(known, _)| decoded(known) == name).map(|(_, value)| decoded(value))
    };
    Arc::new((0..urls.len()).map(parameter).collect::<StringArray>())
}

/// Decodes percent escapes, and pluses into spaces. Bytes that are not UTF-8 become U+FFFD.
fn decoded(text: &str) -> String {
    decoded_path(&text.replace('+', " "))
}

fn decoded_path(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, behind @ ..] = rest {
        let hex = behind.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        // A number may have a sign, but a byte must not.
        let hex = hex.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_its_parts() {
        for (url, expected) in [
            (
                "https://user@example.com:443/a%20b/c?x=1&y=#z",
                Some(["https", "example.com", "/a%20b/c", "x=1&y="]),
            ),
            ("http://[::1]:80/", Some(["http", "[::1]", "/", ""])),
            ("http://[::1]", Some(["http", "[::1]", "", ""])),
            ("/only/path?q", Some(["", "", "/only/path", "q"])),
            ("", Some(["", "", "", ""])),
            ("no url", None),
        ] {
            let parts = Parts::of(url).map(|parts| [parts.protocol, parts.host, parts.path, parts.query]);
            assert_eq!(parts, expected, "{url}");
        }
    }

    #[test]
    fn a_parameter_is_found_and_decoded() {
        let url = "https://h/?a=1&b%20c=x+y%2Fz&d&a=2";
        for (name, expected) in [("a", Some("1")), ("b c", Some("x y/z")), ("d", Some("")), ("e", None)] {
            let column = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
            let found = parameters(&[column(url), column(name)]);
            assert_eq!(text_at(texts(&found), 0), expected, "{name}");
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded_path("%+1%1+%2F"), "%+1%1+/");
    }
}
